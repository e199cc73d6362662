//! A lens out of focus.

use turnkey_core::FrameSize;

/// Gaussian blur with a standard deviation of `sigma` heights. Beyond the edges the picture goes on as it is there.
pub(super) fn blur(size: FrameSize, pixels: &mut [u8], sigma: f32) {
    let kernel = kernel(sigma.clamp(0.0, 1.0) * size.height as f32);
    let stride = 3 * size.width;
    let rows: Vec<f32> = pixels.iter().map(|level| f32::from(*level)).collect();
    let mut blurred = vec![0.0; stride];
    let mut padded = Vec::new();
    for (y, out) in pixels.chunks_exact_mut(stride).enumerate() {
        blurred.fill(0.0);
        for (weight, offset) in kernel.iter().zip(0..) {
            let row = (y + offset).saturating_sub(kernel.len() / 2).min(size.height - 1);
            add(&mut blurred, *weight, &rows[stride * row..][..stride]);
        }
        pad(&blurred, kernel.len() / 2, &mut padded);
        blurred.fill(0.0);
        for (weight, offset) in kernel.iter().zip(0..) {
            add(&mut blurred, *weight, &padded[3 * offset..][..stride]);
        }
        for (level, sum) in out.iter_mut().zip(&blurred) {
            *level = (sum + 0.5) as u8;
        }
    }
}

/// Weights that sum to 1, of an odd number of pixels, up to three standard deviations (px) from the middle.
fn kernel(sigma: f32) -> Vec<f32> {
    let radius = (3.0 * sigma).ceil() as i32;
    let weight = |x: i32| (-0.5 * (x as f32 / sigma.max(1e-6)).powi(2)).exp();
    let weights: Vec<f32> = (-radius..=radius).map(weight).collect();
    let sum: f32 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

fn add(sums: &mut [f32], weight: f32, row: &[f32]) {
    for (sum, level) in sums.iter_mut().zip(row) {
        *sum += weight * level;
    }
}

/// The row with its first and last pixel repeated `radius` times.
fn pad(row: &[f32], radius: usize, padded: &mut Vec<f32>) {
    padded.clear();
    padded.extend(row[..3].iter().cycle().take(3 * radius));
    padded.extend_from_slice(row);
    padded.extend(row[row.len() - 3..].iter().cycle().take(3 * radius));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_blurred_by_nothing_and_one_colour_stays_one_colour() {
        let size = FrameSize { width: 5, height: 4 };
        let clean: Vec<u8> = (0..60).map(|i| i * 4).collect();
        let mut pixels = clean.clone();
        blur(size, &mut pixels, 0.0);
        assert_eq!(pixels, clean);
        let mut white = vec![255; 60];
        blur(size, &mut white, 0.25);
        assert_eq!(white, vec![255; 60]);
    }
}
