//! A rectangle before the scene.

use super::lay_over;
use serde::{Deserialize, Serialize};
use turnkey_core::{FrameSize, Rng};

/// A rectangle of one colour. It lies wholly within the picture.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Patch {
    fraction: f32,
    /// Heights a second.
    speed: f32,
    /// Width over height of the patch.
    aspect: f32,
    /// Where it is at first, as a part of where it can be.
    place: [f32; 2],
    /// Into which it moves, rad.
    heading: f32,
    /// Red, green, blue, levels of 255.
    color: [f32; 3],
}

impl Patch {
    pub(super) fn draw(fraction: f32, speed: f32, rng: &mut Rng) -> Self {
        let mut uniform = |low: f64, high: f64| rng.uniform(low, high) as f32;
        Self {
            fraction,
            speed,
            aspect: uniform(-1.0, 1.0).exp2(),
            place: [uniform(0.0, 1.0), uniform(0.0, 1.0)],
            heading: uniform(0.0, std::f64::consts::TAU),
            color: std::array::from_fn(|_| uniform(0.0, 255.0)),
        }
    }

    pub(super) fn paint(&self, size: FrameSize, pixels: &mut [u8], seconds: f32) {
        let [left, top, width, height] = self.rectangle(size, seconds);
        for y in covered(top, height, size.height) {
            let in_row = overlap(y, top, height);
            let row = &mut pixels[3 * size.width * y..][..3 * size.width];
            for x in covered(left, width, size.width) {
                lay_over(&mut row[3 * x..3 * x + 3], self.color, in_row * overlap(x, left, width));
            }
        }
    }

    /// Left, top, width and height, px.
    fn rectangle(&self, size: FrameSize, seconds: f32) -> [f32; 4] {
        let (across, down) = (size.width as f32, size.height as f32);
        let area = self.fraction * across * down;
        // As wide as its form says, unless the picture is too narrow, or too low for what remains.
        let width = (area * self.aspect).sqrt().clamp((area / down).min(across), across);
        let height = (area / width.max(1e-6)).min(down);
        let way = self.speed * seconds * down;
        let left = there_and_back(self.place[0] * (across - width) + way * self.heading.cos(), across - width);
        let top = there_and_back(self.place[1] * (down - height) + way * self.heading.sin(), down - height);
        [left, top, width, height]
    }
}

/// Where something is that has gone `way` and turns round at 0 and at `end`.
fn there_and_back(way: f32, end: f32) -> f32 {
    if end <= 0.0 {
        return 0.0;
    }
    let way = way.rem_euclid(2.0 * end);
    way.min(2.0 * end - way)
}

/// The pixels that a stretch from `start` (px) lies on.
fn covered(start: f32, length: f32, pixels: usize) -> std::ops::Range<usize> {
    start as usize..((start + length).ceil() as usize).min(pixels)
}

/// How much of a pixel the stretch covers, 0 to 1.
fn overlap(pixel: usize, start: f32, length: f32) -> f32 {
    let (left, right) = (pixel as f32, pixel as f32 + 1.0);
    (right.min(start + length) - left.max(start)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_covers_the_fraction_that_it_says_wherever_it_is() {
        let size = FrameSize { width: 60, height: 40 };
        for seed in 0..50 {
            for fraction in [0.05, 0.3, 1.0] {
                let mut patch = Patch::draw(fraction, 0.7, &mut Rng::new(seed, "test"));
                patch.color = [255.0; 3];
                let mut pixels = vec![0; size.bytes()];
                patch.paint(size, &mut pixels, seed as f32);
                let covered = pixels.iter().map(|p| f32::from(*p)).sum::<f32>() / (255.0 * size.bytes() as f32);
                assert!((covered - fraction).abs() < 0.003, "{patch:?}: {covered}");
            }
        }
    }

    #[test]
    fn it_moves_at_its_speed() {
        let size = FrameSize { width: 1000, height: 1000 };
        let mut patch = Patch::draw(0.01, 0.2, &mut Rng::new(1, "test"));
        patch.place = [0.5, 0.5];
        let [before, after] = [0.0, 1.0].map(|seconds| patch.rectangle(size, seconds));
        let moved = (after[0] - before[0]).hypot(after[1] - before[1]);
        assert!((moved - 200.0).abs() < 0.1, "{moved}");
    }
}
