//! MuJoCo's own renderer, on whatever OpenGL the machine has: quick with a GPU, slow without.
//!
//! Its pictures depend on driver and card, so a run with them resumes exactly only where it began.

mod screen;

use crate::TwinError;
use crate::render::{EditError, View};
use mujoco_rs::prelude::*;
use screen::Screen;
pub use screen::ScreenError;
use turnkey_core::{Camera, Frame, FrameSize, Geometry, Part, Pose, Scene, SceneEdit, Stamp, Texture};

/// Room for what edits put into the scene.
const ADDED: usize = 64;
/// What is nearer or farther than this isn't drawn, m.
const NEAR: f32 = 0.005;
const FAR: f32 = 20.0;

/// Draws a model through one camera.
pub(crate) struct Renderer {
    original: View,
    view: View,
    edited: bool,
    /// What each of the scene's shapes is in the model: an object type and an index.
    elements: Vec<(i32, i32)>,
    size: FrameSize,
    scene: MjvScene,
    /// Gone first when dropped, while the screen is still there.
    context: Option<MjrContext>,
    screen: Screen,
    bottom_up: Vec<u8>,
}

// SAFETY: the OpenGL context is current only while `Renderer` makes, uses or drops it, on the thread that does; between
// these it belongs to no thread. `MjvScene` is plain memory.
unsafe impl Send for Renderer {}

impl Renderer {
    /// For pictures of `size` of a model, whose elements the shapes of `scene` are.
    ///
    /// # Errors
    /// When there is no OpenGL without a window here.
    pub(crate) fn new(
        model: &MjModel,
        scene: &Scene,
        elements: Vec<(i32, i32)>,
        camera: Camera,
        size: FrameSize,
    ) -> Result<Self, TwinError> {
        let screen = Screen::open()?;
        let context = screen.with(|| {
            // SAFETY: an OpenGL context is current on this thread.
            let mut context = unsafe { MjrContext::new(model) };
            context.resize_offscreen(size.width as u32, size.height as u32);
            context.offscreen();
            context
        })?;
        let original = View { scene: scene.clone(), camera, added: Vec::new() };
        let room = 2 * model.geom_type().len() + model.site_type().len() + ADDED;
        Ok(Self {
            view: original.clone(),
            original,
            edited: false,
            elements,
            size,
            scene: MjvScene::new(model, room),
            context: Some(context),
            screen,
            bottom_up: vec![0; size.bytes()],
        })
    }

    /// Shows the scene with these changes in place of all earlier ones.
    ///
    /// # Errors
    /// When a number is none or a size isn't positive, and for patterns and pictures on surfaces and for backgrounds, which
    /// this renderer can't draw; nothing has changed then.
    pub(crate) fn edit(&mut self, edits: &[SceneEdit]) -> Result<(), EditError> {
        let mut view = self.original.clone();
        for edit in edits {
            match edit {
                SceneEdit::Surface(Part::Background, _) => return Err(EditError::Renderer { what: "a background" }),
                SceneEdit::Surface(_, Texture::Plain(_)) => {}
                SceneEdit::Surface(..) => return Err(EditError::Renderer { what: "a pattern on a surface" }),
                SceneEdit::Object { geometry: Geometry::Mesh { .. }, .. } => {
                    return Err(EditError::Renderer { what: "an object made of triangles" });
                }
                _ => {}
            }
            view.apply(edit)?;
        }
        if view.added.len() > ADDED {
            return Err(EditError::Renderer { what: "more than 64 objects" });
        }
        (self.view, self.edited) = (view, !edits.is_empty());
        Ok(())
    }

    /// The picture of what is simulated now.
    ///
    /// # Errors
    /// When OpenGL can no longer be reached.
    pub(crate) fn render(&mut self, data: &mut MjData<Box<MjModel>>, stamp: Stamp) -> Result<Frame, ScreenError> {
        self.compose(data);
        let viewport =
            MjrRectangle { left: 0, bottom: 0, width: self.size.width as i32, height: self.size.height as i32 };
        let (scene, pixels) = (&mut self.scene, &mut self.bottom_up);
        let context = self.context.as_ref().expect("only dropping takes it");
        self.screen.with(|| {
            scene.render(&viewport, context);
            context.read_pixels(Some(pixels), None, &viewport).expect("there is room for the size that is drawn");
        })?;
        let rows = self.bottom_up.chunks_exact(3 * self.size.width).rev();
        let pixels: Vec<u8> = rows.flatten().copied().collect();
        Ok(Frame::new(stamp, self.size, pixels).expect("as many pixels as the size has"))
    }

