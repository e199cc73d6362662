//! A camera that was bumped.

use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;
use turnkey_core::{FrameSize, Rng};

/// A picture turned, moved and zoomed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Bump {
    /// Clockwise, rad.
    rotation: f32,
    /// Right and down, heights.
    shift: [f32; 2],
    /// Factor on everything's size.
    zoom: f32,
}

impl Bump {
    /// Draws the direction of each; how much is given.
    pub(super) fn draw(rotation: f32, translation: f32, zoom: f32, rng: &mut Rng) -> Self {
        let heading = rng.uniform(0.0, TAU) as f32;
        let mut either = |plus: f32, minus: f32| if rng.unit() < 0.5 { plus } else { minus };
        Self {
            rotation: either(rotation, -rotation),
            shift: [translation * heading.cos(), translation * heading.sin()],
            zoom: either(1.0 + zoom, 1.0 / (1.0 + zoom)),
        }
    }

    pub(super) fn apply(&self, size: FrameSize, pixels: &mut [u8]) {
        let source = pixels.to_vec();
        let height = size.height as f32;
        let middle = [0.5 * size.width as f32, 0.5 * height];
        // From what is seen back to where it was before: turned back, and nearer to the middle by the zoom.
        let (sin, cos) = (self.rotation.sin() / self.zoom, self.rotation.cos() / self.zoom);
        for (y, row) in pixels.chunks_exact_mut(3 * size.width).enumerate() {
            let v = y as f32 + 0.5 - middle[1] - height * self.shift[1];
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                let u = x as f32 + 0.5 - middle[0] - height * self.shift[0];
                let from = [middle[0] + cos * u + sin * v - 0.5, middle[1] + cos * v - sin * u - 0.5];
                sample(&source, size, from, pixel);
            }
        }
    }
}

/// The picture between its pixels' middles, bilinearly, to 1/256 of a pixel; beyond its edges, as it is there.
fn sample(pixels: &[u8], size: FrameSize, [x, y]: [f32; 2], out: &mut [u8]) {
    let (left, right, across) = between(x, size.width);
    let (top, bottom, down) = between(y, size.height);
    let at = |x: usize, y: usize| pixels[3 * (size.width * y + x)..].first_chunk::<3>().unwrap_or(&[0; 3]);
    let [a, b, c, d] = [at(left, top), at(right, top), at(left, bottom), at(right, bottom)];
    for (channel, level) in out.iter_mut().enumerate() {
        let mix = |a: u8, b: u8| u32::from(a) * (256 - across) + u32::from(b) * across;
        let sum = mix(a[channel], b[channel]) * (256 - down) + mix(c[channel], d[channel]) * down;
        *level = ((sum + (1 << 15)) >> 16) as u8;
    }
}

/// The pixels on both sides of a place along a side, and how far it is on the way between them, in 256ths.
fn between(place: f32, pixels: usize) -> (usize, usize, u32) {
    let place = (256.0 * place.clamp(0.0, (pixels - 1) as f32) + 0.5) as i32;
    let before = (place >> 8) as usize;
    (before, (before + 1).min(pixels - 1), (place & 255) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: FrameSize = FrameSize { width: 6, height: 4 };

    fn bumped(bump: Bump, pixels: &[u8]) -> Vec<u8> {
        let mut pixels = pixels.to_vec();
        bump.apply(SIZE, &mut pixels);
        pixels
    }

    #[test]
    fn no_bump_changes_nothing_and_a_shift_by_a_pixel_moves_pixels() {
        let clean: Vec<u8> = (0..72).map(|i| i * 3).collect();
        assert_eq!(bumped(Bump { rotation: 0.0, shift: [0.0; 2], zoom: 1.0 }, &clean), clean);
        let moved = bumped(Bump { rotation: 0.0, shift: [0.25, 0.0], zoom: 1.0 }, &clean);
        for (moved, clean) in moved.chunks(18).zip(clean.chunks(18)) {
            assert_eq!((&moved[..3], &moved[3..]), (&clean[..3], &clean[..15]));
        }
    }

    #[test]
    fn half_a_turn_turns_the_picture_upside_down() {
        let clean: Vec<u8> = (0..24).flat_map(|i| [i * 10; 3]).collect();
        let turned = bumped(Bump { rotation: std::f32::consts::PI, shift: [0.0; 2], zoom: 1.0 }, &clean);
        let reversed: Vec<u8> = clean.iter().rev().copied().collect();
        assert!(turned.iter().zip(&reversed).all(|(a, b)| a.abs_diff(*b) <= 1), "{turned:?}");
    }
}
