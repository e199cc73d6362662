//! What a learner is made of, checked.

use crate::device::DeviceName;
use serde::{Deserialize, Serialize};
use turnkey_encoder::{EncoderName, Photometric};

/// Hyperparameters of Soft Actor-Critic. The defaults are the published ones (arXiv:1812.05905, Table 1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SacConfig {
    /// What computes the updates: `auto`, `flex`, `tch` or `cuda`.
    pub device: DeviceName,
    /// Transitions a gradient step.
    pub batch_size: usize,
    /// Discount of rewards one step later, 0 to below 1.
    pub discount: f64,
    /// Weight of the new parameters in the target critics' moving average.
    pub tau: f64,
    /// Adam's step size for actor and critics.
    pub learning_rate: f64,
    /// Adam's step size for the logarithm of the temperature.
    pub temperature_learning_rate: f64,
    /// Width of each hidden layer of the actor.
    pub actor_hidden: Vec<usize>,
    /// Width of each hidden layer of each critic.
    pub critic_hidden: Vec<usize>,
    /// Critics, of which the minimum counts.
    pub critics: usize,
    /// Layer normalisation in the critics' hidden layers.
    pub critic_layer_norm: bool,
    /// The temperature alpha at the start.
    pub initial_temperature: f64,
    /// Whether alpha is learned (Section 5) or stays as it is.
    pub learn_temperature: bool,
    /// Target entropy divided by the number of actions: -1 as published.
    pub target_entropy_per_action: f64,
    /// Factor on every reward before it is learned from.
    pub reward_scale: f64,
    /// Critic updates for each update of actor and temperature.
    pub actor_period: u64,
    /// What pictures are seen by, where there are any.
    pub encoder: EncoderConfig,
}

/// How pictures become features.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EncoderConfig {
    /// The layers.
    pub layers: EncoderName,
    /// Whether the actor has an encoder of its own, trained by its loss, as the paper's code had.
    pub separate: bool,
    /// Each sampled row's pictures are moved at random by up to this many pixels either way (arXiv:2004.13649).
    pub shift: usize,
    /// By how much each sampled row's pictures change in light and colour, at random; not at all if absent.
    pub photometric: Photometric,
}

impl Default for SacConfig {
    fn default() -> Self {
        Self {
            device: DeviceName::Auto,
            batch_size: 256,
            discount: 0.99,
            tau: 0.005,
            learning_rate: 3e-4,
            temperature_learning_rate: 3e-4,
            actor_hidden: vec![256, 256],
            critic_hidden: vec![256, 256],
            critics: 2,
            critic_layer_norm: false,
            initial_temperature: 1.0,
            learn_temperature: true,
            target_entropy_per_action: -1.0,
            reward_scale: 1.0,
            actor_period: 1,
            encoder: EncoderConfig::default(),
        }
    }
}

/// A hyperparameter that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("sac.{key}: expected {expected}, got {actual}")]
pub struct SacConfigError {
    /// The key.
    pub key: &'static str,
    /// What it may be.
    pub expected: &'static str,
    /// What it is.
    pub actual: String,
}

/// The most weights between hidden layers. Each is kept several times: 10 GB.
const MOST_WEIGHTS: usize = 500_000_000;

impl SacConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// Names the first key that is out of range, what was expected and what came.
    pub fn validate(&self) -> Result<(), SacConfigError> {
        let fail = |key, expected, actual: String| Err(SacConfigError { key, expected, actual });
        let widths = |w: &[usize]| !w.is_empty() && w.len() <= 8 && w.iter().all(|w| (1..=8192).contains(w));
        if let Err(reason) = self.device.device() {
            return fail("device", "auto or flex", reason.to_string());
        }
        if !(1..=65_536).contains(&self.batch_size) {
            return fail("batch_size", "1 to 65536", self.batch_size.to_string());
        }
        if !(0.0..1.0).contains(&self.discount) {
            return fail("discount", "0 to below 1", self.discount.to_string());
        }
        if !(self.tau > 0.0 && self.tau <= 1.0) {
            return fail("tau", "above 0, at most 1", self.tau.to_string());
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 1.0) {
            return fail("learning_rate", "above 0, at most 1", self.learning_rate.to_string());
        }
        if !(self.temperature_learning_rate > 0.0 && self.temperature_learning_rate <= 1.0) {
            return fail("temperature_learning_rate", "above 0, at most 1", self.temperature_learning_rate.to_string());
        }
        if !widths(&self.actor_hidden) {
            return fail("actor_hidden", "1 to 8 widths of 1 to 8192", format!("{:?}", self.actor_hidden));
        }
        if !widths(&self.critic_hidden) {
            return fail("critic_hidden", "1 to 8 widths of 1 to 8192", format!("{:?}", self.critic_hidden));
        }
        if !(1..=16).contains(&self.critics) {
            return fail("critics", "1 to 16", self.critics.to_string());
        }
        let weights = |w: &[usize]| w.windows(2).map(|pair| pair[0] * pair[1]).sum::<usize>();
        let all = weights(&self.actor_hidden) + self.critics * weights(&self.critic_hidden);
        if all > MOST_WEIGHTS {
            return fail("critic_hidden", "networks of at most 500 million weights together", all.to_string());
        }
        if !(self.initial_temperature > 0.0 && self.initial_temperature.is_finite()) {
            return fail("initial_temperature", "a number above 0", self.initial_temperature.to_string());
        }
        if !self.target_entropy_per_action.is_finite() {
            return fail("target_entropy_per_action", "a number", self.target_entropy_per_action.to_string());
        }
        if !(self.reward_scale > 0.0 && self.reward_scale.is_finite()) {
            return fail("reward_scale", "a number above 0", self.reward_scale.to_string());
        }
        if self.encoder.shift > 64 {
            return fail("encoder.shift", "0 to 64 pixels", self.encoder.shift.to_string());
        }
        if let Err(error) = self.encoder.photometric.validate() {
            return fail("encoder.photometric", "0 to 1", format!("{} = {}", error.key, error.actual));
        }
        if !(1..=1000).contains(&self.actor_period) {
            return fail("actor_period", "1 to 1000", self.actor_period.to_string());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_published_values() {
        let config = SacConfig::default();
        assert_eq!(config.validate(), Ok(()));
        assert_eq!((config.discount, config.tau, config.learning_rate), (0.99, 0.005, 3e-4));
        assert_eq!((config.batch_size, config.critics, config.target_entropy_per_action), (256, 2, -1.0));
    }

    #[test]
    fn a_value_out_of_range_is_named_with_what_was_expected() {
        let config = SacConfig { discount: 1.0, ..SacConfig::default() };
        assert_eq!(config.validate().unwrap_err().to_string(), "sac.discount: expected 0 to below 1, got 1");
        assert!(SacConfig { tau: f64::NAN, ..SacConfig::default() }.validate().is_err());
    }
}
