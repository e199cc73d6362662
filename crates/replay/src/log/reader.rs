//! Bytes to records, each of them checked.

use super::{
    format::{HEADER, Records, checksum},
    io_error,
};
use crate::ReplayError;
use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
};

/// What an operating system writes at once, in bytes.
const PAGE: u64 = 4096;

/// A segment being read.
pub(super) struct Reader {
    path: PathBuf,
    first: u64,
    records: Records,
    length: u64,
    file: BufReader<File>,
}

impl Reader {
    /// Opens the segment at `path` that begins with record `first`.
    ///
    /// # Errors
    /// When it isn't there, too short for a header, or has another segment's or log's header.
    pub(super) fn open(path: PathBuf, first: u64, records: &Records) -> Result<Self, ReplayError> {
        let refused = |e| io_error("read", &path, e);
        let missing = |found| missing(&path, records.what, first, HEADER as u64, found);
        let mut file = match File::open(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(missing(0)),
            other => other.map_err(refused)?,
        };
        let length = file.metadata().map_err(refused)?.len();
        if length < HEADER as u64 {
            return Err(missing(length));
        }
        let mut header = [0; HEADER];
        file.read_exact(&mut header).map_err(refused)?;
        records.check_header(&header, first, &path)?;
        Ok(Self { first, records: *records, length, file: BufReader::with_capacity(1 << 18, file), path })
    }

    /// The record after the last whole one of the segment at `path`; `None` where not even its header is there.
    pub(super) fn whole_records(path: &Path, first: u64, records: &Records) -> Result<Option<u64>, ReplayError> {
        let refused = |e| io_error("read", path, e);
        let mut header = [0; HEADER];
        let mut file = File::open(path).map_err(refused)?;
        match file.read_exact(&mut header) {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(e) => return Err(refused(e)),
            Ok(()) if header == [0; HEADER] => return Ok(None),
            Ok(()) => {}
        }
        let length = file.metadata().map_err(refused)?.len();
        let whole = first + (length - HEADER as u64) / records.bytes();
        Ok(Some(whole.min(records.end_of(first))))
    }

    /// That record `found` is there and `expected`, before it, is not.
    pub(super) fn out_of_place(&self, expected: u64, found: u64) -> ReplayError {
        ReplayError::Gap { path: self.path.clone(), what: self.records.what, expected, found }
    }

    /// Refuses a file that ends before record `end` does begin.
    pub(super) fn expect_records(&self, end: u64) -> Result<(), ReplayError> {
        let expected = self.records.offset(self.first, end);
        if self.length >= expected {
            return Ok(());
        }
        let whole = (self.length - HEADER as u64) / self.records.bytes();
        Err(missing(&self.path, self.records.what, self.first + whole, expected, self.length))
    }

    /// Gives the number and body of each of `wanted` to `take`, in order, which may refuse it.
    ///
    /// # Errors
    /// When a record is not what was written. Records before it have then been given.
    pub(super) fn read(
        &mut self,
        wanted: Range<u64>,
        mut take: impl FnMut(u64, &[u8]) -> Result<(), ReplayError>,
    ) -> Result<(), ReplayError> {
        let refused = |e| io_error("read", &self.path, e);
        let start = self.records.offset(self.first, wanted.start);
        self.file.seek(SeekFrom::Start(start)).map_err(refused)?;
        let mut body = vec![0; self.records.body];
        let mut written = [0; 4];
        for index in wanted {
            self.file.read_exact(&mut body).map_err(refused)?;
            self.file.read_exact(&mut written).map_err(refused)?;
            let (expected, found) = (u32::from_le_bytes(written), checksum(index, &body));
            if expected != found {
                let (path, what) = (self.path.clone(), self.records.what);
                return Err(ReplayError::Corrupt { path, what, index, expected, found });
            }
            take(index, &body)?;
        }
        Ok(())
    }
}

impl Reader {
    /// Tells `take` of each of `wanted`, in order, whether it is as it was written.
    pub(super) fn check(&mut self, wanted: Range<u64>, mut take: impl FnMut(u64, bool)) -> Result<(), ReplayError> {
        let refused = |e| io_error("read", &self.path, e);
        let start = self.records.offset(self.first, wanted.start);
        self.file.seek(SeekFrom::Start(start)).map_err(refused)?;
        let mut record = vec![0; self.records.body + 4];
        for index in wanted {
            self.file.read_exact(&mut record).map_err(refused)?;
            let (body, written) = record.split_at(self.records.body);
            take(index, checksum(index, body).to_le_bytes() == *written);
        }
        Ok(())
    }

    /// Whether `record` lies in a page that never came to the disk: pages are written in any order, and after a loss of power
    /// one that wasn't, before one that was, is zeros to its end.
    pub(super) fn is_left_out(&mut self, record: u64) -> Result<bool, ReplayError> {
        let refused = |e| io_error("read", &self.path, e);
        let (start, end) = (self.records.offset(self.first, record), self.records.offset(self.first, record + 1));
        self.file.seek(SeekFrom::Start(start)).map_err(refused)?;
        let mut bytes = vec![0; (end.next_multiple_of(PAGE).min(self.length) - start) as usize];
        self.file.read_exact(&mut bytes).map_err(refused)?;
        let of_its_page = (start.next_multiple_of(PAGE) - start) as usize;
        let (first, pages) = bytes.split_at(of_its_page.min(bytes.len()));
        let mut parts = std::iter::once(first).chain(pages.chunks(PAGE as usize)).filter(|part| !part.is_empty());
        Ok(parts.any(|part| part.iter().all(|byte| *byte == 0)))
    }
}

/// Refuses a file that is another log's, though not one that a crash left without a whole header.
pub(super) fn refuse_foreign(path: &Path, first: u64, records: &Records) -> Result<(), ReplayError> {
    let mut header = [0; HEADER];
    match File::open(path).and_then(|mut file| file.read_exact(&mut header)) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        Err(e) => Err(io_error("read", path, e)),
        Ok(()) if header == [0; HEADER] => Ok(()),
        Ok(()) => records.check_header(&header, first, path),
    }
}

fn missing(path: &Path, what: &'static str, index: u64, expected: u64, found: u64) -> ReplayError {
    ReplayError::Missing { path: path.to_path_buf(), what, index, expected, found }
}
