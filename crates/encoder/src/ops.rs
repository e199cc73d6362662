//! The encoder as an operation of burn: the hand-written kernels on the CPU backend, with the backward pass that
//! autodiff calls, and on any other what burn composes.

use crate::composed;
use crate::kernel::{self, Cache, Wanted};
use crate::shape::EncoderShape;
use burn::backend::{
    Autodiff, Backend, Dispatch, Flex, TensorMetadata,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    backend_extension,
    flex::FlexTensor,
    tensor::FloatTensor,
};
use burn::tensor::{Device, Tensor, TensorData};
use std::sync::Arc;

/// Encoders whose parameters lie in flat memory.
#[backend_extension(Flex, Autodiff)]
pub trait EncoderOps: Backend {
    /// Features `[batch, features]` for pictures `[batch, height * width * channels]` and flat parameters.
    fn encode(input: FloatTensor<Self>, theta: FloatTensor<Self>, shape: Arc<EncoderShape>) -> FloatTensor<Self>;
}

/// The two halves of a differentiable encoder, on a backend without autodiff.
pub trait EncoderKernels: Backend {
    /// What the way back needs.
    type Cache: Clone + Send + std::fmt::Debug + 'static;

    /// Features, and what the way back needs.
    fn forward(
        input: FloatTensor<Self>,
        theta: FloatTensor<Self>,
        shape: &EncoderShape,
    ) -> (FloatTensor<Self>, Self::Cache);

    /// Gradients of pictures and parameters where wanted.
    fn backward(
        gradient: FloatTensor<Self>,
        cache: &Self::Cache,
        shape: &EncoderShape,
        input_wanted: bool,
        theta_wanted: bool,
    ) -> (Option<FloatTensor<Self>>, Option<FloatTensor<Self>>);
}

fn contiguous(tensor: FloatTensor<Flex>) -> FlexTensor {
    if tensor.as_slice::<f32>().is_some() { tensor } else { tensor.to_contiguous() }
}

fn slice(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("made contiguous, and f32 as all of our tensors")
}

fn owned(values: Vec<f32>, shape: impl Into<burn::tensor::Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.into()))
}

/// A forward pass's inputs and caches.
#[derive(Clone, Debug)]
pub struct FlexCache {
    input: FlexTensor,
    theta: FlexTensor,
    kept: Arc<Cache>,
}

impl EncoderKernels for Flex {
    type Cache = FlexCache;

    fn forward(input: FlexTensor, theta: FlexTensor, shape: &EncoderShape) -> (FlexTensor, FlexCache) {
        let (input, theta) = (contiguous(input), contiguous(theta));
        let (out, kept) = kernel::forward(shape, slice(&input), slice(&theta));
        let out = owned(out, [input.shape()[0], shape.features()]);
        (out, FlexCache { input, theta, kept: Arc::new(kept) })
    }

    fn backward(
        gradient: FlexTensor,
        cache: &FlexCache,
        shape: &EncoderShape,
        input: bool,
        theta: bool,
    ) -> (Option<FlexTensor>, Option<FlexTensor>) {
        let (gradient, wanted) = (contiguous(gradient), Wanted { input, theta });
        let (pictures, parameters) = (slice(&cache.input), slice(&cache.theta));
        let (dx, dtheta) = kernel::backward(shape, pictures, parameters, &cache.kept, slice(&gradient), wanted);
        (dx.map(|dx| owned(dx, cache.input.shape())), dtheta.map(|dtheta| owned(dtheta, [shape.parameters()])))
    }
}

impl EncoderOps for Flex {
    fn encode(input: FlexTensor, theta: FlexTensor, shape: Arc<EncoderShape>) -> FlexTensor {
        <Self as EncoderKernels>::forward(input, theta, &shape).0
    }
}

#[derive(Debug)]
struct EncoderBackward;

impl<B: EncoderKernels> Backward<B, 2> for EncoderBackward {
    type State = (B::Cache, Arc<EncoderShape>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [input, theta] = ops.parents;
        let gradient = grads.consume::<B>(&ops.node);
        let (cache, shape) = ops.state;
        let (dx, dtheta) = B::backward(gradient, &cache, &shape, input.is_some(), theta.is_some());
        for (node, value) in [(input, dx), (theta, dtheta)] {
            if let (Some(node), Some(value)) = (node, value) {
                grads.register::<B>(node.id, value);
            }
        }
    }
}

impl<B: EncoderOps + EncoderKernels, C: CheckpointStrategy> EncoderOps for Autodiff<B, C> {
    fn encode(input: FloatTensor<Self>, theta: FloatTensor<Self>, shape: Arc<EncoderShape>) -> FloatTensor<Self> {
        match EncoderBackward.prepare::<C>([input.node(), theta.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (out, cache) = B::forward(input.into_primitive(), theta.into_primitive(), &shape);
                prep.finish((cache, shape), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::encode(input.into_primitive(), theta.into_primitive(), shape)),
        }
    }
}

/// Features `[batch, features]` of pictures `[batch, height * width * channels]`, each a number of about -0.5 to 0.5,
/// with the encoder's parameters in one flat tensor. Differentiable in both.
///
/// # Panics
/// When the sizes are not the shape's.
#[must_use]
pub fn encode(pictures: Tensor<2>, theta: Tensor<1>, shape: &Arc<EncoderShape>) -> Tensor<2> {
    if theta.device().inner() != Device::flex() {
        return composed::encode(pictures, theta, shape);
    }
    let [pictures, theta] = [pictures.into_dispatch(), theta.into_dispatch()];
    Tensor::from_dispatch(<Dispatch as EncoderOps>::encode(pictures, theta, shape.clone()))
}
