//! Where a layer's loops find things: offsets, and matrices in the order in which tiles read them.

use super::tile::{LANES, Offsets};
use crate::shape::ConvLayer;

/// A layer's offsets for a number of pictures.
#[derive(Debug)]
pub(super) struct Geometry {
    /// Where, in the input, each pixel of the output begins to see.
    pub(super) pixels: Offsets,
    /// What it sees from there: `kernel` runs of `kernel * channels` neighbours.
    pub(super) places: Offsets,
    /// Length of such a run.
    pub(super) run: usize,
}

impl Geometry {
    /// Offsets of one layer for so many pictures, one behind the other.
    pub(super) fn new(layer: &ConvLayer, pictures: usize) -> Self {
        let [height, width, channels] = layer.input;
        let [rows, columns, _] = layer.convolved;
        let (kernel, stride) = (layer.convolution.kernel, layer.convolution.stride);
        let at = |picture: usize, row: usize, column: usize| ((picture * height + row) * width + column) * channels;
        let mut pixels = Vec::with_capacity(pictures * rows * columns);
        for picture in 0..pictures {
            for row in 0..rows {
                pixels.extend((0..columns).map(|column| at(picture, row * stride, column * stride) as u32));
            }
        }
        let run = kernel * channels;
        let places = (0..kernel).flat_map(|row| (0..run).map(move |i| (at(0, row, 0) + i) as u32));
        Self { places: Offsets::new(places.collect()), pixels: Offsets::new(pixels), run }
    }
}

/// `[rows, columns]` cut into strips of [`LANES`] columns, each `[rows, LANES]`, filled up with zeros.
pub(super) fn strips(data: &[f32], columns: usize) -> Vec<f32> {
    let rows = data.len() / columns;
    let mut out = vec![0.0; columns.div_ceil(LANES) * rows * LANES];
    for (strip, packed) in out.chunks_exact_mut(rows * LANES).enumerate() {
        let first = strip * LANES;
        let width = LANES.min(columns - first);
        for (row, packed) in data.chunks_exact(columns).zip(packed.chunks_exact_mut(LANES)) {
            packed[..width].copy_from_slice(&row[first..first + width]);
        }
    }
    out
}

/// The transpose of `[rows, columns]`.
pub(super) fn transposed(data: &[f32], columns: usize) -> Vec<f32> {
    let rows = data.len() / columns;
    let mut out = Vec::with_capacity(data.len());
    for column in 0..columns {
        out.extend((0..rows).map(|row| data[row * columns + column]));
    }
    out
}
