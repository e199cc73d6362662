//! What a run tells those who watch it.

use crate::{Action, Frame, Health, JointVector, Pose, Reading, Scene, Terms};
use std::sync::Arc;
use std::time::Duration;

/// One thing worth showing or keeping.
#[derive(Clone, Debug)]
pub enum Record {
    /// What to draw, once, before anything moves.
    Scene(Arc<Scene>),
    /// One control step.
    Control(Box<ControlRecord>),
    /// What the critics attended to in one control step.
    Attention(AttentionRecord),
    /// One report of the learner.
    Learning(LearningRecord),
    /// One finished episode.
    Episode(EpisodeRecord),
}

/// One control step, as a person wants to see it.
#[derive(Clone, Debug)]
pub struct ControlRecord {
    /// Environment steps taken in the run so far; set by whoever records.
    pub step: u64,
    /// What was measured after the step.
    pub reading: Reading,
    /// The goal that was given, rad.
    pub goal: JointVector,
    /// The policy's action.
    pub action: Action,
    /// Angle wanted of the valve, rad.
    pub target: f64,
    /// Target minus valve angle, rad, in [-pi, pi).
    pub angular_error: f64,
    /// The reward.
    pub reward: f64,
    /// The reward's parts.
    pub terms: Terms,
    /// How long after its deadline the step ended, where control keeps to a clock; set by whoever records.
    pub lateness: Option<Duration>,
    /// How the machine itself fares, where there is one.
    pub health: Option<Health>,
    /// Where the scene's shapes are.
    pub poses: Vec<Pose>,
}

/// What the critics attended to, where pictures are learned from.
#[derive(Clone, Debug)]
pub struct AttentionRecord {
    /// Environment steps taken in the run so far.
    pub step: u64,
    /// The newest picture that the step's action was chosen by, with what they attend to laid over it.
    pub overlay: Frame,
}

/// Named figures of the learner at one moment: losses, temperature, entropy, Q values.
#[derive(Clone, Debug)]
pub struct LearningRecord {
    /// Environment steps taken in the run so far.
    pub step: u64,
    /// The figures.
    pub figures: Vec<(&'static str, f64)>,
}

/// One finished episode.
#[derive(Clone, Debug)]
pub struct EpisodeRecord {
    /// Environment steps taken in the run so far.
    pub step: u64,
    /// Episodes finished so far, this one included.
    pub episode: u64,
    /// Sum of its rewards.
    pub episode_return: f64,
    /// Its steps.
    pub length: usize,
    /// Whether its last step was a success, where the task says.
    pub success: Option<bool>,
    /// Absolute angular error at its last step, rad.
    pub final_error: Option<f64>,
}

/// Somewhere that records go.
pub trait Sink: Send {
    /// Takes a record. Never blocks and never fails: what can't be taken is dropped and counted.
    fn record(&self, record: Record);

    /// Whether the present episode's control steps are of use: where not, nobody need put them together.
    fn wants_control(&self) -> bool {
        true
    }
}
