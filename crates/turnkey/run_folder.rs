//! Where a run lies on disk.
//!
//! ```text
//! runs/NAME/
//!   config.toml            the resolved configuration, seed included
//!   run.json               version and commit that made it
//!   metrics.jsonl          one line an episode, a report of the learner, or an evaluation
//!   checkpoints/step-…/    everything that decides what happens next
//!   replay/                every transition, appended as it happens
//!   recording.rrd          for the rerun viewer
//!   learning_curve.png  evaluation.json  summary.json
//! ```

use crate::config::Config;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Makes a new run's folder and writes its configuration into it.
    ///
    /// # Errors
    /// When the folder exists already (nothing in it is touched), or can't be written.
    pub fn create(path: &Path, config: &Config) -> Result<Self> {
        if path.exists() {
            bail!(
                "the run folder {} exists already; nothing in it was touched.\n  fix: go on with it by --resume, or \
                 choose another --name",
                path.display()
            );
        }
        let folder = Self(path.to_owned());
        fs::create_dir_all(folder.checkpoints()).with_context(|| format!("the run folder {} can't be made", path.display()))?;
        write_durably(&folder.config(), config.to_toml()?.as_bytes())?;
        write_json(&folder.0.join("run.json"), &crate::version::current())?;
        Ok(folder)
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

    /// The configuration that the run was made with.
    ///
    /// # Errors
    /// When it was changed into something that is not a configuration.
    pub fn load_config(&self) -> Result<Config> {
        Config::load(&self.config(), &[])
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
