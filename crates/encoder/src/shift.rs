//! From bytes to what an encoder is given, moved at random (random shifts: arXiv:2004.13649).

use turnkey_core::{PictureShape, Rng};

/// A byte as an encoder is given it: -0.5 to 0.5.
#[must_use]
pub fn scaled(byte: u8) -> f32 {
    f32::from(byte) * (1.0 / 255.0) - 0.5
}

/// Pictures `[batch, height, width, channels]` as an encoder is given them, those of each row moved by up to `most`
/// pixels along and across, with their edges repeated. The pictures of one row move together.
///
/// # Panics
/// When `pixels` is not a whole number of rows.
#[must_use]
pub fn shift(pixels: &[u8], shape: PictureShape, most: usize, rng: &mut Rng) -> Vec<f32> {
    let (width, height, channels) = (shape.size.width, shape.size.height, shape.channels());
    assert_eq!(pixels.len() % shape.bytes(), 0, "whole rows of pictures");
    let values: [f32; 256] = std::array::from_fn(|byte| scaled(byte as u8));
    let mut out = Vec::with_capacity(pixels.len());
    for picture in pixels.chunks_exact(shape.bytes()) {
        let [down, right] = [0, 1].map(|_| rng.below(2 * most + 1) as isize - most as isize);
        let from = |at: usize, by: isize, end: usize| at.saturating_add_signed(by).min(end - 1);
        for y in 0..height {
            let row = &picture[from(y, down, height) * width * channels..][..width * channels];
            // What lies within the row is one run; beyond it, the edge's pixel is repeated.
            let (first, last) = (from(0, right, width), from(width - 1, right, width));
            let edge = |x: usize| &row[x * channels..(x + 1) * channels];
            let before = usize::try_from(-right).unwrap_or(0).min(width);
            let inside = (last + 1 - first).min(width - before);
            for _ in 0..before {
                out.extend(edge(0).iter().map(|byte| values[usize::from(*byte)]));
            }
            let run = &row[first * channels..(first + inside) * channels];
            out.extend(run.iter().map(|byte| values[usize::from(*byte)]));
            for _ in before + inside..width {
                out.extend(edge(width - 1).iter().map(|byte| values[usize::from(*byte)]));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::FrameSize;

    #[test]
    fn a_shift_repeats_edges_and_moves_all_channels_of_a_row_together() {
        let shape = PictureShape { size: FrameSize { width: 5, height: 4 }, stack: 2 };
        let pixels: Vec<u8> = (0..3 * shape.bytes()).map(|i| (i * 7 % 251) as u8).collect();
        for most in [0, 1, 3, 9] {
            let shifted = shift(&pixels, shape, most, &mut Rng::new(5, "shift"));
            let mut rng = Rng::new(5, "shift");
            let mut expected = Vec::new();
            for row in 0..3 {
                let [down, right] = [0, 1].map(|_| rng.below(2 * most + 1) as isize - most as isize);
                for (y, x) in (0..4_isize).flat_map(|y| (0..5_isize).map(move |x| (y, x))) {
                    let (y, x) = ((y + down).clamp(0, 3) as usize, (x + right).clamp(0, 4) as usize);
                    let at = row * shape.bytes() + (y * 5 + x) * shape.channels();
                    expected.extend(pixels[at..at + shape.channels()].iter().map(|byte| scaled(*byte)));
                }
            }
            assert_eq!(shifted, expected, "up to {most} pixels");
        }
    }
}
