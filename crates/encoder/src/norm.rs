//! Layer normalisation (arXiv:1607.06450) of rows in flat memory, forward and backward.

use crate::matrix::lane_sum;

/// Added to the variance in layer normalisation, as PyTorch does.
pub const NORM_EPSILON: f32 = 1e-5;

/// What normalising leaves for the way back.
#[derive(Clone, Debug, Default)]
pub struct Normalised {
    /// Before gain and shift, `[rows, width]`.
    pub values: Vec<f32>,
    /// One over each row's deviation, `[rows]`.
    pub inverse_deviation: Vec<f32>,
}

/// Normalises each row of `rows` in place and applies gain and shift, each of a row's width.
pub fn normalise(rows: &mut [f32], gain: &[f32], shift: &[f32]) -> Normalised {
    let width = gain.len();
    let mut values = vec![0.0; rows.len()];
    let mut inverse_deviation = Vec::with_capacity(rows.len() / width);
    for (row, kept) in rows.chunks_exact_mut(width).zip(values.chunks_exact_mut(width)) {
        let mean = lane_sum(width, |i| row[i]) / width as f32;
        let variance = lane_sum(width, |i| (row[i] - mean) * (row[i] - mean)) / width as f32;
        let inverse = 1.0 / (variance + NORM_EPSILON).sqrt();
        for i in 0..width {
            kept[i] = (row[i] - mean) * inverse;
            row[i] = kept[i] * gain[i] + shift[i];
        }
        inverse_deviation.push(inverse);
    }
    Normalised { values, inverse_deviation }
}

/// Adds the gain's gradient under the `gradient` of the outputs, `[rows, width]`, to `out`.
pub fn gain_gradient(out: &mut [f32], gradient: &[f32], normalised: &Normalised) {
    let width = out.len();
    for (row, values) in gradient.chunks_exact(width).zip(normalised.values.chunks_exact(width)) {
        for i in 0..width {
            out[i] += row[i] * values[i];
        }
    }
}

/// Takes the gradient of the outputs, `[rows, width]`, back to that of what was normalised, in place.
pub fn through_norm(gradient: &mut [f32], gain: &[f32], normalised: &Normalised) {
    let width = gain.len();
    let rows = gradient.chunks_exact_mut(width).zip(normalised.values.chunks_exact(width));
    for ((row, values), inverse) in rows.zip(&normalised.inverse_deviation) {
        for i in 0..width {
            row[i] *= gain[i];
        }
        let mean = lane_sum(width, |i| row[i]) / width as f32;
        let along = lane_sum(width, |i| row[i] * values[i]) / width as f32;
        for i in 0..width {
            row[i] = (row[i] - mean - values[i] * along) * inverse;
        }
    }
}
