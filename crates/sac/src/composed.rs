//! What the fused operations compute, composed of burn's own: for the devices that the kernels don't run
//! on, and the definition that a test holds the kernels to.

use crate::kernel::{AdamStep, MlpShape};
use burn::tensor::{Tensor, activation::relu};
use std::ops::Range;
use turnkey_encoder::norm::NORM_EPSILON;

/// Outputs `[batch, members * outputs]` of an ensemble for inputs `[batch, inputs]` and flat parameters.
pub(crate) fn mlp(input: Tensor<2>, theta: Tensor<1>, shape: &MlpShape) -> Tensor<2> {
    let [batch, inputs] = input.dims();
    let theta = theta.reshape([shape.members, shape.member_parameters()]);
    let part = |range: &Range<usize>, rows: usize| -> Tensor<3> {
        theta.clone().narrow(1, range.start, range.len()).reshape([shape.members, rows, range.len() / rows])
    };
    let mut x = input.reshape([1, batch, inputs]).repeat_dim(0, shape.members);
    for layer in shape.layers() {
        x = x.matmul(part(&layer.weight, layer.inputs)) + part(&layer.bias, 1);
        if let Some((gain, shift)) = &layer.norm {
            let centred = x.clone() - x.mean_dim(2);
            let variance = centred.clone().square().mean_dim(2);
            x = centred / (variance + NORM_EPSILON).sqrt() * part(gain, 1) + part(shift, 1);
        }
        if layer.hidden {
            x = relu(x);
        }
    }
    x.swap_dims(0, 1).reshape([batch, shape.members * shape.outputs])
}

/// One Adam step: parameters, first and second moment.
pub(crate) fn adam([theta, m, v]: [Tensor<1>; 3], gradient: Tensor<1>, step: AdamStep) -> [Tensor<1>; 3] {
    let (rate, root) = step.corrections();
    let m = m * step.beta1 + gradient.clone() * (1.0 - step.beta1);
    let v = v * step.beta2 + gradient.square() * (1.0 - step.beta2);
    let theta = theta - m.clone() * rate / (v.clone().sqrt() / root + step.epsilon);
    [theta, m, v]
}

/// `tau * source + (1 - tau) * target`.
pub(crate) fn average(target: Tensor<1>, source: Tensor<1>, tau: f64) -> Tensor<1> {
    source * tau + target * (1.0 - tau)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops;
    use burn::tensor::{Device, TensorData};
    use std::sync::Arc;
    use turnkey_core::Rng;

    fn assert_close(what: &str, fused: Tensor<1>, composed: Tensor<1>) {
        let [fused, composed]: [Vec<f32>; 2] = [fused, composed].map(|t| t.into_data().try_to_vec().unwrap());
        assert_eq!(fused.len(), composed.len(), "{what}");
        let scale = composed.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        for (i, (f, c)) in fused.iter().zip(&composed).enumerate() {
            assert!((f - c).abs() <= 2e-5 * scale, "{what}[{i}]: {f} fused, {c} composed");
        }
    }

    /// Normal numbers, the same for the same `seed`.
    fn draw<const D: usize>(seed: u64, dims: [usize; D]) -> Tensor<D> {
        let mut out = vec![0.0; dims.iter().product()];
        Rng::new(seed, "composed").fill_normal(&mut out);
        Tensor::from_data(TensorData::new(out, dims), &Device::flex())
    }

    #[test]
    fn the_kernels_give_what_burn_composes_and_so_do_their_gradients() {
        for layer_norm in [false, true] {
            let shape = Arc::new(MlpShape { inputs: 5, hidden: vec![16, 12], outputs: 2, layer_norm, members: 3 });
            let weigh = draw(3, [7, 6]);
            let [fused, composed] = [true, false].map(|fused| {
                let input = Tensor::from_inner(draw(1, [7, 5])).require_grad();
                let theta = Tensor::from_inner(draw(2, [shape.parameters()])).require_grad();
                // On this device the operations are the fused ones.
                let run = if fused { ops::mlp } else { |input, theta, shape: &Arc<_>| mlp(input, theta, shape) };
                let out = run(input.clone(), theta.clone(), &shape);
                let mut gradients = (out.clone() * Tensor::from_inner(weigh.clone())).sum().backward();
                let dx = input.grad_remove(&mut gradients).unwrap();
                [out.inner().flatten(0, 1), dx.flatten(0, 1), theta.grad_remove(&mut gradients).unwrap()]
            });
            let names = ["outputs", "inputs' gradient", "parameters' gradient"];
            for (name, (fused, composed)) in names.into_iter().zip(fused.into_iter().zip(composed)) {
                assert_close(name, fused, composed);
            }
        }
    }

    #[test]
    fn the_optimisers_kernels_give_what_burn_composes() {
        let numbers = |seed| draw(seed, [50]);
        let step = AdamStep { learning_rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 3 };
        let start = || [numbers(4), numbers(6), numbers(7).square()];
        let (fused, composed) = (ops::adam(start(), numbers(5), step), adam(start(), numbers(5), step));
        for (fused, composed) in fused.into_iter().zip(composed) {
            assert_close("adam", fused, composed);
        }
        let fused = ops::average(numbers(8), numbers(9), 0.3);
        assert_close("average", fused, average(numbers(8), numbers(9), 0.3));
    }
}
