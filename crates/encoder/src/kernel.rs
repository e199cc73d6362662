//! An encoder on flat memory, forward and back.
//!
//! Convolutions are matrix products of patches (each filter's place a row) with weights, a few pictures at a time, so
//! that the patches stay in the cache; they are laid out again on the way back instead of being kept. Blocks of
//! pictures have a fixed size and their gradients are added in order, so threads never change a bit.

use crate::matrix::{Matrix, multiply, sum_rows};
use crate::norm::{add_gain_gradient, normalise, normalise_back};
use crate::shape::{Conv, EncoderShape, Head};
use rayon::prelude::*;

/// Pictures that are convolved at once.
const BLOCK: usize = 8;

/// What the way back needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache {
    blocks: Vec<Vec<ConvCache>>,
    /// What the last convolution gave, `[batch, flat]`.
    flat: Vec<f32>,
    head: Option<HeadCache>,
}

/// What one convolution leaves of a block of pictures.
#[derive(Clone, Debug, Default)]
struct ConvCache {
    /// After ReLU and pooling, `[pictures, height, width, filters]`.
    out: Vec<f32>,
    /// Where in the numbers before pooling each number of `out` is from; empty without pooling.
    from: Vec<u32>,
}

#[derive(Clone, Debug, Default)]
struct HeadCache {
    normalised: Vec<f32>,
    inverse_deviation: Vec<f32>,
    features: Vec<f32>,
}

/// Which gradients are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) input: bool,
    pub(crate) theta: bool,
}

/// Features `[batch, features]` of pictures `[batch, height * width * channels]`, and what the way back needs.
pub(crate) fn forward(shape: &EncoderShape, input: &[f32], theta: &[f32]) -> (Vec<f32>, Cache) {
    let run = |pictures: &[f32]| block_forward(shape, pictures, theta);
    let blocks: Vec<Vec<ConvCache>> = over_blocks(input.chunks(BLOCK * shape.inputs()).collect(), run);
    let mut flat = Vec::with_capacity(input.len() / shape.inputs() * shape.flat());
    for block in &blocks {
        flat.extend_from_slice(&block.last().expect("an encoder has layers").out);
    }
    match shape.head() {
        None => (flat.clone(), Cache { blocks, flat, head: None }),
        Some(head) => {
            let (features, cache) = head_forward(head, &flat, theta);
            (features, Cache { blocks, flat, head: Some(cache) })
        }
    }
}

/// Gradients of pictures and parameters, each where wanted. `gradient` is that of the features.
pub(crate) fn backward(
    shape: &EncoderShape,
    input: &[f32],
    theta: &[f32],
    cache: &Cache,
    gradient: &[f32],
    wanted: Wanted,
) -> (Option<Vec<f32>>, Option<Vec<f32>>) {
    let mut theta_gradient = vec![0.0; if wanted.theta { shape.parameters() } else { 0 }];
    let flat_gradient = match (shape.head(), &cache.head) {
        (Some(head), Some(kept)) => head_backward(head, &cache.flat, theta, kept, gradient, &mut theta_gradient),
        _ => gradient.to_vec(),
    };
    let blocks = input.chunks(BLOCK * shape.inputs()).zip(&cache.blocks);
    let blocks = blocks.zip(flat_gradient.chunks(BLOCK * shape.flat())).collect();
    let parts: Vec<(Vec<f32>, Vec<f32>)> = over_blocks(blocks, |((pictures, kept), gradient)| {
        block_backward(shape, pictures, theta, kept, gradient.to_vec(), wanted)
    });
    let mut input_gradient = Vec::with_capacity(if wanted.input { input.len() } else { 0 });
    for (dx, dtheta) in parts {
        input_gradient.extend_from_slice(&dx);
        theta_gradient.iter_mut().zip(dtheta).for_each(|(total, part)| *total += part);
    }
    (wanted.input.then_some(input_gradient), wanted.theta.then_some(theta_gradient))
}

/// Does the same with every block, on all threads there are.
fn over_blocks<I: Send, O: Send>(blocks: Vec<I>, run: impl Fn(I) -> O + Sync + Send) -> Vec<O> {
    if blocks.len() > 1 && rayon::current_num_threads() > 1 {
        blocks.into_par_iter().map(run).collect()
    } else {
        blocks.into_iter().map(run).collect()
    }
}

