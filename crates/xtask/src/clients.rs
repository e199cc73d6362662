//! The servo clients that we did not write, which the emulated servos are judged by: Python packages in native/.

use crate::project::Project;
use crate::python;

/// Installs what tests/clients/requirements.txt names, unless it is there. Says so in a line where that can't be done:
/// nothing but the tests that need them depends on it, and they say so as well.
pub(crate) fn ensure(project: &Project) {
    let (home, list) = (project.path("native/servo-clients"), project.path("tests/clients/requirements.txt"));
    if let Err(failure) = python::environment(&home, &list, "the servo clients", "5 MB") {
        eprintln!("the emulated servos will not be judged by other clients: {failure}");
    }
}
