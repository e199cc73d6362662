//! The dependency policy: cargo-deny, which deny.toml configures.

use crate::failure::{Failure, Result};
use crate::process;
use crate::project::{self, Project};
use std::path::PathBuf;
use std::process::Command;

const VERSION: &str = "0.20.2";

/// `cargo deny check bans licenses sources`.
///
/// # Errors
/// When a dependency breaks the policy, or cargo-deny can neither be found nor installed.
pub(crate) fn check(project: &Project) -> Result<()> {
    let mut command = Command::new(program(project)?);
    command.current_dir(project.root()).args(["check", "bans", "licenses", "sources"]);
    process::run(&mut command)
}

/// A cargo-deny: the one on PATH, one installed before, or one installed now into the cache outside the clone
/// where there is one, into native/ where not.
fn program(project: &Project) -> Result<PathBuf> {
    let inside = project.path("native/cargo-deny");
    let homes: Vec<PathBuf> = project::cache().into_iter().chain([inside]).collect();
    let installed = homes.iter().map(|home| home.join("bin").join("cargo-deny"));
    if let Some(found) = std::iter::once(PathBuf::from("cargo-deny")).chain(installed).find(is_right) {
        return Ok(found);
    }
    let home = &homes[0];
    eprintln!("installing cargo-deny {VERSION} into {} (once; some minutes)", home.join("bin").display());
    // Unoptimised: it compiles in a fraction of the time, and the check takes seconds either way.
    let mut command = project.cargo();
    command
        .args(["install", "--quiet", "--locked", "--debug", "--version", VERSION, "--root"])
        .arg(home)
        .arg("cargo-deny");
    command.env_remove("CARGO_TARGET_DIR");
    process::run(&mut command).map_err(|failure| {
        Failure::new("cargo-deny could not be installed")
            .expected(format!("`cargo install --locked cargo-deny --version {VERSION}` to work"))
            .came(failure.to_string())
            .fix("see that cargo reaches its registry and that a C compiler is installed, or put a cargo-deny on PATH")
    })?;
    Ok(home.join("bin").join("cargo-deny"))
}

/// Whether this is a cargo-deny of our minor version, which decides what deny.toml may say.
fn is_right(program: &PathBuf) -> bool {
    let minor = VERSION.rsplit_once('.').map_or(VERSION, |(minor, _)| minor);
    process::listen(Command::new(program).arg("--version"))
        .is_ok_and(|said| said.ok && said.output.trim().starts_with(&format!("cargo-deny {minor}.")))
}
