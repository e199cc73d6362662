//! How pictures come, and how large they may be.

use crate::PictureError;
use serde::{Deserialize, Serialize};
use std::fmt;
use turnkey_core::FrameSize;

/// The longest side of a picture that is taken in, pixels.
pub const MAX_SIDE: usize = 16_384;

/// The most pixels of a picture that is taken in: 32 Mi, which bounds the memory that any input can cause to be used
/// to a few hundred megabytes.
pub const MAX_PIXELS: usize = 1 << 25;

/// How a picture's bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawFormat {
    /// Red, green, blue, a byte each, row by row from the top.
    Rgb8,
    /// Brightness, a byte a pixel, row by row from the top.
    Gray8,
    /// Y, U, Y, V for every two pixels of a row: YCbCr 4:2:2 as in ITU-R BT.601 in its limited range (Y from 16 to
    /// 235, colours from 16 to 240), which is what cameras on USB send. The width is even.
    Yuyv,
    /// A JPEG file: grey or YCbCr in full range, baseline or progressive. Each picture of an MJPEG stream is one, with
    /// or without bytes of padding behind it.
    Jpeg,
    /// A PNG file: any colour type and depth; transparency is dropped.
    Png,
}

impl RawFormat {
    /// Bytes of a picture of this size; of a compressed one nobody knows.
    pub(crate) fn length(self, size: FrameSize) -> Option<usize> {
        match self {
            Self::Rgb8 => Some(3 * size.width * size.height),
            Self::Gray8 => Some(size.width * size.height),
            Self::Yuyv => Some(2 * size.width * size.height),
            Self::Jpeg | Self::Png => None,
        }
    }
}

impl fmt::Display for RawFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rgb8 => "rgb8",
            Self::Gray8 => "gray8",
            Self::Yuyv => "yuyv",
            Self::Jpeg => "jpeg",
            Self::Png => "png",
        })
    }
}

/// Expects a picture's size to be one.
pub(crate) fn check_size(what: &'static str, size: FrameSize) -> Result<(), PictureError> {
    match (size.width, size.height) {
        (0, _) | (_, 0) => Err(PictureError::NoPixels { what, size }),
        (width, height) if width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS => {
            Err(PictureError::TooLarge { what, size })
        }
        _ => Ok(()),
    }
}
