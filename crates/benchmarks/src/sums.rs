//! Sums in NumPy's order, so that a reward is Gymnasium's to the last bit.

/// Below this many numbers NumPy adds with eight accumulators; above, it halves.
const BLOCK: usize = 128;

/// The sum of squares as `numpy.sum(numpy.square(x))` has it for f32.
pub(crate) fn squares_f32(x: &[f32]) -> f32 {
    pairwise(&x.iter().map(|x| x * x).collect::<Vec<_>>(), 0.0, |a, b| a + b)
}

/// The sum of squares as `numpy.sum(numpy.square(x))` has it for f64.
pub(crate) fn squares_f64(x: impl IntoIterator<Item = f64>) -> f64 {
    pairwise(&x.into_iter().map(|x| x * x).collect::<Vec<_>>(), 0.0, |a, b| a + b)
}

/// NumPy's pairwise sum.
fn pairwise<T: Copy>(x: &[T], zero: T, add: fn(T, T) -> T) -> T {
    if x.len() < 8 {
        return x.iter().copied().reduce(add).unwrap_or(zero);
    }
    if x.len() > BLOCK {
        let half = x.len() / 2 / 8 * 8;
        return add(pairwise(&x[..half], zero, add), pairwise(&x[half..], zero, add));
    }
    let mut sums: [T; 8] = std::array::from_fn(|i| x[i]);
    let mut blocks = x[8..].chunks_exact(8);
    for block in &mut blocks {
        for (sum, x) in sums.iter_mut().zip(block) {
            *sum = add(*sum, *x);
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    let sum = add(add(add(a, b), add(c, d)), add(add(e, f), add(g, h)));
    blocks.remainder().iter().copied().fold(sum, add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_added_as_numpy_adds_them() {
        // x = numpy.array([(i * 37 % 101) / 101 for i in range(n)]); numpy.sum(numpy.square(x)), and of x.astype(numpy.float32)
        for (n, of_f64, of_f32) in [
            (3, 0x3fe5_78ef_831f_d8a6_u64, 0x3f2b_c77d_u32),
            (8, 0x3fff_25f8_386a_3459, 0x3ff9_2fc2),
            (17, 0x4014_55d3_ae63_a123, 0x40a2_ae9e),
            (84, 0x403b_21b4_0f8f_2b96, 0x41d9_0da1),
            (128, 0x4044_a3b6_04aa_f37a, 0x4225_1db0),
            (129, 0x4045_0959_1d49_5ab8, 0x4228_4ac9),
            (300, 0x4058_8e17_56c1_62f4, 0x42c4_70ba),
        ] {
            let x: Vec<f64> = (0..n).map(|i| f64::from(i * 37 % 101) / 101.0).collect();
            let single: Vec<f32> = x.iter().map(|x| *x as f32).collect();
            assert_eq!((squares_f64(x).to_bits(), squares_f32(&single).to_bits()), (of_f64, of_f32), "{n}");
        }
        assert_eq!((squares_f64([]), squares_f32(&[])), (0.0, 0.0));
    }
}
