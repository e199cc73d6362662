//! Which program made a run.

use serde::{Deserialize, Serialize};

/// Version and commit of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The package's version.
    pub version: String,
    /// The commit it was built from; `unknown` outside a checkout.
    pub commit: String,
}

/// This program's.
#[must_use]
pub fn current() -> Version {
    Version { version: env!("CARGO_PKG_VERSION").into(), commit: env!("TURNKEY_COMMIT").into() }
}
