//! Our benchmarks beside Gymnasium's own, in Python, on the same libmujoco.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use turnkey_benchmarks::{BenchmarkName, Locomotion};
use turnkey_core::{Action, End, Environment as _, Snapshot as _};

const STEPS: usize = 1000;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// The lines that tests/gymnasium/rollout.py prints.
fn rollout(name: BenchmarkName) -> Vec<Value> {
    let python = project().join("native/gymnasium/bin/python");
    let mut command = Command::new(&python);
    command.current_dir(std::env::temp_dir()).env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg(project().join("tests/gymnasium/rollout.py").canonicalize().unwrap());
    let output = command.args([name.id(), &STEPS.to_string()]).output().unwrap_or_else(|error| {
        panic!("{} can't be run: {error}. `cargo xtask setup` makes it", python.display());
    });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Steps that ended an episode, by kind.
#[derive(Debug, Default, PartialEq)]
struct Ends {
    terminated: usize,
    truncated: usize,
}

fn compare(name: BenchmarkName) -> Ends {
    let mut ours = Locomotion::new(name).unwrap();
    let (mut ends, mut steps) = (Ends::default(), 0);
    let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    for line in rollout(name) {
        let theirs = numbers(&line["observation"]);
        if let Some(positions) = line.get("positions") {
            ours.begin(&numbers(positions), &numbers(&line["velocities"])).unwrap();
            assert_eq!(bits(&ours.observation()), bits(&theirs), "{name}, where an episode begins");
            continue;
        }
        let controls: Vec<f32> = numbers(&line["action"]).iter().map(|x| *x as f32).collect();
        let (reward, end) = ours.act(&controls);
        steps += 1;
        let seen = ours.observation();
        assert_eq!(bits(&seen), bits(&theirs), "{name}, step {steps}:\n{seen:?}\n{theirs:?}");
        let expected = line["reward"].as_f64().unwrap();
        assert!((reward - expected).abs() <= 1e-12, "{name}, step {steps}: {reward} and {expected}");
        let (terminated, truncated) = (line["terminated"] == true, line["truncated"] == true);
        ends.terminated += usize::from(terminated);
        ends.truncated += usize::from(truncated);
        let expected = if terminated { Some(End::Terminated) } else { truncated.then_some(End::Truncated) };
        assert_eq!(end, expected, "{name}, step {steps}");
    }
    assert_eq!(steps, STEPS);
    ends
}

#[test]
fn observations_are_gymnasiums_to_the_bit_and_rewards_and_ends_are_too() {
    let ends: Vec<Ends> = BenchmarkName::ALL.into_iter().map(compare).collect();
    let terminated = ends.iter().filter(|ends| ends.terminated > 0).count();
    assert!(terminated >= 3, "random actions make most of them fall: {ends:?}");
    assert!(ends.iter().any(|ends| ends.truncated > 0), "one can't fall, and is cut off: {ends:?}");
}

#[test]
fn an_action_of_one_is_an_actuators_end() {
    for name in BenchmarkName::ALL {
        let width = one_width(name);
        let end = if name == BenchmarkName::Humanoid { 0.4 } else { 1.0 };
        let mut pair = [Locomotion::new(name).unwrap(), Locomotion::new(name).unwrap()];
        pair.iter_mut().for_each(|one| drop(one.reset(3).unwrap()));
        let [one, other] = &mut pair;
        for action in [1.0, -1.0, 0.5, 7.0] {
            let step = one.step(&Action(vec![action; width])).unwrap();
            assert_eq!(
                (step.reward, step.end),
                other.act(&vec![end * action.clamp(-1.0, 1.0); width]),
                "{name}, {action}"
            );
            assert_eq!(one.observation(), other.observation(), "{name}, {action}");
        }
    }
}

#[test]
fn episodes_start_as_far_from_the_models_own_state_as_gymnasiums_do() {
    /// Its actuated joints, where their positions and velocities end in what is seen, the noise, and whether velocities are
    /// normally distributed, as Gymnasium's sources say.
    const STARTS: [(BenchmarkName, usize, usize, usize, f64, bool); 5] = [
        (BenchmarkName::Hopper, 3, 5, 11, 5e-3, false),
        (BenchmarkName::Walker2d, 6, 8, 17, 5e-3, false),
        (BenchmarkName::HalfCheetah, 6, 8, 17, 0.1, true),
        (BenchmarkName::Ant, 8, 13, 27, 0.1, true),
        (BenchmarkName::Humanoid, 17, 22, 45, 1e-2, false),
    ];
    for (name, joints, positions, velocities, noise, normal) in STARTS {
        let mut environment = Locomotion::new(name).unwrap();
        let mut seen = vec![Vec::new(); 2 * joints];
        for seed in 0..600 {
            environment.reset(seed).unwrap();
            let state = environment.observation();
            let ends = [positions - joints..positions, velocities - joints..velocities];
            let all = ends.into_iter().flatten().map(|index| state[index]);
            seen.iter_mut().zip(all).for_each(|(seen, value)| seen.push(value));
        }
        for (index, values) in seen.iter().enumerate() {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
            let expected = if normal && index >= joints { noise } else { noise / 3.0_f64.sqrt() };
            assert!((deviation / expected - 1.0).abs() < 0.15, "{name}, {index}: {deviation} and {expected}");
        }
    }
}

#[test]
fn a_restored_benchmark_goes_on_to_the_bit() {
    for name in BenchmarkName::ALL {
        let mut one = Locomotion::new(name).unwrap();
        let mut other = Locomotion::new(name).unwrap();
        let action =
            |step: usize| Action((0..one_width(name)).map(|index| ((step * 7 + index * 3) as f32).sin()).collect());
        one.reset(5).unwrap();
        for step in 0..12 {
            one.step(&action(step)).unwrap();
        }
        other.restore(&one.save()).unwrap();
        for step in 12..40 {
            let (a, b) = (one.step(&action(step)).unwrap(), other.step(&action(step)).unwrap());
            assert_eq!(a, b, "{name}, step {step}");
        }
        for wrong in [&b""[..], b"nonsense", &one.save()[1..], &[one.save(), vec![0]].concat()] {
            assert!(other.restore(wrong).is_err());
        }
    }
}

fn one_width(name: BenchmarkName) -> usize {
    Locomotion::new(name).unwrap().spec().action.len()
}

#[test]
fn the_same_seed_gives_the_same_episode_and_another_seed_another() {
    for name in BenchmarkName::ALL {
        let mut environment = Locomotion::new(name).unwrap();
        let first = environment.reset(1).unwrap();
        environment.step(&Action(vec![0.5; environment.spec().action.len()])).unwrap();
        assert_eq!(environment.reset(1).unwrap(), first, "{name}");
        assert_ne!(environment.reset(2).unwrap(), first, "{name}");
        assert_eq!(first.numbers.len(), environment.spec().observation.len());
    }
}

#[test]
fn what_is_wrong_is_named() {
    let error = |folder: &Path| Locomotion::from_folder(BenchmarkName::Ant, folder).err().unwrap().to_string();
    assert!(error(Path::new("/nowhere")).contains("cargo xtask setup"));
    let mut ant = Locomotion::new(BenchmarkName::Ant).unwrap();
    assert!(ant.begin(&[0.0; 3], &[0.0; 3]).unwrap_err().to_string().contains("expected 15 positions"));
    assert!(ant.begin(&[f64::NAN; 15], &[0.0; 14]).is_err());
    let wrong = ant.step(&Action(vec![0.0; 3])).unwrap_err().to_string();
    assert!(wrong.contains("expected 8 numbers"), "{wrong}");
}
