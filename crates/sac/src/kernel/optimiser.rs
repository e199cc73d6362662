//! Steps over flat parameters.

use serde::{Deserialize, Serialize};

/// The numbers of one Adam step (arXiv:1412.6980, Algorithm 1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamStep {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Which step this is, counted from 1.
    pub step: u64,
}

impl AdamStep {
    /// The step size with the first moment's bias taken out, and the root of the second moment's.
    pub(crate) fn corrections(&self) -> (f32, f32) {
        let power = i32::try_from(self.step).unwrap_or(i32::MAX);
        let first = self.learning_rate / (1.0 - self.beta1.powi(power));
        let second = (1.0 - self.beta2.powi(power)).sqrt();
        (first as f32, second as f32)
    }
}

/// One step of `theta` against `gradient`, with moments `m` and `v`, all in place.
pub(crate) fn adam(theta: &mut [f32], gradient: &[f32], m: &mut [f32], v: &mut [f32], step: AdamStep) {
    let (rate, root) = step.corrections();
    let (beta1, beta2, epsilon) = (step.beta1 as f32, step.beta2 as f32, step.epsilon as f32);
    let n = theta.len();
    let (gradient, m, v) = (&gradient[..n], &mut m[..n], &mut v[..n]);
    for i in 0..n {
        let g = gradient[i];
        m[i] = beta1 * m[i] + (1.0 - beta1) * g;
        v[i] = beta2 * v[i] + (1.0 - beta2) * g * g;
        theta[i] -= rate * m[i] / (v[i].sqrt() / root + epsilon);
    }
}

/// `target <- tau * source + (1 - tau) * target`, in place.
pub(crate) fn average(target: &mut [f32], source: &[f32], tau: f64) {
    let (new, old) = (tau as f32, (1.0 - tau) as f32);
    for (t, s) in target.iter_mut().zip(source) {
        *t = new * s + old * *t;
    }
}
