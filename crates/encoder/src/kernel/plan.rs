//! What all layers' loops need, worked out once a call, and how the batch is shared out.

use super::convolution::Weights;
use super::geometry::Geometry;
use crate::shape::EncoderShape;

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
