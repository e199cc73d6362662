//! Gymnasium's own environments, in the Python that `cargo xtask setup` installs.

#[path = "support/processes.rs"]
mod processes;

use processes::group;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use turnkey_core::{Action, End, Environment as _, Kind, Snapshot as _};
use turnkey_env::conformance;
use turnkey_gymnasium::{Gymnasium, GymnasiumConfig};

fn python() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../native/gymnasium/bin/python");
    assert!(python.is_file(), "{} isn't there. `cargo xtask setup` makes it", python.display());
    python
}

fn config(id: &str) -> GymnasiumConfig {
    GymnasiumConfig { python: python(), ..GymnasiumConfig::new(id) }
}

fn refusal(config: GymnasiumConfig) -> String {
    Gymnasium::new(config).expect_err("it can't be made").to_string()
}

/// A Python module in a folder of its own, and the interpreter that finds it.
fn with_module(code: &str) -> (tempfile::TempDir, GymnasiumConfig) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ours.py"), code).unwrap();
    let words = format!("PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={} exec {}", folder.path().display(), python().display());
    let config = GymnasiumConfig { module: Some("ours".into()), ..with_interpreter(&folder, &words) };
    (folder, GymnasiumConfig { id: "Ours-v0".into(), ..config })
}

/// The configuration of an interpreter that is a shell's word.
fn with_interpreter(folder: &tempfile::TempDir, words: &str) -> GymnasiumConfig {
    let path = folder.path().join("python");
    std::fs::write(&path, format!("#!/bin/sh\n{words} \"$@\"\n")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, mode).unwrap();
    GymnasiumConfig { python: path, ..GymnasiumConfig::new("Pendulum-v1") }
}

#[test]
fn pendulum_keeps_the_promises_of_an_environment() {
    conformance::check_environment(|| Gymnasium::new(config("Pendulum-v1")).unwrap());
}

#[test]
fn actions_are_scaled_to_the_bounds_and_episodes_end_as_there() {
    let mut pendulum = Gymnasium::new(config("Pendulum-v1")).unwrap();
    let spec = pendulum.spec().clone();
    assert_eq!((spec.observation.len(), spec.action.len(), spec.episode_steps), (3, 1, 200));
    // The torque, 2 N m at most, costs 0.001 of its square; the rest of the cost is the state's.
    let cost = |pendulum: &mut Gymnasium, x: f32| {
        pendulum.reset(3).unwrap();
        -pendulum.step(&Action(vec![x])).unwrap().reward
    };
    let (none, full, half) = (cost(&mut pendulum, 0.0), cost(&mut pendulum, 1.0), cost(&mut pendulum, -0.5));
    assert!((full - none - 0.004).abs() < 1e-9 && (half - none - 0.001).abs() < 1e-9, "{none} {full} {half}");
    assert_eq!(cost(&mut pendulum, 7.0), full, "beyond the bounds is at the bounds");
    pendulum.reset(4).unwrap();
    let ends: Vec<_> = (0..200).map(|_| pendulum.step(&Action(vec![0.1])).unwrap().end).collect();
    assert_eq!((ends[198], ends[199]), (None, Some(End::Truncated)));
    let error = pendulum.step(&Action(vec![0.1])).unwrap_err();
    assert_eq!(error.kind(), Kind::Bug, "{error}");
}

