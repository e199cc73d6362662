//! What the fused operation computes, composed of burn's own: for the devices that the kernels don't run on, and
//! the definition that a test holds the kernels to.

use crate::norm::NORM_EPSILON;
use crate::shape::EncoderShape;
use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{DType, Int, Tensor, TensorData, activation::relu};
use std::ops::Range;

/// Features `[batch, features]` of `pictures`, `[batch, height, width, channels]`, and flat parameters. Bytes go to the
/// device, a quarter of what their numbers would be, and become numbers there.
pub(crate) fn encode_bytes(pictures: &[u8], theta: Tensor<1>, shape: &EncoderShape) -> Tensor<2> {
    let dims = [pictures.len() / shape.inputs(), shape.inputs()];
    let data = TensorData::new(pictures.to_vec(), dims);
    let bytes = Tensor::<2, Int>::from_data(data, (&theta.device(), DType::U8));
    encode(bytes.float() * (1.0 / 255.0) - 0.5, theta, shape)
}

/// Features `[batch, features]` of pictures `[batch, height * width * channels]` and flat parameters.
#[must_use]
pub fn encode(pictures: Tensor<2>, theta: Tensor<1>, shape: &EncoderShape) -> Tensor<2> {
    let [batch, _] = pictures.dims();
    let part = |range: &Range<usize>| theta.clone().narrow(0, range.start, range.len());
    let (size, channels) = (shape.size(), shape.channels());
    // burn has channels first.
    let mut x = pictures.reshape([batch, size.height, size.width, channels]).permute([0, 3, 1, 2]);
    for layer in shape.layers() {
        let convolution = layer.convolution;
        let (kernel, filters) = (convolution.kernel, convolution.filters);
        let weight = part(&layer.weight).reshape([kernel, kernel, layer.input[2], filters]).permute([3, 2, 0, 1]);
        let options = ConvOptions::new([convolution.stride; 2], [0; 2], [1; 2], 1);
        x = relu(conv2d(x, weight, Some(part(&layer.bias)), options));
        if convolution.pool > 1 {
            x = max_pool2d(x, MaxPoolOptions::new([convolution.pool; 2]));
        }
    }
    let x = x.permute([0, 2, 3, 1]).reshape([batch, shape.flat()]);
    let Some(head) = shape.head() else { return x };
    let features = shape.features();
    let row = |range: &Range<usize>| part(range).reshape([1, features]);
    let x = x.matmul(part(&head.weight).reshape([head.inputs, features])) + row(&head.bias);
    let centred = x.clone() - x.mean_dim(1);
    let variance = centred.clone().square().mean_dim(1);
    (centred / (variance + NORM_EPSILON).sqrt() * row(&head.gain) + row(&head.shift)).tanh()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::{self, draw};
    use crate::{encode_bytes, ops, seen};
    use burn::tensor::Device;
    use std::sync::Arc;

    fn tensor<const D: usize>(values: Vec<f32>, dims: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, dims), &Device::flex())
    }

    fn assert_close(what: &str, fused: Tensor<1>, composed: Tensor<1>) {
        let [fused, composed]: [Vec<f32>; 2] = [fused, composed].map(|t| t.into_data().try_to_vec().unwrap());
        assert_eq!(fused.len(), composed.len(), "{what}");
        let scale = composed.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        for (i, (f, c)) in fused.iter().zip(&composed).enumerate() {
            assert!((f - c).abs() <= 3e-5 * scale, "{what}[{i}]: {f} fused, {c} composed");
        }
    }

    #[test]
    fn the_kernels_give_what_burn_composes_and_so_do_their_gradients() {
        for (name, shape) in known::shapes() {
            let (shape, batch) = (Arc::new(shape), 19);
            let inputs = draw("pictures", batch * shape.inputs());
            let weigh = tensor(draw("weigh", batch * shape.features()), [batch, shape.features()]);
            let [fused, composed] = [true, false].map(|fused| {
                let input = Tensor::from_inner(tensor(inputs.clone(), [batch, shape.inputs()])).require_grad();
                let theta = tensor(known::theta(&shape), [shape.parameters()]);
                let theta = Tensor::from_inner(theta).require_grad();
                // On this device the operation is the fused one.
                let run = if fused { ops::encode } else { |input, theta, shape: &Arc<_>| encode(input, theta, shape) };
                let out = run(input.clone(), theta.clone(), &shape);
                let mut gradients = (out.clone() * Tensor::from_inner(weigh.clone())).sum().backward();
                let dx = input.grad_remove(&mut gradients).unwrap();
                [out.inner().flatten(0, 1), dx.flatten(0, 1), theta.grad_remove(&mut gradients).unwrap()]
            });
            let names = ["features", "pictures' gradient", "parameters' gradient"];
            for (what, (fused, composed)) in names.into_iter().zip(fused.into_iter().zip(composed)) {
                assert_close(&format!("{name}, {what}"), fused, composed);
            }
        }
    }

    #[test]
    fn pictures_in_bytes_give_what_their_numbers_give_and_so_do_their_gradients() {
        for (name, shape) in known::shapes() {
            let (shape, batch) = (Arc::new(shape), 11);
            let bytes: Vec<u8> = (0..batch * shape.inputs()).map(|i| (i * 7919 % 256) as u8).collect();
            let numbers: Vec<f32> = bytes.iter().map(|byte| seen(*byte)).collect();
            let numbers = Tensor::from_inner(tensor(numbers, [batch, shape.inputs()]));
            let theta = || Tensor::from_inner(tensor(known::theta(&shape), [shape.parameters()])).require_grad();
            let [a, b] = [theta(), theta()];
            let outs = [encode_bytes(&Arc::new(bytes), a.clone(), &shape), ops::encode(numbers, b.clone(), &shape)];
            let [c, d] = outs.each_ref().map(|out| out.clone().inner().into_data());
            assert_eq!(c, d, "{name}");
            let [e, f] = outs.map(|out| out.sum().backward());
            assert_eq!(a.grad(&e).unwrap().into_data(), b.grad(&f).unwrap().into_data(), "{name}");
        }
    }

    #[test]
    fn bytes_that_become_numbers_on_the_device_are_seen_as_those_that_the_kernels_read() {
        for (name, shape) in known::shapes() {
            let (shape, batch) = (Arc::new(shape), 5);
            let bytes: Vec<u8> = (0..batch * shape.inputs()).map(|i| (i * 7919 % 256) as u8).collect();
            let theta = tensor(known::theta(&shape), [shape.parameters()]);
            let fused = ops::encode_bytes(&Arc::new(bytes.clone()), theta.clone(), &shape);
            assert_close(name, fused.flatten(0, 1), super::encode_bytes(&bytes, theta, &shape).flatten(0, 1));
        }
    }
}
