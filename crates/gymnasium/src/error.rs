//! What can be wrong with an environment on the other end of a socket.

use std::path::PathBuf;
use turnkey_core::{Failure, Kind};

/// An environment of Gymnasium that can't be made, started or gone on with, or a client that can't be served.
#[derive(Debug, thiserror::Error)]
pub enum GymnasiumError {
    /// A setting is out of range.
    #[error("gymnasium.{key}: expected {expected}, got {actual}")]
    Setting {
        /// Its key.
        key: &'static str,
        /// What is in range.
        expected: &'static str,
        /// What came.
        actual: String,
    },
    /// The interpreter can't be started.
    #[error(
        "{id}: expected a Python 3 with gymnasium to run as `{python}`, got: {source}.\n  fix: have gymnasium.python name \
         one, or install Python 3"
    )]
    NotStarted {
        /// The environment.
        id: String,
        /// What gymnasium.python says.
        python: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The other end says no.
    #[error("{id}, asked to {asked}: {message}.\n  fix: {fix}")]
    Refused {
        /// The environment.
        id: String,
        /// What it was to do.
        asked: &'static str,
        /// What was expected and what came, in its words.
        message: String,
        /// What to do about it.
        fix: String,
    },
    /// The other end is gone.
    #[error(
        "{id}, asked to {asked}: expected an answer, but {how}; its own words, if any, are above.\n  fix: {fix}",
        fix = fix_of_loss(.asked)
    )]
    Lost {
        /// The environment.
        id: String,
        /// What it was to do.
        asked: &'static str,
        /// What it did instead, as far as known: a clause.
        how: String,
    },
    /// The other end is stuck.
    #[error(
        "{id}, asked to {asked}: expected an answer within {secs} s, got none; its process is ended.\n  fix: a larger \
         gymnasium.timeout_secs, if the environment is slow; if it is stuck, look into the environment"
    )]
    Late {
        /// The environment.
        id: String,
        /// What it was to do.
        asked: &'static str,
        /// How long it had, s.
        secs: f64,
    },
    /// The other end lies.
    #[error(
        "{id}, asked to {asked}: expected {expected}, got {actual}.\n  fix: mend the environment, or what answers for it \
         (docs/gymnasium.md has the format)"
    )]
    Malformed {
        /// The environment.
        id: String,
        /// What it was to do.
        asked: &'static str,
        /// What would have been right.
        expected: String,
        /// What came.
        actual: String,
    },
    /// Asked for a step where there is no episode.
    #[error("{id}: expected a reset before this step, since no episode is in progress")]
    NoEpisode {
        /// The environment.
        id: String,
    },
    /// An action of another width.
    #[error("{id}: expected {expected} numbers as an action, got {actual}")]
    ActionWidth {
        /// The environment.
        id: String,
        /// Numbers of an action.
        expected: usize,
        /// How many came.
        actual: usize,
    },
    /// A client's connection broke in a way that isn't its leaving.
    #[error("the client's connection broke: {source}.\n  fix: see why the client ended")]
    Client {
        /// What the system says.
        source: std::io::Error,
    },
}

fn fix_of_loss(asked: &str) -> &'static str {
    match asked {
        "open" => {
            "see that gymnasium.python is a Python 3.9 or newer, and that gymnasium and what else the environment needs can be \
             imported in it"
        }
        _ => "see that memory was enough, and that the environment runs in Python by itself",
    }
}

impl GymnasiumError {
    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoEpisode { .. } | Self::ActionWidth { .. } => Kind::Bug,
            _ => Kind::Stop,
        }
    }
}

impl From<GymnasiumError> for Failure {
    fn from(error: GymnasiumError) -> Self {
        Self::new(error.kind(), error)
    }
}
