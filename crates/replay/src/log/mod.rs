//! Experience that outlives a crash: an append-only log in segments.
//!
//! A row counts once [`ReplayLog::sync`] has returned a total that includes it. What lies beyond the
//! count of the checkpoint that is resumed from, whole rows or torn ones, is cut off.

mod format;
mod reader;
mod writer;

pub use format::Format;

use crate::{Replay, ReplayError};
use reader::Reader;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter},
    path::{Path, PathBuf},
};
use turnkey_core::Transition;
use writer::RowWriter;

/// An append-only log of transitions in a folder of its own, a file a segment.
#[derive(Debug)]
pub struct ReplayLog {
    dir: PathBuf,
    format: Format,
    /// Rows appended in the run, those not synced yet included.
    count: u64,
    /// The segment that the next row goes to, unless it is full.
    open: Option<Segment>,
    /// Whether the file system refused something: a failed flush or sync may have lost rows that a
    /// second one would not miss.
    broken: bool,
}

/// A segment being written.
#[derive(Debug)]
struct Segment {
    path: PathBuf,
    first: u64,
    rows: RowWriter<BufWriter<File>>,
}

impl ReplayLog {
    /// A new log in `dir`, which is made if it isn't there.
    ///
    /// # Errors
    /// When the folder holds a log already, or can't be made or read.
    pub fn create(dir: impl Into<PathBuf>, format: Format) -> Result<Self, ReplayError> {
        let dir = dir.into();
        fs::create_dir_all(&dir).map_err(|e| io_error("make the folder", &dir, e))?;
        match segments(&dir)?.pop() {
            Some((_, path)) => Err(ReplayError::Occupied { path }),
            None => Ok(Self { dir, format, count: 0, open: None, broken: false }),
        }
    }

    /// Takes up the log in `dir` at `count` rows, the total that a [`ReplayLog::sync`] returned: the
    /// log, and the replay of `capacity` rows as it was then, to the slot. Rows beyond `count` are cut
    /// off, so that what follows is appended where it belongs.
    ///
    /// # Errors
    /// When a row that is needed is missing or altered, or a file is not of this log. Nothing on disk is
    /// then changed.
    pub fn resume(
        dir: impl Into<PathBuf>,
        format: Format,
        count: u64,
        capacity: usize,
    ) -> Result<(Self, Replay), ReplayError> {
        let dir = dir.into();
        let kept = count.min(capacity as u64);
        let mut replay = Replay::after(count - kept, capacity, format.widths)?;
        let mut row = count - kept;
        while row < count {
            let first = format.segment_of(row);
            let end = count.min(first + format.segment_rows.get());
            let mut reader = Reader::open(dir.join(file_name(first)), first, &format)?;
            reader.expect_rows(end)?;
            reader.read(row..end, |numbers| replay.next_row().copy_from_slice(numbers))?;
            row = end;
        }
        let open = Self::cut(&dir, &format, count)?;
        Ok((Self { dir, format, count, open, broken: false }, replay))
    }

    /// Cuts off everything from row `count` on and opens the segment it was in the middle of, if any.
    fn cut(dir: &Path, format: &Format, count: u64) -> Result<Option<Segment>, ReplayError> {
        let beyond: Vec<_> = segments(dir)?.into_iter().filter(|(first, _)| *first >= count).collect();
        for (first, path) in &beyond {
            reader::refuse_foreign(path, *first, format)?;
        }
        for (_, path) in &beyond {
            fs::remove_file(path).map_err(|e| io_error("remove uncounted rows in", path, e))?;
        }
        let first = format.segment_of(count);
        if first == count {
            return Ok(None);
        }
        let path = dir.join(file_name(first));
        let file = OpenOptions::new().append(true).open(&path);
        let file = file.and_then(|file| file.set_len(format.offset(first, count)).map(|()| file));
        let file = file.map_err(|e| io_error("cut uncounted rows off", &path, e))?;
        Ok(Some(Segment { path, first, rows: RowWriter::new(BufWriter::new(file), *format) }))
    }

