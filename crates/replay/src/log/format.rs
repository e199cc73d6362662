//! The bytes of a log, all little-endian.
//!
//! A segment: a header of 48 bytes (magic `TKREPLAY`, version u32, observation u32, action u32,
//! zero u32, rows a segment u64, first row u64, zero u32, CRC-32 of all before), then rows. A row: its
//! numbers as f32 in the order of [`crate::Widths::row`], how the episode ended (u32: 0 it goes on, 1 terminated,
//! 2 truncated), and the CRC-32 of the row's index in the run (u64) and all before.

use crate::{ReplayError, Widths};
use std::{num::NonZeroU64, path::Path};
use turnkey_core::End;

const MAGIC: &[u8; 8] = b"TKREPLAY";
const VERSION: u32 = 1;

/// Bytes of a segment's header.
pub(super) const HEADER: usize = 48;

/// What every segment of a log agrees on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The sizes of a row's parts.
    pub(super) widths: Widths,
    /// Rows of a full segment.
    pub(super) segment_rows: NonZeroU64,
}

impl Format {
    /// The format of segments of 65,536 rows.
    #[must_use]
    pub const fn new(widths: Widths) -> Self {
        Self { widths, segment_rows: NonZeroU64::new(65_536).unwrap() }
    }

    /// The same with another number of rows a segment.
    #[must_use]
    pub const fn with_segment_rows(self, segment_rows: NonZeroU64) -> Self {
        Self { segment_rows, ..self }
    }

    /// The first row of the segment that `row` belongs to.
    pub(super) fn segment_of(&self, row: u64) -> u64 {
        row - row % self.segment_rows
    }

    /// Bytes of a row.
    pub(super) fn row_bytes(&self) -> usize {
        4 * self.widths.row() + 8
    }

    /// Where `row` begins in the segment whose first row is `first`.
    pub(super) fn offset(&self, first: u64, row: u64) -> u64 {
        HEADER as u64 + (row - first) * self.row_bytes() as u64
    }

    /// The header of the segment that begins with row `first`.
    pub(super) fn header(&self, first: u64) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&(self.widths.observation as u32).to_le_bytes());
        bytes[16..20].copy_from_slice(&(self.widths.action as u32).to_le_bytes());
        bytes[24..32].copy_from_slice(&self.segment_rows.get().to_le_bytes());
        bytes[32..40].copy_from_slice(&first.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..44]);
        bytes[44..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Refuses a header other than the one this segment must have.
    pub(super) fn check_header(&self, found: &[u8; HEADER], first: u64, path: &Path) -> Result<(), ReplayError> {
        let expected = self.header(first);
        let fields = [
            ("magic", 0..8),
            ("version", 8..12),
            ("numbers an observation", 12..16),
            ("numbers an action", 16..20),
            ("rows a segment", 24..32),
            ("first row", 32..40),
            ("header checksum", 44..48),
            ("header", 0..HEADER),
        ];
        // Text where it begins with the magic, a number elsewhere.
        let show = |bytes: &[u8], at: usize| match at {
            0 => bytes.escape_ascii().to_string(),
            _ => bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)).to_string(),
        };
        for (what, range) in fields {
            let at = range.start;
            let (expected, found) = (&expected[range.clone()], &found[range]);
            if expected != found {
                let (expected, found) = (show(expected, at), show(found, at));
                return Err(ReplayError::Foreign { path: path.to_path_buf(), what, expected, found });
            }
        }
        Ok(())
    }
}

/// The checksum of row number `row` of the run, whose numbers and end are `bytes`.
pub(super) fn checksum(row: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&row.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// How an end is written.
pub(super) fn end_code(end: Option<End>) -> u32 {
    match end {
        None => 0,
        Some(End::Terminated) => 1,
        Some(End::Truncated) => 2,
    }
}
