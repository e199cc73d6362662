//! Samples to colours, and those to pixels.

use super::look::Look;
use super::raster::{Canvas, NOTHING, Sample, Seen, View};
use super::vector::{Vector, dot, scale, sub, unit};
use turnkey_core::{FrameSize, Light, Rng, Texture};

/// How much farther from the light than what casts a shadow a point must be to lie in it, m.
const SHADOW_MARGIN: f32 = 0.007;

/// What a shape's surface looks like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Surface<'a> {
    Plain(Vector),
    Textured(&'a Texture),
}

/// Everything that decides what a sample looks like.
pub(super) struct Shader<'a> {
    pub(super) look: &'a Look,
    pub(super) camera: &'a View,
    pub(super) sun: Option<&'a View>,
    pub(super) shadows: &'a Canvas,
    /// By mark.
    pub(super) surfaces: &'a [Surface<'a>],
}

impl Shader<'_> {
    /// The picture, each pixel the mean of `samples` by `samples`.
    pub(super) fn resolve(&self, canvas: &Canvas, size: FrameSize, samples: usize) -> Vec<u8> {
        let mut pixels = Vec::with_capacity(size.bytes());
        let share = 255.0 / (samples * samples) as f32;
        for y in 0..size.height {
            for x in 0..size.width {
                let mut sum = [0.0; 3];
                for at in 0..samples * samples {
                    let (x, y) = (x * samples + at % samples, y * samples + at / samples);
                    let color = self.color(canvas, canvas.sample(x, y), x, y);
                    (0..3).for_each(|i| sum[i] += color[i].clamp(0.0, 1.0));
                }
                pixels.extend(sum.map(|part| (share * part + 0.5) as u8));
            }
        }
        pixels
    }

    fn color(&self, canvas: &Canvas, sample: &Sample, x: usize, y: usize) -> Vector {
        let [x, y] = [x, y].map(|at| at as f32 + 0.5);
        if sample.mark == NOTHING {
            let height = canvas.height() as f32;
            return texture(&self.look.background, [x / height, y / height]);
        }
        let point = self.camera.point(Seen { x, y, depth: canvas.depth(sample) });
        let color = match self.surfaces[usize::from(sample.mark)] {
            Surface::Plain(color) => color,
            Surface::Textured(cover) => texture(cover, [point[0], point[1]]),
        };
        let light = self.light(unit(sample.normal), point);
        std::array::from_fn(|i| color[i] * light[i])
    }

    /// What reaches a point of a surface, as a part of its colour that is sent back (Lambert).
    fn light(&self, normal: Vector, point: Vector) -> Vector {
        let mut sum = self.look.ambient;
        for light in &self.look.lights {
            let facing = -dot(normal, light.direction);
            if facing > 0.0 && !(light.casts_shadow && self.in_shadow(point, light, facing)) {
                (0..3).for_each(|i| sum[i] += facing * light.color[i]);
            }
        }
        sum
    }

    fn in_shadow(&self, point: Vector, light: &Light, facing: f32) -> bool {
        let Some(sun) = self.sun else { return false };
        // A grazing light passes over more of the surface within one sample of the map.
        let lifted = sub(point, scale(light.direction, SHADOW_MARGIN * (1.0 + (1.0 - facing))));
        let Seen { x, y, depth } = sun.see(lifted);
        let within = |at: f32, end: usize| (at >= 0.0 && at < end as f32).then_some(at as usize);
        let (Some(x), Some(y)) = (within(x, self.shadows.width()), within(y, self.shadows.height())) else {
            return false;
        };
        let sample = self.shadows.sample(x, y);
        sample.mark != NOTHING && depth > self.shadows.depth(sample)
    }
}

/// A texture's colour at a place on it.
fn texture(texture: &Texture, [u, v]: [f32; 2]) -> Vector {
    match texture {
        Texture::Plain(color) => *color,
        Texture::Checker { colors, period } => {
            let odd = ((u / period).floor() + (v / period).floor()).rem_euclid(2.0);
            colors[usize::from(odd >= 1.0)]
        }
        Texture::Noise { colors: [a, b], period, seed } => {
            let share = noise(u / period, v / period, *seed);
            std::array::from_fn(|i| a[i] + share * (b[i] - a[i]))
        }
        Texture::Picture(frame) => {
            let FrameSize { width, height } = frame.size();
            let at = |place: f32, end: usize| ((place.rem_euclid(1.0) * end as f32) as usize).min(end - 1);
            let pixel = 3 * (at(v, height) * width + at(u, width));
            std::array::from_fn(|i| f32::from(frame.pixels()[pixel + i]) / 255.0)
        }
    }
}

/// Smooth noise, 0 to 1, with a random number at each whole place.
fn noise(u: f32, v: f32, seed: u64) -> f32 {
    let ([x, y], [fx, fy]) = ([u.floor(), v.floor()], [u - u.floor(), v - v.floor()]);
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let at = |dx: i64, dy: i64| {
        let [x, y] = [x as i64 + dx, y as i64 + dy].map(|at| at as u64);
        let place = x.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ y.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        Rng::new(seed ^ place, "texture").unit() as f32
    };
    let (tx, ty) = (ease(fx), ease(fy));
    let row = |dy: i64| at(0, dy) + tx * (at(1, dy) - at(0, dy));
    row(0) + ty * (row(1) - row(0))
}
