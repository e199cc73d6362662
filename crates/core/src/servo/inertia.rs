//! Horns with nothing on them.

use super::{Horn, ServoPhysics};
use crate::Failure;

/// Inertia of a horn with a short link on it, kg m^2; friction that it turns against, N m and N m s/rad. About those
/// of a finger's joint.
const INERTIA: f64 = 0.002;
const DRY_FRICTION: f64 = 0.03;
const DAMPING: f64 = 0.01;
const STEP_SECS: f64 = 0.001;

/// Horns that nothing connects: each an inertia with friction, free to turn without end unless it is blocked.
#[derive(Clone, Debug, PartialEq)]
pub struct FreeHorns {
    horns: Vec<Horn>,
    blocked: Vec<bool>,
}

impl FreeHorns {
    /// Horns at rest at these angles, rad.
    #[must_use]
    pub fn at(positions: &[f64]) -> Self {
        let horns = positions.iter().map(|&position| Horn { position, velocity: 0.0 }).collect();
        Self { horns, blocked: vec![false; positions.len()] }
    }

    /// Holds a horn where it is, whatever the torque, or lets it go.
    ///
    /// # Panics
    /// When there is no horn with this index.
    pub fn block(&mut self, index: usize, blocked: bool) {
        self.blocked[index] = blocked;
        self.horns[index].velocity = 0.0;
    }
}

impl ServoPhysics for FreeHorns {
    fn horns(&self) -> usize {
        self.horns.len()
    }

    fn step_secs(&self) -> f64 {
        STEP_SECS
    }

    fn horn(&self, index: usize) -> Horn {
        self.horns[index]
    }

    fn advance(&mut self, torques: &[f64]) -> Result<(), Failure> {
        assert_eq!(torques.len(), self.horns.len(), "one torque a horn");
        let moving = self.horns.iter_mut().zip(&self.blocked).zip(torques).filter(|((_, blocked), _)| !**blocked);
        for ((horn, _), torque) in moving {
            let pushed = horn.velocity + torque / INERTIA * STEP_SECS;
            let damped = pushed / (1.0 + DAMPING / INERTIA * STEP_SECS);
            // Dry friction takes speed away, down to rest and no further.
            let most = DRY_FRICTION / INERTIA * STEP_SECS;
            horn.velocity = damped - damped.clamp(-most, most);
            horn.position += horn.velocity * STEP_SECS;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_horn_gains_speed_in_proportion_to_torque_and_comes_to_rest_without() {
        let mut horns = FreeHorns::at(&[0.5, 0.0]);
        horns.advance(&[0.13, 0.02]).unwrap();
        assert!((horns.horn(0).velocity - 0.1 / 0.002 * 0.001).abs() < 1e-3, "{:?}", horns.horn(0));
        assert_eq!(horns.horn(1), Horn::default(), "less than its friction");
        for _ in 0..1000 {
            horns.advance(&[0.0, 0.0]).unwrap();
        }
        assert_eq!(horns.horn(0).velocity, 0.0);
        assert!(horns.horn(0).position > 0.5);
    }

    #[test]
    fn a_blocked_horn_stays_where_it_is() {
        let mut horns = FreeHorns::at(&[0.5]);
        horns.block(0, true);
        horns.advance(&[3.0]).unwrap();
        assert_eq!(horns.horn(0), Horn { position: 0.5, velocity: 0.0 });
    }
}
