//! The encoder as an operation of burn: the hand-written kernels on the CPU backend, with the backward pass that
//! autodiff calls, and on any other what burn composes.

use crate::composed;
use crate::flex::{contiguous, fused, owned, slice};
use crate::kernel::{self, Cache, Input, Wanted};
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
use burn::tensor::Tensor;
use std::sync::Arc;

/// Operations on pictures.
#[backend_extension(Flex, Autodiff)]
pub trait EncoderOps: Backend {
    /// Features `[batch, features]` of pictures `[batch, height * width * channels]`.
    fn encode(input: FloatTensor<Self>, theta: FloatTensor<Self>, shape: Arc<EncoderShape>) -> FloatTensor<Self>;

    /// The same of pictures in bytes.
    fn encode_bytes(pictures: Arc<Vec<u8>>, theta: FloatTensor<Self>, shape: Arc<EncoderShape>) -> FloatTensor<Self>;
}

/// What an encoder looks at.
#[derive(Clone, Debug)]
pub enum Pictures<B: Backend> {
    /// Bytes, `[batch, height, width, channels]`.
    Bytes(Arc<Vec<u8>>),
    /// Numbers, `[batch, height * width * channels]`.
    Floats(FloatTensor<B>),
}

/// The two halves of a differentiable encoder, on a backend without autodiff.
pub trait EncoderKernels: Backend {
    /// What the way back needs.
    type Cache: Clone + Send + std::fmt::Debug + 'static;

    /// Features, and what the way back needs.
    fn encode_forward(
        pictures: Pictures<Self>,
        theta: FloatTensor<Self>,
        shape: &EncoderShape,
    ) -> (FloatTensor<Self>, Self::Cache);

    /// Gradients of pictures and parameters where wanted.
    fn encode_backward(
        gradient: FloatTensor<Self>,
        cache: &Self::Cache,
        shape: &EncoderShape,
        wanted: Wanted,
    ) -> (Option<FloatTensor<Self>>, Option<FloatTensor<Self>>);
}

impl Pictures<Flex> {
    fn input(&self) -> Input<'_> {
        match self {
            Self::Bytes(bytes) => Input::Bytes(bytes),
            Self::Floats(tensor) => Input::Floats(slice(tensor)),
        }
    }
}

/// A forward pass's inputs and caches.
#[derive(Clone, Debug)]
pub struct FlexCache {
    pictures: Pictures<Flex>,
    theta: FlexTensor,
    layers: Arc<Cache>,
}

impl EncoderKernels for Flex {
    type Cache = FlexCache;

    fn encode_forward(pictures: Pictures<Flex>, theta: FlexTensor, shape: &EncoderShape) -> (FlexTensor, FlexCache) {
        let pictures = match pictures {
            Pictures::Floats(tensor) => Pictures::Floats(contiguous(tensor)),
            bytes => bytes,
        };
        let theta = contiguous(theta);
        let (out, layers) = kernel::forward(shape, pictures.input(), slice(&theta));
        let batch = out.len() / shape.features();
        let out = owned(out, [batch, shape.features()]);
        (out, FlexCache { pictures, theta, layers: Arc::new(layers) })
    }

    fn encode_backward(
        gradient: FlexTensor,
        FlexCache { pictures, theta, layers }: &FlexCache,
        shape: &EncoderShape,
        wanted: Wanted,
    ) -> (Option<FlexTensor>, Option<FlexTensor>) {
        let batch = gradient.shape()[0];
        let gradient = contiguous(gradient);
        let (dx, dtheta) = kernel::backward(shape, pictures.input(), slice(theta), layers, slice(&gradient), wanted);
        let dx = dx.map(|dx| owned(dx, [batch, shape.inputs()]));
        (dx, dtheta.map(|dtheta| owned(dtheta, [shape.parameters()])))
    }
}

impl EncoderOps for Flex {
    fn encode(input: FlexTensor, theta: FlexTensor, shape: Arc<EncoderShape>) -> FlexTensor {
        Self::encode_forward(Pictures::Floats(input), theta, &shape).0
    }

