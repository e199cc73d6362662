//! The claw, on emulated servos.

mod support;

use std::time::{Duration, Instant};
use support::rig::{EmulatedRig, soon};
use turnkey_claw::{Bus, Claw, ClawConfig, ClawError, ControlTable, Enabled, OperatingMode, check, mend};
use turnkey_claw_emulator::{EmulatedServo, Fault};
use turnkey_core::servo::ServoName;
use turnkey_core::{JOINTS, JointGoal, JointLimits, Kind, ServoId};

fn enabled(rig: &EmulatedRig) -> Claw<Enabled> {
    Claw::open(&rig.config).unwrap().enable().unwrap()
}

/// A machine that is busy with other tests must not trip what is not under test.
fn patient(raw: &mut turnkey_claw::RawClawConfig) {
    raw.timing.watchdog_secs = 2.5;
    raw.timing.max_reading_age_secs = 2.0;
    raw.timing.home_secs = 30.0;
}

fn never() -> bool {
    false
}

fn goal(claw: &Claw<Enabled>, target: f64) -> JointGoal {
    claw.limits().clip(&[target; JOINTS], &[target; JOINTS])
}

/// Reads until the claw refuses; gives the error.
fn until_refused(claw: &mut Claw<Enabled>) -> ClawError {
    let by = Instant::now() + Duration::from_secs(20);
    loop {
        assert!(Instant::now() < by, "nothing was noticed");
        if let Err(error) = claw.read(soon()) {
            return error;
        }
    }
}

#[test]
fn joints_follow_goals_and_drop_leaves_them_limp() {
    let rig = EmulatedRig::new(patient);
    let mut claw = enabled(&rig);
    let reading = claw.read(soon()).unwrap();
    assert!(reading.positions.iter().all(|angle| angle.abs() < 0.01), "{reading:?}");
    let wanted = goal(&claw, 0.3);
    claw.write(&wanted).unwrap();
    let by = Instant::now() + Duration::from_secs(10);
    while !claw.read(soon()).unwrap().positions.iter().all(|angle| (angle - 0.3).abs() < 0.02) {
        assert!(Instant::now() < by);
    }
    let reading = claw.read(soon()).unwrap();
    assert!((reading.volts[0] - 12.0).abs() < 0.2 && reading.celsius[8] > 10.0, "{reading:?}");
    assert!(reading.valve.unwrap().angle.abs() < 0.01);
    drop(claw);
    rig.expect_limp();
}

#[test]
fn a_panic_leaves_the_claw_limp() {
    let rig = EmulatedRig::new(patient);
    let claw = enabled(&rig);
    rig.wait_for(10, "torque on", |servo| servo.torque_enabled);
    let thread = std::thread::spawn(move || {
        let _claw = claw;
        panic!("the control loop is wrong");
    });
    assert!(thread.join().is_err());
    rig.expect_limp();
}

#[test]
fn a_goal_made_with_other_limits_is_brought_within_the_claws_own() {
    let rig = EmulatedRig::new(patient);
    let mut claw = enabled(&rig);
    claw.read(soon()).unwrap();
    let wide = JointLimits::new([-3.0; JOINTS], [3.0; JOINTS], [f64::INFINITY; JOINTS]).unwrap();
    let wild = wide.clip(&[3.0; JOINTS], &[0.0; JOINTS]);
    let told = claw.write(&wild).unwrap();
    // A base is limited at 0.48 rad, the others are half a rad a step from where they were read.
    assert_eq!(told.radians()[0], 0.48);
    assert!((told.radians()[1] - 0.5).abs() < 0.01);
    rig.wait_for(10, "its goal", |servo| servo.goal_position == 2048 + 313);
    assert_eq!(rig.servo(10).goals_refused, 0);
}

