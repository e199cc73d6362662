//! Multilayer perceptrons on flat memory: the whole network as one operation, forward and backward, with
//! matrix products on the `gemm` crate. The operation that burn would compose from a dozen others, with
//! nothing allocated or copied between them.

mod backward;
mod forward;
mod optimiser;
mod shape;

pub(crate) use backward::Wanted;
pub(crate) use forward::HiddenCache;
pub use optimiser::AdamStep;
pub(crate) use optimiser::{adam, average};
pub use shape::{Layer, MlpShape};

use rayon::prelude::*;

/// What the backward pass needs of every member.
pub(crate) type Caches = Vec<Vec<HiddenCache>>;

/// Outputs `[batch, members * outputs]` and what the backward pass needs.
pub(crate) fn forward(shape: &MlpShape, input: &[f32], theta: &[f32]) -> (Vec<f32>, Caches) {
    let batch = input.len() / shape.inputs;
    let run = |member: usize| forward::member(shape, input, batch, member_slice(shape, theta, member));
    let results: Vec<_> = if worth_threads(shape, batch) {
        (0..shape.members).into_par_iter().map(run).collect()
    } else {
        (0..shape.members).map(run).collect()
    };
    let (outputs, caches): (Vec<_>, Vec<_>) = results.into_iter().unzip();
    (interleave(&outputs, batch, shape.outputs), caches)
}

/// Gradients of inputs and parameters, each where wanted. `gradient` is that of the outputs,
/// `[batch, members * outputs]`.
pub(crate) fn backward(
    shape: &MlpShape,
    input: &[f32],
    theta: &[f32],
    caches: &Caches,
    gradient: &[f32],
    wanted: Wanted,
) -> (Option<Vec<f32>>, Option<Vec<f32>>) {
    let batch = input.len() / shape.inputs;
    let run = |member: usize| {
        let own = member_columns(gradient, shape, member);
        backward::member(shape, input, batch, member_slice(shape, theta, member), &caches[member], own, wanted)
    };
    let results: Vec<_> = if worth_threads(shape, batch) {
        (0..shape.members).into_par_iter().map(run).collect()
    } else {
        (0..shape.members).map(run).collect()
    };
    let mut input_gradient: Option<Vec<f32>> = None;
    let mut theta_gradient = Vec::with_capacity(if wanted.theta { shape.parameters() } else { 0 });
    for (dx, dtheta) in results {
        theta_gradient.extend_from_slice(&dtheta);
        match &mut input_gradient {
            None => input_gradient = Some(dx),
            Some(total) => total.iter_mut().zip(dx).for_each(|(t, d)| *t += d),
        }
    }
    (input_gradient.filter(|_| wanted.input), wanted.theta.then_some(theta_gradient))
}

/// A thread a member pays from about a million multiplications on.
fn worth_threads(shape: &MlpShape, batch: usize) -> bool {
    shape.members > 1 && rayon::current_num_threads() > 1 && batch * shape.member_parameters() > 1_000_000
}

fn member_slice<'a>(shape: &MlpShape, theta: &'a [f32], member: usize) -> &'a [f32] {
    let size = shape.member_parameters();
    &theta[member * size..(member + 1) * size]
}

/// Members' outputs side by side in each row.
fn interleave(members: &[Vec<f32>], batch: usize, outputs: usize) -> Vec<f32> {
    if let [only] = members {
        return only.clone();
    }
    let mut all = Vec::with_capacity(members.len() * batch * outputs);
    for row in 0..batch {
        for member in members {
            all.extend_from_slice(&member[row * outputs..(row + 1) * outputs]);
        }
    }
    all
}

/// One member's columns of a gradient of all outputs.
fn member_columns(gradient: &[f32], shape: &MlpShape, member: usize) -> Vec<f32> {
    let (outputs, width) = (shape.outputs, shape.members * shape.outputs);
    gradient.chunks_exact(width).flat_map(|row| &row[member * outputs..(member + 1) * outputs]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::Rng;

    /// Sum of outputs weighed by fixed numbers, in f64 through f32 forward passes.
    fn objective(shape: &MlpShape, input: &[f32], theta: &[f32], weights: &[f32]) -> f64 {
        let (out, _) = forward(shape, input, theta);
        out.iter().zip(weights).map(|(o, w)| f64::from(*o) * f64::from(*w)).sum()
    }

    #[test]
    fn gradients_match_finite_differences_with_and_without_layer_norm() {
        for layer_norm in [false, true] {
            let shape = MlpShape { inputs: 4, hidden: vec![6, 5], outputs: 2, layer_norm, members: 3 };
            let mut rng = Rng::new(1, "gradients");
            let mut draw = |n: usize, scale: f32| -> Vec<f32> {
                let mut out = vec![0.0; n];
                rng.fill_normal(&mut out);
                out.iter().map(|x| x * scale).collect()
            };
            let (input, theta, weights) = (draw(7 * 4, 1.0), draw(shape.parameters(), 0.7), draw(7 * 6, 1.0));
            let (_, caches) = forward(&shape, &input, &theta);
            let wanted = Wanted { input: true, theta: true };
            let (dx, dtheta) = backward(&shape, &input, &theta, &caches, &weights, wanted);
            let check = |gradient: &[f32], at: &dyn Fn(usize, f32) -> f64| {
                let (h, mut kinks) = (2e-3, 0);
                for (i, g) in gradient.iter().enumerate() {
                    let (left, middle, right) = (at(i, -h), at(i, 0.0), at(i, h));
                    let [below, above] = [(middle - left) / f64::from(h), (right - middle) / f64::from(h)];
                    if (above - below).abs() > 5e-2 * (1.0 + above.abs()) {
                        kinks += 1; // a ReLU switches within h: there is no one derivative
                        continue;
                    }
                    let numeric = 0.5 * (below + above);
                    let error = (numeric - f64::from(*g)).abs();
                    assert!(error < 2e-2 * (1.0 + numeric.abs()), "{layer_norm} {i}: {numeric} against {g}");
                }
                assert!(10 * kinks < gradient.len(), "{kinks} of {} were not checked", gradient.len());
            };
            let moved = |values: &[f32], i: usize, h: f32| {
                let mut copy = values.to_vec();
                copy[i] += h;
                copy
            };
            check(&dtheta.unwrap(), &|i, h| objective(&shape, &input, &moved(&theta, i, h), &weights));
            check(&dx.unwrap(), &|i, h| objective(&shape, &moved(&input, i, h), &theta, &weights));
        }
    }

    #[test]
    fn the_number_of_threads_does_not_change_a_bit() {
        let shape = MlpShape { inputs: 33, hidden: vec![256, 256], outputs: 1, layer_norm: true, members: 2 };
        let mut rng = Rng::new(2, "threads");
        let mut draw = |n: usize, scale: f32| -> Vec<f32> {
            let mut out = vec![0.0; n];
            rng.fill_normal(&mut out);
            out.iter().map(|x| x * scale).collect()
        };
        let (input, theta, dy) = (draw(256 * 33, 1.0), draw(shape.parameters(), 0.06), draw(512, 1.0));
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let (out, caches) = forward(&shape, &input, &theta);
                let wanted = Wanted { input: true, theta: true };
                (out, backward(&shape, &input, &theta, &caches, &dy, wanted))
            })
        };
        assert!(run(1) == run(2));
    }
}
