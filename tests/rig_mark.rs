//! Training on a rig whose valve has no servo, through the binary: nine emulated servos turn the twin, and the valve's angle comes
//! from its mark in the camera's frames.

mod support;

#[path = "support/rig.rs"]
mod emulated;

use emulated::EmulatedRig;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use support::{json, run, run_well, start, wait_for};
use turnkey::dataset::{self, Line, StepLine};
use turnkey_camera::{RawBuffer, StreamServer};
use turnkey_core::{FrameSize, wrap_angle};
use turnkey_picture::RawFormat;

const TABLE: &str = include_str!("../docs/faults.md");

/// Ten steps a second by position, short episodes, the target anywhere.
const RIG: &str = r#"
[run]
mode = "asynchronous"
steps = 40
warmup_steps = 1000
evaluation_period = 1000
final_episodes = 1
checkpoint_period = 20
lateness_limit_secs = 60.0

[task]
name = "turn_random"
episode_steps = 10
target.angle = [-3.14, 3.14]

[rig]
claw = "claw.toml"
camera = "camera.toml"
valve = "mark"
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
    // The default camera over an emulated claw, on a machine that is busy with other things.
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/hardware/emulated_camera.toml");
    let socket = folder.path().join("camera.socket");
    let camera = fs::read_to_string(file).unwrap();
    let camera = camera.replace("/tmp/turnkey-camera", socket.to_str().unwrap());
    fs::write(folder.path().join("camera.toml"), camera.replace("secs = 0.15", "secs = 0.4")).unwrap();
    folder
}

/// The steps of every recorded episode, in order.
fn episodes(folder: &Path) -> Vec<Vec<StepLine>> {
    let recorded = folder.join("datasets/rig");
    let last = dataset::check(&recorded).map_or(0, |counts| counts.last_episode);
    let steps = |number: u64| {
        let text = fs::read_to_string(recorded.join(format!("episode-{number:06}.jsonl"))).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Line>(line).unwrap());
        lines.filter_map(|line| if let Line::Step(step) = line { Some(*step) } else { None }).collect()
    };
    (1..=last).map(steps).collect()
}

fn training_steps(folder: &Path) -> u64 {
    dataset::check(&folder.join("datasets/rig")).map_or(0, |counts| counts.training_steps)
}

#[test]
fn a_run_by_the_mark_knows_where_the_valve_is_and_when_that_was_seen() {
    let folder = folder();
    let rig = EmulatedRig::seen(folder.path(), Some(&folder.path().join("camera.toml")), |raw| raw.valve = None);
    let said = run_well(folder.path(), &format!("train rig.toml --quiet --plant rig --port {}", rig.port));
    rig.expect_limp();
    assert_eq!(training_steps(folder.path()), 40, "{}", said.err);
    let figures = json(&folder.path().join("runs/rig/summary.json"))["rig"].clone();
    assert!(figures["picture_age_max_ms"].as_f64() > Some(0.0), "{figures}");
    let episodes = episodes(folder.path());
    let mut ways = Vec::new();
    for steps in &episodes {
        for two in steps.windows(2) {
            let [before, after] = [&two[0], &two[1]].map(|step| (step.valve.unwrap(), step.valve_stamp_secs.unwrap()));
            assert!((after.0 - before.0).abs() < 2.0, "turns are counted: {before:?} {after:?}");
            assert!(
                after.1 >= before.1 && (two[1].stamp_secs - after.1).abs() < 0.9,
                "{after:?} {}",
                two[1].stamp_secs
            );
            if after.1 > before.1 && after.1 - before.1 < 0.5 {
                let velocity = two[1].valve_velocity.unwrap();
                let difference = (after.0 - before.0) / (after.1 - before.1);
                assert!((velocity - difference).abs() < 1e-6, "{velocity} and {difference}");
            }
            ways.push((after.0 - before.0).abs());
        }
    }
    assert!(ways.iter().sum::<f64>() > 0.05, "random actions move the valve: {ways:?}");
    // It begins where it was left: where the last step saw it, but for what fingers did as they were let go of or went away.
    let starts = episodes.windows(2).filter_map(|two| Some((two[0].last()?.valve?, two[1].first()?.valve?)));
    let apart: Vec<f64> = starts.map(|(end, start)| wrap_angle(start - end).abs()).collect();
    assert!(apart.len() >= 3 && apart.iter().all(|apart| *apart < 1.6), "{apart:?}");
    let last = episodes.last().and_then(|steps| steps.last()).and_then(|step| step.valve).unwrap();
    let truth = rig.valve();
    assert!(wrap_angle(last - truth).abs() < 0.8, "seen at {last} rad, it is at {truth} rad");

    // The same policy where the valve is, and on the twin.
    run_well(folder.path(), "evaluate runs/rig --episodes 1 --plant rig");
    rig.expect_limp();
    run_well(folder.path(), "evaluate runs/rig --episodes 1");
}

