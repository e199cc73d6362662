//! A claw as its file describes it, and what makes it one that can be used.

use super::{ClawConfig, setting};
use crate::ClawError;
use crate::map::Direction;
use crate::register::{Baud, OperatingMode, WATCHDOG_UNIT_MS};
use serde::{Deserialize, Serialize};
use turnkey_core::servo::{ServoName, ServoSettings};
use turnkey_core::{JOINT_NAMES, JointLimits, JointVector, Radians};

/// A claw as its file describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawClawConfig {
    /// The adapter's port, such as /dev/ttyUSB0 or one in /dev/serial/by-id.
    pub port: String,
    /// Bits a second.
    pub baud: u32,
    /// What a servo's goals mean: `position`, or `current_based_position`.
    #[serde(default = "position")]
    pub operating_mode: OperatingMode,
    /// How long things may take.
    #[serde(default)]
    pub timing: RawTiming,
    /// Beyond what torque goes off.
    #[serde(default)]
    pub guard: Guard,
    /// Gains, profile and limits of every joint's servo, in registers' units.
    #[serde(default)]
    pub servo: ServoSettings,
    /// The nine joints, finger by finger, base first.
    pub joint: Vec<RawJoint>,
    /// The valve's own servo, where there is one.
    pub valve: Option<RawValve>,
}

fn position() -> OperatingMode {
    OperatingMode::Position
}

/// How long things may take, s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawTiming {
    /// A goal needs a reading no older than this.
    pub max_reading_age_secs: f64,
    /// Servos stop by themselves when they hear nothing for this long.
    pub watchdog_secs: f64,
    /// The joints must be home after this.
    pub home_secs: f64,
}

impl Default for RawTiming {
    fn default() -> Self {
        Self { max_reading_age_secs: 0.25, watchdog_secs: 0.5, home_secs: 10.0 }
    }
}

/// Beyond what torque goes off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Guard {
    /// Degrees C, in any reading.
    pub celsius: f64,
    /// Rad/s, for longer than `secs`.
    pub radians_per_sec: f64,
    /// A, for longer than `secs`. In current-based position mode the servos take no more by themselves.
    pub amperes: f64,
    /// How long velocity and current may be beyond their limits, s: a start is short, a finger that is stuck is not.
    pub secs: f64,
    /// How fast joints go home, rad/s.
    pub home_radians_per_sec: f64,
}

impl Default for Guard {
    fn default() -> Self {
        Self { celsius: 70.0, radians_per_sec: 9.0, amperes: 1.5, secs: 0.4, home_radians_per_sec: 0.5 }
    }
}

/// One joint as its file describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawJoint {
    /// One of [`JOINT_NAMES`], in that order.
    pub name: String,
    /// Its servo's id.
    pub id: u8,
    /// Its servo's model.
    pub model: ServoName,
    /// Which way its servo turns it.
    #[serde(default)]
    pub direction: Direction,
    /// What its servo adds to its encoder so that the joint's 0 rad is at tick 2048, ticks.
    #[serde(default)]
    pub homing_offset: i32,
    /// The least angle, rad.
    pub low: f64,
    /// The greatest angle, rad.
    pub high: f64,
    /// The furthest a goal may be from where the joint is, rad.
    pub max_step: f64,
    /// Where it rests, rad.
    #[serde(default)]
    pub home: f64,
}

/// The valve's servo as its file describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawValve {
    /// Its id.
    pub id: u8,
    /// Its model.
    pub model: ServoName,
    /// Which way it turns the valve.
    #[serde(default)]
    pub direction: Direction,
    /// What it adds to its encoder so that the valve's 0 rad is at tick 2048, ticks.
    #[serde(default)]
    pub homing_offset: i32,
    /// How fast it turns the valve, rad/s.
    pub radians_per_sec: f64,
}

