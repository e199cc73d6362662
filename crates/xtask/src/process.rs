//! Running other programs, with failures that name them.

use crate::failure::{Failure, Result};
use std::process::{Command, Stdio};

/// What a program said, once it ended well or not.
pub(crate) struct Said {
    /// Whether it ended with status 0.
    pub(crate) ok: bool,
    /// What it wrote to its standard output.
    pub(crate) output: String,
    /// What it wrote to its standard error.
    pub(crate) errors: String,
}

/// The command as a person would type it.
pub(crate) fn spelled(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = words.map(|word| {
        let word = word.to_string_lossy();
        if word.is_empty() || word.contains([' ', '\n', '"', '\'', '<', '>', '*', '$']) {
            let shown: String = word.chars().take(60).collect();
            format!("'{}'", shown.replace('\n', " "))
        } else {
            word.into_owned()
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Runs `command` with nothing to read and its words passed on to ours.
///
/// # Errors
/// When it can't be started or ends with another status than 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().map_err(|error| not_started(command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` failed", spelled(command))).came(format!("{status}; its own words are above")))
}

/// Runs `command` with nothing to read and keeps its words.
///
/// # Errors
/// When it can't be started; ending badly is the caller's to judge.
pub(crate) fn listen(command: &mut Command) -> Result<Said> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(command, &error))?;
    Ok(Said {
        ok: output.status.success(),
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Whether `command` can be started and ends well; what it says is dropped.
pub(crate) fn works(command: &mut Command) -> bool {
    listen(command).is_ok_and(|said| said.ok)
}

/// The failure of a command that didn't even start.
pub(crate) fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    let program = command.get_program().to_string_lossy().into_owned();
    let failure = Failure::new(format!("`{}` can't be run", spelled(command))).came(error.to_string());
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            failure.expected(format!("a program called {program}")).fix(format!("install {program}, or put it on PATH"))
        }
        _ => failure,
    }
}
