//! What is learned from.

use crate::Frame;
use serde::{Deserialize, Serialize};

/// What a policy sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Numbers in the task's order, each of a size near 1.
    pub numbers: Vec<f32>,
    /// The newest pictures, oldest first, all of one size; none where a policy sees none.
    pub pictures: Vec<Frame>,
}

impl From<Vec<f32>> for Observation {
    /// An observation without pictures.
    fn from(numbers: Vec<f32>) -> Self {
        Self { numbers, pictures: Vec::new() }
    }
}

/// What a policy does: numbers in [-1, 1], which the task gives their meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action(pub Vec<f32>);

impl Action {
    /// Its numbers as environments take them: within [-1, 1], and 0 for what is no number.
    pub fn bounded(&self) -> impl Iterator<Item = f32> {
        self.0.iter().map(|x| if x.is_nan() { 0.0 } else { x.clamp(-1.0, 1.0) })
    }
}

/// Why an episode ended. Never both: only a termination means that nothing follows, so only a
/// termination zeroes the bootstrapped value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// The state is final: no reward can follow it.
    Terminated,
    /// The episode was cut off; the state is like any other, and its value still counts.
    Truncated,
}

/// One step of experience.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// What was seen.
    pub observation: Observation,
    /// What the policy did: its own action, not the clipped goal.
    pub action: Action,
    /// What it earned.
    pub reward: f32,
    /// What was seen next: at an episode's end its true last observation, never the next reset's first.
    pub next: Observation,
    /// Whether the episode ended here, and how.
    pub end: Option<End>,
}
