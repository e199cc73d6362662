//! How a multilayer perceptron, or an ensemble of them, lies in one flat vector.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The shape of an ensemble of equal multilayer perceptrons whose parameters lie in one flat vector:
/// member after member, layer after layer, each layer as weight `[inputs, outputs]` (row-major), bias
/// `[outputs]`, and, for hidden layers under layer normalisation, gain and shift `[outputs]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MlpShape {
    /// Numbers in.
    pub inputs: usize,
    /// Width of each hidden layer.
    pub hidden: Vec<usize>,
    /// Numbers out of each member.
    pub outputs: usize,
    /// Whether hidden layers normalise (arXiv:1607.06450) between the linear map and the ReLU.
    pub layer_norm: bool,
    /// Networks in the ensemble.
    pub members: usize,
}

/// One linear map of a member, as ranges of the member's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Numbers in.
    pub inputs: usize,
    /// Numbers out.
    pub outputs: usize,
    /// `[inputs, outputs]`.
    pub weight: Range<usize>,
    /// `[outputs]`.
    pub bias: Range<usize>,
    /// Gain and shift, each `[outputs]`, where the layer normalises.
    pub norm: Option<(Range<usize>, Range<usize>)>,
    /// Whether a ReLU follows.
    pub hidden: bool,
}

impl MlpShape {
    /// The layers of one member, first to last.
    #[must_use]
    pub fn layers(&self) -> Vec<Layer> {
        let mut at = 0;
        let mut take = |n: usize| {
            at += n;
            at - n..at
        };
        let mut inputs = self.inputs;
        let widths = self.hidden.iter().map(|w| (*w, true)).chain([(self.outputs, false)]);
        widths
            .map(|(outputs, hidden)| {
                let layer = Layer {
                    inputs,
                    outputs,
                    weight: take(inputs * outputs),
                    bias: take(outputs),
                    norm: (hidden && self.layer_norm).then(|| (take(outputs), take(outputs))),
                    hidden,
                };
                inputs = outputs;
                layer
            })
            .collect()
    }

    /// Parameters of one member.
    #[must_use]
    pub fn member_parameters(&self) -> usize {
        self.layers().last().map_or(0, |layer| layer.bias.end)
    }

    /// Parameters of the whole ensemble.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.members * self.member_parameters()
    }

    /// Names and shapes of the tensors in the flat vector, in order, as a checkpoint stores them.
    #[must_use]
    pub fn tensors(&self) -> Vec<(String, Vec<usize>, Range<usize>)> {
        let size = self.member_parameters();
        let mut out = Vec::new();
        for member in 0..self.members {
            let shift = |r: &Range<usize>| r.start + member * size..r.end + member * size;
            for (i, layer) in self.layers().iter().enumerate() {
                let name = |part: &str| format!("{member}.layer_{i}.{part}");
                out.push((name("weight"), vec![layer.inputs, layer.outputs], shift(&layer.weight)));
                out.push((name("bias"), vec![layer.outputs], shift(&layer.bias)));
                if let Some((gain, offset)) = &layer.norm {
                    out.push((name("norm_gain"), vec![layer.outputs], shift(gain)));
                    out.push((name("norm_shift"), vec![layer.outputs], shift(offset)));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_cover_the_flat_vector_without_gap_or_overlap() {
        let shape = MlpShape { inputs: 5, hidden: vec![7, 3], outputs: 2, layer_norm: true, members: 2 };
        let mut at = 0;
        for (name, dims, range) in shape.tensors() {
            assert_eq!(range.start, at, "{name}");
            assert_eq!(dims.iter().product::<usize>(), range.len(), "{name}");
            at = range.end;
        }
        assert_eq!(at, shape.parameters());
        assert_eq!(shape.member_parameters(), 5 * 7 + 3 * 7 + 7 * 3 + 3 * 3 + 3 * 2 + 2);
    }
}
