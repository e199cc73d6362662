//! Smaller and larger pictures.

use crate::PictureError;
use serde::{Deserialize, Serialize};
use turnkey_core::FrameSize;

/// A rectangle of a picture, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crop {
    /// Pixels left out on the left.
    pub left: usize,
    /// Rows left out at the top.
    pub top: usize,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Crop {
    /// All of a picture.
    #[must_use]
    pub fn whole(size: FrameSize) -> Self {
        Self { left: 0, top: 0, width: size.width, height: size.height }
    }

    /// Expects the rectangle to be within a picture of this size.
    pub(crate) fn check_within(&self, source_size: FrameSize) -> Result<(), PictureError> {
        let ends = |start: usize, length: usize, end: usize| start.checked_add(length).is_some_and(|sum| sum <= end);
        match ends(self.left, self.width, source_size.width) && ends(self.top, self.height, source_size.height) {
            true => Ok(()),
            false => Err(PictureError::CropOutside { crop: *self, source_size }),
        }
    }
}

/// A part of one source pixel that an output pixel covers, along one side.
#[derive(Clone, Copy)]
struct Share {
    output: usize,
    source: usize,
    /// In units that make a source pixel as long as there are output pixels.
    weight: u32,
}

/// The shares of every output pixel along a side. On a ruler of `source * output` marks a source pixel takes `output` of
/// them and an output pixel `source`, so that every share is a whole number and an output pixel's shares are `source`
/// together.
fn shares(source: usize, output: usize) -> Vec<Share> {
    let mut shares = Vec::with_capacity(source + output);
    let (mut i, mut o, mut mark) = (0, 0, 0);
    while o < output {
        let next = ((i + 1) * output).min((o + 1) * source);
        shares.push(Share { output: o, source: i, weight: (next - mark) as u32 });
        mark = next;
        i += usize::from(mark == (i + 1) * output);
        o += usize::from(mark == (o + 1) * source);
    }
    shares
}

/// The `crop` of a picture of `width` pixels a row, brought to `output`: every output pixel is the exact mean of the
/// area that it covers, rounded to the nearest level, whatever the ratio of the sizes, which needn't be the same along
/// both sides. Larger than the crop, pixels are repeated, and mixed where an output pixel lies over two; nothing is
/// invented between them.
pub(crate) fn area(pixels: &[u8], width: usize, crop: Crop, output: FrameSize) -> Vec<u8> {
    let columns = shares(crop.width, output.width);
    let mut sums = vec![0_u64; output.bytes()];
    let mut row_sums = vec![0_u32; 3 * output.width];
    let mut summed = None;
    for row in shares(crop.height, output.height) {
        if summed != Some(row.source) {
            let start = 3 * ((crop.top + row.source) * width + crop.left);
            sum_row(&pixels[start..start + 3 * crop.width], &columns, &mut row_sums);
            summed = Some(row.source);
        }
        let into = &mut sums[3 * output.width * row.output..][..3 * output.width];
        for (sum, add) in into.iter_mut().zip(&row_sums) {
            *sum += u64::from(row.weight) * u64::from(*add);
        }
    }
    let area = (crop.width * crop.height) as u64;
    sums.into_iter().map(|sum| ((sum + area / 2) / area) as u8).collect()
}

fn sum_row(row: &[u8], columns: &[Share], sums: &mut [u32]) {
    sums.fill(0);
    for Share { output, source, weight } in columns {
        for channel in 0..3 {
            sums[3 * output + channel] += weight * u32::from(row[3 * source + channel]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: usize, height: usize) -> FrameSize {
        FrameSize { width, height }
    }

    fn grey(pixels: &[u8], from: FrameSize, crop: Crop, to: FrameSize) -> Vec<u8> {
        let rgb: Vec<u8> = pixels.iter().flat_map(|level| [*level; 3]).collect();
        area(&rgb, from.width, crop, to).chunks(3).map(|pixel| pixel[1]).collect()
    }

    #[test]
    fn three_pixels_become_two_by_their_areas() {
        // The first covers all of 10 and half of 40, the second the other half and all of 100.
        let whole = Crop::whole(size(3, 1));
        assert_eq!(grey(&[10, 40, 100], size(3, 1), whole, size(2, 1)), [20, 80]);
    }

    #[test]
    fn a_picture_of_its_own_size_is_itself_and_a_larger_one_repeats_pixels() {
        let whole = Crop::whole(size(2, 2));
        assert_eq!(grey(&[1, 2, 3, 4], size(2, 2), whole, size(2, 2)), [1, 2, 3, 4]);
        assert_eq!(grey(&[1, 2, 3, 4], size(2, 2), whole, size(4, 2)), [1, 1, 2, 2, 3, 3, 4, 4]);
        assert_eq!(grey(&[0, 90], size(2, 1), Crop::whole(size(2, 1)), size(3, 1)), [0, 45, 90]);
    }

    #[test]
    fn only_the_crop_is_seen() {
        let crop = Crop { left: 1, top: 1, width: 2, height: 1 };
        assert_eq!(grey(&[9, 9, 9, 9, 5, 7, 9, 9, 9], size(3, 3), crop, size(1, 1)), [6]);
    }

    #[test]
    fn white_stays_white_at_the_largest_sides() {
        let crop = Crop { left: 0, top: 0, width: crate::MAX_SIDE, height: 1 };
        let white = vec![255; 3 * crate::MAX_SIDE];
        for width in [1, 7, crate::MAX_SIDE - 1] {
            assert!(area(&white, crate::MAX_SIDE, crop, size(width, 1)).iter().all(|level| *level == 255));
        }
    }
}
