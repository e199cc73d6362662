//! Whether a scan's data hold the blocks that its picture has: they are read, code by code, but not made into pixels.

use super::corrupt;
use crate::PictureError;
use turnkey_core::FrameSize;

/// How often a component is sampled where the least sampled one is sampled once.
#[derive(Clone, Copy)]
pub(super) struct Component {
    pub(super) across: usize,
    pub(super) down: usize,
}

/// A Huffman table: the codes of a length follow each other, and are larger than all shorter ones.
pub(super) struct Table {
    /// One after the last code of each length, brought to 16 bits, and what to add to a code for its place in `values`.
    lengths: [(u32, i32); 16],
    values: [u8; 256],
}

impl Table {
    /// The table of so many codes of 1 to 16 bits (T.81, annex C).
    pub(super) fn new(counts: &[u8], symbols: &[u8]) -> Self {
        let (mut code, mut place) = (0_i32, 0_i32);
        let mut lengths = [(0, 0); 16];
        for (i, (entry, count)) in lengths.iter_mut().zip(counts).enumerate() {
            let offset = place - code;
            code += i32::from(*count);
            place += i32::from(*count);
            *entry = ((code as u32) << (15 - i), offset);
            code <<= 1;
        }
        let mut values = [0; 256];
        for (value, symbol) in values.iter_mut().zip(symbols) {
            *value = *symbol;
        }
        Self { lengths, values }
    }
}

/// A scan of a sequential frame.
pub(super) struct Scan<'a> {
    pub(super) size: FrameSize,
    /// The frame's largest sampling, across and down.
    pub(super) most: Component,
    /// Each with its tables for the means and for the rest.
    pub(super) components: Vec<(Component, &'a Table, &'a Table)>,
    /// Units between restarts; 0 is none.
    pub(super) restart_interval: usize,
}

impl Scan<'_> {
    /// Expects the data to hold all of the scan's blocks, and nothing after them but padding.
    pub(super) fn check(&self, data: &[u8]) -> Result<(), PictureError> {
        let units = self.units();
        let mut bits = Bits { data, at: 0, held: 0, count: 0, missing: 0 };
        for unit in 0..units {
            if self.restart_interval > 0 && unit > 0 && unit % self.restart_interval == 0 {
                bits.restart()?;
            }
            self.read_unit(&mut bits)?;
            if bits.missing > bits.count {
                return Err(corrupt("all blocks of the picture", format!("{unit} of {units} units of them")));
            }
        }
        match bits.rest_is_padding() {
            true => Ok(()),
            false => Err(corrupt("the end of the scan after its last block", "more data")),
        }
    }

    /// How many units of blocks there are: of all components where they are interleaved, otherwise a block each
    /// (T.81, A.2).
    fn units(&self) -> usize {
        let Component { across, down } = self.most;
        let FrameSize { width, height } = self.size;
        match &self.components[..] {
            [(component, ..)] => {
                let columns = (width * component.across).div_ceil(across).div_ceil(8);
                columns * (height * component.down).div_ceil(down).div_ceil(8)
            }
            _ => width.div_ceil(8 * across) * height.div_ceil(8 * down),
        }
    }

    fn read_unit(&self, bits: &mut Bits) -> Result<(), PictureError> {
        for (component, means, rest) in &self.components {
            let blocks = if self.components.len() == 1 { 1 } else { component.across * component.down };
            for _ in 0..blocks {
                read_block(bits, means, rest)?;
            }
        }
        Ok(())
    }
}

/// One mean and up to 63 more coefficients (T.81, F.2.2).
fn read_block(bits: &mut Bits, means: &Table, rest: &Table) -> Result<(), PictureError> {
    let size = bits.symbol(means)?;
    bits.skip(size.min(16));
    let mut coefficient = 1;
    while coefficient < 64 {
        match bits.symbol(rest)? {
            0x00 => return Ok(()),
            symbol => {
                bits.skip(symbol & 0x0f);
                coefficient += 1 + (symbol >> 4);
            }
        }
    }
    match coefficient {
        64 => Ok(()),
        _ => Err(corrupt("64 coefficients in a block", "more")),
    }
}

/// A scan's bits. Behind the end there are zeros, which are counted.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    held: u64,
    count: u32,
    /// Bits put in that the data don't have; more than are held, once one of them was read.
    missing: u32,
}

impl Bits<'_> {
    fn fill(&mut self) {
        while self.count <= 56 {
            let byte = match (self.data.get(self.at), self.data.get(self.at + 1)) {
                (Some(0xff), Some(0x00)) => self.take(0xff, 2),
                (Some(0xff), _) | (None, _) => {
                    self.missing += 8;
                    0
                }
                (Some(byte), _) => self.take(*byte, 1),
            };
            self.held |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    fn take(&mut self, byte: u8, length: usize) -> u8 {
        self.at += length;
        byte
    }

    fn skip(&mut self, bits: u8) {
        if self.count < u32::from(bits) {
            self.fill();
        }
        self.held <<= bits;
        self.count -= u32::from(bits);
    }

    fn symbol(&mut self, table: &Table) -> Result<u8, PictureError> {
        if self.count < 16 {
            self.fill();
        }
        let next = (self.held >> 48) as u32;
        let found = table.lengths.iter().position(|(end, _)| next < *end);
        let length = found.ok_or_else(|| corrupt("a code of the Huffman table", format!("{next:016b}")))?;
        let place = (next >> (15 - length)) as i32 + table.lengths[length].1;
        self.skip(length as u8 + 1);
        Ok(table.values[(place & 0xff) as usize])
    }

    /// Goes on behind a restart marker, with nothing but padding before it.
    fn restart(&mut self) -> Result<(), PictureError> {
        let padding = self.count.saturating_sub(self.missing) < 8;
        match self.data.get(self.at..self.at + 2) {
            Some([0xff, 0xd0..=0xd7]) if padding => {
                *self = Bits { data: self.data, at: self.at + 2, held: 0, count: 0, missing: 0 };
                Ok(())
            }
            found => Err(corrupt("a restart marker", format!("{found:02x?}"))),
        }
    }

    /// Whether no data are left but the rest of a started byte, zeros and bytes that fill up.
    fn rest_is_padding(&self) -> bool {
        let started = self.count.saturating_sub(self.missing) % 8;
        self.held << started == 0 && self.data[self.at..].iter().all(|byte| matches!(byte, 0x00 | 0xff))
    }
}
