//! What a reading is worth.

use serde::{Deserialize, Serialize};
use turnkey_core::{JointVector, Reading, Terms};

/// The coefficients of a valve-turning reward,
///
/// `-distance |e| - pose ||q - q0|| - velocity ||v where |v| >= velocity_floor|| + bonuses`,
///
/// with `e` the angular error, `q` the joint angles, `q0` the claw's start and `v` the joint
/// velocities; both norms are Euclidean over the nine joints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RewardConfig {
    /// Cost of a radian of error.
    pub distance: f64,
    /// Cost of a radian away from the claw's start.
    pub pose: f64,
    /// Cost of a rad/s of joint velocity.
    pub velocity: f64,
    /// Joint velocity below which a joint costs nothing, rad/s.
    pub velocity_floor: f64,
    /// What is paid for being near; all that apply add up.
    pub bonuses: Vec<Bonus>,
}

/// Paid at each step whose error is small enough.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bonus {
    /// The absolute error below which it is paid, rad.
    pub within: f64,
    /// What is paid.
    pub reward: f64,
}

impl RewardConfig {
    /// The part that depends on the target: `-distance |e|` and the bonuses, at error `e` (rad, wrapped).
    #[must_use]
    pub fn of_error(&self, error: f64) -> f64 {
        self.of_distance(error) + self.of_nearness(error)
    }

    /// All parts, named, which add up to the reward.
    pub(crate) fn terms(&self, error: f64, reading: &Reading, pose: &JointVector) -> Terms {
        let away = norm(reading.positions.iter().zip(pose).map(|(q, q0)| q - q0));
        let speed = norm(reading.velocities.iter().copied().filter(|v| v.abs() >= self.velocity_floor));
        vec![
            ("distance", self.of_distance(error)),
            ("pose", 0.0 - self.pose * away),
            ("velocity", 0.0 - self.velocity * speed),
            ("bonus", self.of_nearness(error)),
        ]
    }

    fn of_distance(&self, error: f64) -> f64 {
        0.0 - self.distance * error.abs()
    }

    fn of_nearness(&self, error: f64) -> f64 {
        self.bonuses.iter().filter(|bonus| error.abs() < bonus.within).map(|bonus| bonus.reward).sum::<f64>() + 0.0
    }
}

/// Euclidean norm.
fn norm(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(|x| x * x).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TaskConfig, TaskName};
    use turnkey_core::{JOINTS, Stamp};

    fn reading() -> Reading {
        Reading {
            stamp: Stamp::default(),
            positions: [0.0; JOINTS],
            velocities: [0.0; JOINTS],
            torques: [0.0; JOINTS],
            valve: None,
            frame: None,
        }
    }

    #[test]
    fn the_published_reward_agrees_with_numbers_worked_by_hand() {
        let reward = TaskConfig::published(TaskName::TurnRandom).reward;
        let mut reading = reading();
        reading.positions[1] = 0.3;
        reading.positions[5] = -0.4;
        reading.velocities[0] = 0.3; // below the floor: free
        reading.velocities[2] = -0.6;
        reading.velocities[7] = 0.8;
        let sum = |error| reward.terms(error, &reading, &[0.0; JOINTS]).iter().map(|(_, x)| x).sum::<f64>();
        // -5 * 1 - 0.5 - 1.0
        assert!((sum(1.0) - -6.5).abs() < 1e-12);
        // -5 * 0.2 - 0.5 - 1.0 + 10
        assert!((sum(-0.2) - 7.5).abs() < 1e-12);
        // -5 * 0.05 - 0.5 - 1.0 + 10 + 50
        assert!((sum(0.05) - 58.25).abs() < 1e-12);
        // A bonus is for less than its bound, not for the bound itself.
        assert!((reward.of_error(0.25) - -1.25).abs() < 1e-12);
        // A velocity of exactly the floor does cost.
        reading.velocities = [0.0; JOINTS];
        reading.velocities[0] = 0.5;
        assert_eq!(reward.terms(1.0, &reading, &[0.0; JOINTS])[2], ("velocity", -0.5));
    }
}
