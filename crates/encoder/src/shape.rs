//! How an encoder lies in one flat vector, and which sizes its layers have.

use crate::config::{Convolution, EncoderConfig, EncoderName};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use turnkey_core::{FrameSize, PictureShape};

/// An encoder for pictures of one size, checked: every layer has at least one pixel. Its parameters lie in one
/// flat vector: each convolution as weight `[kernel, kernel, channels, filters]` (row-major) and bias
/// `[filters]`; then, where it has features, weight `[inputs, features]`, bias, gain and shift `[features]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct EncoderShape {
    size: FrameSize,
    channels: usize,
    config: EncoderConfig,
    layers: Vec<ConvLayer>,
}

/// One convolution with its sizes, and its parameters as ranges of the flat vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvLayer {
    /// Filters, kernel, stride and pooling.
    pub convolution: Convolution,
    /// Height, width and channels in.
    pub input: [usize; 3],
    /// Height, width and filters out of the convolution.
    pub convolved: [usize; 3],
    /// The same after pooling.
    pub output: [usize; 3],
    /// `[kernel, kernel, channels, filters]`.
    pub weight: Range<usize>,
    /// `[filters]`.
    pub bias: Range<usize>,
}

impl ConvLayer {
    /// Numbers that one place of a filter sees.
    #[must_use]
    pub fn fan_in(&self) -> usize {
        self.weight.len() / self.convolution.filters
    }
}

/// The linear map to features with its normalisation, as ranges of the flat vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadLayer {
    /// Numbers in.
    pub inputs: usize,
    /// `[inputs, features]`.
    pub weight: Range<usize>,
    /// `[features]`.
    pub bias: Range<usize>,
    /// `[features]`.
    pub gain: Range<usize>,
    /// `[features]`.
    pub shift: Range<usize>,
}

/// An encoder that doesn't work out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("encoder, {layer}: expected {expected}, got {actual}")]
pub struct EncoderShapeError {
    /// Which layer.
    pub layer: String,
    /// What it needs.
    pub expected: String,
    /// What came.
    pub actual: String,
}

impl EncoderShape {
    /// The most numbers that a picture, a layer's output or a layer's parameters may have.
    const MOST: usize = 1 << 24;

    /// An encoder of pictures of this size and so many channels (3 a picture of the stack).
    ///
    /// # Errors
    /// Names the first layer that is empty, larger than what it sees, or out of all proportion.
    pub fn new(size: FrameSize, channels: usize, config: EncoderConfig) -> Result<Self, EncoderShapeError> {
        let mut input = [size.height, size.width, channels];
        check("the picture", "at least one and at most 2^24 numbers", numbers(&input), input)?;
        check("the convolutions", "1 to 16", (1..=16).contains(&config.convolutions.len()), config.convolutions.len())?;
        let (mut layers, mut at) = (Vec::new(), 0);
        for (i, convolution) in config.convolutions.iter().enumerate() {
            let layer = ConvLayer::new(i, *convolution, input, at)?;
            (input, at) = (layer.output, layer.bias.end);
            layers.push(layer);
        }
        let head = [input.iter().product(), config.features.unwrap_or(1)];
        check("the features", "at least one and at most 2^24 parameters", numbers(&head), head)?;
        Ok(Self { size, channels, config, layers })
    }

    /// The encoder of this name for an observation's pictures.
    ///
    /// # Errors
    /// When the pictures are too small for it.
    pub fn named(name: EncoderName, pictures: PictureShape) -> Result<Self, EncoderShapeError> {
        Self::new(pictures.size, pictures.channels(), name.config(pictures.size))
    }

    /// Width and height of the pictures.
    #[must_use]
    pub fn size(&self) -> FrameSize {
        self.size
    }

    /// Channels of the pictures.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// What it was made of.
    #[must_use]
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// Numbers of one picture: height * width * channels.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.size.height * self.size.width * self.channels
    }

    /// Numbers out of the last convolution.
    #[must_use]
    pub fn flat(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.output.iter().product())
    }

    /// Numbers out.
    #[must_use]
    pub fn features(&self) -> usize {
        self.config.features.unwrap_or(self.flat())
    }

    /// The convolutions, first to last.
    #[must_use]
    pub fn layers(&self) -> &[ConvLayer] {
        &self.layers
    }

    /// The linear map to features, where there is one.
    #[must_use]
    pub fn head(&self) -> Option<HeadLayer> {
        let features = self.config.features?;
        let mut at = self.layers.last().map_or(0, |layer| layer.bias.end);
        let mut take = |n: usize| {
            at += n;
            at - n..at
        };
        let (inputs, weight) = (self.flat(), take(self.flat() * features));
        Some(HeadLayer { inputs, weight, bias: take(features), gain: take(features), shift: take(features) })
    }

    /// Length of the flat vector.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.head().map_or_else(|| self.layers.last().map_or(0, |layer| layer.bias.end), |head| head.shift.end)
    }

    /// Names and shapes of the tensors in the flat vector, in order, as a checkpoint stores them.
    #[must_use]
    pub fn tensors(&self) -> Vec<(String, Vec<usize>, Range<usize>)> {
        let mut out = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            let Convolution { filters, kernel, .. } = layer.convolution;
            let dims = vec![kernel, kernel, layer.input[2], filters];
            out.push((format!("convolution_{i}.weight"), dims, layer.weight.clone()));
            out.push((format!("convolution_{i}.bias"), vec![filters], layer.bias.clone()));
        }
        if let Some(HeadLayer { inputs, weight, bias, gain, shift }) = self.head() {
            let features = self.features();
            out.push(("features.weight".into(), vec![inputs, features], weight));
            for (name, range) in [("bias", bias), ("norm_gain", gain), ("norm_shift", shift)] {
                out.push((format!("features.{name}"), vec![features], range));
            }
        }
        out
    }
}

