//! Why there is no view.

use std::path::PathBuf;

/// Why a view can't be started. What goes wrong later is warned of, and never stops a run.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The recording can't be created.
    #[error("the recording {path} can't be created: {source}; choose a folder that can be written to")]
    Recording {
        /// Where it was to be.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// No thread for it.
    #[error("no thread can be started for the view: {source}")]
    Thread {
        /// What the system said.
        source: std::io::Error,
    },
    /// rerun refused to begin.
    #[error("rerun can't begin a recording: {reason}")]
    Rerun {
        /// What it said.
        reason: String,
    },
}
