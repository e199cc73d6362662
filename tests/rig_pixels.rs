//! Training on a rig from pictures, through the binary: emulated servos turn the twin, and frames come over a socket, through
//! everything that a camera's go through.

mod support;

#[path = "support/rig.rs"]
mod emulated;

use emulated::EmulatedRig;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};
use support::{json, run, run_well, start, turnkey, wait_for, words};
use turnkey::dataset;
use turnkey_camera::{RawBuffer, StreamServer};
use turnkey_core::FrameSize;
use turnkey_picture::RawFormat;

const TABLE: &str = include_str!("../docs/faults.md");

/// Ten steps a second, short episodes, pictures of 32x32.
const RIG: &str = r#"
[run]
mode = "asynchronous"
steps = 30
warmup_steps = 10
evaluation_period = 1000
final_episodes = 1
checkpoint_period = 20
lateness_limit_secs = 60.0

[task]
name = "turn_fixed"
episode_steps = 10
start_valve = [2.9, 3.3]
sees = "pixels"
observe_error = false

[twin.camera]
size = { width = 32, height = 32 }

[rig]
claw = "claw.toml"
camera = "camera.toml"
reset_radians_per_sec = 4.0
person_secs = 60.0

[sac]
batch_size = 16
actor_hidden = [16, 16]
critic_hidden = [16, 16]
"#;

const CAMERA: &str = r#"
device = "socket:camera.socket"
format = "rgb24"
width = 64
height = 64
rate = 30
max_frame_age_secs = 0.4
output = { width = 32, height = 32 }

[watchdog]
stall_secs = 0.5
first_wait_secs = 0.05
longest_wait_secs = 0.2
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rig.toml"), RIG).unwrap();
    // The test's own folder is another than the program's.
    let socket = folder.path().join("camera.socket");
    let camera = CAMERA.replace("camera.socket", socket.to_str().unwrap());
    fs::write(folder.path().join("camera.toml"), camera).unwrap();
    folder
}

fn steps_recorded(folder: &Path) -> u64 {
    dataset::check(&folder.join("datasets/rig")).map_or(0, |counts| counts.training_steps)
}

#[test]
fn a_run_from_pictures_records_what_the_camera_saw_and_its_policy_runs_on_both() {
    let folder = folder();
    let rig = EmulatedRig::seen(folder.path(), Some(&folder.path().join("camera.toml")), |_| {});
    let said = run_well(folder.path(), &format!("train rig.toml --quiet --plant rig --port {}", rig.port));
    rig.expect_limp();
    assert!(said.out.contains("picture age"), "{}", said.out);
    let counts = dataset::check(&folder.path().join("datasets/rig")).unwrap();
    assert_eq!(counts.training_steps, 30, "{counts:?} {}", said.err);
    let figures = json(&folder.path().join("runs/rig/summary.json"))["rig"].clone();
    let of = |name: &str| figures[name].as_f64().unwrap();
    assert!(of("picture_age_max_ms") > 0.0 && of("picture_age_max_ms") <= 800.0, "{figures}");
    assert!(of("picture_skew_max_ms") > 0.0, "{figures}");

    // A frame for the beginning and one for each step; the mark is the only blue thing in them.
    let frames = fs::read(folder.path().join("datasets/rig/episode-000001.rgb")).unwrap();
    let text = fs::read_to_string(folder.path().join("datasets/rig/episode-000001.jsonl")).unwrap();
    let lines = text.lines().filter(|line| !line.contains("\"kind\":\"end\"")).count();
    let size = 32 * 32 * 3;
    assert_eq!(frames.len(), lines * size, "{lines} lines");
    for frame in frames.chunks_exact(size) {
        let blue = frame.chunks_exact(3).filter(|p| p[2] > 90 && p[0] < 70).count();
        assert!((3..200).contains(&blue), "{blue} blue pixels");
    }

    let on_rig = run_well(folder.path(), "evaluate runs/rig --episodes 1 --plant rig");
    assert!(on_rig.out.contains("1 episodes"), "{}", on_rig.out);
    rig.expect_limp();
    run_well(folder.path(), "evaluate runs/rig --episodes 1");

    // A person arranges what they are asked for, or leaves it out; the claw is without torque meanwhile.
    let line = "robustness runs/rig --plant rig --episodes 2 --families frame_blur,table_color --json";
    let mut command = turnkey(folder.path(), words(line));
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let (mut answers, mut said) = (child.stdin.take().unwrap(), BufReader::new(child.stderr.take().unwrap()));
    let mut asked = Vec::new();
    for answer in ["maybe\n", "\n", "s\n", "s\n"] {
        said.read_until(b':', &mut asked).unwrap();
        while !asked.ends_with(b"leave it out:") {
            assert_ne!(said.read_until(b':', &mut asked).unwrap(), 0, "{}", String::from_utf8_lossy(&asked));
        }
        assert!(rig.is_limp(), "torque while a person reaches in");
        answers.write_all(answer.as_bytes()).unwrap();
    }
    std::io::copy(&mut said, &mut std::io::sink()).unwrap();
    let done = support::said(child.wait_with_output().unwrap());
    rig.expect_limp();
    let asked = String::from_utf8(asked).unwrap();
    assert!(asked.contains("lay a plain cloth of another colour") && asked.contains("got \"maybe\""), "{asked}");
    let found: serde_json::Value = serde_json::from_str(&done.out).unwrap_or_else(|e| panic!("{e}: {}", done.out));
    let arms = found["arms"].as_array().unwrap();
    let of = |family: &str| arms.iter().filter(|arm| arm["family"] == family).count();
    assert_eq!((done.code, of("table_color"), of("frame_blur") > 0), (Some(0), 1, true), "{found}");
}