impl ConvLayer {
    /// Convolution number `index` on what comes, its parameters from `at` on.
    fn new(index: usize, convolution: Convolution, input: [usize; 3], at: usize) -> Result<Self, EncoderShapeError> {
        let Convolution { filters, kernel, stride, pool } = convolution;
        let name = format!("convolution {index}");
        let [height, width, channels] = input;
        let most = height.min(width);
        let range = |what: &str, value: usize, most: usize| {
            check(&name, &format!("{what} of 1 to {most}"), (1..=most).contains(&value), value)
        };
        range("filters", filters, 4096)?;
        range(&format!("a kernel, on {height}x{width} pixels,"), kernel, most)?;
        range("a stride", stride, EncoderShape::MOST)?;
        let weights = [kernel, kernel, channels, filters];
        check(&name, "at most 2^24 weights", numbers(&weights), weights)?;
        let [rows, columns] = [height, width].map(|side| (side - kernel) / stride + 1);
        range(&format!("pooling, on {rows}x{columns} pixels,"), pool, rows.min(columns))?;
        let (convolved, output) = ([rows, columns, filters], [rows / pool, columns / pool, filters]);
        check(&name, "at most 2^24 numbers out", numbers(&convolved), convolved)?;
        let weight = at..at + weights.iter().product::<usize>();
        let bias = weight.end..weight.end + filters;
        Ok(Self { convolution, input, convolved, output, weight, bias })
    }
}

/// Whether a tensor of these dimensions has at least one number, and not too many.
fn numbers(dims: &[usize]) -> bool {
    let count = dims.iter().try_fold(1_usize, |n, d| n.checked_mul(*d));
    count.is_some_and(|n| (1..=EncoderShape::MOST).contains(&n))
}

fn check(layer: &str, expected: &str, holds: bool, actual: impl std::fmt::Debug) -> Result<(), EncoderShapeError> {
    let error = || EncoderShapeError { layer: layer.into(), expected: expected.into(), actual: format!("{actual:?}") };
    if holds { Ok(()) } else { Err(error()) }
}

/// An encoder's shape as it is written down.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    size: FrameSize,
    channels: usize,
    config: EncoderConfig,
}

impl TryFrom<Written> for EncoderShape {
    type Error = EncoderShapeError;

    fn try_from(Written { size, channels, config }: Written) -> Result<Self, EncoderShapeError> {
        Self::new(size, channels, config)
    }
}

impl From<EncoderShape> for Written {
    fn from(EncoderShape { size, channels, config, .. }: EncoderShape) -> Self {
        Self { size, channels, config }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known;

    #[test]
    fn tensors_cover_the_flat_vector_without_gap_or_overlap() {
        for (shape_name, shape) in known::shapes() {
            let mut at = 0;
            for (name, dims, range) in shape.tensors() {
                assert_eq!(range.start, at, "{shape_name} {name}");
                assert_eq!(dims.iter().product::<usize>(), range.len(), "{shape_name} {name}");
                at = range.end;
            }
            assert_eq!(at, shape.parameters(), "{shape_name}");
        }
    }

    #[test]
    fn the_presets_have_the_sizes_that_their_papers_give() {
        let shape = |name, side| {
            EncoderShape::named(name, PictureShape { size: FrameSize { width: side, height: side }, stack: 3 }).unwrap()
        };
        let outputs = |shape: &EncoderShape| shape.layers().iter().map(|layer| layer.output).collect::<Vec<_>>();
        assert_eq!(outputs(&shape(EncoderName::Paper, 32)), [[15, 15, 4], [6, 6, 4]]);
        let drq = shape(EncoderName::Drq, 84);
        assert_eq!(outputs(&drq), [[41, 41, 32], [39, 39, 32], [37, 37, 32], [35, 35, 32]]);
        assert_eq!((drq.features(), drq.head().unwrap().inputs), (50, 39_200));
        assert_eq!(outputs(&shape(EncoderName::Fast, 48)), [[12, 12, 16], [5, 5, 32], [3, 3, 32]]);
        assert_eq!(outputs(&shape(EncoderName::Fast, 32)), [[10, 10, 16], [4, 4, 32], [2, 2, 32]]);
    }

    #[test]
    fn an_encoder_that_does_not_work_out_names_the_layer_and_what_was_expected() {
        let size = FrameSize { width: 10, height: 9 };
        let error = |convolutions: Vec<Convolution>| {
            EncoderShape::new(size, 3, EncoderConfig { convolutions, features: None }).unwrap_err().to_string()
        };
        let second = error(vec![Convolution::new(8, 3, 2), Convolution::new(8, 5, 1)]);
        assert_eq!(second, "encoder, convolution 1: expected a kernel, on 4x4 pixels, of 1 to 4, got 5");
        let pooled = error(vec![Convolution { pool: 9, ..Convolution::new(8, 3, 1) }]);
        assert_eq!(pooled, "encoder, convolution 0: expected pooling, on 7x8 pixels, of 1 to 7, got 9");
        assert_eq!(error(vec![]), "encoder, the convolutions: expected 1 to 16, got 0");
        assert!(error(vec![Convolution::new(8, 3, 0)]).contains("a stride of 1 to"));
        let none = FrameSize { width: 0, height: 9 };
        assert!(EncoderShape::new(none, 3, EncoderName::Fast.config(size)).is_err());
        let vast = FrameSize { width: usize::MAX, height: 2 };
        assert!(EncoderShape::new(vast, 3, EncoderName::Drq.config(vast)).is_err());
    }
}
