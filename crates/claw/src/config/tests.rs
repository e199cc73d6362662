use super::*;
use crate::{ControlTable as Table, Direction, OperatingMode};
use turnkey_core::Kind;

const EXAMPLE: &str = include_str!("../../../../hardware/claw.toml");

fn example() -> RawClawConfig {
    toml::from_str(EXAMPLE).unwrap()
}

fn refused(change: impl FnOnce(&mut RawClawConfig)) -> String {
    let mut raw = example();
    change(&mut raw);
    let error = raw.check("claw.toml").unwrap_err();
    assert_eq!(error.kind(), Kind::Stop);
    error.to_string()
}

#[test]
fn the_example_is_robels_claw() {
    let config = ClawConfig::parse(EXAMPLE, "hardware/claw.toml").unwrap();
    let ids: Vec<u8> = config.servos().map(|servo| servo.id.0).collect();
    assert_eq!(ids, [10, 11, 12, 20, 21, 22, 30, 31, 32, 40]);
    assert_eq!(config.watchdog(), Duration::from_millis(500));
    assert_eq!(config.watchdog_units, 25);
}

#[test]
fn what_is_written_is_read_back_the_same() {
    let raw = example();
    assert_eq!(toml::from_str::<RawClawConfig>(&raw.to_toml()).unwrap(), raw);
}

#[test]
fn servos_are_told_limits_in_ticks_whichever_way_they_turn() {
    let mut raw = example();
    raw.joint[0].direction = Direction::Reversed;
    raw.joint[0].high = 1.0;
    let config = raw.check("claw.toml").unwrap();
    let settings = &config.joints()[0].settings;
    assert!(settings.contains(&Setting::Long(Table::MIN_POSITION_LIMIT, 1396)), "{settings:?}");
    assert!(settings.contains(&Setting::Long(Table::MAX_POSITION_LIMIT, 2361)), "{settings:?}");
}

#[test]
fn where_the_servo_limits_current_it_is_told_how_much() {
    let mut raw = example();
    raw.operating_mode = OperatingMode::CurrentBasedPosition;
    raw.guard.amperes = 0.5;
    let settings = raw.check("claw.toml").unwrap().joints()[3].settings.clone();
    assert!(settings.contains(&Setting::SignedWord(Table::GOAL_CURRENT, 185)), "{settings:?}");
    assert!(!settings.iter().any(|setting| setting.item() == Table::MIN_POSITION_LIMIT.to_string()));
}

#[test]
fn what_cannot_be_is_refused_by_field_with_the_range() {
    for (said, words) in [
        (refused(|raw| raw.baud = 38_400), ["baud", "57600", "38400"]),
        (refused(|raw| raw.joint[4].id = 40), ["id", "40 twice", "set-id"]),
        (refused(|raw| raw.joint[4].id = 254), ["id", "0 to 252", "254"]),
        (refused(|raw| raw.joint[2].low = 2.0), ["joint 2", "low < high", "low 2"]),
        (refused(|raw| raw.joint[2].high = f64::NAN), ["finger_0/top: high", "-3.14", "NaN"]),
        (refused(|raw| raw.joint[2].home = 1.6), ["finger_0/top: home", "-1.57 to 1.57", "1.6"]),
        (refused(|raw| raw.joint[8].homing_offset = 1025), ["finger_2/top: homing_offset", "-1024 to 1024", "1025"]),
        (refused(|raw| raw.joint.swap(0, 1)), ["joint", "in this order", "finger_0/middle, finger_0/base"]),
        (refused(|raw| raw.joint.truncate(8)), ["joint", "finger_2/top", "fix:"]),
        (refused(|raw| raw.timing.watchdog_secs = 3.0), ["timing.watchdog_secs", "0.02 to 2.54", "3"]),
        (refused(|raw| raw.guard.secs = -1.0), ["guard.secs", "0 to 10", "-1"]),
        (
            refused(|raw| raw.operating_mode = OperatingMode::ExtendedPosition),
            ["operating_mode", "current_based", "less than once"],
        ),
    ] {
        for word in words {
            assert!(said.contains(word), "expected {word:?} in\n{said}");
        }
    }
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    for (from, to) in [("max_step", "max_stepp"), ("celsius", "fahrenheit"), ("watchdog_secs", "dog"), ("baud", "rate")]
    {
        let error =
            ClawConfig::parse(&EXAMPLE.replacen(&format!("\n{from}"), &format!("\n{to}"), 1), "my.toml").unwrap_err();
        let said = error.to_string();
        assert!(said.contains("my.toml") && said.contains(to) && said.contains("line "), "{said}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = ClawConfig::load(Path::new("/nowhere/claw.toml")).unwrap_err().to_string();
    assert!(
        said.contains("/nowhere/claw.toml") && said.contains("No such file") && said.contains("calibrate"),
        "{said}"
    );
}
