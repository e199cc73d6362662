//! Where the twin sees what the camera sees: a search over views.

use turnkey_camera::{Nudge, View};
use turnkey_core::Frame;

/// Where two pictures are most alike, as a search found it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fit {
    /// The view.
    pub(super) view: View,
    /// How alike pictures are there, 1 at most.
    pub(super) likeness: f64,
    /// How alike they were where the search began.
    pub(super) before: f64,
    /// How many pictures were drawn for it.
    pub(super) pictures: usize,
}

/// How far pixels are mixed with their neighbours, from coarse to fine: thin fingers that are a little apart are alike in a
/// blurred picture alone.
const BLURS: [usize; 4] = [6, 3, 1, 0];
/// From how many of the grid's places a search goes on.
const PLACES: usize = 4;

impl Fit {
    /// Searches within some 50 degrees and a quarter of the distance of `start`: first on a grid, then from its best places along
    /// one number after the other, in steps that become smaller. Focal length and distance look nearly the same, so that only
    /// the distance is searched for.
    pub(super) fn search(camera: &Frame, start: View, draw: impl Fn(&View) -> Frame) -> Self {
        let mut pictures = 0;
        let mut score = |camera: &Picture, view: &View, blur| {
            pictures += 1;
            camera.likeness(&Picture::new(&draw(view), blur))
        };
        let before = score(&Picture::new(camera, 0), &start, 0);
        let coarse = Picture::new(camera, BLURS[0]);
        let mut places: Vec<(View, f64)> = grid(&start).map(|view| (view, score(&coarse, &view, BLURS[0]))).collect();
        places.sort_by(|a, b| b.1.total_cmp(&a.1));
        places.truncate(PLACES);
        for (level, blur) in BLURS.into_iter().enumerate() {
            let camera = Picture::new(camera, blur);
            for (view, found) in &mut places {
                *found = score(&camera, view, blur);
                for halving in 0..3 {
                    let scale = 0.5_f32.powi(level as i32 + halving);
                    while step(view, found, scale, |view| score(&camera, view, blur)) {}
                }
            }
        }
        let best = places.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|best| best.1 > before);
        let (view, likeness) = best.unwrap_or((start, before));
        Self { view, likeness, before, pictures }
    }
}

/// Views round about.
fn grid(start: &View) -> impl Iterator<Item = View> {
    let (start, away) = (*start, start.distance());
    let azimuths = (-4..=4).map(|i| 12.0 * i as f32);
    azimuths.flat_map(move |azimuth_degrees| {
        [-12.0, 0.0, 12.0].into_iter().flat_map(move |elevation_degrees| {
            [-0.2, 0.0, 0.25].map(|part| {
                start.nudged(&Nudge { azimuth_degrees, elevation_degrees, distance: part * away, ..Nudge::default() })
            })
        })
    })
}

/// Takes every step that makes pictures more alike, each way along each number; says whether there was one.
fn step(view: &mut View, found: &mut f64, scale: f32, mut score: impl FnMut(&View) -> f64) -> bool {
    let away = view.distance();
    let mut better = false;
    for way in [scale, -scale] {
        for nudge in [
            Nudge { azimuth_degrees: 6.0 * way, ..Nudge::default() },
            Nudge { elevation_degrees: 6.0 * way, ..Nudge::default() },
            Nudge { distance: 0.1 * way * away, ..Nudge::default() },
            Nudge { shift: [0.05 * way * away, 0.0, 0.0], ..Nudge::default() },
            Nudge { shift: [0.0, 0.05 * way * away, 0.0], ..Nudge::default() },
        ] {
            let next = view.nudged(&nudge);
            let likeness = score(&next);
            if likeness > *found + 1e-6 {
                (*view, *found, better) = (next, likeness, true);
            }
        }
    }
    better
}

/// How alike two pictures of one size are, 1 at most, whatever their brightness and contrast: the correlation of their grey
/// levels.
#[must_use]
pub(super) fn likeness(a: &Frame, b: &Frame) -> f64 {
    Picture::new(a, 0).likeness(&Picture::new(b, 0))
}

/// Grey levels about their mean, with their norm.
struct Picture {
    levels: Vec<f32>,
    norm: f64,
}

impl Picture {
    fn new(frame: &Frame, blur: usize) -> Self {
        let (width, height) = (frame.size().width, frame.size().height);
        let grey = frame.pixels().chunks_exact(3).map(|rgb| rgb.iter().map(|level| f32::from(*level)).sum());
        let mut levels: Vec<f32> = grey.collect();
        // Twice a box, along rows and along columns: nearly a Gaussian.
        for _ in 0..if blur > 0 { 2 } else { 0 } {
            levels = along(&levels, width, height, blur);
            levels = along(&levels, height, width, blur);
        }
        let mean = levels.iter().sum::<f32>() / levels.len() as f32;
        levels.iter_mut().for_each(|level| *level -= mean);
        let norm = product(&levels, &levels).sqrt();
        Self { levels, norm }
    }

    fn likeness(&self, other: &Self) -> f64 {
        let norm = self.norm * other.norm;
        if norm > 0.0 { product(&self.levels, &other.levels) / norm } else { 0.0 }
    }
}

fn product(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum()
}

/// Means of `reach` pixels to either side along the rows of `[height, width]`, given back as `[width, height]`.
fn along(levels: &[f32], width: usize, height: usize, reach: usize) -> Vec<f32> {
    let mut turned = vec![0.0; levels.len()];
    for (y, row) in levels.chunks_exact(width).enumerate() {
        for x in 0..width {
            let near = &row[x.saturating_sub(reach)..(x + reach + 1).min(width)];
            turned[x * height + y] = near.iter().sum::<f32>() / near.len() as f32;
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::{FrameSize, Stamp};

    fn grey(levels: &[u8], width: usize) -> Frame {
        let pixels: Vec<u8> = levels.iter().flat_map(|level| [*level; 3]).collect();
        Frame::new(Stamp::default(), FrameSize { width, height: levels.len() / width }, pixels).unwrap()
    }

    #[test]
    fn likeness_is_of_what_is_seen_and_not_of_how_bright_it_is() {
        let of = |a: [u8; 3], b: [u8; 3]| likeness(&grey(&a, 3), &grey(&b, 3));
        assert!((of([10, 20, 40], [25, 45, 85]) - 1.0).abs() < 1e-6);
        assert!((of([10, 20, 40], [40, 30, 10]) + 1.0).abs() < 1e-6);
        assert!(of([7; 3], [10, 20, 40]).abs() < 1e-6, "nothing is to be seen");
    }

    #[test]
    fn a_blur_mixes_neighbours_of_both_directions_and_turns_nothing() {
        let levels = [0.0, 0.0, 9.0, 0.0, 0.0, 0.0];
        let rows = along(&levels, 3, 2, 1);
        assert_eq!(rows, [0.0, 0.0, 3.0, 0.0, 4.5, 0.0], "means along rows, laid along columns");
        let both = along(&rows, 2, 3, 1);
        assert_eq!(both, [0.0, 1.5, 2.25, 0.0, 1.5, 2.25]);
    }
}
