//! Units as types, so that ticks are never taken for radians.

use serde::{Deserialize, Serialize};
use std::{f64::consts::PI, fmt, time::Duration};

/// An angle in radians.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Radians(pub f64);

impl Radians {
    /// The same angle in [-pi, pi).
    #[must_use]
    pub fn wrapped(self) -> Self {
        Self(wrap_angle(self.0))
    }
}

impl fmt::Display for Radians {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} rad", self.0)
    }
}

/// `angle` (rad) brought into [-pi, pi).
#[must_use]
pub fn wrap_angle(angle: f64) -> f64 {
    (angle + PI).rem_euclid(2.0 * PI) - PI
}

/// A servo position as its encoder counts it: 4096 ticks a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticks(pub i32);

/// The id of a servo on its bus, 0 to 252.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServoId(pub u8);

/// When something was measured: time since the plant was started, by the plant's own clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(pub Duration);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_keeps_the_angle_and_meets_the_seam_once() {
        assert_eq!(wrap_angle(PI), -PI);
        assert_eq!(wrap_angle(-PI), -PI);
        for turns in -3..=3 {
            let angle = 1.25 + f64::from(turns) * 2.0 * PI;
            assert!((wrap_angle(angle) - 1.25).abs() < 1e-12);
        }
    }
}
