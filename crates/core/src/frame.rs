//! Pictures, as a camera gives them.

use crate::Stamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// Width and height of a picture, pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameSize {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl FrameSize {
    /// Bytes of a frame: three a pixel.
    #[must_use]
    pub const fn bytes(self) -> usize {
        3 * self.width * self.height
    }
}

impl std::fmt::Display for FrameSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// One picture: red, green, blue, a byte each, row by row from the top. Copies share the pixels.
#[derive(Clone, PartialEq)]
pub struct Frame {
    stamp: Stamp,
    size: FrameSize,
    pixels: Arc<[u8]>,
}

/// A frame whose pixels don't cover its size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {size}: expected {} bytes, found {found}", size.bytes())]
pub struct FrameError {
    /// The size it was to have.
    pub size: FrameSize,
    /// Bytes that came.
    pub found: usize,
}

impl Frame {
    /// A frame taken at `stamp`. `pixels` has the shape `[height, width, 3]`.
    ///
    /// # Errors
    /// When there are more or fewer bytes than the size has.
    pub fn new(stamp: Stamp, size: FrameSize, pixels: impl Into<Arc<[u8]>>) -> Result<Self, FrameError> {
        let pixels = pixels.into();
        match pixels.len() == size.bytes() {
            true => Ok(Self { stamp, size, pixels }),
            false => Err(FrameError { size, found: pixels.len() }),
        }
    }

    /// When it was taken.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Its width and height.
    #[must_use]
    pub fn size(&self) -> FrameSize {
        self.size
    }

    /// Its pixels, `[height, width, 3]`.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame {{ {} at {:?} }}", self.size, self.stamp)
    }
}

/// A frame as it is written down.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    stamp: Stamp,
    size: FrameSize,
    pixels: std::borrow::Cow<'a, [u8]>,
}

impl Serialize for Frame {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written { stamp: self.stamp, size: self.size, pixels: (&*self.pixels).into() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Frame {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { stamp, size, pixels } = Written::deserialize(deserializer)?;
        Self::new(stamp, size, pixels.into_owned()).map_err(serde::de::Error::custom)
    }
}

/// The pictures of one observation: how many, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureShape {
    /// Size of each.
    pub size: FrameSize,
    /// How many, oldest first.
    pub stack: usize,
}

impl PictureShape {
    /// Channels of an observation's pictures laid over each other: red, green, blue of the oldest first.
    #[must_use]
    pub const fn channels(self) -> usize {
        3 * self.stack
    }

    /// Lays pictures, oldest first, over each other into `out`, `[height, width, channels]`.
    ///
    /// # Panics
    /// When a picture or `out` has another size.
    pub fn lay_over<'a>(self, pictures: impl Iterator<Item = &'a [u8]>, out: &mut [u8]) {
        let channels = self.channels();
        assert_eq!(out.len(), self.bytes(), "room for the pictures of one observation");
        for (i, picture) in pictures.enumerate() {
            assert_eq!(picture.len(), self.size.bytes(), "a picture's pixels");
            if self.stack == 1 {
                out.copy_from_slice(picture);
                return;
            }
            for (pixel, rgb) in out.chunks_exact_mut(channels).zip(picture.chunks_exact(3)) {
                pixel[3 * i..3 * i + 3].copy_from_slice(rgb);
            }
        }
    }

    /// Bytes of an observation's pictures.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.stack * self.size.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_as_many_bytes_as_its_size() {
        let size = FrameSize { width: 4, height: 2 };
        let error = Frame::new(Stamp::default(), size, vec![0; 23]).unwrap_err();
        assert_eq!(error.to_string(), "a frame of 4x2: expected 24 bytes, found 23");
        assert!(Frame::new(Stamp::default(), size, vec![0; 24]).is_ok());
    }

    #[test]
    fn pictures_lie_over_each_other_oldest_first() {
        let shape = PictureShape { size: FrameSize { width: 2, height: 1 }, stack: 2 };
        let mut out = vec![0; 12];
        let (old, new): ([u8; 6], [u8; 6]) = ([1, 2, 3, 4, 5, 6], [11, 12, 13, 14, 15, 16]);
        shape.lay_over([&old[..], &new[..]].into_iter(), &mut out);
        assert_eq!(out, [1, 2, 3, 11, 12, 13, 4, 5, 6, 14, 15, 16]);
    }

    #[test]
    fn a_frame_that_is_written_down_with_missing_pixels_is_refused() {
        let size = FrameSize { width: 1, height: 1 };
        let frame = Frame::new(Stamp::default(), size, vec![1, 2, 3]).unwrap();
        let text = serde_json::to_string(&frame).unwrap();
        assert_eq!(serde_json::from_str::<Frame>(&text).unwrap(), frame);
        assert!(serde_json::from_str::<Frame>(&text.replace(",2,", ",")).is_err(), "{text}");
    }
}
