//! The seams of learning: a batch in, figures out; an observation in, an action out.

use crate::{Action, Observation, PictureShape, Rng, Snapshot};

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
    /// The pictures of observations and next observations, where there are any.
    pub pictures: Option<PictureBatch>,
}

/// Pictures to learn from.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureBatch {
    /// The pictures of one row.
    pub shape: PictureShape,
    /// Shape `[size, height, width, 3 * stack]`: red, green, blue of the oldest picture first.
    pub observations: Vec<u8>,
    /// Shape `[size, height, width, 3 * stack]`.
    pub next_observations: Vec<u8>,
}

impl PictureBatch {
    /// Room for the pictures of `size` rows, all black.
    #[must_use]
    pub fn zeros(size: usize, shape: PictureShape) -> Self {
        let black = vec![0; size * shape.bytes()];
        Self { shape, observations: black.clone(), next_observations: black }
    }
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
            pictures: None,
        }
    }

    /// The same with room for pictures, all black.
    #[must_use]
    pub fn with_pictures(self, shape: Option<PictureShape>) -> Self {
        let pictures = shape.map(|shape| PictureBatch::zeros(self.size, shape));
        Self { pictures, ..self }
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
