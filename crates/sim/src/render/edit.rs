//! Changes to how the world looks.

use super::linear::{Rigid, add, product, rotation};
use turnkey_core::{Camera, Geometry, Part, Pose, Scene, SceneEdit, Shape, Texture};

/// A change that can't be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EditError {
    /// A number that is none, or of the wrong sign.
    #[error("a change to the scene, {what}: expected {expected}, got {got}")]
    Number {
        /// Which number of which change.
        what: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        got: f32,
    },
    /// A change that MuJoCo's renderer has no way to draw.
    #[error("a change to the scene: MuJoCo's renderer can't draw {what}; leave camera.renderer at \"cpu\" for it")]
    Renderer {
        /// What was to be drawn.
        what: &'static str,
    },
}

/// A scene with what was put into it, and the camera.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) scene: Scene,
    pub(crate) camera: Camera,
    /// Poses of the shapes at the scene's end that the plant doesn't know.
    pub(crate) added: Vec<Pose>,
}

impl View {
    pub(crate) fn apply(&mut self, edit: &SceneEdit) -> Result<(), EditError> {
        check(edit)?;
        match edit {
            SceneEdit::LightDirection { azimuth, elevation } => {
                if let Some(light) = self.scene.lights.iter_mut().find(|light| light.casts_shadow) {
                    let ((sin, cos), (aside, down)) = (azimuth.sin_cos(), elevation.sin_cos());
                    light.direction = [aside * cos, aside * sin, -down];
                }
            }
            SceneEdit::LightIntensity(factors) => {
                for light in &mut self.scene.lights {
                    light.color = std::array::from_fn(|channel| light.color[channel] * factors[channel]);
                }
            }
            SceneEdit::Surface(Part::Background, texture) => self.scene.background = Some(texture.clone()),
            SceneEdit::Surface(part, texture) => {
                let covered = self.scene.shapes.iter_mut().filter(|shape| shape.part == *part);
                covered.for_each(|shape| shape.texture = Some(texture.clone()));
            }
            SceneEdit::Object { geometry, pose, color: [r, g, b] } => {
                let (name, part, color) = (String::new(), Part::Other, [*r, *g, *b, 1.0]);
                self.scene.shapes.push(Shape { name, part, geometry: geometry.clone(), color, texture: None });
                self.added.push(*pose);
            }
            SceneEdit::Camera { translation, rotation: vector, focal_scale } => {
                let pose = &mut self.camera.pose;
                pose.position = add(pose.position, Rigid::from_pose(pose).direction(*translation));
                pose.rotation = product(pose.rotation, rotation(*vector));
                let half = (0.5 * self.camera.vertical_fov).tan() / focal_scale;
                self.camera.vertical_fov = 2.0 * half.atan();
            }
        }
        Ok(())
    }
}

fn check(edit: &SceneEdit) -> Result<(), EditError> {
    match edit {
        SceneEdit::LightDirection { azimuth, elevation } => finite("a light's direction", &[*azimuth, *elevation]),
        SceneEdit::LightIntensity(factors) => finite("a light's intensity", factors),
        SceneEdit::Surface(_, texture) => check_texture(texture),
        SceneEdit::Object { geometry, pose, color } => {
            check_geometry(geometry)?;
            finite("an object's colour", color)?;
            finite("an object's position", &pose.position)?;
            finite("an object's rotation", &pose.rotation)
        }
        SceneEdit::Camera { translation, rotation, focal_scale } => {
            finite("the camera's translation", translation)?;
            finite("the camera's rotation", rotation)?;
            positive("the camera's focal scale", &[*focal_scale])
        }
    }
}

fn check_texture(texture: &Texture) -> Result<(), EditError> {
    match texture {
        Texture::Plain(color) => finite("a texture's colour", color),
        Texture::Checker { colors, period } | Texture::Noise { colors, period, .. } => {
            finite("a texture's colour", colors.as_flattened())?;
            positive("a texture's period", &[*period])
        }
        Texture::Picture(_) => Ok(()),
    }
}

fn check_geometry(geometry: &Geometry) -> Result<(), EditError> {
    match geometry {
        Geometry::Sphere { radius } => positive("a sphere's radius", &[*radius]),
        Geometry::Capsule { radius, half_length } => positive("a capsule's sizes", &[*radius, *half_length]),
        Geometry::Cylinder { radius, half_length } => positive("a cylinder's sizes", &[*radius, *half_length]),
        Geometry::Box { half_sizes } => positive("a box's sizes", half_sizes),
        Geometry::Mesh { vertices, .. } => finite("a mesh's corners", vertices.as_flattened()),
    }
}

fn finite(what: &'static str, numbers: &[f32]) -> Result<(), EditError> {
    expect(what, "a number", numbers, |number| number.is_finite())
}

fn positive(what: &'static str, numbers: &[f32]) -> Result<(), EditError> {
    expect(what, "a number above 0", numbers, |number| number.is_finite() && number > 0.0)
}

fn expect(
    what: &'static str,
    expected: &'static str,
    numbers: &[f32],
    holds: fn(f32) -> bool,
) -> Result<(), EditError> {
    numbers.iter().find(|number| !holds(**number)).map_or(Ok(()), |&got| Err(EditError::Number { what, expected, got }))
}
