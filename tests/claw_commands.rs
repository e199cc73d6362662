//! The commands of `turnkey claw`, from outside, on emulated servos: what they do, what they refuse, and that nothing keeps
//! its torque.

#[path = "claw_commands/servos.rs"]
mod servos;
mod support;

use serde_json::{Value, json};
use servos::{FILE, Servos, document};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::time::Duration;
use support::{run, said, signal};
use turnkey_claw::ControlTable as Table;
use turnkey_claw_emulator::Fault;
use turnkey_core::ServoId;
use turnkey_core::servo::ServoName::{Xh430V210, Xm430W210};

const JOINTS: [u8; 9] = [10, 11, 12, 20, 21, 22, 30, 31, 32];

#[test]
fn scan_finds_every_servo_at_its_own_baud_rate() {
    let servos = Servos::from_factory(&[(1, Xm430W210, 57_600), (7, Xm430W210, 1_000_000), (8, Xh430V210, 1_000_000)]);
    let all = document(&servos.say_well("scan --json"));
    let found: Vec<(u64, u64, u64)> = all
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|at| at["servos"].as_array().unwrap().iter().map(move |one| (at, one)))
        .map(|(at, one)| (at["baud"].as_u64().unwrap(), one["id"].as_u64().unwrap(), one["model"].as_u64().unwrap()))
        .collect();
    assert_eq!(found, [(1_000_000, 7, 1030), (1_000_000, 8, 1050), (57_600, 1, 1030)]);
    assert_eq!(all.as_array().unwrap().len(), 8, "every baud rate is there");
    let said = servos.say_well("scan --baud 57600");
    assert!(said.out.contains("    1  xm430_w210         48\n"), "{}", said.out);
    servos.say_badly("scan --baud 115200", &["no answer at 115200 baud", "every baud rate is tried"]);
    servos.say_badly("scan --baud 38400", &["got 38400"]);
}

#[test]
fn scan_tells_two_servos_with_one_id_where_their_answers_differ() {
    let servos =
        Servos::from_factory(&[(3, Xm430W210, 1_000_000), (5, Xm430W210, 1_000_000), (5, Xh430V210, 1_000_000)]);
    let said = servos.say_badly("scan --baud 1000000 --json", &["damaged answers from 5", "set-id"]);
    let found = document(&said)[0]["servos"].clone();
    assert_eq!((&found[0]["id"], &found[0]["garbled"]), (&json!(3), &json!(false)));
    assert_eq!((&found[1]["id"], &found[1]["garbled"]), (&json!(5), &json!(true)));
    // Alike but for where they stand.
    let servos = Servos::from_factory(&[(5, Xm430W210, 1_000_000), (5, Xm430W210, 1_000_000)]);
    servos.put(&[0.3, -1.2]);
    servos.say_badly("scan --baud 1000000", &["damaged answers from 5"]);
    servos.say_badly("set-id 6 --baud 1000000", &["two servos have it"]);
}

#[test]
fn doctor_finds_nothing_on_servos_as_configured_and_mends_those_from_the_factory() {
    let servos = Servos::of_claw();
    let well = document(&servos.say_well("doctor --json"));
    assert_eq!((&well["fit"], &well["findings"]), (&json!(true), &json!([])));
    assert_eq!(well["servos"].as_array().unwrap().len(), 10);

    let servos = Servos::of_claw_but(|config| config.servos.iter_mut().for_each(|servo| servo.eeprom.clear()));
    let before = servos.eeprom();
    servos.say_badly("doctor", &["faults"]);
    let said = servos.say_badly("doctor --fix --dry-run", &["faults"]);
    assert!(said.out.contains("would write servo 10: return delay time (register 9) = 0"), "{}", said.out);
    assert_eq!(servos.eeprom(), before, "nothing was written yet");
    let fixed = document(&servos.say_well("doctor --fix --json"));
    assert!(
        fixed["written"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["id"] == 40 && one["item"] == "operating mode (register 11)")
    );
    assert_ne!(servos.eeprom(), before);
    assert!(servos.say_well("doctor").out.contains("nothing to mend"));
}

