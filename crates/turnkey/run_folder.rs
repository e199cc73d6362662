//! Where a run lies on disk.
//!
//! ```text
//! runs/NAME/
//!   config.toml            the resolved configuration, seed included
//!   run.json               version and commit that made it, and whose networks it began with
//!   metrics.jsonl          one line an episode, a report of the learner, or an evaluation
//!   checkpoints/step-…/    everything that decides what happens next
//!   replay/                every transition, appended as it happens
//!   recording.rrd          for the rerun viewer
//!   learning_curve.png  evaluation.json  summary.json
//! ```

use crate::config::Config;
use crate::version::{self, Version};
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// What made a run, as run.json says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The program.
    #[serde(flatten)]
    pub program: Version,
    /// The run whose networks it began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_from: Option<PathBuf>,
}

/// Keeps a run to one process.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, never looked at")] fs::File);

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Makes a new run's folder and writes its configuration into it.
    ///
    /// # Errors
    /// When the folder exists already (nothing in it is touched), or can't be written.
    pub fn create(path: &Path, config: &Config, init_from: Option<&RunFolder>) -> Result<Self> {
        Self::expect_none(path)?;
        let describe = || format!("the run folder {} can't be made", path.display());
        fs::create_dir_all(path.parent().unwrap_or(path)).with_context(describe)?;
        // Filled aside, so that what bears the run's name is a run, whenever the process is killed.
        let aside = Self(path.with_added_extension(format!("partial-{}", std::process::id())));
        let origin = Origin { program: version::current(), init_from: init_from.map(|run| run.0.clone()) };
        let fill = || -> Result<()> {
            fs::create_dir(&aside.0)?;
            fs::create_dir(aside.checkpoints())?;
            write_json(&aside.origin_path(), &origin)?;
            write_durably(&aside.config(), config.to_toml()?.as_bytes())?;
            Ok(fs::rename(&aside.0, path)?)
        };
        fill().inspect_err(|_| drop(fs::remove_dir_all(&aside.0))).with_context(describe)?;
        Ok(Self(path.to_owned()))
    }

    /// Refuses a place where there is something already.
    ///
    /// # Errors
    /// When there is; nothing in it is touched.
    pub fn expect_none(path: &Path) -> Result<()> {
        if path.exists() {
            bail!(
                "the run folder {} exists already; nothing in it was touched.\n  fix: go on with it by --resume, or \
                 choose another --name",
                path.display()
            );
        }
        Ok(())
    }

    /// The folder of a run that exists.
    ///
    /// # Errors
    /// When there is no such run.
    pub fn open(path: &Path) -> Result<Self> {
        let folder = Self(path.to_owned());
        if !folder.config().is_file() {
            bail!(
                "{} is not a run: expected a folder with config.toml, as `turnkey train` makes it.\n  fix: name the run's \
                 folder, such as runs/valve_state",
                path.display()
            );
        }
        Ok(folder)
    }

    /// The configuration that the run was made with, which `config` may differ from in what can change on the way.
    ///
    /// # Errors
    /// When it differs in anything else.
    pub fn expect_made_with(&self, config: &Config) -> Result<Config> {
        let before = self.load_config()?;
        if let Some(difference) = before.difference(config) {
            bail!(
                "{} was made with another configuration: {difference}.\n  fix: resume with the configuration it has \
                 ({}), or start a new run by another --name or --runs-dir",
                self.0.display(),
                self.config().display()
            );
        }
        Ok(before)
    }

    /// Refuses to end a run before where it is: it took `taken` steps.
    ///
    /// # Errors
    /// When `config` asks for fewer, unless that is all that the run was to take before, too.
    pub fn expect_steps_left(&self, config: &Config, taken: u64) -> Result<()> {
        let (asked, before) = (config.run.steps, self.load_config()?.run.steps);
        ensure!(
            asked >= taken.min(before),
            "run.steps: expected at least the {taken} steps that {} has taken, got {asked}; nothing was changed.\n  fix: --set \
             run.steps={before}, as it was resumed with before",
            self.0.display()
        );
        Ok(())
    }

    /// The configuration that the run was made with.
    ///
    /// # Errors
    /// When it was changed into something that is not a configuration.
    pub fn load_config(&self) -> Result<Config> {
        Config::load(&self.config(), &[])
    }

    /// Writes down what the run resolves to from now on, such as more steps than it began with.
    ///
    /// # Errors
    /// When the disk is full; what was written down before stays.
    pub fn rewrite_config(&self, config: &Config) -> Result<()> {
        if self.load_config()? == *config {
            return Ok(());
        }
        write_durably(&self.config(), config.to_toml()?.as_bytes())
    }

    /// What made the run.
    ///
    /// # Errors
    /// When run.json is missing or was changed.
    pub fn origin(&self) -> Result<Origin> {
        let path = self.origin_path();
        let text = fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not what made a run", path.display()))
    }

    /// Keeps other processes from training this run for as long as the lock lives; the system drops it with the
    /// process, however that ends.
    ///
    /// # Errors
    /// When another process is training it.
    pub fn lock(&self) -> Result<Lock> {
        let path = self.0.display();
        let folder = fs::File::open(&self.0).with_context(|| format!("{path} can't be opened"))?;
        if let Err(fs::TryLockError::WouldBlock) = folder.try_lock() {
            bail!("another process is training {path}; nothing was touched.\n  fix: wait for it, or end it first");
        }
        Ok(Lock(folder)) // unlocked where the file system knows no locks
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Its last part, by which people know the run.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.file_name().map_or_else(|| self.0.display().to_string(), |name| name.to_string_lossy().into_owned())
    }

    fn origin_path(&self) -> PathBuf {
        self.0.join("run.json")
    }

    fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// Folder of checkpoints.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// Folder of transitions.
    #[must_use]
    pub fn replay(&self) -> PathBuf {
        self.0.join("replay")
    }

    /// Lines of figures.
    #[must_use]
    pub fn metrics(&self) -> PathBuf {
        self.0.join("metrics.jsonl")
    }

    /// A recording for the viewer; a resumed run adds `recording-2.rrd` and so on.
    #[must_use]
    pub fn recording(&self) -> PathBuf {
        self.0.join("recording.rrd")
    }

    /// The learning curve.
    #[must_use]
    pub fn curve(&self) -> PathBuf {
        self.0.join("learning_curve.png")
    }

    /// The evaluation at the end.
    #[must_use]
    pub fn evaluation(&self) -> PathBuf {
        self.0.join("evaluation.json")
    }

    /// What there is to say about the run.
    #[must_use]
    pub fn summary(&self) -> PathBuf {
        self.0.join("summary.json")
    }
}

