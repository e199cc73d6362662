//! Where a camera is, and how to move it.

use serde::{Deserialize, Serialize};
use turnkey_core::Camera;

/// Where a camera is and how it looks at the valve, in the words of `[twin.camera]`, so that the twin can see the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// Where it is, m, in the world: the valve turns about z, at x = y = 0.
    pub position: [f32; 3],
    /// What is in the middle of the whole picture, m.
    pub look_at: [f32; 3],
    /// The angle from the whole picture's lower edge to its upper one, degrees.
    pub vertical_fov_degrees: f32,
}

impl Default for View {
    /// Where the twin's camera is by default.
    fn default() -> Self {
        Self { position: [0.0, 0.0, 0.31], look_at: [0.0, 0.0, 0.10], vertical_fov_degrees: 58.0 }
    }
}

impl View {
    /// The camera.
    #[must_use]
    pub fn camera(&self) -> Camera {
        Camera::looking_at(self.position, self.look_at, self.vertical_fov_degrees.to_radians())
    }

    /// How far it is from what it looks at, m.
    #[must_use]
    pub fn distance(&self) -> f32 {
        (0..3).map(|i| (self.position[i] - self.look_at[i]).powi(2)).sum::<f32>().sqrt()
    }

    /// The same, moved about what it looks at, and looking through another lens.
    ///
    /// From straight above there is no azimuth: it counts as -90 degrees then, which is how such a picture is turned.
    #[must_use]
    pub fn nudged(&self, nudge: &Nudge) -> Self {
        let away: [f32; 3] = std::array::from_fn(|i| self.position[i] - self.look_at[i]);
        let across = away[0].hypot(away[1]);
        let azimuth = if across > 1e-4 { away[1].atan2(away[0]) } else { -std::f32::consts::FRAC_PI_2 };
        let azimuth = azimuth + nudge.azimuth_degrees.to_radians();
        // Beyond straight above lies the other side, upside down.
        let highest = std::f32::consts::FRAC_PI_2;
        let elevation = away[2].atan2(across) + nudge.elevation_degrees.to_radians();
        let elevation = elevation.clamp(-highest, highest);
        let distance = across.hypot(away[2]) + nudge.distance;
        let look_at: [f32; 3] = std::array::from_fn(|i| self.look_at[i] + nudge.shift[i]);
        let (level, up) = (elevation.cos() * distance, elevation.sin() * distance);
        let position = [look_at[0] + level * azimuth.cos(), look_at[1] + level * azimuth.sin(), look_at[2] + up];
        let half = (0.5 * self.vertical_fov_degrees).to_radians().tan() / nudge.focal;
        Self { position, look_at, vertical_fov_degrees: 2.0 * half.atan().to_degrees() }
    }
}

/// How a view is to be changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nudge {
    /// To the left about the vertical through what it looks at, degrees.
    pub azimuth_degrees: f32,
    /// Upwards, degrees.
    pub elevation_degrees: f32,
    /// Further away, m.
    pub distance: f32,
    /// What it looks at, and itself, m, in the world.
    pub shift: [f32; 3],
    /// Factor on the focal length.
    pub focal: f32,
}

impl Default for Nudge {
    /// None.
    fn default() -> Self {
        Self { azimuth_degrees: 0.0, elevation_degrees: 0.0, distance: 0.0, shift: [0.0; 3], focal: 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expect(view: View, position: [f32; 3]) {
        let apart = (0..3).map(|i| (view.position[i] - position[i]).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-5, "{view:?}, not at {position:?}");
    }

    #[test]
    fn a_nudge_goes_round_up_away_and_along() {
        let view = View { position: [0.3, 0.0, 0.1], look_at: [0.0, 0.0, 0.1], vertical_fov_degrees: 90.0 };
        expect(view.nudged(&Nudge::default()), view.position);
        expect(view.nudged(&Nudge { azimuth_degrees: 90.0, ..Nudge::default() }), [0.0, 0.3, 0.1]);
        expect(view.nudged(&Nudge { elevation_degrees: 90.0, ..Nudge::default() }), [0.0, 0.0, 0.4]);
        expect(view.nudged(&Nudge { distance: 0.1, ..Nudge::default() }), [0.4, 0.0, 0.1]);
        expect(view.nudged(&Nudge { shift: [0.0, 0.02, 0.0], ..Nudge::default() }), [0.3, 0.02, 0.1]);
        let closer = view.nudged(&Nudge { focal: 2.0, ..Nudge::default() });
        assert!((closer.camera().focal_length(100) - 2.0 * view.camera().focal_length(100)).abs() < 1e-3);
    }

    #[test]
    fn from_straight_above_a_small_nudge_changes_the_camera_a_little() {
        let (above, tilted) =
            (View::default(), View::default().nudged(&Nudge { elevation_degrees: -1.0, ..Nudge::default() }));
        let (above, tilted) = (above.camera().pose.rotation, tilted.camera().pose.rotation);
        let alike: f32 = above.iter().zip(tilted).map(|(a, b)| a * b).sum();
        assert!(alike.abs() > 0.999, "{above:?} {tilted:?}");
        assert!(View::default().nudged(&Nudge { elevation_degrees: 5.0, ..Nudge::default() }).position[0].abs() < 1e-6);
    }
}
