//! What can keep emulated servos from running.

use std::io;
use std::path::PathBuf;
use turnkey_core::{Failure, Kind};

/// Why there are no emulated servos.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// A setting that no servo can have.
    #[error("{field}: expected {expected}, got {got}")]
    Config {
        /// The setting.
        field: String,
        /// What it may be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// The system gave no pseudo-terminal, or one failed in use.
    #[error("a pseudo-terminal of {device}: {action} failed: {source}")]
    Terminal {
        /// The device.
        device: PathBuf,
        /// What was being done.
        action: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The link to the port can't be made.
    #[error("the link {}: expected a free name or an old link in a folder that can be written, got {source}", link.display())]
    Link {
        /// The link.
        link: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// What the servos turn can't go on.
    #[error("what the servos turn can't go on: {0}")]
    Physics(Failure),
}

impl EmulatorError {
    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Config { .. } | Self::Terminal { .. } | Self::Link { .. } => Kind::Stop,
            Self::Physics(failure) => failure.kind(),
        }
    }
}
