//! Shapes to draw, for a viewer that knows no physics.

use crate::{Light, Part, Texture};
use serde::{Deserialize, Serialize};

/// Shapes of a plant, constant over its life.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// The shapes; poses come in the same order.
    pub shapes: Vec<Shape>,
    /// The lights.
    pub lights: Vec<Light>,
    /// What every surface sends back whatever the lights, as a part of its colour: red, green, blue.
    pub ambient: [f32; 3],
    /// What is seen where there is nothing.
    pub background: Option<Texture>,
}

/// One shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// A path such as `finger_0/tip`.
    pub name: String,
    /// What it belongs to.
    pub part: Part,
    /// Its form, in its own frame.
    pub geometry: Geometry,
    /// Red, green, blue, opacity, each 0 to 1.
    pub color: [f32; 4],
    /// What covers it instead of its colour, if anything.
    pub texture: Option<Texture>,
}

/// The form of a shape, metres, centred on its own frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Geometry {
    /// A ball of this radius.
    Sphere {
        /// Radius, m.
        radius: f32,
    },
    /// A cylinder along z with rounded ends.
    Capsule {
        /// Radius, m.
        radius: f32,
        /// Half of the straight part's length, m.
        half_length: f32,
    },
    /// A cylinder along z.
    Cylinder {
        /// Radius, m.
        radius: f32,
        /// Half of the length, m.
        half_length: f32,
    },
    /// A box.
    Box {
        /// Half of each side, m.
        half_sizes: [f32; 3],
    },
    /// Triangles.
    Mesh {
        /// Corners, m.
        vertices: Vec<[f32; 3]>,
        /// Three corners each, counter-clockwise seen from outside.
        triangles: Vec<[u32; 3]>,
    },
}

/// Where a shape is, in the world.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Position, m.
    pub position: [f32; 3],
    /// Orientation as a quaternion x, y, z, w.
    pub rotation: [f32; 4],
}
