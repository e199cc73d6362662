//! What is known about one claw: `hardware/claw.toml`. [`RawClawConfig`] is what is written; [`ClawConfig`] is what
//! can be used, and only checking makes one.

mod raw;
mod setting;

use crate::map::JointMap;
use crate::register::{Baud, WATCHDOG_UNIT_MS};
use crate::{Bus, ClawError};
pub use raw::{Guard, RawClawConfig, RawJoint, RawTiming, RawValve};
pub use setting::Setting;
use std::path::Path;
use std::time::Duration;
use turnkey_core::servo::ServoModel;
use turnkey_core::{JointLimits, JointVector, ServoId};

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

#[cfg(test)]
mod tests;
