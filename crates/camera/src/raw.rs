//! Raw buffers: what every source gives, below the decoder.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Instant;
use turnkey_core::{FrameSize, Stamp};
use turnkey_picture::{RawFormat, RawFrame};

/// The formats in which cameras send pictures here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraFormat {
    /// A JPEG file for each picture.
    Mjpeg,
    /// Y, U, Y, V for every two pixels.
    Yuyv,
    /// Red, green, blue, a byte each.
    Rgb24,
}

impl CameraFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mjpeg, Self::Yuyv, Self::Rgb24];

    /// How the pipeline calls it.
    #[must_use]
    pub fn raw(self) -> RawFormat {
        match self {
            Self::Mjpeg => RawFormat::Jpeg,
            Self::Yuyv => RawFormat::Yuyv,
            Self::Rgb24 => RawFormat::Rgb8,
        }
    }
}

impl fmt::Display for CameraFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mjpeg => "mjpeg",
            Self::Yuyv => "yuyv",
            Self::Rgb24 => "rgb24",
        })
    }
}

/// One picture as it came, not yet looked at.
#[derive(Clone, PartialEq)]
pub struct RawBuffer {
    /// How its bytes are to be read.
    pub format: RawFormat,
    /// Its size, as the source announces it.
    pub size: FrameSize,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// When it was taken.
    pub captured: Instant,
    /// Its number at its source: one more than the last, unless some were missed.
    pub sequence: u64,
}

impl RawBuffer {
    /// The same for the pipeline, stamped by time since `epoch`.
    #[must_use]
    pub fn frame(&self, epoch: Instant) -> RawFrame<'_> {
        let stamp = Stamp(self.captured.saturating_duration_since(epoch));
        RawFrame { format: self.format, size: self.size, bytes: &self.bytes, stamp }
    }
}

impl fmt::Debug for RawBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, size, bytes, sequence, .. } = self;
        write!(f, "RawBuffer {{ {format} {size}, {} bytes, number {sequence} }}", bytes.len())
    }
}
