//! The linear map to features, its normalisation and tanh.

use crate::matrix::{Matrix, multiply, sum_rows};
use crate::norm::{Normalised, gain_gradient, normalise, through_norm};
use crate::shape::HeadLayer;

/// What the way back needs.
#[derive(Clone, Debug)]
pub(super) struct HeadCache {
    inputs: Vec<f32>,
    normalised: Normalised,
    outputs: Vec<f32>,
}

/// Features `[batch, features]` of `inputs`, `[batch, inputs]`.
pub(super) fn forward(head: &HeadLayer, theta: &[f32], inputs: Vec<f32>) -> HeadCache {
    let bias = &theta[head.bias.clone()];
    let batch = inputs.len() / head.inputs;
    let mut outputs = bias.repeat(batch);
    let weight = Matrix::new(&theta[head.weight.clone()], head.inputs, bias.len());
    multiply(&mut outputs, Matrix::new(&inputs, batch, head.inputs), weight, true);
    let normalised = normalise(&mut outputs, &theta[head.gain.clone()], &theta[head.shift.clone()]);
    outputs.iter_mut().for_each(|x| *x = x.tanh());
    HeadCache { inputs, normalised, outputs }
}

impl HeadCache {
    /// The features, `[batch, features]`.
    pub(super) fn outputs(&self) -> &[f32] {
        &self.outputs
    }

    /// The gradient of the inputs from that of the features; that of the head's parameters goes to its place in
    /// `theta_gradient`, unless that is empty.
    pub(super) fn backward(
        &self,
        head: &HeadLayer,
        theta: &[f32],
        gradient: &[f32],
        theta_gradient: &mut [f32],
    ) -> Vec<f32> {
        let (features, batch) = (head.bias.len(), self.inputs.len() / head.inputs);
        let mut gradient: Vec<f32> = gradient.iter().zip(&self.outputs).map(|(g, y)| g * (1.0 - y * y)).collect();
        if !theta_gradient.is_empty() {
            sum_rows(&mut theta_gradient[head.shift.clone()], &gradient);
            gain_gradient(&mut theta_gradient[head.gain.clone()], &gradient, &self.normalised);
        }
        through_norm(&mut gradient, &theta[head.gain.clone()], &self.normalised);
        let out = Matrix::new(&gradient, batch, features);
        if !theta_gradient.is_empty() {
            let weight = &mut theta_gradient[head.weight.clone()];
            multiply(weight, Matrix::new(&self.inputs, batch, head.inputs).t(), out, false);
            sum_rows(&mut theta_gradient[head.bias.clone()], &gradient);
        }
        let mut below = vec![0.0; self.inputs.len()];
        multiply(&mut below, out, Matrix::new(&theta[head.weight.clone()], head.inputs, features).t(), false);
        below
    }
}
