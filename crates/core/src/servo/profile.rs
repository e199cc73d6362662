//! The trapezoidal profile between goals.

use serde::{Deserialize, Serialize};

/// Where the profile is on its way to the goal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Profile {
    /// What the position loop follows, rad.
    pub(super) position: f64,
    /// How fast that moves, rad/s.
    pub(super) velocity: f64,
}

impl Profile {
    /// At rest at `position` (rad).
    pub(super) fn at(position: f64) -> Self {
        Self { position, velocity: 0.0 }
    }

    /// Moves on towards `goal` (rad) for `dt` seconds, no faster than `speed` (rad/s) and gaining or losing
    /// no more than `acceleration` (rad/s^2). A speed of 0 jumps to the goal; an acceleration of 0 jumps to
    /// the speed.
    pub(super) fn advance(&mut self, goal: f64, speed: f64, acceleration: f64, dt: f64) {
        let left = goal - self.position;
        if speed <= 0.0 || left == 0.0 && self.velocity == 0.0 {
            *self = Self::at(goal);
            return;
        }
        let wanted = if acceleration > 0.0 {
            // The greatest speed from which the rest of the way suffices to brake, in whole steps of `dt`.
            let braking = acceleration * (((dt / 2.0).powi(2) + 2.0 * left.abs() / acceleration).sqrt() - dt / 2.0);
            left.signum() * braking.min(speed)
        } else {
            left.signum() * speed
        };
        let gain = if acceleration > 0.0 { acceleration * dt } else { f64::INFINITY };
        self.velocity += (wanted - self.velocity).clamp(-gain, gain);
        let step = self.velocity * dt;
        let arrives = step.abs() >= left.abs() && step.signum() == left.signum();
        if arrives && self.velocity.abs() <= gain {
            *self = Self::at(goal);
        } else {
            self.position += step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(goal: f64, speed: f64, acceleration: f64, secs: f64) -> Vec<Profile> {
        let mut profile = Profile::at(0.0);
        let mut path = Vec::new();
        for _ in 0..(secs / 0.001).round() as usize {
            profile.advance(goal, speed, acceleration, 0.001);
            path.push(profile.clone());
        }
        path
    }

    #[test]
    fn without_a_speed_the_goal_is_there_at_once() {
        assert_eq!(run(0.7, 0.0, 5.0, 0.001)[0], Profile::at(0.7));
    }

    #[test]
    fn without_an_acceleration_the_speed_is_constant() {
        let path = run(1.0, 2.0, 0.0, 0.6);
        assert!((path[249].position - 0.5).abs() < 1e-9, "half way after a quarter of a second");
        assert_eq!(path[520], Profile::at(1.0));
    }

    #[test]
    fn a_trapezoid_takes_the_time_it_must_and_ends_at_rest_without_overshoot() {
        // 1 rad at 2 rad/s and 8 rad/s^2: 0.25 s up (0.25 rad), 0.25 s level (0.5 rad), 0.25 s down.
        let path = run(1.0, 2.0, 8.0, 1.0);
        assert!((path[249].velocity - 2.0).abs() < 0.02 && (path[249].position - 0.25).abs() < 0.01);
        assert!((path[499].position - 0.75).abs() < 0.01);
        assert!(path.iter().all(|at| at.position <= 1.0 + 1e-9 && at.velocity <= 2.0 + 1e-9));
        assert_eq!(path[780], Profile::at(1.0));
        assert!(path[..700].iter().all(|at| at.position < 1.0));
    }

    #[test]
    fn a_goal_that_moves_back_brakes_before_it_turns() {
        let mut profile = Profile { position: 0.0, velocity: 2.0 };
        let mut furthest: f64 = 0.0;
        for _ in 0..3000 {
            profile.advance(-0.5, 2.0, 8.0, 0.001);
            furthest = furthest.max(profile.position);
        }
        // v^2 / 2a = 0.25 rad of braking.
        assert!((furthest - 0.25).abs() < 0.005, "{furthest}");
        assert_eq!(profile, Profile::at(-0.5));
    }
}
