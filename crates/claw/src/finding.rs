//! What a check found, and how to mend it.

use serde::Serialize;
use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The claw works, but slower or less safely than it could.
    Advice,
    /// The claw must not be enabled like this.
    Fault,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Where: a servo and what it moves, or the port.
    pub at: String,
    /// What was looked at.
    pub what: String,
    /// How it should be.
    pub expected: String,
    /// How it is.
    pub found: String,
    /// How to mend it.
    pub fix: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, what, expected, found, fix, .. } = self;
        write!(f, "{at}: {what}: expected {expected}, got {found}; fix: {fix}")
    }
}
