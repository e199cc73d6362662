//! Operations on whole networks: the hand-written kernels as operations of burn on the CPU backend, with the
//! backward pass that autodiff calls, and on any other what burn composes.

use crate::composed;
use crate::kernel::{self, AdamStep, Caches, MlpShape, Wanted};
use burn::backend::{
    Autodiff, Backend, Dispatch, ExtensionType, Flex, TensorMetadata,
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
use turnkey_encoder::flex::{contiguous, fused, owned, slice};

/// What an Adam step gives back.
#[derive(ExtensionType)]
pub struct AdamResult<B: Backend> {
    /// Parameters.
    pub theta: FloatTensor<B>,
    /// First moment.
    pub m: FloatTensor<B>,
    /// Second moment.
    pub v: FloatTensor<B>,
}

/// Operations on networks in flat memory.
#[backend_extension(Flex, Autodiff)]
pub trait NetworkOps: Backend {
    /// Outputs `[batch, members * outputs]` for inputs `[batch, inputs]` and flat parameters.
    fn mlp(input: FloatTensor<Self>, theta: FloatTensor<Self>, shape: Arc<MlpShape>) -> FloatTensor<Self>;

    /// One Adam step; all tensors flat and of one length.
    fn adam(
        theta: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        m: FloatTensor<Self>,
        v: FloatTensor<Self>,
        step: AdamStep,
    ) -> AdamResult<Self>;

    /// `tau * source + (1 - tau) * target`.
    fn average(target: FloatTensor<Self>, source: FloatTensor<Self>, tau: f64) -> FloatTensor<Self>;
}

/// The two halves of a differentiable network, on a backend without autodiff.
pub trait NetworkKernels: Backend {
    /// What the way back needs.
    type Cache: Clone + Send + std::fmt::Debug + 'static;

    /// Outputs, and what the way back needs.
    fn forward(
        input: FloatTensor<Self>,
        theta: FloatTensor<Self>,
        shape: &MlpShape,
    ) -> (FloatTensor<Self>, Self::Cache);

    /// Gradients of inputs and parameters where wanted.
    fn backward(
        gradient: FloatTensor<Self>,
        cache: &Self::Cache,
        shape: &MlpShape,
        input_wanted: bool,
        theta_wanted: bool,
    ) -> (Option<FloatTensor<Self>>, Option<FloatTensor<Self>>);
}

/// A forward pass's inputs and caches.
#[derive(Clone, Debug)]
pub struct FlexCache {
    input: FlexTensor,
    theta: FlexTensor,
    hidden: Arc<Caches>,
}

impl NetworkKernels for Flex {
    type Cache = FlexCache;

    fn forward(input: FlexTensor, theta: FlexTensor, shape: &MlpShape) -> (FlexTensor, FlexCache) {
        let (input, theta) = (contiguous(input), contiguous(theta));
        let (out, hidden) = kernel::forward(shape, slice(&input), slice(&theta));
        let batch = input.shape()[0];
        let out = owned(out, [batch, shape.members * shape.outputs]);
        (out, FlexCache { input, theta, hidden: Arc::new(hidden) })
    }

    fn backward(
        gradient: FlexTensor,
        cache: &FlexCache,
        shape: &MlpShape,
        input: bool,
        theta: bool,
    ) -> (Option<FlexTensor>, Option<FlexTensor>) {
        let gradient = contiguous(gradient);
        let (dx, dtheta) = kernel::backward(
            shape,
            slice(&cache.input),
            slice(&cache.theta),
            &cache.hidden,
            slice(&gradient),
            Wanted { input, theta },
        );
        (dx.map(|dx| owned(dx, cache.input.shape())), dtheta.map(|dtheta| owned(dtheta, [shape.parameters()])))
    }
}

impl NetworkOps for Flex {
    fn mlp(input: FlexTensor, theta: FlexTensor, shape: Arc<MlpShape>) -> FlexTensor {
        Self::forward(input, theta, &shape).0
    }

    fn adam(
        mut theta: FlexTensor,
        gradient: FlexTensor,
        mut m: FlexTensor,
        mut v: FlexTensor,
        step: AdamStep,
    ) -> AdamResult<Self> {
        let gradient = contiguous(gradient);
        kernel::adam(theta.storage_mut(), slice(&gradient), m.storage_mut(), v.storage_mut(), step);
        AdamResult { theta, m, v }
    }

    fn average(mut target: FlexTensor, source: FlexTensor, tau: f64) -> FlexTensor {
        let source = contiguous(source);
        kernel::average(target.storage_mut(), slice(&source), tau);
        target
    }
}

#[derive(Debug)]
struct MlpBackward;

impl<B: NetworkKernels> Backward<B, 2> for MlpBackward {
    type State = (B::Cache, Arc<MlpShape>);

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

impl<B: NetworkOps + NetworkKernels, C: CheckpointStrategy> NetworkOps for Autodiff<B, C> {
    fn mlp(input: FloatTensor<Self>, theta: FloatTensor<Self>, shape: Arc<MlpShape>) -> FloatTensor<Self> {
        match MlpBackward.prepare::<C>([input.node(), theta.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let (out, cache) = B::forward(input.into_primitive(), theta.into_primitive(), &shape);
                prep.finish((cache, shape), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::mlp(input.into_primitive(), theta.into_primitive(), shape)),
        }
    }

    fn adam(
        _theta: FloatTensor<Self>,
        _gradient: FloatTensor<Self>,
        _m: FloatTensor<Self>,
        _v: FloatTensor<Self>,
        _step: AdamStep,
    ) -> AdamResult<Self> {
        panic!("an optimiser's step is not differentiable: give it tensors without autodiff")
    }

    fn average(_target: FloatTensor<Self>, _source: FloatTensor<Self>, _tau: f64) -> FloatTensor<Self> {
        panic!("a moving average is not differentiable: give it tensors without autodiff")
    }
}

/// An ensemble's outputs, `[batch, members * outputs]`, for inputs `[batch, inputs]` and flat parameters.
pub(crate) fn mlp(input: Tensor<2>, theta: Tensor<1>, shape: &Arc<MlpShape>) -> Tensor<2> {
    if !fused(&theta.device()) {
        return composed::mlp(input, theta, shape);
    }
    Tensor::from_dispatch(<Dispatch as NetworkOps>::mlp(input.into_dispatch(), theta.into_dispatch(), shape.clone()))
}

/// One Adam step on tensors without autodiff: parameters, first and second moment.
pub(crate) fn adam(parameters_and_moments: [Tensor<1>; 3], gradient: Tensor<1>, step: AdamStep) -> [Tensor<1>; 3] {
    if !fused(&gradient.device()) {
        return composed::adam(parameters_and_moments, gradient, step);
    }
    let [theta, m, v] = parameters_and_moments.map(Tensor::into_dispatch);
    let result = <Dispatch as NetworkOps>::adam(theta, gradient.into_dispatch(), m, v, step);
    [result.theta, result.m, result.v].map(Tensor::from_dispatch)
}

/// `tau * source + (1 - tau) * target` on tensors without autodiff.
pub(crate) fn average(target: Tensor<1>, source: Tensor<1>, tau: f64) -> Tensor<1> {
    if !fused(&target.device()) {
        return composed::average(target, source, tau);
    }
    Tensor::from_dispatch(<Dispatch as NetworkOps>::average(target.into_dispatch(), source.into_dispatch(), tau))
}
