//! Figures of a run, one JSON object a line.

use crate::evaluation::Evaluation;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use turnkey_sac::Metrics;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// A finished training episode.
    Episode {
        /// Environment steps taken.
        step: u64,
        /// Episodes finished.
        episode: u64,
        /// Sum of rewards.
        episode_return: f64,
        /// Steps of the episode.
        length: usize,
        /// Whether its last step was a success.
        success: Option<bool>,
        /// Absolute angular error at its last step, rad.
        final_error: Option<f64>,
    },
    /// The learner, averaged since its last line.
    Learning {
        /// Environment steps taken.
        step: u64,
        /// Gradient steps taken.
        updates: u64,
        /// The figures.
        #[serde(flatten)]
        metrics: Metrics,
        /// Gradient steps a second since the last line, all else of the loop included.
        gradient_steps_per_sec: f64,
    },
    /// An evaluation.
    Evaluation {
        /// Environment steps taken.
        step: u64,
        /// Minutes of training so far, earlier parts of a resumed run included.
        minutes: f64,
        /// The figures.
        #[serde(flatten)]
        evaluation: Evaluation,
    },
}

impl Line {
    /// Environment steps taken before it.
    #[must_use]
    pub fn step(&self) -> u64 {
        match self {
            Self::Episode { step, .. } | Self::Learning { step, .. } | Self::Evaluation { step, .. } => *step,
        }
    }
}

/// The file that lines are appended to.
#[derive(Debug)]
pub struct MetricsFile {
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
}

impl MetricsFile {
    /// Looks whether the file has its first `keep` bytes, and changes nothing.
    ///
    /// # Errors
    /// When it is missing or shorter.
    pub fn check(path: &Path, keep: u64) -> Result<()> {
        let found = std::fs::metadata(path).map_or(0, |file| file.len());
        anyhow::ensure!(
            found >= keep,
            "{} was cut off: expected at least {keep} bytes, found {found}; nothing was changed.\n  fix: restore the file \
             from a copy, or move the newest checkpoints away until one is left that it is long enough for",
            path.display()
        );
        Ok(())
    }

    /// Opens the file and goes on after its first `keep` bytes: what was written after the checkpoint that
    /// a run resumes from is written again.
    ///
    /// # Errors
    /// When the file can't be written, or as [`MetricsFile::check`].
    pub fn open(path: &Path, keep: u64) -> Result<Self> {
        Self::check(path, keep)?;
        let describe = || format!("{} can't be written", path.display());
        let file = OpenOptions::new().append(true).create(true).open(path).with_context(describe)?;
        file.set_len(keep).with_context(describe)?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), bytes: keep })
    }

    /// Appends a line.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write(&mut self, line: &Line) -> Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes()).with_context(|| format!("{} can't be written", self.path.display()))?;
        self.bytes += text.len() as u64;
        Ok(())
    }

    /// Brings all lines to disk and says how many bytes they are.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn sync(&mut self) -> Result<u64> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_data());
        synced.with_context(|| format!("{} can't be written", self.path.display()))?;
        Ok(self.bytes)
    }
}

/// Reads all lines of a run.
///
/// # Errors
/// When the file can't be read; a line that was cut off by a crash is passed over.
pub fn read(path: &Path) -> Result<Vec<Line>> {
    let file = File::open(path).with_context(|| format!("{} can't be read", path.display()))?;
    let mut lines = Vec::new();
    for text in BufReader::new(file).lines() {
        let text = text.with_context(|| format!("{} can't be read", path.display()))?;
        lines.extend(serde_json::from_str::<Line>(&text).ok());
    }
    Ok(lines)
}
