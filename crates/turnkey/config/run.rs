//! `[run]`: how long, how often, how much of what.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// How long a run is and how often it looks at itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Environment steps.
    pub steps: u64,
    /// Steps of random motion before the policy acts and anything is learned.
    pub warmup_steps: u64,
    /// Gradient steps for each environment step after the warm-up (the update-to-data ratio).
    #[serde(default = "one")]
    pub updates_per_step: u64,
    /// Environment steps for each gradient step after the warm-up, where the ratio is below one.
    #[serde(default = "one")]
    pub steps_per_update: u64,
    /// Environments that are acted in at once, a step in each before anything is learned. Evaluations have one of their
    /// own.
    #[serde(default = "one")]
    pub environments: u64,
    /// Transitions kept to learn from.
    #[serde(default = "million")]
    pub replay_capacity: usize,
    /// Environment steps from one evaluation to the next.
    pub evaluation_period: u64,
    /// Episodes of each evaluation while training.
    #[serde(default = "thirty")]
    pub evaluation_episodes: u64,
    /// Episodes of the evaluation at the end.
    #[serde(default = "hundred")]
    pub final_episodes: u64,
    /// Environment steps from one checkpoint to the next.
    pub checkpoint_period: u64,
    /// Checkpoints kept; older ones are deleted.
    #[serde(default = "three")]
    pub checkpoints_kept: usize,
    /// Whether learning waits for control and control for learning, or each goes its own way.
    #[serde(default)]
    pub mode: RunMode,
    /// A step that ends this long after its deadline ends an asynchronous run, with the plant released, s.
    #[serde(default = "one_second")]
    pub lateness_limit_secs: f64,
}

/// How control and learning go together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    /// In turn, as fast as it goes: the same seed gives the same run. For plants that wait.
    #[default]
    Inline,
    /// On threads of their own, control in real time. For plants that don't wait, and for those that are to be like
    /// them.
    Asynchronous,
}

impl RunConfig {
    /// Gradient steps that so many environment steps ask for, from the run's beginning.
    #[must_use]
    pub fn updates_by(&self, step: u64) -> u64 {
        step.saturating_sub(self.warmup_steps).saturating_mul(self.updates_per_step) / self.steps_per_update
    }

    /// Checks what types can't.
    pub(super) fn check(&self) -> Result<()> {
        let above_zero = |key: &str, value: u64| {
            ensure!(value > 0, "run.{key}: expected 1 or more, got {value}");
            Ok(())
        };
        above_zero("steps", self.steps)?;
        above_zero("evaluation_period", self.evaluation_period)?;
        above_zero("evaluation_episodes", self.evaluation_episodes)?;
        above_zero("final_episodes", self.final_episodes)?;
        above_zero("checkpoint_period", self.checkpoint_period)?;
        above_zero("checkpoints_kept", self.checkpoints_kept as u64)?;
        ensure!(
            (1..=LARGEST_REPLAY).contains(&self.replay_capacity),
            "run.replay_capacity: expected 1 to {LARGEST_REPLAY}, got {}",
            self.replay_capacity
        );
        ensure!(
            self.lateness_limit_secs > 0.0 && self.lateness_limit_secs <= 3600.0,
            "run.lateness_limit_secs: expected above 0 and at most 3600, got {}",
            self.lateness_limit_secs
        );
        self.check_ratio()
    }

    /// Checks the update-to-data ratio, and how many environments there are.
    fn check_ratio(&self) -> Result<()> {
        let Self { updates_per_step, steps_per_update, environments, steps, .. } = *self;
        ensure!(updates_per_step <= 1000, "run.updates_per_step: expected at most 1000, got {updates_per_step}");
        ensure!(
            (1..=1000).contains(&steps_per_update),
            "run.steps_per_update: expected 1 to 1000, got {steps_per_update}"
        );
        ensure!(
            updates_per_step <= 1 || steps_per_update == 1,
            "run.steps_per_update: expected 1 with run.updates_per_step = {updates_per_step}, got {steps_per_update}; one of \
             them is the ratio"
        );
        ensure!(
            (1..=MOST_ENVIRONMENTS).contains(&environments),
            "run.environments: expected 1 to {MOST_ENVIRONMENTS}, got {environments}"
        );
        ensure!(
            environments == 1 || self.mode == RunMode::Inline,
            "run.environments: expected 1 with run.mode = \"asynchronous\", which acts on one plant, got {environments}"
        );
        ensure!(
            steps.is_multiple_of(environments),
            "run.steps: expected a multiple of run.environments = {environments}, whose steps are taken together, got {steps}.\n  \
             fix: --set run.steps={}",
            steps.next_multiple_of(environments)
        );
        Ok(())
    }
}

/// Transitions that fit into a large machine's memory, about 25 GB of them.
const LARGEST_REPLAY: usize = 100_000_000;

/// More than anybody has processors for.
const MOST_ENVIRONMENTS: u64 = 1024;

fn one() -> u64 {
    1
}
fn one_second() -> f64 {
    1.0
}
fn three() -> usize {
    3
}
fn thirty() -> u64 {
    30
}
fn hundred() -> u64 {
    100
}
fn million() -> usize {
    1_000_000
}
