//! A block of pictures through all convolutions, forward and backward.

use super::geometry::Geometry;
use super::plan::Plan;
use super::tile::LANES;
use super::{Input, Wanted, convolution, pool};
use crate::matrix::add_rows;
use crate::shape::ConvLayer;

/// What one convolution leaves for the way back, `[pictures, height, width, filters]`.
#[derive(Clone, Debug)]
struct Activations {
    /// After the ReLU and pooling.
    values: Vec<f32>,
    /// Where each of them was before pooling; empty without.
    winners: Vec<u32>,
}

/// What a block's convolutions leave for the way back.
#[derive(Clone, Debug)]
pub(super) struct BlockCache(Vec<Activations>);

impl BlockCache {
    /// The last convolution's output, `[pictures, flat]`.
    pub(super) fn outputs(&self) -> &[f32] {
        self.0.last().map_or(&[], |last| &last.values)
    }
}

fn numbers(dims: [usize; 3]) -> usize {
    dims.iter().product()
}

/// Block number `index` of `input` through all convolutions.
pub(super) fn forward(plan: &Plan<'_>, input: Input<'_>, index: usize) -> BlockCache {
    let (pictures, geometry) = plan.block(index);
    let mut scratch = Vec::new();
    let mut kept: Vec<Activations> = Vec::with_capacity(geometry.len());
    for ((layer, weights), geometry) in plan.shape.layers().iter().zip(&plan.weights).zip(geometry) {
        let size = numbers(layer.convolved);
        let mut convolved = vec![0.0; pictures.len() * size];
        match kept.last() {
            Some(below) => convolution::forward(geometry, weights, &below.values, &mut convolved),
            None => {
                for (picture, out) in pictures.clone().zip(convolved.chunks_exact_mut(size)) {
                    let seen = input.picture(picture, plan.shape.inputs(), &mut scratch);
                    convolution::forward(geometry, weights, seen, out);
                }
            }
        }
        kept.push(pooled(layer, convolved));
    }
    BlockCache(kept)
}

fn pooled(layer: &ConvLayer, convolved: Vec<f32>) -> Activations {
    if layer.convolution.pool == 1 {
        return Activations { values: convolved, winners: Vec::new() };
    }
    let (values, winners) = pool::forward(layer, &convolved);
    Activations { values, winners }
}

/// From the gradient of the last convolution's output, `[pictures, flat]`, to those of all convolutions'
/// parameters and of the pictures, each empty where it isn't wanted.
pub(super) fn backward(
    plan: &Plan<'_>,
    input: Input<'_>,
    index: usize,
    cache: &BlockCache,
    gradient: &[f32],
    wanted: Wanted,
) -> (Vec<f32>, Vec<f32>) {
    let (pictures, geometry) = plan.block(index);
    let (layers, size) = (plan.shape.layers(), plan.shape.inputs());
    let parameters = layers.last().map_or(0, |layer| layer.bias.end);
    let mut theta_gradient = if wanted.theta { vec![0.0; parameters] } else { Vec::new() };
    let mut gradient = gradient.to_vec();
    for (i, layer) in layers.iter().enumerate().skip(1).rev() {
        let above = through_relu(layer, &cache.0[i], &gradient);
        let below = &cache.0[i - 1].values;
        if wanted.theta {
            parameter_gradient(layer, &geometry[i], below, &above, &mut theta_gradient);
        }
        gradient = vec![0.0; below.len()];
        convolution::input_gradient(&geometry[i], &plan.weights[i], &above, &mut gradient);
    }
    let (layer, above) = (&layers[0], through_relu(&layers[0], &cache.0[0], &gradient));
    let mut input_gradient = vec![0.0; if wanted.input { pictures.len() * size } else { 0 }];
    let mut scratch = Vec::new();
    for (i, picture) in pictures.enumerate() {
        let own = &above[i * numbers(layer.convolved)..][..numbers(layer.convolved) + LANES];
        if wanted.theta {
            let seen = input.picture(picture, size, &mut scratch);
            parameter_gradient(layer, &geometry[0], seen, own, &mut theta_gradient);
        }
        if wanted.input {
            let out = &mut input_gradient[i * size..][..size];
            convolution::input_gradient(&geometry[0], &plan.weights[0], &own[..own.len() - LANES], out);
        }
    }
    (theta_gradient, input_gradient)
}

/// The gradient of a convolution before pooling and ReLU, `[pictures, height, width, filters]`, with [`LANES`] zeros
/// behind it for tiles that read on.
fn through_relu(layer: &ConvLayer, activations: &Activations, gradient: &[f32]) -> Vec<f32> {
    let values = &activations.values;
    let passed = gradient.iter().zip(values).map(|(g, value)| if *value > 0.0 { *g } else { 0.0 });
    if layer.convolution.pool == 1 {
        let mut above = Vec::with_capacity(values.len() + LANES);
        above.extend(passed);
        above.resize(values.len() + LANES, 0.0);
        return above;
    }
    let pictures = values.len() / numbers(layer.output);
    let mut above = vec![0.0; pictures * numbers(layer.convolved) + LANES];
    pool::backward(passed, &activations.winners, &mut above);
    above
}

/// Adds a layer's gradients of weight and bias to their places.
fn parameter_gradient(layer: &ConvLayer, geometry: &Geometry, below: &[f32], above: &[f32], out: &mut [f32]) {
    let filters = layer.convolution.filters;
    convolution::weight_gradient(geometry, filters, below, above, &mut out[layer.weight.clone()]);
    add_rows(&mut out[layer.bias.clone()], &above[..above.len() - LANES]);
}