    fn encode_bytes(pictures: Arc<Vec<u8>>, theta: FlexTensor, shape: Arc<EncoderShape>) -> FlexTensor {
        Self::encode_forward(Pictures::Bytes(pictures), theta, &shape).0
    }
}

#[derive(Debug)]
struct EncodeBackward;

impl<B: EncoderKernels> Backward<B, 2> for EncodeBackward {
    type State = (B::Cache, Arc<EncoderShape>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [input, theta] = ops.parents;
        let gradient = grads.consume::<B>(&ops.node);
        let (cache, shape) = ops.state;
        let wanted = Wanted { input: input.is_some(), theta: theta.is_some() };
        let (dx, dtheta) = B::encode_backward(gradient, &cache, &shape, wanted);
        for (node, value) in [(input, dx), (theta, dtheta)] {
            if let (Some(node), Some(value)) = (node, value) {
                grads.register::<B>(node.id, value);
            }
        }
    }
}

impl<B: EncoderKernels> Backward<B, 1> for EncodeBackward {
    type State = (B::Cache, Arc<EncoderShape>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [theta] = ops.parents;
        let gradient = grads.consume::<B>(&ops.node);
        let (cache, shape) = ops.state;
        let wanted = Wanted { input: false, theta: theta.is_some() };
        if let (Some(node), (_, Some(value))) = (theta, B::encode_backward(gradient, &cache, &shape, wanted)) {
            grads.register::<B>(node.id, value);
        }
    }
}

impl<B: EncoderOps + EncoderKernels, C: CheckpointStrategy> EncoderOps for Autodiff<B, C> {
    fn encode(input: FloatTensor<Self>, theta: FloatTensor<Self>, shape: Arc<EncoderShape>) -> FloatTensor<Self> {
        match Backward::<B, 2>::prepare::<C>(EncodeBackward, [input.node(), theta.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let pictures = Pictures::Floats(input.into_primitive());
                let (out, cache) = B::encode_forward(pictures, theta.into_primitive(), &shape);
                prep.finish((cache, shape), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::encode(input.into_primitive(), theta.into_primitive(), shape)),
        }
    }

    fn encode_bytes(pictures: Arc<Vec<u8>>, theta: FloatTensor<Self>, shape: Arc<EncoderShape>) -> FloatTensor<Self> {
        match Backward::<B, 1>::prepare::<C>(EncodeBackward, [theta.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (out, cache) = B::encode_forward(Pictures::Bytes(pictures), theta.into_primitive(), &shape);
                prep.finish((cache, shape), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::encode_bytes(pictures, theta.into_primitive(), shape)),
        }
    }
}

/// Features `[batch, features]` of `pictures`, `[batch, height * width * channels]` (channels last), as the encoder
/// is to see them: bytes as -0.5 to 0.5. Differentiable in both.
///
/// # Panics
/// When pictures or parameters are of another size than the shape says.
#[must_use]
pub fn encode(pictures: Tensor<2>, theta: Tensor<1>, shape: &Arc<EncoderShape>) -> Tensor<2> {
    if !fused(&theta.device()) {
        return composed::encode(pictures, theta, shape);
    }
    let (pictures, theta) = (pictures.into_dispatch(), theta.into_dispatch());
    Tensor::from_dispatch(<Dispatch as EncoderOps>::encode(pictures, theta, shape.clone()))
}

/// Features `[batch, features]` of `pictures`, `[batch, height, width, channels]`, without a copy of them.
/// Differentiable in the parameters.
///
/// # Panics
/// When pictures or parameters are of another size than the shape says.
#[must_use]
pub fn encode_bytes(pictures: &Arc<Vec<u8>>, theta: Tensor<1>, shape: &Arc<EncoderShape>) -> Tensor<2> {
    if !fused(&theta.device()) {
        return composed::encode_bytes(pictures, theta, shape);
    }
    Tensor::from_dispatch(<Dispatch as EncoderOps>::encode_bytes(
        pictures.clone(),
        theta.into_dispatch(),
        shape.clone(),
    ))
}
