//! What goes wrong with a rig while it trains, thing by thing: what the program does about it, that the claw is without
//! torque or under control afterwards, and that nothing is recorded that did not happen. docs/faults.md is this table.

mod support;

#[path = "support/rig.rs"]
mod emulated;

use emulated::EmulatedRig;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{run_well, turnkey, words};
use turnkey::dataset::{self, Line};
use turnkey_claw_emulator::Fault;
use turnkey_core::ServoId;

const TABLE: &str = include_str!("../docs/faults.md");

/// Twenty steps a second; episodes so long that faults come within one.
const RIG: &str = r#"
[run]
mode = "asynchronous"
steps = 100_000
warmup_steps = 1_000_000
evaluation_period = 1_000_000
checkpoint_period = 1_000_000
final_episodes = 1
lateness_limit_secs = 60.0

[task]
name = "turn_random"
period_secs = 0.05
episode_steps = 60
start_valve = [-0.3, 0.3]

[twin]
period_secs = 0.05

[rig]
claw = "claw.toml"
reset_radians_per_sec = 4.0
person_secs = 300.0

[sac]
batch_size = 16
actor_hidden = [16, 16]
critic_hidden = [16, 16]
"#;

/// Bytes of a segment's header, and of a row: its numbers (22 seen twice, 9 of action, 2 more), and what follows them.
const HEADER: usize = 48;
const SEEN: usize = 4 * 22;
const ROW: usize = 4 * (2 * 22 + 9 + 2) + 8;

/// What the program does about a fault.
#[derive(Clone, Copy)]
enum Does {
    /// No step is lost.
    GoesOn,
    /// The episode ends; the claw is recovered for the next.
    Recovers,
    /// Torque is off until a person has put it right; it says this.
    Asks(&'static str),
    /// Either of the two: it depends on which answer was hit.
    RecoversOrAsks,
}

/// One line of the table.
struct Row {
    /// Its name there.
    name: &'static str,
    inject: fn(&Stage),
    /// What a person does about it.
    mend: fn(&Stage),
    does: Does,
}

/// A run in progress.
struct Stage {
    folder: tempfile::TempDir,
    rig: EmulatedRig,
    child: Mutex<Child>,
    said: Arc<Mutex<String>>,
}

impl Stage {
    /// One whose person is waited for so long.
    fn new(person_secs: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rig.toml"), RIG.replace("300.0", &format!("{person_secs}.0"))).unwrap();
        let rig = EmulatedRig::new(folder.path(), |_| {});
        let line = format!("train rig.toml --quiet --plant rig --port {}", rig.port);
        let mut child = turnkey(folder.path(), words(&line)).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::<Mutex<String>>::default();
        let (lines, hears) = (BufReader::new(child.stderr.take().unwrap()).lines(), said.clone());
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                *hears.lock().unwrap() += &(line + "\n");
            }
        });
        Self { folder, rig, child: Mutex::new(child), said }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn rows(&self) -> usize {
        let file = fs::metadata(self.path().join("runs/rig/replay/000000000000.rows"));
        file.map_or(0, |file| file.len() as usize).saturating_sub(HEADER) / ROW
    }

    /// What was said from this place on.
    fn said_since(&self, mark: usize) -> String {
        self.said.lock().unwrap()[mark..].to_owned()
    }

    fn mark(&self) -> usize {
        self.said.lock().unwrap().len()
    }

    fn wait_for(&self, what: &str, condition: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(90);
        while !condition() {
            let ended = self.child.lock().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "never: {what} ({ended:?})\n{}", self.said_since(0));
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until an episode is going on.
    fn wait_for_steps(&self, what: &str) {
        let before = self.rows();
        self.wait_for(what, || self.rows() >= before + 4);
    }

    fn signal(&self, signal: libc::c_int) {
        // SAFETY: the process is our own child, which wasn't waited for yet.
        assert_eq!(unsafe { libc::kill(self.child.lock().unwrap().id() as libc::pid_t, signal) }, 0);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        drop(child.kill());
        drop(child.wait());
    }
}

