//! The segments of a JPEG file (ITU-T T.81, annex B), walked before anything is decoded: a picture that is cut short, or of
//! another size than announced, costs no memory and hardly any time.

use super::corrupt;
use super::known::KNOWN_TABLES;
use super::scan::{Component, Scan, Table};
use crate::{PictureError, RawFormat};
use turnkey_core::FrameSize;

const START_OF_IMAGE: u8 = 0xd8;
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;
const HUFFMAN_TABLES: u8 = 0xc4;
const RESTART_INTERVAL: u8 = 0xdd;

/// Expects a whole JPEG file of this size; says where it ends.
pub(super) fn check(bytes: &[u8], size: FrameSize) -> Result<usize, PictureError> {
    let mut walk = Walk { bytes, at: 0 };
    if walk.marker()? != START_OF_IMAGE {
        return Err(corrupt("the start-of-image marker", format!("{:02x?}", &bytes[..2])));
    }
    let mut file = File { size, frame: None, tables: [const { None }; 8], restart_interval: 0, scans: 0 };
    file.take_tables(&KNOWN_TABLES)?; // until it brings others
    loop {
        match walk.marker()? {
            END_OF_IMAGE if file.scans > 0 => return Ok(walk.at),
            END_OF_IMAGE => return Err(corrupt("a scan", "the end-of-image marker")),
            0x01 | 0xd0..=0xd7 => (), // alone, without a segment
            marker => {
                let segment = walk.segment()?;
                file.take(marker, segment)?;
                if marker == START_OF_SCAN {
                    file.check_scan(segment, walk.scan()?)?;
                }
            }
        }
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    /// The marker that comes next, past bytes that fill up.
    fn marker(&mut self) -> Result<u8, PictureError> {
        match self.byte()? {
            0xff => loop {
                match self.byte()? {
                    0xff => (),
                    marker => return Ok(marker),
                }
            },
            other => Err(corrupt("a marker", format!("{other:02x} at byte {}", self.at - 1))),
        }
    }

    /// A segment's content, without its length.
    fn segment(&mut self) -> Result<&'a [u8], PictureError> {
        let length = usize::from(u16::from_be_bytes([self.byte()?, self.byte()?]));
        let start = self.at;
        self.at += length.saturating_sub(2);
        self.bytes.get(start..self.at).ok_or_else(|| self.truncated("the rest of a segment"))
    }

    /// A scan's data, up to a marker that is neither a restart nor a byte of the data escaped by a zero.
    fn scan(&mut self) -> Result<&'a [u8], PictureError> {
        let rest = &self.bytes[self.at..];
        let ends = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
        let length = rest.windows(2).position(ends).ok_or_else(|| self.truncated("the end-of-image marker"))?;
        self.at += length;
        Ok(&rest[..length])
    }

    fn byte(&mut self) -> Result<u8, PictureError> {
        let byte = self.bytes.get(self.at).ok_or_else(|| self.truncated("the end-of-image marker"))?;
        self.at += 1;
        Ok(*byte)
    }

    fn truncated(&self, expected: &'static str) -> PictureError {
        PictureError::Truncated { format: RawFormat::Jpeg, expected, found: self.bytes.len() }
    }
}

/// What the file has said of itself so far.
struct File {
    size: FrameSize,
    frame: Option<FrameHeader>,
    /// Four for the means, four for the rest.
    tables: [Option<Table>; 8],
    restart_interval: usize,
    scans: usize,
}

struct FrameHeader {
    progressive: bool,
    components: Vec<(u8, Component)>,
}

