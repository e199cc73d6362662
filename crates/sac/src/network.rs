//! Networks and their optimiser on flat memory.

use crate::kernel::{AdamStep, MlpShape};
use crate::ops;
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;
use turnkey_core::Rng;

/// What a network computes, and where its parameters lie in one flat vector.
pub trait Architecture: Debug + Sized {
    /// What it is given.
    type Input;

    /// Parameters altogether.
    fn parameters(&self) -> usize;

    /// Names and shapes of the tensors in the flat vector, in order, as a checkpoint stores them.
    fn tensors(&self) -> Vec<(String, Vec<usize>, Range<usize>)>;

    /// Parameters to begin with.
    fn draw(&self, rng: &mut Rng) -> Vec<f32>;

    /// Outputs `[batch, outputs]`.
    fn run(self: &Arc<Self>, input: Self::Input, theta: Tensor<1>) -> Tensor<2>;
}

impl Architecture for MlpShape {
    /// `[batch, inputs]`.
    type Input = Tensor<2>;

    fn parameters(&self) -> usize {
        self.parameters()
    }

    fn tensors(&self) -> Vec<(String, Vec<usize>, Range<usize>)> {
        self.tensors()
    }

    /// Weights uniform within sqrt(6 / (inputs + outputs)) (Glorot), biases 0, gains 1.
    fn draw(&self, rng: &mut Rng) -> Vec<f32> {
        let mut theta = vec![0.0_f32; self.parameters()];
        for member in theta.chunks_exact_mut(self.member_parameters()) {
            for layer in self.layers() {
                let bound = (6.0 / (layer.inputs + layer.outputs) as f64).sqrt();
                member[layer.weight].iter_mut().for_each(|w| *w = rng.uniform(-bound, bound) as f32);
                if let Some((gain, _)) = layer.norm {
                    member[gain].fill(1.0);
                }
            }
        }
        theta
    }

    fn run(self: &Arc<Self>, input: Tensor<2>, theta: Tensor<1>) -> Tensor<2> {
        ops::mlp(input, theta, self)
    }
}

/// A network and where its parameters are: one flat tensor without autodiff.
#[derive(Debug)]
pub struct Network<A = MlpShape> {
    shape: Arc<A>,
    theta: Tensor<1>,
}

impl<A> Clone for Network<A> {
    fn clone(&self) -> Self {
        Self { shape: self.shape.clone(), theta: self.theta.clone() }
    }
}

/// A network's parameters as leaves of one loss.
pub(crate) struct Tracked<A = MlpShape> {
    shape: Arc<A>,
    theta: Tensor<1>,
}

impl<A: Architecture> Network<A> {
    /// A network with the parameters that its architecture begins with.
    pub(crate) fn new(shape: A, rng: &mut Rng, device: &Device) -> Self {
        let theta = Tensor::from_data(TensorData::new(shape.draw(rng), [shape.parameters()]), device);
        Self { shape: Arc::new(shape), theta }
    }

    /// The same network with parameters of its own on `device`.
    pub(crate) fn copied_to(&self, device: &Device) -> Self {
        let theta = Tensor::from_data(TensorData::new(self.parameters(), [self.shape.parameters()]), device);
        Self { shape: self.shape.clone(), theta }
    }

    /// The layout of the parameters.
    #[must_use]
    pub fn shape(&self) -> &A {
        &self.shape
    }

    /// The parameters, copied out.
    #[must_use]
    pub fn parameters(&self) -> Vec<f32> {
        self.theta.to_data().try_to_vec().expect("parameters are f32")
    }

    /// Replaces the parameters.
    ///
    /// # Panics
    /// When there are more or fewer than the shape has.
    pub(crate) fn set_parameters(&mut self, values: Vec<f32>) {
        assert_eq!(values.len(), self.shape.parameters(), "parameters of a network");
        let device = self.theta.device();
        self.theta = Tensor::from_data(TensorData::new(values, [self.shape.parameters()]), &device);
    }

