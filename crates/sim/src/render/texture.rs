//! What covers surfaces and the background, looked up at one place.

use turnkey_core::{Frame, Rng, Texture};

type Color = [f32; 3];

/// Sides of the square of random numbers that a noise repeats after.
const LATTICE: usize = 64;

/// A texture, made ready for being looked up.
#[derive(Clone, Debug)]
pub(super) enum Cover {
    Plain(Color),
    Checker { colors: [Color; 2], per_period: f32 },
    Noise { colors: [Color; 2], per_period: f32, lattice: Vec<f32> },
    Picture(Frame),
}

impl Cover {
    pub(super) fn new(texture: &Texture) -> Self {
        match *texture {
            Texture::Plain(color) => Self::Plain(color),
            Texture::Checker { colors, period } => Self::Checker { colors, per_period: 1.0 / period },
            Texture::Noise { colors, period, seed } => {
                let mut rng = Rng::new(seed, "texture");
                let lattice = (0..LATTICE * LATTICE).map(|_| rng.uniform(0.0, 1.0) as f32).collect();
                Self::Noise { colors, per_period: 1.0 / period, lattice }
            }
            Texture::Picture(ref frame) => Self::Picture(frame.clone()),
        }
    }

    /// The colour at `u` to the right and `v` upwards, in metres, or in heights of the picture.
    pub(super) fn at(&self, u: f32, v: f32) -> Color {
        match self {
            Self::Plain(color) => *color,
            Self::Checker { colors, per_period } => {
                let square = |x: f32| floor(x * per_period);
                colors[((square(u) ^ square(v)) & 1) as usize]
            }
            Self::Noise { colors: [a, b], per_period, lattice } => {
                let part = noise(lattice, u * per_period, v * per_period);
                std::array::from_fn(|channel| a[channel] + part * (b[channel] - a[channel]))
            }
            Self::Picture(frame) => pixel(frame, fraction(u), 1.0 - fraction(v)),
        }
    }

    /// The background's colour at a place in the picture, as parts of its width from the left and of its
    /// height from the top.
    pub(super) fn behind(&self, across: f32, down: f32, width_by_height: f32) -> Color {
        match self {
            Self::Picture(frame) => pixel(frame, across, down),
            other => other.at(across * width_by_height, 1.0 - down),
        }
    }
}

/// The largest whole number up to `x`; without the call that `f32::floor` is on processors before SSE4.
fn floor(x: f32) -> i32 {
    let whole = x as i32;
    whole - i32::from(whole as f32 > x)
}

fn fraction(x: f32) -> f32 {
    x - floor(x) as f32
}

/// The pixel that covers a place, 0 to 1 from the left and from the top; black in a picture without any.
fn pixel(frame: &Frame, across: f32, down: f32) -> Color {
    let size = frame.size();
    let index = |part: f32, count: usize| ((part * count as f32) as usize).min(count.saturating_sub(1));
    let start = 3 * (index(down, size.height) * size.width + index(across, size.width));
    let bytes = frame.pixels().get(start..start + 3).unwrap_or(&[0; 3]);
    std::array::from_fn(|channel| f32::from(bytes[channel]) / 255.0)
}

/// Random numbers on whole coordinates, with a smooth way from one to the next; 0 to 1.
fn noise(lattice: &[f32], u: f32, v: f32) -> f32 {
    let (column, row) = (floor(u), floor(v));
    let at = |right: i32, up: i32| {
        let wrapped = |index: i32| index.rem_euclid(LATTICE as i32) as usize;
        lattice[wrapped(row.wrapping_add(up)) * LATTICE + wrapped(column.wrapping_add(right))]
    };
    let ease = |part: f32| part * part * (3.0 - 2.0 * part);
    let (right, up) = (ease(u - column as f32), ease(v - row as f32));
    let lower = at(0, 0) + right * (at(1, 0) - at(0, 0));
    let upper = at(0, 1) + right * (at(1, 1) - at(0, 1));
    lower + up * (upper - lower)
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::{FrameSize, Stamp};

    #[test]
    fn a_checker_changes_colour_at_every_period_on_both_sides_of_zero() {
        let cover = Cover::new(&Texture::Checker { colors: [[0.0; 3], [1.0; 3]], period: 0.5 });
        let row = |v: f32| [-0.75, -0.25, 0.25, 0.75].map(|u| cover.at(u, v)[0]);
        assert_eq!(row(0.25), [0.0, 1.0, 0.0, 1.0]);
        assert_eq!(row(-0.25), [1.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn noise_is_smooth_stays_between_its_colours_and_differs_by_seed() {
        let cover = |seed| Cover::new(&Texture::Noise { colors: [[0.2; 3], [0.6; 3]], period: 0.1, seed });
        let (one, other) = (cover(1), cover(2));
        let row = |cover: &Cover| (0..400).map(|k| cover.at(-2.0 + 0.01 * k as f32, 0.3)[0]).collect::<Vec<_>>();
        let values = row(&one);
        assert!(values.iter().all(|value| (0.2..=0.6).contains(value)));
        assert!(values.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.08));
        assert_ne!(values, row(&other));
    }

    #[test]
    fn a_picture_lies_once_a_metre_with_its_first_row_on_top() {
        let size = FrameSize { width: 1, height: 2 };
        let frame = Frame::new(Stamp::default(), size, vec![255, 0, 0, 0, 0, 255]).unwrap();
        let cover = Cover::new(&Texture::Picture(frame));
        assert_eq!([cover.at(0.5, 0.75), cover.at(0.5, -0.75)], [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]);
        assert_eq!(cover.behind(0.5, 0.9, 1.0), [0.0, 0.0, 1.0]);
    }
}
