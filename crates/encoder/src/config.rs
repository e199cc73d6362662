//! What an encoder is made of.

use serde::{Deserialize, Serialize};
use turnkey_core::FrameSize;

/// One convolution without padding, a ReLU after it, and perhaps max-pooling after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convolution {
    /// Channels out.
    pub filters: usize,
    /// Side of the square that a filter sees.
    pub kernel: usize,
    /// Pixels from one place of the square to the next.
    pub stride: usize,
    /// Side, and stride, of the squares whose maximum is taken afterwards; 1 for no pooling.
    #[serde(default = "one")]
    pub pool: usize,
}

fn one() -> usize {
    1
}

impl Convolution {
    /// A convolution without pooling.
    #[must_use]
    pub const fn new(filters: usize, kernel: usize, stride: usize) -> Self {
        Self { filters, kernel, stride, pool: 1 }
    }
}

/// The layers of an encoder, whatever the size of its pictures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// Convolutions, first to last; at least one.
    pub convolutions: Vec<Convolution>,
    /// Numbers out of a linear map of the last convolution's output, which layer normalisation and tanh
    /// follow. Without it that output itself is what the encoder gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<usize>,
}

/// Encoders with a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncoderName {
    /// What a processor without accelerator can train: wide strides first, 50 features.
    #[default]
    Fast,
    /// That of SAC-AE and DrQ (arXiv:2004.13649, Appendix B): four convolutions of 32 filters, 50 features.
    Drq,
    /// That of the paper's experiment in pixels (arXiv:1812.05905): two convolutions of four filters, each with
    /// pooling of 2, as the published code has it (the text says 3), and no linear map.
    Paper,
}

impl EncoderName {
    /// Every name.
    pub const ALL: [Self; 3] = [Self::Fast, Self::Drq, Self::Paper];

    /// The layers for pictures of this size. Only [`EncoderName::Fast`] looks at it: its first stride is 4
    /// from 44 pixels on, and 3 below.
    #[must_use]
    pub fn config(self, size: FrameSize) -> EncoderConfig {
        let (convolutions, features) = match self {
            Self::Fast => {
                let first = if size.width.min(size.height) < 44 { 3 } else { 4 };
                let rest = [Convolution::new(32, 3, 2), Convolution::new(32, 3, 1)];
                ([&[Convolution::new(16, 4, first)][..], &rest].concat(), Some(50))
            }
            Self::Drq => ([2, 1, 1, 1].map(|stride| Convolution::new(32, 3, stride)).to_vec(), Some(50)),
            Self::Paper => (vec![Convolution { pool: 2, ..Convolution::new(4, 3, 1) }; 2], None),
        };
        EncoderConfig { convolutions, features }
    }
}
