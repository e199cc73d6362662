//! Pictures of a scene, on the CPU.
//!
//! Shapes become triangles once. Each picture is drawn in two steps: triangles into a buffer of depth, shape and normal
//! at twice the picture's resolution (`raster`), and into a shadow map from where the light comes; then every sample is
//! coloured and each four of them become a pixel (`shade`). Nothing is drawn at random and nothing runs in parallel: the
//! same scene gives the same bytes.

mod look;
mod raster;
mod shade;
mod tessellate;
mod vector;

pub(crate) use look::Look;

use raster::{Canvas, View};
use shade::{Shader, Surface};
use tessellate::Solid;
use turnkey_core::{FrameSize, Part, Pose, Scene, Shape};
use vector::{Rotation, Vector, add};

/// Samples along each side of a pixel.
const SAMPLES: usize = 2;
/// Shapes more transparent than this are not drawn: the claw's plate is of acrylic glass.
const LEAST_OPACITY: f32 = 0.9;
/// What the shadow map covers: a ball around the valve, m.
const SHADOW_CENTER: Vector = [0.0, 0.0, 0.12];
const SHADOW_RADIUS: f32 = 0.3;
/// Pixels along each side of the shadow map.
const SHADOW_SIZE: usize = 160;

/// Draws one scene, again and again.
pub(crate) struct Renderer {
    size: FrameSize,
    solids: Vec<Option<Solid>>,
    canvas: Canvas,
    shadows: Canvas,
    placed: Placed,
}

/// A solid's corners and their normals in the world.
#[derive(Default)]
struct Placed {
    corners: Vec<Vector>,
    normals: Vec<Vector>,
}

impl Placed {
    fn put(&mut self, solid: &Solid, pose: &Pose) {
        let rotation = Rotation::from_quaternion(pose.rotation);
        self.corners.clear();
        self.normals.clear();
        self.corners.extend(solid.corners.iter().map(|corner| add(rotation.apply(*corner), pose.position)));
        self.normals.extend(solid.normals.iter().map(|normal| rotation.apply(*normal)));
    }
}

impl Renderer {
    /// A renderer of a scene in pictures of this size.
    pub(crate) fn new(scene: &Scene, size: FrameSize) -> Self {
        let solid = |shape: &Shape| (shape.color[3] >= LEAST_OPACITY).then(|| Solid::new(&shape.geometry));
        Self {
            size,
            solids: scene.shapes.iter().map(solid).collect(),
            canvas: Canvas::new(SAMPLES * size.width, SAMPLES * size.height),
            shadows: Canvas::new(SHADOW_SIZE, SHADOW_SIZE),
            placed: Placed::default(),
        }
    }

    /// The size of its pictures.
    pub(crate) fn size(&self) -> FrameSize {
        self.size
    }

    /// The pixels, `[height, width, 3]`, of the scene with its shapes at `poses`, looking as `look` says.
    pub(crate) fn draw(&mut self, scene: &Scene, poses: &[Pose], look: &Look) -> Vec<u8> {
        let Self { size, solids, canvas, shadows, placed } = self;
        let camera = View::perspective(&look.camera, canvas.width(), canvas.height());
        let sun = look.lights.iter().find(|light| light.casts_shadow);
        let sun = sun.map(|light| View::parallel(light.direction, SHADOW_CENTER, SHADOW_RADIUS, SHADOW_SIZE));
        canvas.clear();
        shadows.clear();
        let shapes = scene.shapes.iter().zip(solids.iter()).zip(poses);
        let shapes =
            shapes.filter_map(|((shape, solid), pose)| Some((solid.as_ref()?, pose, look.surface(shape), shape.part)));
        let objects = look.objects.iter().map(|object| (&object.solid, &object.pose, object.surface(), Part::Other));
        let mut surfaces: Vec<Surface<'_>> = Vec::with_capacity(solids.len() + look.objects.len());
        for (solid, pose, surface, part) in shapes.chain(objects) {
            placed.put(solid, pose);
            let mark = surfaces.len() as u16;
            surfaces.push(surface);
            canvas.draw(&camera, mark, &placed.corners, &placed.normals, &solid.triangles);
            // What everything stands on casts no shadow that can be seen.
            if let Some(sun) = sun.as_ref().filter(|_| part != Part::Table) {
                shadows.draw(sun, mark, &placed.corners, &placed.normals, &solid.triangles);
            }
        }
        let shader = Shader { look, camera: &camera, sun: sun.as_ref(), shadows, surfaces: &surfaces };
        shader.resolve(canvas, *size, SAMPLES)
    }
}
