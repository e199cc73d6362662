//! Records to bytes.

use super::format::{Records, checksum};
use std::io::{self, Write};

/// Writes a header and records anywhere.
#[derive(Debug)]
pub(super) struct RecordWriter<W> {
    sink: W,
}

impl<W: Write> RecordWriter<W> {
    pub(super) fn new(sink: W) -> Self {
        Self { sink }
    }

    pub(super) fn write_header(&mut self, records: &Records, first: u64) -> io::Result<()> {
        self.sink.write_all(&records.header(first))
    }

    /// Writes record number `record` of the run.
    pub(super) fn write(&mut self, record: u64, body: &[u8]) -> io::Result<()> {
        self.sink.write_all(body)?;
        self.sink.write_all(&checksum(record, body).to_le_bytes())
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
    use crate::{Format, Widths};
    use std::{fs::OpenOptions, io::BufWriter};
    use turnkey_core::{FrameSize, PictureShape};

    #[test]
    fn a_full_disk_is_an_error_of_the_flush_and_no_silent_loss() {
        let pictures = Some(PictureShape { size: FrameSize { width: 5, height: 4 }, stack: 3 });
        let format = Format::new(Widths { observation: 2, action: 1, pictures });
        for records in [format.rows(), format.frames().unwrap().0] {
            let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
            let mut writer = RecordWriter::new(BufWriter::new(full));
            writer.write_header(&records, 0).unwrap();
            let body = vec![7; records.body];
            writer.write(0, &body).unwrap(); // buffered: not counted before a sync
            let error = writer.flush().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
            // It stays an error for as long as the disk is full.
            assert!(writer.flush().is_err());
            let refused = (1..1000).find_map(|i| writer.write(i, &body).err()).expect("the buffer fills");
            assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
        }
    }
}
