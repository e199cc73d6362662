//! From inputs to outputs, keeping what the way back needs.

use super::shape::{Layer, MlpShape};
use turnkey_encoder::matrix::{Matrix, multiply};
use turnkey_encoder::norm::{Normalised, normalise};

/// What one hidden layer leaves for the backward pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct HiddenCache {
    /// After the ReLU, `[batch, width]`.
    pub(crate) activations: Vec<f32>,
    /// What layer normalisation leaves; empty without it.
    pub(crate) normalised: Normalised,
}

/// One member's outputs `[batch, outputs]` and caches, one a hidden layer.
pub(crate) fn member(shape: &MlpShape, input: &[f32], batch: usize, theta: &[f32]) -> (Vec<f32>, Vec<HiddenCache>) {
    let mut caches: Vec<HiddenCache> = Vec::with_capacity(shape.hidden.len());
    for layer in shape.layers() {
        let previous = caches.last().map_or(input, |cache| cache.activations.as_slice());
        let mut out = linear(&layer, previous, batch, theta);
        if !layer.hidden {
            return (out, caches);
        }
        let mut cache = HiddenCache::default();
        if let Some((gain, shift)) = &layer.norm {
            cache.normalised = normalise(&mut out, &theta[gain.clone()], &theta[shift.clone()]);
        }
        out.iter_mut().for_each(|x| *x = x.max(0.0));
        cache.activations = out;
        caches.push(cache);
    }
    unreachable!("a network's last layer is not hidden")
}

/// `input W + b`, `[batch, outputs]`.
fn linear(layer: &Layer, input: &[f32], batch: usize, theta: &[f32]) -> Vec<f32> {
    let bias = &theta[layer.bias.clone()];
    let mut out = Vec::with_capacity(batch * layer.outputs);
    for _ in 0..batch {
        out.extend_from_slice(bias);
    }
    let weight = Matrix::new(&theta[layer.weight.clone()], layer.inputs, layer.outputs);
    multiply(&mut out, Matrix::new(input, batch, layer.inputs), weight, true);
    out
}
