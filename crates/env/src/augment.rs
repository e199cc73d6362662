//! More to learn from the same steps: turned by a symmetry, or with another target.

use crate::{EnvError, Layout, RewardConfig, Sees, Symmetry, ValveTask, symmetry::rotate};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;
use turnkey_core::{Augment, Batch, FINGERS, Rng};

/// What is made of a sampled step besides what happened. Every row is drawn for anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentationConfig {
    /// Whether fingers and valve are turned by thirds.
    pub symmetry: bool,
    /// Share of rows that are given another target.
    pub relabel_fraction: f64,
    /// Share of those whose target is near where the valve then was; the others' is anywhere.
    pub achieved_fraction: f64,
    /// How near, rad: the error is uniform up to this, either way.
    pub achieved_within: f64,
}

impl Default for AugmentationConfig {
    fn default() -> Self {
        Self { symmetry: true, relabel_fraction: 0.5, achieved_fraction: 0.25, achieved_within: 0.25 }
    }
}

/// The augmentation of a [`ValveTask`]'s steps.
///
/// **Symmetry**: see [`Symmetry`]. Where the error is not observed, the target is part of the task
/// itself, so fingers are turned and the valve is not.
///
/// **Relabelling**: a target's place changes neither what happened nor the costs of pose and velocity;
/// what it does change of the reward is known from the error in closed form. So a row with its target
/// moved by `d` has the errors `e + d` and `e' + d` and the reward `r - f(e') + f(e' + d)`: exactly the
/// step that the task would have given with that target. New errors are uniform around the circle
/// (over the three lobes, that is how the random turn task's targets lie), or near zero. The error is
/// recovered from its 32-bit cosine and sine, to about 1e-7 rad: only a row whose error was
/// that near to the bound of a bonus can be labelled wrongly.
#[derive(Clone, Debug)]
pub struct Augmentation {
    config: AugmentationConfig,
    layout: Layout,
    reward: RewardConfig,
}

impl Augmentation {
    /// The augmentation of `task`'s steps.
    ///
    /// # Errors
    /// When a fraction is not one, or targets are to change that the task does not observe.
    pub fn new(task: &ValveTask, config: AugmentationConfig) -> Result<Self, EnvError> {
        let refuse = |field, expected, found: f64| EnvError::Setting { field, expected, found: found.to_string() };
        let fraction = 0.0..=1.0;
        let AugmentationConfig { relabel_fraction, achieved_fraction, achieved_within, .. } = config;
        if !fraction.contains(&relabel_fraction) {
            return Err(refuse("augmentation.relabel_fraction", "0 to 1", relabel_fraction));
        }
        if !fraction.contains(&achieved_fraction) {
            return Err(refuse("augmentation.achieved_fraction", "0 to 1", achieved_fraction));
        }
        if !(0.0..=PI).contains(&achieved_within) {
            return Err(refuse("augmentation.achieved_within", "0 to pi", achieved_within));
        }
        if relabel_fraction > 0.0 && task.layout().error.is_none() {
            let expected = "0, as this task's policy does not see where the target is (observe_error = false)";
            return Err(refuse("augmentation.relabel_fraction", expected, relabel_fraction));
        }
        if task.config().sees == Sees::Pixels {
            let error = EnvError::Setting {
                field: "augmentation",
                expected: "none, as this task is seen in pictures, which are neither turned nor relabelled",
                found: "[augmentation]".into(),
            };
            return Err(error);
        }
        Ok(Self { config, layout: task.layout().clone(), reward: task.config().reward.clone() })
    }

    fn draw_symmetry(&self, rng: &mut Rng) -> Symmetry {
        let fingers = rng.below(FINGERS);
        let lobes = rng.below(FINGERS);
        Symmetry { fingers, lobes: if self.layout.error.is_some() { lobes } else { 0 } }
    }

    /// The error that a row's next observation shall have, rad.
    fn draw_error(&self, rng: &mut Rng) -> f64 {
        let within = if rng.unit() < self.config.achieved_fraction { self.config.achieved_within } else { PI };
        rng.uniform(-within, within)
    }

