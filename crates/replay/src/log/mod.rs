//! Experience that outlives a crash: an append-only log in segments.
//!
//! A row counts once [`ReplayLog::sync`] has returned a total that includes it. What lies beyond the
//! count of the checkpoint that is resumed from, whole rows or torn ones, is cut off. Frames are in files
//! of their own, each once, and a row says which are its own: so the count of rows is also one of frames.

mod discards;
mod format;
mod reader;
mod row;
mod segments;
mod writer;

pub use format::Format;

use crate::{Replay, ReplayError, track::Track};
use row::{Row, RowBytes};
use segments::Segments;
use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};
use turnkey_core::Transition;

/// An append-only log of transitions in a folder of its own, a file a segment.
#[derive(Debug)]
pub struct ReplayLog {
    dir: PathBuf,
    format: Format,
    rows: Segments,
    bytes: RowBytes,
    /// Frames, where there are pictures, and which of them the next transition adds.
    frames: Option<(Segments, Track)>,
    /// Whether the file system refused something: a failed flush or sync may have lost rows that a
    /// second one would not miss.
    broken: bool,
}

impl ReplayLog {
    /// A new log in `dir`, which is made if it isn't there.
    ///
    /// # Errors
    /// When the folder holds a log already, or can't be made or read, or pictures have no pixel.
    pub fn create(dir: impl Into<PathBuf>, format: Format) -> Result<Self, ReplayError> {
        let dir = dir.into();
        format.widths.validate()?;
        fs::create_dir_all(&dir).map_err(|e| io_error("make the folder", &dir, e))?;
        let rows = Segments::create(&dir, format.rows())?;
        let frames = format.frames().map(|(records, shape)| Ok((Segments::create(&dir, records)?, Track::new(shape))));
        Ok(Self::of(dir, format, rows, frames.transpose()?))
    }

    fn of(dir: PathBuf, format: Format, rows: Segments, frames: Option<(Segments, Track)>) -> Self {
        Self { dir, format, rows, bytes: RowBytes::new(format.widths), frames, broken: false }
    }

    /// Takes up the log in `dir` at `count` rows, the total that a [`ReplayLog::sync`] returned: the
    /// log, and the replay of `capacity` rows as it was then, to the slot. Rows and frames beyond `count` are
    /// cut off, so that what follows is appended where it belongs.
    ///
    /// # Errors
    /// When a row or a frame that is needed is missing or altered, or a file is not of this log. Nothing on
    /// disk is then changed.
    pub fn resume(
        dir: impl Into<PathBuf>,
        format: Format,
        count: u64,
        capacity: usize,
    ) -> Result<(Self, Replay), ReplayError> {
        let dir = dir.into();
        let mut replay = read(&dir, &format, count, capacity)?;
        let (mut discarded, torn) = discards::read(&dir)?;
        discarded.ranges().iter().for_each(|rows| replay.discard(rows.clone()));
        let frames = format.frames().zip(replay.track().cloned());
        Segments::refuse_foreign(&dir, &format.rows(), count)?;
        if let Some(((records, _), track)) = &frames {
            Segments::refuse_foreign(&dir, records, track.frames())?;
        }
        // Nothing was changed up to here, and nothing is refused from here on. What is cut off was another row than the one that
        // will have its number.
        let all = discarded.clone();
        discarded.keep(0..count);
        if torn || discarded != all {
            discards::rewrite(&dir, &discarded)?;
        }
        let rows = Segments::cut(&dir, format.rows(), count)?;
        let cut = |((records, _), track): (_, Track)| Ok((Segments::cut(&dir, records, track.frames())?, track));
        let frames = frames.map(cut).transpose()?;
        Ok((Self::of(dir, format, rows, frames), replay))
    }

    /// Takes up the log in `dir` with every complete row that is in it, at least `count` of them: the log, and the
    /// replay of `capacity` rows as it is after the last. A row is complete when it and its frames are as they were
    /// written; only what was not written to its end is cut off.
    ///
    /// # Errors
    /// As [`ReplayLog::resume`], and when a complete row follows one that isn't. Nothing on disk is then changed.
    pub fn recover(
        dir: impl Into<PathBuf>,
        format: Format,
        count: u64,
        capacity: usize,
    ) -> Result<(Self, Replay), ReplayError> {
        let dir = dir.into();
        let rows = Segments::complete(&dir, &format.rows(), count)?;
        let Some((records, _)) = format.frames() else { return Self::resume(dir, format, rows, capacity) };
        // What is before the count has its frames; what is after it may have been written before they were.
        let place = |row: u64| {
            let mut place = None;
            Segments::read(&dir, &format.rows(), row..row + 1, |_, body| {
                place = Row::read(format.widths, body).place;
                Ok(())
            })
            .map(|()| place)
        };
        let counted = if count == 0 { 0 } else { place(count - 1)?.map_or(0, |place| place.newest + 1) };
        let frames = Segments::complete(&dir, &records, counted)?;
        let mut rows = rows;
        while rows > count && place(rows - 1)?.is_some_and(|place| place.newest >= frames) {
            rows -= 1;
        }
        Self::resume(dir, format, rows, capacity)
    }

