//! A recording as a source, at the pace in which it was recorded.

use crate::record::{STAMPS, Stamped};
use crate::{CameraError, RawBuffer, Source};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use turnkey_core::FrameSize;
use turnkey_picture::RawFormat;

/// A recording's pictures, each as long after the first as it was taken; or one picture again and again. Pictures whose time
/// is past when nobody was there to take them are left out, as a camera's are.
#[derive(Debug)]
pub(crate) struct Replay {
    path: PathBuf,
    size: FrameSize,
    period: Duration,
    repeat: bool,
    pictures: Vec<Stamped>,
    /// When its first picture is to be taken.
    start: Instant,
    /// The next of them.
    at: usize,
    /// How many had been given when it last began.
    earlier: u64,
}

impl Replay {
    /// The recording in the folder `path`, or the one picture there, which is of `size` and comes every `period`. A recording
    /// that is to `repeat` begins again one `period` after its last picture.
    #[must_use]
    pub(crate) fn new(path: &Path, size: FrameSize, period: Duration, repeat: bool) -> Self {
        let start = Instant::now();
        Self { path: path.into(), size, period, repeat, pictures: Vec::new(), start, at: 0, earlier: 0 }
    }

    /// When a picture is to be taken, after the first.
    fn due(&self, at: usize) -> Option<Instant> {
        let first = self.pictures.first()?.captured_secs;
        let after = self.pictures.get(at)?.captured_secs - first;
        self.start.checked_add(Duration::try_from_secs_f64(after).unwrap_or_default())
    }

    fn ended(&self) -> CameraError {
        CameraError::Ended { camera: self.path.display().to_string(), frames: self.pictures.len() }
    }

    fn folder(&self) -> &Path {
        if self.path.is_dir() { &self.path } else { self.path.parent().unwrap_or(&self.path) }
    }
}

impl Source for Replay {
    fn open(&mut self) -> Result<(), CameraError> {
        self.pictures = match self.path.is_dir() {
            true => read(&self.path.join(STAMPS))?,
            false => vec![single(&self.path, self.size)?],
        };
        self.repeat |= !self.path.is_dir();
        (self.start, self.at, self.earlier) = (Instant::now(), 0, 0);
        if self.pictures.is_empty() { Err(self.ended()) } else { Ok(()) }
    }

    fn next(&mut self, patience: Duration) -> Result<Option<RawBuffer>, CameraError> {
        if self.at >= self.pictures.len() {
            let last = self.due(self.pictures.len().wrapping_sub(1)).filter(|_| self.repeat);
            let Some(start) = last.and_then(|last| last.checked_add(self.period)) else { return Err(self.ended()) };
            self.earlier += self.pictures.len() as u64;
            (self.start, self.at) = (start, 0);
        }
        let Some(due) = self.due(self.at) else { return Err(self.ended()) };
        let wait = due.saturating_duration_since(Instant::now());
        std::thread::sleep(wait.min(patience));
        if wait > patience {
            return Ok(None);
        }
        while self.due(self.at + 1).is_some_and(|next| next <= Instant::now()) {
            self.at += 1;
        }
        let captured = self.due(self.at).unwrap_or(due);
        let stamped = &self.pictures[self.at];
        let path = self.folder().join(&stamped.file);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            // One of several that can't be read is one that never came.
            Err(error) if self.pictures.len() > 1 => {
                tracing::warn!("{} can't be read: {error}", path.display());
                self.at += 1;
                return Ok(None);
            }
            Err(error) => return Err(CameraError::file(path, "a picture", &error)),
        };
        let size = FrameSize { width: stamped.width, height: stamped.height };
        let raw = RawBuffer { format: stamped.format, size, bytes, captured, sequence: self.earlier + self.at as u64 };
        self.at += 1;
        Ok(Some(raw))
    }

    fn close(&mut self) {
        self.pictures.clear();
    }
}

/// The lines of a recording.
fn read(path: &Path) -> Result<Vec<Stamped>, CameraError> {
    let text = fs::read_to_string(path).map_err(|error| CameraError::file(path, "a recording's stamps", &error))?;
    let now = Instant::now();
    let can_be = |secs| Duration::try_from_secs_f64(secs).is_ok_and(|after| now.checked_add(after).is_some());
    let parse = |(i, line)| {
        let refuse = |found| CameraError::File {
            path: path.into(),
            expected: "a picture's file, format, size and time in each line",
            found: format!("{found} in line {}", i + 1),
            fix: "record again: `turnkey camera record`",
        };
        let stamped: Stamped = serde_json::from_str(line).map_err(|error| refuse(error.to_string()))?;
        match can_be(stamped.captured_secs) {
            true => Ok(stamped),
            false => Err(refuse(format!("captured_secs = {:e}, a time that can't be,", stamped.captured_secs))),
        }
    };
    // A line without an end is one that a full disk or a crash cut short.
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    whole.lines().enumerate().map(parse).collect()
}

/// One picture as a recording.
fn single(path: &Path, FrameSize { width, height }: FrameSize) -> Result<Stamped, CameraError> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let format = match extension.as_deref() {
        Some("jpg" | "jpeg") => RawFormat::Jpeg,
        Some("png") => RawFormat::Png,
        _ => {
            return Err(CameraError::File {
                path: path.into(),
                expected: "a recording's folder, or a .jpg or .png",
                found: if path.exists() { "another file" } else { "nothing there" }.into(),
                fix: "name a folder that `turnkey camera record` wrote, or a device",
            });
        }
    };
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Stamped { file, format, width, height, captured_secs: 0.0, sequence: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_of_a_time_that_cannot_be_is_refused_and_one_far_off_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut replay = Replay::new(folder.path(), FrameSize { width: 1, height: 1 }, Duration::from_secs(1), true);
        let mut open = |secs: &str| {
            let line = |file, secs| {
                format!(
                    "{{\"file\":\"{file}.png\",\"format\":\"png\",\"width\":1,\"height\":1,\
                     \"captured_secs\":{secs},\"sequence\":0}}\n"
                )
            };
            fs::write(folder.path().join(STAMPS), line("a", "0.0") + &line("b", secs)).unwrap();
            replay.open().map(|()| replay.due(1))
        };
        for secs in ["1e300", "1e19", "-1.0"] {
            let error = open(secs).unwrap_err().to_string();
            assert!(error.contains("captured_secs = ") && error.contains("in line 2"), "{secs}: {error}");
        }
        assert!(open("1e9").unwrap().unwrap() > Instant::now());
    }
}
