//! Noise of a sensor.

use std::sync::LazyLock;
use turnkey_core::Rng;

const QUANTILES: usize = 4096;

/// The normal distribution as so many numbers that are equally likely: five cost one draw of 64 bits, where a number
/// drawn exactly costs more than all else that happens to a pixel. A level in a byte doesn't tell them apart.
static NORMAL: LazyLock<Box<[f32]>> = LazyLock::new(quantiles);

/// Adds noise of variance `read^2 + shot^2 * level / 255` to every level.
pub(super) fn add(pixels: &mut [u8], shot: f32, read: f32, rng: &mut Rng) {
    let deviations: [f32; 256] = std::array::from_fn(|level| (read * read + shot * shot * level as f32 / 255.0).sqrt());
    let normal: &[f32; QUANTILES] = NORMAL[..].try_into().expect("there are as many quantiles as that");
    for levels in pixels.chunks_mut(5) {
        let mut bits = rng.bits();
        for level in levels {
            let noise = deviations[usize::from(*level)] * normal[bits as usize % QUANTILES];
            *level = (f32::from(*level) + noise + 0.5) as u8;
            bits >>= 12;
        }
    }
}

/// The quantiles of the standard normal distribution at the middles of equal parts, scaled to variance 1.
fn quantiles() -> Box<[f32]> {
    const STEP: f64 = 1e-4;
    let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let mut quantiles = vec![0.0; QUANTILES];
    let (mut x, mut below) = (0.0, 0.5);
    for i in QUANTILES / 2..QUANTILES {
        let wanted = (i as f64 + 0.5) / QUANTILES as f64;
        while below < wanted {
            below += STEP * density(x + 0.5 * STEP);
            x += STEP;
        }
        quantiles[i] = x;
        quantiles[QUANTILES - 1 - i] = -x;
    }
    let variance = quantiles.iter().map(|x| x * x).sum::<f64>() / QUANTILES as f64;
    quantiles.into_iter().map(|x| (x / variance.sqrt()) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_has_the_deviation_that_it_says_at_every_brightness() {
        for level in [64_u8, 128, 192] {
            let mut pixels = vec![level; 60_000];
            add(&mut pixels, 12.0, 5.0, &mut Rng::new(1, "test"));
            let errors: Vec<f64> = pixels.iter().map(|p| f64::from(*p) - f64::from(level)).collect();
            let n = errors.len() as f64;
            let (mean, variance) = (errors.iter().sum::<f64>() / n, errors.iter().map(|e| e * e).sum::<f64>() / n);
            // A twelfth is of rounding to whole levels.
            let wanted = 25.0 + 144.0 * f64::from(level) / 255.0 + 1.0 / 12.0;
            assert!(mean.abs() < 0.2 && (variance / wanted - 1.0).abs() < 0.03, "{level}: {mean} {variance} {wanted}");
        }
    }

    #[test]
    fn a_quantile_is_where_the_tables_have_it() {
        // 97.5 % of the normal distribution is below 1.96.
        let at = NORMAL[QUANTILES * 975 / 1000];
        assert!((at - 1.96).abs() < 0.01, "{at}");
    }
}
