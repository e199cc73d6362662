//! The seams of learning: a batch in, figures out; an observation in, an action out.

use crate::{Action, Observation, Rng, Snapshot};

/// How a policy acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Draws from its distribution: for gathering experience.
    Sample,
    /// Takes the distribution's centre: for evaluation.
    Deterministic,
}

/// Something that acts.
pub trait Policy {
    /// The action for one observation. Draws from `rng` in [`Mode::Sample`] only.
    fn act(&mut self, observation: &Observation, mode: Mode, rng: &mut Rng) -> Action;
}

/// Transitions to learn from, row after row in flat buffers that are used again and again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Rows.
    pub size: usize,
    /// Shape `[size, observation]`.
    pub observations: Vec<f32>,
    /// Shape `[size, action]`.
    pub actions: Vec<f32>,
    /// Shape `[size]`.
    pub rewards: Vec<f32>,
    /// Shape `[size, observation]`.
    pub next_observations: Vec<f32>,
    /// 1 where the next state's value counts, 0 after a termination. Shape `[size]`.
    pub continues: Vec<f32>,
}

impl Batch {
    /// An empty batch with room for `size` rows of these widths, all zero.
    #[must_use]
    pub fn zeros(size: usize, observation: usize, action: usize) -> Self {
        Self {
            size,
            observations: vec![0.0; size * observation],
            actions: vec![0.0; size * action],
            rewards: vec![0.0; size],
            next_observations: vec![0.0; size * observation],
            continues: vec![0.0; size],
        }
    }
}

/// Turns transitions into others that are as true: by a symmetry of the world, or by another target
/// whose rewards are known.
pub trait Augment {
    /// Changes rows of `batch` in place.
    fn augment(&self, batch: &mut Batch, rng: &mut Rng);
}

/// Something that learns from batches.
pub trait Learner: Snapshot {
    /// Figures of one update.
    type Metrics;

    /// Takes one gradient step of everything that is learned.
    fn update(&mut self, batch: &Batch) -> Self::Metrics;
}