    /// Puts what is simulated now, camera and changes into MuJoCo's scene.
    fn compose(&mut self, data: &mut MjData<Box<MjModel>>) {
        let mut free = MjvCamera::new_free(data.model());
        self.scene.update(data, &MjvOption::default(), &MjvPerturb::default(), &mut free);
        // SAFETY: positions, directions, colours; no count or index changes but `matid`, to -1 for none.
        let scene = unsafe { self.scene.ffi_mut() };
        look(&mut scene.camera, &self.view.camera);
        if !self.edited {
            return;
        }
        shine(&mut scene.lights[..scene.nlight as usize], &self.original, &self.view);
        // SAFETY: MuJoCo has written so many geoms.
        let geoms = unsafe { std::slice::from_raw_parts_mut(scene.geoms, scene.ngeom as usize) };
        for geom in geoms {
            let Some(shape) = self.elements.iter().position(|element| *element == (geom.objtype, geom.objid)) else {
                continue;
            };
            let (own, now) = (&self.original.scene.shapes[shape].texture, &self.view.scene.shapes[shape].texture);
            if let (Some(Texture::Plain([r, g, b])), true) = (now, own != now) {
                (geom.matid, geom.rgba) = (-1, [*r, *g, *b, 1.0]);
            }
        }
        let own = self.original.scene.shapes.len();
        for (shape, pose) in self.view.scene.shapes[own..].iter().zip(&self.view.added) {
            let Some((form, size)) = form(&shape.geometry) else { continue };
            let (position, matrix) = (pose.position.map(f64::from), matrix(pose));
            // SAFETY: it gets no material, texture or flex. A full scene leaves it out.
            let _ = unsafe {
                self.scene.try_create_geom(form, Some(size), Some(position), Some(matrix), Some(shape.color))
            };
        }
    }
}

impl Drop for Renderer {
    fn drop(&mut self) {
        let context = self.context.take();
        // Where OpenGL is gone, so is what there was to free.
        let _ = self.screen.with(|| drop(context));
    }
}

/// Both eyes see what the camera does.
fn look(eyes: &mut [mujoco_rs::mujoco_c::mjvGLCamera; 2], camera: &Camera) {
    let m = matrix(&camera.pose).map(|number| number as f32);
    let top = NEAR * (0.5 * camera.vertical_fov).tan();
    for eye in eyes {
        eye.pos = camera.pose.position;
        eye.forward = [-m[2], -m[5], -m[8]];
        eye.up = [m[1], m[4], m[7]];
        // A width of 0 lets the picture's own sides decide.
        (eye.frustum_center, eye.frustum_width) = (0.0, 0.0);
        (eye.frustum_bottom, eye.frustum_top) = (-top, top);
        (eye.frustum_near, eye.frustum_far, eye.orthographic) = (NEAR, FAR, 0);
    }
}

/// Turns and dims the lights as the view says.
fn shine(lights: &mut [mujoco_rs::mujoco_c::mjvLight], original: &View, view: &View) {
    let factor: [f32; 3] = std::array::from_fn(|channel| {
        let both = original.scene.lights.iter().zip(&view.scene.lights);
        let mut factors = both.filter(|(own, _)| own.color[channel] > 0.0);
        factors.next().map_or(1.0, |(own, now)| now.color[channel] / own.color[channel])
    });
    let sun = |view: &View| view.scene.lights.iter().find(|light| light.casts_shadow).map(|light| light.direction);
    for light in lights {
        light.diffuse = std::array::from_fn(|channel| light.diffuse[channel] * factor[channel]);
        if light.headlight == 0
            && light.castshadow != 0
            && let (Some(own), Some(direction)) = (sun(original), sun(view))
            && own != direction
        {
            // As far away as it was from what it shines at, so that its shadows stay as sharp.
            let distance = light.pos.iter().map(|part| part * part).sum::<f32>().sqrt();
            light.dir = direction;
            light.pos = direction.map(|part| -distance * part);
        }
    }
}

/// MuJoCo's form and half sizes of a geometry.
fn form(geometry: &Geometry) -> Option<(MjtGeom, [f64; 3])> {
    let (form, size) = match *geometry {
        Geometry::Sphere { radius } => (MjtGeom::mjGEOM_SPHERE, [radius; 3]),
        Geometry::Capsule { radius, half_length } => (MjtGeom::mjGEOM_CAPSULE, [radius, radius, half_length]),
        Geometry::Cylinder { radius, half_length } => (MjtGeom::mjGEOM_CYLINDER, [radius, radius, half_length]),
        Geometry::Box { half_sizes } => (MjtGeom::mjGEOM_BOX, half_sizes),
        Geometry::Mesh { .. } => return None,
    };
    Some((form, size.map(f64::from)))
}

/// The rotation matrix of a pose, row by row.
fn matrix(pose: &Pose) -> [f64; 9] {
    let [x, y, z, w] = pose.rotation.map(f64::from);
    let mut matrix = [0.0; 9];
    mujoco_rs::wrappers::fun::utility::mju_quat_2_mat(&mut matrix, &[w, x, y, z]);
    matrix
}