    /// Moves the target so that the next observation's error becomes `error` (rad).
    fn relabel(&self, error: f64, observation: &mut [f32], next: &mut [f32], reward: &mut f32) {
        let Some(range) = &self.layout.error else { return };
        let (seen, next) = (&mut observation[range.clone()], &mut next[range.clone()]);
        let before = f64::from(next[1]).atan2(f64::from(next[0]));
        rotate(seen, error - before);
        next.copy_from_slice(&[error.cos() as f32, error.sin() as f32]);
        *reward = (f64::from(*reward) - self.reward.of_error(before) + self.reward.of_error(error)) as f32;
    }
}

impl Augment for Augmentation {
    /// # Panics
    /// When the batch is not of this task's widths.
    fn augment(&self, batch: &mut Batch, rng: &mut Rng) {
        let width = self.layout.width;
        assert_eq!(batch.observations.len(), batch.size * width, "a batch of another task");
        let actions = batch.actions.len() / batch.size.max(1);
        for row in 0..batch.size {
            let observation = &mut batch.observations[row * width..(row + 1) * width];
            let next = &mut batch.next_observations[row * width..(row + 1) * width];
            if self.config.symmetry {
                let symmetry = self.draw_symmetry(rng);
                symmetry.turn_observation(observation, &self.layout);
                symmetry.turn_observation(next, &self.layout);
                symmetry.turn_joints(&mut batch.actions[row * actions..(row + 1) * actions]);
            }
            if rng.unit() < self.config.relabel_fraction {
                let error = self.draw_error(rng);
                self.relabel(error, observation, next, &mut batch.rewards[row]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TaskConfig, TaskName};

    fn augmentation(name: TaskName, config: AugmentationConfig) -> Result<Augmentation, EnvError> {
        Augmentation::new(&ValveTask::new(TaskConfig::published(name)).unwrap(), config)
    }

    #[test]
    fn a_target_that_nobody_sees_is_never_moved() {
        let refused = augmentation(TaskName::TurnPaper, AugmentationConfig::default()).unwrap_err();
        assert!(matches!(refused, EnvError::Setting { field: "augmentation.relabel_fraction", .. }), "{refused}");
        let config = AugmentationConfig { relabel_fraction: 0.0, ..AugmentationConfig::default() };
        let augmentation = augmentation(TaskName::TurnPaper, config).unwrap();
        let mut rng = Rng::new(0, "test");
        assert!((0..50).all(|_| augmentation.draw_symmetry(&mut rng).lobes == 0));
    }

    #[test]
    fn fractions_that_are_none_are_refused() {
        for (relabel_fraction, achieved_fraction, achieved_within) in
            [(1.5, 0.0, 0.1), (f64::NAN, 0.0, 0.1), (0.5, -0.1, 0.1), (0.5, 0.5, 4.0)]
        {
            let config = AugmentationConfig { symmetry: true, relabel_fraction, achieved_fraction, achieved_within };
            assert!(augmentation(TaskName::TurnRandom, config).is_err());
        }
    }

    #[test]
    fn relabelled_errors_cover_the_circle_and_its_achieved_part() {
        let config = AugmentationConfig { symmetry: false, relabel_fraction: 1.0, ..AugmentationConfig::default() };
        let augmentation = augmentation(TaskName::TurnRandom, config.clone()).unwrap();
        let mut rng = Rng::new(0, "test");
        let errors: Vec<f64> = (0..20_000).map(|_| augmentation.draw_error(&mut rng)).collect();
        let share = |bound: f64| errors.iter().filter(|e| e.abs() < bound).count() as f64 / errors.len() as f64;
        let near = config.achieved_within / PI;
        assert!((share(config.achieved_within) - (0.25 + 0.75 * near)).abs() < 0.015);
        assert!((share(PI / 2.0) - (0.25 + 0.75 / 2.0)).abs() < 0.015);
    }
}
