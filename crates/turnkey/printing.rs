//! Answers of commands, on standard output.

use crate::screen;
use anyhow::{Context as _, Result};
use serde::Serialize;

/// One JSON document on standard output.
///
/// # Errors
/// As [`print`].
pub(crate) fn print_json(document: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(document).context("the answer can't be written as JSON")?;
    print(&(text + "\n"))
}

/// Text on standard output, after what was said on stderr. Whoever reads it may have gone: that is no error.
///
/// # Errors
/// When standard output can't be written for another reason.
pub(crate) fn print(text: &str) -> Result<()> {
    match screen::say(text.as_bytes().to_vec(), std::io::stdout()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("nothing can be printed"),
        _ => Ok(()),
    }
}
