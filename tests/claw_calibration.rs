//! `turnkey claw calibrate`, with a pipe in a person's place and hands that move emulated servos.

#[path = "claw_commands/servos.rs"]
mod servos;
mod support;

use servos::{FILE, Servos, document};
use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::process::{Child, ChildStderr};
use support::{run_well, said, signal};
use turnkey_claw::{ClawConfig, Direction};
use turnkey_claw_emulator::{CLAW_IDS, ServoView};
use turnkey_core::JOINT_NAMES;
use turnkey_core::servo::RADIANS_PER_TICK;

/// A calibration that is under way.
struct Walk {
    child: Child,
    questions: Lines<BufReader<ChildStderr>>,
}

impl Walk {
    fn begin(servos: &Servos, line: &str) -> Self {
        let mut child = servos.start(line);
        let questions = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, questions }
    }

    /// Waits for a line that holds this, and gives it.
    fn wait_for(&mut self, text: &str) -> String {
        let mut heard = String::new();
        for line in self.questions.by_ref().map_while(Result::ok) {
            if line.contains(text) {
                return line;
            }
            heard = heard + &line + "\n";
        }
        panic!("expected {text:?}, heard\n{heard}");
    }

    fn answer(&mut self, text: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{text}").unwrap();
    }

    /// What it printed, and the rest of what it said, once it has ended.
    fn end(mut self) -> support::Said {
        drop(self.child.stdin.take());
        let rest: Vec<String> = self.questions.by_ref().map_while(Result::ok).collect();
        let mut said = said(self.child.wait_with_output().unwrap());
        said.err = rest.join("\n");
        said
    }
}

/// Where the ten servos' horns are, moved one at a time.
struct Hand<'a> {
    servos: &'a Servos,
    horns: [f64; 10],
}

impl Hand<'_> {
    fn put(&mut self, place: usize, angle: f64) {
        self.horns[place] = angle;
        self.servos.put(&self.horns);
        let ticks = 2048 + (angle / RADIANS_PER_TICK).round() as i32;
        let measures = |servo: &ServoView| (servo.present_position - ticks).abs() <= 1;
        self.servos.wait_for(CLAW_IDS[place], "this angle", measures);
    }
}

/// Servo 21 is at finger 0's base and servo 10 in its place; finger 1's top is mounted the other way round; zeros are off.
const PLACES: [usize; 9] = [4, 1, 2, 3, 0, 5, 6, 7, 8];
const REVERSED: usize = 5;
const ZERO: f64 = 0.2;

fn walk_through(walk: &mut Walk, servos: &Servos) {
    let mut hand = Hand { servos, horns: [0.0; 10] };
    walk.wait_for("hold the fingers");
    walk.answer("");
    for (joint, place) in PLACES.into_iter().enumerate() {
        let sign = if joint == REVERSED { -1.0 } else { 1.0 };
        let name = JOINT_NAMES[joint];
        for (question, angle) in [("put it to its zero", 0.0), ("to its low end", -0.4), ("to its high end", 1.0)] {
            walk.wait_for(&format!("{name}: {question}"));
            hand.put(place, ZERO + sign * angle);
            walk.answer("");
        }
        walk.wait_for(&format!("{name}: servo "));
    }
    walk.wait_for("valve: turn it to its zero");
    walk.answer("");
    walk.wait_for("valve: a quarter turn");
    hand.put(9, 1.5);
    walk.answer("");
}

#[test]
fn a_walk_through_the_joints_makes_a_file_that_the_servos_then_hold() {
    let servos = Servos::of_claw();
    let mut walk = Walk::begin(&servos, "calibrate --config mine.toml --json");
    walk_through(&mut walk, &servos);
    walk.wait_for("settings differ in the servos. Write them?");
    walk.answer("yes");
    let said = walk.end();
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let document = document(&said);
    assert!(document["written"] == true && document["in_servos"] == true, "{document}");

    let config = ClawConfig::load(&servos.folder().join("mine.toml")).unwrap();
    let raw = config.raw();
    let ids: Vec<u8> = raw.joint.iter().map(|joint| joint.id).collect();
    assert_eq!(ids, [21, 11, 12, 20, 10, 22, 30, 31, 32]);
    for (at, joint) in raw.joint.iter().enumerate() {
        let direction = if at == REVERSED { Direction::Reversed } else { Direction::Normal };
        // 0.2 rad are 130 ticks, and both ends lose the margin of 0.05 rad; bases keep their limits of 0.48 rad.
        assert_eq!((joint.direction, joint.homing_offset), (direction, -130), "{joint:?}");
        let high = if joint.name.ends_with("base") { 0.48 } else { 0.95 };
        assert!((joint.low + 0.35).abs() < 0.003 && (joint.high - high).abs() < 0.003, "{joint:?}");
    }
    assert_eq!(config.port(), servos.port);
    let said = run_well(servos.folder(), "claw doctor --config mine.toml");
    assert!(said.out.contains("nothing to mend"), "{}", said.out);
    servos.expect_limp();
    run_well(servos.folder(), "claw home --config mine.toml");
    servos.expect_limp();
}

