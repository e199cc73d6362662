//! What can go wrong with experience.

use std::{io, path::PathBuf};
use turnkey_core::{Failure, FrameSize, Kind};

/// An error of the replay or of its files.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A transition of another size.
    #[error("{what}: expected {expected} numbers, found {found}")]
    Width {
        /// Which part of the transition.
        what: &'static str,
        /// Numbers it has in this replay.
        expected: usize,
        /// Numbers that came.
        found: usize,
    },
    /// More or fewer pictures than an observation has.
    #[error("{what}: expected {expected} pictures, found {found}")]
    Stack {
        /// Which part of the transition.
        what: &'static str,
        /// Pictures it has in this replay.
        expected: usize,
        /// Pictures that came.
        found: usize,
    },
    /// A picture of another size.
    #[error("{what}: expected pictures of {expected}, found one of {found}")]
    Size {
        /// Which part of the transition.
        what: &'static str,
        /// Their size in this replay.
        expected: FrameSize,
        /// The size that came.
        found: FrameSize,
    },
    /// A number that learning would choke on. The transition was not kept.
    #[error("{what}[{index}]: expected a finite number, found {found}")]
    NotFinite {
        /// Which part of the transition.
        what: &'static str,
        /// Which of its numbers.
        index: usize,
        /// What it was.
        found: f32,
    },
    /// A replay for nothing.
    #[error("expected room for at least one transition")]
    NoCapacity,
    /// A sample of nothing.
    #[error("nothing to sample: no transition was pushed yet")]
    Empty,
    /// A batch whose buffers do not fit its size and the replay's widths.
    #[error("batch buffer `{what}`: expected {expected} numbers, found {found}; make it with Batch::zeros")]
    Batch {
        /// Which buffer.
        what: &'static str,
        /// Numbers it needs.
        expected: usize,
        /// Numbers it has.
        found: usize,
    },
    /// The file system refused.
    #[error("can't {doing} {}: {source}", path.display())]
    Io {
        /// What was tried, such as `append to`.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A log after the file system refused it once: what had reached the disk by then is unknown.
    #[error(
        "the log in {} failed before, so what it holds past its last sync is unknown; \
         free what stopped it and resume from the last checkpoint",
        path.display()
    )]
    Broken {
        /// The log's folder.
        path: PathBuf,
    },
    /// A new log where there is one already.
    #[error("{} holds rows already; resume from its checkpoint or choose another folder", path.display())]
    Occupied {
        /// The first file found.
        path: PathBuf,
    },
    /// A file that is not a segment of this log.
    #[error(
        "{} is not of this log: expected {what} {expected}, found {found}; \
         resume with the settings and the folder of the run that wrote it (nothing was changed)",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Which field of its header.
        what: &'static str,
        /// What the field should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// Rows that the checkpoint counts are not there.
    #[error(
        "{} ends before row {row}: expected at least {expected} bytes, found {found}; \
         resume from an older checkpoint or restore the file (nothing was changed)",
        path.display()
    )]
    Missing {
        /// The file, whether or not it exists.
        path: PathBuf,
        /// The first row that is not there.
        row: u64,
        /// Bytes that the counted rows need.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// A counted row is not what was written.
    #[error(
        "{}, row {row}: expected checksum {expected:08x}, found {found:08x}; \
         resume from a checkpoint before this row or restore the file (nothing was changed)",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The row, counted from the start of the run.
        row: u64,
        /// The checksum written beside it.
        expected: u32,
        /// The checksum of what is there.
        found: u32,
    },
}

impl ReplayError {
    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Width { .. } | Self::Stack { .. } | Self::Size { .. } | Self::Batch { .. } | Self::Empty => Kind::Bug,
            Self::NotFinite { .. } | Self::NoCapacity | Self::Io { .. } | Self::Occupied { .. } => Kind::Stop,
            Self::Broken { .. } | Self::Foreign { .. } | Self::Missing { .. } | Self::Corrupt { .. } => Kind::Stop,
        }
    }
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Self {
        Self::new(error.kind(), error)
    }
}
