//! The servo clients that we did not write, which the emulated servos are judged by: Python packages in native/.

use crate::failure::{Failure, Result};
use crate::process;
use crate::project::Project;
use crate::python::Python;
use std::fs;
use std::process::Command;

/// Installs what tests/clients/requirements.txt names, unless it is there. Says so in a line where that can't be done:
/// nothing but the tests that need them depends on it, and they say so as well.
pub(crate) fn ensure(project: &Project) {
    if let Err(failure) = install_if_missing(project) {
        eprintln!("the emulated servos will not be judged by other clients: {failure}");
    }
}

fn install_if_missing(project: &Project) -> Result<()> {
    let requirements = project.path("tests/clients/requirements.txt");
    let wanted = fs::read_to_string(&requirements)
        .map_err(|error| Failure::io("the servo clients' list can't be read", &requirements, &error))?;
    let home = project.path("native/servo-clients");
    let stamp = home.join(".made-from");
    if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    eprintln!("installing the servo clients into {} (once; 5 MB)", home.display());
    let fix = |failure: Failure| {
        Failure::new("no virtual environment for the servo clients")
            .came(failure.to_string())
            .fix("install Python's venv module (Debian, Ubuntu: apt install python3-venv)")
    };
    process::run(Python::find()?.command().args(["-m", "venv", "--clear"]).arg(&home)).map_err(fix)?;
    let mut pip = Command::new(home.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    process::run(pip.arg(&requirements))?;
    fs::write(&stamp, wanted).map_err(|error| Failure::io("the servo clients' stamp can't be written", &stamp, &error))
}
