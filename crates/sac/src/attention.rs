//! What the critics look at.

use crate::Sac;
use burn::tensor::{Tensor, TensorData};
use turnkey_core::{Action, Frame, Observation};

/// How strongly the brightest place of an overlay hides what is under it.
const OPACITY: f32 = 0.75;

impl Sac {
    /// How much each pixel of the newest picture moves the smallest Q: the absolute gradient, summed over colours and
    /// smoothed over its neighbours, `[height, width]`, at most 1. `None` without pictures.
    ///
    /// A gradient tells where a small change would matter, not what was recognised (Simonyan et al., arXiv:1312.6034).
    #[must_use]
    pub fn attention(&self, observation: &Observation, action: &Action) -> Option<Vec<f32>> {
        let eyes = self.eyes.as_ref()?;
        let newest = observation.pictures.last()?;
        let (features, pictures) = eyes.traced(&observation.pictures, &self.device);
        let numbers = |numbers: &[f32]| {
            let data = TensorData::new(numbers.to_vec(), [1, numbers.len()]);
            Tensor::<2>::from_inner(Tensor::from_data(data, &self.device))
        };
        let pairs = Tensor::cat(vec![features, numbers(&observation.numbers), numbers(&action.0)], 1);
        let q = self.critics.constant().forward(pairs).min_dim(1).sum();
        let gradient = pictures.grad(&q.backward())?.into_data().try_to_vec::<f32>().ok()?;
        let channels = gradient.len() / (newest.size().width * newest.size().height);
        let pixels = gradient.chunks_exact(channels);
        let strength = pixels.map(|pixel| pixel[channels - 3..].iter().map(|part| part.abs()).sum()).collect();
        let smooth = smooth(strength, newest.size().width);
        let most = smooth.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        Some(smooth.into_iter().map(|x| x / most).collect())
    }

    /// The newest picture in grey, with [`Sac::attention`] over it in red.
    #[must_use]
    pub fn attention_overlay(&self, observation: &Observation, action: &Action) -> Option<Frame> {
        let attention = self.attention(observation, action)?;
        let newest = observation.pictures.last()?;
        let pixels: Vec<u8> = newest
            .pixels()
            .chunks_exact(3)
            .zip(attention)
            .flat_map(|(rgb, strength)| {
                let grey = rgb.iter().map(|part| f32::from(*part)).sum::<f32>() / 3.0;
                [255.0, 40.0, 0.0].map(|red| (grey + OPACITY * strength * (red - grey)) as u8)
            })
            .collect();
        Frame::new(newest.stamp(), newest.size(), pixels).ok()
    }
}

/// Each number's mean with its eight neighbours, in rows of `width`.
fn smooth(values: Vec<f32>, width: usize) -> Vec<f32> {
    let height = values.len() / width.max(1);
    let around = |i: usize, n: usize| i.saturating_sub(1)..(i + 2).min(n);
    (0..values.len())
        .map(|i| {
            let (rows, columns) = (around(i / width, height), around(i % width, width));
            let count = (rows.len() * columns.len()) as f32;
            rows.flat_map(|y| columns.clone().map(move |x| y * width + x)).map(|at| values[at]).sum::<f32>() / count
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_what_is_even_and_spreads_what_is_not() {
        assert_eq!(smooth(vec![2.0; 12], 4), [2.0; 12]);
        let spread = smooth(vec![0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0], 3);
        assert_eq!((spread[4], spread[0]), (1.0, 2.25));
    }
}
