//! How the world is looked at, and what can be changed about how it looks.

use crate::{Frame, FrameSize, Geometry, Pose};
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

    /// Where on the level plane at `height` (m) the point lies, m along x and y, that is seen at `column` and `row` of a picture of
    /// this size: pixels from its left and upper edges, not whole ones. `None` where the plane isn't seen there.
    #[must_use]
    pub fn on_plane(&self, [column, row]: [f32; 2], size: FrameSize, height: f32) -> Option<[f32; 2]> {
        let focal = self.focal_length(size.height);
        let [right, up] =
            [column - 0.5 * size.width as f32, 0.5 * size.height as f32 - row].map(|pixels| pixels / focal);
        let ray = rotate(self.pose.rotation, [right, up, -1.0]);
        let [x, y, z] = self.pose.position;
        let along = (height - z) / ray[2];
        (along > 0.0 && along.is_finite()).then(|| [x + along * ray[0], y + along * ray[1]])
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

/// `v` turned by a quaternion x, y, z, w.
fn rotate(q: [f32; 4], v: [f32; 3]) -> [f32; 3] {
    let u = [q[0], q[1], q[2]];
    let t = cross(u, v).map(|x| 2.0 * x);
    let twice = cross(u, t);
    std::array::from_fn(|i| v[i] + q[3] * t[i] + twice[i])
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

    #[test]
    fn a_point_of_the_picture_lies_where_its_ray_meets_the_plane() {
        let size = FrameSize { width: 40, height: 20 };
        // At a right angle, 10 pixels from the middle are as far away as the plane is: 0.3 m.
        let above = Camera::looking_at([0.1, 0.2, 0.5], [0.1, 0.2, 0.0], std::f32::consts::FRAC_PI_2);
        for (point, expected) in [([20.0, 10.0], [0.1, 0.2]), ([30.0, 10.0], [0.4, 0.2]), ([20.0, 5.0], [0.1, 0.35])] {
            let [x, y] = above.on_plane(point, size, 0.2).unwrap();
            assert!((x - expected[0]).abs() < 1e-5 && (y - expected[1]).abs() < 1e-5, "{point:?}: {x} {y}");
        }
        assert_eq!(above.on_plane([20.0, 10.0], size, 0.6), None, "it looks down");
        let level = Camera::looking_at([0.3, 0.0, 0.1], [0.0, 0.0, 0.1], 1.0);
        assert_eq!(level.on_plane([20.0, 5.0], size, 0.0), None, "above the horizon");
        assert_eq!(level.on_plane([20.0, 10.0], size, 0.1), None, "along the plane");
    }
}
