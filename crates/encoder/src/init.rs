//! An encoder's first parameters.

use crate::shape::EncoderShape;
use turnkey_core::Rng;

/// Parameters to begin with: weights of convolutions uniform within sqrt(6 / inputs) (He, for the ReLU that
/// follows; arXiv:1502.01852), those of the linear map within sqrt(6 / (inputs + outputs)) (Glorot), biases and
/// shifts 0, gains 1.
#[must_use]
pub fn first_parameters(shape: &EncoderShape, rng: &mut Rng) -> Vec<f32> {
    let mut theta = vec![0.0_f32; shape.parameters()];
    let mut fill = |weights: &mut [f32], width: usize| {
        let bound = (6.0 / width as f64).sqrt();
        weights.iter_mut().for_each(|w| *w = rng.uniform(-bound, bound) as f32);
    };
    for layer in shape.layers() {
        fill(&mut theta[layer.weight.clone()], layer.fan_in());
    }
    if let Some(head) = shape.head() {
        fill(&mut theta[head.weight.clone()], head.inputs + shape.features());
        theta[head.gain].fill(1.0);
    }
    theta
}