/// What a camera does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Shows {
    Pictures,
    /// It is there, and gives nothing.
    Nothing,
    /// It isn't there.
    Unplugged,
    /// Pictures of another size.
    OtherSize,
    /// Pictures without their end.
    CutShort,
    /// Pictures that were taken a second ago.
    Old,
}

const ALL: [Shows; 6] =
    [Shows::Pictures, Shows::Nothing, Shows::Unplugged, Shows::OtherSize, Shows::CutShort, Shows::Old];

/// What docs/faults.md calls them, all but the first.
const NAMES: [&str; 5] = [
    "a camera that gives nothing",
    "a camera unplugged",
    "frames of another size",
    "frames cut short",
    "frames taken a second ago",
];

/// A camera that a test has in hand. Its thread ends with the test's process.
struct Camera {
    shows: Arc<AtomicU8>,
}

impl Camera {
    fn at(folder: &Path) -> Self {
        let (shows, socket) = (Arc::new(AtomicU8::new(0)), folder.join("camera.socket"));
        let told = Arc::clone(&shows);
        std::thread::spawn(move || {
            let (mut server, mut sequence) = (None, 0);
            loop {
                std::thread::sleep(Duration::from_millis(20));
                let shows = ALL[usize::from(told.load(Ordering::Relaxed))];
                if shows == Shows::Unplugged {
                    server = None;
                    continue;
                }
                if server.is_none() {
                    server = StreamServer::bind(&socket).ok();
                }
                let Some(server) = &mut server else { continue };
                if shows == Shows::Nothing {
                    continue;
                }
                sequence += 1;
                let side = if shows == Shows::OtherSize { 60 } else { 64 };
                let mut bytes = vec![sequence as u8; side * side * 3];
                if shows == Shows::CutShort {
                    bytes.truncate(7000);
                }
                let size = FrameSize { width: side, height: side };
                let age = Duration::from_secs(u64::from(shows == Shows::Old));
                let captured = Instant::now() - age;
                server.send(&RawBuffer { format: RawFormat::Rgb8, size, bytes, captured, sequence });
            }
        });
        Self { shows }
    }

    fn show(&self, what: Shows) {
        self.shows.store(what as u8, Ordering::Relaxed);
    }
}

#[test]
fn without_a_good_picture_torque_goes_off_nothing_is_recorded_and_it_goes_on_once_there_is_one() {
    let folder = folder();
    let (rig, camera) = (EmulatedRig::new(folder.path(), |_| {}), Camera::at(folder.path()));
    let line =
        format!("train rig.toml --quiet --set run.steps=100000 --set run.warmup_steps=100000 --port {}", rig.port);
    let mut child = start(folder.path(), &line);
    for (fault, name) in ALL[1..].iter().zip(NAMES) {
        assert!(TABLE.contains(&format!("| {name} |")), "docs/faults.md has no line for {name:?}");
        let before = steps_recorded(folder.path());
        wait_for(&mut child, "steps are taken", || steps_recorded(folder.path()) >= before + 12 && !rig.is_limp());
        camera.show(*fault);
        std::thread::sleep(Duration::from_secs(1)); // twice as long as a frame may be old
        rig.expect_limp();
        let still = steps_recorded(folder.path());
        std::thread::sleep(Duration::from_millis(600));
        assert_eq!(steps_recorded(folder.path()), still, "{fault:?}: no step without a picture");
        camera.show(Shows::Pictures);
    }
    let before = steps_recorded(folder.path());
    wait_for(&mut child, "steps are taken again", || steps_recorded(folder.path()) >= before + 12);
    assert_eq!(run_well(folder.path(), "stop runs/rig").out.trim(), "released");
    child.wait().unwrap();
    rig.expect_limp();
    let counts = dataset::check(&folder.path().join("datasets/rig")).unwrap();
    assert!(counts.faults >= 3, "{counts:?}");
}

#[test]
fn what_a_policy_can_not_see_by_is_refused_with_the_fix() {
    let folder = folder();
    let rig = EmulatedRig::new(folder.path(), |_| {});
    let text = fs::read_to_string(folder.path().join("camera.toml")).unwrap();
    fs::write(folder.path().join("large.toml"), text.replace("width = 32, height = 32", "width = 48, height = 48"))
        .unwrap();
    let blind = RIG.replace("camera = \"camera.toml\"\n", "");
    fs::write(folder.path().join("blind.toml"), blind).unwrap();
    for (name, line, expected) in [
        ("a task in pixels and no camera's file", "blind.toml", "--camera hardware/camera.toml"),
        ("a camera's file that is not there", "rig.toml --camera missing.toml", "missing.toml"),
        (
            "frames of another size than the policy sees",
            "rig.toml --camera large.toml",
            "expected an output of 32x32, which the policy sees, got 48x48",
        ),
    ] {
        assert!(TABLE.contains(&format!("| {name} |")), "docs/faults.md has no line for {name:?}");
        let said = run(folder.path(), &format!("train {line} --quiet --port {}", rig.port));
        assert!(said.code != Some(0) && said.err.contains(expected), "{line}: {}", said.err);
    }
    assert!(rig.joints().iter().all(|servo| servo.goals_taken.is_none()), "{:?}", rig.joints());
}
