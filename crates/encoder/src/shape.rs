//! What an encoder is made of, and where its parameters lie in one flat vector.

use serde::{Deserialize, Serialize};
use std::ops::Range;
use turnkey_core::{PictureShape, Rng};

/// The encoders there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncoderName {
    /// The default: 16 filters of 4x4 side by side, then 32 of 3x3 in strides of 2; then 50 features, normalised, tanh.
    /// Sized for pictures of 32 to 64 pixels on a CPU.
    #[default]
    Fast,
    /// The paper's (arXiv:1812.05905, section 7.3): two layers of four 3x3 filters, each with 2x2 max-pooling as in the
    /// authors' code (the text says 3x3). Its numbers go to the networks as they are.
    Paper,
    /// DrQ's (arXiv:2004.13649): four layers of 32 3x3 filters, the first in strides of 2; then 50 features, normalised,
    /// tanh.
    Drq,
}

/// One convolution without padding, and the ReLU and max-pooling after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Rows and columns in.
    pub input: [usize; 2],
    /// Channels in.
    pub channels: usize,
    /// Channels out.
    pub filters: usize,
    /// Sides of the square that a filter covers.
    pub kernel: usize,
    /// Pixels from one place of a filter to the next.
    pub stride: usize,
    /// Sides of the squares of which the largest number is kept; 1 keeps all.
    pub pool: usize,
    /// `[kernel * kernel * channels, filters]`, rows in the order y, x, channel.
    pub weight: Range<usize>,
    /// `[filters]`.
    pub bias: Range<usize>,
}

impl Conv {
    /// Rows and columns before pooling.
    #[must_use]
    pub fn convolved(&self) -> [usize; 2] {
        self.input.map(|side| (side - self.kernel) / self.stride + 1)
    }

    /// Rows and columns out.
    #[must_use]
    pub fn output(&self) -> [usize; 2] {
        self.convolved().map(|side| side / self.pool)
    }

    /// Numbers that a filter covers.
    #[must_use]
    pub fn patch(&self) -> usize {
        self.kernel * self.kernel * self.channels
    }

    /// Numbers in, of one picture.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.input[0] * self.input[1] * self.channels
    }

    /// Places of a filter in one picture.
    #[must_use]
    pub fn places(&self) -> usize {
        self.convolved().iter().product()
    }

    /// Numbers out, of one picture.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.output()[0] * self.output()[1] * self.filters
    }
}

/// The linear layer, layer normalisation and tanh at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Features.
    pub features: usize,
    /// `[numbers of the last convolution, features]`.
    pub weight: Range<usize>,
    /// `[features]`.
    pub bias: Range<usize>,
    /// `[features]`.
    pub gain: Range<usize>,
    /// `[features]`.
    pub shift: Range<usize>,
}

/// An encoder on pictures of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncoderShape {
    convs: Vec<Conv>,
    head: Option<Head>,
}

/// A picture too small for an encoder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "layer {layer} covers {kernel}x{kernel} and pools {pool}x{pool}: expected pictures that leave it more, got {height}x{width} there"
)]
pub struct EncoderError {
    layer: usize,
    kernel: usize,
    pool: usize,
    height: usize,
    width: usize,
}

impl EncoderName {
    /// Filters, kernel, stride and pooling of each layer, and features at the end.
    fn layers(self) -> (Vec<[usize; 4]>, Option<usize>) {
        match self {
            Self::Fast => (vec![[16, 4, 4, 1], [32, 3, 2, 1]], Some(50)),
            Self::Paper => (vec![[4, 3, 1, 2]; 2], None),
            Self::Drq => (vec![[32, 3, 2, 1], [32, 3, 1, 1], [32, 3, 1, 1], [32, 3, 1, 1]], Some(50)),
        }
    }

    /// The encoder on pictures of this shape.
    ///
    /// # Errors
    /// When the pictures are too small for a layer: which one, and what is left there.
    pub fn fit(self, pictures: PictureShape) -> Result<EncoderShape, EncoderError> {
        let (layers, features) = self.layers();
        EncoderShape::new([pictures.size.height, pictures.size.width], pictures.channels(), &layers, features)
    }
}

