//! `cargo xtask train`: from a fresh clone to a trained policy.

use crate::failure::Result;
use crate::project::Project;
use crate::{process, setup};
use std::process::Command;

const CONFIG: &str = "configs/valve_state.toml";

/// Sets up, builds and trains; `arguments` go to `turnkey train`, after the configuration where they don't begin
/// with one. With `--view`, fetches the viewer where there is none. Ends with turnkey's own status.
///
/// # Errors
/// When set-up fails or cargo can't be started.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    setup::ensure(project)?;
    let viewed = arguments.iter().any(|argument| argument == "--view");
    if viewed && !process::works(Command::new("rerun").arg("--version")) {
        // Training goes on without a viewer, and turnkey says how to look at the recording.
        setup::part(project, "rerun").unwrap_or_else(|failure| eprintln!("{failure}"));
    }
    let named = arguments.first().is_some_and(|first| !first.starts_with('-'));
    let mut command = project.cargo();
    command.args(["run", "--release", "--", "train"]).args((!named).then_some(CONFIG)).args(arguments);
    // In this process's place: Ctrl-C then waits for the run's checkpoint, and turnkey's own status is ours.
    let error = std::os::unix::process::CommandExt::exec(&mut command);
    Err(process::not_started(&command, &error))
}