fn block_forward(shape: &EncoderShape, pictures: &[f32], theta: &[f32]) -> Vec<ConvCache> {
    let mut kept: Vec<ConvCache> = Vec::with_capacity(shape.convs().len());
    let mut patches = Vec::new();
    for conv in shape.convs() {
        let input = kept.last().map_or(pictures, |cache| cache.out.as_slice());
        let count = input.len() / conv.inputs();
        lay_out(conv, input, &mut patches);
        let (bias, rows) = (&theta[conv.bias.clone()], count * conv.places());
        let mut out = Vec::with_capacity(rows * conv.filters);
        (0..rows).for_each(|_| out.extend_from_slice(bias));
        let weight = Matrix::new(&theta[conv.weight.clone()], conv.patch(), conv.filters);
        multiply(&mut out, Matrix::new(&patches, rows, conv.patch()), weight, true);
        out.iter_mut().for_each(|x| *x = x.max(0.0));
        kept.push(if conv.pool > 1 { pool(conv, &out, count) } else { ConvCache { out, from: Vec::new() } });
    }
    kept
}

/// A block's gradients of pictures and of the convolutions' parameters, each empty where it isn't wanted.
fn block_backward(
    shape: &EncoderShape,
    pictures: &[f32],
    theta: &[f32],
    kept: &[ConvCache],
    mut gradient: Vec<f32>,
    wanted: Wanted,
) -> (Vec<f32>, Vec<f32>) {
    let convs = shape.convs();
    let end = convs.last().map_or(0, |conv| conv.bias.end);
    let mut theta_gradient = vec![0.0; if wanted.theta { end } else { 0 }];
    let mut patches = Vec::new();
    for (i, conv) in convs.iter().enumerate().rev() {
        let input = if i == 0 { pictures } else { &kept[i - 1].out };
        let rows = input.len() / conv.inputs() * conv.places();
        for (g, out) in gradient.iter_mut().zip(&kept[i].out) {
            *g = if *out > 0.0 { *g } else { 0.0 };
        }
        if conv.pool > 1 {
            gradient = unpool(&gradient, &kept[i].from, rows * conv.filters);
        }
        let out = Matrix::new(&gradient, rows, conv.filters);
        if wanted.theta {
            lay_out(conv, input, &mut patches);
            let weight = &mut theta_gradient[conv.weight.clone()];
            multiply(weight, Matrix::new(&patches, rows, conv.patch()).t(), out, false);
            sum_rows(&mut theta_gradient[conv.bias.clone()], &gradient);
        }
        if i == 0 && !wanted.input {
            return (Vec::new(), theta_gradient);
        }
        patches.resize(rows * conv.patch(), 0.0);
        let weight = Matrix::new(&theta[conv.weight.clone()], conv.patch(), conv.filters);
        multiply(&mut patches, out, weight.t(), false);
        gradient = put_back(conv, &patches, input.len());
    }
    (gradient, theta_gradient)
}

/// Calls `run` with the start of each run of numbers in a patch and of the same run in the pictures. A run is a row of a
/// filter's square: `kernel * channels` numbers.
fn for_runs(conv: &Conv, numbers: usize, mut run: impl FnMut(usize, usize)) {
    let ([_, width], [high, wide]) = (conv.input, conv.convolved());
    let (length, mut at) = (conv.kernel * conv.channels, 0);
    for picture in (0..numbers).step_by(conv.inputs()) {
        for y in 0..high {
            for x in 0..wide {
                for ky in 0..conv.kernel {
                    let row = (y * conv.stride + ky) * width + x * conv.stride;
                    run(at, picture + row * conv.channels);
                    at += length;
                }
            }
        }
    }
}

/// The patches that filters cover, `[pictures * places, patch]`.
fn lay_out(conv: &Conv, input: &[f32], patches: &mut Vec<f32>) {
    let length = conv.kernel * conv.channels;
    patches.clear();
    patches.reserve(input.len() / conv.inputs() * conv.places() * conv.patch());
    for_runs(conv, input.len(), |_, from| patches.extend_from_slice(&input[from..from + length]));
}