#[test]
fn doctor_names_a_silent_servo_a_wrong_model_and_an_alert_and_writes_nothing_under_torque() {
    let servos = Servos::of_claw_but(|config| {
        config.servos[3].model = Xh430V210;
        config.servos[3].eeprom.clear();
        config.servos[4].eeprom.clear();
    });
    servos.faults.inject(Fault::Missing(ServoId(11)));
    servos.faults.inject(Fault::Overload(ServoId(12)));
    servos.wait_for(12, "an alert", |servo| servo.hardware_error.0 != 0);
    let said = servos.say_badly("doctor", &["faults"]);
    for finding in [
        "servo 11 (finger_0/middle): answer: expected one, got none",
        "servo 12 (finger_0/top): hardware alert: expected none, got overload",
        "servo 20 (finger_1/base): model: expected Xm430W210 (1030), got Xh430V210 (1050)",
        "servo 21 (finger_1/middle): min position limit",
    ] {
        assert!(said.out.contains(finding), "expected {finding:?} in\n{}", said.out);
    }
    servos.write(&[21], Table::TORQUE_ENABLE, 1);
    let before = servos.servo(21);
    servos.say_badly("doctor --fix", &["servo 21: expected torque to be off", "turnkey claw release"]);
    assert!(before.torque_enabled && servos.servo(21).torque_enabled);
}

#[test]
fn servos_at_another_baud_rate_than_the_files_are_said_to_be_silent() {
    let servos = Servos::of_claw_but(|config| config.servos.iter_mut().for_each(|servo| servo.baud = 57_600));
    let said = servos.say_badly("doctor", &["10 faults"]);
    assert!(said.out.contains("turnkey claw scan"), "{}", said.out);
    servos.say_badly("home", &["answer: expected one, got none"]);
}

#[test]
fn release_switches_off_whoever_hears_and_names_who_does_not_confirm() {
    let servos = Servos::of_claw();
    servos.write(&JOINTS, Table::TORQUE_ENABLE, 1);
    let said = servos.say_well("release --dry-run");
    assert!(said.out.contains("would be switched off: servos 10, 11, 12, 20, 21, 22, 30, 31, 32\n"), "{}", said.out);
    assert!(servos.servo(10).torque_enabled);
    servos.faults.inject(Fault::Silent(ServoId(21)));
    servos.faults.inject(Fault::Overload(ServoId(30)));
    let said = servos.say_badly("release --json", &["servos 21 do not confirm", "switch the power off"]);
    assert_eq!(document(&said)["released"], json!([10, 11, 12, 20, 22, 30, 31, 32, 40]));
    servos.expect_limp();
    servos.faults.clear();
    assert!(servos.say_well("release").out.contains("torque is off: servos 10, 11, "));
}

#[test]
fn release_needs_no_readable_file_where_the_port_is_named() {
    let servos = Servos::from_factory(&[(3, Xm430W210, 1_000_000), (4, Xm430W210, 57_600)]);
    servos.write(&[3], Table::TORQUE_ENABLE, 1);
    servos.bus(57_600).write(ServoId(4), Table::TORQUE_ENABLE, 1).unwrap();
    fs::write(servos.folder().join("claw.toml"), "baud = \"fast").unwrap();
    let line = format!("claw release --json --config claw.toml --port {}", servos.port);
    let said = run(servos.folder(), &line);
    assert_eq!((said.code, &document(&said)["released"]), (Some(0), &json!([3, 4])), "{}", said.err);
    servos.expect_limp();
}

#[test]
fn monitor_shows_every_servo_and_changes_none() {
    let servos = Servos::of_claw();
    servos.write(&[11], Table::TORQUE_ENABLE, 1);
    let said = servos.say_well("monitor --json --seconds 0.5 --rate 20");
    let lines: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() >= 2, "{}", said.out);
    let servo = &lines[0]["servos"][1];
    assert_eq!((&servo["id"], &servo["name"], &servo["torque"]), (&json!(11), &json!("finger_0/middle"), &json!(true)));
    assert!(servos.servo(11).torque_enabled && !servos.servo(10).torque_enabled);
    assert_eq!(servos.servo(11).goals_taken, None);

    servos.faults.inject(Fault::Silent(ServoId(22)));
    let said = servos.say_badly("monitor --seconds 0.2", &["silence from 22"]);
    assert!(said.out.contains("   22  finger_1/top     silent"), "{}", said.out);
    servos.faults.clear();
    servos.faults.inject(Fault::Overload(ServoId(31)));
    servos
        .say_badly("monitor --seconds 0.2", &["servo 31 (finger_2/middle): overload; fix: see what holds the finger"]);
}

