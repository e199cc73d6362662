//! The twin's camera, as a configuration describes it.

use crate::ConfigError;
use serde::{Deserialize, Serialize};
use turnkey_core::{Camera, FrameSize};
use turnkey_picture::{Pipeline, PipelineConfig};

/// Pictures have at most this many pixels to a side.
const LARGEST: usize = 1024;

/// What draws a camera's pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RendererName {
    /// Ours, on the processor: the same bytes everywhere.
    #[default]
    Cpu,
    /// MuJoCo's own, through OpenGL: for machines with a GPU. Another card may draw other bytes.
    Mujoco,
}

/// What a twin's camera is and where. Every setting has a default; an unknown one is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CameraConfig {
    /// Pixels of a picture, as it is drawn.
    pub size: FrameSize,
    /// Where the camera is, m, in the world: the valve turns about z, at x = y = 0, and its mark is at
    /// z = 0.11 m.
    pub position: [f32; 3],
    /// What is in the middle of the picture, m. The world's z is up in it; straight down, its y.
    pub look_at: [f32; 3],
    /// The angle from the picture's lower edge to its upper one, degrees.
    pub vertical_fov_degrees: f32,
    /// What draws them.
    pub renderer: RendererName,
    /// Whether a pixel is the mean of four samples, or one sample at its centre: coarser, and faster. MuJoCo's renderer
    /// always takes as many as the model says.
    pub supersampling: bool,
    /// What becomes of pictures before anybody sees them: cut out and resized, as a real camera's are. Without it they
    /// stay as they are drawn.
    pub pipeline: Option<PipelineConfig>,
}

impl Default for CameraConfig {
    /// Straight down from under the claw's plate, between the fingers: the valve fills most of the picture
    /// whatever its angle, right is +x, and up is +y. `docs/simulation.md` has how much of the mark it sees.
    fn default() -> Self {
        Self {
            size: FrameSize { width: 48, height: 48 },
            position: [0.0, 0.0, 0.31],
            look_at: [0.0, 0.0, 0.10],
            vertical_fov_degrees: 58.0,
            renderer: RendererName::Cpu,
            supersampling: true,
            pipeline: None,
        }
    }
}

impl CameraConfig {
    /// The camera.
    #[must_use]
    pub fn camera(&self) -> Camera {
        Camera::looking_at(self.position, self.look_at, self.vertical_fov_degrees.to_radians())
    }

    /// The size of the frames.
    #[must_use]
    pub fn frame_size(&self) -> FrameSize {
        self.pipeline.map_or(self.size, |pipeline| pipeline.output)
    }

    /// What every picture goes through.
    ///
    /// # Errors
    /// When a part of it can't be done to pictures of this size.
    pub(crate) fn pipeline(&self) -> Result<Pipeline, ConfigError> {
        let config = self.pipeline.unwrap_or(PipelineConfig { crop: None, output: self.size });
        let made = Pipeline::new(config).and_then(|pipeline| pipeline.check_source(self.size).map(|()| pipeline));
        made.map_err(|error| ConfigError::Pipeline { found: error.to_string() })
    }

    /// Says whether there can be such a camera.
    ///
    /// # Errors
    /// The first setting that is outside of what it may be, with what was expected, what it is, and the fix.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong =
            |field, expected: &str, got, fix| Err(ConfigError::Number { field, expected: expected.into(), got, fix });
        let FrameSize { width, height } = self.size;
        if let Some(bad) = [width, height].into_iter().find(|side| !(1..=LARGEST).contains(side)) {
            return wrong("camera.size", "1 to 1024 pixels to a side", bad as f64, "48 by 48 is the default");
        }
        if let Some(bad) = self.position.iter().chain(&self.look_at).find(|metres| !(-100.0..=100.0).contains(*metres))
        {
            let fix = "the valve is at [0, 0, 0.1]";
            return wrong("camera.position and camera.look_at", "at most 100 m from 0", f64::from(*bad), fix);
        }
        let distance = (0..3).map(|axis| (self.position[axis] - self.look_at[axis]).powi(2)).sum::<f32>().sqrt();
        if distance < 1e-3 {
            let fix = "move one of them: a camera can't look at where it is itself";
            return wrong("camera.look_at", "1 mm or more away from camera.position", f64::from(distance), fix);
        }
        if !(1.0..=170.0).contains(&self.vertical_fov_degrees) {
            let got = f64::from(self.vertical_fov_degrees);
            return wrong("camera.vertical_fov_degrees", "1 to 170 degrees", got, "58 is the default");
        }
        self.pipeline().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_picture::Crop;

    type Spoil = fn(&mut CameraConfig);

    fn cut(crop: Crop) -> PipelineConfig {
        PipelineConfig { crop: Some(crop), output: FrameSize { width: 8, height: 8 } }
    }

    #[test]
    fn a_camera_that_cannot_be_is_refused_by_the_setting_that_is_wrong() {
        let cases: [(&str, Spoil); 8] = [
            ("camera.size", |config| config.size.width = 0),
            ("camera.size", |config| config.size.height = 4000),
            ("camera.position", |config| config.position[1] = f32::NAN),
            ("camera.look_at", |config| config.look_at = config.position),
            ("camera.vertical_fov_degrees", |config| config.vertical_fov_degrees = 0.0),
            ("camera.vertical_fov_degrees", |config| config.vertical_fov_degrees = f32::NAN),
            ("camera.pipeline", |config| config.pipeline = Some(cut(Crop { left: 40, top: 0, width: 9, height: 9 }))),
            ("camera.pipeline", |config| config.pipeline = Some(cut(Crop { left: 0, top: 0, width: 0, height: 9 }))),
        ];
        CameraConfig::default().check().unwrap();
        for (field, spoil) in cases {
            let mut config = CameraConfig::default();
            spoil(&mut config);
            let error = config.check().unwrap_err().to_string();
            assert!(error.contains(field), "{field}: {error}");
        }
    }
}
