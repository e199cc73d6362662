//! Records of one kind in files that are only appended to, a file a segment.

use super::{
    format::Records,
    io_error,
    reader::{Reader, refuse_foreign},
    writer::RecordWriter,
};
use crate::ReplayError;
use std::{
    fs::{self, File, OpenOptions},
    io::BufWriter,
    ops::Range,
    path::{Path, PathBuf},
};

/// The segments of one kind of record in a folder.
#[derive(Debug)]
pub(super) struct Segments {
    dir: PathBuf,
    records: Records,
    /// Records appended in the run, those not synced yet included.
    count: u64,
    /// The segment that the next record goes to, unless it is full.
    open: Option<Segment>,
}

/// A segment being written.
#[derive(Debug)]
struct Segment {
    path: PathBuf,
    first: u64,
    writer: RecordWriter<BufWriter<File>>,
}

impl Segments {
    /// New segments in `dir`, which is there.
    ///
    /// # Errors
    /// When there are some already, or the folder can't be read.
    pub(super) fn create(dir: &Path, records: Records) -> Result<Self, ReplayError> {
        match list(dir, &records)?.pop() {
            Some((_, path)) => Err(ReplayError::Occupied { path }),
            None => Ok(Self { dir: dir.to_path_buf(), records, count: 0, open: None }),
        }
    }

    /// Gives each of `wanted` to `take`, in order, which may refuse it.
    ///
    /// # Errors
    /// When one is missing or altered. Those before it have then been given.
    pub(super) fn read(
        dir: &Path,
        records: &Records,
        wanted: Range<u64>,
        mut take: impl FnMut(u64, &[u8]) -> Result<(), ReplayError>,
    ) -> Result<(), ReplayError> {
        let mut record = wanted.start;
        while record < wanted.end {
            let first = records.segment_of(record);
            let end = wanted.end.min(records.end_of(first));
            let mut reader = Reader::open(dir.join(records.file_name(first)), first, records)?;
            reader.expect_records(end)?;
            reader.read(record..end, &mut take)?;
            record = end;
        }
        Ok(())
    }

    /// How many records are complete in `dir`, of which `count` are known to be: those before the first that is cut
    /// off, or in a page that a loss of power left out, or not as it was written.
    ///
    /// # Errors
    /// When a complete one follows one that is not as it was written.
    pub(super) fn complete(dir: &Path, records: &Records, count: u64) -> Result<u64, ReplayError> {
        let mut end = count;
        for (first, path) in list(dir, records)? {
            if records.end_of(first) <= count {
                continue;
            }
            let Some(whole) = Reader::whole_records(&path, first, records)? else { continue };
            let mut reader = Reader::open(path, first, records)?;
            let from = count.max(first);
            let mut stray = None;
            reader.check(from..whole.max(from), |record, intact| match intact {
                true if record == end => end += 1,
                true => stray = stray.or(Some(record)),
                false => {}
            })?;
            match stray {
                Some(_) if reader.is_left_out(end)? => return Ok(end),
                Some(stray) => return Err(reader.out_of_place(end, stray)),
                None => {}
            }
        }
        Ok(end)
    }

    /// Refuses what [`Segments::cut`] would delete and is not of this log.
    pub(super) fn refuse_foreign(dir: &Path, records: &Records, count: u64) -> Result<(), ReplayError> {
        let mut beyond = list(dir, records)?.into_iter().filter(|(first, _)| *first >= count);
        beyond.try_for_each(|(first, path)| refuse_foreign(&path, first, records))
    }

    /// Cuts off everything from record `count` on and opens the segment it was in the middle of, if any.
    pub(super) fn cut(dir: &Path, records: Records, count: u64) -> Result<Self, ReplayError> {
        for (_, path) in list(dir, &records)?.iter().filter(|(first, _)| *first >= count) {
            fs::remove_file(path).map_err(|e| io_error("remove what is not counted in", path, e))?;
        }
        let mut segments = Self { dir: dir.to_path_buf(), records, count, open: None };
        let first = records.segment_of(count);
        if first < count {
            let path = dir.join(records.file_name(first));
            let file = OpenOptions::new().append(true).open(&path);
            let file = file.and_then(|file| file.set_len(records.offset(first, count)).map(|()| file));
            let file = file.map_err(|e| io_error("cut what is not counted off", &path, e))?;
            segments.open = Some(Segment { path, first, writer: RecordWriter::new(BufWriter::new(file)) });
        }
        Ok(segments)
    }

    /// Appends a record.
    pub(super) fn append(&mut self, body: &[u8]) -> Result<(), ReplayError> {
        let first = self.records.segment_of(self.count);
        if self.open.as_ref().is_none_or(|segment| segment.first != first) {
            self.start_segment(first)?;
        }
        if let Some(Segment { path, writer, .. }) = &mut self.open {
            writer.write(self.count, body).map_err(|e| io_error("append to", path, e))?;
            self.count += 1;
        }
        Ok(())
    }

    /// Makes what is open durable and goes on in a new file.
    fn start_segment(&mut self, first: u64) -> Result<(), ReplayError> {
        self.sync()?;
        let path = self.dir.join(self.records.file_name(first));
        let file = File::create(&path).map_err(|e| io_error("create", &path, e))?;
        let mut writer = RecordWriter::new(BufWriter::new(file));
        writer.write_header(&self.records, first).map_err(|e| io_error("begin", &path, e))?;
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(|e| io_error("sync", &self.dir, e))?;
        self.open = Some(Segment { path, first, writer });
        Ok(())
    }

    /// Hands every appended record to the operating system.
    pub(super) fn flush(&mut self) -> Result<(), ReplayError> {
        let Some(Segment { path, writer, .. }) = &mut self.open else { return Ok(()) };
        writer.flush().map(drop).map_err(|e| io_error("append to", path, e))
    }

    /// Makes every appended record durable.
    pub(super) fn sync(&mut self) -> Result<(), ReplayError> {
        let Some(Segment { path, writer, .. }) = &mut self.open else { return Ok(()) };
        let file = writer.flush().map(|buffer| buffer.get_ref());
        file.and_then(File::sync_data).map_err(|e| io_error("sync", path, e))
    }

    /// Records appended in the run, those not synced yet included.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The oldest record that is still there, or the next one to come.
    pub(super) fn oldest(&self) -> Result<u64, ReplayError> {
        Ok(list(&self.dir, &self.records)?.first().map_or(self.count, |(first, _)| *first))
    }

    /// Deletes the segments that hold only records before `record`, save the one that is appended to.
    pub(super) fn forget_before(&self, record: u64) -> Result<(), ReplayError> {
        let bound = self.records.segment_of(record.min(self.count));
        for (_, path) in list(&self.dir, &self.records)?.iter().filter(|(first, _)| *first < bound) {
            fs::remove_file(path).map_err(|e| io_error("remove", path, e))?;
        }
        Ok(())
    }
}

/// The segments in `dir`, oldest first: first record and path. Files of other names are not looked at.
fn list(dir: &Path, records: &Records) -> Result<Vec<(u64, PathBuf)>, ReplayError> {
    let refused = |e| io_error("list", dir, e);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let first = path.file_name().and_then(|name| name.to_str()).and_then(|name| records.first_record(name));
        found.extend(first.map(|first| (first, path)));
    }
    found.sort();
    Ok(found)
}
