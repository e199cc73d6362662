//! The encoder on flat memory: all of its layers as one operation, forward and backward.
//!
//! Convolutions don't go through a matrix of gathered patches: [`tile`] reads pictures where they lie. A block of
//! pictures at a time goes through all layers, so that what a layer writes is still in the cache when the next one
//! reads it; blocks are what threads share.

mod block;
mod convolution;
mod geometry;
mod head;
mod plan;
mod pool;
mod tile;

use crate::shape::EncoderShape;
use block::BlockCache;
use head::HeadCache;
use plan::{BLOCK, Plan};
use rayon::prelude::*;

/// Which gradients are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// That of the pictures.
    pub input: bool,
    /// That of the parameters.
    pub theta: bool,
}

/// Pictures, `[batch, height, width, channels]`.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// As a camera gives them: 0 to 255, which the encoder sees as -0.5 to 0.5.
    Bytes(&'a [u8]),
    /// As the encoder is to see them.
    Floats(&'a [f32]),
}

/// How the encoder sees a byte of a picture.
#[must_use]
pub fn seen(byte: u8) -> f32 {
    f32::from(byte) * (1.0 / 255.0) - 0.5
}

impl<'a> Input<'a> {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(all) => all.len(),
            Self::Floats(all) => all.len(),
        }
    }

    /// Picture number `index` of `size` numbers, as the encoder sees it.
    fn picture<'s>(&self, index: usize, size: usize, scratch: &'s mut Vec<f32>) -> &'s [f32]
    where
        'a: 's,
    {
        match *self {
            Self::Floats(all) => &all[index * size..(index + 1) * size],
            Self::Bytes(all) => {
                scratch.clear();
                scratch.extend(all[index * size..(index + 1) * size].iter().map(|byte| seen(*byte)));
                scratch
            }
        }
    }
}

/// What the backward pass needs of a forward pass.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    blocks: Vec<BlockCache>,
    head: Option<HeadCache>,
}

/// Features `[batch, features]` and what the backward pass needs.
///
/// # Panics
/// When `theta` isn't as long as the shape says, or `input` no whole number of pictures.
pub(crate) fn forward(shape: &EncoderShape, input: Input<'_>, theta: &[f32]) -> (Vec<f32>, Cache) {
    let plan = plan(shape, input, theta, None);
    let blocks: Vec<BlockCache> = each_block(&plan, |index| block::forward(&plan, input, index));
    let mut flat = Vec::with_capacity(blocks.iter().map(|block| block.outputs().len()).sum());
    blocks.iter().for_each(|block| flat.extend_from_slice(block.outputs()));
    match shape.head() {
        None => (flat, Cache { blocks, head: None }),
        Some(head) => {
            let head = head::forward(&head, theta, flat);
            (head.outputs().to_vec(), Cache { blocks, head: Some(head) })
        }
    }
}

/// Gradients of pictures, `[batch, height, width, channels]`, and parameters, each where wanted. `gradient` is that
/// of the features, `[batch, features]`; the rest as the forward pass had it.
pub(crate) fn backward(
    shape: &EncoderShape,
    input: Input<'_>,
    theta: &[f32],
    cache: &Cache,
    gradient: &[f32],
    wanted: Wanted,
) -> (Option<Vec<f32>>, Option<Vec<f32>>) {
    let plan = plan(shape, input, theta, Some(wanted));
    let mut theta_gradient = if wanted.theta { vec![0.0; shape.parameters()] } else { Vec::new() };
    let flat = match (shape.head(), &cache.head) {
        (Some(head), Some(kept)) => kept.backward(&head, theta, gradient, &mut theta_gradient),
        _ => gradient.to_vec(),
    };
    let results = each_block(&plan, |index| {
        let end = flat.len().min((index + 1) * BLOCK * shape.flat());
        block::backward(&plan, input, index, &cache.blocks[index], &flat[index * BLOCK * shape.flat()..end], wanted)
    });
    let mut input_gradient = Vec::with_capacity(if wanted.input { input.len() } else { 0 });
    for (theta, input) in results {
        input_gradient.extend_from_slice(&input);
        theta_gradient.iter_mut().zip(theta).for_each(|(total, own)| *total += own);
    }
    (wanted.input.then_some(input_gradient), wanted.theta.then_some(theta_gradient))
}

