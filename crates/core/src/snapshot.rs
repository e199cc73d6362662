//! Saving and restoring everything that decides what happens next.

/// Something whose whole state can be written down and taken up again, so that what follows is the same
/// to the bit.
pub trait Snapshot {
    /// The state, as bytes that [`Snapshot::restore`] of the same build reads.
    fn save(&self) -> Vec<u8>;

    /// Takes up a saved state.
    ///
    /// # Errors
    /// When the bytes are not such a state; `self` is then unchanged.
    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError>;
}

/// Bytes that are not a state of the thing they were given to.
#[derive(Debug, thiserror::Error)]
#[error("the saved state of the {of} can't be read: {reason}")]
pub struct SnapshotError {
    /// What was to be restored.
    pub of: &'static str,
    /// What was expected and what came.
    pub reason: String,
}

impl SnapshotError {
    /// An error naming what was to be restored and why it can't be.
    pub fn new(of: &'static str, reason: impl std::fmt::Display) -> Self {
        Self { of, reason: reason.to_string() }
    }
}