impl EncoderShape {
    /// An encoder of layers (filters, kernel, stride, pooling) on pictures of `input` rows and columns, with so many
    /// features at the end, or without what makes them.
    ///
    /// # Errors
    /// As [`EncoderName::fit`].
    pub fn new(
        mut input: [usize; 2],
        mut channels: usize,
        layers: &[[usize; 4]],
        features: Option<usize>,
    ) -> Result<Self, EncoderError> {
        let mut at = 0;
        let mut take = |count: usize| {
            at += count;
            at - count..at
        };
        let mut convs = Vec::new();
        for (layer, &[filters, kernel, stride, pool]) in layers.iter().enumerate() {
            let fits = |side: usize| side >= kernel && ((side - kernel) / stride + 1) / pool > 0;
            if !input.iter().all(|side| fits(*side)) {
                return Err(EncoderError { layer, kernel, pool, height: input[0], width: input[1] });
            }
            let (weight, bias) = (take(kernel * kernel * channels * filters), take(filters));
            let conv = Conv { input, channels, filters, kernel, stride, pool, weight, bias };
            (input, channels) = (conv.output(), filters);
            convs.push(conv);
        }
        let flat = input[0] * input[1] * channels;
        let head = features.map(|features| Head {
            features,
            weight: take(flat * features),
            bias: take(features),
            gain: take(features),
            shift: take(features),
        });
        Ok(Self { convs, head })
    }

    /// The convolutions, first to last.
    #[must_use]
    pub fn convs(&self) -> &[Conv] {
        &self.convs
    }

    /// What follows the convolutions.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Numbers of one picture.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.convs[0].inputs()
    }

    /// Numbers that the last convolution gives.
    #[must_use]
    pub fn flat(&self) -> usize {
        self.convs.last().map_or(0, Conv::outputs)
    }

    /// Features of one picture.
    #[must_use]
    pub fn features(&self) -> usize {
        self.head.as_ref().map_or(self.flat(), |head| head.features)
    }

    /// Parameters altogether.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.head.as_ref().map_or_else(|| self.convs.last().map_or(0, |conv| conv.bias.end), |head| head.shift.end)
    }

    /// Names and shapes of the tensors in the flat vector, in order, as a checkpoint stores them.
    #[must_use]
    pub fn tensors(&self) -> Vec<(String, Vec<usize>, Range<usize>)> {
        let mut all = Vec::new();
        for (i, conv) in self.convs.iter().enumerate() {
            all.push((format!("conv_{i}.weight"), vec![conv.patch(), conv.filters], conv.weight.clone()));
            all.push((format!("conv_{i}.bias"), vec![conv.filters], conv.bias.clone()));
        }
        if let Some(head) = &self.head {
            all.push(("linear.weight".into(), vec![self.flat(), head.features], head.weight.clone()));
            for (name, range) in [("bias", &head.bias), ("norm_gain", &head.gain), ("norm_shift", &head.shift)] {
                all.push((format!("linear.{name}"), vec![head.features], range.clone()));
            }
        }
        all
    }

    /// Weights normal with a variance of 2 over the numbers a filter covers (He, arXiv:1502.01852), those of the linear
    /// layer 1 over its inputs; biases 0, gains 1.
    #[must_use]
    pub fn draw(&self, rng: &mut Rng) -> Vec<f32> {
        let mut theta = vec![0.0; self.parameters()];
        let mut fill = |range: &Range<usize>, deviation: f64| {
            theta[range.clone()].iter_mut().for_each(|weight| *weight = (deviation * rng.normal()) as f32);
        };
        for conv in &self.convs {
            fill(&conv.weight, (2.0 / conv.patch() as f64).sqrt());
        }
        if let Some(head) = &self.head {
            fill(&head.weight, (1.0 / self.flat() as f64).sqrt());
            theta[head.gain.clone()].fill(1.0);
        }
        theta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::FrameSize;

    fn pictures(side: usize, stack: usize) -> PictureShape {
        PictureShape { size: FrameSize { width: side, height: side }, stack }
    }

    #[test]
    fn tensors_cover_the_flat_vector_without_gap_or_overlap() {
        for name in [EncoderName::Fast, EncoderName::Paper, EncoderName::Drq] {
            let shape = name.fit(pictures(32, 2)).unwrap();
            let mut at = 0;
            for (name, dims, range) in shape.tensors() {
                assert_eq!(range.start, at, "{name}");
                assert_eq!(dims.iter().product::<usize>(), range.len(), "{name}");
                at = range.end;
            }
            assert_eq!(at, shape.parameters());
        }
    }

    #[test]
    fn sizes_are_those_worked_by_hand() {
        let drq = EncoderName::Drq.fit(pictures(84, 3)).unwrap();
        assert_eq!((drq.flat(), drq.features()), (35 * 35 * 32, 50), "as DrQ's");
        let paper = EncoderName::Paper.fit(pictures(32, 1)).unwrap();
        assert_eq!(paper.features(), 6 * 6 * 4); // 32 -> 30 -> 15 -> 13 -> 6
        let fast = EncoderName::Fast.fit(pictures(48, 1)).unwrap();
        assert_eq!(fast.flat(), 5 * 5 * 32); // 48 -> 12 -> 5
    }

    #[test]
    fn pictures_too_small_for_a_layer_are_refused_with_its_number() {
        let error = EncoderName::Drq.fit(pictures(10, 1)).unwrap_err();
        assert!(error.to_string().starts_with("layer 2 covers 3x3"), "{error}");
    }
}
