//! Training on a rig, through the binary: its serial port leads to emulated servos that turn the twin. Every step is taken
//! and recorded once, goals stay within limits, and whatever ends a run leaves the claw without torque.

mod support;

#[path = "support/rig.rs"]
mod emulated;

use emulated::EmulatedRig;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use support::{checkpoints, json, metrics, run, run_well, turnkey, words};
use turnkey::dataset::{self, Counts};

/// Twenty steps a second, short episodes from starts near each other.
const RIG: &str = r#"
[run]
mode = "asynchronous"
steps = 45
warmup_steps = 20
evaluation_period = 1000
final_episodes = 1
checkpoint_period = 20
lateness_limit_secs = 60.0

[task]
name = "turn_random"
period_secs = 0.05
episode_steps = 15
start_valve = [-0.3, 0.3]

[twin]
period_secs = 0.05

[rig]
claw = "claw.toml"
reset_radians_per_sec = 4.0
person_secs = 60.0

[sac]
batch_size = 16
actor_hidden = [16, 16]
critic_hidden = [16, 16]
"#;

/// Bytes of a segment's header, of a row's numbers (22 seen, 9 of action, reward, 22 seen next), and of what follows them.
const HEADER: usize = 48;
const ROW: usize = 4 * (22 + 9 + 1 + 22) + 8;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rig.toml"), RIG).unwrap();
    folder
}

fn rows(folder: &Path) -> u64 {
    let bytes = fs::metadata(folder.join("runs/rig/replay/000000000000.rows")).map_or(0, |file| file.len() as usize);
    (bytes.saturating_sub(HEADER) / ROW) as u64
}

fn recorded(folder: &Path) -> Counts {
    dataset::check(&folder.join("datasets/rig")).unwrap()
}

fn start(folder: &Path, line: &str) -> Child {
    turnkey(folder, words(line)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn wait_for(child: &mut Child, what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        if let Some(status) = child.try_wait().unwrap() {
            let mut said = String::new();
            std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut said).unwrap();
            panic!("it ended ({status}) before {what}: {said}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_run_on_a_rig_takes_and_records_every_step_once_within_limits() {
    let folder = folder();
    let rig = EmulatedRig::new(folder.path(), |_| {});
    let said = run_well(folder.path(), &format!("train rig.toml --quiet --plant rig --port {}", rig.port));
    rig.expect_limp();
    assert!(said.out.contains("rig: joint age"), "{}", said.out);
    assert_eq!(rows(folder.path()), 45);
    let counts = recorded(folder.path());
    assert_eq!((counts.training_steps, counts.evaluation_steps), (45, 15));
    assert_eq!((counts.ended, counts.whole, counts.faults, counts.cut_off), (4, 4, 0, 0));
    for (servo, joint) in rig.joints().iter().zip(rig.config.joints()) {
        assert_eq!(servo.goals_refused, 0, "{servo:?}");
        let (low, high) = servo.goals_taken.expect("it was moved");
        let at = rig.config.joints().iter().position(|other| other.id == joint.id).unwrap();
        let limits = rig.config.limits();
        let ticks = |radians: f64| 2048.0 + radians / std::f64::consts::TAU * 4096.0;
        assert!(f64::from(low) >= ticks(limits.low()[at]) - 1.0, "{servo:?}");
        assert!(f64::from(high) <= ticks(limits.high()[at]) + 1.0, "{servo:?}");
    }
    let run = folder.path().join("runs/rig");
    let summary = json(&run.join("summary.json"));
    assert_eq!(summary["rig"]["steps"], 60);
    assert_eq!(summary["rig"]["goals_changed"], 0);
    assert!(summary["rig"]["cycle_p50_ms"].as_f64().unwrap() > 1.0, "{}", summary["rig"]);
    assert!(metrics(&run).iter().any(|line| line["kind"] == "rig" && line["hottest_celsius"].as_f64() > Some(10.0)));

    // The same policy, on both.
    let on_rig = run_well(folder.path(), "evaluate runs/rig --episodes 1 --plant rig");
    assert!(on_rig.out.contains("1 episodes"), "{}", on_rig.out);
    rig.expect_limp();
    run_well(folder.path(), "evaluate runs/rig --episodes 1");
}