/// Thousandths of a radian that stand for a mark that is covered, and for two marks.
const COVERED: i64 = i64::MAX;
const TWO: i64 = i64::MIN;

/// A camera that shows a valve as a test says. Its thread ends with the test's process.
struct Valve(Arc<AtomicI64>);

impl Valve {
    fn at(folder: &Path, angle: f64) -> Self {
        let valve = Self(Arc::default());
        valve.show(angle);
        let (told, socket) = (Arc::clone(&valve.0), folder.join("camera.socket"));
        std::thread::spawn(move || {
            let mut server = StreamServer::bind(&socket).unwrap();
            for sequence in 1.. {
                std::thread::sleep(Duration::from_millis(20));
                let size = FrameSize { width: 96, height: 96 };
                let bytes = drawn(told.load(Ordering::Relaxed));
                let captured = Instant::now();
                server.send(&RawBuffer { format: RawFormat::Rgb8, size, bytes, captured, sequence });
            }
        });
        valve
    }

    /// Has it there, rad.
    fn show(&self, angle: f64) {
        self.0.store((1000.0 * angle) as i64, Ordering::Relaxed);
    }

    fn show_no_angle(&self, what: i64) {
        self.0.store(what, Ordering::Relaxed);
    }
}

/// A grey picture with blots for marks.
fn drawn(what: i64) -> Vec<u8> {
    let angles = match what {
        COVERED => vec![],
        TWO => vec![0.0, 2.5],
        thousandths => vec![thousandths as f64 / 1000.0],
    };
    let mut bytes = vec![120; 3 * 96 * 96];
    for (at, pixel) in bytes.chunks_exact_mut(3).enumerate() {
        let [x, y] = [(at % 96) as f64 + 0.5 - 48.0, 48.0 - (at / 96) as f64 - 0.5];
        if angles.iter().any(|angle| (x - 22.0 * angle.cos()).hypot(y - 22.0 * angle.sin()) < 7.0) {
            pixel.copy_from_slice(&[12, 60, 210]);
        }
    }
    bytes
}

#[test]
fn without_the_mark_torque_goes_off_nothing_is_recorded_and_it_goes_on_once_it_is_seen() {
    let folder = folder();
    let rig = EmulatedRig::new(folder.path(), |raw| raw.valve = None);
    let valve = Valve::at(folder.path(), 1.0);
    let line = format!("train rig.toml --quiet --set run.steps=100000 --port {}", rig.port);
    let mut child = start(folder.path(), &line);
    for (name, what) in [("the valve's mark covered", COVERED), ("two marks in the picture", TWO)] {
        assert!(TABLE.contains(&format!("| {name} |")), "docs/faults.md has no line for {name:?}");
        let before = training_steps(folder.path());
        wait_for(&mut child, "steps are taken", || training_steps(folder.path()) >= before + 12 && !rig.is_limp());
        valve.show_no_angle(what);
        // A reset takes hold, looks, and lets go, until a person is asked.
        wait_for(&mut child, "a person is asked", || {
            let still = rig.is_limp();
            std::thread::sleep(Duration::from_millis(1500));
            still && rig.is_limp()
        });
        let still = training_steps(folder.path());
        std::thread::sleep(Duration::from_millis(600));
        assert_eq!(training_steps(folder.path()), still, "{name}: no step without the valve's angle");
        valve.show(1.0);
        run_well(folder.path(), "tell runs/rig resume");
    }
    let before = training_steps(folder.path());
    wait_for(&mut child, "steps are taken again", || training_steps(folder.path()) >= before + 12);
    assert_eq!(run_well(folder.path(), "stop runs/rig").out.trim(), "released");
    child.wait().unwrap();
    rig.expect_limp();
    for step in episodes(folder.path()).iter().flatten() {
        assert!((step.valve.unwrap() - 1.0).abs() < 0.05, "an angle that was not seen: {:?}", step.valve);
    }
}

