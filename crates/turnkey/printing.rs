//! Answers of commands, on standard output.

use crate::screen;
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::io;

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
    match screen::say(text.as_bytes().to_vec(), io::stdout()) {
        Err(error) if !is_nobody_there(&error) => Err(error).context("nothing can be printed"),
        _ => Ok(()),
    }
}

/// Whether a pipe has no reader any more, or a terminal is gone. The latter is told as a disk's fault is.
fn is_nobody_there(error: &io::Error) -> bool {
    let is_file = || std::fs::metadata("/proc/self/fd/1").is_ok_and(|stdout| stdout.is_file());
    error.kind() == io::ErrorKind::BrokenPipe || (error.raw_os_error() == Some(libc::EIO) && !is_file())
}
