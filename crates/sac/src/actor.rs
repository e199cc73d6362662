//! The policy: a Gaussian squashed by tanh.

use burn::tensor::{Tensor, activation::softplus};
use std::f32::consts::LN_2;

/// Bounds of the log of the standard deviation, not of the deviation itself.
const LOG_STD: (f32, f32) = (-20.0, 2.0);
/// Half of ln(2 pi).
const HALF_LN_2_PI: f32 = 0.918_938_5;

/// Actions `[batch, action]` and the log of their density `[batch, 1]`, from the actor's outputs
/// `[batch, 2 * action]` (means, then logs of deviations) and standard normal noise `[batch, action]`:
/// a = tanh(mean + std * noise), reparameterised (arXiv:1812.05905, Eq. 8-9).
///
/// The density of tanh(u) is corrected by 2 (ln 2 - u - softplus(-2 u)) = ln(1 - tanh(u)^2), which stays
/// exact where tanh saturates (Appendix C, Eq. 26).
pub(crate) fn sample(outputs: Tensor<2>, noise: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
    let [mean, log_std] = split(outputs);
    let log_std = log_std.clamp(LOG_STD.0, LOG_STD.1);
    let u = mean + log_std.clone().exp() * noise.clone();
    let gaussian = noise.square() * -0.5 - log_std - HALF_LN_2_PI;
    let correction = (u.clone() + softplus(u.clone() * -2.0, 1.0)) * -2.0 + 2.0 * LN_2;
    (u.tanh(), (gaussian - correction).sum_dim(1))
}

/// The centre of the distribution, `[batch, action]`.
pub(crate) fn centre(outputs: Tensor<2>) -> Tensor<2> {
    split(outputs)[0].clone().tanh()
}

fn split(outputs: Tensor<2>) -> [Tensor<2>; 2] {
    let width = outputs.dims()[1] / 2;
    [outputs.clone().narrow(1, 0, width), outputs.narrow(1, width, width)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn log_density(mean: f32, log_std: f32, noise: f32) -> (f32, f32) {
        let device = Device::flex();
        let (action, log) =
            sample(Tensor::from_floats([[mean, log_std]], &device), Tensor::from_floats([[noise]], &device));
        (action.into_scalar(), log.into_scalar())
    }

    #[test]
    fn the_density_integrates_to_one() {
        // By the trapezoid rule over actions; each action's density from its own noise.
        let (mean, log_std): (f32, f32) = (0.4, -0.5);
        let mut total = 0.0;
        let n = 4000;
        for i in 1..n {
            let action = -1.0 + 2.0 * i as f64 / f64::from(n);
            let noise = ((action.atanh() - f64::from(mean)) / f64::from(log_std).exp()) as f32;
            total += f64::from(log_density(mean, log_std, noise).1).exp() * 2.0 / f64::from(n);
        }
        assert!((total - 1.0).abs() < 1e-3, "{total}");
    }

    #[test]
    fn the_tanh_correction_stays_finite_and_exact_where_tanh_saturates() {
        for u in [15.0_f32, 40.0, -25.0] {
            let (action, log) = log_density(u, 0.0, 0.0);
            assert_eq!(action.abs(), 1.0);
            // ln(1 - tanh(u)^2) -> 2 ln 2 - 2|u| for large |u|.
            let expected = -0.918_938_5 - (2.0 * LN_2 - 2.0 * u.abs());
            assert!((log - expected).abs() < 1e-3, "{u}: {log} against {expected}");
        }
    }

    #[test]
    fn the_clamp_is_on_the_log_of_the_deviation() {
        // A log of 5 is held at 2, so that noise 1 moves u by e^2; -30 at -20, finite.
        let (action, _) = log_density(-7.0, 5.0, 1.0);
        assert!((action - (2.0_f32.exp() - 7.0).tanh()).abs() < 1e-6);
        let (_, log) = log_density(0.0, -30.0, 0.0);
        assert!((log - (20.0 - 0.918_938_5)).abs() < 1e-4);
    }
}
