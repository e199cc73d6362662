//! How good a policy is: deterministic actions, episodes it never trained on, figures with intervals.

use crate::statistics::{Interval, bootstrap, mean, median, wilson};
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
    /// Episodes whose last step was a success.
    pub successes: usize,
    /// Their rate, with Wilson's 95% interval.
    pub success_rate: Interval,
    /// Median over episodes of the absolute angular error at the last step, rad, with a bootstrap interval.
    pub median_error: Interval,
    /// Median over all steps of all episodes of the absolute angular error, rad: the paper's metric, the
    /// angular distance during rollouts.
    pub median_rollout_error: Interval,
    /// Mean sum of rewards, with a bootstrap interval.
    pub mean_return: Interval,
}

/// Runs `episodes` of a policy, deterministically, on seeds from [`EVALUATION_SEEDS`] on. The same policy
/// gives the same figures.
///
/// # Errors
/// When the environment fails.
pub fn evaluate(policy: &mut impl Policy, environment: &mut dyn Environment, episodes: u64) -> Result<Evaluation> {
    let mut rng = Rng::new(0, "a deterministic policy draws nothing");
    let (mut returns, mut finals, mut rollouts, mut successes) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for episode in 0..episodes {
        let mut observation =
            environment.reset(EVALUATION_SEEDS + episode).context("an evaluation episode can't start")?;
        let (mut total, mut errors) = (0.0, Vec::new());
        loop {
            let action = policy.act(&observation, Mode::Deterministic, &mut rng);
            let step = environment.step(&action).context("an evaluation episode broke off")?;
            total += step.reward;
            errors.extend(step.info.angular_error.map(f64::abs));
            if step.end.is_some() {
                successes += usize::from(step.info.success == Some(true));
                finals.extend(errors.last().copied());
                rollouts.push(median(&errors));
                returns.push(total);
                break;
            }
            observation = step.observation;
        }
    }
    Ok(Evaluation {
        episodes: returns.len(),
        successes,
        success_rate: wilson(successes, returns.len()),
        median_error: bootstrap(&finals, median),
        median_rollout_error: bootstrap(&rollouts, median),
        mean_return: bootstrap(&returns, mean),
    })
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name: &str, i: Interval, scale: f64, digits: usize, unit: &str| {
            let (v, l, h) = (i.value * scale, i.low * scale, i.high * scale);
            writeln!(f, "  {name:<34} {v:>9.digits$} {unit:<4} [{l:.digits$}, {h:.digits$}]")
        };
        writeln!(f, "  {} episodes, deterministic policy, 95% intervals", self.episodes)?;
        row(f, "success", self.success_rate, 100.0, 0, "%")?;
        row(f, "median angular error at the end", self.median_error, 1.0, 3, "rad")?;
        row(f, "median angular distance on the way", self.median_rollout_error, 1.0, 3, "rad")?;
        row(f, "mean return", self.mean_return, 1.0, 1, "")
    }
}
