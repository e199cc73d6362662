//! What the lights give a surface.

use super::linear::{Vec3, add, dot, scaled, unit};
use turnkey_core::{Light, Scene};

/// A scene's lights, made ready: the ambient one, those without shadows, and the one with.
#[derive(Clone, Debug)]
pub(super) struct Lighting {
    ambient: Vec3,
    /// Where each shines from (length 1), and its colour.
    plain: Vec<(Vec3, Vec3)>,
    /// The light that casts shadows.
    pub(super) shadowing: Option<(Vec3, Vec3)>,
}

impl Lighting {
    /// Of several lights that cast shadows the first does; the others shine through everything.
    pub(super) fn new(scene: &Scene) -> Self {
        let ready = |light: &Light| (unit(scaled(light.direction, -1.0)), light.color);
        let first = scene.lights.iter().position(|light| light.casts_shadow);
        let others = scene.lights.iter().enumerate().filter(|(index, _)| Some(*index) != first);
        Self {
            ambient: scene.ambient,
            plain: others.map(|(_, light)| ready(light)).collect(),
            shadowing: first.map(|index| ready(&scene.lights[index])),
        }
    }

    /// What a surface with this normal (length 1) gets: Lambert's law.
    pub(super) fn on(&self, normal: Vec3) -> Fallen {
        let from = |(towards, color): &(Vec3, Vec3)| scaled(*color, positive(dot(normal, *towards)));
        let unlit = self.plain.iter().map(from).fold(self.ambient, add);
        match &self.shadowing {
            Some(light) if dot(normal, light.0) > 0.0 => {
                Fallen { unlit, lit: add(unlit, from(light)), reachable: true }
            }
            _ => Fallen { unlit, lit: unlit, reachable: false },
        }
    }
}

/// Light on a surface, as a part of its colour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fallen {
    /// In the shadow of the light that casts shadows, and out of it.
    pub(super) unlit: Vec3,
    pub(super) lit: Vec3,
    /// Whether the surface looks towards that light.
    pub(super) reachable: bool,
}

fn positive(x: f32) -> f32 {
    if x > 0.0 { x } else { 0.0 }
}
