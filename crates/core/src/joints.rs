//! The nine joints, their limits, and the only way to a goal.

use serde::{Deserialize, Serialize};

/// Fingers of the claw.
pub const FINGERS: usize = 3;
/// Joints a finger: base, middle, top.
pub const JOINTS_PER_FINGER: usize = 3;
/// Joints of the claw, finger by finger, base first.
pub const JOINTS: usize = FINGERS * JOINTS_PER_FINGER;

/// The joints' names, in the order of [`JointVector`].
pub const JOINT_NAMES: [&str; JOINTS] = [
    "finger_0/base",
    "finger_0/middle",
    "finger_0/top",
    "finger_1/base",
    "finger_1/middle",
    "finger_1/top",
    "finger_2/base",
    "finger_2/middle",
    "finger_2/top",
];

/// One number a joint, finger by finger, base first.
pub type JointVector = [f64; JOINTS];

/// Joint angles (rad) that the servos may be told to reach. Made by [`JointLimits::clip`] alone, so a
/// goal that exists is inside the limits it was clipped to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct JointGoal(JointVector);

impl JointGoal {
    /// The goal of each joint, rad.
    #[must_use]
    pub fn radians(&self) -> &JointVector {
        &self.0
    }
}

/// Where joints may be told to go, and how far in one control period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "RawLimits")]
pub struct JointLimits {
    low: JointVector,
    high: JointVector,
    max_step: JointVector,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    low: JointVector,
    high: JointVector,
    max_step: JointVector,
}

impl TryFrom<RawLimits> for JointLimits {
    type Error = LimitsError;

    fn try_from(raw: RawLimits) -> Result<Self, LimitsError> {
        Self::new(raw.low, raw.high, raw.max_step)
    }
}

/// Limits that no goal could satisfy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LimitsError {
    /// A bound is not a number, infinite, or low is not below high.
    #[error("joint {joint}: expected finite limits with low < high (rad), got low {low} and high {high}")]
    Bounds {
        /// Index of the joint, 0 to 8.
        joint: usize,
        /// The lower limit given, rad.
        low: f64,
        /// The upper limit given, rad.
        high: f64,
    },
    /// The travel allowed in one period is not positive.
    #[error("joint {joint}: expected a travel a period above 0 rad, got {max_step}")]
    Travel {
        /// Index of the joint, 0 to 8.
        joint: usize,
        /// The travel given, rad.
        max_step: f64,
    },
}

impl JointLimits {
    /// Limits from lower and upper joint angles and the greatest travel of a goal away from the joint's
    /// present position in one control period (all rad; a travel of infinity sets no such limit).
    ///
    /// # Errors
    /// When a bound is not finite, a lower limit is not below its upper one, or a travel is not positive.
    pub fn new(low: JointVector, high: JointVector, max_step: JointVector) -> Result<Self, LimitsError> {
        for joint in 0..JOINTS {
            let (low, high, max_step) = (low[joint], high[joint], max_step[joint]);
            if !(low.is_finite() && high.is_finite() && low < high) {
                return Err(LimitsError::Bounds { joint, low, high });
            }
            if max_step.is_nan() || max_step <= 0.0 {
                return Err(LimitsError::Travel { joint, max_step });
            }
        }
        Ok(Self { low, high, max_step })
    }

    /// The goal nearest to `target` (rad) that lies within the limits and within one period's travel of
    /// `position` (rad). The limits win where both can't hold. A target that is not a number holds the
    /// joint where it is.
    #[must_use]
    pub fn clip(&self, target: &JointVector, position: &JointVector) -> JointGoal {
        JointGoal(std::array::from_fn(|i| {
            let here = if position[i].is_finite() { position[i] } else { 0.5 * (self.low[i] + self.high[i]) };
            let wanted = if target[i].is_nan() { here } else { target[i] };
            let near = wanted.clamp(here - self.max_step[i], here + self.max_step[i]);
            near.clamp(self.low[i], self.high[i])
        }))
    }

    /// Lower limits, rad.
    #[must_use]
    pub fn low(&self) -> &JointVector {
        &self.low
    }

    /// Upper limits, rad.
    #[must_use]
    pub fn high(&self) -> &JointVector {
        &self.high
    }

    /// Greatest travel a control period, rad.
    #[must_use]
    pub fn max_step(&self) -> &JointVector {
        &self.max_step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> JointLimits {
        JointLimits::new([-1.0; JOINTS], [1.0; JOINTS], [0.2; JOINTS]).unwrap()
    }

    #[test]
    fn a_goal_stays_within_limits_and_travel_whatever_is_asked() {
        let limits = limits();
        for target in [-1e9, -0.9, 0.0, 0.95, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            for position in [-3.0, -1.0, 0.0, 0.9, f64::NAN, f64::INFINITY] {
                for goal in limits.clip(&[target; JOINTS], &[position; JOINTS]).radians() {
                    assert!((-1.0..=1.0).contains(goal), "target {target} position {position} goal {goal}");
                }
            }
        }
        assert_eq!(limits.clip(&[0.9; JOINTS], &[0.5; JOINTS]).radians()[0], 0.7);
    }

    #[test]
    fn limits_that_nothing_satisfies_are_refused() {
        let zero = [0.0; JOINTS];
        assert!(matches!(JointLimits::new(zero, zero, [1.0; JOINTS]), Err(LimitsError::Bounds { joint: 0, .. })));
        assert!(matches!(JointLimits::new(zero, [1.0; JOINTS], zero), Err(LimitsError::Travel { .. })));
        assert!(JointLimits::new([f64::NAN; JOINTS], [1.0; JOINTS], [1.0; JOINTS]).is_err());
    }
}