#[test]
fn monitor_ends_cleanly_on_ctrl_c() {
    let servos = Servos::of_claw();
    let mut child = servos.start(&format!("monitor --json --config {FILE}"));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("{\"seconds\":"));
    signal(&child, libc::SIGINT);
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn home_takes_the_joints_there_and_lets_go() {
    let servos = Servos::of_claw();
    servos.put(&[0.3, -0.4, 0.5, 0.0, 0.0, 0.0, -0.3, 0.2, 0.1, 2.0]);
    let said = servos.say_well("home --dry-run");
    assert!(said.out.contains("finger_0/top       +0.500  +0.000\n"), "{}", said.out);
    assert_eq!(servos.servo(12).goals_taken, None, "nothing moved");
    let joints = document(&servos.say_well("home --json"));
    for joint in joints.as_array().unwrap() {
        assert!(joint["position"].as_f64().unwrap().abs() < 0.07, "{joint}");
    }
    servos.expect_limp();
    assert!((servos.servo(12).present_position - 2048).abs() < 60);
    assert_eq!(servos.servo(40).goals_taken, None, "the valve stays where it is");
}

#[test]
fn ctrl_c_releases_torque_on_the_way_home_and_while_holding() {
    let servos = Servos::of_claw();
    servos.put(&[0.0, 1.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let child = servos.start(&format!("home --config {FILE}"));
    servos.wait_for(11, "torque and a goal on the way", |servo| {
        servo.torque_enabled && servo.goals_taken.is_some_and(|(low, _)| low < 2990)
    });
    signal(&child, libc::SIGINT);
    let said = said(child.wait_with_output().unwrap());
    assert!(said.code == Some(1) && said.err.contains("asked to stop on the way; torque is off"), "{}", said.err);
    servos.expect_limp();
    assert!(servos.servo(11).present_position > 2200, "it was on its way");

    servos.put(&[0.0; 10]);
    let child = servos.start(&format!("home --hold --config {FILE}"));
    servos.wait_for(32, "torque", |servo| servo.torque_enabled);
    std::thread::sleep(Duration::from_secs(1));
    assert!(JOINTS.iter().all(|id| servos.servo(*id).torque_enabled), "the watchdogs of half a second are fed");
    signal(&child, libc::SIGINT);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    servos.expect_limp();
}

#[test]
fn home_refuses_servos_that_are_not_as_the_file_says_and_never_gives_torque() {
    let servos = Servos::of_claw_but(|config| config.servos[2].eeprom.retain(|(address, _)| *address != 48));
    servos.say_badly(
        "home",
        &["servo 12 (finger_0/top): max position limit (register 48): expected 3072, got 4095", "doctor --fix"],
    );
    assert!(JOINTS.iter().all(|id| !servos.servo(*id).torque_enabled && servos.servo(*id).goals_taken.is_none()));
}

#[test]
fn reboot_clears_an_overload_and_tries_all_also_after_one_that_is_gone() {
    let servos = Servos::of_claw();
    servos.write(&JOINTS, Table::TORQUE_ENABLE, 1);
    servos.faults.inject(Fault::Overload(ServoId(12)));
    servos.wait_for(12, "an alert", |servo| servo.hardware_error.0 != 0);
    let said = servos.say_well("reboot --dry-run 12 20");
    assert_eq!(said.out, "servo 12: would be rebooted; alerts: overload\nservo 20: would be rebooted; alerts: none\n");
    assert_eq!(servos.servo(12).boots, 1);
    let said = servos.say_well("reboot 12 --json");
    assert_eq!(document(&said)[0], json!({"id": 12, "before": 32, "after": 0, "error": null}));
    assert_eq!((servos.servo(12).boots, servos.servo(20).boots), (2, 1));
    servos.faults.inject(Fault::Missing(ServoId(11)));
    servos.say_badly("reboot", &["silence from 11\n", "power and plugs"]);
    assert_eq!((servos.servo(10).boots, servos.servo(40).boots), (2, 2));
    servos.expect_limp();
}

#[test]
fn set_id_changes_one_servo_that_is_clearly_meant_and_limp() {
    let servos = Servos::from_factory(&[(1, Xm430W210, 57_600), (2, Xm430W210, 57_600)]);
    let before = servos.eeprom();
    servos.say_badly("set-id 10 --baud 57600", &["expected one servo alone, got answers from 1, 2"]);
    servos.say_badly("set-id 2 --id 1 --baud 57600", &["expected nobody to have id 2"]);
    servos.say_badly("set-id 10 --id 9 --baud 57600", &["expected servo 9, got 1 at 57600 baud, 2 at 57600 baud"]);
    servos.bus(57_600).write(ServoId(1), Table::TORQUE_ENABLE, 1).unwrap();
    servos.say_badly("set-id 10 --id 1 --baud 57600", &["expected torque to be off"]);
    servos.bus(57_600).write(ServoId(1), Table::TORQUE_ENABLE, 0).unwrap();
    let said = servos.say_well("set-id 10 --id 1 --baud 57600 --dry-run");
    assert_eq!(said.out, "servo 1 (xm430_w210) at 57600 baud would be servo 10 at 57600 baud\n");
    assert_eq!(servos.eeprom(), before, "nothing was written yet");
    let said = servos.say_well("set-id 10 --id 1 --json");
    assert_eq!(
        (&document(&said)["new_id"], &document(&said)["baud"]),
        (&json!(10), &json!(57_600)),
        "the rate is found"
    );
    let mut bus = servos.bus(57_600);
    assert!(bus.ping(ServoId(10)).is_ok() && bus.ping(ServoId(2)).is_ok() && bus.ping(ServoId(1)).is_err());
}

#[test]
fn set_baud_changes_one_servo_where_nobody_has_its_id_yet() {
    let servos = Servos::from_factory(&[(1, Xm430W210, 57_600), (1, Xh430V210, 115_200)]);
    let before = servos.eeprom();
    servos.say_badly("set-baud 115200 --baud 57600", &["expected nobody with id 1 at 115200 baud"]);
    servos.say_badly("set-baud 38400 --baud 57600", &["got 38400"]);
    servos.say_well("set-baud 1000000 --baud 57600 --dry-run");
    assert_eq!(servos.eeprom(), before, "nothing was written yet");
    let said = servos.say_well("set-baud 1000000 --baud 57600");
    assert_eq!(said.out, "servo 1 (xm430_w210) at 57600 baud is now servo 1 at 1000000 baud\n");
    assert_eq!(servos.bus(1_000_000).ping(ServoId(1)).unwrap().model, 1030);
    assert_eq!(servos.bus(115_200).ping(ServoId(1)).unwrap().model, 1050, "the other is where it was");
}

#[test]
fn a_file_that_is_none_is_refused_by_every_command_with_the_reason() {
    let servos = Servos::of_claw();
    fs::write(servos.folder().join("claw.toml"), "\u{0}\u{1}[[joint").unwrap();
    let text = fs::read_to_string(FILE).unwrap();
    fs::write(servos.folder().join("home.toml"), text.replacen("home = 0.0", "home = 9.0", 1)).unwrap();
    for command in ["doctor", "monitor", "reboot", "home", "calibrate --dry-run"] {
        for (file, reason) in [
            ("claw.toml", "expected a claw's description in TOML"),
            ("home.toml", "home: expected -0.48 to 0.48, got 9"),
            ("none.toml", "copy hardware/claw.toml"),
        ] {
            // Who calibrates needs no file.
            if !(command.starts_with("calibrate") && file == "none.toml") {
                let said = run(servos.folder(), &format!("claw {command} --config {file} --port {}", servos.port));
                assert!(said.code == Some(1) && said.err.contains(reason), "{command} {file}: {}", said.err);
            }
        }
    }
    let said = run(servos.folder(), "claw scan --port /dev/null/claw");
    assert!(said.code == Some(1) && said.err.contains("/dev/null/claw: expected a serial port"), "{}", said.err);
    servos.expect_limp();
}
