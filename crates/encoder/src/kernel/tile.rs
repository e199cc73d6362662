//! The inner loop of every convolution here, forward and backward: a small product whose left factor is read
//! in place, through offsets, so that nothing is gathered or packed first.
//!
//! Pixels lie channels-last. What a filter sees is a list of offsets from a pixel's own place, the same for every
//! pixel; so `left[row, step]` is `data[rows[row] + steps[step]]`, for the forward pass (rows: pixels, steps:
//! places of the filter), for the weights' gradient (rows: places, steps: pixels), and for the input's (rows:
//! pixels, steps: filters).

/// Rows of a tile.
pub(super) const ROWS: usize = 6;
/// Columns of a tile: with as many rows as above its sums fill 12 of AVX2's 16 registers, and one of AVX-512's for each row.
pub(super) const LANES: usize = 16;

/// Sums of a tile, row by row.
pub(super) type Tile = [[f32; LANES]; ROWS];
/// Tiles of two strips of columns beside each other; of one where there is no second.
pub(super) type Tiles = [Tile; 2];

/// `out[i] = f(out[i], sums[i])` for all of `out`, which is as wide as a tile or narrower.
#[inline(always)]
pub(super) fn merge(out: &mut [f32], sums: &[f32; LANES], f: impl Fn(f32, f32) -> f32) {
    let pairs = |out: &mut [f32]| out.iter_mut().zip(sums).for_each(|(out, sum)| *out = f(*out, *sum));
    match <&mut [f32; LANES]>::try_from(&mut *out) {
        // Of a length that the compiler knows, it makes vectors.
        Ok(whole) => pairs(whole),
        Err(_) => pairs(out),
    }
}

/// Offsets into a left factor, and the largest of them.
#[derive(Clone, Debug)]
pub(super) struct Offsets {
    values: Vec<u32>,
    reach: usize,
}

impl Offsets {
    /// These offsets.
    pub(super) fn new(values: Vec<u32>) -> Self {
        let reach = values.iter().max().map_or(0, |most| *most as usize);
        Self { values, reach }
    }

    /// The offsets, in order.
    pub(super) fn values(&self) -> &[u32] {
        &self.values
    }

    /// [`ROWS`] of them from number `first` on; past the end the last again, whose sums nobody reads.
    pub(super) fn rows(&self, first: usize) -> [u32; ROWS] {
        let last = self.values.len() - 1;
        std::array::from_fn(|row| self.values[(first + row).min(last)])
    }
}

/// The right factor: one strip of columns, or two. A strip is rows of [`LANES`] numbers, `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct Right<'a> {
    /// From the first strip's first row on.
    pub(super) data: &'a [f32],
    /// Numbers from one row to the next.
    pub(super) stride: usize,
    /// Where the second strip begins.
    pub(super) second: Option<usize>,
}

impl<'a> Right<'a> {
    /// Its strips, each from its first row on.
    fn strips(&self) -> impl Iterator<Item = &'a [f32]> {
        [Some(0), self.second].into_iter().flatten().map(|start| &self.data[start..])
    }
}

/// `tiles[strip][row] += sum over step of left[rows[row] + steps[step]] * right[strip][step]`.
pub(super) fn accumulate(tiles: &mut Tiles, left: &[f32], rows: &[u32; ROWS], steps: &Offsets, right: Right<'_>) {
    let Some(last) = steps.values.len().checked_sub(1) else { return };
    let highest = rows.iter().fold(0, |a, b| a.max(*b)) as usize;
    assert!(highest + steps.reach < left.len(), "a tile reads within its left factor");
    for strip in right.strips() {
        assert!(last * right.stride + LANES <= strip.len(), "a tile reads within its right factor");
    }
    let (steps, stride) = (&steps.values, right.stride);
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512f") {
        // No step is beyond `reach`, so that the assertions above hold every index below the slices' lengths.
        if let Some(second) = right.second {
            let strips = [right.data, &right.data[second..]];
            // SAFETY: the processor has the feature, and every index is within its slice.
            unsafe { avx512_pair(tiles, left, rows, steps, strips, stride) };
        } else {
            // SAFETY: the processor has the feature, and every index is within its slice.
            unsafe { avx512(&mut tiles[0], left, rows, steps, right.data, stride) };
        }
        return;
    }
    for (tile, strip) in tiles.iter_mut().zip(right.strips()) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            // SAFETY: the processor has both features, and every index is within its slice.
            unsafe { avx2(tile, left, rows, steps, strip, stride) };
            continue;
        }
        portable(tile, left, rows, steps, strip, stride);
    }
}

