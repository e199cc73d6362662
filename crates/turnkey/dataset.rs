//! Recorded episodes of a rig, as they happen: `datasets/RUN/`.
//!
//! ```text
//! manifest.json           what the numbers are, and how many there are
//! claw-….toml             the claw's file as it was
//! episode-000001.jsonl    begin, one line a step, end
//! episode-000001.rgb      where there is a camera, a frame for begin and each step: rows of pixels of 3 bytes
//! ```
//!
//! Files are only ever appended to, a frame before its line. A killed process leaves its last episode without an end, and
//! perhaps half a line or frame.

mod line;
mod manifest;
mod reader;

pub use line::{Line, Outcome, Purpose, StepLine};
pub use manifest::Manifest;
pub use reader::{Counts, check};

use crate::config::{Config, RigConfig};
use crate::run_folder::write_json;
use anyhow::{Context, Result, ensure};
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use turnkey_core::{Frame, Spec};

/// What waits at most for a disk that takes nothing: a day of a rig at 10 Hz comes to three times as much.
const MOST_PENDING: usize = 512 << 20;

/// Writes episodes.
pub struct Dataset {
    folder: PathBuf,
    manifest: Manifest,
    /// The number of the episode that lines are added to.
    episode: u64,
    /// Whether it has a begin and no end.
    open: bool,
    pending: VecDeque<Part>,
    pending_bytes: usize,
    /// The file of the first part that waits.
    file: Option<(u64, File)>,
    /// The file of its frames.
    frames: Option<(u64, File)>,
    stuck: bool,
}

/// Lines of one episode that are not written yet.
struct Part {
    episode: u64,
    bytes: Vec<u8>,
    /// Frames of these lines.
    pixels: Vec<u8>,
    steps: u64,
    ends: bool,
}

impl Dataset {
    /// The run's dataset, which is begun or gone on with.
    ///
    /// # Errors
    /// When there is one already that is of something else, or the folder can't be written.
    pub fn open(rig: &RigConfig, config: &Config, run: &str, spec: Spec) -> Result<Self> {
        let folder = rig.datasets.join(run);
        let describe = || format!("the dataset {} can't be begun", folder.display());
        fs::create_dir_all(&folder).with_context(describe)?;
        let claw = fs::read(&rig.claw).with_context(|| format!("{} can't be read", rig.claw.display()))?;
        let mut manifest = Manifest::new(run, &config.claw()?.task, spec);
        let mut episode = 0;
        if Manifest::path(&folder).exists() {
            let before = Manifest::read(&folder)?;
            ensure!(
                before.is_of_same(&manifest),
                "{} is a dataset of another task or with other units.\n  fix: move it away, or choose another --name",
                folder.display()
            );
            let counts = check(&folder)?;
            (manifest.episodes, manifest.steps) = (counts.ended, counts.steps_of_ended);
            manifest.claw_crc32 = before.claw_crc32;
            episode = counts.last_episode;
        }
        let name = manifest.add_claw(&claw, episode + 1);
        fs::write(folder.join(name), &claw).with_context(describe)?;
        write_json(&Manifest::path(&folder), &manifest)?;
        Ok(Self {
            folder,
            manifest,
            episode,
            open: false,
            pending: VecDeque::new(),
            pending_bytes: 0,
            file: None,
            frames: None,
            stuck: false,
        })
    }

    /// Takes a line and what was seen then; it is written by the next [`Dataset::flush`].
    ///
    /// # Errors
    /// When the disk has taken nothing for so long that no more can wait.
    pub fn add(&mut self, line: &Line, frame: Option<&Frame>) -> Result<()> {
        match line {
            Line::Begin { .. } => {
                self.episode += 1;
                self.open = true;
            }
            // What failed before it began has no end either.
            _ if !self.open => return Ok(()),
            Line::End { .. } => self.open = false,
            Line::Step(_) => {}
        }
        let mut bytes = serde_json::to_vec(line).context("a line of an episode becomes JSON")?;
        bytes.push(b'\n');
        let pixels = frame.map_or(&[][..], Frame::pixels);
        self.pending_bytes += bytes.len() + pixels.len();
        ensure!(
            self.pending_bytes <= MOST_PENDING,
            "{} could not be written for so long that {} MB wait.\n  fix: make room",
            self.folder.display(),
            self.pending_bytes >> 20
        );
        let (steps, ends) = (u64::from(matches!(line, Line::Step(_))), matches!(line, Line::End { .. }));
        match self.pending.back_mut().filter(|part| part.episode == self.episode) {
            Some(part) => {
                part.bytes.append(&mut bytes);
                part.pixels.extend_from_slice(pixels);
                part.steps += steps;
                part.ends |= ends;
            }
            None => {
                let (episode, pixels) = (self.episode, pixels.to_vec());
                self.pending.push_back(Part { episode, bytes, pixels, steps, ends });
            }
        }
        Ok(())
    }

    /// Whether the last attempt to write failed.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        self.stuck
    }

    /// Hands everything to the system; what it doesn't take is kept.
    ///
    /// # Errors
    /// When the disk is full or can't be written.
    pub fn flush(&mut self) -> Result<()> {
        let result = self.try_flush();
        self.stuck = result.is_err();
        result.with_context(|| format!("{} can't be written", self.folder.display()))
    }

    fn try_flush(&mut self) -> Result<()> {
        while let Some(part) = self.pending.front_mut() {
            if !part.pixels.is_empty() {
                let path = self.folder.join(frames_name(part.episode));
                hand_over(&mut self.frames, part.episode, &path, &mut part.pixels, &mut self.pending_bytes)?;
            }
            let path = self.folder.join(file_name(part.episode));
            hand_over(&mut self.file, part.episode, &path, &mut part.bytes, &mut self.pending_bytes)?;
            self.manifest.steps_written += std::mem::take(&mut part.steps);
            if part.ends {
                let steps = std::mem::take(&mut self.manifest.steps_written);
                self.manifest.episodes += 1;
                self.manifest.steps += steps;
                self.pending.pop_front();
                write_json(&Manifest::path(&self.folder), &self.manifest)?;
            } else {
                self.pending.pop_front();
            }
        }
        Ok(())
    }

    /// Writes what waits and makes it durable, at the end.
    ///
    /// # Errors
    /// As [`Dataset::flush`].
    pub fn finish(&mut self) -> Result<()> {
        self.flush()?;
        for (_, file) in self.frames.iter().chain(&self.file) {
            file.sync_all().with_context(|| format!("{} can't be written", self.folder.display()))?;
        }
        Ok(())
    }
}

/// Appends `bytes` to the file of `episode`, and takes away what was written.
fn hand_over(
    open: &mut Option<(u64, File)>,
    episode: u64,
    path: &Path,
    bytes: &mut Vec<u8>,
    pending: &mut usize,
) -> Result<()> {
    let (_, mut file) = match open.take() {
        Some((of, file)) if of == episode => (of, file),
        _ => (episode, append(path)?),
    };
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
            Ok(count) => {
                bytes.drain(..count);
                *pending -= count;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // The next attempt opens it anew.
            Err(error) => return Err(error.into()),
        }
    }
    *open = Some((episode, file));
    Ok(())
}

fn append(path: &Path) -> Result<File> {
    Ok(OpenOptions::new().append(true).create(true).open(path)?)
}

fn file_name(episode: u64) -> String {
    format!("episode-{episode:06}.jsonl")
}

fn frames_name(episode: u64) -> String {
    format!("episode-{episode:06}.rgb")
}

#[cfg(test)]
mod tests;
