//! What can go wrong between a plant and a task.

use turnkey_core::{Failure, FrameSize, Kind};

/// An error of a task or of the environment around it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EnvError {
    /// The plant measures no valve angle, which the task needs.
    #[error(
        "the task needs the valve's angle, but the reading at {stamp_secs:.3} s has none; \
         connect the valve's servo or choose a plant that measures it"
    )]
    NoValve {
        /// When the reading was taken, s on the plant's clock.
        stamp_secs: f64,
    },
    /// The plant has no camera, which the task needs.
    #[error(
        "the task is seen in pictures, but the plant has no camera; give the plant one ([twin.camera]), or set task.sees to \"state\""
    )]
    NoCamera,
    /// A reading came without a picture.
    #[error("expected a picture with the reading at {stamp_secs:.3} s, found none; check the camera")]
    NoFrame {
        /// When the reading was taken, s on the plant's clock.
        stamp_secs: f64,
    },
    /// A picture of another size.
    #[error(
        "expected a picture of {expected} with the reading at {stamp_secs:.3} s, found one of {found}; check the camera"
    )]
    FrameSize {
        /// What the plant said its frames are.
        expected: FrameSize,
        /// What came.
        found: FrameSize,
        /// When the reading was taken, s on the plant's clock.
        stamp_secs: f64,
    },
    /// The plant measured something that is not a number.
    #[error("the reading at {stamp_secs:.3} s gives {what} as {found}, expected a finite number; check the plant")]
    NotFinite {
        /// What was measured.
        what: String,
        /// What it came as.
        found: f64,
        /// When the reading was taken, s on the plant's clock.
        stamp_secs: f64,
    },
    /// A setting that no task can have.
    #[error("task setting `{field}`: expected {expected}, found {found}")]
    Setting {
        /// The setting's path, such as `reward.bonuses`.
        field: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// Task and plant disagree about the control period.
    #[error(
        "the task counts on a control period of {task} s, the plant takes {plant} s; \
         set the task's period_secs and the plant's period to the same value"
    )]
    Period {
        /// The task's period, s.
        task: f64,
        /// The plant's period, s.
        plant: f64,
    },
    /// An action of another size.
    #[error("expected an action of {expected} numbers, found {found}")]
    ActionWidth {
        /// Numbers of an action.
        expected: usize,
        /// Numbers that came.
        found: usize,
    },
    /// A step was asked for where none can follow.
    #[error("a step was asked for outside an episode (never reset, ended, or broken off by an error); reset first")]
    NoEpisode,
}

impl EnvError {
    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoValve { .. }
            | Self::NoCamera
            | Self::NoFrame { .. }
            | Self::FrameSize { .. }
            | Self::NotFinite { .. }
            | Self::Setting { .. }
            | Self::Period { .. } => Kind::Stop,
            Self::ActionWidth { .. } | Self::NoEpisode => Kind::Bug,
        }
    }
}

impl From<EnvError> for Failure {
    fn from(error: EnvError) -> Self {
        Self::new(error.kind(), error)
    }
}
