//! What a learner interacts with: a plant with a task, or a benchmark.

use crate::{Action, Augment, ControlRecord, End, Failure, Observation, PictureShape, Pose, Scene, Snapshot};

/// Something to act in, episode after episode.
pub trait Environment: Snapshot {
    /// Sizes and length, constant over the environment's life.
    fn spec(&self) -> &Spec;

    /// Begins an episode, all of whose randomness comes from `seed`.
    ///
    /// # Errors
    /// When the plant can't be brought to its start.
    fn reset(&mut self, seed: u64) -> Result<Observation, Failure>;

    /// Acts for one control period.
    ///
    /// # Errors
    /// When the plant fails; the episode is then over and its last step was not taken.
    fn step(&mut self, action: &Action) -> Result<Step, Failure>;

    /// Ends the episode in progress, if any, and lets go of what moves ([`crate::Plant::release`]).
    ///
    /// # Errors
    /// When something may still be holding on.
    fn release(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// What else may be learned from the same transitions, where the task knows.
    fn augment(&self) -> Option<&dyn Augment> {
        None
    }

    /// What to draw, where the plant knows its own shape.
    fn scene(&self) -> Option<&Scene> {
        None
    }

    /// Where the shapes of [`Environment::scene`] are now, in its order. A plant of metal computes them for this alone.
    fn poses(&self) -> Vec<Pose> {
        Vec::new()
    }

    /// The last step as a person wants to see it, where there is something to see, without [`Environment::poses`].
    fn control_record(&self) -> Option<ControlRecord> {
        None
    }
}

/// The sizes of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Name of each number of an observation, in order.
    pub observation: Vec<String>,
    /// The pictures of an observation, where there are any.
    pub pictures: Option<PictureShape>,
    /// Name of each number of an action, in order.
    pub action: Vec<String>,
    /// Steps after which an episode is truncated.
    pub episode_steps: usize,
}

/// What one step gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is seen now. At an episode's end, the last thing seen in it.
    pub observation: Observation,
    /// The reward.
    pub reward: f64,
    /// Whether, and how, the episode ended.
    pub end: Option<End>,
    /// What else is worth recording.
    pub info: Info,
}

/// Named parts of a reward.
pub type Terms = Vec<(&'static str, f64)>;

/// What a step is worth recording besides what is learned from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Info {
    /// Target minus valve angle, rad, in [-pi, pi), where the task is to turn something.
    pub angular_error: Option<f64>,
    /// Whether the task is done at this moment, where it can be.
    pub success: Option<bool>,
    /// The reward's parts, which add up to it.
    pub terms: Terms,
}
