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
    for line in rollout(name) {
        if let Some(positions) = line.get("positions") {
            ours.begin(&numbers(positions), &numbers(&line["velocities"])).unwrap();
            continue;
        }
        let controls: Vec<f32> = numbers(&line["action"]).iter().map(|x| *x as f32).collect();
        let (reward, end) = ours.act(&controls);
        steps += 1;
        let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let (seen, theirs) = (ours.observation(), numbers(&line["observation"]));
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
        for wrong in [&b""[..], b"nonsense", &one.save()[1..]] {
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