fn nothing(_: &Stage) {}

/// Clears what was injected.
fn clear(stage: &Stage) {
    stage.rig.faults.clear();
}

/// Clears what was injected and switches the power off and on.
fn power_cycle(stage: &Stage) {
    stage.rig.faults.clear();
    stage.rig.faults.inject(Fault::BrownOut(0.0));
    std::thread::sleep(Duration::from_millis(300));
    stage.rig.faults.clear();
    std::thread::sleep(Duration::from_millis(300));
}

macro_rules! fault {
    ($fault:expr) => {
        |stage: &Stage| stage.rig.faults.inject($fault)
    };
}

/// A fault for a while, which mends itself.
macro_rules! passing {
    ($fault:expr, $millis:expr) => {
        |stage: &Stage| {
            stage.rig.faults.inject($fault);
            std::thread::sleep(Duration::from_millis($millis));
            stage.rig.faults.clear();
        }
    };
}

const ROWS: &[Row] = &[
    Row {
        name: "one byte in a thousand flipped",
        inject: passing!(Fault::FlippedBytes(0.001), 2000),
        mend: nothing,
        does: Does::GoesOn,
    },
    Row {
        name: "one byte in a thousand lost",
        inject: passing!(Fault::DroppedBytes(0.001), 2000),
        mend: nothing,
        does: Does::GoesOn,
    },
    Row {
        name: "answers 5 ms late",
        inject: passing!(Fault::Slow(Duration::from_millis(5)), 2000),
        mend: nothing,
        does: Does::GoesOn,
    },
    Row {
        name: "every tenth byte flipped for half a second",
        inject: passing!(Fault::FlippedBytes(0.1), 500),
        mend: nothing,
        does: Does::RecoversOrAsks,
    },
    Row {
        name: "answers 300 ms late",
        inject: fault!(Fault::Slow(Duration::from_millis(300))),
        mend: clear,
        does: Does::Asks("expected an answer"),
    },
    Row {
        name: "the bus silent for half a second",
        inject: passing!(Fault::BusSilent, 500),
        mend: nothing,
        does: Does::RecoversOrAsks,
    },
    Row {
        name: "the bus silent",
        inject: fault!(Fault::BusSilent),
        mend: clear,
        does: Does::Asks("switch the power off"),
    },
    Row {
        name: "a joint's servo that obeys and never answers",
        inject: fault!(Fault::Silent(ServoId(21))),
        mend: clear,
        does: Does::Asks("servos 21 do not confirm it"),
    },
    Row {
        name: "a joint's servo unplugged",
        inject: fault!(Fault::Missing(ServoId(12))),
        mend: clear,
        does: Does::Asks("servos 12 do not confirm it"),
    },
    Row {
        name: "the valve's servo unplugged",
        inject: fault!(Fault::Missing(ServoId(40))),
        mend: clear,
        does: Does::Asks("servos 40 do not confirm it"),
    },
    Row {
        name: "a joint's servo that restarts",
        inject: fault!(Fault::Reboot(ServoId(31))),
        mend: nothing,
        does: Does::RecoversOrAsks,
    },
    Row {
        name: "a joint's servo overloaded",
        inject: fault!(Fault::Overload(ServoId(22))),
        mend: nothing,
        does: Does::Recovers,
    },
    Row {
        name: "a joint's servo overheated",
        inject: fault!(Fault::Overheating(ServoId(30))),
        mend: power_cycle,
        does: Does::Asks("overheat"),
    },
    Row {
        name: "two servos with one id",
        inject: fault!(Fault::SharedId(ServoId(11), ServoId(12))),
        mend: clear,
        does: Does::Asks("servo"),
    },
    Row {
        name: "the supply at 9 V",
        inject: fault!(Fault::BrownOut(9.0)),
        mend: power_cycle,
        does: Does::Asks("voltage"),
    },
    Row {
        name: "the supply gone",
        inject: fault!(Fault::BrownOut(0.0)),
        mend: clear,
        does: Does::Asks("switch the power off"),
    },
    Row {
        name: "the power off for a second, and on",
        inject: |stage| {
            stage.rig.faults.inject(Fault::BrownOut(0.0));
            std::thread::sleep(Duration::from_secs(1));
            stage.rig.faults.clear();
        },
        mend: nothing,
        does: Does::Asks("power"),
    },
    Row {
        name: "the program stopped for two seconds",
        inject: |stage| {
            stage.signal(libc::SIGSTOP);
            std::thread::sleep(Duration::from_secs(2));
            stage.signal(libc::SIGCONT);
        },
        mend: nothing,
        does: Does::RecoversOrAsks,
    },
    Row {
        name: "an emergency stop from another terminal",
        inject: |stage| assert_eq!(run_well(stage.path(), "tell runs/rig emergency").out.trim(), "released"),
        mend: nothing,
        does: Does::Asks("resting at step"),
    },
    Row {
        name: "an episode discarded from another terminal",
        inject: |stage| drop(run_well(stage.path(), "tell runs/rig discard")),
        mend: nothing,
        does: Does::GoesOn,
    },
    Row {
        name: "no room for recorded episodes",
        inject: |stage| {
            let recorded = stage.path().join("datasets/rig");
            let next = dataset::check(&recorded).unwrap().last_episode + 1;
            (next..next + 3)
                .for_each(|n| symlink("/dev/full", recorded.join(format!("episode-{n:06}.jsonl"))).unwrap());
        },
        mend: |stage| {
            let recorded = stage.path().join("datasets/rig");
            for entry in fs::read_dir(recorded).unwrap().flatten() {
                if entry.path().is_symlink() {
                    fs::remove_file(entry.path()).unwrap();
                }
            }
        },
        does: Does::Asks("make room"),
    },
];

