//! Perturbations over an episode.

use crate::effect::Effect;
use crate::{FramePerturbation, PictureError};
use serde::{Deserialize, Serialize};
use turnkey_core::{Frame, Rng, Stamp};

/// How much of a perturbation an episode has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Draw {
    /// All of it: for evaluation.
    #[default]
    Full,
    /// A part drawn uniformly from none to all; where it has an opposite, from all of that: for training.
    Uniform,
}

/// What is done to frames.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerturberConfig {
    /// The perturbations, in the order in which they happen to a frame.
    #[serde(default)]
    pub perturbations: Vec<FramePerturbation>,
    /// How much of each an episode has.
    #[serde(default)]
    pub draw: Draw,
}

/// Perturbs frames, one after another: what a twin drew as well as what a camera took. The same seed and frames give the
/// same frames. Written down with serde and read again, it goes on to the bit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Perturber {
    config: PerturberConfig,
    stages: Vec<Stage>,
    /// When the episode's first frame was taken.
    began: Option<Stamp>,
}

/// One perturbation and its own random numbers: none draws what another would have drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stage {
    rng: Rng,
    effect: Effect,
}

impl Perturber {
    /// A perturber at the beginning of the episode `seed`.
    ///
    /// # Errors
    /// When a strength is out of its range.
    pub fn new(config: PerturberConfig, seed: u64) -> Result<Self, PictureError> {
        config.perturbations.iter().try_for_each(FramePerturbation::check)?;
        let mut perturber = Self { config, stages: Vec::new(), began: None };
        perturber.begin_episode(seed);
        Ok(perturber)
    }

    /// What it does.
    #[must_use]
    pub fn config(&self) -> &PerturberConfig {
        &self.config
    }

    /// Draws what stays the same for an episode, and forgets the frames of the one before. Everything that follows
    /// depends on `seed` and the frames alone.
    pub fn begin_episode(&mut self, seed: u64) {
        let PerturberConfig { perturbations, draw } = &self.config;
        let stage = |(i, perturbation): (usize, &FramePerturbation)| {
            // Counted among its own kind, so that another kind added in front of it changes nothing.
            let number = perturbations[..i].iter().filter(|before| before.name() == perturbation.name()).count();
            let mut rng = Rng::new(seed, &format!("frames: {} {number}", perturbation.name()));
            let least = if perturbation.has_opposite() { -1.0 } else { 0.0 };
            let part = match draw {
                Draw::Full => 1.0,
                Draw::Uniform => rng.uniform(least, 1.0) as f32,
            };
            let effect = Effect::begin(perturbation.scaled(part), &mut rng);
            Stage { rng, effect }
        };
        self.stages = perturbations.iter().enumerate().map(stage).collect();
        self.began = None;
    }

    /// The frame as it comes out. Dropped and late frames keep the stamp of when they were taken. What moves through the
    /// picture does so by the frames' stamps. A frame without pixels comes out as it is.
    pub fn apply(&mut self, frame: Frame) -> Frame {
        if frame.pixels().is_empty() {
            return frame;
        }
        let began = *self.began.get_or_insert(frame.stamp());
        let seconds = |frame: &Frame| frame.stamp().0.saturating_sub(began.0).as_secs_f32();
        self.stages.iter_mut().fold(frame, |frame, Stage { rng, effect }| {
            let seconds = seconds(&frame);
            effect.apply(frame, seconds, rng)
        })
    }
}
