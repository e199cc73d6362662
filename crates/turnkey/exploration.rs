//! How actions are drawn while gathering experience.

use crate::config::ExplorationConfig;
use serde::{Deserialize, Serialize};
use turnkey_core::{Action, Rng};

/// Noise that is standard normal at every step and correlated from one step to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exploration {
    correlation: f64,
    warmup_correlation: f64,
    noise: Vec<f32>,
    fresh: bool,
    rng: Rng,
}

impl Exploration {
    /// Exploration for actions of this width.
    #[must_use]
    pub fn new(config: &ExplorationConfig, action: usize, seed: u64) -> Self {
        Self::with_rng(config, action, Rng::new(seed, "exploration"))
    }

    /// Exploration that draws from this generator.
    #[must_use]
    pub fn with_rng(config: &ExplorationConfig, action: usize, rng: Rng) -> Self {
        Self {
            correlation: config.correlation,
            warmup_correlation: config.warmup_correlation,
            noise: vec![0.0; action],
            fresh: true,
            rng,
        }
    }

    /// Forgets the noise of the episode before.
    pub fn begin_episode(&mut self) {
        self.fresh = true;
    }

    /// An action uniform in [-1, 1] at each step, moving no faster than the correlation lets it.
    pub fn random(&mut self) -> Action {
        self.draw(self.warmup_correlation);
        Action(self.noise.iter().map(|x| uniform_from_normal(*x)).collect())
    }

    /// The noise that the policy acts under now, one number an action.
    pub fn of_policy(&mut self) -> &[f32] {
        self.draw(self.correlation);
        &self.noise
    }

    /// The next noise: an autoregression of order one, standard normal at each step.
    fn draw(&mut self, correlation: f64) {
        let mut next = vec![0.0; self.noise.len()];
        self.rng.fill_normal(&mut next);
        if !self.fresh {
            let (old, new) = (correlation as f32, (1.0 - correlation * correlation).sqrt() as f32);
            next.iter_mut().zip(&self.noise).for_each(|(n, o)| *n = old * o + new * *n);
        }
        self.fresh = false;
        self.noise = next;
    }
}

/// 2 Phi(x) - 1: uniform in (-1, 1) for standard normal x. Logistic approximation of Phi by Bowling et al.
/// (2009), within 1.4e-4.
fn uniform_from_normal(x: f32) -> f32 {
    let phi = 1.0 / (1.0 + (-(0.070_56 * x * x * x + 1.5976 * x)).exp());
    2.0 * phi - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(correlation: f64) -> Vec<f32> {
        let config = ExplorationConfig { correlation: 0.0, warmup_correlation: correlation };
        let mut exploration = Exploration::new(&config, 1, 3);
        (0..20_000).map(|_| exploration.random().0[0]).collect()
    }

    #[test]
    fn random_actions_are_uniform_whatever_their_correlation() {
        for correlation in [0.0, 0.8] {
            let actions = actions(correlation);
            let n = actions.len() as f32;
            let mean: f32 = actions.iter().sum::<f32>() / n;
            let square: f32 = actions.iter().map(|a| a * a).sum::<f32>() / n;
            assert!(mean.abs() < 0.03 && (square - 1.0 / 3.0).abs() < 0.02, "{correlation}: {mean} {square}");
            assert!(actions.iter().all(|a| a.abs() <= 1.0));
        }
    }

    #[test]
    fn correlated_actions_move_less_from_step_to_step() {
        let travel = |c| actions(c).windows(2).map(|w| (w[1] - w[0]).abs()).sum::<f32>();
        assert!(travel(0.9) < 0.5 * travel(0.0));
    }
}