/// Writes a file aside, syncs it, and puts it in place, so that a crash leaves the old one or the new one.
///
/// # Errors
/// When the disk is full or the folder can't be written; what was there before is untouched.
pub fn write_durably(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write as _;
    let aside = path.with_extension("partial");
    let write = || -> std::io::Result<()> {
        let mut file = fs::File::create(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, path)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&aside); // the half-written copy; what was there before stays
        anyhow::Error::new(error).context(format!("{} can't be written ({} bytes)", path.display(), bytes.len()))
    })
}

/// Writes a value as indented JSON, durably.
///
/// # Errors
/// As [`write_durably`].
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    write_durably(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::with;

    #[test]
    fn a_new_run_appears_whole_with_nothing_beside_it_and_is_not_made_twice() {
        let config = with(&[]).unwrap();
        let runs = tempfile::tempdir().unwrap();
        let path = runs.path().join("a.run");
        let run = RunFolder::create(&path, &config, None).unwrap();
        assert_eq!(run.load_config().unwrap(), config);
        let error = RunFolder::create(&path, &config, None).unwrap_err().to_string();
        assert!(error.contains("exists already"), "{error}");
        assert!(RunFolder::create(&path.join("config.toml/b"), &config, None).is_err(), "below a file");
        assert_eq!(fs::read_dir(runs.path()).unwrap().count(), 1);
    }
}
