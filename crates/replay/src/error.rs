//! What can go wrong with experience.

use std::{io, path::PathBuf};
use turnkey_core::{Failure, Kind, PictureShape};

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
    /// Pictures of another size, or more or fewer of them. The transition was not kept.
    #[error("{what}: expected {expected}, found {found}")]
    Pictures {
        /// Which part of the transition.
        what: &'static str,
        /// What it has in this replay.
        expected: String,
        /// What came.
        found: String,
    },
    /// Pictures that are not those before with one more. The transition was not kept.
    #[error(
        "next observation: expected its pictures to be the observation's without the oldest and one more, found \
         another picture at {index}"
    )]
    Stack {
        /// The first picture that differs, counted from the oldest.
        index: usize,
    },
    /// A replay of pictures without a pixel.
    #[error("expected pictures of at least one pixel, at least one an observation, found {} of {}", shape.stack, shape.size)]
    NoPixels {
        /// The shape asked for.
        shape: PictureShape,
    },
    /// A replay for nothing.
    #[error("expected room for at least one transition")]
    NoCapacity,
    /// A sample of nothing.
    #[error("nothing to sample: expected a transition that is not discarded, found none")]
    Empty,
    /// A batch whose buffers do not fit its size and the replay's widths.
    #[error(
        "batch buffer `{what}`: expected {expected} numbers, found {found}; make it with Batch::zeros and with_pictures"
    )]
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
    /// Rows that the checkpoint counts, or frames of theirs, are not there.
    #[error(
        "{} ends before {what} {index}: expected at least {expected} bytes, found {found}; \
         resume from an older checkpoint or restore the file (nothing was changed)",
        path.display()
    )]
    Missing {
        /// The file, whether or not it exists.
        path: PathBuf,
        /// What it holds: `row` or `frame`.
        what: &'static str,
        /// The first one that is not there, counted from the start of the run.
        index: u64,
        /// Bytes that the counted ones need.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// A counted row, or a frame of one, is not what was written.
    #[error(
        "{}, {what} {index}: expected checksum {expected:08x}, found {found:08x}; \
         resume from a checkpoint before this {what} or restore the file (nothing was changed)",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What it holds: `row` or `frame`.
        what: &'static str,
        /// Which one, counted from the start of the run.
        index: u64,
        /// The checksum written beside it.
        expected: u32,
        /// The checksum of what is there.
        found: u32,
    },
    /// A whole row, or frame, after one that is not as it was written.
    #[error(
        "{}: {what} {found} is whole and {what} {expected}, before it, is not; \
         restore the files from a copy, or cut the log off before {what} {expected} (nothing was changed)",
        path.display()
    )]
    Gap {
        /// The file.
        path: PathBuf,
        /// What it holds: `row` or `frame`.
        what: &'static str,
        /// The first one that is not as it was written, counted from the start of the run.
        expected: u64,
        /// A later one that is.
        found: u64,
    },
    /// A row whose checksum is right and whose frames can't be.
    #[error(
        "the log in {}, row {row}: expected its frames to come after those of the row before, found others; \
         this program never wrote that: restore the files from a copy (nothing was changed)",
        path.display()
    )]
    Misplaced {
        /// The log's folder.
        path: PathBuf,
        /// The row, counted from the start of the run.
        row: u64,
    },
}

impl ReplayError {
    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Width { .. } | Self::Pictures { .. } | Self::Stack { .. } => Kind::Bug,
            Self::NoPixels { .. } | Self::Batch { .. } | Self::Empty => Kind::Bug,
            Self::NotFinite { .. } | Self::NoCapacity | Self::Io { .. } | Self::Occupied { .. } => Kind::Stop,
            Self::Broken { .. } | Self::Foreign { .. } | Self::Missing { .. } => Kind::Stop,
            Self::Corrupt { .. } | Self::Gap { .. } | Self::Misplaced { .. } => Kind::Stop,
        }
    }
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Self {
        Self::new(error.kind(), error)
    }
}
