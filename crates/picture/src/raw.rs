//! Pictures as cameras and files give them, and their pixels.

use crate::{
    PictureError,
    format::{RawFormat, check_size},
    jpeg, png,
};
use std::fmt;
use turnkey_core::{FrameSize, Stamp};

/// A picture as it came, borrowed from whoever has it.
#[derive(Clone, Copy)]
pub struct RawFrame<'a> {
    /// How its bytes are to be read.
    pub format: RawFormat,
    /// Its size as announced: by the camera's settings, or by what a recording says of itself.
    pub size: FrameSize,
    /// Its bytes; rows follow each other without padding.
    pub bytes: &'a [u8],
    /// When it was taken.
    pub stamp: Stamp,
}

impl fmt::Debug for RawFrame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, size, bytes, stamp } = self;
        write!(f, "RawFrame {{ {format} {size}, {} bytes at {stamp:?} }}", bytes.len())
    }
}

impl RawFrame<'_> {
    /// Puts its pixels into `pixels`, `[height, width, 3]`, in place of what is there; after an error that is anything.
    ///
    /// # Errors
    /// When the size is none or too large, and when the bytes are not a picture of that format and size.
    pub(crate) fn decode(&self, pixels: &mut Vec<u8>) -> Result<(), PictureError> {
        check_size("the picture", self.size)?;
        if self.format == RawFormat::Yuyv && !self.size.width.is_multiple_of(2) {
            return Err(PictureError::OddWidth { size: self.size });
        }
        let (format, size, found) = (self.format, self.size, self.bytes.len());
        match format.length(size) {
            Some(expected) if expected != found => Err(PictureError::Length { format, size, expected, found }),
            _ => self.decode_checked(pixels),
        }
    }

    fn decode_checked(&self, pixels: &mut Vec<u8>) -> Result<(), PictureError> {
        pixels.clear();
        match self.format {
            RawFormat::Rgb8 => pixels.extend_from_slice(self.bytes),
            RawFormat::Gray8 => pixels.extend(self.bytes.iter().flat_map(|y| [*y; 3])),
            RawFormat::Yuyv => rgb_from_yuyv(self.bytes, pixels),
            RawFormat::Jpeg => jpeg::decode(self.bytes, self.size, pixels)?,
            RawFormat::Png => png::decode(self.bytes, self.size, pixels)?,
        }
        Ok(())
    }
}

/// Two pixels of every four bytes. Both take the colour that they share; nothing is interpolated.
fn rgb_from_yuyv(bytes: &[u8], pixels: &mut Vec<u8>) {
    // ITU-R BT.601, section 2.5.3, in limited range and units of 2^-16: the brightness is stretched by 255/219, the
    // colours by 255/224.
    const Y: i32 = 76_309;
    const RED_V: i32 = 104_597;
    const GREEN_U: i32 = -25_675;
    const GREEN_V: i32 = -53_279;
    const BLUE_U: i32 = 132_201;
    let level = |sum: i32| ((sum + (1 << 15)) >> 16).clamp(0, 255) as u8;
    pixels.resize(bytes.len() / 2 * 3, 0);
    for (pair, out) in bytes.chunks_exact(4).zip(pixels.chunks_exact_mut(6)) {
        let (u, v) = (i32::from(pair[1]) - 128, i32::from(pair[3]) - 128);
        for (y, rgb) in [pair[0], pair[2]].into_iter().zip(out.chunks_exact_mut(3)) {
            let y = Y * (i32::from(y) - 16);
            rgb[0] = level(y + RED_V * v);
            rgb[1] = level(y + GREEN_U * u + GREEN_V * v);
            rgb[2] = level(y + BLUE_U * u);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(format: RawFormat, (width, height): (usize, usize), bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut pixels = Vec::new();
        let frame = RawFrame { format, size: FrameSize { width, height }, bytes, stamp: Stamp::default() };
        frame.decode(&mut pixels).map(|()| pixels).map_err(|error| error.to_string())
    }

    #[test]
    fn black_white_and_the_primaries_of_limited_range_yuyv_are_those_of_rgb() {
        // The 100 % colour bars of BT.601: Y, Cb, Cr.
        for ([y, u, v], rgb) in [
            ([16, 128, 128], [0, 0, 0]),
            ([235, 128, 128], [255, 255, 255]),
            ([81, 90, 240], [254, 0, 0]),
            ([145, 54, 34], [0, 255, 1]),
            ([41, 240, 110], [0, 0, 255]),
        ] {
            let pixels = decode(RawFormat::Yuyv, (2, 1), &[y, u, y, v]).unwrap();
            for (got, wanted) in pixels.iter().zip(rgb.iter().chain(&rgb)) {
                assert!(got.abs_diff(*wanted) <= 1, "{pixels:?} for {rgb:?}");
            }
        }
    }

    #[test]
    fn grey_is_the_same_in_all_three_colours() {
        assert_eq!(decode(RawFormat::Gray8, (2, 1), &[7, 200]).unwrap(), [7, 7, 7, 200, 200, 200]);
    }

    #[test]
    fn a_wrong_length_and_a_size_that_is_none_say_what_was_expected_and_what_came() {
        let error = |format, size, bytes: &[u8]| decode(format, size, bytes).unwrap_err();
        assert_eq!(error(RawFormat::Yuyv, (4, 2), &[0; 15]), "a yuyv picture of 4x2: expected 16 bytes, got 15");
        assert_eq!(error(RawFormat::Yuyv, (3, 2), &[0; 12]), "a yuyv picture: expected an even width, got 3x2");
        assert_eq!(error(RawFormat::Rgb8, (0, 2), &[]), "the picture: expected at least one pixel, got 0x2");
        assert_eq!(
            error(RawFormat::Png, (usize::MAX, usize::MAX), &[]),
            format!(
                "the picture: expected sides of at most 16384 and at most 33554432 pixels, got {0}x{0}",
                usize::MAX
            )
        );
    }
}
