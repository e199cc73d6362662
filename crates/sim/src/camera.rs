//! Where the twin is looked at from.

use crate::ConfigError;
use serde::{Deserialize, Serialize};
use turnkey_core::{Camera, FrameSize};

/// A camera that takes a picture with each reading. Pose and focal length mean what they mean for a real pinhole camera.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CameraConfig {
    /// Width and height of its pictures, pixels.
    pub size: FrameSize,
    /// Where it is, m; the valve's axis is the world's z, the table's top is at 0.
    pub position: [f32; 3],
    /// The point in the middle of its pictures, m.
    pub look_at: [f32; 3],
    /// The angle from a picture's lower edge to its upper one, degrees.
    pub vertical_fov_degrees: f32,
}

impl Default for CameraConfig {
    /// Pictures of 48x48 from the front, between two fingers, near enough for the valve to fill them.
    fn default() -> Self {
        Self {
            size: FrameSize { width: 48, height: 48 },
            position: [0.30, 0.0, 0.40],
            look_at: [0.0, 0.0, 0.08],
            vertical_fov_degrees: 30.0,
        }
    }
}

impl CameraConfig {
    /// The camera.
    #[must_use]
    pub fn camera(&self) -> Camera {
        Camera::looking_at(self.position, self.look_at, self.vertical_fov_degrees.to_radians())
    }

    /// Checks every setting.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field, expected, found: String| Err(ConfigError::Camera { field, expected, found });
        let FrameSize { width, height } = self.size;
        if !(1..=1024).contains(&width) || !(1..=1024).contains(&height) {
            return refuse("camera.size", "1 to 1024 pixels each way", self.size.to_string());
        }
        let numbers = || self.position.iter().chain(&self.look_at);
        let apart = self.position.iter().zip(self.look_at).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        if !numbers().all(|x| x.is_finite() && x.abs() < 100.0) || apart < 1e-3 {
            let found = format!("{:?} to {:?}", self.position, self.look_at);
            return refuse("camera.look_at", "two points of numbers below 100 m, apart from each other", found);
        }
        if !(1.0..=150.0).contains(&self.vertical_fov_degrees) {
            return refuse("camera.vertical_fov_degrees", "1 to 150", self.vertical_fov_degrees.to_string());
        }
        Ok(())
    }
}