#[test]
fn after_each_fault_torque_is_off_or_control_is_regained_and_nothing_is_invented() {
    let stage = Stage::new(300);
    for Row { name, inject, mend, does } in ROWS {
        assert!(TABLE.contains(&format!("| {name} |")), "docs/faults.md has no line for {name:?}");
        stage.wait_for_steps(&format!("steps before {name}"));
        let mark = stage.mark();
        inject(&stage);
        let asked = || stage.said_since(mark).contains("resting at step");
        let recovered = || stage.said_since(mark).contains("recovered for the next one");
        match does {
            Does::GoesOn => {}
            Does::Recovers => stage.wait_for(&format!("recovery from {name}"), recovered),
            Does::RecoversOrAsks => stage.wait_for(&format!("something of {name}"), || asked() || recovered()),
            Does::Asks(expected) => {
                stage.wait_for(&format!("asking for {name}"), asked);
                let said = stage.said_since(mark);
                assert!(said.contains(expected), "{name}: {said}");
                let rows = stage.rows();
                std::thread::sleep(Duration::from_millis(300));
                assert_eq!(stage.rows(), rows, "{name}: it went on by itself");
            }
        }
        mend(&stage);
        // Mended or not, every servo that can is without torque while a person is waited for.
        if asked() {
            stage.rig.expect_limp();
            run_well(stage.path(), "tell runs/rig resume");
        }
        stage.wait_for_steps(&format!("steps after {name}"));
        if let Does::GoesOn = does {
            assert!(!asked(), "{name}: {}", stage.said_since(mark));
        }
    }
    stage.signal(libc::SIGTERM);
    let status = stage.child.lock().unwrap().wait().unwrap();
    assert_eq!(status.code(), Some(0), "{}", stage.said_since(0));
    stage.rig.expect_limp();
    expect_nothing_invented(&stage);
}

/// What ends a run, its exit status where it has one, and what it says.
type Ending = (&'static str, fn(&Stage), Option<i32>, &'static str);