/// Two strips of [`accumulate`] in AVX-512, whose twelve sums keep the processor busy by themselves. Each number of the left
/// factor is read once for both.
///
/// # Safety
/// As [`avx512`], for both strips.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512_pair(
    tiles: &mut Tiles,
    left: &[f32],
    rows: &[u32; ROWS],
    steps: &[u32],
    strips: [&[f32]; 2],
    stride: usize,
) {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps};
    let (mut starts, mut at) = ([left.as_ptr(); ROWS], [strips[0].as_ptr(), strips[1].as_ptr()]);
    let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
    // SAFETY: as in `avx512`.
    unsafe {
        for row in 0..ROWS {
            starts[row] = left.as_ptr().add(rows[row] as usize);
            sums[row] = [_mm512_loadu_ps(tiles[0][row].as_ptr()), _mm512_loadu_ps(tiles[1][row].as_ptr())];
        }
        for step in steps {
            let columns = [_mm512_loadu_ps(at[0]), _mm512_loadu_ps(at[1])];
            for row in 0..ROWS {
                let value = _mm512_set1_ps(*starts[row].add(*step as usize));
                sums[row][0] = _mm512_fmadd_ps(value, columns[0], sums[row][0]);
                sums[row][1] = _mm512_fmadd_ps(value, columns[1], sums[row][1]);
            }
            at = [at[0].wrapping_add(stride), at[1].wrapping_add(stride)];
        }
        for row in 0..ROWS {
            _mm512_storeu_ps(tiles[0][row].as_mut_ptr(), sums[row][0]);
            _mm512_storeu_ps(tiles[1][row].as_mut_ptr(), sums[row][1]);
        }
    }
}

/// A strip of [`accumulate`] in AVX-512. A row's sum is one register, and a processor begins more products than it has rows before
/// the first is done: so odd steps have sums of their own, added at the end.
///
/// # Safety
/// As [`avx2`], but for AVX-512F in place of its features.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512(tile: &mut Tile, left: &[f32], rows: &[u32; ROWS], steps: &[u32], right: &[f32], stride: usize) {
    use std::arch::x86_64::{
        _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
    };
    let (mut starts, mut at) = ([left.as_ptr(); ROWS], right.as_ptr());
    let mut sums = [[_mm512_setzero_ps(); ROWS]; 2];
    let (pairs, rest) = steps.as_chunks::<2>();
    // SAFETY: as in `avx2`; a tile's row has LANES = 16 numbers.
    unsafe {
        for row in 0..ROWS {
            starts[row] = left.as_ptr().add(rows[row] as usize);
            sums[0][row] = _mm512_loadu_ps(tile[row].as_ptr());
        }
        for pair in pairs {
            let columns = [_mm512_loadu_ps(at), _mm512_loadu_ps(at.wrapping_add(stride))];
            for row in 0..ROWS {
                for odd in 0..2 {
                    let value = _mm512_set1_ps(*starts[row].add(pair[odd] as usize));
                    sums[odd][row] = _mm512_fmadd_ps(value, columns[odd], sums[odd][row]);
                }
            }
            at = at.wrapping_add(2 * stride);
        }
        if let [step] = rest {
            let columns = _mm512_loadu_ps(at);
            for row in 0..ROWS {
                let value = _mm512_set1_ps(*starts[row].add(*step as usize));
                sums[0][row] = _mm512_fmadd_ps(value, columns, sums[0][row]);
            }
        }
        for row in 0..ROWS {
            _mm512_storeu_ps(tile[row].as_mut_ptr(), _mm512_add_ps(sums[0][row], sums[1][row]));
        }
    }
}

/// A strip of [`accumulate`] in AVX2 and FMA, its sums in registers.
///
/// # Safety
/// The processor must have both; for every row and step `rows[row] + steps[step]` must be below `left`'s length,
/// and `step * stride + LANES` at most `right`'s.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(tile: &mut Tile, left: &[f32], rows: &[u32; ROWS], steps: &[u32], right: &[f32], stride: usize) {
    use std::arch::x86_64::{
        _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };
    let (mut starts, mut at) = ([left.as_ptr(); ROWS], right.as_ptr());
    let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
    // Loops instead of `map`: a closure is a function without these features, and nothing would be inlined.
    // SAFETY: the caller holds each of these reads within its slice; a tile's row has LANES = 2 * 8 numbers. The
    // last advance of `at` may leave its slice, hence `wrapping_add`; nothing is read there.
    unsafe {
        for row in 0..ROWS {
            starts[row] = left.as_ptr().add(rows[row] as usize);
            sums[row] = [_mm256_loadu_ps(tile[row].as_ptr()), _mm256_loadu_ps(tile[row].as_ptr().add(8))];
        }
        for step in steps {
            let columns = [_mm256_loadu_ps(at), _mm256_loadu_ps(at.add(8))];
            for row in 0..ROWS {
                let value = _mm256_broadcast_ss(&*starts[row].add(*step as usize));
                sums[row][0] = _mm256_fmadd_ps(value, columns[0], sums[row][0]);
                sums[row][1] = _mm256_fmadd_ps(value, columns[1], sums[row][1]);
            }
            at = at.wrapping_add(stride);
        }
        for row in 0..ROWS {
            _mm256_storeu_ps(tile[row].as_mut_ptr(), sums[row][0]);
            _mm256_storeu_ps(tile[row].as_mut_ptr().add(8), sums[row][1]);
        }
    }
}