#[test]
fn a_dry_run_writes_neither_the_file_nor_the_servos() {
    let servos = Servos::of_claw();
    let before = servos.eeprom();
    let mut walk = Walk::begin(&servos, "calibrate --dry-run --config mine.toml");
    walk_through(&mut walk, &servos);
    let said = walk.end();
    assert!(said.code == Some(0) && said.out.contains("nothing was written"), "{}{}", said.out, said.err);
    assert!(!servos.folder().join("mine.toml").exists());
    assert_eq!(servos.eeprom(), before);
}

#[test]
fn a_joint_that_makes_no_sense_is_asked_for_again_and_one_may_be_skipped() {
    let servos = Servos::of_claw();
    let mut walk = Walk::begin(&servos, "calibrate --dry-run --config mine.toml --no-valve");
    let mut hand = Hand { servos: &servos, horns: [0.0; 10] };
    walk.wait_for("hold the fingers");
    walk.answer("");
    walk.wait_for("finger_0/base: put it to its zero");
    walk.answer("");
    walk.wait_for("finger_0/base: to its low end");
    walk.answer("");
    walk.wait_for("move it further");
    for (question, angle) in [("put it to its zero", 0.0), ("to its low end", -0.4), ("to its high end", -0.6)] {
        walk.wait_for(&format!("finger_0/base: {question}"));
        hand.put(0, angle);
        walk.answer("");
    }
    walk.wait_for("expected its zero between its ends");
    for (at, name) in JOINT_NAMES.iter().enumerate() {
        // The first question of the first joint came right behind the reason.
        walk.wait_for(&format!("{name}: put it to its zero"));
        walk.answer(if at == 1 { "again" } else { "skip" });
        if at == 1 {
            walk.wait_for(&format!("{name}: to its low end"));
            walk.answer("again");
            walk.wait_for(&format!("{name}: put it to its zero"));
            walk.answer("skip");
        }
    }
    let said = walk.end();
    assert!(said.code == Some(0) && said.out.contains("nothing was written"), "{}{}", said.out, said.err);
}

#[test]
fn nobody_who_answers_a_signal_or_no_leave_to_overwrite_leaves_every_file_as_it_is() {
    let servos = Servos::of_claw();
    let mine = servos.folder().join("mine.toml");
    let walk = Walk::begin(&servos, "calibrate --config mine.toml");
    let said = walk.end();
    assert!(said.code == Some(1) && said.err.contains("got the end of the input; nothing was written"), "{}", said.err);
    let mut walk = Walk::begin(&servos, "calibrate --config mine.toml");
    walk.wait_for("hold the fingers");
    signal(&walk.child, libc::SIGINT);
    // It hears no more answers, so that its standard input stays open until it has ended.
    let mut rest = String::new();
    for line in walk.questions.by_ref().map_while(Result::ok) {
        rest += &line;
    }
    assert!(walk.child.wait().unwrap().code() == Some(1) && rest.contains("stopped before its end"), "{rest}");
    assert!(!mine.exists());
    let said = Walk::begin(&servos, "calibrate --config nowhere/mine.toml").end();
    assert!(said.code == Some(1) && said.err.contains("nowhere: expected a folder"), "{}", said.err);
    fs::copy(FILE, &mine).unwrap();
    let mut walk = Walk::begin(&servos, "calibrate --config mine.toml");
    walk.wait_for("is there already. Write over it at the end?");
    walk.answer("no");
    let mut out = String::new();
    walk.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    let said = walk.end();
    assert!(said.code == Some(1) && said.err.contains("--config"), "{out}{}", said.err);
    assert_eq!(fs::read(&mine).unwrap(), fs::read(FILE).unwrap());
}
