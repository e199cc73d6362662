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
        // numpy.sum(numpy.square(numpy.linspace(0.1, 1, n, dtype=numpy.float32))) for n in 6, 8, 17
        let x = |n: usize| (0..n).map(|i| 0.1 + 0.9 * i as f64 / (n - 1) as f64).map(|x| x as f32).collect::<Vec<_>>();
        let plain = |x: &[f32]| x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        for n in [0, 1, 6, 7, 8, 9, 17, 127, 128, 129, 300] {
            let x = if n < 2 { vec![0.5; n] } else { x(n) };
            let (ours, exact) = (f64::from(squares_f32(&x)), plain(&x));
            assert!((ours - exact).abs() <= 1e-5 * exact.max(1.0), "{n}: {ours} {exact}");
            assert!((squares_f64(x.iter().map(|x| f64::from(*x))) - exact).abs() < 1e-12 * exact.max(1.0), "{n}");
        }
    }
}