impl RawClawConfig {
    /// As TOML.
    ///
    /// # Panics
    /// Never: strings, numbers and lists of them can always be written.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("strings and numbers can be written")
    }

    /// What is written, checked. `file` is for messages.
    ///
    /// # Errors
    /// When it says what can't be.
    pub fn check(self, file: &str) -> Result<ClawConfig, ClawError> {
        let refuse = |field: String, expected: String, found: String, fix: &'static str| {
            Err(ClawError::Config { file: file.into(), field, expected, found, fix })
        };
        let Some(baud) = Baud::with_rate(self.baud) else {
            let rates: Vec<String> = Baud::ALL.iter().map(|baud| baud.rate().to_string()).collect();
            return refuse(
                "baud".into(),
                format!("one of {}", rates.join(", ")),
                self.baud.to_string(),
                "`turnkey claw scan` says which",
            );
        };
        if self.operating_mode == OperatingMode::ExtendedPosition {
            let expected = "\"position\" or \"current_based_position\"".into();
            return refuse(
                "operating_mode".into(),
                expected,
                "\"extended_position\"".into(),
                "fingers turn less than once; the valve's servo has this mode by itself",
            );
        }
        let names: Vec<&str> = self.joint.iter().map(|joint| joint.name.as_str()).collect();
        if names != JOINT_NAMES {
            return refuse(
                "joint".into(),
                format!("[[joint]] for each of {}, in this order", JOINT_NAMES.join(", ")),
                names.join(", "),
                "see hardware/claw.toml",
            );
        }
        let mut ids: Vec<u8> =
            self.joint.iter().map(|joint| joint.id).chain(self.valve.as_ref().map(|valve| valve.id)).collect();
        ids.sort_unstable();
        if let Some(same) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return refuse(
                "id".into(),
                "an id for each servo alone".into(),
                format!("{} twice", same[0]),
                "`turnkey claw set-id` changes a servo's id",
            );
        }
        if let Some(id) = ids.iter().find(|id| **id > 252) {
            return refuse(
                "id".into(),
                "ids of 0 to 252".into(),
                id.to_string(),
                "`turnkey claw scan` says which there are",
            );
        }
        for (field, value, low, high) in self.numbers() {
            if !(low..=high).contains(&value) {
                return refuse(field, format!("{low} to {high}"), value.to_string(), "see hardware/claw.toml");
            }
        }
        let of = |value: fn(&RawJoint) -> f64| -> JointVector { std::array::from_fn(|i| value(&self.joint[i])) };
        let limits = match JointLimits::new(of(|j| j.low), of(|j| j.high), of(|j| j.max_step)) {
            Ok(limits) => limits,
            Err(e) => {
                return refuse(
                    "joint".into(),
                    "limits that goals can satisfy".into(),
                    e.to_string(),
                    "see hardware/claw.toml",
                );
            }
        };
        if let Some(joint) = self.joint.iter().find(|joint| !(joint.low..=joint.high).contains(&joint.home)) {
            return refuse(
                format!("{}: home", joint.name),
                format!("{} to {}", joint.low, joint.high),
                joint.home.to_string(),
                "rest within the limits",
            );
        }
        let joints = self.joint.iter().map(|joint| setting::of_joint(&self, joint)).collect();
        let valve = self.valve.as_ref().map(setting::of_valve);
        let watchdog_units = (self.timing.watchdog_secs * 1000.0 / f64::from(WATCHDOG_UNIT_MS)).round() as i8;
        Ok(ClawConfig { baud, joints, valve, limits, watchdog_units, raw: self })
    }

    /// Every number with its range.
    fn numbers(&self) -> Vec<(String, f64, f64, f64)> {
        let RawTiming { max_reading_age_secs, watchdog_secs, home_secs } = self.timing;
        let Guard { celsius, radians_per_sec, amperes, secs, home_radians_per_sec } = self.guard;
        let mut numbers = vec![
            ("timing.max_reading_age_secs".into(), max_reading_age_secs, 0.001, 10.0),
            // Register 98 counts 1 to 127 times 20 ms.
            ("timing.watchdog_secs".into(), watchdog_secs, 0.02, 2.54),
            ("timing.home_secs".into(), home_secs, 0.1, 600.0),
            ("guard.celsius".into(), celsius, 20.0, 80.0),
            ("guard.radians_per_sec".into(), radians_per_sec, 0.1, 30.0),
            ("guard.amperes".into(), amperes, 0.01, 5.0),
            ("guard.secs".into(), secs, 0.0, 10.0),
            ("guard.home_radians_per_sec".into(), home_radians_per_sec, 0.01, 5.0),
        ];
        for joint in &self.joint {
            // One turn, and what servos take as a homing offset in position mode: a quarter of one.
            let bound = Radians(std::f64::consts::PI).0;
            numbers.push((format!("{}: low", joint.name), joint.low, -bound, bound));
            numbers.push((format!("{}: high", joint.name), joint.high, -bound, bound));
            numbers.push((format!("{}: homing_offset", joint.name), joint.homing_offset.into(), -1024.0, 1024.0));
        }
        if let Some(valve) = &self.valve {
            numbers.push(("valve.radians_per_sec".into(), valve.radians_per_sec, 0.05, 10.0));
            numbers.push(("valve.homing_offset".into(), valve.homing_offset.into(), -1_044_479.0, 1_044_479.0));
        }
        numbers
    }
}
