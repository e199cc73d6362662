//! The bytes of a log, all little-endian.
//!
//! A segment: a header of 48 bytes, then records of one length, each closed by the CRC-32 of its index in
//! the run (u64) and all before. The header: magic, version u32, three sizes u32, records a segment u64,
//! first record u64, zero u32, CRC-32 of all before.
//!
//! Rows, `NNN.rows`: magic `TKREPLAY`; sizes observation, action, pictures a stack. A row: its numbers as
//! f32 in the order of [`crate::Widths::row`]; how the episode ended (u32: 0 it goes on, 1 terminated,
//! 2 truncated); and, where there are pictures, which frame of the run is its next observation's newest
//! (u64), and how many frames further back its stacks reach (u32).
//!
//! Frames, `NNN.frames`: magic `TKFRAMES`; sizes width, height, bytes a pixel. A frame: its pixels, from the
//! top.

use crate::{ReplayError, Widths};
use std::{num::NonZeroU64, path::Path};
use turnkey_core::PictureShape;

const VERSION: u32 = 1;

/// Bytes of a segment's header.
pub(super) const HEADER: usize = 48;

/// Bytes of a segment of frames, at most, unless one frame takes more.
const FRAMES_SEGMENT: usize = 64 << 20;

/// What every segment of a log agrees on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The sizes of a row's parts.
    pub(super) widths: Widths,
    /// Rows of a full segment.
    segment_rows: NonZeroU64,
    /// Frames of a full segment.
    segment_frames: NonZeroU64,
}

impl Format {
    /// The format of segments of 65,536 rows, and of as many frames as 64 MB hold.
    #[must_use]
    pub const fn new(widths: Widths) -> Self {
        let frames = match widths.pictures {
            Some(shape) => (FRAMES_SEGMENT - HEADER) / (shape.size.bytes() + 4),
            None => 0,
        };
        let segment_frames = match NonZeroU64::new(frames as u64) {
            Some(frames) => frames,
            None => NonZeroU64::MIN,
        };
        Self { widths, segment_rows: NonZeroU64::new(65_536).unwrap(), segment_frames }
    }

    /// The same with another number of rows a segment.
    #[must_use]
    pub const fn with_segment_rows(self, segment_rows: NonZeroU64) -> Self {
        Self { segment_rows, ..self }
    }

    /// The same with another number of frames a segment.
    #[must_use]
    pub const fn with_segment_frames(self, segment_frames: NonZeroU64) -> Self {
        Self { segment_frames, ..self }
    }

    /// Bytes before the first row of a segment.
    pub const HEADER_BYTES: usize = HEADER;

    /// Bytes of a row in a segment: its numbers, four bytes of how its episode ended, where its pictures are, if it has any, and a
    /// checksum of four bytes.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        self.rows().body + 4
    }

    /// How rows are kept.
    pub(super) fn rows(&self) -> Records {
        let Widths { observation, action, pictures } = self.widths;
        let place = if pictures.is_some() { 12 } else { 0 };
        Records {
            what: "row",
            suffix: ".rows",
            magic: b"TKREPLAY",
            sizes: [observation, action, pictures.map_or(0, |shape| shape.stack)],
            named: ["numbers an observation", "numbers an action", "pictures a stack", "rows a segment", "first row"],
            body: 4 * self.widths.row() + 4 + place,
            segment: self.segment_rows,
        }
    }

    /// How frames are kept, and for which pictures, where there are any.
    pub(super) fn frames(&self) -> Option<(Records, PictureShape)> {
        let shape = self.widths.pictures?;
        let records = Records {
            what: "frame",
            suffix: ".frames",
            magic: b"TKFRAMES",
            sizes: [shape.size.width, shape.size.height, 3],
            named: ["width", "height", "bytes a pixel", "frames a segment", "first frame"],
            body: shape.size.bytes(),
            segment: self.segment_frames,
        };
        Some((records, shape))
    }
}

