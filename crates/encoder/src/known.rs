//! Encoders and numbers that the tests share.

use crate::{Convolution, EncoderConfig, EncoderName, EncoderShape, first_parameters};
use turnkey_core::{FrameSize, Rng};

/// Normal numbers, the same for the same purpose.
pub(crate) fn draw(purpose: &str, count: usize) -> Vec<f32> {
    let mut out = vec![0.0; count];
    Rng::new(1, purpose).fill_normal(&mut out);
    out
}

/// Parameters near the first ones, with none at 0 or 1.
pub(crate) fn theta(shape: &EncoderShape) -> Vec<f32> {
    let first = first_parameters(shape, &mut Rng::new(2, "first"));
    first.iter().zip(draw("moved", first.len())).map(|(first, moved)| first + 0.05 * moved).collect()
}

/// The presets, small, and a shape with every size unlike the others.
pub(crate) fn shapes() -> Vec<(&'static str, EncoderShape)> {
    let named = |name: EncoderName, width, height, channels| {
        let size = FrameSize { width, height };
        EncoderShape::new(size, channels, name.config(size)).unwrap()
    };
    let odd = [Convolution { pool: 2, ..Convolution::new(20, 4, 2) }, Convolution::new(7, 2, 1)];
    let config = EncoderConfig { convolutions: odd.to_vec(), features: Some(9) };
    let bare =
        EncoderConfig { convolutions: vec![Convolution { pool: 3, ..Convolution::new(33, 5, 3) }], features: None };
    vec![
        ("fast", named(EncoderName::Fast, 48, 44, 9)),
        ("fast, few pixels", named(EncoderName::Fast, 32, 32, 3)),
        ("drq", named(EncoderName::Drq, 20, 18, 3)),
        ("paper", named(EncoderName::Paper, 32, 32, 3)),
        ("odd", EncoderShape::new(FrameSize { width: 21, height: 17 }, 2, config).unwrap()),
        ("bare", EncoderShape::new(FrameSize { width: 24, height: 19 }, 1, bare).unwrap()),
    ]
}