    /// Appends a transition. It counts once [`ReplayLog::sync`] has returned.
    ///
    /// # Errors
    /// When a part has the wrong size or a number that is not finite: the row is then not counted. When
    /// the file system refuses, for instance because the disk is full: the log is then broken, and the
    /// last checkpoint is to be resumed from.
    pub fn append(&mut self, transition: &Transition) -> Result<(), ReplayError> {
        self.format.widths.check(transition)?;
        self.unless_broken(|log| log.write(transition))
    }

    fn write(&mut self, transition: &Transition) -> Result<(), ReplayError> {
        let first = self.format.segment_of(self.count);
        if self.open.as_ref().is_none_or(|segment| segment.first != first) {
            self.start_segment(first)?;
        }
        if let Some(Segment { path, rows, .. }) = &mut self.open {
            rows.write(self.count, transition).map_err(|e| io_error("append to", path, e))?;
            self.count += 1;
        }
        Ok(())
    }

    /// Makes every appended row durable and returns how many there are, for a checkpoint to keep.
    ///
    /// # Errors
    /// When the file system refuses, now or before. What earlier syncs returned still holds: resume from
    /// the last checkpoint.
    pub fn sync(&mut self) -> Result<u64, ReplayError> {
        self.unless_broken(|log| log.open.as_mut().map_or(Ok(()), Segment::sync))?;
        Ok(self.count)
    }

    /// Does something to the files, unless doing so failed before.
    fn unless_broken(&mut self, act: impl FnOnce(&mut Self) -> Result<(), ReplayError>) -> Result<(), ReplayError> {
        if self.broken {
            return Err(ReplayError::Broken { path: self.dir.clone() });
        }
        let done = act(self);
        self.broken = done.is_err();
        done
    }

    /// Rows appended in the run, those not synced yet included.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Deletes the segments that hold only rows before `row`. Pass the oldest kept checkpoint's count
    /// less the replay's capacity, and every kept checkpoint can still be resumed from.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn forget_before(&mut self, row: u64) -> Result<(), ReplayError> {
        let current = self.format.segment_of(self.count);
        let bound = self.format.segment_of(row).min(current);
        for (_, path) in segments(&self.dir)?.into_iter().filter(|(first, _)| *first < bound) {
            fs::remove_file(&path).map_err(|e| io_error("remove", &path, e))?;
        }
        Ok(())
    }

    /// Makes what is open durable and goes on in a new file.
    fn start_segment(&mut self, first: u64) -> Result<(), ReplayError> {
        self.open.as_mut().map_or(Ok(()), Segment::sync)?;
        let path = self.dir.join(file_name(first));
        let file = File::create(&path).map_err(|e| io_error("create", &path, e))?;
        let mut rows = RowWriter::new(BufWriter::new(file), self.format);
        rows.write_header(first).map_err(|e| io_error("begin", &path, e))?;
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(|e| io_error("sync", &self.dir, e))?;
        self.open = Some(Segment { path, first, rows });
        Ok(())
    }
}

impl Segment {
    fn sync(&mut self) -> Result<(), ReplayError> {
        let file = self.rows.flush().map(|buffer| buffer.get_ref());
        file.and_then(File::sync_data).map_err(|e| io_error("sync", &self.path, e))
    }
}

/// The segments in `dir`, oldest first: first row and path. Files of other names are not looked at.
fn segments(dir: &Path) -> Result<Vec<(u64, PathBuf)>, ReplayError> {
    let refused = |e| io_error("list", dir, e);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let first = path.file_name().and_then(|name| name.to_str()).and_then(first_row);
        found.extend(first.map(|first| (first, path)));
    }
    found.sort();
    Ok(found)
}

fn file_name(first: u64) -> String {
    format!("{first:012}.rows")
}

fn first_row(name: &str) -> Option<u64> {
    let first = name.strip_suffix(".rows")?.parse().ok()?;
    (file_name(first) == name).then_some(first)
}

fn io_error(doing: &'static str, path: &Path, source: io::Error) -> ReplayError {
    ReplayError::Io { doing, path: path.to_path_buf(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_named_by_its_first_row_and_nothing_else_is_taken_for_one() {
        assert_eq!(first_row(&file_name(65_536)), Some(65_536));
        for name in ["65536.rows", "000000065536.row", "00000006553a.rows", "+00000065536.rows", ".rows"] {
            assert_eq!(first_row(name), None, "{name}");
        }
    }
}
