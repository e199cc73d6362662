//! One convolution with its ReLU, on a few pictures: forward, and the gradients of weights and input.

use super::geometry::{Geometry, strips, transposed};
use super::tile::{LANES, Offsets, ROWS, Right, Tiles, accumulate, merge};
use crate::shape::ConvLayer;
use std::ops::Range;

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

/// No sums yet.
const EMPTY: Tiles = [[[0.0; LANES]; ROWS]; 2];

/// Convolution, bias and ReLU: `out`, `[pictures, height, width, filters]`, from `input`.
pub(super) fn forward(geometry: &Geometry, weights: &Weights<'_>, input: &[f32], out: &mut [f32]) {
    let (filters, size) = (weights.bias.len(), geometry.places.values().len() * LANES);
    for (pair, right) in weights.forward.chunks(2 * size).enumerate() {
        let columns = Columns::new(pair * 2 * LANES, filters);
        let mut start = EMPTY;
        for (strip, range) in columns.strips() {
            start[strip].iter_mut().for_each(|row| row[..range.len()].copy_from_slice(&weights.bias[range.clone()]));
        }
        let right = Right { data: right, stride: LANES, second: columns.two().then_some(size) };
        for (i, pixels) in out.chunks_mut(ROWS * filters).enumerate() {
            let mut tiles = start;
            accumulate(&mut tiles, input, &geometry.pixels.rows(i * ROWS), &geometry.places, right);
            for (row, pixel) in pixels.chunks_exact_mut(filters).enumerate() {
                for (strip, range) in columns.strips() {
                    merge(&mut pixel[range], &tiles[strip][row], |_, sum| sum.max(0.0));
                }
            }
        }
    }
}

/// Adds the weights' gradient, `[places, filters]`, to `out`. `gradient` is that of the convolution's output,
/// `[pictures, height, width, filters]`, with [`LANES`] numbers more behind it, whatever they are.
pub(super) fn weight_gradient(geometry: &Geometry, filters: usize, input: &[f32], gradient: &[f32], out: &mut [f32]) {
    for first in (0..filters).step_by(2 * LANES) {
        let columns = Columns::new(first, filters);
        let right = Right { data: &gradient[first..], stride: filters, second: columns.two().then_some(LANES) };
        for (i, places) in out.chunks_mut(ROWS * filters).enumerate() {
            let mut tiles = EMPTY;
            accumulate(&mut tiles, input, &geometry.places.rows(i * ROWS), &geometry.pixels, right);
            for (row, place) in places.chunks_exact_mut(filters).enumerate() {
                for (strip, range) in columns.strips() {
                    merge(&mut place[range], &tiles[strip][row], |out, sum| out + sum);
                }
            }
        }
    }
}

/// Adds the input's gradient to `out`; `gradient` as above.
pub(super) fn input_gradient(geometry: &Geometry, weights: &Weights<'_>, gradient: &[f32], out: &mut [f32]) {
    let filters = weights.bias.len();
    let (pixels, places, run) = (geometry.pixels.values(), geometry.places.values(), geometry.run);
    let size = filters * LANES;
    for (line, strips) in weights.backward.chunks_exact(run.div_ceil(LANES) * size).enumerate() {
        let offset = places[line * run] as usize;
        for (pair, right) in strips.chunks(2 * size).enumerate() {
            let columns = Columns::new(pair * 2 * LANES, run);
            let right = Right { data: right, stride: LANES, second: columns.two().then_some(size) };
            for (i, seen) in pixels.chunks(ROWS).enumerate() {
                let rows = std::array::from_fn(|row| ((i * ROWS + row).min(pixels.len() - 1) * filters) as u32);
                let mut tiles = EMPTY;
                accumulate(&mut tiles, gradient, &rows, &weights.filters, right);
                for (row, pixel) in seen.iter().enumerate() {
                    let seen = &mut out[*pixel as usize + offset..];
                    for (strip, range) in columns.strips() {
                        merge(&mut seen[range], &tiles[strip][row], |out, sum| out + sum);
                    }
                }
            }
        }
    }
}

/// Columns that one pass of tiles is for: a strip, or two where there are as many.
#[derive(Clone, Copy)]
struct Columns {
    first: usize,
    end: usize,
}

impl Columns {
    /// From `first` on, of `all` that there are.
    fn new(first: usize, all: usize) -> Self {
        Self { first, end: all.min(first + 2 * LANES) }
    }

    /// Whether there is a second strip.
    fn two(self) -> bool {
        self.end - self.first > LANES
    }

    /// The strips' numbers and columns.
    #[inline(always)]
    fn strips(self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let strip = move |strip: usize| {
            let first = self.first + strip * LANES;
            (strip, first..self.end.min(first + LANES))
        };
        (0..1 + usize::from(self.two())).map(strip)
    }
}
