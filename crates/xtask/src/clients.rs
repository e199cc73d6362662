//! Programs that we did not write and are judged by: Python packages in native/.

use crate::project::Project;
use crate::python;

/// The environments: their folder in native/, the list of what is in them, what that is, and how much there is to fetch.
const ENVIRONMENTS: [(&str, &str, &str, &str); 2] = [
    ("servo-clients", "tests/clients/requirements.txt", "the servo clients", "5 MB"),
    ("gymnasium", "tests/gymnasium/requirements.txt", "Gymnasium", "50 MB"),
];

/// Installs what is missing of them. Says so in a line where that can't be done: nothing but the tests that need
/// them depends on it, and they say so as well.
pub(crate) fn ensure(project: &Project) {
    for (home, list, what, size) in ENVIRONMENTS {
        let home = project.path("native").join(home);
        if let Err(failure) = python::environment(&home, &project.path(list), what, size) {
            eprintln!("tests that need {what} will fail: {failure}");
        }
    }
}
