//! What is known about one claw: `hardware/claw.toml`. [`RawClawConfig`] is what is written; [`ClawConfig`] is what
//! can be used, and only checking makes one.

mod setting;

use crate::map::{Direction, JointMap};
use crate::register::{Baud, OperatingMode, WATCHDOG_UNIT_MS};
use crate::{Bus, ClawError};
use serde::{Deserialize, Serialize};
pub use setting::Setting;
use std::path::Path;
use std::time::Duration;
use turnkey_core::servo::{ServoModel, ServoName, ServoSettings};
use turnkey_core::{JOINT_NAMES, JointLimits, JointVector, Radians, ServoId};

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

/// One servo and what it moves.
#[derive(Clone, Debug, PartialEq)]
pub struct ServoConfig {
    /// Its id.
    pub id: ServoId,
    /// What it moves.
    pub name: String,
    /// Its model.
    pub model: &'static ServoModel,
    /// Between its numbers and the joint's.
    pub map: JointMap,
    /// What it adds to its encoder, ticks.
    pub homing_offset: i32,
    /// What its control table should hold, so that all of this is true.
    pub settings: Vec<Setting>,
}

impl ServoConfig {
    /// Writes what it forgets where it loses power: such as how fast it may be.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub(crate) fn write_forgotten(&self, bus: &mut Bus) -> Result<(), ClawError> {
        self.settings.iter().filter(|setting| !setting.is_kept()).try_for_each(|setting| setting.write(bus, self.id))
    }
}

/// A claw that can be driven: nine joints whose limits some goal can satisfy, on a bus whose speed servos know.
#[derive(Clone, Debug, PartialEq)]
pub struct ClawConfig {
    pub(crate) raw: RawClawConfig,
    pub(crate) baud: Baud,
    pub(crate) joints: Vec<ServoConfig>,
    pub(crate) valve: Option<ServoConfig>,
    pub(crate) limits: JointLimits,
    pub(crate) watchdog_units: i8,
}

impl ClawConfig {
    /// Reads and checks a claw's file.
    ///
    /// # Errors
    /// When it can't be read, is not TOML, has a key that is unknown or missing, or says what can't be.
    pub fn load(path: &Path) -> Result<Self, ClawError> {
        let fail = |expected: &str, found: String, fix: &'static str| ClawError::Config {
            file: path.display().to_string(),
            field: "the file".into(),
            expected: expected.into(),
            found,
            fix,
        };
        let text = std::fs::read_to_string(path).map_err(|e| {
            fail(
                "a claw's description",
                e.to_string(),
                "copy hardware/claw.toml, or let `turnkey claw calibrate` write one",
            )
        })?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Checks a claw's description, of the file of this name.
    ///
    /// # Errors
    /// As [`ClawConfig::load`].
    pub fn parse(text: &str, file: &str) -> Result<Self, ClawError> {
        let raw: RawClawConfig = toml::from_str(text).map_err(|e| ClawError::Config {
            file: file.into(),
            field: "the file".into(),
            expected: "a claw's description in TOML".into(),
            found: e.to_string().trim_end().into(),
            fix: "see hardware/claw.toml for every key and its meaning",
        })?;
        raw.check(file)
    }

    /// The same claw on another port.
    #[must_use]
    pub fn with_port(mut self, port: &str) -> Self {
        port.clone_into(&mut self.raw.port);
        self
    }

    /// As it was written.
    #[must_use]
    pub fn raw(&self) -> &RawClawConfig {
        &self.raw
    }

    /// The adapter's port.
    #[must_use]
    pub fn port(&self) -> &str {
        &self.raw.port
    }

    /// The bus's speed.
    #[must_use]
    pub fn baud(&self) -> Baud {
        self.baud
    }

    /// The nine joints' servos.
    #[must_use]
    pub fn joints(&self) -> &[ServoConfig] {
        &self.joints
    }

    /// The valve's servo.
    #[must_use]
    pub fn valve(&self) -> Option<&ServoConfig> {
        self.valve.as_ref()
    }

    /// All servos, the valve's last.
    pub fn servos(&self) -> impl Iterator<Item = &ServoConfig> {
        self.joints.iter().chain(&self.valve)
    }

    /// Where joints may go.
    #[must_use]
    pub fn limits(&self) -> &JointLimits {
        &self.limits
    }

    /// Where joints rest, rad.
    #[must_use]
    pub fn home(&self) -> JointVector {
        std::array::from_fn(|i| self.raw.joint[i].home)
    }

    /// A goal needs a reading no older than this.
    #[must_use]
    pub fn max_reading_age(&self) -> Duration {
        Duration::from_secs_f64(self.raw.timing.max_reading_age_secs)
    }

    /// Servos stop by themselves when they hear nothing for this long.
    #[must_use]
    pub fn watchdog(&self) -> Duration {
        Duration::from_millis(u64::from(WATCHDOG_UNIT_MS) * self.watchdog_units.unsigned_abs() as u64)
    }

    /// The joints must be home after this.
    #[must_use]
    pub fn home_time(&self) -> Duration {
        Duration::from_secs_f64(self.raw.timing.home_secs)
    }
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

#[cfg(test)]
mod tests;