/// A strip of [`accumulate`] for any processor; the compiler finds what vectors it has.
fn portable(tile: &mut Tile, left: &[f32], rows: &[u32; ROWS], steps: &[u32], right: &[f32], stride: usize) {
    for (i, step) in steps.iter().enumerate() {
        let columns: &[f32; LANES] = right[i * stride..].first_chunk().expect("as asserted by the caller");
        for (sums, row) in tile.iter_mut().zip(rows) {
            let value = left[(*row + *step) as usize];
            for (sum, column) in sums.iter_mut().zip(columns) {
                *sum += value * column;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::Rng;

    #[test]
    fn a_tile_is_the_product_that_its_offsets_name() {
        let mut rng = Rng::new(1, "tile");
        let (mut left, mut right) = (vec![0.0; 200], vec![0.0; 40 * 20 + 4]);
        rng.fill_normal(&mut left);
        rng.fill_normal(&mut right);
        for count in [39, 40] {
            let steps = Offsets::new((0..count).map(|i| (i * 37 % 100) as u32).collect());
            check(&left, &steps, &right);
        }
    }

    /// Every way that this processor has gives the same.
    fn check(left: &[f32], steps: &Offsets, right: &[f32]) {
        let rows = [0, 90, 5, 17, 99, 3];
        let factor = |second| Right { data: right, stride: 20, second };
        // Each with where its strip begins.
        let mut tiles = vec![(0, [[1.0; LANES]; ROWS]); 2];
        let mut alone = [[[1.0; LANES]; ROWS]; 2];
        accumulate(&mut alone, left, &rows, steps, factor(None));
        tiles[0].1 = alone[0];
        assert_eq!(alone[1], [[1.0; LANES]; ROWS], "nothing for a strip that there isn't");
        portable(&mut tiles[1].1, left, &rows, steps.values(), right, 20);
        let mut pair = [[[1.0; LANES]; ROWS]; 2];
        accumulate(&mut pair, left, &rows, steps, factor(Some(4)));
        tiles.extend([(0, pair[0]), (4, pair[1])]);
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            let mut tile = [[1.0; LANES]; ROWS];
            // SAFETY: the processor has both features; `accumulate` has asserted the rest.
            unsafe { avx2(&mut tile, left, &rows, steps.values(), right, 20) };
            tiles.push((0, tile));
        }
        for (row, lane) in (0..ROWS).flat_map(|row| (0..LANES).map(move |lane| (row, lane))) {
            for (start, tile) in &tiles {
                let terms = steps.values().iter().enumerate().map(|(step, offset)| {
                    f64::from(left[(rows[row] + offset) as usize]) * f64::from(right[start + step * 20 + lane])
                });
                let expected = 1.0 + terms.sum::<f64>();
                assert!((f64::from(tile[row][lane]) - expected).abs() < 1e-4, "{start} {row} {lane}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "within its left factor")]
    fn a_tile_that_would_read_beyond_its_left_factor_is_refused() {
        let (steps, right) = (Offsets::new(vec![0, 95]), [0.0; 2 * LANES]);
        let right = Right { data: &right, stride: LANES, second: None };
        accumulate(&mut [[[0.0; LANES]; ROWS]; 2], &[0.0; 100], &[0, 1, 2, 3, 4, 5], &steps, right);
    }

    #[test]
    #[should_panic(expected = "within its right factor")]
    fn a_second_strip_that_would_read_beyond_its_factor_is_refused() {
        let (steps, right) = (Offsets::new(vec![0, 1]), [0.0; 2 * LANES]);
        let right = Right { data: &right, stride: LANES, second: Some(1) };
        accumulate(&mut [[[0.0; LANES]; ROWS]; 2], &[0.0; 100], &[0, 1, 2, 3, 4, 5], &steps, right);
    }
}
