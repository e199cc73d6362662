//! How a scene is looked at, and what was changed about how it looks.

use super::shade::Surface;
use super::tessellate::Solid;
use super::vector::{Rotation, Vector, add, after, quaternion_of, unit};
use turnkey_core::{Camera, Light, Part, Pose, Scene, SceneEdit, Shape, Texture};

/// What is seen where there is nothing, where the scene doesn't say.
const BACKGROUND: Texture = Texture::Plain([0.7, 0.74, 0.78]);

/// A camera, lights, and what covers things.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(super) camera: Camera,
    pub(super) lights: Vec<Light>,
    pub(super) ambient: Vector,
    pub(super) background: Texture,
    pub(super) surfaces: Vec<(Part, Texture)>,
    pub(super) objects: Vec<Object>,
}

/// Something put into the picture.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) solid: Solid,
    pub(super) pose: Pose,
    color: Vector,
}

impl Object {
    pub(super) fn surface(&self) -> Surface<'_> {
        Surface::Plain(self.color)
    }
}

impl Look {
    /// A scene as it is, by `camera`, with these changes.
    pub(crate) fn new(scene: &Scene, camera: Camera, edits: &[SceneEdit]) -> Self {
        let mut look = Self {
            camera,
            lights: scene.lights.clone(),
            ambient: scene.ambient,
            background: scene.background.clone().unwrap_or(BACKGROUND),
            surfaces: Vec::new(),
            objects: Vec::new(),
        };
        look.lights.iter_mut().for_each(|light| light.direction = unit(light.direction));
        edits.iter().for_each(|edit| look.apply(edit));
        look
    }

    /// What covers a shape.
    pub(super) fn surface<'a>(&'a self, shape: &'a Shape) -> Surface<'a> {
        let changed = self.surfaces.iter().rev().find(|(part, _)| *part == shape.part).map(|(_, texture)| texture);
        match changed.or(shape.texture.as_ref()) {
            Some(texture) => Surface::Textured(texture),
            None => Surface::Plain([shape.color[0], shape.color[1], shape.color[2]]),
        }
    }

    fn apply(&mut self, edit: &SceneEdit) {
        match edit {
            SceneEdit::LightDirection { azimuth, elevation } => {
                let ((sin, cos), (out, down)) = (azimuth.sin_cos(), elevation.sin_cos());
                let sun = self.lights.iter_mut().find(|light| light.casts_shadow);
                sun.into_iter().for_each(|light| light.direction = [out * cos, out * sin, -down]);
            }
            SceneEdit::LightIntensity(factors) => {
                let times =
                    |color: &mut Vector| color.iter_mut().zip(factors).for_each(|(part, factor)| *part *= factor);
                self.lights.iter_mut().for_each(|light| times(&mut light.color));
                times(&mut self.ambient);
            }
            SceneEdit::Surface(Part::Background, texture) => self.background = texture.clone(),
            SceneEdit::Surface(part, texture) => self.surfaces.push((*part, texture.clone())),
            SceneEdit::Object { geometry, pose, color } => {
                self.objects.push(Object { solid: Solid::new(geometry), pose: *pose, color: *color });
            }
            SceneEdit::Camera { translation, rotation, focal_scale } => {
                let Pose { position, rotation: own } = self.camera.pose;
                let position = add(position, Rotation::from_quaternion(own).apply(*translation));
                let rotation = after(own, quaternion_of(*rotation));
                let half = (0.5 * self.camera.vertical_fov).tan() / focal_scale.max(1e-3);
                self.camera = Camera { pose: Pose { position, rotation }, vertical_fov: 2.0 * half.atan() };
            }
        }
    }
}
