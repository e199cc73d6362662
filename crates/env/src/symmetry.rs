//! The claw's symmetries: three equal fingers around a valve of three equal lobes.

use crate::Layout;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;
use turnkey_core::{FINGERS, JOINTS_PER_FINGER};

/// One of the nine ways to turn the scene that leave its physics, error and reward alone.
///
/// Turning the whole claw by a third about the valve's axis puts each finger where another was:
/// finger 1's joints become finger 0's, 2's become 1's, 0's become 2's (fingers 0, 1 and 2 stand at
/// +60, -60 and 180 degrees). Turning the valve by a third, its target with it, puts each lobe where
/// another was. The second needs only equal lobes, so the two are free of each other.
///
/// Both are exact for the design. Published models round the fingers' angles by up to a degree, which
/// is how far apart a trajectory and its image start to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symmetry {
    /// Thirds that the fingers are turned by, 0 to 2.
    pub fingers: usize,
    /// Thirds that valve and target are turned by, 0 to 2.
    pub lobes: usize,
}

impl Symmetry {
    /// All nine, the identity first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..FINGERS).flat_map(|fingers| (0..FINGERS).map(move |lobes| Self { fingers, lobes }))
    }

    /// How far valve and target are turned, rad.
    #[must_use]
    pub fn valve_turn(self) -> f64 {
        self.lobes as f64 * 2.0 * PI / FINGERS as f64
    }

    /// Turns an observation, in place. The error it may hold stays as it is.
    pub fn turn_observation(self, observation: &mut [f32], layout: &Layout) {
        for range in layout.by_joint() {
            self.turn_joints(&mut observation[range]);
        }
        if let Some(valve) = &layout.valve {
            rotate(&mut observation[valve.clone()], self.valve_turn());
        }
    }

    /// Turns one number a joint, such as an action, in place.
    pub fn turn_joints<T>(self, joints: &mut [T]) {
        joints.rotate_left(self.fingers * JOINTS_PER_FINGER);
    }
}

/// Turns a direction (cosine, sine) by an angle (rad), in place.
pub(crate) fn rotate(direction: &mut [f32], by: f64) {
    if let [x, y] = direction {
        let ((sin, cos), (a, b)) = (by.sin_cos(), (f64::from(*x), f64::from(*y)));
        (*x, *y) = ((a * cos - b * sin) as f32, (a * sin + b * cos) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Parts;
    use turnkey_core::Rng;

    fn observation(layout: &Layout) -> Vec<f32> {
        let mut numbers = vec![0.0; layout.width];
        Rng::new(1, "test").fill_normal(&mut numbers);
        numbers
    }

    fn assert_near(a: &[f32], b: &[f32]) {
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6), "{a:?} {b:?}");
    }

    #[test]
    fn three_turns_are_none_and_two_turns_are_another_of_the_nine() {
        let layout =
            Layout::new(Parts { valve: true, last_action: true, error: true, target: false, velocities: true });
        let start = observation(&layout);
        for first in Symmetry::all() {
            let mut thrice = start.clone();
            (0..3).for_each(|_| first.turn_observation(&mut thrice, &layout));
            assert_near(&thrice, &start);
            for second in Symmetry::all() {
                let (mut twice, mut once) = (start.clone(), start.clone());
                first.turn_observation(&mut twice, &layout);
                second.turn_observation(&mut twice, &layout);
                let sum =
                    Symmetry { fingers: (first.fingers + second.fingers) % 3, lobes: (first.lobes + second.lobes) % 3 };
                sum.turn_observation(&mut once, &layout);
                assert_near(&twice, &once);
            }
        }
    }

    #[test]
    fn turning_the_fingers_gives_each_the_next_ones_joints() {
        let mut joints: [usize; 9] = std::array::from_fn(|joint| joint);
        Symmetry { fingers: 1, lobes: 0 }.turn_joints(&mut joints);
        assert_eq!(joints, [3, 4, 5, 6, 7, 8, 0, 1, 2]);
    }
}