fn plan<'a>(shape: &'a EncoderShape, input: Input<'_>, theta: &'a [f32], wanted: Option<Wanted>) -> Plan<'a> {
    assert_eq!(theta.len(), shape.parameters(), "parameters of an encoder");
    assert_eq!(input.len() % shape.inputs(), 0, "pictures of {} numbers", shape.inputs());
    Plan::new(shape, theta, input.len() / shape.inputs(), wanted.is_some(), wanted.is_some_and(|w| w.input))
}

/// `run` for every block, in order; on all threads where there are several of both.
fn each_block<T: Send>(plan: &Plan<'_>, run: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    match plan.blocks() > 1 && rayon::current_num_threads() > 1 {
        true => (0..plan.blocks()).into_par_iter().map(run).collect(),
        false => (0..plan.blocks()).map(run).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::{self, draw};

    /// Sum of features weighed by fixed numbers.
    fn objective(shape: &EncoderShape, input: &[f32], theta: &[f32], weights: &[f32]) -> f64 {
        let (out, _) = forward(shape, Input::Floats(input), theta);
        out.iter().zip(weights).map(|(o, w)| f64::from(*o) * f64::from(*w)).sum()
    }

    /// Holds a gradient to differences of `at(index, step)`. Of few the difference may be another: where a ReLU or a
    /// maximum switches within the step, there is no one derivative.
    fn check(name: &str, gradient: &[f32], at: impl Fn(usize, f32) -> f64) {
        let (h, checked) = (2e-3, gradient.len().min(200));
        let mut wrong = Vec::new();
        for i in (0..checked).map(|i| i * gradient.len() / checked) {
            let numeric = (at(i, h) - at(i, -h)) / (2.0 * f64::from(h));
            if (numeric - f64::from(gradient[i])).abs() > 5e-2 * (1.0 + numeric.abs()) {
                wrong.push((i, numeric, gradient[i]));
            }
        }
        assert!(10 * wrong.len() < checked, "{name}: {} of {checked}: {wrong:?}", wrong.len());
    }

    #[test]
    fn gradients_match_finite_differences() {
        for (name, shape) in known::shapes() {
            let (theta, input) = (known::theta(&shape), draw("pictures", 2 * shape.inputs()));
            let weights = draw("weights", 2 * shape.features());
            let (_, cache) = forward(&shape, Input::Floats(&input), &theta);
            let wanted = Wanted { input: true, theta: true };
            let (dx, dtheta) = backward(&shape, Input::Floats(&input), &theta, &cache, &weights, wanted);
            let moved = |values: &[f32], i: usize, h: f32| {
                let mut copy = values.to_vec();
                copy[i] += h;
                copy
            };
            check(name, &dtheta.unwrap(), |i, h| objective(&shape, &input, &moved(&theta, i, h), &weights));
            check(name, &dx.unwrap(), |i, h| objective(&shape, &moved(&input, i, h), &theta, &weights));
        }
    }

    #[test]
    fn the_number_of_threads_does_not_change_a_bit() {
        for (name, shape) in known::shapes() {
            let bytes: Vec<u8> = (0..37 * shape.inputs()).map(|i| (i * 7919 % 251) as u8).collect();
            let (input, theta, dy) = (Input::Bytes(&bytes), known::theta(&shape), draw("dy", 37 * shape.features()));
            let run = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let (out, cache) = forward(&shape, input, &theta);
                    let wanted = Wanted { input: true, theta: true };
                    (out, backward(&shape, input, &theta, &cache, &dy, wanted))
                })
            };
            assert!(run(1) == run(3), "{name}");
        }
    }

    #[test]
    fn a_picture_alone_has_the_features_that_it_has_among_others() {
        for (name, shape) in known::shapes() {
            let (theta, input) = (known::theta(&shape), draw("pictures", 19 * shape.inputs()));
            let (all, _) = forward(&shape, Input::Floats(&input), &theta);
            let (last, _) = forward(&shape, Input::Floats(&input[18 * shape.inputs()..]), &theta);
            let expected = &all[18 * shape.features()..];
            let close = last.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5 * (1.0 + b.abs()));
            assert!(close, "{name}: {last:?} {expected:?}");
        }
    }
}
