//! What the claw is to do, and what it is worth.

use crate::{Action, End, Failure, Info, JointGoal, JointLimits, Observation, Reading, Rng, Snapshot, Spec, Start};

/// What is asked of the claw: where episodes start, what a policy sees, what an action means, what it is
/// worth, and when an episode ends. A task never touches a plant.
pub trait Task: Snapshot {
    /// Sizes, names and length, constant over the task's life.
    fn spec(&self) -> Spec;

    /// Begins an episode: draws where it starts and what its target is.
    fn begin(&mut self, rng: &mut Rng) -> Start;

    /// The goal that `action` means at `reading`.
    fn goal(&self, action: &Action, reading: &Reading, limits: &JointLimits) -> JointGoal;

    /// What a policy sees at `reading`, before or after any number of steps of the episode.
    ///
    /// # Errors
    /// When the reading lacks what this task needs, such as the valve's angle.
    fn observe(&self, reading: &Reading) -> Result<Observation, Failure>;

    /// Counts one step: what `action` earned by leading to `reading`, and whether the episode ends there.
    ///
    /// # Errors
    /// When the reading lacks what the reward needs.
    fn advance(&mut self, action: &Action, reading: &Reading) -> Result<Outcome, Failure>;

    /// Angle that the valve's mark should have now, rad.
    fn target(&self) -> f64;
}

/// What one step led to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The reward.
    pub reward: f64,
    /// Whether, and how, the episode ended.
    pub end: Option<End>,
    /// What else is worth recording.
    pub info: Info,
}
