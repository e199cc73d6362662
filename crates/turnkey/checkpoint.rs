//! Checkpoints: everything that decides what happens next, whole or not at all.
//!
//! A checkpoint is a folder `step-000000012000` with the trainer's state, the learner as safetensors, and
//! a manifest with the length and CRC-32 of each. It is written aside, synced, and renamed into place.

use crate::run_folder::RunFolder;
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 3;

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    step: u64,
    files: BTreeMap<String, Part>,
}

#[derive(Serialize, Deserialize)]
struct Part {
    bytes: u64,
    crc32: u32,
}

/// The files of a checkpoint, in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Environment steps taken.
    pub step: u64,
    /// The learner, as safetensors.
    pub learner: Vec<u8>,
    /// The rest of the trainer.
    pub trainer: Vec<u8>,
}

impl Checkpoint {
    const LEARNER: &'static str = "learner.safetensors";
    const TRAINER: &'static str = "trainer.bin";

    /// Writes the checkpoint, deletes all but the newest `keep`, and gives the step of the oldest one kept.
    ///
    /// # Errors
    /// When the disk is full or can't be written; older checkpoints are then untouched.
    pub fn write(&self, run: &RunFolder, keep: usize) -> Result<u64> {
        let place = run.checkpoints().join(format!("step-{:012}", self.step));
        let aside = place.with_extension("partial");
        self.write_aside(&aside)
            .and_then(|()| {
                if !place.exists() {
                    fs::rename(&aside, &place)?;
                    return sync_folder(&run.checkpoints());
                }
                // The same step again, with more updates: at every moment one of both is there, and whole.
                exchange(&aside, &place)?;
                sync_folder(&run.checkpoints())?;
                fs::remove_dir_all(&aside)
            })
            .map_err(|error| {
                let _ = fs::remove_dir_all(&aside); // half-written; the older checkpoints stay
                let place = place.display();
                anyhow::Error::new(error)
                    .context(format!("the checkpoint {place} can't be written; older ones are untouched"))
            })?;
        let mut all = steps(run)?;
        while all.len() > keep {
            let (_, oldest) = all.remove(0);
            fs::remove_dir_all(&oldest).with_context(|| format!("{} can't be deleted", oldest.display()))?;
        }
        Ok(all.first().map_or(self.step, |(step, _)| *step))
    }

    fn write_aside(&self, aside: &Path) -> std::io::Result<()> {
        if aside.exists() {
            fs::remove_dir_all(aside)?; // left by a crash
        }
        fs::create_dir_all(aside)?;
        let mut files = BTreeMap::new();
        for (name, bytes) in [(Self::LEARNER, &self.learner), (Self::TRAINER, &self.trainer)] {
            write_synced(&aside.join(name), bytes)?;
            files.insert(name.to_owned(), Part { bytes: bytes.len() as u64, crc32: crc32fast::hash(bytes) });
        }
        let manifest = Manifest { format: FORMAT, step: self.step, files };
        write_synced(&aside.join(MANIFEST), serde_json::to_string_pretty(&manifest)?.as_bytes())?;
        sync_folder(aside)
    }

    /// Reads the newest checkpoint of a run; `None` when it has none yet.
    ///
    /// # Errors
    /// When it is damaged: the error names the file, what was expected and what was found. Nothing is
    /// changed on disk.
    pub fn newest(run: &RunFolder) -> Result<Option<Self>> {
        let all = steps(run)?;
        let Some((step, newest)) = all.last() else { return Ok(None) };
        let older = all.iter().rev().nth(1);
        let fix = match older {
            Some((step, _)) => format!("move {} away; the run then goes on from step {step}", newest.display()),
            None => format!("restore {} from a copy; the run has no other checkpoint", newest.display()),
        };
        Self::read(newest, *step)
            .with_context(|| {
                format!("the checkpoint {} can't be read; nothing was changed.\n  fix: {fix}", newest.display())
            })
            .map(Some)
    }

