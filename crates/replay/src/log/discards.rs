//! The file of a log that says which rows are not to be learned from.
//!
//! `discarded`: 8 bytes of magic, then a record a range: first row u64, the row after the last u64, CRC-32 of both, all
//! little-endian. A record that a crash cut short counts as not written.

use super::io_error;
use crate::{ReplayError, discarded::Discarded};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    ops::Range,
    path::{Path, PathBuf},
};

const MAGIC: &[u8; 8] = b"TKDISCAR";
const RECORD: usize = 20;

fn path(dir: &Path) -> PathBuf {
    dir.join("discarded")
}

fn record(rows: &Range<u64>) -> [u8; RECORD] {
    let mut bytes = [0; RECORD];
    bytes[..8].copy_from_slice(&rows.start.to_le_bytes());
    bytes[8..16].copy_from_slice(&rows.end.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..16]);
    bytes[16..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The rows that are written down in `dir`, none where there is no such file; and whether a crash cut the file short.
///
/// # Errors
/// When the file can't be read, is something else, or a record in it is altered.
pub(super) fn read(dir: &Path) -> Result<(Discarded, bool), ReplayError> {
    let path = path(dir);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Discarded::default(), false)),
        bytes => bytes.map_err(|error| io_error("read", &path, error))?,
    };
    let mut discarded = Discarded::default();
    // A loss of power may leave a file's length without what was written there: zeros.
    let is_empty = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    let Some((magic, rest)) = bytes.split_at_checked(MAGIC.len()) else { return Ok((discarded, true)) };
    if is_empty(&bytes) {
        return Ok((discarded, true));
    }
    if magic != MAGIC {
        let [expected, found] = [&MAGIC[..], magic].map(|bytes| bytes.escape_ascii().to_string());
        return Err(ReplayError::Foreign { path, what: "magic", expected, found });
    }
    let (records, torn) = rest.as_chunks::<RECORD>();
    for (at, bytes) in records.iter().enumerate() {
        let number = |at: usize| bytes[at..at + 8].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let rows = number(0)..number(8);
        let expected = record(&rows);
        let is_last = at + 1 == records.len() && torn.is_empty();
        if expected != *bytes && is_last && is_empty(bytes) {
            return Ok((discarded, true));
        }
        if expected != *bytes {
            let crc = |bytes: &[u8; RECORD]| bytes[16..].iter().rev().fold(0, |crc, byte| crc << 8 | u32::from(*byte));
            let [expected, found] = [crc(bytes), crc(&expected)];
            return Err(ReplayError::Corrupt { path, what: "range", index: at as u64, expected, found });
        }
        discarded.add(rows);
    }
    Ok((discarded, !torn.is_empty()))
}

/// Writes rows down beside those that are there, durably.
///
/// # Errors
/// When the file system refuses.
pub(super) fn append(dir: &Path, rows: &Range<u64>) -> Result<(), ReplayError> {
    let path = path(dir);
    let write = || {
        let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
        let length = file.metadata()?.len();
        if length == 0 {
            file.write_all(MAGIC)?;
        }
        file.write_all(&record(rows))?;
        file.sync_all()?;
        if length == 0 { File::open(dir)?.sync_all() } else { Ok(()) }
    };
    write().map_err(|error| io_error("append to", &path, error))
}

/// Writes these down in place of all that was, durably: before rows are cut off whose numbers others will have.
///
/// # Errors
/// When the file system refuses.
pub(super) fn rewrite(dir: &Path, discarded: &Discarded) -> Result<(), ReplayError> {
    let (path, aside) = (path(dir), dir.join("discarded.new"));
    let write = || {
        if discarded.is_empty() && !path.exists() {
            return Ok(());
        }
        let mut file = File::create(&aside)?;
        file.write_all(MAGIC)?;
        discarded.ranges().iter().try_for_each(|rows| file.write_all(&record(rows)))?;
        file.sync_all()?;
        fs::rename(&aside, &path)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|error| io_error("write", &path, error))
}
