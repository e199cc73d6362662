//! What can go wrong with a camera.

use std::io;
use std::path::PathBuf;
use std::time::Duration;
use turnkey_core::{Failure, FrameSize, Kind};
use turnkey_picture::PictureError;

/// Why there is no frame, or no camera.
#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    /// A source that can't be opened.
    #[error("{camera}: expected {expected}, got: {found}\n  fix: {fix}")]
    Open {
        /// The camera's name.
        camera: String,
        /// What was to be done.
        expected: String,
        /// What the system says.
        found: String,
        /// What a person should do.
        fix: &'static str,
    },
    /// A source that was open and is gone.
    #[error(
        "{camera}: expected the next frame, got: {found}\n  fix: plug it in again, or see what ended; it is reopened by itself"
    )]
    Lost {
        /// The camera's name.
        camera: String,
        /// What the system says.
        found: String,
    },
    /// A recording that is over.
    #[error(
        "{camera}: expected another frame, got the recording's end after {frames}\n  fix: record longer, or have it start again from its first frame (`repeat = true`)"
    )]
    Ended {
        /// The recording.
        camera: String,
        /// How many there were.
        frames: usize,
    },
    /// No frame that is new enough.
    #[error("{camera}: expected a frame of the last {} ms, got {} within {} ms{}\n  fix: `turnkey camera doctor` says what is wrong; `max_frame_age_secs` says how old frames may be", wanted.as_millis(), Newest(*newest), waited.as_millis(), Because(because))]
    NoFrame {
        /// The camera's name.
        camera: String,
        /// How old it might have been at most, when it was asked for.
        wanted: Duration,
        /// How old the newest is.
        newest: Option<Duration>,
        /// How long was waited.
        waited: Duration,
        /// What last went wrong, if anything since the newest frame.
        because: Option<String>,
    },
    /// A frame without the valve's mark.
    #[error(
        "{camera}: the valve's mark: expected {expected}, got {found}\n  fix: see that nothing covers the mark, and nothing else has its colour; `turnkey camera doctor` says what it finds, [mark] in the camera's file what is looked for"
    )]
    NoMark {
        /// The camera's name.
        camera: String,
        /// What of it should have been there.
        expected: String,
        /// What was.
        found: String,
    },
    /// A control that doesn't hold what was written.
    #[error("{camera}: {control}: expected {expected}, got {found}\n  fix: {fix}")]
    Control {
        /// The camera's name.
        camera: String,
        /// Which.
        control: &'static str,
        /// What it should hold.
        expected: String,
        /// What it holds, or what the driver says.
        found: String,
        /// What a person should do.
        fix: &'static str,
    },
    /// A configuration that can't be used.
    #[error("{file}: {field}: expected {expected}, got {found}\n  fix: {fix}")]
    Config {
        /// The file.
        file: String,
        /// Which key.
        field: String,
        /// What it may say.
        expected: String,
        /// What it says.
        found: String,
        /// What to do.
        fix: &'static str,
    },
    /// A picture that the pipeline refuses.
    #[error("{camera}: {source}")]
    Picture {
        /// The camera's name.
        camera: String,
        /// What is wrong with it.
        source: PictureError,
    },
    /// A source whose pictures have another size than configured.
    #[error(
        "{camera}: expected pictures of {expected}, got {found}\n  fix: set width and height to what it sends; `turnkey camera list` says what it can"
    )]
    OtherSize {
        /// The camera's name.
        camera: String,
        /// As configured.
        expected: FrameSize,
        /// As announced.
        found: FrameSize,
    },
    /// A file that can't be read or written.
    #[error("{}: expected {expected}, got: {found}\n  fix: {fix}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What was to be done with it.
        expected: &'static str,
        /// What the system says.
        found: String,
        /// What a person should do.
        fix: &'static str,
    },
}

impl CameraError {
    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Lost { .. } | Self::NoFrame { .. } | Self::NoMark { .. } => Kind::Retry,
            Self::Picture { source, .. } => source.kind(),
            _ => Kind::Stop,
        }
    }

    pub(crate) fn file(path: impl Into<PathBuf>, expected: &'static str, error: &io::Error) -> Self {
        let fix = match error.kind() {
            io::ErrorKind::NotFound => "check the path",
            io::ErrorKind::PermissionDenied => "use a folder that is yours",
            io::ErrorKind::AlreadyExists => "give another name: nothing is written over",
            io::ErrorKind::StorageFull => "free some room",
            _ => "see that the file is whole, and the disk",
        };
        Self::File { path: path.into(), expected, found: error.to_string(), fix }
    }
}

impl From<CameraError> for Failure {
    fn from(error: CameraError) -> Self {
        Self::new(error.kind(), error)
    }
}

struct Newest(Option<Duration>);

impl std::fmt::Display for Newest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(age) => write!(f, "none newer than {} ms", age.as_millis()),
            None => write!(f, "none at all"),
        }
    }
}

struct Because<'a>(&'a Option<String>);

impl std::fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            // A cause brings its own fix on a line of its own; what is wrong is enough here.
            Some(cause) => write!(f, " ({})", cause.lines().next().unwrap_or_default()),
            None => Ok(()),
        }
    }
}
