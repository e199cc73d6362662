//! Layer normalisation of rows (arXiv:1607.06450), and the way back.

use crate::matrix::lane_sum;

/// Added to the variance, as PyTorch does.
pub const NORM_EPSILON: f32 = 1e-5;

/// Normalises each row of `rows` in place and applies gain and shift. Returns the normalised numbers and one over each
/// row's deviation.
#[must_use]
pub fn normalise(rows: &mut [f32], gain: &[f32], shift: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let width = gain.len();
    let mut normalised = vec![0.0; rows.len()];
    let mut inverse_deviation = Vec::with_capacity(rows.len() / width);
    for (row, kept) in rows.chunks_exact_mut(width).zip(normalised.chunks_exact_mut(width)) {
        let mean = lane_sum(width, |i| row[i]) / width as f32;
        let variance = lane_sum(width, |i| (row[i] - mean) * (row[i] - mean)) / width as f32;
        let inverse = 1.0 / (variance + NORM_EPSILON).sqrt();
        for i in 0..width {
            kept[i] = (row[i] - mean) * inverse;
            row[i] = kept[i] * gain[i] + shift[i];
        }
        inverse_deviation.push(inverse);
    }
    (normalised, inverse_deviation)
}

/// Adds the gradient of the gain: of each column, the sum of gradient times normalised number.
pub fn add_gain_gradient(gain_gradient: &mut [f32], gradient: &[f32], normalised: &[f32]) {
    let width = gain_gradient.len();
    for (row, normalised) in gradient.chunks_exact(width).zip(normalised.chunks_exact(width)) {
        for i in 0..width {
            gain_gradient[i] += row[i] * normalised[i];
        }
    }
}

/// Takes the gradient of normalised rows back to that of the rows before, in place.
pub fn normalise_back(gradient: &mut [f32], gain: &[f32], normalised: &[f32], inverse_deviation: &[f32]) {
    let width = gain.len();
    let rows = gradient.chunks_exact_mut(width).zip(normalised.chunks_exact(width));
    for ((row, normalised), inverse) in rows.zip(inverse_deviation) {
        for i in 0..width {
            row[i] *= gain[i];
        }
        let mean = lane_sum(width, |i| row[i]) / width as f32;
        let along = lane_sum(width, |i| row[i] * normalised[i]) / width as f32;
        for i in 0..width {
            row[i] = (row[i] - mean - normalised[i] * along) * inverse;
        }
    }
}