    /// Appends a transition. It counts once [`ReplayLog::sync`] has returned.
    ///
    /// # Errors
    /// When a part has the wrong size, a number that is not finite, or other pictures than the log's: the
    /// row is then not counted. When the file system refuses, for instance because the disk is full: the log
    /// is then broken, and the last checkpoint is to be resumed from.
    pub fn append(&mut self, transition: &Transition) -> Result<(), ReplayError> {
        self.format.widths.check(transition)?;
        self.unless_broken(|log| log.write(transition))
    }

    fn write(&mut self, transition: &Transition) -> Result<(), ReplayError> {
        let mut place = None;
        if let Some((frames, track)) = &mut self.frames {
            let (at, added) = track.follow(transition);
            for (_, frame) in added {
                frames.append(frame.pixels())?;
            }
            place = Some(at);
        }
        self.rows.append(self.bytes.of(transition, place))
    }

    /// Says durably that these rows, counted from the start of the run, are not to be learned from: a replay that is taken up
    /// from this log doesn't sample them.
    ///
    /// # Errors
    /// As [`ReplayLog::append`].
    pub fn discard(&mut self, rows: Range<u64>) -> Result<(), ReplayError> {
        self.unless_broken(|log| if rows.is_empty() { Ok(()) } else { discards::append(&log.dir, &rows) })
    }

    /// Hands every appended row to the operating system: the end of this process, however sudden, loses none of
    /// them; that of the machine may.
    ///
    /// # Errors
    /// As [`ReplayLog::sync`].
    pub fn flush(&mut self) -> Result<(), ReplayError> {
        self.unless_broken(|log| {
            log.frames.as_mut().map_or(Ok(()), |(frames, _)| frames.flush())?;
            log.rows.flush()
        })
    }

    /// Makes every appended row durable and returns how many there are, for a checkpoint to keep.
    ///
    /// # Errors
    /// When the file system refuses, now or before. What earlier syncs returned still holds: resume from
    /// the last checkpoint.
    pub fn sync(&mut self) -> Result<u64, ReplayError> {
        self.unless_broken(|log| {
            // Frames first: a row on disk has its frames there as well.
            log.frames.as_mut().map_or(Ok(()), |(frames, _)| frames.sync())?;
            log.rows.sync()
        })?;
        Ok(self.count())
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
        self.rows.count()
    }

    /// Deletes the segments that hold only rows before `row`, or only frames that no row from `row` on
    /// needs. Pass the oldest kept checkpoint's count less the replay's capacity, and every kept checkpoint
    /// can still be resumed from.
    ///
    /// # Errors
    /// When the file system refuses, or row number `row` is not what was written.
    pub fn forget_before(&mut self, row: u64) -> Result<(), ReplayError> {
        if let Some(frame) = self.oldest_frame(row)?
            && let Some((frames, _)) = &self.frames
        {
            frames.forget_before(frame)?;
        }
        self.rows.forget_before(row)
    }

    /// The oldest frame that rows from `row` on need, as far as they are still there.
    fn oldest_frame(&mut self, row: u64) -> Result<Option<u64>, ReplayError> {
        let Some((frames, _)) = &self.frames else { return Ok(None) };
        let row = row.max(self.rows.oldest()?);
        if row >= self.count() {
            return Ok(Some(frames.count()));
        }
        self.sync()?; // what is read below is then in the file
        let mut oldest = None;
        Segments::read(&self.dir, &self.format.rows(), row..row + 1, |_, body| {
            oldest = Row::read(self.format.widths, body).place.map(|place| place.oldest());
            Ok(())
        })?;
        Ok(oldest)
    }
}

/// The replay of `capacity` rows as it was at `count`.
fn read(dir: &Path, format: &Format, count: u64, capacity: usize) -> Result<Replay, ReplayError> {
    let first = count - count.min(capacity as u64);
    let mut replay = Replay::after(first, capacity, format.widths)?;
    let mut ended = true;
    Segments::read(dir, &format.rows(), first..count, |index, body| {
        let row = Row::read(format.widths, body);
        ended = row.ended;
        let path = dir.to_path_buf();
        if replay.restore_row(row.numbers(), row.place) {
            Ok(())
        } else {
            Err(ReplayError::Misplaced { path, row: index })
        }
    })?;
    if let Some((records, _)) = format.frames() {
        Segments::read(dir, &records, replay.frames(), |number, pixels| {
            replay.restore_frame(number, pixels);
            Ok(())
        })?;
        replay.restore_seen(ended);
    }
    Ok(replay)
}

fn io_error(doing: &'static str, path: &Path, source: io::Error) -> ReplayError {
    ReplayError::Io { doing, path: path.to_path_buf(), source }
}