    /// The parameters, to be replaced.
    pub(crate) fn theta_mut(&mut self) -> &mut Tensor<1> {
        &mut self.theta
    }

    /// Outputs `[batch, outputs]`, without a graph. The input has no autodiff.
    pub(crate) fn forward(&self, input: A::Input) -> Tensor<2> {
        self.shape.run(input, self.theta.clone())
    }

    /// The same parameters as a leaf whose gradient is wanted.
    pub(crate) fn tracked(&self) -> Tracked<A> {
        Tracked { shape: self.shape.clone(), theta: Tensor::from_inner(self.theta.clone()).require_grad() }
    }

    /// The same parameters as constants of a loss.
    pub(crate) fn constant(&self) -> Tracked<A> {
        Tracked { shape: self.shape.clone(), theta: Tensor::from_inner(self.theta.clone()) }
    }

    /// Moves the parameters towards `source` by `tau`.
    pub(crate) fn average(&mut self, source: &Self, tau: f64) {
        let target = std::mem::replace(&mut self.theta, source.theta.clone());
        self.theta = ops::average(target, source.theta.clone(), tau);
    }
}

impl<A: Architecture> Tracked<A> {
    /// What `run` makes of architecture and parameters.
    pub(crate) fn through(&self, run: impl FnOnce(&Arc<A>, Tensor<1>) -> Tensor<2>) -> Tensor<2> {
        run(&self.shape, self.theta.clone())
    }

    /// Outputs `[batch, outputs]`, with autodiff.
    pub(crate) fn forward(&self, input: A::Input) -> Tensor<2> {
        self.shape.run(input, self.theta.clone())
    }

    /// The parameters' gradient among those of a loss.
    pub(crate) fn gradient(self, gradients: &mut Gradients) -> Tensor<1> {
        self.theta.grad_remove(gradients).expect("the loss is made of this network's outputs")
    }
}

/// Adam (arXiv:1412.6980) over one flat tensor, with the reference's epsilon of 1e-8.
#[derive(Clone, Debug)]
pub struct Adam {
    learning_rate: f64,
    pub(crate) step: u64,
    pub(crate) m: Tensor<1>,
    pub(crate) v: Tensor<1>,
}

impl Adam {
    /// An optimiser of `size` parameters.
    pub(crate) fn new(learning_rate: f64, size: usize, device: &Device) -> Self {
        let zeros = || Tensor::zeros([size], device);
        Self { learning_rate, step: 0, m: zeros(), v: zeros() }
    }

    /// One step of a network against its gradient.
    pub(crate) fn step<A>(&mut self, network: &mut Network<A>, gradient: Tensor<1>) {
        self.step += 1;
        // Moved out, so that the kernel finds each buffer with one owner and works in place.
        let device = network.theta.device();
        let empty = || Tensor::zeros([1], &device);
        let theta = std::mem::replace(&mut network.theta, empty());
        let (m, v) = (std::mem::replace(&mut self.m, empty()), std::mem::replace(&mut self.v, empty()));
        [network.theta, self.m, self.v] = ops::adam([theta, m, v], gradient, self.numbers());
    }

    fn numbers(&self) -> AdamStep {
        AdamStep { learning_rate: self.learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: self.step }
    }
}

/// Adam over one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct ScalarAdam {
    step: u64,
    m: f64,
    v: f64,
}

impl ScalarAdam {
    /// `value` after one step of size `learning_rate` against `gradient`.
    pub(crate) fn step(&mut self, learning_rate: f64, value: f64, gradient: f64) -> f64 {
        self.step += 1;
        self.m = 0.9 * self.m + 0.1 * gradient;
        self.v = 0.999 * self.v + 0.001 * gradient * gradient;
        let power = i32::try_from(self.step).unwrap_or(i32::MAX);
        let (m, v) = (self.m / (1.0 - 0.9_f64.powi(power)), self.v / (1.0 - 0.999_f64.powi(power)));
        value - learning_rate * m / (v.sqrt() + 1e-8)
    }
}
