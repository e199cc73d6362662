//! What can be wrong with a twin's configuration, its model files and its physics.

use crate::ScreenError;
use std::path::PathBuf;
use turnkey_core::{Failure, Kind};

/// Why a twin could not be built.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// The configuration asks for something that can't be.
    #[error("the twin's configuration: {0}")]
    Config(#[from] ConfigError),
    /// The model can't be loaded.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// MuJoCo's renderer was asked for, and there is no OpenGL.
    #[error(transparent)]
    Screen(#[from] ScreenError),
}

/// A setting outside of what it may be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// A number outside of its bounds.
    #[error("{field}: expected {expected}, got {got}; {fix}")]
    Number {
        /// The setting, as it is written.
        field: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        got: f64,
        /// What to do about it.
        fix: &'static str,
    },
    /// A range whose ends are no ends.
    #[error(
        "randomisation.{field}: expected [low, high] with {bound} <= low <= high, got [{low}, {high}]; write the smaller number first, or leave the setting out"
    )]
    Range {
        /// The setting, as it is written.
        field: &'static str,
        /// The least number allowed.
        bound: f64,
        /// The lower end given.
        low: f64,
        /// The upper end given.
        high: f64,
    },
    /// Pictures can't be cut out and resized as asked.
    #[error("camera.pipeline: {found}; the crop is in the pixels of camera.size")]
    Pipeline {
        /// What was expected and what it is.
        found: String,
    },
    /// A range that the chosen actuation has no use for.
    #[error(
        "randomisation.{field}: it takes actuation = \"servo\", got \"position\"; change the actuation or leave the setting out"
    )]
    NeedsServo {
        /// The setting, as it is written.
        field: &'static str,
    },
}

/// A model that can't be simulated.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A model file can't be read.
    #[error(
        "the model file {path} can't be read ({source}); run `cargo xtask setup` to fetch ROBEL's files, or set TURNKEY_ROBEL_DIR to their folder"
    )]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No folder is known in which ROBEL's files could be.
    #[error(
        "no folder is known for ROBEL's model files; run `cargo xtask setup` and build again, or set TURNKEY_ROBEL_DIR"
    )]
    NoFolder,
    /// A file includes itself, or others too deep to be meant.
    #[error("the model file {path} is included more than {depth} levels deep; it probably includes itself")]
    TooDeep {
        /// The file.
        path: PathBuf,
        /// The greatest depth taken.
        depth: usize,
    },
    /// MuJoCo refuses the model.
    #[error("MuJoCo can't read the model \"{model}\": {reason}")]
    Parse {
        /// The model's name.
        model: &'static str,
        /// MuJoCo's own words.
        reason: String,
    },
    /// The model is not one of the claw and its valve.
    #[error("the model \"{model}\" is not of the claw: expected {expected}, got {got}")]
    Shape {
        /// The model's name.
        model: &'static str,
        /// What the twin needs.
        expected: String,
        /// What the model has.
        got: String,
    },
}

/// Physics that left the numbers it can be believed in.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "the simulation diverged {seconds:.4} s into the episode: {what}; reset the twin, and lower gains or raise damping if it happens again"
)]
pub struct DivergenceError {
    /// Simulated time of the episode, s.
    pub seconds: f64,
    /// What MuJoCo warned of, or which number is none.
    pub what: String,
}

impl From<DivergenceError> for Failure {
    /// Another episode may go well: the state is lost, the twin is not.
    fn from(error: DivergenceError) -> Self {
        Self::new(Kind::Retry, error)
    }
}
