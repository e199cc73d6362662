//! Random shifts of pictures (DrQ, arXiv:2004.13649, Section 3.1): the augmentation that lets a critic learn from
//! pixels at all.

use turnkey_core::{FrameSize, Rng};

/// Pictures channels-last: their size and channels.
type Dims = (FrameSize, usize);

/// Shifts each picture of `from`, `[batch, height, width, channels]`, into the same place of `to`, by up to `pad`
/// pixels up or down and left or right, all equally likely; pixels that come in from outside repeat the edge's. The
/// same as padding by `pad` with the edge and cropping at random. Without `pad` it copies, and draws nothing.
///
/// # Panics
/// When `from` and `to` differ in length, or are no whole number of pictures.
pub fn random_shift_into(from: &[u8], to: &mut [u8], size: FrameSize, channels: usize, pad: usize, rng: &mut Rng) {
    assert_eq!(from.len(), to.len(), "pictures before and after a shift");
    if pad == 0 {
        to.copy_from_slice(from);
        return;
    }
    let bytes = picture_bytes(from, (size, channels));
    for (from, to) in from.chunks_exact(bytes).zip(to.chunks_exact_mut(bytes)) {
        shift(from, to, (size, channels), draw(pad, rng));
    }
}

/// The same in place.
///
/// # Panics
/// When `pictures` are no whole number of pictures.
pub fn random_shift(pictures: &mut [u8], size: FrameSize, channels: usize, pad: usize, rng: &mut Rng) {
    if pad == 0 {
        return;
    }
    let bytes = picture_bytes(pictures, (size, channels));
    let mut before = vec![0; bytes];
    for picture in pictures.chunks_exact_mut(bytes) {
        before.copy_from_slice(picture);
        shift(&before, picture, (size, channels), draw(pad, rng));
    }
}

fn picture_bytes(pictures: &[u8], (size, channels): Dims) -> usize {
    let bytes = size.width * size.height * channels;
    assert!(bytes > 0 && pictures.len().is_multiple_of(bytes), "whole pictures of {size} with {channels} channels");
    bytes
}

/// Rows and columns to shift by, each -pad to pad.
fn draw(pad: usize, rng: &mut Rng) -> [isize; 2] {
    [(); 2].map(|()| rng.below(2 * pad + 1) as isize - pad as isize)
}

/// One picture: `to[y][x] = from[y + down][x + right]`, or the nearest pixel that there is.
fn shift(from: &[u8], to: &mut [u8], (size, channels): Dims, [down, right]: [isize; 2]) {
    let line = size.width * channels;
    // What moves in from outside is all of the width at most.
    let outside = right.unsigned_abs().min(size.width) * channels;
    for (y, to) in to.chunks_exact_mut(line).enumerate() {
        let row = (y as isize + down).clamp(0, size.height as isize - 1) as usize;
        let from = &from[row * line..(row + 1) * line];
        let (edge, kept) = if right < 0 { to.split_at_mut(outside) } else { flipped(to.split_at_mut(line - outside)) };
        let (first, pixel) = if right < 0 { (0, &from[..channels]) } else { (outside, &from[line - channels..]) };
        kept.copy_from_slice(&from[first..first + line - outside]);
        edge.chunks_exact_mut(channels).for_each(|to| to.copy_from_slice(pixel));
    }
}

fn flipped<T>((a, b): (T, T)) -> (T, T) {
    (b, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pads with the edge, then crops at `[down + pad, right + pad]`, pixel by pixel.
    fn padded_and_cropped(from: &[u8], (size, channels): Dims, [down, right]: [isize; 2]) -> Vec<u8> {
        let pad = 9;
        let inside = |at: usize, length: usize| (at as isize - pad).clamp(0, length as isize - 1) as usize;
        let padded = |y: usize, x: usize, channel: usize| {
            from[(inside(y, size.height) * size.width + inside(x, size.width)) * channels + channel]
        };
        let crop = |y: usize, x: usize, channel: usize| {
            padded((y as isize + down + pad) as usize, (x as isize + right + pad) as usize, channel)
        };
        let places = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (y, x)));
        places.flat_map(|(y, x)| (0..channels).map(move |channel| crop(y, x, channel))).collect()
    }

    #[test]
    fn a_shifted_picture_repeats_its_edge() {
        let size = FrameSize { width: 3, height: 2 };
        let mut to = [0; 6];
        shift(&[1, 2, 3, 4, 5, 6], &mut to, (size, 1), [0, 1]);
        assert_eq!(to, [2, 3, 3, 5, 6, 6]);
        shift(&[1, 2, 3, 4, 5, 6], &mut to, (size, 1), [1, -2]);
        assert_eq!(to, [4, 4, 4, 4, 4, 4]);
        shift(&[1, 2, 3, 4, 5, 6], &mut to, (size, 1), [-1, 0]);
        assert_eq!(to, [1, 2, 3, 1, 2, 3]);
    }

    #[test]
    fn every_shift_is_that_of_padding_and_cropping_pixel_by_pixel() {
        let dims = (FrameSize { width: 5, height: 4 }, 3);
        let from: Vec<u8> = (0..60).map(|i| i * 4 + 1).collect();
        for (down, right) in (-7..=7).flat_map(|down| (-7..=7).map(move |right| (down, right))) {
            let mut to = vec![0; 60];
            shift(&from, &mut to, dims, [down, right]);
            assert_eq!(to, padded_and_cropped(&from, dims, [down, right]), "{down} {right}");
        }
    }

    #[test]
    fn each_picture_of_a_batch_has_a_shift_of_its_own_and_the_same_in_place() {
        let (size, pad) = (FrameSize { width: 8, height: 8 }, 2);
        // Each pixel says where it was, so that the middle tells the shift.
        let picture: Vec<u8> = (0..64).collect();
        let (from, mut to) = (picture.repeat(500), vec![0; 64 * 500]);
        random_shift_into(&from, &mut to, size, 1, pad, &mut Rng::new(1, "shift"));
        let shifts: std::collections::BTreeSet<u8> = to.chunks(64).map(|to| to[3 * 8 + 3]).collect();
        let all = (1..=5).flat_map(|y| (1..=5).map(move |x| y * 8 + x)).collect();
        assert_eq!(shifts, all, "all 25 shifts come up, and none beyond them");
        let mut same = from;
        random_shift(&mut same, size, 1, pad, &mut Rng::new(1, "shift"));
        assert!(same == to);
    }

    #[test]
    fn without_padding_nothing_changes_and_nothing_is_drawn() {
        let (from, mut to, mut rng) = ([1, 2, 3, 4], [0; 4], Rng::new(1, "shift"));
        random_shift_into(&from, &mut to, FrameSize { width: 2, height: 2 }, 1, 0, &mut rng);
        random_shift(&mut to, FrameSize { width: 2, height: 2 }, 1, 0, &mut rng);
        assert_eq!((from, rng), (to, Rng::new(1, "shift")));
    }
}
