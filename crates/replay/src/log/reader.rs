//! Bytes to rows, each of them checked.

use super::{
    format::{Format, HEADER, checksum},
    io_error,
};
use crate::ReplayError;
use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
};

/// A segment being read.
pub(super) struct Reader {
    path: PathBuf,
    first: u64,
    format: Format,
    length: u64,
    file: BufReader<File>,
}

impl Reader {
    /// Opens the segment at `path` that begins with row `first`.
    ///
    /// # Errors
    /// When it isn't there, too short for a header, or has another segment's or log's header.
    pub(super) fn open(path: PathBuf, first: u64, format: &Format) -> Result<Self, ReplayError> {
        let refused = |e| io_error("read", &path, e);
        let missing = |found| missing(&path, first, HEADER as u64, found);
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
        format.check_header(&header, first, &path)?;
        Ok(Self { first, format: *format, length, file: BufReader::with_capacity(1 << 18, file), path })
    }

    /// Refuses a file that ends before row `end` does begin.
    pub(super) fn expect_rows(&self, end: u64) -> Result<(), ReplayError> {
        let expected = self.format.offset(self.first, end);
        if self.length >= expected {
            return Ok(());
        }
        let whole = (self.length - HEADER as u64) / self.format.row_bytes() as u64;
        Err(missing(&self.path, self.first + whole, expected, self.length))
    }

    /// Gives the numbers of each of `rows` to `take`, in order.
    ///
    /// # Errors
    /// When a row is not what was written. Rows before it have then been given.
    pub(super) fn read(&mut self, rows: Range<u64>, mut take: impl FnMut(&[f32])) -> Result<(), ReplayError> {
        let refused = |e| io_error("read", &self.path, e);
        let start = self.format.offset(self.first, rows.start);
        self.file.seek(SeekFrom::Start(start)).map_err(refused)?;
        let mut bytes = vec![0; self.format.row_bytes()];
        let mut numbers = vec![0.0_f32; self.format.widths.row()];
        for row in rows {
            self.file.read_exact(&mut bytes).map_err(refused)?;
            let (body, written) = bytes.split_at(bytes.len() - 4);
            let (expected, found) = (le_u32(written), checksum(row, body));
            if expected != found {
                return Err(ReplayError::Corrupt { path: self.path.clone(), row, expected, found });
            }
            for (number, bytes) in numbers.iter_mut().zip(body.chunks_exact(4)) {
                *number = f32::from_bits(le_u32(bytes));
            }
            take(&numbers);
        }
        Ok(())
    }
}

/// Refuses a file that is another log's, though not one that a crash left without a whole header.
pub(super) fn refuse_foreign(path: &Path, first: u64, format: &Format) -> Result<(), ReplayError> {
    let mut header = [0; HEADER];
    match File::open(path).and_then(|mut file| file.read_exact(&mut header)) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        Err(e) => Err(io_error("read", path, e)),
        Ok(()) if header == [0; HEADER] => Ok(()),
        Ok(()) => format.check_header(&header, first, path),
    }
}

fn missing(path: &Path, row: u64, expected: u64, found: u64) -> ReplayError {
    ReplayError::Missing { path: path.to_path_buf(), row, expected, found }
}

/// Four bytes, least significant first.
fn le_u32(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}
