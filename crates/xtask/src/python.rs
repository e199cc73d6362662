//! Python 3 and its pip: the way to native parts without root.

use crate::failure::{Failure, Result};
use crate::process::{self, Said};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python 3 that has pip.
pub(crate) struct Python {
    program: PathBuf,
}

impl Python {
    /// The first of `$PYTHON`, python3 and python that is Python 3 and has pip.
    ///
    /// # Errors
    /// When there is none: no Python 3, or one without pip.
    pub(crate) fn find() -> Result<Self> {
        let chosen = std::env::var_os("PYTHON").filter(|value| !value.is_empty()).map(PathBuf::from);
        let candidates = match chosen {
            Some(program) => vec![program],
            None => vec!["python3".into(), "python".into()],
        };
        let is_3 = |program: &PathBuf| {
            process::works(Command::new(program).args(["-c", "import sys; sys.exit(sys.version_info < (3, 8))"]))
        };
        let names = candidates.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(" or ");
        let Some(program) = candidates.into_iter().find(is_3) else {
            return Err(Failure::new("no Python 3")
                .expected(format!("{names} to be Python 3.8 or newer; it fetches the native parts"))
                .came("no such program")
                .fix("install Python 3 with pip (Debian, Ubuntu: apt install python3-pip), or set PYTHON to one"));
        };
        let python = Self { program };
        let said = process::listen(python.command().args(["-m", "pip", "--version"]))?;
        if said.ok {
            return Ok(python);
        }
        Err(Failure::new("Python has no pip")
            .expected(format!("`{} -m pip --version` to work; pip fetches the native parts", python.program.display()))
            .came(said.errors)
            .fix(
                "install pip (Debian, Ubuntu: apt install python3-pip; elsewhere: python3 -m ensurepip --user), \
                 or set PYTHON to a Python that has it",
            ))
    }

    /// This Python, about to be given arguments.
    pub(crate) fn command(&self) -> Command {
        Command::new(&self.program)
    }

    /// `pip download --no-deps` of one requirement into `folder`; what pip said, and the archive if one came.
    ///
    /// # Errors
    /// When Python can't be started.
    pub(crate) fn download(
        &self,
        pip: &[&str],
        options: &[&str],
        requirement: &str,
        folder: &Path,
    ) -> Result<(Said, Option<PathBuf>)> {
        let mut command = self.command();
        command.args(pip).args([
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--no-deps",
            "--dest",
        ]);
        command.arg(folder).args(options).arg(requirement);
        let said = process::listen(&mut command)?;
        let archive = said.ok.then(|| first_file(folder)).flatten();
        Ok((said, archive))
    }
}

/// The Python of a virtual environment at `home`, with what `requirements` names: made now if it isn't there, or was made
/// of another list. `what` says what is in it; `size`, how much there is to fetch.
///
/// # Errors
/// When it can't be made, or pip can't fetch something.
pub(crate) fn environment(home: &Path, requirements: &Path, what: &str, size: &str) -> Result<PathBuf> {
    let python = home.join("bin/python");
    let wanted = fs::read_to_string(requirements)
        .map_err(|error| Failure::io(format!("the list of {what} can't be read"), requirements, &error))?;
    let stamp = home.join(".made-from");
    if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(python);
    }
    eprintln!("installing {what} into {} (once; {size})", home.display());
    process::run(Python::find()?.command().args(["-m", "venv", "--clear"]).arg(home)).map_err(|failure| {
        Failure::new(format!("no virtual environment for {what}"))
            .came(failure.to_string())
            .fix("install Python's venv module (Debian, Ubuntu: apt install python3-venv)")
    })?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements);
    process::run(&mut pip)?;
    fs::write(&stamp, wanted)
        .map_err(|error| Failure::io(format!("the stamp of {what} can't be written"), &stamp, &error))?;
    Ok(python)
}

fn first_file(folder: &Path) -> Option<PathBuf> {
    let mut entries = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    entries.find(|path| path.extension().is_some_and(|end| end == "whl"))
}