#[test]
fn mujocos_environments_terminate_and_take_arguments() {
    let mut hopper = config("Hopper-v5");
    hopper.arguments = serde_json::from_str(r#"{"exclude_current_positions_from_observation": false}"#).unwrap();
    hopper.episode_steps = Some(30);
    let mut hopper = Gymnasium::new(hopper).unwrap();
    assert_eq!((hopper.spec().observation.len(), hopper.spec().episode_steps), (12, 30));
    hopper.reset(0).unwrap();
    let end = std::iter::repeat_with(|| hopper.step(&Action(vec![1.0; 3])).unwrap().end).flatten().next();
    assert_eq!(end, Some(End::Terminated), "a hopper that only pushes falls");
}

#[test]
fn what_cannot_be_made_is_named_with_its_fix() {
    let unknown = refusal(config("Pendulun-v1"));
    assert!(unknown.contains("Pendulun") && unknown.contains("fix:"), "{unknown}");
    let discrete = refusal(config("CartPole-v1"));
    assert!(discrete.contains("actions that are a Box, got Discrete(2)"), "{discrete}");
    let none = refusal(GymnasiumConfig { python: "/nowhere/python".into(), ..config("Pendulum-v1") });
    assert!(none.contains("/nowhere/python") && none.contains("install Python 3"), "{none}");
    let folder = tempfile::tempdir().unwrap();
    let bare = refusal(with_interpreter(&folder, &format!("exec {} -S", python().display())));
    assert!(bare.contains("No module named") && bare.contains("-m pip install gymnasium"), "{bare}");
    let mut wrong = config("Pendulum-v1");
    wrong.arguments = serde_json::from_str(r#"{"no_such_argument": 1}"#).unwrap();
    assert!(refusal(wrong).contains("no_such_argument"));
    let module = GymnasiumConfig { module: Some("no_such_module".into()), ..config("Pendulum-v1") };
    assert!(refusal(module).contains("no_such_module"));
}

const OURS: &str = r#"
import gymnasium, numpy, os, random, subprocess, time

class Ours(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-9, 9, (2, 2), numpy.float64)
    action_space = gymnasium.spaces.Box(numpy.array([[0.0, -1.0]]), numpy.array([[4.0, 3.0]]), dtype=numpy.float64)

    def __init__(self, mode="good"):
        self.mode = mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        numpy.random.RandomState(seed)  # 32 bits, at most
        self.steps = 0
        if self.mode == "parent":
            subprocess.Popen(["sleep", "1000"])
            os.fork() or time.sleep(1000)
        return self.observation_space.sample() * 0 + self.np_random.uniform(), {}

    def step(self, action):
        self.steps += 1
        assert action.shape == (1, 2) and action.dtype == numpy.float64, action
        print("something that goes to standard output")
        if self.mode == "stuck":
            time.sleep(1e6)
        if self.mode == "gone":
            os._exit(7)
        if self.mode == "raises":
            raise ValueError("a joint came off")
        seen = numpy.array([[action[0, 0], action[0, 1]], [self.steps, self.np_random.uniform()]])
        if self.mode == "nan":
            seen[1, 0] = numpy.nan
        if self.mode == "wide":
            seen = numpy.zeros(5)
        if self.mode == "unseeded":
            seen[1, 1] = random.random()
        return seen, float("inf") if self.mode == "rich" else 0.5, self.steps == 3, self.steps == 3, {}

gymnasium.register("Ours-v0", Ours)
"#;

/// One of these environments, that does as `mode` says.
fn ours(mode: &str) -> (tempfile::TempDir, GymnasiumConfig) {
    let (folder, mut config) = with_module(OURS);
    config.arguments = serde_json::Map::from_iter([("mode".to_owned(), mode.into())]);
    config.episode_steps = Some(10);
    (folder, config)
}

#[test]
fn boxes_of_any_shape_are_flattened_and_a_termination_wins_over_a_truncation() {
    let (_folder, config) = ours("good");
    let mut ours = Gymnasium::new(config.clone()).unwrap();
    assert_eq!((ours.spec().observation.len(), ours.spec().action.len()), (4, 2));
    ours.reset(1).unwrap();
    let step = ours.step(&Action(vec![0.5, f32::NAN])).unwrap();
    assert_eq!((step.reward, step.observation.numbers[..3].to_vec()), (0.5, vec![3.0, 1.0, 1.0]));
    ours.step(&Action(vec![0.0; 2])).unwrap();
    assert_eq!(ours.step(&Action(vec![0.0; 2])).unwrap().end, Some(End::Terminated));
    let endless = refusal(GymnasiumConfig { episode_steps: None, ..config });
    assert!(endless.contains("set gymnasium.episode_steps"), "{endless}");
}

/// What is said of a step in an environment that does as `mode` says, and of the step after it.
fn failing(mode: &str) -> [String; 2] {
    let (_folder, config) = ours(mode);
    let mut ours = Gymnasium::new(GymnasiumConfig { timeout_secs: 20.0, ..config }).unwrap();
    ours.reset(1).unwrap();
    if mode == "stuck" {
        ours.set_timeout_secs(0.2);
    }
    [(); 2].map(|()| ours.step(&Action(vec![0.0; 2])).unwrap_err().to_string())
}

#[test]
fn what_goes_wrong_in_a_step_is_named_and_ends_the_episode() {
    for (mode, said) in [
        ("stuck", "within 0.2 s, got none"),
        ("gone", "exit status: 7"),
        ("raises", "ValueError: a joint came off"),
        ("nan", "finite numbers, got NaN at index 2"),
        ("wide", "(2, 2), got (5,)"),
        ("rich", "a reward that is a finite number in single precision, got inf"),
    ] {
        let [first, second] = failing(mode);
        assert!(first.contains(said) && first.contains("fix:"), "{mode}: {first}");
        assert!(second.contains("no episode is in progress"), "{mode}: {second}");
    }
}

#[test]
fn seeds_of_64_bits_are_told_apart_by_environments_that_take_32() {
    let (_folder, config) = ours("good");
    let mut ours = Gymnasium::new(config).unwrap();
    let mut seen = |seed| ours.reset(seed).unwrap().numbers[0].to_bits();
    let seeds = [0, 1, 1 << 32, 1 << 62, (1 << 62) + 1, u64::MAX];
    let first = seeds.map(&mut seen);
    assert_eq!(first, seeds.map(&mut seen));
    assert_eq!(std::collections::HashSet::from(first).len(), seeds.len(), "{first:?}");
}

#[test]
fn an_environment_that_draws_from_elsewhere_is_not_gone_on_with() {
    let (_folder, config) = ours("unseeded");
    let mut ours = Gymnasium::new(config).unwrap();
    ours.reset(1).unwrap();
    ours.step(&Action(vec![0.3; 2])).unwrap();
    let state = ours.save();
    let error = ours.restore(&state).unwrap_err().to_string();
    assert!(error.contains("to the bit, but after 1 steps"), "{error}");
    assert_eq!(ours.save(), state, "a refusal changes nothing");
    ours.step(&Action(vec![0.3; 2])).unwrap();
}

#[test]
fn a_state_of_another_environment_is_refused() {
    let (_folder, config) = ours("good");
    let mut ours = Gymnasium::new(config).unwrap();
    let mut pendulum = Gymnasium::new(self::config("Pendulum-v1")).unwrap();
    pendulum.reset(1).unwrap();
    let error = ours.restore(&pendulum.save()).unwrap_err().to_string();
    assert!(error.contains("expected one of Ours-v0, got one of Pendulum-v1"), "{error}");
}

#[test]
fn the_process_ends_with_the_value_even_where_it_is_stuck() {
    let (folder, mut config) = ours("stuck");
    config.timeout_secs = 20.0;
    let mut ours = Gymnasium::new(config).unwrap();
    ours.reset(1).unwrap();
    let pid = ours.process_id();
    ours.set_timeout_secs(0.1);
    ours.step(&Action(vec![0.0; 2])).unwrap_err();
    assert!(Path::new(&format!("/proc/{pid}")).exists());
    drop(ours);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    drop(folder);
}

fn wait_until_empty(leader: u32) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !group(leader).is_empty() {
        assert!(Instant::now() < deadline, "{:?}", group(leader));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_an_environment_started_ends_with_it_whichever_end_goes_and_without_pidfds() {
    let (folder, config) = ours("parent");
    let without = "import os, signal\ndel os.pidfd_open, signal.pidfd_send_signal\n"; // as conda's Python
    std::fs::write(folder.path().join("sitecustomize.py"), without).unwrap();
    for killed in [false, true] {
        let mut ours = Gymnasium::new(config.clone()).unwrap();
        ours.reset(1).unwrap();
        let pid = ours.process_id();
        assert_eq!(group(pid).len(), 4, "it, what watches it, a program and a copy of it: {:?}", group(pid));
        if killed {
            assert!(Command::new("sh").args(["-c", &format!("kill -KILL {pid}")]).status().unwrap().success());
            let error = ours.step(&Action(vec![0.0; 2])).unwrap_err().to_string();
            assert!(error.contains("its process ended (signal: 9") && error.contains("memory"), "{error}");
        } else {
            drop(ours);
        }
        wait_until_empty(pid);
    }
}

#[test]
fn a_request_whose_length_none_has_is_the_last() {
    for length in [0_u32, (1 << 20) + 1, u32::MAX] {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/gymnasium_server.py");
        let mut server = Command::new(python()).arg(server).stdin(OwnedFd::from(theirs)).spawn().unwrap();
        ours.write_all(&length.to_le_bytes()).unwrap();
        let mut said = Vec::new();
        ours.read_to_end(&mut said).unwrap();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(
            said.contains(&format!("a request of 1 to 1048576 bytes, got one that says it has {length}")),
            "{said}"
        );
        assert!(server.wait().unwrap().success());
    }
}

const STRICT: &str = r#"
import gymnasium, numpy

class Strict(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-9, 9, (1,), numpy.float64)

    def __init__(self, whole=False):
        low, high, kind = (0, 1, numpy.int64) if whole else (-0.1, 0.1, numpy.float64)
        self.action_space = gymnasium.spaces.Box(low, high, (1,), kind)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return numpy.zeros(1), {}

    def step(self, action):
        assert self.action_space.contains(action), f"{action} is outside"
        return action, 0.0, False, False, {}

gymnasium.register("Ours-v0", Strict, max_episode_steps=9)
"#;

#[test]
fn actions_keep_to_bounds_that_single_precision_cannot_say_and_whole_numbers_are_refused() {
    let (_folder, mut config) = with_module(STRICT);
    let mut strict = Gymnasium::new(config.clone()).unwrap();
    strict.reset(1).unwrap();
    for (action, there) in [(1.0, 0.1), (-1.0, -0.1), (0.5, 0.05)] {
        assert_eq!(strict.step(&Action(vec![action])).unwrap().observation.numbers, [there]);
    }
    config.arguments = serde_json::from_str(r#"{"whole": true}"#).unwrap();
    let whole = refusal(config);
    assert!(whole.contains("floating point, got Box(0, 1, (1,), int64)") && whole.contains("fix:"), "{whole}");
}