/// Records of one kind: what all their segments agree on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Records {
    /// What one is called.
    pub(super) what: &'static str,
    suffix: &'static str,
    magic: &'static [u8; 8],
    sizes: [usize; 3],
    /// The header's sizes, records a segment and first record, in words.
    named: [&'static str; 5],
    /// Bytes of a record without its checksum.
    pub(super) body: usize,
    segment: NonZeroU64,
}

impl Records {
    /// The first record of the segment that `record` belongs to.
    pub(super) fn segment_of(&self, record: u64) -> u64 {
        record - record % self.segment
    }

    /// The first record of the segment after the one that begins with `first`.
    pub(super) fn end_of(&self, first: u64) -> u64 {
        first.saturating_add(self.segment.get())
    }

    /// The name of the segment that begins with record `first`.
    pub(super) fn file_name(&self, first: u64) -> String {
        format!("{first:012}{}", self.suffix)
    }

    /// The first record of the segment of this name, if it is one's.
    pub(super) fn first_record(&self, name: &str) -> Option<u64> {
        let first = name.strip_suffix(self.suffix)?.parse().ok()?;
        (self.file_name(first) == name).then_some(first)
    }

    /// Bytes of a record.
    pub(super) fn bytes(&self) -> u64 {
        self.body as u64 + 4
    }

    /// Where `record` begins in the segment whose first record is `first`.
    pub(super) fn offset(&self, first: u64, record: u64) -> u64 {
        HEADER as u64 + (record - first) * self.bytes()
    }

    /// The header of the segment that begins with record `first`.
    pub(super) fn header(&self, first: u64) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(self.magic);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        for (into, size) in bytes[12..24].as_chunks_mut().0.iter_mut().zip(self.sizes) {
            *into = (size as u32).to_le_bytes();
        }
        bytes[24..32].copy_from_slice(&self.segment.get().to_le_bytes());
        bytes[32..40].copy_from_slice(&first.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..44]);
        bytes[44..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Refuses a header other than the one this segment must have.
    pub(super) fn check_header(&self, found: &[u8; HEADER], first: u64, path: &Path) -> Result<(), ReplayError> {
        let expected = self.header(first);
        let [size_1, size_2, size_3, segment, first] = self.named;
        let fields = [
            ("magic", 0..8),
            ("version", 8..12),
            (size_1, 12..16),
            (size_2, 16..20),
            (size_3, 20..24),
            (segment, 24..32),
            (first, 32..40),
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

/// The checksum of record number `record` of the run.
pub(super) fn checksum(record: u64, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&record.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::FrameSize;

    const WIDTHS: Widths = Widths { observation: 2, action: 1, pictures: None };

    #[test]
    fn a_segment_is_named_by_its_first_record_and_nothing_else_is_taken_for_one() {
        let rows = Format::new(WIDTHS).rows();
        assert_eq!(rows.first_record(&rows.file_name(65_536)), Some(65_536));
        for name in
            ["65536.rows", "000000065536.row", "00000006553a.rows", "+00000065536.rows", ".rows", "000000065536.frames"]
        {
            assert_eq!(rows.first_record(name), None, "{name}");
        }
    }

    #[test]
    fn a_segment_of_frames_is_as_long_as_64_megabytes_allow_and_holds_at_least_one() {
        for (width, expected) in [(64, 5459), (84, 1 << 20), (8000, 1)] {
            let shape = PictureShape { size: FrameSize { width, height: width }, stack: 3 };
            let frames = Format::new(Widths { pictures: Some(shape), ..WIDTHS }).frames().unwrap().0;
            let (count, bytes) = (frames.segment.get(), frames.offset(0, frames.segment.get()));
            assert!(count <= expected && (bytes <= 64 << 20 || count == 1), "{count} frames in {bytes} bytes");
            assert!(frames.offset(0, count + 1) > 64 << 20, "another frame would fit");
        }
    }
}
