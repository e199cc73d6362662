//! What the fused operation computes, composed of burn's own: for the devices that the kernels don't run on, and the
//! definition that a test holds the kernels to.

use crate::norm::NORM_EPSILON;
use crate::shape::{Conv, EncoderShape};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use std::ops::Range;

/// Features `[batch, features]` of pictures `[batch, height * width * channels]`.
pub(crate) fn encode(input: Tensor<2>, theta: Tensor<1>, shape: &EncoderShape) -> Tensor<2> {
    let batch = input.dims()[0];
    let part = |range: &Range<usize>| theta.clone().narrow(0, range.start, range.len());
    let [height, width] = shape.convs()[0].input;
    let mut x = input.reshape([batch, height, width, shape.convs()[0].channels]).permute([0, 3, 1, 2]);
    for Conv { channels, filters, kernel, stride, pool, weight, bias, .. } in shape.convs() {
        let weight = part(weight).reshape([*kernel, *kernel, *channels, *filters]).permute([3, 2, 0, 1]);
        let options = ConvOptions::new([*stride; 2], [0, 0], [1, 1], 1);
        x = relu(conv2d(x, weight, Some(part(bias)), options));
        if *pool > 1 {
            x = max_pool2d(x, MaxPoolOptions::new([*pool; 2]));
        }
    }
    let flat = x.permute([0, 2, 3, 1]).reshape([batch, shape.flat()]);
    let Some(head) = shape.head() else { return flat };
    let row = |range: &Range<usize>| part(range).reshape([1, head.features]);
    let x = flat.matmul(part(&head.weight).reshape([shape.flat(), head.features])) + row(&head.bias);
    let centred = x.clone() - x.mean_dim(1);
    let variance = centred.clone().square().mean_dim(1);
    (centred / (variance + NORM_EPSILON).sqrt() * row(&head.gain) + row(&head.shift)).tanh()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EncoderName;
    use burn::tensor::{Device, TensorData};
    use std::sync::Arc;
    use turnkey_core::{FrameSize, PictureShape, Rng};

    fn assert_close(what: &str, fused: Tensor<1>, composed: Tensor<1>) {
        let [fused, composed]: [Vec<f32>; 2] = [fused, composed].map(|t| t.into_data().try_to_vec().unwrap());
        assert_eq!(fused.len(), composed.len(), "{what}");
        let scale = composed.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        for (i, (f, c)) in fused.iter().zip(&composed).enumerate() {
            assert!((f - c).abs() <= 3e-5 * scale, "{what}[{i}]: {f} fused, {c} composed");
        }
    }

    fn draw<const D: usize>(seed: u64, dims: [usize; D], scale: f32) -> Tensor<D> {
        let mut out = vec![0.0; dims.iter().product()];
        Rng::new(seed, "composed").fill_normal(&mut out);
        out.iter_mut().for_each(|x| *x *= scale);
        Tensor::from_data(TensorData::new(out, dims), &Device::flex())
    }

    #[test]
    fn the_kernels_give_what_burn_composes_and_so_do_their_gradients() {
        let batch = 11;
        for name in [EncoderName::Fast, EncoderName::Paper, EncoderName::Drq] {
            let pictures = PictureShape { size: FrameSize { width: 36, height: 33 }, stack: 2 };
            let shape = Arc::new(name.fit(pictures).unwrap());
            let parameters = shape.draw(&mut Rng::new(1, "encoder"));
            let theta = Tensor::<1>::from_data(TensorData::new(parameters, [shape.parameters()]), &Device::flex());
            let theta = theta + draw(2, [shape.parameters()], 0.02);
            let weigh = draw(3, [batch, shape.features()], 1.0);
            let [fused, composed] = [true, false].map(|fused| {
                let input = Tensor::from_inner(draw(4, [batch, shape.inputs()], 0.4)).require_grad();
                let theta = Tensor::from_inner(theta.clone()).require_grad();
                let out = match fused {
                    true => crate::encode(input.clone(), theta.clone(), &shape),
                    false => encode(input.clone(), theta.clone(), &shape),
                };
                let mut gradients = (out.clone() * Tensor::from_inner(weigh.clone())).sum().backward();
                let dx = input.grad_remove(&mut gradients).unwrap();
                [out.inner().flatten(0, 1), dx.flatten(0, 1), theta.grad_remove(&mut gradients).unwrap()]
            });
            let names = ["features", "pictures' gradient", "parameters' gradient"];
            for (what, (fused, composed)) in names.into_iter().zip(fused.into_iter().zip(composed)) {
                assert_close(&format!("{name:?}, {what}"), fused, composed);
            }
        }
    }
}
