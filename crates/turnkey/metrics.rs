//! Figures of a run, one JSON object a line.

use crate::evaluation::Evaluation;
use crate::lateness::LatenessFigures;
use crate::rig::RigFigures;
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
    /// How control in real time kept to its period since the last such line, evaluations included.
    Timing {
        /// Environment steps taken.
        step: u64,
        /// Minutes of training so far, earlier parts of a resumed run included.
        minutes: f64,
        /// The figures.
        #[serde(flatten)]
        timing: Timing,
    },
    /// How the rig fared since the last such line, evaluations included.
    Rig {
        /// Environment steps taken.
        step: u64,
        /// Minutes of training so far, earlier parts of a resumed run included.
        minutes: f64,
        /// The figures.
        #[serde(flatten)]
        rig: RigFigures,
    },
}

/// How control in real time kept to its period, and how far the others were behind it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// How late steps were.
    #[serde(flatten)]
    pub lateness: LatenessFigures,
    /// Steps that the policy's experience was behind, at most: the age of the weights.
    pub oldest_weights_steps: u64,
    /// Updates that the update-to-data ratio asks for and that were not made yet.
    pub updates_owed: u64,
    /// Transitions that the learner had not taken yet.
    pub waiting_to_be_learned: usize,
    /// Transitions and figures that were not written yet.
    pub waiting_to_be_written: usize,
    /// Records that the viewer had no room for, so far.
    pub records_dropped: u64,
}

impl Line {
    /// Environment steps taken before it.
    #[must_use]
    pub fn step(&self) -> u64 {
        match self {
            Self::Episode { step, .. } | Self::Learning { step, .. } => *step,
            Self::Evaluation { step, .. } | Self::Timing { step, .. } | Self::Rig { step, .. } => *step,
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

    /// Opens the file and goes on after its last whole line.
    ///
    /// # Errors
    /// When the file can't be read or written.
    pub fn open_whole(path: &Path) -> Result<Self> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            read => read.with_context(|| format!("{} can't be read", path.display()))?,
        };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end as u64 + 1);
        Self::open(path, whole)
    }

    /// Hands all lines to the operating system.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn flush(&mut self) -> Result<()> {
        self.file.flush().with_context(|| format!("{} can't be written", self.path.display()))
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
/// When the file can't be read; a line that was cut off by a crash, or altered since, is passed over.
pub fn read(path: &Path) -> Result<Vec<Line>> {
    let file = File::open(path).with_context(|| format!("{} can't be read", path.display()))?;
    let mut lines = Vec::new();
    for text in BufReader::new(file).split(b'\n') {
        let text = text.with_context(|| format!("{} can't be read", path.display()))?;
        lines.extend(serde_json::from_slice::<Line>(&text).ok());
    }
    Ok(lines)
}