    fn read(folder: &Path, step: u64) -> Result<Self> {
        let text = fs::read_to_string(folder.join(MANIFEST)).with_context(|| format!("{MANIFEST} can't be read"))?;
        let manifest: Manifest =
            serde_json::from_str(&text).with_context(|| format!("{MANIFEST} is not a manifest"))?;
        ensure!(
            manifest.format == FORMAT,
            "{MANIFEST}: expected format {FORMAT}, found {}; the run's run.json says which program wrote it",
            manifest.format
        );
        ensure!(manifest.step == step, "{MANIFEST}: expected step {step}, found {}", manifest.step);
        let read = |name: &str| -> Result<Vec<u8>> {
            let Some(part) = manifest.files.get(name) else { bail!("{MANIFEST} lacks {name}") };
            let bytes = fs::read(folder.join(name)).with_context(|| format!("{name} can't be read"))?;
            let (found, crc) = (bytes.len() as u64, crc32fast::hash(&bytes));
            ensure!(found == part.bytes, "{name}: expected {} bytes, found {found}", part.bytes);
            ensure!(crc == part.crc32, "{name}: expected CRC-32 {:08x}, found {crc:08x}", part.crc32);
            Ok(bytes)
        };
        Ok(Self { step, learner: read(Self::LEARNER)?, trainer: read(Self::TRAINER)? })
    }
}

/// Whole checkpoints of a run, oldest first.
fn steps(run: &RunFolder) -> Result<Vec<(u64, PathBuf)>> {
    let folder = run.checkpoints();
    let entries = fs::read_dir(&folder).with_context(|| format!("{} can't be listed", folder.display()))?;
    let mut steps = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(step) = name.strip_prefix("step-").and_then(|digits| digits.parse().ok()) {
            steps.push((step, path));
        }
    }
    steps.sort();
    Ok(steps)
}

/// Puts each of two folders in the other's place, at once where the file system can.
fn exchange(one: &Path, other: &Path) -> std::io::Result<()> {
    let path = |path: &Path| CString::new(path.as_os_str().as_bytes()).map_err(std::io::Error::from);
    let (a, b) = (path(one)?, path(other)?);
    // SAFETY: both are strings that end, and live as long as the call.
    let done =
        unsafe { libc::renameat2(libc::AT_FDCWD, a.as_ptr(), libc::AT_FDCWD, b.as_ptr(), libc::RENAME_EXCHANGE) };
    if done == 0 {
        return Ok(());
    }
    let error = std::io::Error::last_os_error();
    if !matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS | libc::EOPNOTSUPP)) {
        return Err(error);
    }
    let old = other.with_extension("old");
    fs::rename(other, &old)?;
    fs::rename(one, other).or_else(|error| fs::rename(&old, other).and(Err(error)))?;
    fs::rename(&old, one)
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::with;

    #[test]
    fn each_folder_takes_the_others_place() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        for (path, text) in [(&a, "one"), (&b, "other")] {
            fs::create_dir(path).unwrap();
            fs::write(path.join("file"), text).unwrap();
        }
        exchange(&a, &b).unwrap();
        let read = |path: &Path| fs::read_to_string(path.join("file")).unwrap();
        assert_eq!((read(&a).as_str(), read(&b).as_str()), ("other", "one"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(exchange(&a, &folder.path().join("none")).is_err());
    }

    #[test]
    fn a_checkpoint_of_the_same_step_takes_the_place_of_the_one_before() {
        let config = with(&[]).unwrap();
        let runs = tempfile::tempdir().unwrap();
        let run = RunFolder::create(&runs.path().join("run"), &config, None).unwrap();
        let checkpoint = |learner: &[u8]| Checkpoint { step: 5, learner: learner.to_vec(), trainer: vec![7] };
        for learner in [&b"one"[..], b"two", b"three"] {
            checkpoint(learner).write(&run, 1).unwrap();
            assert_eq!(Checkpoint::newest(&run).unwrap(), Some(checkpoint(learner)));
        }
        assert_eq!(fs::read_dir(run.checkpoints()).unwrap().count(), 1, "nothing is left beside it");
    }
}
