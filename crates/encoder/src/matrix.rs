//! Matrix products on row-major slices.

use gemm::Parallelism;

/// A row-major matrix, perhaps read transposed.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    transposed: bool,
}

impl<'a> Matrix<'a> {
    /// `data` as `rows` by `columns`.
    ///
    /// # Panics
    /// When `data` has another length.
    #[must_use]
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns, "a {rows}x{columns} matrix");
        Self { data, rows, columns, transposed: false }
    }

    /// The same numbers read as the transpose.
    #[must_use]
    pub fn t(self) -> Self {
        Self { transposed: !self.transposed, ..self }
    }

    fn shape(&self) -> (usize, usize) {
        if self.transposed { (self.columns, self.rows) } else { (self.rows, self.columns) }
    }

    /// Steps from one column, and from one row, to the next.
    fn strides(&self) -> (isize, isize) {
        let width = self.columns as isize;
        if self.transposed { (width, 1) } else { (1, width) }
    }
}

/// `out = left * right`, or `out += left * right` when `accumulate`; `out` is row-major.
///
/// # Panics
/// When the sizes don't fit together.
pub fn multiply(out: &mut [f32], left: Matrix<'_>, right: Matrix<'_>, accumulate: bool) {
    let ((m, k), (k2, n)) = (left.shape(), right.shape());
    assert_eq!(k, k2, "inner sizes of a product");
    assert_eq!(out.len(), m * n, "size of a product");
    let (left_cs, left_rs) = left.strides();
    let (right_cs, right_rs) = right.strides();
    let parallelism = if rayon::current_num_threads() > 1 { Parallelism::Rayon(0) } else { Parallelism::None };
    // SAFETY: the assertions above hold every index below the slices' lengths; `out` is borrowed
    // mutably, so it aliases neither factor.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            left.data.as_ptr(),
            left_cs,
            left_rs,
            right.data.as_ptr(),
            right_cs,
            right_rs,
            1.0_f32,
            1.0_f32,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// `out[j] = sum over rows i of data[i, j]`.
pub fn sum_rows(out: &mut [f32], data: &[f32]) {
    out.fill(0.0);
    add_rows(out, data);
}

/// `out[j] += sum over rows i of data[i, j]`.
pub fn add_rows(out: &mut [f32], data: &[f32]) {
    for row in data.chunks_exact(out.len()) {
        for (total, value) in out.iter_mut().zip(row) {
            *total += value;
        }
    }
}

/// Sum of `f(i)` over `0..n` in eight interleaved partial sums, which the compiler can vectorise.
#[inline(always)]
pub fn lane_sum(n: usize, f: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let whole = n / 8 * 8;
    for start in (0..whole).step_by(8) {
        for (lane, total) in lanes.iter_mut().enumerate() {
            *total += f(start + lane);
        }
    }
    let rest: f32 = (whole..n).map(&f).sum();
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_match_the_definition_in_every_orientation() {
        let a: Vec<f32> = (0..6).map(|x| x as f32).collect(); // 2x3
        let b: Vec<f32> = (0..12).map(|x| x as f32 - 5.0).collect(); // 3x4
        let mut out = vec![0.0; 8];
        multiply(&mut out, Matrix::new(&a, 2, 3), Matrix::new(&b, 3, 4), false);
        assert_eq!(out, [5.0, 8.0, 11.0, 14.0, -4.0, 8.0, 20.0, 32.0]);
        let mut again = vec![1.0; 9];
        multiply(&mut again, Matrix::new(&a, 2, 3).t(), Matrix::new(&a, 2, 3), true);
        assert_eq!(again, [10.0, 13.0, 16.0, 13.0, 18.0, 23.0, 16.0, 23.0, 30.0]);
    }
}