const ENDINGS: &[Ending] = &[
    ("a request to end (SIGTERM)", |stage| stage.signal(libc::SIGTERM), Some(0), ""),
    ("the terminal closed (SIGHUP)", |stage| stage.signal(libc::SIGHUP), Some(0), ""),
    ("the program killed (SIGKILL)", |stage| stage.signal(libc::SIGKILL), None, ""),
    ("a crash (SIGABRT)", |stage| stage.signal(libc::SIGABRT), None, ""),
    ("a stop from another terminal", |stage| drop(run_well(stage.path(), "stop runs/rig")), Some(0), "emergency stop"),
    (
        "a servo unplugged and nobody there",
        |stage| stage.rig.faults.inject(Fault::Missing(ServoId(12))),
        Some(1),
        "nobody came within rig.person_secs = 1",
    ),
];

#[test]
fn whatever_ends_a_run_leaves_the_claw_stopped_and_the_run_resumable() {
    for (name, end, code, expected) in ENDINGS {
        assert!(TABLE.contains(&format!("| {name} |")), "docs/faults.md has no line for {name:?}");
        let stage = Stage::new(1);
        stage.wait_for_steps(&format!("steps before {name}"));
        end(&stage);
        let status = stage.child.lock().unwrap().wait().unwrap();
        assert_eq!(status.code(), *code, "{name}: {}", stage.said_since(0));
        if code.is_some() {
            stage.rig.expect_limp();
        } else {
            // Nobody could let go: the servos stop by themselves.
            let by = Instant::now() + Duration::from_secs(5);
            while !stage.rig.joints().iter().all(|servo| servo.watchdog_tripped || !servo.torque_enabled) {
                assert!(Instant::now() < by, "{name}: a servo goes on: {:?}", stage.rig.joints());
            }
        }
        std::thread::sleep(Duration::from_millis(100)); // until the last of what it said is read
        assert!(stage.said_since(0).contains(expected), "{name}: {}", stage.said_since(0));
        stage.rig.faults.clear();
        std::thread::sleep(Duration::from_millis(300)); // until a servo that was unplugged has booted
        let (kept, last) = (stage.rows(), stage.rows() + 5);
        let said = run_well(stage.path(), &format!("train rig.toml --quiet --resume --set run.steps={last}"));
        assert!(said.err.contains(&format!("at step {kept}")), "{name}: {}", said.err);
        assert_eq!(stage.rows(), last, "{name}");
        stage.rig.expect_limp();
    }
}

/// Every row of the log was recorded by the rig as a step, a whole period after the one before it; rows of an episode go on
/// from each other.
fn expect_nothing_invented(stage: &Stage) {
    let recorded = stage.path().join("datasets/rig");
    let counts = dataset::check(&recorded).unwrap();
    assert_eq!(counts.training_steps, stage.rows() as u64, "{counts:?}");
    for number in 1..=counts.last_episode {
        let text = fs::read_to_string(recorded.join(format!("episode-{number:06}.jsonl"))).unwrap();
        let mut last: Option<f64> = None;
        for line in text.lines().map(|line| serde_json::from_str::<Line>(line).unwrap()) {
            let Line::Step(step) = line else { continue };
            let since = last.map_or(1.0, |last| step.stamp_secs - last);
            assert!(since > 0.02, "episode {number}: a step of {since} s");
            last = Some(step.stamp_secs);
        }
    }
    let bytes = fs::read(stage.path().join("runs/rig/replay/000000000000.rows")).unwrap();
    let rows: Vec<&[u8]> = bytes[HEADER..].chunks_exact(ROW).collect();
    let next = ROW - 8 - SEEN;
    let ended = |row: &[u8]| row[ROW - 8..ROW - 4] != [0; 4];
    let breaks = rows.windows(2).filter(|two| !ended(two[0]) && two[0][next..next + SEEN] != two[1][..SEEN]).count();
    let broken = counts.last_episode - counts.whole;
    assert!(breaks as u64 <= broken, "{breaks} breaks in {broken} broken episodes");
}