#[test]
fn a_goal_without_a_recent_reading_releases_torque() {
    let rig = EmulatedRig::new(|raw| {
        patient(raw);
        raw.timing.max_reading_age_secs = 0.05;
    });
    let mut claw = enabled(&rig);
    claw.read(soon()).unwrap();
    std::thread::sleep(Duration::from_millis(60));
    let error = claw.write(&goal(&claw, 0.1)).unwrap_err();
    assert!(matches!(error, ClawError::Stale { .. }), "{error}");
    rig.expect_limp();
    assert!(
        matches!(claw.read(soon()), Err(ClawError::Released { .. })),
        "it stays released until somebody recovers it"
    );
}

#[test]
fn servos_stop_by_themselves_when_nobody_speaks() {
    let rig = EmulatedRig::new(|raw| {
        patient(raw);
        raw.timing.watchdog_secs = 0.2;
    });
    let mut claw = enabled(&rig);
    claw.read(soon()).unwrap();
    rig.wait_for(10, "a tripped watchdog", |servo| servo.watchdog_tripped);
    let error = claw.read(soon()).unwrap_err();
    assert!(error.to_string().contains("the bus was silent for"), "{error}");
    rig.expect_limp();
    let mut claw = claw.release().unwrap().restore().unwrap();
    claw.home(&never).unwrap();
    claw.read(soon()).unwrap();
    assert!(!rig.servo(10).watchdog_tripped && rig.servo(10).torque_enabled);
}

#[test]
fn a_servo_that_stops_answering_releases_the_others_and_is_named() {
    let rig = EmulatedRig::new(patient);
    let mut claw = enabled(&rig);
    rig.faults.inject(Fault::Missing(ServoId(21)));
    let error = until_refused(&mut claw);
    let said = error.to_string();
    assert!(said.contains("servos 21 do not confirm it") || said.contains("from 21"), "{said}");
    rig.expect_limp();
}

#[test]
fn an_overload_is_named_and_recovered_by_reboot_and_home() {
    let rig = EmulatedRig::new(patient);
    let mut claw = enabled(&rig);
    claw.read(soon()).unwrap();
    claw.write(&goal(&claw, 0.3)).unwrap();
    rig.faults.inject(Fault::Overload(ServoId(31)));
    let error = until_refused(&mut claw);
    assert!(
        error.to_string().contains("servo 31 (finger_2/middle): expected no hardware alert, got: overload"),
        "{error}"
    );
    assert_eq!(error.kind(), Kind::Retry);
    rig.expect_limp();
    let mut claw = claw.release().unwrap().restore().unwrap();
    claw.home(&never).unwrap();
    let reading = claw.read(soon()).unwrap();
    assert!(reading.positions.iter().all(|angle| angle.abs() < 0.1), "{reading:?}");
    assert!(rig.servo(31).boots >= 2);
}

#[test]
fn heat_needs_a_person() {
    let rig = EmulatedRig::new(patient);
    let mut claw = enabled(&rig);
    rig.faults.inject(Fault::Overheating(ServoId(12)));
    let error = until_refused(&mut claw);
    assert!(error.to_string().contains("servo 12 (finger_0/top)"), "{error}");
    assert_eq!(error.kind(), Kind::Stop);
    rig.expect_limp();
    let error = claw.release().unwrap().restore().unwrap_err();
    assert_eq!(error.kind(), Kind::Stop, "{error}");
    assert!(error.to_string().contains("cool down"), "{error}");
}

#[test]
fn a_servo_that_restarted_is_noticed_and_taken_back() {
    let rig = EmulatedRig::new(patient);
    let mut claw = enabled(&rig);
    rig.faults.inject(Fault::Reboot(ServoId(22)));
    let error = until_refused(&mut claw);
    assert_eq!(error.kind(), Kind::Retry, "{error}");
    rig.expect_limp();
    claw.release().unwrap().restore().unwrap().home(&never).unwrap();
    assert!(rig.servo(22).torque_enabled || rig.servo(22).boots >= 2);
}

