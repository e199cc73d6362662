//! Max-pooling, forward and backward.

use crate::shape::ConvLayer;

/// The maximum of each square, `[pictures, height, width, filters]`, and where in `convolved` it is: the first
/// where several are equal. Rows and columns that fill no square are left out.
pub(super) fn forward(layer: &ConvLayer, convolved: &[f32]) -> (Vec<f32>, Vec<u32>) {
    let ([height, width, filters], [rows, columns, _]) = (layer.convolved, layer.output);
    let pool = layer.convolution.pool;
    let pictures = convolved.len() / (height * width * filters);
    let size = pictures * rows * columns * filters;
    let (mut out, mut winners) = (Vec::with_capacity(size), Vec::with_capacity(size));
    for place in 0..pictures * rows * columns {
        let (picture, row, column) = (place / columns / rows, place / columns % rows, place % columns);
        let corner = ((picture * height + row * pool) * width + column * pool) * filters;
        let first = out.len();
        out.extend_from_slice(&convolved[corner..corner + filters]);
        winners.extend((corner..corner + filters).map(|at| at as u32));
        for seen in (0..pool * pool).map(|i| corner + (i / pool * width + i % pool) * filters) {
            let best = out[first..].iter_mut().zip(&mut winners[first..]);
            for ((at, value), (best, winner)) in convolved[seen..seen + filters].iter().enumerate().zip(best) {
                if value > best {
                    (*best, *winner) = (*value, (seen + at) as u32);
                }
            }
        }
    }
    (out, winners)
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
