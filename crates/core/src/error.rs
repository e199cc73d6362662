//! Errors that cross a seam keep their evidence and say what may be done about them.

/// What the caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Trying again may work: a lost packet, a late frame.
    Retry,
    /// A person or a configuration must change something first.
    Stop,
    /// The program is wrong.
    Bug,
}

/// An error of a plant, a task or an environment, whichever implementation it came from.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct Failure {
    kind: Kind,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Failure {
    /// Wraps what went wrong with what may be done about it.
    pub fn new(kind: Kind, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind, source: source.into() }
    }

    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}
