//! JPEG files, and the pictures of MJPEG streams.

mod known;
mod markers;
mod scan;

use crate::{PictureError, RawFormat, format::check_size};
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use turnkey_core::{Frame, FrameSize};
use zune_jpeg::zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};

/// A frame as a JPEG file of `quality` 1 to 100 on libjpeg's scale (beyond it, the nearest of these), without chroma
/// subsampling.
///
/// # Errors
/// When the frame has no pixels, or more than a picture may have.
pub fn jpeg_from_frame(frame: &Frame, quality: u8) -> Result<Vec<u8>, PictureError> {
    let size = frame.size();
    check_size("the frame", size)?;
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality.clamp(1, 100))
        .encode(frame.pixels(), size.width as u32, size.height as u32, ExtendedColorType::Rgb8)
        .map_err(|error| corrupt("a picture that can be a JPEG", error))?;
    Ok(bytes)
}

/// Puts the pixels of a JPEG file of `size` into `pixels`, `[height, width, 3]`.
///
/// The decoder fills up what is missing of a scan, even where it is told to be strict, so that a camera's cable that lost
/// half of a picture would show the valve of a second ago. Hence the data are read once before it: [`markers::check`]. JPEG
/// has no checksum: damage after which the right number of blocks is there isn't noticed.
pub(crate) fn decode(bytes: &[u8], size: FrameSize, pixels: &mut Vec<u8>) -> Result<(), PictureError> {
    let end = markers::check(bytes, size)?;
    let options = DecoderOptions::new_fast()
        .set_strict_mode(true)
        .set_max_width(size.width)
        .set_max_height(size.height)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    pixels.resize(size.bytes(), 0);
    zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(&bytes[..end]), options)
        .decode_into(pixels)
        .map_err(|error| corrupt("a whole JPEG file", error))
}

fn corrupt(expected: &'static str, found: impl ToString) -> PictureError {
    PictureError::Corrupt { format: RawFormat::Jpeg, expected, found: found.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    const SIZE: FrameSize = FrameSize { width: 37, height: 21 };

    fn decoded(bytes: &[u8], size: FrameSize) -> Result<Vec<u8>, PictureError> {
        let mut pixels = vec![1, 2, 3];
        decode(bytes, size, &mut pixels).map(|()| pixels)
    }

    #[test]
    fn a_frame_comes_back_from_its_jpeg_nearly_as_it_was() {
        let frame = sample(SIZE);
        let pixels = decoded(&jpeg_from_frame(&frame, 98).unwrap(), SIZE).unwrap();
        let error: u32 = pixels.iter().zip(frame.pixels()).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        assert!(error < 3 * pixels.len() as u32, "{error}");
    }

    /// A picture of a stream as many cameras send it: without the tables that everybody knows.
    fn without_tables(jpeg: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 16];
        bytes.extend(b"AVI1\0\0\0\0\0\0\0\0\0\0");
        let mut at = 2;
        loop {
            let marker = jpeg[at + 1];
            let length = 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            if !matches!(marker, 0xe0 | 0xc4) {
                bytes.extend(&jpeg[at..at + length]);
            }
            at += length;
            if marker == 0xda {
                bytes.extend(&jpeg[at..]);
                return bytes;
            }
        }
    }

    #[test]
    fn a_picture_without_tables_is_the_same_and_missing_data_are_found_in_it_too() {
        let whole = jpeg_from_frame(&sample(SIZE), 80).unwrap();
        let bare = without_tables(&whole);
        assert!(bare.len() + 300 < whole.len());
        assert_eq!(decoded(&bare, SIZE).unwrap(), decoded(&whole, SIZE).unwrap());
        for missing in [2, 20, 200] {
            let mut cut = bare[..bare.len() - 2 - missing].to_vec();
            cut.extend([0xff, 0xd9]);
            assert!(decoded(&cut, SIZE).is_err(), "{missing} bytes are missing");
        }
    }

    #[test]
    fn a_jpeg_cut_anywhere_is_refused() {
        let bytes = jpeg_from_frame(&sample(SIZE), 80).unwrap();
        for cut in 0..bytes.len() {
            let error = decoded(&bytes[..cut], SIZE).unwrap_err();
            assert!(matches!(error, PictureError::Truncated { .. }), "{cut}: {error}");
        }
    }

    #[test]
    fn a_jpeg_that_lost_data_before_its_end_marker_is_refused() {
        let bytes = jpeg_from_frame(&sample(SIZE), 80).unwrap();
        let tables = jpeg_from_frame(&sample(FrameSize { width: 1, height: 1 }), 80).unwrap().len();
        for missing in 1..bytes.len() - tables {
            let mut cut = bytes[..bytes.len() - 2 - missing].to_vec();
            cut.extend([0xff, 0xd9]);
            let error = decoded(&cut, SIZE).expect_err("data are missing");
            assert!(matches!(error, PictureError::Corrupt { .. }), "{missing} bytes are missing: {error}");
        }
    }

    #[test]
    fn padding_behind_a_jpeg_and_before_its_end_marker_changes_nothing() {
        let mut bytes = jpeg_from_frame(&sample(SIZE), 80).unwrap();
        let pixels = decoded(&bytes, SIZE).unwrap();
        bytes.extend([0; 100]);
        assert_eq!(decoded(&bytes, SIZE).unwrap(), pixels);
        let end = bytes.len() - 102;
        bytes.splice(end..end, [0, 0, 0xff]);
        assert_eq!(decoded(&bytes, SIZE).unwrap(), pixels);
    }

    #[test]
    fn a_jpeg_of_another_size_than_announced_is_refused() {
        let bytes = jpeg_from_frame(&sample(SIZE), 80).unwrap();
        let error = decoded(&bytes, FrameSize { width: 640, height: 480 }).unwrap_err();
        assert_eq!(error.to_string(), "a jpeg picture: expected 640x480 as announced, got 37x21");
    }

    #[test]
    fn what_is_no_jpeg_says_what_it_is() {
        let error = decoded(b"\x89PNG\r\n", SIZE).unwrap_err();
        assert_eq!(error.to_string(), "a jpeg picture: expected a marker, got 89 at byte 0");
    }
}
