//! PNG files.

use crate::{PictureError, RawFormat, format::check_size};
use image::codecs::png::{PngDecoder, PngEncoder};
use image::error::ImageError;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, Limits};
use std::io::Cursor;
use turnkey_core::{Frame, FrameSize};

/// A frame as a PNG file.
///
/// # Errors
/// When the frame has no pixels, or more than a picture may have.
pub fn png_from_frame(frame: &Frame) -> Result<Vec<u8>, PictureError> {
    let size = frame.size();
    check_size("the frame", size)?;
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new(&mut bytes);
    encoder
        .write_image(frame.pixels(), size.width as u32, size.height as u32, ExtendedColorType::Rgb8)
        .map_err(|error| unreadable(error.to_string()))?;
    Ok(bytes)
}

/// Puts the pixels of a PNG file of `size` into `pixels`, `[height, width, 3]`.
pub(crate) fn decode(bytes: &[u8], size: FrameSize, pixels: &mut Vec<u8>) -> Result<(), PictureError> {
    let wrong = |error: ImageError| match truncated(&error) {
        true => PictureError::Truncated { format: RawFormat::Png, expected: "all of its chunks", found: bytes.len() },
        false => unreadable(error.to_string()),
    };
    // Chunks beside the picture may not take more memory than the picture at its deepest: 16 bits of four channels.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(8 * (size.width * size.height) as u64 + (1 << 16));
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits).map_err(wrong)?;
    let (width, height) = decoder.dimensions();
    let found = FrameSize { width: width as usize, height: height as usize };
    if found != size {
        return Err(PictureError::OtherSize { format: RawFormat::Png, announced: size, found });
    }
    *pixels = DynamicImage::from_decoder(decoder).map_err(wrong)?.into_rgb8().into_raw();
    Ok(())
}

fn unreadable(found: String) -> PictureError {
    PictureError::Corrupt { format: RawFormat::Png, expected: "a PNG file", found }
}

/// Whether the decoder came to the end of the data before the end of the picture.
fn truncated(error: &ImageError) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::UnexpectedEof) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    const SIZE: FrameSize = FrameSize { width: 20, height: 12 };

    fn decoded(bytes: &[u8], size: FrameSize) -> Result<Vec<u8>, PictureError> {
        let mut pixels = vec![1, 2, 3];
        decode(bytes, size, &mut pixels).map(|()| pixels)
    }

    #[test]
    fn a_frame_comes_back_from_its_png() {
        let frame = sample(SIZE);
        assert_eq!(decoded(&png_from_frame(&frame).unwrap(), SIZE).unwrap(), frame.pixels());
    }

    #[test]
    fn grey_transparent_and_deep_pngs_are_read_as_rgb() {
        for (color, bytes, rgb) in [
            (ExtendedColorType::L8, vec![9, 200], [9, 9, 9, 200, 200, 200]),
            (ExtendedColorType::Rgba8, vec![1, 2, 3, 0, 4, 5, 6, 255], [1, 2, 3, 4, 5, 6]),
            (ExtendedColorType::L16, vec![0, 128, 255, 255], [128, 128, 128, 255, 255, 255]),
        ] {
            let mut file = Vec::new();
            PngEncoder::new(&mut file).write_image(&bytes, 2, 1, color).unwrap();
            let size = FrameSize { width: 2, height: 1 };
            // Sixteen bits are in the machine's order, so that a half may be either of two levels.
            let got = decoded(&file, size).unwrap();
            assert!(got == rgb || color == ExtendedColorType::L16 && got[3..] == rgb[3..], "{color:?}: {got:?}");
        }
    }

    #[test]
    fn a_png_cut_anywhere_is_refused() {
        let bytes = png_from_frame(&sample(SIZE)).unwrap();
        // The last twelve bytes are a chunk that says no more than that the file ends.
        for cut in 0..bytes.len() - 12 {
            let error = decoded(&bytes[..cut], SIZE).unwrap_err();
            assert!(matches!(error, PictureError::Truncated { .. } | PictureError::Corrupt { .. }), "{cut}: {error}");
        }
    }

    #[test]
    fn a_png_of_another_size_and_one_that_claims_to_be_huge_are_refused() {
        let mut bytes = png_from_frame(&sample(SIZE)).unwrap();
        let error = decoded(&bytes, FrameSize { width: 12, height: 20 }).unwrap_err();
        assert_eq!(error.to_string(), "a png picture: expected 12x20 as announced, got 20x12");
        bytes[16..20].copy_from_slice(&0x7fff_ffff_u32.to_be_bytes());
        assert!(decoded(&bytes, SIZE).is_err());
    }
}
