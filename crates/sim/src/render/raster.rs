//! Which triangle is seen where: a z-buffer.
//!
//! Picture coordinates are in samples, columns to the right and rows downwards; whole numbers are the
//! samples' centres. The third number of a corner is linear across the picture and larger nearer by.

/// A corner: column, row, nearness.
pub(super) type Corner = [f32; 3];

/// Twice the area of a triangle, positive if its corners go clockwise as seen (rows count downwards).
pub(super) fn doubled_area([a, b, c]: [Corner; 3]) -> f32 {
    (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
}

/// How a number that is linear over the picture changes by column and by row, from its values at three
/// corners.
pub(super) fn gradient([a, b, c]: [Corner; 3], [p, q, r]: [f32; 3], doubled_area: f32) -> [f32; 2] {
    let scale = 1.0 / doubled_area;
    let (q, r) = (q - p, r - p);
    [scale * (q * (c[1] - a[1]) - r * (b[1] - a[1])), scale * (r * (b[0] - a[0]) - q * (c[0] - a[0]))]
}

/// `x` held within 0 and `end`, then rounded up, though not before it is a ten-thousandth of a sample past a
/// whole number. Without a library's rounding or a checked cast, which are most of the time that small
/// triangles take.
#[inline(always)]
fn first_from(x: f32, end: i32) -> i32 {
    /// Floats from here on have no fraction: adding it rounds to the nearest whole number.
    const WHOLE: f32 = 8_388_608.0;
    let x = if x > 0.0 { x } else { 0.0 };
    let x = if x < end as f32 { x } else { end as f32 };
    ((x + 0.4999 + WHOLE).to_bits() as i32).wrapping_sub(WHOLE.to_bits() as i32)
}

/// Calls `span` for every row of a triangle with: index of the first sample, how many, nearness there, and
/// its change from one sample to the next. Of two triangles that share an edge, every sample on it belongs
/// to exactly one.
#[inline(always)]
pub(super) fn scan(corners: [Corner; 3], width: usize, height: usize, mut span: impl FnMut(usize, usize, f32, f32)) {
    let (columns, rows) = (width as i32, height as i32);
    // Edges go from the upper end to the lower one, so that both triangles at an edge compute the same.
    let [mut a, mut b, mut c] = corners;
    if b[1] < a[1] {
        (a, b) = (b, a);
    }
    if c[1] < b[1] {
        (b, c) = (c, b);
        if b[1] < a[1] {
            (a, b) = (b, a);
        }
    }
    let [top, middle, bottom] = [a, b, c].map(|corner| first_from(corner[1], rows));
    if top == bottom {
        return; // it lies between two rows, as many do
    }
    let [across, down] = gradient([a, b, c], [a[2], b[2], c[2]], doubled_area([a, b, c]));
    if !(across + down).is_finite() {
        return; // it has no area
    }
    let base = a[2] - across * a[0] - down * a[1];
    let long = (c[0] - a[0]) / (c[1] - a[1]);
    for (from, to, begin, end) in [(a, b, top, middle), (b, c, middle, bottom)] {
        let slope = (to[0] - from[0]) / (to[1] - from[1]);
        for row in begin..end {
            let y = row as f32;
            let (one, other) = (a[0] + (y - a[1]) * long, from[0] + (y - from[1]) * slope);
            let (left, right) = if one < other { (one, other) } else { (other, one) };
            let (left, right) = (first_from(left, columns), first_from(right, columns));
            if left < right {
                let nearness = base + across * left as f32 + down * y;
                span((row * columns + left) as usize, (right - left) as usize, nearness, across);
            }
        }
    }
}

/// The nearest triangle at every sample of a picture.
pub(super) struct Visible {
    pub(super) width: usize,
    pub(super) height: usize,
    /// `[height, width]`, one over the distance along the line of sight's axis, 1/m; 0 where nothing is.
    pub(super) nearness: Vec<f32>,
    /// `[height, width]`, numbers that [`Visible::fill`] was given; 0 where nothing is.
    pub(super) faces: Vec<u32>,
}

impl Visible {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, nearness: vec![0.0; width * height], faces: vec![0; width * height] }
    }

    pub(super) fn clear(&mut self) {
        self.nearness.fill(0.0);
        self.faces.fill(0);
    }

    /// Puts a triangle in where it is the nearest so far; says whether it is anywhere.
    pub(super) fn fill(&mut self, corners: [Corner; 3], face: u32) -> bool {
        let Self { width, height, nearness, faces } = self;
        let mut seen = false;
        scan(corners, *width, *height, |first, count, mut near, step| {
            let samples = nearness[first..first + count].iter_mut().zip(&mut faces[first..first + count]);
            for (held, number) in samples {
                if near > *held {
                    (*held, *number) = (near, face);
                    seen = true;
                }
                near += step;
            }
        });
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triangles_that_share_an_edge_cover_every_sample_once() {
        let mut counts = vec![0; 64 * 64];
        let rim: Vec<Corner> =
            (0..7).map(|k| (k as f32 * 0.9).sin_cos()).map(|(s, c)| [32.0 + 40.0 * c, 32.0 + 40.0 * s, 1.0]).collect();
        let hub = [31.4, 30.7, 1.0];
        for k in 0..7 {
            scan([hub, rim[k], rim[(k + 1) % 7]], 64, 64, |first, count, _, _| {
                counts[first..first + count].iter_mut().for_each(|count| *count += 1);
            });
        }
        // A fan of 5.4 rad and its closing piece go once around: all of the middle is covered, once.
        for row in 20..44 {
            assert!((20..44).all(|column| counts[row * 64 + column] == 1), "row {row}");
        }
    }

    #[test]
    fn the_nearer_triangle_is_seen_whichever_came_first() {
        let triangle = |near: f32| [[0.0, 0.0, near], [8.0, 0.0, near], [0.0, 8.0, near]];
        for order in [[1, 2], [2, 1]] {
            let mut visible = Visible::new(8, 8);
            order.iter().for_each(|&face| assert!(visible.fill(triangle(face as f32), face) || face == 1));
            assert_eq!(visible.faces[9], 2);
            assert_eq!(visible.faces[63], 0);
        }
    }
}
