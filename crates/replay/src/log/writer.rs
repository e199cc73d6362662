//! Rows to bytes.

use super::format::{Format, checksum, end_code};
use std::io::{self, Write};
use turnkey_core::Transition;

/// Writes a header and rows anywhere.
#[derive(Debug)]
pub(super) struct RowWriter<W> {
    sink: W,
    format: Format,
    /// One row, as numbers and as bytes, used again and again.
    numbers: Vec<f32>,
    bytes: Vec<u8>,
}

impl<W: Write> RowWriter<W> {
    pub(super) fn new(sink: W, format: Format) -> Self {
        let (numbers, bytes) = (vec![0.0; format.widths.row()], Vec::with_capacity(format.row_bytes()));
        Self { sink, format, numbers, bytes }
    }

    pub(super) fn write_header(&mut self, first: u64) -> io::Result<()> {
        self.sink.write_all(&self.format.header(first))
    }

    /// Writes a transition that has passed the check of its widths, as row number `row` of the run.
    pub(super) fn write(&mut self, row: u64, transition: &Transition) -> io::Result<()> {
        self.format.widths.write(transition, &mut self.numbers);
        self.bytes.clear();
        self.bytes.extend(self.numbers.iter().flat_map(|x| x.to_le_bytes()));
        self.bytes.extend(end_code(transition.end).to_le_bytes());
        let crc = checksum(row, &self.bytes);
        self.bytes.extend(crc.to_le_bytes());
        self.sink.write_all(&self.bytes)
    }

    /// Hands everything to the operating system, and gives what it was written to.
    pub(super) fn flush(&mut self) -> io::Result<&W> {
        self.sink.flush()?;
        Ok(&self.sink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Widths;
    use std::{fs::OpenOptions, io::BufWriter};
    use turnkey_core::{Action, Observation};

    #[test]
    fn a_full_disk_is_an_error_of_the_flush_and_no_silent_loss() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let format = Format::new(Widths { observation: 2, action: 1, pictures: None });
        let mut rows = RowWriter::new(BufWriter::new(full), format);
        rows.write_header(0).unwrap();
        let (observation, next) = (Observation::from(vec![1.0, 2.0]), Observation::from(vec![3.0, 4.0]));
        let row = Transition { observation, action: Action(vec![0.5]), reward: 1.0, next, end: None };
        rows.write(0, &row).unwrap(); // buffered: not counted before a sync
        let error = rows.flush().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        // It stays an error for as long as the disk is full.
        assert!(rows.flush().is_err());
        let refused = (1..1000).find_map(|i| rows.write(i, &row).err()).expect("the buffer fills");
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    }
}
