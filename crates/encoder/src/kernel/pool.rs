//! Max-pooling, forward and backward.

use crate::shape::ConvLayer;

/// Filters whose maxima are looked for together.
const GROUP: usize = 4;

/// The maximum of each square, `[pictures, height, width, filters]`, and where in `convolved` it is: the first
/// where several are equal. Rows and columns that fill no square are left out.
pub(super) fn forward(layer: &ConvLayer, convolved: &[f32]) -> (Vec<f32>, Vec<u32>) {
    let ([height, width, filters], [rows, columns, _]) = (layer.convolved, layer.output);
    let pool = layer.convolution.pool;
    let pictures = convolved.len() / (height * width * filters);
    let size = pictures * rows * columns * filters;
    let (mut out, mut winners) = (Vec::with_capacity(size), Vec::with_capacity(size));
    let offsets: Vec<usize> = (1..pool * pool).map(|i| (i / pool * width + i % pool) * filters).collect();
    let rows = (0..pictures).flat_map(|picture| (0..rows).map(move |row| (picture * height + row * pool) * width));
    for (row, column) in rows.flat_map(|row| (0..columns).map(move |column| (row, column))) {
        let corner = (row + column * pool) * filters;
        for first in (corner..corner + filters).step_by(GROUP) {
            // A last group that would reach beyond the filters looks at what lies behind, which nobody reads.
            let wanted = GROUP.min(corner + filters - first);
            let mut best = group(convolved, first);
            let mut at: [u32; GROUP] = std::array::from_fn(|i| (first + i) as u32);
            for seen in offsets.iter().map(|offset| first + offset) {
                (best, at) = greater(best, at, group(convolved, seen), seen as u32);
            }
            out.extend_from_slice(&best[..wanted]);
            winners.extend_from_slice(&at[..wanted]);
        }
    }
    (out, winners)
}

/// The numbers from `first` on, as far as there are any.
fn group(values: &[f32], first: usize) -> [f32; GROUP] {
    match values[first..].first_chunk() {
        Some(group) => *group,
        None => std::array::from_fn(|i| values.get(first + i).copied().unwrap_or_default()),
    }
}

/// Of each place the greater number and where it is, the second ones being number `first` and those after it. By masks:
/// which one is greater can't be foretold, and a branch on it costs more than all the rest.
fn greater(best: [f32; GROUP], at: [u32; GROUP], values: [f32; GROUP], first: u32) -> ([f32; GROUP], [u32; GROUP]) {
    let better: [u32; GROUP] = std::array::from_fn(|i| u32::from(values[i] > best[i]).wrapping_neg());
    let chosen = |i: usize, new: u32, old: u32| (new & better[i]) | (old & !better[i]);
    let numbers = std::array::from_fn(|i| f32::from_bits(chosen(i, values[i].to_bits(), best[i].to_bits())));
    (numbers, std::array::from_fn(|i| chosen(i, first + i as u32, at[i])))
}

/// Hands each square's gradient to its winner in `out`, which is zero.
pub(super) fn backward(gradient: impl Iterator<Item = f32>, winners: &[u32], out: &mut [f32]) {
    for (g, winner) in gradient.zip(winners) {
        out[*winner as usize] = g;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Convolution, EncoderConfig, EncoderShape};
    use turnkey_core::FrameSize;

    #[test]
    fn each_square_gives_its_maximum_and_takes_its_gradient() {
        let convolution = Convolution { pool: 2, ..Convolution::new(1, 1, 1) };
        let config = EncoderConfig { convolutions: vec![convolution], features: None };
        let shape = EncoderShape::new(FrameSize { width: 3, height: 2 }, 1, config).unwrap();
        let (out, winners) = forward(&shape.layers()[0], &[1.0, 2.0, 9.0, 4.0, 3.0, 9.0, 5.0, 5.0, 9.0, 0.0, 0.0, 9.0]);
        assert_eq!((&out[..], &winners[..]), (&[4.0, 5.0][..], &[3, 6][..]), "the last column fills no square");
        let mut gradient = [0.0; 12];
        backward([7.0, 8.0].into_iter(), &winners, &mut gradient);
        assert_eq!(gradient, [0.0, 0.0, 0.0, 7.0, 0.0, 0.0, 8.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
