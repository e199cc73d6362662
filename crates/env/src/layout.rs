//! Where each number of an observation is: the one place that knows.

use std::ops::Range;
use turnkey_core::{FINGERS, JOINTS, JOINTS_PER_FINGER};

/// What is observed besides joint angles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The valve's angle.
    pub valve: bool,
    /// The action of the step before.
    pub last_action: bool,
    /// Target minus valve angle.
    pub error: bool,
    /// The target's angle.
    pub target: bool,
    /// The joint velocities.
    pub velocities: bool,
}

/// The places of an observation's parts. Angles of the valve enter as cosine and sine, never as a
/// wrapped angle, which would jump at its seam.
///
/// # Shapes
/// Joint angles `[9]` (rad), valve `[2]` (cosine, sine), last action `[9]`, error `[2]` (cosine, sine),
/// target `[2]` (cosine, sine), joint velocities `[9]` (over the task's `velocity_scale`), in this order,
/// those that are observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Joint angles, rad.
    pub positions: Range<usize>,
    /// Cosine and sine of the valve's angle.
    pub valve: Option<Range<usize>>,
    /// The action of the step before, zeros at first.
    pub last_action: Option<Range<usize>>,
    /// Cosine and sine of target minus valve angle.
    pub error: Option<Range<usize>>,
    /// Cosine and sine of the target's angle.
    pub target: Option<Range<usize>>,
    /// Joint velocities, scaled.
    pub velocities: Option<Range<usize>>,
    /// Numbers altogether.
    pub width: usize,
}

impl Layout {
    /// The layout that observes joint angles and these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let mut width = 0;
        let mut take = |count: usize| {
            width += count;
            width - count..width
        };
        let positions = take(JOINTS);
        let valve = parts.valve.then(|| take(2));
        let last_action = parts.last_action.then(|| take(JOINTS));
        let error = parts.error.then(|| take(2));
        let target = parts.target.then(|| take(2));
        let velocities = parts.velocities.then(|| take(JOINTS));
        Self { positions, valve, last_action, error, target, velocities, width }
    }

    /// The parts that hold one number a joint, finger by finger.
    pub fn by_joint(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        [Some(&self.positions), self.last_action.as_ref(), self.velocities.as_ref()].into_iter().flatten().cloned()
    }

    /// A name for each number, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![String::new(); self.width];
        let mut fill = |range: &Range<usize>, given: Vec<String>| names[range.clone()].clone_from_slice(&given);
        fill(&self.positions, joint_names("position"));
        for (range, name) in [(&self.valve, "valve"), (&self.error, "error"), (&self.target, "target")] {
            if let Some(range) = range {
                fill(range, vec![format!("{name}_cos"), format!("{name}_sin")]);
            }
        }
        if let Some(range) = &self.last_action {
            fill(range, joint_names("last_action"));
        }
        if let Some(range) = &self.velocities {
            fill(range, joint_names("velocity"));
        }
        names
    }
}

/// `prefix_finger_joint` for each joint, finger by finger, base first.
pub(crate) fn joint_names(prefix: &str) -> Vec<String> {
    let joints = ["base", "middle", "top"];
    debug_assert_eq!(joints.len(), JOINTS_PER_FINGER);
    (0..FINGERS).flat_map(|finger| joints.map(|joint| format!("{prefix}_{finger}_{joint}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_one_name_and_one_place() {
        for bits in 0..32 {
            let part = |i: u32| bits >> i & 1 > 0;
            let parts =
                Parts { valve: part(0), last_action: part(1), error: part(2), target: part(3), velocities: part(4) };
            let layout = Layout::new(parts);
            let mut names = layout.names();
            assert!(names.iter().all(|name| !name.is_empty()));
            names.sort();
            names.dedup();
            assert_eq!(names.len(), layout.width);
        }
    }

    #[test]
    fn the_full_layouts_have_22_and_31_numbers() {
        let parts = Parts { valve: true, last_action: true, error: true, ..Parts::default() };
        assert_eq!(Layout::new(parts).width, 22);
        assert_eq!(Layout::new(Parts { velocities: true, ..parts }).width, 31);
    }
}
