//! How many checks held.

/// What came of a stage: how many checks in it held, and how many didn't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Those that held.
    pub(crate) passed: usize,
    /// Those that didn't.
    pub(crate) failed: usize,
}