#[test]
fn a_restart_between_two_readings_is_noticed_by_the_next_whichever_servo_it_is() {
    for id in [11, 22, 32] {
        let rig = EmulatedRig::new(patient);
        let mut claw = enabled(&rig);
        claw.read(soon()).unwrap();
        let before = rig.servo(id).boots;
        rig.faults.inject(Fault::Reboot(ServoId(id)));
        rig.wait_for(id, "a restart", |servo| servo.boots > before);
        std::thread::sleep(Duration::from_millis(300)); // it answers again
        let error = claw.read(soon()).unwrap_err();
        assert!(error.to_string().contains(&format!("servo {id}")), "{error}");
        rig.expect_limp();
    }
}

#[test]
fn a_valve_servo_that_restarted_is_told_its_speed_and_its_watchdog_before_it_turns() {
    let rig = EmulatedRig::new(patient);
    let mut claw = enabled(&rig);
    let valve = ServoId(40);
    let told = |claw: &mut Claw<_>| {
        let bus = claw.bus();
        (bus.read(valve, ControlTable::PROFILE_VELOCITY).unwrap(), bus.read(valve, ControlTable::BUS_WATCHDOG).unwrap())
    };
    let expected = told(&mut claw);
    let before = rig.servo(40).boots;
    rig.faults.inject(Fault::Reboot(valve));
    rig.wait_for(40, "a restart", |servo| servo.boots > before);
    std::thread::sleep(Duration::from_millis(300));
    assert_ne!(told(&mut claw), expected, "it has forgotten both");
    claw.turn_valve(1.0, Duration::from_secs(30), &never).unwrap();
    assert_eq!(told(&mut claw), expected);
}

#[test]
fn torque_that_somebody_left_on_is_off_even_where_the_claw_is_refused() {
    let config = EmulatedRig::new(patient).config.clone();
    let rig = EmulatedRig::with_servos(config, |emulated| emulated.servos[0].eeprom = vec![(63, 0)]);
    let mut bus = Bus::open(rig.config.port(), rig.config.baud()).unwrap();
    for id in [10, 21] {
        bus.write(ServoId(id), ControlTable::TORQUE_ENABLE, 1).unwrap();
    }
    drop(bus);
    let refused = Claw::open(&rig.config).unwrap_err().to_string();
    assert!(refused.contains("shutdown (register 63)"), "{refused}");
    rig.expect_limp();
}

#[test]
fn a_finger_that_is_held_for_too_long_releases_torque() {
    let rig = EmulatedRig::new(|raw| {
        patient(raw);
        raw.guard.amperes = 0.2;
        raw.guard.secs = 1.0;
    });
    let mut claw = enabled(&rig);
    claw.read(soon()).unwrap();
    rig.horns.lock().unwrap().block(4, true);
    let by = Instant::now() + Duration::from_secs(20);
    let error = loop {
        assert!(Instant::now() < by);
        if let Err(error) = claw.write(&goal(&claw, 0.4)).and_then(|_| claw.read(soon())) {
            break error;
        }
    };
    assert!(error.to_string().contains("servo 21 (finger_1/middle): expected a current of at most 0.20 A"), "{error}");
    rig.expect_limp();
}

#[test]
fn damaged_answers_are_asked_for_again() {
    let rig = EmulatedRig::new(patient);
    let mut claw = Claw::open(&rig.config).unwrap();
    rig.faults.inject(Fault::FlippedBytes(0.001));
    for _ in 0..30 {
        let reading = claw.read(soon()).unwrap();
        assert!(reading.positions.iter().all(|angle| angle.abs() < 0.01), "{reading:?}");
    }
}

