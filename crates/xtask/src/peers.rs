//! The Python peers: their environment, their scripts, and the figures they print.

use crate::failure::{Failure, Result};
use crate::process;
use crate::project::{self, Project};
use crate::python;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// The Python that has the peers installed.
pub(crate) struct Peers {
    python: PathBuf,
    scripts: PathBuf,
}

impl Peers {
    /// The peers in the cache outside the clone where they are there, else those in native/, installed now if
    /// they aren't or if tests/peers/requirements.txt has changed since.
    ///
    /// # Errors
    /// When they can't be installed.
    pub(crate) fn ensure(project: &Project) -> Result<Self> {
        let scripts = project.path("tests/peers");
        let cached = project::cache().map(|cache| cache.join("peers/bin/python")).filter(|python| python.is_file());
        if let Some(python) = cached {
            return Ok(Self { python, scripts });
        }
        let size = "PyTorch's wheels take several GB";
        let (home, list) = (project.path("native/peers"), scripts.join("requirements.txt"));
        let python = python::environment(&home, &list, "the Python peers", size)?;
        Ok(Self { python, scripts })
    }

    /// One of the scripts of tests/peers, about to be given arguments.
    pub(crate) fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        // JAX would look for accelerators first; bytecode would land in the source tree.
        command.env("JAX_PLATFORMS", "cpu").env("PYTHONDONTWRITEBYTECODE", "1").arg(self.scripts.join(name));
        // MuJoCo writes a log into the folder it is in.
        command.current_dir(std::env::temp_dir());
        command
    }
}

/// Runs a timer and gives the JSON object on the last line it prints.
///
/// # Errors
/// When it fails or prints none.
pub(crate) fn figures(command: &mut Command) -> Result<Value> {
    let said = process::listen(command)?;
    let line =
        said.output.lines().rev().find(|line| line.starts_with('{')).and_then(|line| serde_json::from_str(line).ok());
    match line {
        Some(figures) if said.ok => Ok(figures),
        _ => {
            let words: Vec<&str> = said.errors.lines().chain(said.output.lines()).collect();
            let last = words[words.len().saturating_sub(6)..].join("\n");
            Err(Failure::new(format!("`{}` gave no figures", process::spelled(command)))
                .expected("a line of JSON")
                .came(last))
        }
    }
}