#[test]
fn a_task_that_always_starts_from_one_angle_has_a_person_turn_the_valve_there() {
    let folder = folder();
    let rig = EmulatedRig::new(folder.path(), |raw| raw.valve = None);
    let valve = Valve::at(folder.path(), 2.0);
    let fixed = "--set task.name=turn_fixed --set task.target.angle=[3.14,3.14]";
    let mut child =
        start(folder.path(), &format!("train rig.toml --quiet {fixed} --set run.steps=100000 --port {}", rig.port));
    wait_for(&mut child, "the claw is held", || !rig.is_limp());
    wait_for(&mut child, "a person is asked", || rig.is_limp());
    std::thread::sleep(Duration::from_secs(1));
    assert!(rig.is_limp() && training_steps(folder.path()) == 0, "nobody has turned it");
    valve.show(0.05);
    run_well(folder.path(), "tell runs/rig resume");
    wait_for(&mut child, "an episode", || training_steps(folder.path()) >= 5);
    assert_eq!(run_well(folder.path(), "stop runs/rig").out.trim(), "released");
    let said = support::said(child.wait_with_output().unwrap());
    assert!(said.err.contains("expected it at 0.00 rad") && said.err.contains("turn it there by hand"), "{}", said.err);
    rig.expect_limp();
}

#[test]
fn what_can_not_be_known_by_the_mark_is_refused_with_the_fix() {
    let folder = folder();
    let rig = EmulatedRig::new(folder.path(), |raw| raw.valve = None);
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    let camera = fs::read_to_string(folder.path().join("camera.toml")).unwrap();
    write("markless.toml", camera[..camera.find("[mark]").unwrap()].to_owned());
    write("away.toml", camera.replace("look_at = [0.0, 0.0, 0.10]", "look_at = [5.0, 0.0, 0.10]"));
    write("blind.toml", RIG.replace("camera = \"camera.toml\"\n", ""));
    let claw = fs::read_to_string(folder.path().join("claw.toml")).unwrap();
    let servo =
        "[valve]\nid = 40\nmodel = \"xm430_w210\"\ndirection = \"normal\"\nhoming_offset = 0\nradians_per_sec = 2.0\n";
    write("ten.toml", format!("{claw}\n{servo}"));
    for (name, line, expected) in [
        ("a valve known by its mark and no camera's file", "blind.toml", "--camera hardware/camera.toml"),
        ("a camera's file that says nothing of the mark", "rig.toml --camera markless.toml", "copy [mark]"),
        ("a camera that doesn't see the valve", "rig.toml --camera away.toml", "the valve must be in the picture"),
        ("a valve with a servo that is to be known by its mark", "rig.toml --claw ten.toml", "leave out --valve mark"),
        ("a claw whose valve has no servo", "rig.toml --valve servo", "--valve mark --camera FILE"),
        (
            "a task that needs its valve turned back to many angles",
            "rig.toml --set task.name=turn_fixed --set task.target.angle=[3.14,3.14] --set task.start_valve=[-3.1,3.1]",
            "expected a task whose target is drawn anew",
        ),
    ] {
        assert!(TABLE.contains(&format!("| {name} |")), "docs/faults.md has no line for {name:?}");
        let said = run(folder.path(), &format!("train {line} --quiet --port {}", rig.port));
        assert!(said.code != Some(0) && said.err.contains(expected), "{line}: {}", said.err);
        assert!(!folder.path().join("runs/rig").exists(), "{line}");
    }
    assert!(rig.joints().iter().all(|servo| servo.goals_taken.is_none()), "{:?}", rig.joints());
}
