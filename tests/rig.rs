//! Training on a rig, through the binary: its serial port leads to emulated servos that turn the twin. Every step is taken
//! and recorded once, goals stay within limits, and whatever ends a run leaves the claw without torque.

mod support;

#[path = "support/rig.rs"]
mod emulated;

use emulated::EmulatedRig;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};
use support::{LOG, checkpoints, json, metrics, row_count, run, run_well, signal, start, updates, wait_for};
use turnkey::dataset::{self, Counts};
use turnkey_claw_emulator::Fault;
use turnkey_core::ServoId;

/// What is tested here of it besides: what is refused before a run.
const FAULTS: &str = include_str!("../docs/faults.md");

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

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rig.toml"), RIG).unwrap();
    folder
}

fn rows(folder: &Path) -> u64 {
    row_count(&folder.join("runs/rig"), &LOG) as u64
}

fn recorded(folder: &Path) -> Counts {
    dataset::check(&folder.join("datasets/rig")).unwrap()
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
    assert_eq!(counts.training_steps, 45);
    // On a machine that is too busy to emulate servos in time, an episode ends by that, and is made up for.
    assert_eq!((counts.ended - counts.faults, counts.cut_off), (4, 0), "{counts:?} {}", said.err);
    assert!(counts.whole >= 3 && counts.evaluation_steps >= 15, "{counts:?}");
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

#[test]
fn what_was_learned_on_the_twin_goes_on_on_the_rig() {
    let folder = folder();
    let (before, rest) = RIG.split_once("[rig]").unwrap();
    let after = &rest[rest.find("[sac]").unwrap()..];
    fs::write(folder.path().join("twin.toml"), format!("{before}{after}").replace("asynchronous", "inline")).unwrap();
    run_well(folder.path(), "train twin.toml --quiet");
    let rig = EmulatedRig::new(folder.path(), |_| {});
    let train = format!("train rig.toml --quiet --init-from runs/twin --plant rig --port {}", rig.port);
    let said = run_well(folder.path(), &train);
    rig.expect_limp();
    let run = folder.path().join("runs/rig");
    assert_eq!(json(&run.join("run.json"))["init_from"], "runs/twin");
    assert_eq!((rows(folder.path()), recorded(folder.path()).training_steps), (45, 45), "{}", said.err);
    // It goes on with the twin's updates, one a step after the warm-up's on both.
    assert_eq!((updates(&folder.path().join("runs/twin")), updates(&run)), (25, 50));
    let evaluated = run_well(folder.path(), "evaluate runs/rig --episodes 1");
    assert!(evaluated.out.contains("at step 45"), "{}", evaluated.out);
}

#[test]
fn a_signal_leaves_the_claw_without_torque_and_a_killed_run_loses_nothing_but_its_episode() {
    let folder = folder();
    let rig = EmulatedRig::new(folder.path(), |raw| raw.timing.watchdog_secs = 0.5);
    let train = format!("train rig.toml --quiet --set run.steps=100000 --plant rig --port {}", rig.port);
    let mut child = start(folder.path(), &train);
    wait_for(&mut child, "rows are written", || rows(folder.path()) >= 20 && !rig.is_limp());
    signal(&child, libc::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    rig.expect_limp();
    assert_eq!(checkpoints(&folder.path().join("runs/rig")).last(), Some(&rows(folder.path())));

    // Nobody lets go for a killed process: each servo stops by itself.
    let before = rows(folder.path());
    let trips: Vec<u32> = rig.joints().iter().map(|servo| servo.watchdog_trips).collect();
    let mut child = start(folder.path(), &format!("{train} --resume"));
    wait_for(&mut child, "rows are added", || rows(folder.path()) >= before + 20 && !rig.is_limp());
    child.kill().unwrap();
    child.wait().unwrap();
    let by = Instant::now() + Duration::from_secs(5);
    while !rig
        .joints()
        .iter()
        .zip(&trips)
        .all(|(servo, before)| !servo.torque_enabled || servo.watchdog_trips > *before)
    {
        assert!(Instant::now() < by, "a servo goes on: {:?}", rig.joints());
    }
    let (kept, counts) = (rows(folder.path()), recorded(folder.path()));
    assert!(counts.cut_off <= 1 && counts.training_steps.abs_diff(kept) <= 2, "{kept} rows, {counts:?}");

    // It goes on where it was begun, without being told again.
    let last = kept + 20;
    let said = run_well(folder.path(), &format!("train rig.toml --quiet --resume --set run.steps={last}"));
    assert!(said.err.contains(&format!("at step {kept}")), "{}", said.err);
    assert_eq!(rows(folder.path()), last, "{} {}", said.out, said.err);
    rig.expect_limp();
    let elsewhere = run(folder.path(), "train rig.toml --resume --set run.steps=100000 --set rig.port=/dev/none");
    assert!(
        elsewhere.code != Some(0) && elsewhere.err.contains("/dev/none"),
        "what --set says of the rig counts: {}",
        elsewhere.err
    );
    let otherwise = run(folder.path(), "train rig.toml --resume --set run.steps=100000 --valve mark --camera c.toml");
    assert!(
        otherwise.code != Some(0) && otherwise.err.contains("rig.valve: what this run has learned from"),
        "{}",
        otherwise.err
    );
    let twin = run(folder.path(), "train rig.toml --resume --plant twin --set run.steps=100000");
    assert!(twin.code != Some(0) && twin.err.contains("begun on a rig"), "{}", twin.err);
}

#[test]
fn a_stop_from_another_terminal_interrupts_a_reset_too() {
    let folder = folder();
    let rig = EmulatedRig::new(folder.path(), |_| {});
    // So slow that resets take most of the time.
    let slow = "--set rig.reset_radians_per_sec=0.2 --set run.steps=100000";
    let mut child = start(folder.path(), &format!("train rig.toml --quiet {slow} --port {}", rig.port));
    wait_for(&mut child, "the claw is held", || !rig.is_limp());
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(rows(folder.path()), 0, "it is still on its way to the first start");
    let ordered = Instant::now();
    assert_eq!(run_well(folder.path(), "tell runs/rig emergency").out.trim(), "released");
    rig.expect_limp();
    // Most of it is the other process's start.
    assert!(ordered.elapsed() < Duration::from_secs(2), "{:?}", ordered.elapsed());
    run_well(folder.path(), "tell runs/rig resume");
    wait_for(&mut child, "the claw is held again", || !rig.is_limp());
    assert_eq!(run_well(folder.path(), "stop runs/rig").out.trim(), "released");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    rig.expect_limp();
}

#[test]
fn power_that_was_cut_while_a_run_rested_takes_a_second_word_before_anything_moves() {
    let folder = folder();
    let rig = EmulatedRig::new(folder.path(), |_| {});
    let mut child = start(folder.path(), &format!("train rig.toml --quiet --set run.steps=100000 --port {}", rig.port));
    wait_for(&mut child, "the claw is held", || !rig.is_limp());
    assert_eq!(run_well(folder.path(), "tell runs/rig emergency").out.trim(), "released");
    rig.faults.inject(Fault::BrownOut(0.0));
    std::thread::sleep(Duration::from_millis(500));
    rig.faults.clear();
    std::thread::sleep(Duration::from_millis(500)); // until the servos have booted
    let before = rows(folder.path());
    run_well(folder.path(), "tell runs/rig resume");
    std::thread::sleep(Duration::from_secs(2));
    assert!(rig.is_limp(), "it gave torque after all servos had restarted");
    run_well(folder.path(), "tell runs/rig resume");
    wait_for(&mut child, "it goes on", || rows(folder.path()) > before);
    assert_eq!(run_well(folder.path(), "stop runs/rig").out.trim(), "released");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_can_not_be_trained_on_a_rig_is_refused_with_the_fix_and_moves_nothing() {
    let folder = folder();
    let rig = EmulatedRig::new(folder.path(), |_| {});
    let text = fs::read_to_string(folder.path().join("claw.toml")).unwrap();
    let valve = text.find("[valve]").unwrap();
    fs::write(folder.path().join("valveless.toml"), &text[..valve]).unwrap();
    fs::write(folder.path().join("narrow.toml"), text.replace("low = -1.57", "low = -0.5")).unwrap();
    let port = &rig.port;
    let held = File::open(&rig.port).unwrap();
    for (name, line, expected) in [
        (
            "a run that takes turns with learning",
            format!("--port {port} --set run.mode=inline"),
            "--set run.mode=asynchronous",
        ),
        ("a port that is not there", "--port /nowhere".into(), "plug the adapter in"),
        ("a port that another program uses", format!("--port {port}"), "another program uses the port"),
        ("no file of the claw", format!("--port {port} --claw missing.toml"), "missing.toml"),
        (
            "a claw whose valve has no servo",
            format!("--port {port} --claw valveless.toml"),
            "add the servo to the bus and [valve]",
        ),
        (
            "servos set otherwise than the file says",
            format!("--port {port} --claw narrow.toml"),
            "expected the servos to be as configured",
        ),
        ("a setting out of range", format!("--port {port} --set rig.person_secs=-1"), "rig.person_secs"),
    ] {
        assert!(FAULTS.contains(&format!("| {name} |")), "docs/faults.md has no line for {name:?}");
        if name.contains("another program") {
            held.lock().unwrap();
        }
        let said = run(folder.path(), &format!("train rig.toml --quiet --plant rig {line}"));
        assert!(said.code != Some(0) && said.err.contains(expected), "{line}: {}", said.err);
        assert!(!folder.path().join("runs/rig").exists(), "{line}");
        held.unlock().unwrap();
    }
    let said = run(folder.path(), &format!("train rig.toml --quiet --plant twin --port {port}"));
    assert!(said.code != Some(0) && said.err.contains("expected --plant rig"), "{}", said.err);
    assert!(FAULTS.contains("| the valve's servo missing at the start |"));
    rig.faults.inject(Fault::Missing(ServoId(40)));
    let said = run(folder.path(), &format!("train rig.toml --quiet --plant rig --port {port}"));
    assert!(said.code != Some(0) && said.err.contains("valve") && said.err.contains("40"), "{}", said.err);
    assert!(rig.joints().iter().all(|servo| servo.goals_taken.is_none()), "{:?}", rig.joints());
}
