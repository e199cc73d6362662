//! Errors that say what was expected, what came, and what to do.

use std::fmt;

/// What went wrong, where, and the way out of it.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    expected: String,
    came: String,
    fix: String,
}

/// The result of anything that can fail here.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure at `what`; the other parts are added in turn, and those left out aren't printed.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), expected: String::new(), came: String::new(), fix: String::new() }
    }

    /// What would have been right.
    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = expected.into();
        self
    }

    /// What was there instead.
    pub(crate) fn came(mut self, came: impl Into<String>) -> Self {
        self.came = came.into();
        self
    }

    /// What to do about it.
    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    /// A failure of reading, writing or renaming `path`; a full disk gets its own advice.
    pub(crate) fn io(what: impl Into<String>, path: &std::path::Path, error: &std::io::Error) -> Self {
        let fix = match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                "free some room on that disk, then run the same command again: nothing half-done is kept"
            }
            std::io::ErrorKind::PermissionDenied => "make the folder writable for this user",
            _ => "",
        };
        Self::new(what).expected(format!("access to {}", path.display())).came(error.to_string()).fix(fix)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        for (title, text) in [("expected", &self.expected), ("came", &self.came), ("fix", &self.fix)] {
            if !text.is_empty() {
                write!(f, "\n  {title:>8}: {}", text.trim_end().replace('\n', "\n            "))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_prints_the_parts_it_has_in_order() {
        let text = Failure::new("no egg").expected("an egg").came("two\nlines").fix("boil one").to_string();
        assert_eq!(text, "error: no egg\n  expected: an egg\n      came: two\n            lines\n       fix: boil one");
        assert_eq!(Failure::new("alone").to_string(), "error: alone");
    }
}
