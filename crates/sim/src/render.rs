//! Pictures of a scene, drawn on the processor: start reading at [`Renderer::render`].
//!
//! Shapes become a few triangles each, once. For every frame those that may be in the picture are moved and
//! put into a z-buffer, four samples a pixel; those that stand in the light are put into a map of depths as
//! the light sees them; and every sample gets the light that falls there, by Lambert's law. No threads, no
//! state from one frame to the next: equal poses give equal bytes.

mod edit;
mod light;
mod linear;
mod raster;
mod shade;
mod shadow;
mod sight;
mod solid;
mod stage;
mod texture;

pub use edit::EditError;
pub(crate) use edit::View;

use linear::{Rigid, Vec3};
use raster::{Corner, Visible, doubled_area};
use shade::{Face, FaceLight, Shading};
use shadow::ShadowMap;
use sight::clip;
use solid::{Solid, Triangle};
use stage::Stage;
use turnkey_core::{Camera, Frame, FrameSize, Part, Pose, Scene, SceneEdit, Stamp};

/// Draws one scene through one camera. Translucent shapes are left out.
pub struct Renderer {
    original: View,
    size: FrameSize,
    /// Samples to either side of a pixel.
    samples: usize,
    stage: Stage,
    shadow: Option<ShadowMap>,
    canvas: Canvas,
    places: Vec<Rigid>,
    sums: Vec<Vec3>,
    pixels: Vec<u8>,
}

/// What a frame is drawn on, and room for what is being drawn; kept so that a frame allocates nothing but its
/// own pixels.
struct Canvas {
    visible: Visible,
    /// The faces of [`Visible`], from number 1 on.
    faces: Vec<Face>,
    corners: Vec<Vec3>,
    projected: Vec<Corner>,
}

impl Renderer {
    /// For pictures of `size`. With `supersampling` a pixel is the mean of four samples, otherwise one sample
    /// at its centre.
    #[must_use]
    pub fn new(scene: &Scene, camera: Camera, size: FrameSize, supersampling: bool) -> Self {
        let samples = if supersampling { 2 } else { 1 };
        let original = View { scene: scene.clone(), camera, added: Vec::new() };
        let stage = Stage::new(&original, size, samples);
        let visible = Visible::new(size.width * samples, size.height * samples);
        let canvas = Canvas { visible, faces: Vec::new(), corners: Vec::new(), projected: Vec::new() };
        let shadow = stage.shadow_map(size.width.max(size.height) * samples);
        let pixels = vec![0; size.bytes()];
        Self { original, size, samples, stage, shadow, canvas, places: Vec::new(), sums: Vec::new(), pixels }
    }

    /// Shows the scene with these changes in place of all earlier ones.
    ///
    /// # Errors
    /// When a number is none or a size isn't positive; nothing has changed then.
    pub fn edit(&mut self, edits: &[SceneEdit]) -> Result<(), EditError> {
        let mut view = self.original.clone();
        edits.iter().try_for_each(|edit| view.apply(edit))?;
        self.stage.set(&view, self.size, self.samples);
        self.shadow = self.stage.shadow_map(self.size.width.max(self.size.height) * self.samples);
        Ok(())
    }

    /// The picture with the scene's shapes at `poses`, in the scene's order.
    pub fn render(&mut self, poses: &[Pose], stamp: Stamp) -> Frame {
        self.stage.place(poses, &mut self.places);
        self.canvas.draw(&self.stage, &self.places);
        if let Some(shadow) = &mut self.shadow {
            cast(shadow, &self.stage, &self.places, &mut self.canvas.corners);
        }
        let shading = Shading {
            stage: &self.stage,
            visible: &self.canvas.visible,
            faces: &self.canvas.faces,
            places: &self.places,
            shadow: self.shadow.as_ref(),
            samples: self.samples,
        };
        shading.resolve(&mut self.pixels, &mut self.sums);
        Frame::new(stamp, self.size, self.pixels.as_slice()).expect("there are as many pixels as the size has")
    }

    /// What was seen at the samples of the last picture, row by row from the top: four a pixel with
    /// supersampling, one without.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let part = |&face: &u32| match face.checked_sub(1) {
            None => Part::Background,
            Some(face) => self.stage.props[self.canvas.faces[face as usize].prop as usize].part,
        };
        self.canvas.visible.faces.iter().map(part).collect()
    }
}

/// Draws the map of what the light sees. What lies on the table casts shadows, the table itself doesn't.
fn cast(shadow: &mut ShadowMap, stage: &Stage, places: &[Rigid], room: &mut Vec<Vec3>) {
    shadow.clear();
    for ((solid, prop), place) in stage.solids.iter().zip(&stage.props).zip(places) {
        if prop.drawn && prop.part != Part::Table {
            shadow.add(solid, place, room);
        }
    }
}

impl Canvas {
    fn draw(&mut self, stage: &Stage, places: &[Rigid]) {
        self.visible.clear();
        self.faces.clear();
        for (index, place) in places.iter().enumerate().filter(|(index, _)| stage.props[*index].drawn) {
            self.draw_solid(stage, index, place);
        }
    }

    fn draw_solid(&mut self, stage: &Stage, prop: usize, place: &Rigid) {
        let (solid, sight) = (&stage.solids[prop], &stage.sight);
        let into = sight.from_world.after(place);
        let center = into.point(solid.center);
        if !sight.may_see(center, solid.radius) {
            return;
        }
        self.corners.clear();
        self.corners.extend(solid.vertices.iter().map(|vertex| into.point(*vertex)));
        if !sight.is_whole(center, solid.radius) {
            return self.draw_clipped(stage, prop, place);
        }
        self.projected.clear();
        self.projected.extend(self.corners.iter().map(|corner| sight.project(*corner)));
        for triangle in &solid.triangles {
            let corners = triangle.corners.map(|corner| self.projected[corner as usize]);
            let area = doubled_area(corners);
            if area < 0.0 && self.visible.fill(corners, self.faces.len() as u32 + 1) {
                let light = face_light(stage, solid, triangle, place, corners, area);
                self.faces.push(Face { prop: prop as u32, light });
            }
        }
    }

    /// Draws a solid that reaches too near, its corners being in the camera's frame. What is left of its
    /// triangles is lit flat.
    fn draw_clipped(&mut self, stage: &Stage, prop: usize, place: &Rigid) {
        for triangle in &stage.solids[prop].triangles {
            let (kept, count) = clip(triangle.corners.map(|corner| self.corners[corner as usize]));
            let kept = kept.map(|corner| stage.sight.project(corner));
            let fallen = stage.lighting.on(place.direction(triangle.normal));
            for last in 2..count {
                let corners = [kept[0], kept[last - 1], kept[last]];
                if doubled_area(corners) < 0.0 && self.visible.fill(corners, self.faces.len() as u32 + 1) {
                    self.faces.push(Face { prop: prop as u32, light: FaceLight::Flat(fallen) });
                }
            }
        }
    }
}

fn face_light(
    stage: &Stage,
    solid: &Solid,
    triangle: &Triangle,
    place: &Rigid,
    corners: [Corner; 3],
    area: f32,
) -> FaceLight {
    if solid.normals.is_empty() {
        return FaceLight::Flat(stage.lighting.on(place.direction(triangle.normal)));
    }
    let normals = triangle.corners.map(|corner| place.direction(solid.normals[corner as usize]));
    FaceLight::round(corners, normals, area)
}
