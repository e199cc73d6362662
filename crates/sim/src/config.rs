//! What a twin is built from.

use crate::{CameraConfig, ConfigError, Randomisation, Range};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;
use std::time::Duration;
use turnkey_core::servo::{ServoName, ServoSettings};
use turnkey_core::{FINGERS, JOINTS, JOINTS_PER_FINGER, JointLimits, JointVector};

/// Time of one step of the physics, s; both models are published with it.
pub(crate) const PHYSICS_STEP_SECS: f64 = 0.0025;

/// A twin's settings. Every one has a default; an unknown one is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TwinConfig {
    /// Which model of the claw is simulated.
    pub model: ModelName,
    /// What moves the joints.
    pub actuation: Actuation,
    /// The control period, s: a whole number of physics steps of 0.0025 s.
    pub period_secs: f64,
    /// The servo that the servo model stands for, with `actuation = "servo"`.
    pub servo_model: ServoName,
    /// How that servo is set, in its registers' units; as it leaves the factory, if absent.
    pub servo: ServoSettings,
    /// Limits of goals. If absent, ROBEL's: base 0.48, middle pi/3, top pi/2 rad to either side of 0, and
    /// 2 pi/3 rad/s over one control period away from where the joint is.
    pub limits: Option<JointLimits>,
    /// What every episode draws anew; nothing, if absent.
    pub randomisation: Randomisation,
    /// What takes a picture for every reading; no pictures, if absent.
    pub camera: Option<CameraConfig>,
}

/// The models of the claw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelName {
    /// Our own, compiled in (`hardware/dclaw/dclaw.xml`).
    Turnkey,
    /// ROBEL's published one, from the files that `cargo xtask setup` fetches.
    Robel,
}

/// What moves the joints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actuation {
    /// ROBEL's position actuators: a spring of 2 N m/rad to the goal. The published benchmark.
    Position,
    /// The servo model of [`turnkey_core::servo`].
    Servo,
}

impl Default for TwinConfig {
    fn default() -> Self {
        Self {
            model: ModelName::Turnkey,
            actuation: Actuation::Position,
            period_secs: 0.1,
            servo_model: ServoName::Xm430W210,
            servo: ServoSettings::default(),
            limits: None,
            randomisation: Randomisation::default(),
            camera: None,
        }
    }
}

impl TwinConfig {
    /// The limits in force.
    ///
    /// # Errors
    /// As [`TwinConfig::check`].
    pub fn joint_limits(&self) -> Result<JointLimits, ConfigError> {
        self.physics_steps()?;
        Ok(self.limits.clone().unwrap_or_else(|| robel_limits(self.period_secs)))
    }

    /// The control period.
    ///
    /// # Errors
    /// As [`TwinConfig::check`].
    pub fn period(&self) -> Result<Duration, ConfigError> {
        self.physics_steps().map(|steps| Duration::from_secs_f64(PHYSICS_STEP_SECS) * steps)
    }

    /// Physics steps a control period.
    pub(crate) fn physics_steps(&self) -> Result<u32, ConfigError> {
        let steps = self.period_secs / PHYSICS_STEP_SECS;
        let whole = steps.round();
        if !((1.0..=4000.0).contains(&whole) && (steps - whole).abs() < 1e-6) {
            return Err(ConfigError::Number {
                field: "period_secs",
                expected: format!("a multiple of {PHYSICS_STEP_SECS} s, at most 10 s"),
                got: self.period_secs,
                fix: "0.1 is the published benchmark's",
            });
        }
        Ok(whole as u32)
    }

    /// Says whether a twin can be built from these settings.
    ///
    /// # Errors
    /// The first setting that is outside of what it may be, with what was expected, what it is, and the fix.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.physics_steps()?;
        for (field, range, bound) in self.randomisation.ranges() {
            let Range([low, high]) = range;
            if !(low.is_finite() && high.is_finite() && bound <= low && low <= high) {
                return Err(ConfigError::Range { field, bound, low, high });
            }
        }
        if self.actuation == Actuation::Position && self.randomisation.supply_volts.is_some() {
            return Err(ConfigError::NeedsServo { field: "supply_volts" });
        }
        self.camera.as_ref().map_or(Ok(()), CameraConfig::check)
    }
}

/// The range that ROBEL controls each joint in, and its speed limit over one control period, which must be
/// a checked one.
fn robel_limits(period_secs: f64) -> JointLimits {
    let mut high: JointVector = [0.0; JOINTS];
    for finger in 0..FINGERS {
        high[JOINTS_PER_FINGER * finger..][..JOINTS_PER_FINGER].copy_from_slice(&[0.48, PI / 3.0, PI / 2.0]);
    }
    let low = high.map(|angle| -angle);
    JointLimits::new(low, high, [2.0 * PI / 3.0 * period_secs; JOINTS])
        .expect("the bounds are constants, and a checked period is positive")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_published_benchmark() {
        let config = TwinConfig::default();
        config.check().unwrap();
        let limits = config.joint_limits().unwrap();
        assert_eq!(limits.high()[..3], [0.48, PI / 3.0, PI / 2.0]);
        assert!((limits.max_step()[0] - 0.209_439_5).abs() < 1e-6);
        assert_eq!(config.period().unwrap(), Duration::from_millis(100));
    }

    #[test]
    fn a_period_that_is_no_number_of_physics_steps_is_refused_with_a_fix() {
        for period_secs in [0.0, -0.1, 0.001, 0.1001, f64::NAN, f64::INFINITY, 1e9] {
            let error = TwinConfig { period_secs, ..TwinConfig::default() }.check().unwrap_err().to_string();
            assert!(error.contains("period_secs: expected a multiple") && error.contains("benchmark"), "{error}");
        }
    }

    #[test]
    fn a_range_the_wrong_way_round_is_refused() {
        let mut config = TwinConfig::default();
        config.randomisation.sliding_friction = Some(Range([0.3, 0.1]));
        assert!(config.check().unwrap_err().to_string().contains("sliding_friction"));
        config.randomisation.sliding_friction = Some(Range([f64::NAN, 0.1]));
        assert!(config.check().is_err());
    }
}
