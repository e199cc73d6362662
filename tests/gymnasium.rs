//! Gymnasium at both ends, through the real binary: its environments under our learner, and the claw for its learners.

mod support;

#[path = "../crates/gymnasium/tests/support/processes.rs"]
mod processes;

use processes::group;
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use support::TURNKEY;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn python() -> PathBuf {
    let python = Path::new(ROOT).join("native/gymnasium/bin/python");
    assert!(python.is_file(), "{} isn't there. `cargo xtask setup` makes it", python.display());
    python
}

fn turnkey(arguments: &[&str]) -> Output {
    Command::new(TURNKEY).current_dir(ROOT).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Trains configs/pendulum.toml with some changes and expects that to go well.
fn train(runs: &Path, name: &str, more: &[&str]) -> PathBuf {
    python();
    let runs_dir = runs.to_str().unwrap();
    let fixed = ["--threads", "1", "train", "configs/pendulum.toml", "--quiet", "--runs-dir", runs_dir, "--name", name];
    let output = turnkey(&[&fixed, more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    runs.join(name)
}

fn failing(arguments: &[&str]) -> String {
    let output = turnkey(arguments);
    assert!(!output.status.success(), "{arguments:?} can't go well");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn pendulum_is_learned_in_a_python_process_whatever_the_seed() {
    let runs = tempfile::tempdir().unwrap();
    for seed in ["0", "1", "2"] {
        let run = train(runs.path(), seed, &["--seed", seed]);
        let summary: Value = serde_json::from_str(&fs::read_to_string(run.join("summary.json")).unwrap()).unwrap();
        let reached = summary["final"]["mean_return"]["value"].as_f64().unwrap();
        assert!(reached > -300.0, "seed {seed}: a mean return of {reached}; random actions have about -1200");
    }
    let picture = runs.path().join("curves.png");
    let run = |seed: &str| runs.path().join(seed).to_str().unwrap().to_owned();
    let output = turnkey(&["plot", &run("0"), &run("1"), "--out", picture.to_str().unwrap()]);
    assert!(output.status.success() && picture.is_file(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = turnkey(&["evaluate", &run("0"), "--episodes", "3", "--json"]);
    let evaluation: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(evaluation[0]["evaluation"]["episodes"], 3, "{evaluation}");
}

#[test]
fn a_run_that_was_stopped_inside_an_episode_goes_on_to_the_bit() {
    let runs = tempfile::tempdir().unwrap();
    let short = |steps: &'static str| ["--set", "run.checkpoint_period=350", "--set", steps];
    let straight = train(runs.path(), "straight", &short("run.steps=700"));
    train(runs.path(), "resumed", &short("run.steps=350"));
    let resumed = train(runs.path(), "resumed", &[&short("run.steps=700")[..], &["--resume"]].concat());
    let learner = |run: &Path| {
        let checkpoints = fs::read_dir(run.join("checkpoints")).unwrap();
        let newest = checkpoints.map(|entry| entry.unwrap().path()).max().unwrap();
        assert!(newest.ends_with("step-000000700") || newest.to_string_lossy().ends_with("700"), "{newest:?}");
        fs::read(newest.join("learner.safetensors")).unwrap()
    };
    assert!(learner(&straight) == learner(&resumed), "another learner came of it");
}

/// The processes that a process started, by their ids.
fn children(process: u32) -> Vec<u32> {
    let path = format!("/proc/{process}/task/{process}/children");
    fs::read_to_string(path).unwrap_or_default().split_whitespace().map(|id| id.parse().unwrap()).collect()
}

/// Waits for something that is to come true within half a minute.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_python_processes_end_with_a_run_that_is_killed() {
    python();
    let runs = tempfile::tempdir().unwrap();
    let mut command = Command::new(TURNKEY);
    command.current_dir(ROOT).args(["train", "configs/pendulum.toml", "--quiet", "--name", "x", "--runs-dir"]);
    let mut run = command.arg(runs.path()).stderr(Stdio::null()).spawn().unwrap();
    let metrics = runs.path().join("x/metrics.jsonl");
    wait_until("an episode", || fs::metadata(&metrics).is_ok_and(|metrics| metrics.len() > 0));
    let environments = children(run.id());
    assert_eq!(environments.len(), 2, "one to train in, one to evaluate in");
    run.kill().unwrap();
    run.wait().unwrap();
    wait_until("nobody left", || environments.iter().all(|id| group(*id).is_empty()));
}

#[test]
fn an_interrupt_from_the_terminal_ends_a_run_with_a_checkpoint_and_leaves_no_process() {
    python();
    let runs = tempfile::tempdir().unwrap();
    let mut command = Command::new(TURNKEY);
    command.current_dir(ROOT).args(["train", "configs/pendulum.toml", "--quiet", "--name", "x", "--runs-dir"]);
    let mut run = command.arg(runs.path()).process_group(0).stderr(Stdio::piped()).spawn().unwrap();
    let metrics = runs.path().join("x/metrics.jsonl");
    wait_until("an episode", || fs::metadata(&metrics).is_ok_and(|metrics| metrics.len() > 0));
    let environments = children(run.id());
    assert!(environments.iter().all(|id| group(*id).len() == 2), "each with what watches it");
    // SAFETY: the group is our own child's, which wasn't waited for yet.
    assert_eq!(unsafe { libc::killpg(run.id() as libc::pid_t, libc::SIGINT) }, 0);
    let mut said = String::new();
    run.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(run.wait().unwrap().success(), "{said}");
    assert!(fs::read_dir(runs.path().join("x/checkpoints")).unwrap().count() > 0, "{said}");
    wait_until("nobody left", || environments.iter().all(|id| group(*id).is_empty()));
}

/// A training run, called x in `folder`, in an environment of our own: `source`, whose module and id have this name.
fn in_own(folder: &Path, name: &str, source: &str, more: &[&str]) -> Command {
    let module = name.to_lowercase();
    fs::write(folder.join(format!("{module}.py")), source).unwrap();
    let [python, id, module] = [
        format!("gymnasium.python={}", python().display()),
        format!("gymnasium.id={name}-v0"),
        format!("gymnasium.module={module}"),
    ];
    let mut command = Command::new(TURNKEY);
    command
        .current_dir(ROOT)
        .args(["train", "configs/pendulum.toml", "--quiet", "--name", "x", "--runs-dir"])
        .arg(folder);
    for change in [&[&*python, &*id, &*module], more].concat() {
        command.args(["--set", change]);
    }
    command.env("PYTHONPATH", folder).env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null());
    command
}

/// An environment whose steps take their time.
const SLOW: &str = r#"
import gymnasium, numpy, time

class Slow(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (1,))
    action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return numpy.zeros(1, numpy.float32), {}

    def step(self, action):
        time.sleep(1)
        return numpy.zeros(1, numpy.float32), 0.0, False, False, {}

gymnasium.register("Slow-v0", Slow, max_episode_steps=3)
"#;

#[test]
fn a_run_that_is_stopped_for_longer_than_it_waits_for_an_answer_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let short = [
        "gymnasium.timeout_secs=10",
        "run.steps=6",
        "run.warmup_steps=6",
        "run.evaluation_period=6",
        "run.checkpoint_period=6",
        "run.evaluation_episodes=1",
        "run.final_episodes=1",
    ];
    let mut command = in_own(folder.path(), "Slow", SLOW, &short);
    let mut run = command.stderr(Stdio::piped()).spawn().unwrap();
    let metrics = folder.path().join("x/metrics.jsonl");
    wait_until("an episode", || fs::metadata(&metrics).is_ok_and(|metrics| metrics.len() > 0));
    support::signal(&run, libc::SIGSTOP);
    std::thread::sleep(Duration::from_secs(11));
    support::signal(&run, libc::SIGCONT);
    let mut said = String::new();
    run.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(run.wait().unwrap().success(), "{said}");
}

/// An environment whose first step never ends, and holds the interpreter's lock meanwhile, after it wrote down its process.
const STUCK: &str = r#"
import gymnasium, numpy, os, re

class Stuck(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (1,))
    action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return numpy.zeros(1, numpy.float32), {}

    def step(self, action):
        with open(os.environ["STUCK"] + "~", "w") as file:
            file.write(str(os.getpid()))
        os.rename(os.environ["STUCK"] + "~", os.environ["STUCK"])
        re.match("(a+)+$", "a" * 80 + "b")

gymnasium.register("Stuck-v0", Stuck, max_episode_steps=9)
"#;

#[test]
fn the_python_process_ends_with_a_killed_run_even_where_a_step_holds_its_lock() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let mut command = in_own(folder.path(), "Stuck", STUCK, &[]);
    let mut run = command.env("STUCK", &pid).stderr(Stdio::null()).spawn().unwrap();
    wait_until("a step", || pid.exists());
    let status = PathBuf::from(format!("/proc/{}/status", fs::read_to_string(&pid).unwrap()));
    let lives = || fs::read_to_string(&status).is_ok_and(|status| !status.contains("State:\tZ"));
    assert!(lives());
    run.kill().unwrap();
    run.wait().unwrap();
    wait_until("its end", || !lives());
}

#[test]
fn what_is_wrong_with_a_configuration_is_named() {
    let said = |changes: &[&str]| {
        let runs = tempfile::tempdir().unwrap();
        let fixed = ["train", "configs/pendulum.toml", "--quiet", "--name", "x", "--runs-dir"];
        let set: Vec<&str> = changes.iter().flat_map(|change| ["--set", change]).collect();
        failing(&[&fixed[..], &[runs.path().to_str().unwrap()], &set].concat())
    };
    assert!(said(&["gymnasium.id=Pendulun-v1"]).contains("gymnasium.id is right"));
    let none = said(&["gymnasium.python=/nowhere/python"]);
    assert!(none.contains("/nowhere/python") && none.contains("install Python 3"), "{none}");
    assert!(said(&["gymnasium.timeout_secs=0"]).contains("gymnasium.timeout_secs: expected above 0"));
    assert!(said(&["gymnasium.idd=3"]).contains("idd"));
    assert!(said(&["task.name=turn_random"]).contains("[task]: expected none with [gymnasium]"));
    assert!(said(&["benchmark.name=Ant-v5"]).contains("expected none with [benchmark]"));
    assert!(said(&["run.mode=asynchronous"]).contains("expected \"inline\" with [gymnasium]"));
}

#[test]
fn the_claw_is_a_proper_environment_of_gymnasium_by_position_and_from_pictures() {
    let mut command = Command::new(python());
    command.current_dir(std::env::temp_dir()).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.arg(Path::new(ROOT).join("tests/gymnasium/check_claw.py")).arg(TURNKEY).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("valve_state: as it should be") && said.contains("valve_pixels: as it should be"), "{said}");
}

/// `turnkey serve --socket`, ended with the value.
struct Serving(Child);

impl Serving {
    fn at(path: &str) -> Self {
        let mut command = Command::new(TURNKEY);
        command.current_dir(ROOT).args(["serve", "configs/valve_state.toml", "--socket", path]);
        let mut serving = Self(command.stderr(Stdio::piped()).spawn().unwrap());
        let mut line = String::new();
        BufReader::new(serving.0.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("is served at"), "{line}");
        serving
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A client that asked to open, the kind of the answer, and its body.
fn client(path: &str) -> (UnixStream, u8, String) {
    let mut client = UnixStream::connect(path).unwrap();
    let body = br#"{"protocol": 1}"#;
    client.write_all(&[&(1 + body.len() as u32).to_le_bytes()[..], &[1], body].concat()).unwrap();
    let mut length = [0; 4];
    client.read_exact(&mut length).unwrap();
    let mut message = vec![0; u32::from_le_bytes(length) as usize];
    client.read_exact(&mut message).unwrap();
    (client, message[0], String::from_utf8_lossy(&message[1..]).into_owned())
}

/// The kind of the answer to a request to open.
fn opened(path: &str) -> u8 {
    client(path).1
}

#[test]
fn a_socket_serves_one_client_after_the_other_and_is_taken_over_once_nobody_listens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claw.sock");
    let path = path.to_str().unwrap();
    let first = Serving::at(path);
    assert_eq!((opened(path), opened(path)), (129, 129));
    let served = client(path);
    let (_, kind, said) = client(path);
    assert!(kind == 255 && said.contains("another client is served here"), "{kind} {said}");
    drop(served);
    assert_eq!(opened(path), 129);
    let taken = failing(&["serve", "configs/valve_state.toml", "--socket", path]);
    assert!(taken.contains("found a server"), "{taken}");
    drop(first); // and leaves its socket
    let _second = Serving::at(path);
    assert_eq!(opened(path), 129);
    let file = folder.path().join("file");
    fs::write(&file, "precious").unwrap();
    let refused = failing(&["serve", "configs/valve_state.toml", "--socket", file.to_str().unwrap()]);
    assert!(refused.contains("found a file"), "{refused}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    let theirs = folder.path().join("theirs.sock");
    let listening = UnixDatagram::bind(&theirs).unwrap();
    let refused = failing(&["serve", "configs/valve_state.toml", "--socket", theirs.to_str().unwrap()]);
    assert!(refused.contains("found one that isn't"), "{refused}");
    UnixDatagram::unbound().unwrap().send_to(b"x", &theirs).unwrap();
    drop(listening);
    let by_hand = failing(&["serve", "configs/valve_state.toml"]);
    assert!(by_hand.contains("expected a connected socket as standard input"), "{by_hand}");
}
