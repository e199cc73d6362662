//! One convolution with its ReLU, on a few pictures: forward, and the gradients of weights and input.

use super::plan::{Geometry, strips, transposed};
use super::tile::{LANES, Offsets, ROWS, Right, Tile, accumulate, merge};
use crate::shape::ConvLayer;

/// A layer's weights as the forward pass and the input's gradient read them.
#[derive(Debug)]
pub(super) struct Weights<'a> {
    /// Strips of filters, each `[places, LANES]`.
    forward: Vec<f32>,
    bias: &'a [f32],
    /// For each row of the kernel strips of its places, each `[filters, LANES]`; empty where nobody asks.
    backward: Vec<f32>,
    /// Offsets of the filters in a pixel of the output.
    filters: Offsets,
}

impl<'a> Weights<'a> {
    /// The layer's weights in `theta`; those of the way back if it is `wanted`.
    pub(super) fn new(layer: &ConvLayer, theta: &'a [f32], wanted: bool) -> Self {
        let filters = layer.convolution.filters;
        let weight = &theta[layer.weight.clone()];
        let run = layer.convolution.kernel * layer.input[2];
        let row = |row: &[f32]| strips(&transposed(row, filters), run);
        Self {
            forward: strips(weight, filters),
            bias: &theta[layer.bias.clone()],
            backward: if wanted { weight.chunks_exact(run * filters).flat_map(row).collect() } else { Vec::new() },
            filters: Offsets::new((0..filters as u32).collect()),
        }
    }
}

/// Convolution, bias and ReLU: `out`, `[pictures, height, width, filters]`, from `input`.
pub(super) fn forward(geometry: &Geometry, weights: &Weights<'_>, input: &[f32], out: &mut [f32]) {
    let (filters, steps) = (weights.bias.len(), geometry.places.values().len());
    for (strip, right) in weights.forward.chunks_exact(steps * LANES).enumerate() {
        let first = strip * LANES;
        let width = LANES.min(filters - first);
        let mut start = [0.0; LANES];
        start[..width].copy_from_slice(&weights.bias[first..first + width]);
        let right = Right { data: right, stride: LANES };
        for (i, pixels) in out.chunks_mut(ROWS * filters).enumerate() {
            let mut tile: Tile = [start; ROWS];
            accumulate(&mut tile, input, &geometry.pixels.rows(i * ROWS), &geometry.places, right);
            for (pixel, sums) in pixels.chunks_exact_mut(filters).zip(&tile) {
                merge(&mut pixel[first..first + width], sums, |_, sum| sum.max(0.0));
            }
        }
    }
}

/// Adds the weights' gradient, `[places, filters]`, to `out`. `gradient` is that of the convolution's output,
/// `[pictures, height, width, filters]`, with [`LANES`] numbers more behind it, whatever they are.
pub(super) fn weight_gradient(geometry: &Geometry, filters: usize, input: &[f32], gradient: &[f32], out: &mut [f32]) {
    for first in (0..filters).step_by(LANES) {
        let width = LANES.min(filters - first);
        let right = Right { data: &gradient[first..], stride: filters };
        for (i, places) in out.chunks_mut(ROWS * filters).enumerate() {
            let mut tile = [[0.0; LANES]; ROWS];
            accumulate(&mut tile, input, &geometry.places.rows(i * ROWS), &geometry.pixels, right);
            for (place, sums) in places.chunks_exact_mut(filters).zip(&tile) {
                merge(&mut place[first..first + width], sums, |out, sum| out + sum);
            }
        }
    }
}

/// Adds the input's gradient to `out`; `gradient` as above.
pub(super) fn input_gradient(geometry: &Geometry, weights: &Weights<'_>, gradient: &[f32], out: &mut [f32]) {
    let filters = weights.bias.len();
    let (pixels, places) = (geometry.pixels.values(), geometry.places.values());
    let (run, strips_a_run) = (geometry.run, geometry.run.div_ceil(LANES));
    for (strip, right) in weights.backward.chunks_exact(filters * LANES).enumerate() {
        let first = strip % strips_a_run * LANES;
        let (offset, width) = (places[strip / strips_a_run * run] as usize + first, LANES.min(run - first));
        let right = Right { data: right, stride: LANES };
        for (i, seen) in pixels.chunks(ROWS).enumerate() {
            let rows = std::array::from_fn(|row| ((i * ROWS + row).min(pixels.len() - 1) * filters) as u32);
            let mut tile = [[0.0; LANES]; ROWS];
            accumulate(&mut tile, gradient, &rows, &weights.filters, right);
            for (pixel, sums) in seen.iter().zip(&tile) {
                let start = *pixel as usize + offset;
                merge(&mut out[start..start + width], sums, |out, sum| out + sum);
            }
        }
    }
}
