//! How the world is looked at, and what can be changed about how it looks.

use crate::{Frame, Geometry, Pose};
use serde::{Deserialize, Serialize};

/// A pinhole camera without distortion.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Camera {
    /// Where it is. It looks along its own -z, with +x to the right of the picture and +y up.
    pub pose: Pose,
    /// The angle from the picture's lower edge to its upper one, rad.
    pub vertical_fov: f32,
}

impl Camera {
    /// The focal length in pixels of a picture with this many rows.
    #[must_use]
    pub fn focal_length(&self, height: usize) -> f32 {
        0.5 * height as f32 / (0.5 * self.vertical_fov).tan()
    }

    /// A camera at `eye` (m) that looks at `target` (m), world z up.
    #[must_use]
    pub fn looking_at(eye: [f32; 3], target: [f32; 3], vertical_fov: f32) -> Self {
        let back = unit(std::array::from_fn(|i| eye[i] - target[i]));
        let right = match cross([0.0, 0.0, 1.0], back) {
            right if dot(right, right) > 1e-12 => unit(right),
            _ => [1.0, 0.0, 0.0], // straight down, or up
        };
        let up = cross(back, right);
        Self { pose: Pose { position: eye, rotation: quaternion([right, up, back]) }, vertical_fov }
    }
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn unit(a: [f32; 3]) -> [f32; 3] {
    let length = dot(a, a).sqrt();
    a.map(|x| x / length)
}

/// The quaternion x, y, z, w of the rotation whose matrix has these columns.
fn quaternion([x, y, z]: [[f32; 3]; 3]) -> [f32; 4] {
    let squares =
        [1.0 + x[0] - y[1] - z[2], 1.0 - x[0] + y[1] - z[2], 1.0 - x[0] - y[1] + z[2], 1.0 + x[0] + y[1] + z[2]];
    let largest = (0..4).max_by(|a, b| squares[*a].total_cmp(&squares[*b])).unwrap_or(3);
    let q = match largest {
        0 => [squares[0], x[1] + y[0], z[0] + x[2], y[2] - z[1]],
        1 => [x[1] + y[0], squares[1], y[2] + z[1], z[0] - x[2]],
        2 => [z[0] + x[2], y[2] + z[1], squares[2], x[1] - y[0]],
        _ => [y[2] - z[1], z[0] - x[2], x[1] - y[0], squares[3]],
    };
    let scale = 0.5 / squares[largest].sqrt();
    q.map(|part| part * scale)
}

/// What a thing is, for those who change how things look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The valve, without its mark.
    Valve,
    /// The valve's coloured mark.
    Mark,
    /// Fingers and what they hang from.
    Claw,
    /// What the valve stands on.
    Table,
    /// What is seen where there is nothing.
    Background,
    /// Anything else.
    Other,
}

/// What covers a surface. Colours are red, green, blue, each 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Texture {
    /// One colour.
    Plain([f32; 3]),
    /// Squares of two colours, with sides of `period` metres (on a background: of the picture's height).
    Checker {
        /// The colours.
        colors: [[f32; 3]; 2],
        /// Side of a square.
        period: f32,
    },
    /// Smooth random blotches between two colours, about `period` metres across (on a background: of the
    /// picture's height).
    Noise {
        /// The colours.
        colors: [[f32; 3]; 2],
        /// Size of a blotch.
        period: f32,
        /// Which of the random patterns.
        seed: u64,
    },
    /// A picture, once a metre (on a background: across the picture).
    Picture(Frame),
}

/// A light as far away as the sun.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Light {
    /// The direction in which it shines.
    pub direction: [f32; 3],
    /// Red, green and blue of what a surface facing it sends back, as a part of the surface's colour.
    pub color: [f32; 3],
    /// Whether what stands in it casts a shadow.
    pub casts_shadow: bool,
}

/// One change to how the world looks; none changes how it moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SceneEdit {
    /// Turns the light that casts shadows: from above by `azimuth` and towards the horizon by `elevation`, rad.
    LightDirection {
        /// About the world's z, rad.
        azimuth: f32,
        /// Away from straight down, rad.
        elevation: f32,
    },
    /// Multiplies the lights' colours.
    LightIntensity([f32; 3]),
    /// Covers a part with something else.
    Surface(Part, Texture),
    /// Puts something into the picture that nothing can touch.
    Object {
        /// Its form.
        geometry: Geometry,
        /// Where it is.
        pose: Pose,
        /// Its colour.
        color: [f32; 3],
    },
    /// Moves the camera, in its own frame: m and rad (a rotation vector), and multiplies its focal length.
    Camera {
        /// Right, up, back, m.
        translation: [f32; 3],
        /// Rotation vector, rad.
        rotation: [f32; 3],
        /// Factor on the focal length.
        focal_scale: f32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotate(q: [f32; 4], v: [f32; 3]) -> [f32; 3] {
        let u = [q[0], q[1], q[2]];
        let t = cross(u, v).map(|x| 2.0 * x);
        let twice = cross(u, t);
        std::array::from_fn(|i| v[i] + q[3] * t[i] + twice[i])
    }

    #[test]
    fn a_camera_looks_where_it_is_told_to_with_the_world_upright() {
        for (eye, target) in [
            ([0.4, 0.0, 0.5], [0.0, 0.0, 0.1]),
            ([-0.3, 0.2, 0.4], [0.0, 0.1, 0.0]),
            ([0.0, -0.5, 0.1], [0.1, 0.0, 0.2]),
            ([0.0, 0.0, 1.0], [0.0, 0.0, 0.0]),
        ] {
            let camera = Camera::looking_at(eye, target, 0.7);
            let ahead = rotate(camera.pose.rotation, [0.0, 0.0, -1.0]);
            let wanted = unit(std::array::from_fn(|i| target[i] - eye[i]));
            assert!(ahead.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-5), "{eye:?}: {ahead:?} {wanted:?}");
            let right = rotate(camera.pose.rotation, [1.0, 0.0, 0.0]);
            assert!(right[2].abs() < 1e-5, "{eye:?}: {right:?}");
            assert!(rotate(camera.pose.rotation, [0.0, 1.0, 0.0])[2] > -1e-5);
        }
    }

    #[test]
    fn the_focal_length_is_half_the_height_at_a_right_angle() {
        let camera = Camera::looking_at([1.0, 0.0, 0.0], [0.0; 3], std::f32::consts::FRAC_PI_2);
        assert!((camera.focal_length(64) - 32.0).abs() < 1e-4);
    }
}
