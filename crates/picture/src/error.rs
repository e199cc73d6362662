//! What can be wrong with a picture, and with what is asked of one.

use crate::{Crop, RawFormat};
use turnkey_core::{FrameSize, Kind};

/// Why there is no frame, or no such pipeline or perturbation.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PictureError {
    /// A size without pixels.
    #[error("{what}: expected at least one pixel, got {size}")]
    NoPixels {
        /// Whose size it is.
        what: &'static str,
        /// The size.
        size: FrameSize,
    },
    /// A size that no camera has.
    #[error("{what}: expected sides of at most {side} and at most {pixels} pixels, got {size}", side = crate::MAX_SIDE, pixels = crate::MAX_PIXELS)]
    TooLarge {
        /// Whose size it is.
        what: &'static str,
        /// The size.
        size: FrameSize,
    },
    /// YUYV, where two pixels share their colour, with an odd number of them in a row.
    #[error("a yuyv picture: expected an even width, got {size}")]
    OddWidth {
        /// The size announced.
        size: FrameSize,
    },
    /// More or fewer bytes than the picture has.
    #[error("a {format} picture of {size}: expected {expected} bytes, got {found}")]
    Length {
        /// The format announced.
        format: RawFormat,
        /// The size announced.
        size: FrameSize,
        /// Bytes of a picture of that size and format.
        expected: usize,
        /// Bytes that came.
        found: usize,
    },
    /// A compressed picture that ends before it is complete.
    #[error("a {format} picture of {found} bytes: expected {expected}, got the end of the data")]
    Truncated {
        /// The format announced.
        format: RawFormat,
        /// What should have followed.
        expected: &'static str,
        /// Bytes that came.
        found: usize,
    },
    /// A compressed picture that can't be read.
    #[error("a {format} picture: expected {expected}, got {found}")]
    Corrupt {
        /// The format announced.
        format: RawFormat,
        /// What should have been there.
        expected: &'static str,
        /// What was there, or what the decoder says of it.
        found: String,
    },
    /// A compressed picture of another size than announced.
    #[error("a {format} picture: expected {announced} as announced, got {found}")]
    OtherSize {
        /// The format announced.
        format: RawFormat,
        /// The size announced.
        announced: FrameSize,
        /// The size in the picture's own header.
        found: FrameSize,
    },
    /// A crop that reaches beyond the picture.
    #[error("the crop of {}x{} pixels at {},{}: expected to be within the picture, got a picture of {source_size}", crop.width, crop.height, crop.left, crop.top)]
    CropOutside {
        /// What was to be cut out.
        crop: Crop,
        /// The picture's size.
        source_size: FrameSize,
    },
    /// A perturbation's number outside of what it may be.
    #[error("{perturbation}.{field}: expected {expected}, got {found}")]
    Strength {
        /// The perturbation, as it is written.
        perturbation: &'static str,
        /// The number, as it is written.
        field: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: f32,
    },
}

impl PictureError {
    /// What the caller can do: a picture damaged on its way is followed by another; everything else stays wrong
    /// until a person changes it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Length { .. } | Self::Truncated { .. } | Self::Corrupt { .. } => Kind::Retry,
            Self::NoPixels { .. }
            | Self::TooLarge { .. }
            | Self::OddWidth { .. }
            | Self::OtherSize { .. }
            | Self::CropOutside { .. }
            | Self::Strength { .. } => Kind::Stop,
        }
    }
}
