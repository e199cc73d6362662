//! The numbers of one episode's physics and senses.

use serde::{Deserialize, Serialize};
use turnkey_core::{JOINTS, JointVector};

/// The least factor on masses.
pub(crate) const LEAST_MASS_SCALE: f64 = 0.01;

/// Everything that an episode may draw anew. What an episode drew stays with its twin's saved state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dynamics {
    /// Sliding friction coefficient of fingertips and valve.
    pub sliding_friction: f64,
    /// Damping of each claw joint, N m s/rad.
    pub joint_damping: JointVector,
    /// Dry friction of each claw joint, N m.
    pub joint_frictionloss: JointVector,
    /// Damping of the valve, N m s/rad.
    pub valve_damping: f64,
    /// Dry friction of the valve, N m.
    pub valve_frictionloss: f64,
    /// Factor on each joint's gain.
    pub gain_scale: JointVector,
    /// Factor on mass and inertia of each joint's link, and of the valve last.
    pub mass_scale: [f64; JOINTS + 1],
    /// The claw's place beside its own, along x and y, m.
    pub mount_offset: [f64; 2],
    /// Time from a goal being given to the servos following it, s.
    pub latency_secs: f64,
    /// Standard deviation of the noise on each joint angle read, rad.
    pub joint_noise: f64,
    /// Standard deviation of the noise on the valve's angle read, rad.
    pub valve_noise: f64,
    /// The servos' supply, V.
    pub supply_volts: f64,
}

impl Dynamics {
    /// Whether physics can be done with these numbers, wherever they come from.
    pub(crate) fn check(&self) -> Result<(), String> {
        let vectors = [&self.joint_damping[..], &self.joint_frictionloss, &self.gain_scale, &self.mount_offset];
        let scalars = [
            self.sliding_friction,
            self.valve_damping,
            self.valve_frictionloss,
            self.latency_secs,
            self.joint_noise,
            self.valve_noise,
            self.supply_volts,
        ];
        let finite = vectors.into_iter().flatten().chain(&scalars).all(|number| number.is_finite());
        // MuJoCo ends the process when it meets a body without mass.
        let massive = self.mass_scale.iter().all(|scale| (LEAST_MASS_SCALE..1e6).contains(scale));
        if finite && massive { Ok(()) } else { Err("its dynamics are no numbers, or leave bodies without mass".into()) }
    }
}
