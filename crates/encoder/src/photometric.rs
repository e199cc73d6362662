//! Random changes of how pictures are lit and coloured.

use serde::{Deserialize, Serialize};
use turnkey_core::Rng;

/// By how much pictures change at most; 0 leaves them as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Photometric {
    /// Added to every colour, as a share of white: 0 to 1.
    pub brightness: f64,
    /// Factor on the distance from mid-grey, less 1: 0 to below 1.
    pub contrast: f64,
    /// Factor on red, green and blue, each its own, less 1: 0 to below 1.
    pub colour: f64,
}

/// A change that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("photometric.{key}: expected 0 to 1, got {actual}")]
pub struct PhotometricError {
    /// The key.
    pub key: &'static str,
    /// What it is.
    pub actual: f64,
}

impl Photometric {
    /// Checks every value.
    ///
    /// # Errors
    /// Names the first that isn't within 0 to 1.
    pub fn validate(&self) -> Result<(), PhotometricError> {
        let all = [("brightness", self.brightness), ("contrast", self.contrast), ("colour", self.colour)];
        match all.into_iter().find(|(_, value)| !(0.0..=1.0).contains(value)) {
            Some((key, actual)) => Err(PhotometricError { key, actual }),
            None => Ok(()),
        }
    }

    /// Changes each picture of `bytes` bytes in its own way; all frames of a stack, red, green, blue each, alike.
    /// Draws five numbers a picture, or none where nothing is to change.
    ///
    /// # Panics
    /// When `pictures` are no whole number of pictures, or these no whole number of coloured pixels.
    pub fn apply(&self, pictures: &mut [u8], bytes: usize, rng: &mut Rng) {
        if *self == Self::default() {
            return;
        }
        assert!(bytes > 0 && bytes.is_multiple_of(3) && pictures.len().is_multiple_of(bytes), "whole pictures");
        for picture in pictures.chunks_exact_mut(bytes) {
            let tables = self.tables(rng);
            for pixel in picture.chunks_exact_mut(3) {
                pixel.iter_mut().zip(&tables).for_each(|(byte, table)| *byte = table[usize::from(*byte)]);
            }
        }
    }

    /// What becomes of every value of red, green and blue.
    fn tables(&self, rng: &mut Rng) -> [[u8; 256]; 3] {
        let brightness = 255.0 * rng.uniform(-1.0, 1.0) * self.brightness;
        let contrast = 1.0 + rng.uniform(-1.0, 1.0) * self.contrast;
        let gains = [(); 3].map(|()| 1.0 + rng.uniform(-1.0, 1.0) * self.colour);
        let changed = |gain: f64, value: usize| (value as f64 * gain - 127.5) * contrast + 127.5 + brightness;
        // The conversion keeps within 0 and 255 by itself.
        gains.map(|gain| std::array::from_fn(|value| changed(gain, value).round() as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_changes_where_nothing_is_asked_for() {
        let (mut pictures, mut rng) = ([1, 2, 3, 4, 5, 6], Rng::new(1, "photometric"));
        Photometric::default().apply(&mut pictures, 3, &mut rng);
        assert_eq!((pictures, rng), ([1, 2, 3, 4, 5, 6], Rng::new(1, "photometric")));
    }

    #[test]
    fn brightness_moves_all_colours_alike_and_each_picture_by_its_own_amount() {
        let mut pictures = [100; 60];
        let change = Photometric { brightness: 0.2, ..Photometric::default() };
        change.apply(&mut pictures, 6, &mut Rng::new(1, "photometric"));
        let first: Vec<u8> = pictures.chunks(6).map(|picture| picture[0]).collect();
        assert!(pictures.chunks(6).all(|picture| picture.iter().all(|byte| *byte == picture[0])));
        assert!(first.iter().all(|byte| (49..=151).contains(byte)) && first.windows(2).any(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn contrast_leaves_grey_and_colour_leaves_black() {
        let (mut grey, mut black) = ([127, 128, 127], [0; 300]);
        let mut rng = Rng::new(1, "photometric");
        Photometric { contrast: 0.9, ..Photometric::default() }.apply(&mut grey, 3, &mut rng);
        assert!(grey.iter().all(|byte| (126..=129).contains(byte)), "{grey:?}");
        Photometric { colour: 0.9, ..Photometric::default() }.apply(&mut black, 3, &mut rng);
        assert_eq!(black, [0; 300]);
    }

    #[test]
    fn a_strength_out_of_range_is_named() {
        let error = Photometric { contrast: f64::NAN, ..Photometric::default() }.validate().unwrap_err();
        assert_eq!(error.key, "contrast");
        assert!(Photometric { brightness: 1.0, contrast: 0.5, colour: 0.0 }.validate().is_ok());
    }
}
