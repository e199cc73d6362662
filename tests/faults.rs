//! What goes wrong with a rig while it trains, thing by thing: what the program does about it, that the claw is without
//! torque or under control afterwards, and that nothing is recorded that did not happen. docs/faults.md is this table.

mod support;

#[path = "support/rig.rs"]
mod emulated;
#[path = "faults/stage.rs"]
mod stage;

use emulated::EmulatedRig;
use stage::Stage;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{LOG, TURNKEY, row_count, run_well};
use turnkey::config::Config;
use turnkey::dataset;
use turnkey::pace::Pace;
use turnkey::rig::Rig;
use turnkey_claw_emulator::Fault;
use turnkey_core::{Plant as _, ServoId, Start};

const TABLE: &str = include_str!("../docs/faults.md");

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
        name: "the valve held fast while it is reset",
        inject: |stage| stage.rig.hold_valve(true),
        mend: |stage| stage.rig.hold_valve(false),
        does: Does::Asks("times in a row"),
    },
    Row { name: "the adapter unplugged", inject: fault!(Fault::Unplugged), mend: clear, does: Does::Asks("port") },
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
    stage.expect_nothing_invented();
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
    (
        "the adapter unplugged and nobody there",
        |stage| stage.rig.faults.inject(Fault::Unplugged),
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
        if code.is_some() && !stage.rig.faults.active().contains(&Fault::Unplugged) {
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

#[test]
fn a_panic_lets_go_of_the_claw_on_its_way_out() {
    assert!(TABLE.contains("| a panic |"), "docs/faults.md has no line for a panic");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rig.toml"), stage::RIG).unwrap();
    let rig = EmulatedRig::new(folder.path(), |_| {});
    let (claw, port) = (folder.path().join("claw.toml"), &rig.port);
    let set = [format!("rig.claw={}", claw.display()), format!("rig.port={port}")];
    let config = Config::load(&folder.path().join("rig.toml"), &set).unwrap();
    let world = config.claw().unwrap().clone();
    let pace = Pace::new(Duration::from_secs_f64(world.task.period_secs));
    let mut plant = Rig::open(world.rig.as_ref().unwrap(), &world, &pace, Arc::new(|| false)).unwrap();
    let panics = std::thread::spawn(move || {
        let start = Start { joints: world.task.start_joints(), valve: 0.1, seed: 0 };
        let reading = plant.reset(&start).unwrap();
        let goal = plant.limits().clip(&reading.positions, &reading.positions);
        plant.step(&goal).unwrap();
        panic!("a test's, with the claw in hand");
    });
    let by = Instant::now() + Duration::from_secs(60);
    while rig.is_limp() {
        assert!(Instant::now() < by && !panics.is_finished(), "it never had torque");
    }
    assert!(panics.join().is_err());
    rig.expect_limp();
    assert!(rig.joints().iter().all(|servo| !servo.watchdog_tripped), "it was let go of, not left to the watchdogs");
}

#[test]
fn a_disk_full_of_the_runs_own_log_ends_it_with_torque_off_and_it_goes_on_elsewhere() {
    const NO_DISK: i32 = 99;
    assert!(TABLE.contains("| no room for the run's own log |"), "docs/faults.md has no line for it");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rig.toml"), stage::RIG).unwrap();
    fs::create_dir(folder.path().join("disk")).unwrap();
    let rig = EmulatedRig::new(folder.path(), |_| {});
    // Somebody else fills the disk once some thirty steps are on it.
    let script = format!(
        "mount -t tmpfs -o size=2m tmpfs disk || exit {NO_DISK}
        rows=disk/rig/replay/000000000000.rows
        (until [ $(stat -c %s $rows 2>/dev/null || echo 0) -gt 7000 ]; do sleep 0.1; done; cat /dev/zero > disk/filler) 2>/dev/null &
        {TURNKEY} train rig.toml --quiet --plant rig --port {} --runs-dir disk; code=$?
        wait; rm disk/filler; cp -r disk runs; exit $code",
        rig.port
    );
    let mut shell = Command::new("unshare");
    shell.args(["--map-root-user", "--mount", "sh", "-c", &script]).current_dir(folder.path());
    let said = match shell.output().map(support::said) {
        Ok(said) if said.code != Some(NO_DISK) && !said.err.starts_with("unshare: ") => said,
        _ => return println!("not tried: no small disk can be mounted here (unshare, tmpfs)"),
    };
    rig.expect_limp();
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("No space left on device") && said.err.contains("--resume goes on"), "{}", said.err);
    let run = folder.path().join("runs/rig");
    let (kept, recorded) = (row_count(&run, &LOG), dataset::check(&folder.path().join("datasets/rig")).unwrap());
    assert!(kept > 20 && recorded.training_steps >= kept as u64, "{kept} rows, {recorded:?}");
    let last = kept + 5;
    let said = run_well(folder.path(), &format!("train rig.toml --quiet --resume --set run.steps={last}"));
    assert!(said.err.contains("resuming rig at step"), "{}", said.err);
    assert_eq!(row_count(&run, &LOG), last);
    rig.expect_limp();
}
