//! The twin as what servos turn.

use crate::{Actuation, Twin, TwinConfig, TwinError};
use turnkey_core::servo::{Horn, ServoPhysics};
use turnkey_core::{Failure, JOINTS, Plant as _, Start};

/// The twin moved by torques from outside: horns 0 to 8 are the claw's joints, horn 9 is the valve's, where that has a servo.
pub struct TwinHorns {
    twin: Twin,
    /// How many of them servos turn.
    count: usize,
}

impl TwinHorns {
    /// A twin at rest, at these angles. The configuration's actuation, limits and servo settings don't matter; its model,
    /// randomisation (drawn with the start's seed) and camera do.
    ///
    /// # Errors
    /// When the configuration can't be met, the model can't be loaded, or nothing starts at such angles.
    pub fn new(config: TwinConfig, start: &Start) -> Result<Self, TwinHornsError> {
        let mut twin = Twin::new(TwinConfig { actuation: Actuation::Servo, ..config })?;
        twin.reset(start)?;
        Ok(Self { twin, count: JOINTS + 1 })
    }

    /// The same with a valve that nothing turns but fingers: nine horns.
    #[must_use]
    pub fn without_valve_servo(self) -> Self {
        Self { count: JOINTS, ..self }
    }

    /// Where the valve is, whether it has a servo or not.
    #[must_use]
    pub fn valve(&self) -> Horn {
        let (.., (position, velocity)) = self.twin.motion();
        Horn { position, velocity }
    }

    /// The twin that is turned: what its camera sees, where its shapes are.
    pub fn twin(&mut self) -> &mut Twin {
        &mut self.twin
    }
}

/// Why servos have no twin to turn.
#[derive(Debug, thiserror::Error)]
pub enum TwinHornsError {
    /// There is no such twin.
    #[error(transparent)]
    Twin(#[from] TwinError),
    /// It can't start there.
    #[error(transparent)]
    Start(#[from] Failure),
}

impl ServoPhysics for TwinHorns {
    fn horns(&self) -> usize {
        self.count
    }

    fn step_secs(&self) -> f64 {
        crate::config::PHYSICS_STEP_SECS
    }

    fn horn(&self, index: usize) -> Horn {
        assert!(index < self.count, "one of {} horns", self.count);
        let (positions, velocities, _) = self.twin.motion();
        match index {
            JOINTS => self.valve(),
            _ => Horn { position: positions[index], velocity: velocities[index] },
        }
    }

    fn advance(&mut self, torques: &[f64]) -> Result<(), Failure> {
        assert_eq!(torques.len(), self.count, "one torque a horn");
        let joints = std::array::from_fn(|joint| torques[joint]);
        self.twin.turn(&joints, torques.get(JOINTS).copied().unwrap_or(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::servo::{Servo, ServoName, ServoState};
    use turnkey_core::{JointLimits, Reading};

    const START: Start = Start { joints: [0.1, -0.2, 0.2, 0.1, -0.2, 0.2, 0.1, -0.2, 0.2], valve: 0.3, seed: 4 };

    #[test]
    fn servos_outside_move_it_as_the_twins_own_do_to_the_bit() {
        let config = TwinConfig { actuation: Actuation::Servo, ..TwinConfig::default() };
        let mut twin = Twin::new(config.clone()).unwrap();
        twin.reset(&START).unwrap();
        let mut horns = TwinHorns::new(config, &START).unwrap();
        let servo = Servo::new(ServoName::Xm430W210);
        let mut states: Vec<_> = START.joints.iter().map(|angle| ServoState::holding(*angle)).collect();
        let goal = JointLimits::clip(twin.limits(), &[0.2; JOINTS], &START.joints);
        let mut reading: Option<Reading> = None;
        for _ in 0..3 {
            reading = Some(twin.step(&goal).unwrap());
            for _ in 0..twin.physics_steps_per_period() {
                let mut torques = [0.0; JOINTS + 1];
                for (joint, state) in states.iter_mut().enumerate() {
                    state.goal = goal.radians()[joint];
                    let horn = horns.horn(joint);
                    torques[joint] = servo.step(state, horns.step_secs(), horn.position, horn.velocity);
                }
                horns.advance(&torques).unwrap();
            }
        }
        let (positions, ..) = horns.twin.motion();
        assert_eq!(reading.unwrap().positions, positions.map(turnkey_core::servo::position_read));
    }

    #[test]
    fn a_torque_on_the_last_horn_turns_the_valve_until_it_is_taken_away() {
        let start = Start { joints: [0.0; JOINTS], valve: 0.0, seed: 0 };
        let mut horns = TwinHorns::new(TwinConfig::default(), &start).unwrap();
        let turn = |horns: &mut TwinHorns, torque: f64| {
            let mut torques = [0.0; JOINTS + 1];
            torques[JOINTS] = torque;
            (0..400).for_each(|_| horns.advance(&torques).unwrap());
            horns.horn(JOINTS)
        };
        let pushed = turn(&mut horns, 0.5);
        assert!(pushed.position > 0.1 && pushed.velocity > 0.1, "{pushed:?}");
        let left = turn(&mut horns, 0.0);
        assert!(left.velocity.abs() < 0.05, "{left:?}");
    }
}