impl File {
    fn take(&mut self, marker: u8, segment: &[u8]) -> Result<(), PictureError> {
        match marker {
            HUFFMAN_TABLES => self.take_tables(segment)?,
            RESTART_INTERVAL => {
                let interval = segment.first_chunk().ok_or_else(|| corrupt("a restart interval", "none"))?;
                self.restart_interval = usize::from(u16::from_be_bytes(*interval));
            }
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf if self.frame.is_some() => {
                return Err(corrupt("one frame header", "two"));
            }
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                self.frame = Some(frame_header(marker, segment, self.size)?);
            }
            _ => (),
        }
        Ok(())
    }

    /// Class and number, how many codes there are of each length, and what they stand for (T.81, B.2.4.2).
    fn take_tables(&mut self, mut segment: &[u8]) -> Result<(), PictureError> {
        while let Some((head, rest)) = segment.split_first_chunk::<17>() {
            let (class, number, counts) = (head[0] >> 4, head[0] & 0x0f, &head[1..]);
            let length = counts.iter().map(|count| usize::from(*count)).sum();
            let values = rest.get(..length).filter(|_| class < 2 && number < 4);
            let values = values.ok_or_else(|| corrupt("a Huffman table", format!("{length} codes")))?;
            self.tables[usize::from(4 * class + number)] = Some(Table::new(counts, values));
            segment = &rest[length..];
        }
        Ok(())
    }

    /// Expects all of the blocks in a scan's data; a progressive scan is left to the decoder.
    fn check_scan(&mut self, header: &[u8], data: &[u8]) -> Result<(), PictureError> {
        let frame = self.frame.as_ref().ok_or_else(|| corrupt("a frame header", "a scan"))?;
        self.scans += 1;
        let count = usize::from(*header.first().unwrap_or(&0));
        let Some(selectors) = header.get(1..1 + 2 * count).filter(|_| (1..=3).contains(&count)) else {
            return Err(corrupt("a scan of 1 to 3 components", count));
        };
        let mut components = Vec::with_capacity(count);
        for selector in selectors.chunks_exact(2) {
            let known = frame.components.iter().find(|(id, _)| *id == selector[0]);
            let (_, component) = known.ok_or_else(|| corrupt("a component of the frame", selector[0]))?;
            let table = |class: u8, number: u8| self.tables.get(usize::from(4 * class + number))?.as_ref();
            let tables = (table(0, (selector[1] >> 4) & 3), table(1, selector[1] & 3));
            // None of those that everybody knows: the decoder says so.
            let (Some(means), Some(rest)) = tables else { return Ok(()) };
            components.push((*component, means, rest));
        }
        let most = |side: fn(&Component) -> usize| frame.components.iter().map(|(_, c)| side(c)).max().unwrap_or(1);
        let most = Component { across: most(|c| c.across), down: most(|c| c.down) };
        match frame.progressive {
            true => Ok(()),
            false => Scan { size: self.size, most, components, restart_interval: self.restart_interval }.check(data),
        }
    }
}

/// Expects a frame header (T.81, B.2.2) of a kind that is decoded, in the size announced.
fn frame_header(kind: u8, header: &[u8], announced: FrameSize) -> Result<FrameHeader, PictureError> {
    let Some((&[depth, high, low, wide, narrow, count], rest)) = header.split_first_chunk() else {
        return Err(corrupt("a frame header", format!("{} bytes", header.len())));
    };
    if kind > 0xc2 || depth != 8 || !matches!(count, 1 | 3) {
        let found = format!("kind {kind:02x} with {count} components of {depth} bits");
        return Err(corrupt("a baseline or progressive frame with 1 or 3 components of 8 bits", found));
    }
    let side = |bytes| usize::from(u16::from_be_bytes(bytes));
    let found = FrameSize { width: side([wide, narrow]), height: side([high, low]) };
    if found != announced {
        return Err(PictureError::OtherSize { format: RawFormat::Jpeg, announced, found });
    }
    let component = |c: &[u8]| (c[0], Component { across: usize::from(c[1] >> 4), down: usize::from(c[1] & 0x0f) });
    let components: Vec<_> = rest.chunks_exact(3).map(component).collect();
    let allowed = |c: &Component| (1..=4).contains(&c.across) && (1..=4).contains(&c.down);
    match components.len() == usize::from(count) && components.iter().all(|(_, c)| allowed(c)) {
        true => Ok(FrameHeader { progressive: kind == 0xc2, components }),
        false => Err(corrupt("a component for each colour, sampled 1 to 4 times", format!("{rest:02x?}"))),
    }
}