/// Adds patches up to pictures of `numbers` numbers.
fn put_back(conv: &Conv, patches: &[f32], numbers: usize) -> Vec<f32> {
    let (length, mut pictures) = (conv.kernel * conv.channels, vec![0.0; numbers]);
    for_runs(conv, numbers, |at, to| {
        let (sum, part) = (&mut pictures[to..to + length], &patches[at..at + length]);
        sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    });
    pictures
}

/// The largest number of each square, and where it was.
fn pool(conv: &Conv, convolved: &[f32], pictures: usize) -> ConvCache {
    let ([high, wide], [out_high, out_wide], n) = (conv.convolved(), conv.output(), conv.filters);
    let mut kept = ConvCache::default();
    for picture in 0..pictures {
        for (y, x) in (0..out_high).flat_map(|y| (0..out_wide).map(move |x| (y, x))) {
            for filter in 0..n {
                let place = |i: usize| {
                    let (y, x) = (y * conv.pool + i / conv.pool, x * conv.pool + i % conv.pool);
                    ((picture * high + y) * wide + x) * n + filter
                };
                let mut best = place(0);
                for at in (1..conv.pool * conv.pool).map(place) {
                    best = if convolved[at] > convolved[best] { at } else { best };
                }
                kept.out.push(convolved[best]);
                kept.from.push(best as u32);
            }
        }
    }
    kept
}

/// Each number's gradient where it was before pooling.
fn unpool(gradient: &[f32], from: &[u32], numbers: usize) -> Vec<f32> {
    let mut before = vec![0.0; numbers];
    gradient.iter().zip(from).for_each(|(g, at)| before[*at as usize] = *g);
    before
}

fn head_forward(head: &Head, flat: &[f32], theta: &[f32]) -> (Vec<f32>, HeadCache) {
    let inputs = head.weight.len() / head.features;
    let batch = flat.len() / inputs;
    let mut out = Vec::with_capacity(batch * head.features);
    (0..batch).for_each(|_| out.extend_from_slice(&theta[head.bias.clone()]));
    let weight = Matrix::new(&theta[head.weight.clone()], inputs, head.features);
    multiply(&mut out, Matrix::new(flat, batch, inputs), weight, true);
    let (normalised, inverse_deviation) = normalise(&mut out, &theta[head.gain.clone()], &theta[head.shift.clone()]);
    out.iter_mut().for_each(|x| *x = x.tanh());
    (out.clone(), HeadCache { normalised, inverse_deviation, features: out })
}