#[test]
fn servos_that_are_not_as_configured_are_refused_and_mended() {
    let config = EmulatedRig::new(patient).config.clone();
    let rig = EmulatedRig::with_servos(config, |emulated| {
        emulated.servos[0].eeprom = vec![(9, 0), (20, 100), (63, 0)];
        emulated.servos[3] = EmulatedServo::new(ServoId(20), ServoName::Xh430V210, 1_000_000);
    });
    let said = Claw::open(&rig.config).unwrap_err().to_string();
    for word in [
        "servo 10 (finger_0/base): homing offset (register 20): expected 0, got 100",
        "servo 10 (finger_0/base): shutdown (register 63): expected 52, got 0",
        "servo 10 (finger_0/base): max position limit (register 48): expected 2361, got 4095",
        "servo 20 (finger_1/base): model: expected Xm430W210 (1030), got Xh430V210 (1050)",
    ] {
        assert!(said.contains(word), "expected {word:?} in\n{said}");
    }
    let mut bus = Bus::open(rig.config.port(), rig.config.baud()).unwrap();
    let report = check(&mut bus, &rig.config).unwrap();
    mend(&mut bus, &report.mends).unwrap();
    let left = check(&mut bus, &rig.config).unwrap();
    let findings: Vec<&str> = left.findings.iter().map(|finding| finding.what.as_str()).collect();
    assert_eq!(findings, ["model"], "the rest is mended");
}

#[test]
fn every_operating_mode_drives() {
    let rig = EmulatedRig::new(|raw| {
        patient(raw);
        raw.operating_mode = OperatingMode::CurrentBasedPosition;
        raw.guard.amperes = 1.0;
    });
    let mut claw = enabled(&rig);
    let current = claw.bus().read(ServoId(10), ControlTable::GOAL_CURRENT).unwrap();
    assert_eq!(current, 371, "1 A in units of 2.69 mA");
    claw.take_to(&[0.2; JOINTS], "a pose", Duration::from_secs(30), &never).unwrap();
}

#[test]
fn the_valve_turns_to_an_angle_over_several_turns_and_is_free_again() {
    let rig = EmulatedRig::new(patient);
    let mut claw = enabled(&rig);
    for step in 1..=6 {
        // A little more than a turn in all, each time less than half.
        let reading = claw.turn_valve(f64::from(step) * 1.2, Duration::from_secs(30), &never).unwrap();
        assert!((reading.angle - f64::from(step) * 1.2).abs() < 0.1, "{reading:?}");
    }
    rig.wait_for(40, "torque off", |servo| !servo.torque_enabled);
    assert!(rig.servo(40).present_position > 2048 + 4096, "turns are counted");
}

#[test]
fn a_stop_on_the_way_home_releases_torque() {
    let rig = EmulatedRig::new(patient);
    let mut claw = enabled(&rig);
    claw.take_to(&[0.4; JOINTS], "a pose", Duration::from_secs(30), &never).unwrap();
    let error = claw.home(&|| true).unwrap_err();
    assert!(matches!(error, ClawError::Stopped), "{error}");
    rig.expect_limp();
}

#[test]
fn homing_offset_and_direction_are_felt_in_radians() {
    let config = {
        let rig = EmulatedRig::new(|raw| {
            patient(raw);
            raw.joint[0].homing_offset = -200;
            raw.joint[1].direction = turnkey_claw::Direction::Reversed;
        });
        rig.config.clone()
    };
    // The horn of the first was mounted 200 ticks off.
    let rig = EmulatedRig::with_servos(config, |emulated| emulated.servos[0].zero_ticks = 2248);
    let mut claw = enabled(&rig);
    claw.take_to(&[0.3; JOINTS], "a pose", Duration::from_secs(30), &never).unwrap();
    let horns: Vec<f64> = {
        use turnkey_core::servo::ServoPhysics as _;
        let horns = rig.horns.lock().unwrap();
        (0..2).map(|index| horns.horn(index).position).collect()
    };
    assert!((horns[0] - 0.3).abs() < 0.1 && (horns[1] + 0.3).abs() < 0.1, "{horns:?}");
}

#[test]
fn a_claw_without_a_valve_servo_says_so() {
    let mut raw = EmulatedRig::new(patient).config.raw().clone();
    raw.valve = None;
    let config: ClawConfig = raw.check("claw.toml").unwrap();
    let rig = EmulatedRig::with_servos(config, |_| {});
    let mut claw = enabled(&rig);
    assert_eq!(claw.read(soon()).unwrap().valve, None);
    let error = claw.turn_valve(1.0, Duration::from_secs(1), &never).unwrap_err();
    assert!(matches!(error, ClawError::NoValve), "{error}");
}
