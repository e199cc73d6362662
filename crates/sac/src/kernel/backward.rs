//! From the gradient of outputs to the gradients of parameters and inputs.

use super::forward::HiddenCache;
use super::shape::{Layer, MlpShape};
use turnkey_encoder::matrix::{Matrix, multiply, sum_rows};
use turnkey_encoder::norm::{gain_gradient, through_norm};

/// Which gradients are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// That of the inputs.
    pub(crate) input: bool,
    /// That of the parameters.
    pub(crate) theta: bool,
}

/// One member's gradients: inputs `[batch, inputs]` and parameters, each empty where it isn't wanted.
/// `gradient` is that of the outputs, `[batch, outputs]`.
pub(crate) fn member(
    shape: &MlpShape,
    input: &[f32],
    batch: usize,
    theta: &[f32],
    caches: &[HiddenCache],
    mut gradient: Vec<f32>,
    wanted: Wanted,
) -> (Vec<f32>, Vec<f32>) {
    let layers = shape.layers();
    let mut theta_gradient = if wanted.theta { vec![0.0; shape.member_parameters()] } else { Vec::new() };
    for (i, layer) in layers.iter().enumerate().rev() {
        if layer.hidden {
            through_hidden(layer, &caches[i], theta, &mut gradient, &mut theta_gradient);
        }
        let before = if i == 0 { input } else { &caches[i - 1].activations };
        let out = Matrix::new(&gradient, batch, layer.outputs);
        if wanted.theta {
            let weight = &mut theta_gradient[layer.weight.clone()];
            multiply(weight, Matrix::new(before, batch, layer.inputs).t(), out, false);
            sum_rows(&mut theta_gradient[layer.bias.clone()], &gradient);
        }
        if i == 0 && !wanted.input {
            return (Vec::new(), theta_gradient);
        }
        let mut below = vec![0.0; batch * layer.inputs];
        let weight = Matrix::new(&theta[layer.weight.clone()], layer.inputs, layer.outputs);
        multiply(&mut below, out, weight.t(), false);
        gradient = below;
    }
    (gradient, theta_gradient)
}

/// Takes `gradient` back through the ReLU and, where there is one, the normalisation, in place.
fn through_hidden(layer: &Layer, cache: &HiddenCache, theta: &[f32], gradient: &mut [f32], theta_gradient: &mut [f32]) {
    for (g, a) in gradient.iter_mut().zip(&cache.activations) {
        *g = if *a > 0.0 { *g } else { 0.0 };
    }
    let Some((gain_range, shift_range)) = &layer.norm else { return };
    let gain = &theta[gain_range.clone()];
    if !theta_gradient.is_empty() {
        sum_rows(&mut theta_gradient[shift_range.clone()], gradient);
        gain_gradient(&mut theta_gradient[gain_range.clone()], gradient, &cache.normalised);
    }
    through_norm(gradient, gain, &cache.normalised);
}
