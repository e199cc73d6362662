//! How good a policy is: deterministic actions, episodes it never trained on, figures with intervals.

use crate::statistics::{Interval, bootstrap, grouped_median, mean, median, wilson};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use turnkey_core::{Environment, Mode, Policy, Rng};

/// Seeds of evaluation episodes start here; those of training episodes are below.
pub const EVALUATION_SEEDS: u64 = 1 << 62;

/// What evaluation episodes gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Episodes.
    pub episodes: usize,
    /// What became of the valve, where there is one.
    #[serde(flatten)]
    pub valve: Option<ValveFigures>,
    /// Mean sum of rewards, with a bootstrap interval.
    pub mean_return: Interval,
}

/// How well the valve was turned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValveFigures {
    /// Episodes whose last step was a success.
    pub successes: usize,
    /// Their rate, with Wilson's 95% interval.
    pub success_rate: Interval,
    /// Median over episodes of the absolute angular error at the last step, rad, with a bootstrap interval.
    pub median_error: Interval,
    /// Median over all steps of all episodes of the absolute angular error, rad: the paper's metric, the
    /// angular distance during rollouts. The bootstrap draws whole episodes.
    pub median_rollout_error: Interval,
}

impl Evaluation {
    /// The rate of successes, 0 to 1, where there is a valve.
    #[must_use]
    pub fn success_rate(&self) -> Option<f64> {
        Some(self.valve.as_ref()?.success_rate.value)
    }
}

/// What one evaluation episode gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollout {
    /// Sum of rewards.
    pub total: f64,
    /// Steps.
    pub length: usize,
    /// The absolute angular error after each step, rad, where there is one.
    pub errors: Vec<f64>,
    /// Whether the last step was a success.
    pub success: bool,
}

/// Runs `episodes` of a policy, deterministically, on seeds from [`EVALUATION_SEEDS`] on. The same policy
/// gives the same figures.
///
/// # Errors
/// When the environment fails.
pub fn rollouts(policy: &mut impl Policy, environment: &mut dyn Environment, episodes: u64) -> Result<Vec<Rollout>> {
    let mut rng = Rng::new(0, "a deterministic policy draws nothing");
    let mut all = Vec::new();
    for episode in 0..episodes {
        let mut observation =
            environment.reset(EVALUATION_SEEDS + episode).context("an evaluation episode can't start")?;
        let (mut length, mut total, mut errors) = (0, 0.0, Vec::new());
        loop {
            let action = policy.act(&observation, Mode::Deterministic, &mut rng);
            let step = environment.step(&action).context("an evaluation episode broke off")?;
            length += 1;
            total += step.reward;
            errors.extend(step.info.angular_error.map(f64::abs));
            if step.end.is_some() {
                all.push(Rollout { length, total, errors, success: step.info.success == Some(true) });
                break;
            }
            observation = step.observation;
        }
    }
    Ok(all)
}

/// The figures of `episodes` episodes, as [`rollouts`] runs them.
///
/// # Errors
/// When the environment fails.
pub fn evaluate(policy: &mut impl Policy, environment: &mut dyn Environment, episodes: u64) -> Result<Evaluation> {
    Ok(figures(&rollouts(policy, environment, episodes)?))
}

/// The figures of these episodes.
#[must_use]
pub fn figures(all: &[Rollout]) -> Evaluation {
    let successes = all.iter().filter(|rollout| rollout.success).count();
    let returns: Vec<f64> = all.iter().map(|rollout| rollout.total).collect();
    let finals: Vec<f64> = all.iter().filter_map(|rollout| rollout.errors.last().copied()).collect();
    let valve = (!finals.is_empty()).then(|| ValveFigures {
        successes,
        success_rate: wilson(successes, returns.len()),
        median_error: bootstrap(&finals, median),
        median_rollout_error: grouped_median(&all.iter().map(|rollout| rollout.errors.clone()).collect::<Vec<_>>()),
    });
    Evaluation { episodes: returns.len(), valve, mean_return: bootstrap(&returns, mean) }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name: &str, i: Interval, scale: f64, digits: usize, unit: &str| {
            let (v, l, h) = (i.value * scale, i.low * scale, i.high * scale);
            writeln!(f, "  {name:<34} {v:>9.digits$} {unit:<4} [{l:.digits$}, {h:.digits$}]")
        };
        writeln!(f, "  {} episodes, deterministic policy, 95% intervals", self.episodes)?;
        if let Some(valve) = &self.valve {
            row(f, "success", valve.success_rate, 100.0, 0, "%")?;
            row(f, "median angular error at the end", valve.median_error, 1.0, 3, "rad")?;
            row(f, "median angular distance on the way", valve.median_rollout_error, 1.0, 3, "rad")?;
        }
        row(f, "mean return", self.mean_return, 1.0, 1, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::{Action, End, Failure, Info, Observation, Snapshot, SnapshotError, Spec, Step};

    /// Two steps an episode; the error is 0.05 rad where the seed is even and 1 rad where it is odd.
    struct Recorded {
        spec: Spec,
        seeds: Vec<u64>,
        step: usize,
    }

    impl Snapshot for Recorded {
        fn save(&self) -> Vec<u8> {
            Vec::new()
        }

        fn restore(&mut self, _state: &[u8]) -> Result<(), SnapshotError> {
            Ok(())
        }
    }

    impl Environment for Recorded {
        fn spec(&self) -> &Spec {
            &self.spec
        }

        fn reset(&mut self, seed: u64) -> Result<Observation, Failure> {
            self.seeds.push(seed);
            self.step = 0;
            Ok(Observation::from(vec![0.0]))
        }

        fn step(&mut self, _action: &Action) -> Result<Step, Failure> {
            self.step += 1;
            let near = self.seeds.last().is_some_and(|seed| seed.is_multiple_of(2));
            Ok(Step {
                observation: Observation::from(vec![0.0]),
                reward: 2.0,
                end: (self.step == 2).then_some(End::Truncated),
                info: Info {
                    angular_error: Some(if near { -0.05 } else { 1.0 }),
                    success: Some(near),
                    terms: Vec::new(),
                },
            })
        }
    }

    struct Still;

    impl Policy for Still {
        fn act(&mut self, _observation: &Observation, mode: Mode, _rng: &mut Rng) -> Action {
            assert_eq!(mode, Mode::Deterministic);
            Action(vec![0.0])
        }
    }

    #[test]
    fn evaluation_takes_its_own_seeds_and_counts_last_steps() {
        let spec = Spec { observation: vec!["x".into()], pictures: None, action: vec!["u".into()], episode_steps: 2 };
        let mut environment = Recorded { spec, seeds: Vec::new(), step: 0 };
        let evaluation = evaluate(&mut Still, &mut environment, 5).unwrap();
        assert_eq!(environment.seeds, [0, 1, 2, 3, 4].map(|episode| EVALUATION_SEEDS + episode));
        let valve = evaluation.valve.unwrap();
        assert_eq!((evaluation.episodes, valve.successes), (5, 3));
        assert_eq!((valve.success_rate.value, valve.median_error.value), (0.6, 0.05));
        assert_eq!((valve.median_rollout_error.value, evaluation.mean_return.value), (0.05, 4.0));
    }
}