/// The gradient of what the last convolution gave.
fn head_backward(
    head: &Head,
    flat: &[f32],
    theta: &[f32],
    kept: &HeadCache,
    gradient: &[f32],
    theta_gradient: &mut [f32],
) -> Vec<f32> {
    let (inputs, batch) = (head.weight.len() / head.features, gradient.len() / head.features);
    let mut gradient: Vec<f32> = gradient.iter().zip(&kept.features).map(|(g, f)| g * (1.0 - f * f)).collect();
    if !theta_gradient.is_empty() {
        sum_rows(&mut theta_gradient[head.shift.clone()], &gradient);
        add_gain_gradient(&mut theta_gradient[head.gain.clone()], &gradient, &kept.normalised);
    }
    normalise_back(&mut gradient, &theta[head.gain.clone()], &kept.normalised, &kept.inverse_deviation);
    let out = Matrix::new(&gradient, batch, head.features);
    if !theta_gradient.is_empty() {
        sum_rows(&mut theta_gradient[head.bias.clone()], &gradient);
        multiply(&mut theta_gradient[head.weight.clone()], Matrix::new(flat, batch, inputs).t(), out, false);
    }
    let mut below = vec![0.0; flat.len()];
    let weight = Matrix::new(&theta[head.weight.clone()], inputs, head.features);
    multiply(&mut below, out, weight.t(), false);
    below
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::Rng;

    fn draw(rng: &mut Rng, count: usize, scale: f32) -> Vec<f32> {
        let mut out = vec![0.0; count];
        rng.fill_normal(&mut out);
        out.iter().map(|x| x * scale).collect()
    }

    #[test]
    fn a_convolution_of_one_filter_is_the_sum_worked_by_hand() {
        // 3x3 pixels of one channel under a 2x2 filter of ones in strides of 1, bias -10.
        let shape = EncoderShape::new([3, 3], 1, &[[1, 2, 1, 1]], None).unwrap();
        let picture: Vec<f32> = (1..=9).map(|x| x as f32).collect();
        let (out, _) = forward(&shape, &picture, &[1.0, 1.0, 1.0, 1.0, -13.0]);
        assert_eq!(out, [0.0, 3.0, 11.0, 15.0]); // 12, 16, 24 and 28 less 13, not below 0
        let shape = EncoderShape::new([3, 3], 1, &[[1, 2, 1, 2]], None).unwrap();
        assert_eq!(forward(&shape, &picture, &[1.0, 1.0, 1.0, 1.0, -13.0]).0, [15.0]);
    }

    #[test]
    fn the_number_of_threads_does_not_change_a_bit() {
        let shape = EncoderShape::new([17, 14], 3, &[[5, 4, 2, 1], [6, 3, 1, 2]], Some(7)).unwrap();
        let mut rng = Rng::new(2, "threads");
        let (batch, theta) = (3 * BLOCK + 5, shape.draw(&mut rng));
        let (input, gradient) = (draw(&mut rng, batch * shape.inputs(), 1.0), draw(&mut rng, batch * 7, 1.0));
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let (out, cache) = forward(&shape, &input, &theta);
                (out, backward(&shape, &input, &theta, &cache, &gradient, Wanted { input: true, theta: true }))
            })
        };
        assert!(run(1) == run(2));
    }

    #[test]
    fn gradients_match_finite_differences() {
        for (layers, features) in [([[3, 2, 1, 2], [4, 2, 1, 1]], None), ([[3, 3, 2, 1], [4, 2, 1, 1]], Some(5))] {
            let shape = EncoderShape::new([8, 7], 2, &layers, features).unwrap();
            let mut rng = Rng::new(4, "gradients");
            let theta: Vec<f32> = shape.draw(&mut rng).iter().map(|x| x + 0.05 * rng.normal() as f32).collect();
            let input = draw(&mut rng, 3 * shape.inputs(), 1.0);
            let weights = draw(&mut rng, 3 * shape.features(), 1.0);
            let objective = |input: &[f32], theta: &[f32]| -> f64 {
                let (out, _) = forward(&shape, input, theta);
                out.iter().zip(&weights).map(|(o, w)| f64::from(*o) * f64::from(*w)).sum()
            };
            let (_, cache) = forward(&shape, &input, &theta);
            let wanted = Wanted { input: true, theta: true };
            let (dx, dtheta) = backward(&shape, &input, &theta, &cache, &weights, wanted);
            let moved = |values: &[f32], i: usize, h: f32| {
                let mut copy = values.to_vec();
                copy[i] += h;
                copy
            };
            let check = |gradient: &[f32], at: &dyn Fn(usize, f32) -> f64| {
                let (h, mut kinks) = (2e-3, 0);
                for (i, g) in gradient.iter().enumerate() {
                    let (left, middle, right) = (at(i, -h), at(i, 0.0), at(i, h));
                    let [below, above] = [(middle - left) / f64::from(h), (right - middle) / f64::from(h)];
                    if (above - below).abs() > 2e-2 * (1.0 + above.abs()) {
                        kinks += 1; // a ReLU or a maximum switches within h
                        continue;
                    }
                    let numeric = 0.5 * (below + above);
                    assert!((numeric - f64::from(*g)).abs() < 2e-2 * (1.0 + numeric.abs()), "{i}: {numeric} and {g}");
                }
                assert!(5 * kinks < gradient.len(), "{kinks} of {} were not checked", gradient.len());
            };
            check(&dtheta.unwrap(), &|i, h| objective(&input, &moved(&theta, i, h)));
            check(&dx.unwrap(), &|i, h| objective(&moved(&input, i, h), &theta));
        }
    }
}
