//! What servos turn.

use crate::Failure;
use std::sync::{Arc, Mutex, PoisonError};

/// Where a servo's horn is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Horn {
    /// Its angle, rad, counted over turns.
    pub position: f64,
    /// How fast it turns, rad/s.
    pub velocity: f64,
}

/// Whatever servos turn: torques in, positions and velocities out. Horns are numbered from 0, each with one servo.
pub trait ServoPhysics {
    /// How many horns there are.
    fn horns(&self) -> usize;

    /// The time that one [`ServoPhysics::advance`] takes, s: positive, and always the same.
    fn step_secs(&self) -> f64;

    /// Where a horn is now.
    ///
    /// # Panics
    /// When `index` is not below [`ServoPhysics::horns`].
    fn horn(&self, index: usize) -> Horn;

    /// Lets one step pass with these torques (N m) on the horns.
    ///
    /// # Errors
    /// When the physics can't go on.
    ///
    /// # Panics
    /// When there isn't one torque a horn.
    fn advance(&mut self, torques: &[f64]) -> Result<(), Failure>;
}

/// What somebody else looks at meanwhile: whoever takes pictures of it, say.
impl<P: ServoPhysics> ServoPhysics for Arc<Mutex<P>> {
    fn horns(&self) -> usize {
        self.lock().unwrap_or_else(PoisonError::into_inner).horns()
    }

    fn step_secs(&self) -> f64 {
        self.lock().unwrap_or_else(PoisonError::into_inner).step_secs()
    }

    fn horn(&self, index: usize) -> Horn {
        self.lock().unwrap_or_else(PoisonError::into_inner).horn(index)
    }

    fn advance(&mut self, torques: &[f64]) -> Result<(), Failure> {
        self.lock().unwrap_or_else(PoisonError::into_inner).advance(torques)
    }
}
