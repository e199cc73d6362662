//! All that stays the same from one frame to the next.

use super::edit::View;
use super::light::Lighting;
use super::linear::Rigid;
use super::shadow::ShadowMap;
use super::sight::Sight;
use super::solid::Solid;
use super::texture::Cover;
use turnkey_core::{FrameSize, Part, Pose, Scene, Texture};

/// Shapes that let through more than a hundredth of the light are not drawn, and cast no shadow.
const OPAQUE: f32 = 0.99;
/// What is seen where there is nothing, in scenes that don't say.
const GREY: Texture = Texture::Plain([0.5; 3]);

/// One shape, ready to be drawn.
pub(super) struct Prop {
    pub(super) part: Part,
    pub(super) cover: Cover,
    /// Whether the cover lies on the world's x and y, as a table's does, or goes with the shape.
    pub(super) in_world: bool,
    pub(super) drawn: bool,
}

/// A scene and a camera, ready to be drawn.
pub(super) struct Stage {
    pub(super) props: Vec<Prop>,
    /// The props' surfaces, in the same order.
    pub(super) solids: Vec<Solid>,
    /// Where the last props are, which no plant moves.
    pub(super) added: Vec<Pose>,
    pub(super) background: Cover,
    pub(super) lighting: Lighting,
    pub(super) sight: Sight,
    /// Solids that any view of this scene begins with.
    lasting: usize,
}

impl Stage {
    pub(super) fn new(view: &View, size: FrameSize, samples: usize) -> Self {
        let mut stage = Self {
            props: Vec::new(),
            solids: Vec::new(),
            added: Vec::new(),
            background: Cover::new(&GREY),
            lighting: Lighting::new(&Scene::default()),
            sight: Sight::new(&view.camera, size, samples),
            lasting: view.scene.shapes.len(),
        };
        stage.set(view, size, samples);
        stage
    }

    /// Shows another view of the same scene.
    pub(super) fn set(&mut self, view: &View, size: FrameSize, samples: usize) {
        let shapes = &view.scene.shapes;
        self.solids.truncate(self.lasting);
        let missing = shapes.iter().skip(self.solids.len());
        self.solids.extend(missing.map(|shape| Solid::new(&shape.geometry)));
        let prop = |shape: &turnkey_core::Shape| {
            let [r, g, b, opacity] = shape.color;
            Prop {
                part: shape.part,
                cover: Cover::new(shape.texture.as_ref().unwrap_or(&Texture::Plain([r, g, b]))),
                in_world: shape.part == Part::Table,
                drawn: opacity >= OPAQUE,
            }
        };
        self.props = shapes.iter().map(prop).collect();
        self.added.clone_from(&view.added);
        self.background = Cover::new(view.scene.background.as_ref().unwrap_or(&GREY));
        self.lighting = Lighting::new(&view.scene);
        self.sight = Sight::new(&view.camera, size, samples);
    }

    /// Room for the shadows, where a light casts any, of a picture with so many samples to its longer side.
    pub(super) fn shadow_map(&self, picture: usize) -> Option<ShadowMap> {
        self.lighting.shadowing.map(|(towards, _)| ShadowMap::new(towards, picture))
    }

    /// Places of all shapes, when the plant's are at `poses`: into the world, in the scene's order.
    pub(super) fn place(&self, poses: &[Pose], places: &mut Vec<Rigid>) {
        places.clear();
        let added = self.added.len();
        let own = poses.iter().take(self.props.len() - added);
        places.extend(own.chain(&self.added).map(Rigid::from_pose));
    }
}
