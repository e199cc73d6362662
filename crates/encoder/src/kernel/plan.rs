//! What a layer's loops need, worked out once a call: offsets, and weights in the order in which tiles read them.

use super::convolution::Weights;
use super::tile::{LANES, Offsets};
use crate::shape::{ConvLayer, EncoderShape};

/// Pictures that go through all layers together: few enough for the second-level cache, enough to fill tiles
/// where a layer has few pixels. Threads share out blocks, and sums over the batch are taken block by block, so
/// that a result depends on this number and not on that of the threads.
pub(super) const BLOCK: usize = 8;

/// All of an encoder's layers, for one call.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) shape: &'a EncoderShape,
    pub(super) weights: Vec<Weights<'a>>,
    whole: Vec<Geometry>,
    rest: Vec<Geometry>,
    batch: usize,
}

impl<'a> Plan<'a> {
    /// For `batch` pictures and parameters `theta`. On the way back (`backward`) the weights of all layers but the
    /// first are wanted in another order, and those of the first, too, if `input` is.
    pub(super) fn new(shape: &'a EncoderShape, theta: &'a [f32], batch: usize, backward: bool, input: bool) -> Self {
        // Pictures reach the first layer one by one: all of a block's pixels are too many for the cache.
        let geometry = |pictures: usize| -> Vec<Geometry> {
            let layers = shape.layers().iter().enumerate();
            layers.map(|(i, layer)| Geometry::new(layer, if i == 0 { 1 } else { pictures })).collect()
        };
        let layers = shape.layers().iter().enumerate();
        Self {
            shape,
            weights: layers.map(|(i, layer)| Weights::new(layer, theta, backward && (i > 0 || input))).collect(),
            whole: if batch >= BLOCK { geometry(BLOCK) } else { Vec::new() },
            rest: if batch.is_multiple_of(BLOCK) { Vec::new() } else { geometry(batch % BLOCK) },
            batch,
        }
    }

    /// How many blocks there are.
    pub(super) fn blocks(&self) -> usize {
        self.batch.div_ceil(BLOCK)
    }

    /// The pictures of a block, and its layers' offsets.
    pub(super) fn block(&self, index: usize) -> (std::ops::Range<usize>, &[Geometry]) {
        let pictures = index * BLOCK..self.batch.min((index + 1) * BLOCK);
        let geometry = if pictures.len() == BLOCK { &self.whole } else { &self.rest };
        (pictures, geometry)
    }
}

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
