//! The valve's angle from its coloured mark: where on the valve pixels of the mark's colour lie, seen from its middle.

mod config;
mod track;

pub use config::MarkConfig;
pub use track::{MarkReading, MarkTracker};

use crate::{CameraConfig, CameraError, View};
use turnkey_core::{Frame, FrameSize};
use turnkey_picture::Crop;

/// Pixels of the mark lie in one direction if the way from the valve's middle to their mean is at least this share of their mean
/// distance. The mark alone has 0.98, with a finger over half of it still 0.97; two of it a quarter of a turn apart have 0.71.
const ONE_WAY: f64 = 0.85;

/// Finds the mark in frames of one camera.
#[derive(Clone, Debug)]
pub struct MarkFinder {
    camera: String,
    mark: MarkConfig,
    size: FrameSize,
    /// Pixels that can show the mark: their place in the frame, and what they show of its plane, m from the valve's axis.
    places: Vec<(usize, [f64; 2])>,
}

/// The mark in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarkSight {
    /// The valve's angle, rad, in [-pi, pi): 0 where the mark points along +x.
    pub angle: f64,
    /// Pixels that showed the mark.
    pub pixels: usize,
}

impl MarkFinder {
    /// For the frames of this camera, which is where its `[view]` says, or the twin's default.
    ///
    /// # Errors
    /// When its file has no `[mark]`, or the camera doesn't see where the mark goes.
    pub fn new(config: &CameraConfig) -> Result<Self, CameraError> {
        let raw = config.raw();
        let refuse = |field: &str, expected: &str, found: String, fix| CameraError::Config {
            file: config.name().to_owned(),
            field: field.into(),
            expected: expected.into(),
            found,
            fix,
        };
        let mark = raw.mark.ok_or_else(|| {
            refuse(
                "mark",
                "what the valve's mark looks like",
                "nothing".into(),
                "copy [mark] from hardware/camera.toml",
            )
        })?;
        let crop = raw.crop.unwrap_or(Crop::whole(config.size()));
        let view = raw.view.unwrap_or_default();
        let places = places(&mark, &view, config.size(), crop, raw.output);
        if places.len() < mark.least_pixels {
            let found = format!("{} pixels of frames of {}", places.len(), raw.output);
            let fix = "see [view], crop and output: the valve must be in the picture";
            return Err(refuse("mark", "to see where the valve's mark goes", found, fix));
        }
        Ok(Self { camera: config.name().to_owned(), mark, size: raw.output, places })
    }

    /// The mark in a frame.
    ///
    /// # Errors
    /// When too little of it is seen, things of its colour lie in several directions, or the frame has another size: another
    /// frame may show it.
    pub fn find(&self, frame: &Frame) -> Result<MarkSight, CameraError> {
        let refuse =
            |expected: String, found: String| Err(CameraError::NoMark { camera: self.camera.clone(), expected, found });
        if frame.size() != self.size {
            return refuse(format!("a frame of {}", self.size), frame.size().to_string());
        }
        let (mut pixels, mut sum, mut distances) = (0, [0.0; 2], 0.0);
        for (at, [x, y]) in &self.places {
            let weight = self.mark.likeness([0, 1, 2].map(|channel| frame.pixels()[at + channel]));
            if weight > 0.0 {
                pixels += 1;
                sum = [sum[0] + weight * x, sum[1] + weight * y];
                distances += weight * x.hypot(*y);
            }
        }
        let least = self.mark.least_pixels;
        if pixels < least {
            return refuse(format!("at least {least} pixels of its colour"), pixels.to_string());
        }
        let share = sum[0].hypot(sum[1]) / distances;
        if share < ONE_WAY {
            let found = format!("{pixels} pixels that are spread about it ({share:.2} of {ONE_WAY})");
            return refuse("its colour on one side of the valve".into(), found);
        }
        Ok(MarkSight { angle: sum[1].atan2(sum[0]), pixels })
    }
}

/// The pixels of the output that can show the mark, with what they show of its plane.
fn places(mark: &MarkConfig, view: &View, whole: FrameSize, crop: Crop, output: FrameSize) -> Vec<(usize, [f64; 2])> {
    let camera = view.camera();
    let along = |at: usize, start: usize, length: usize, pixels: usize| {
        start as f32 + (at as f32 + 0.5) * length as f32 / pixels as f32
    };
    let [nearest, furthest] = mark.radius;
    let pixels = (0..output.height).flat_map(|row| (0..output.width).map(move |column| (column, row)));
    pixels
        .filter_map(|(column, row)| {
            let seen =
                [along(column, crop.left, crop.width, output.width), along(row, crop.top, crop.height, output.height)];
            let [x, y] = camera.on_plane(seen, whole, mark.height)?.map(f64::from);
            let within = (nearest..=furthest).contains(&x.hypot(y));
            within.then_some((3 * (row * output.width + column), [x, y]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::Stamp;

    const CAMERA: &str = "device = \"0\"\nformat = \"rgb24\"\nwidth = 96\nheight = 96\nrate = 30\nmax_frame_age_secs = 0.15\n\
                          output = { width = 48, height = 48 }\n";

    fn finder(more: &str) -> Result<MarkFinder, CameraError> {
        MarkFinder::new(&CameraConfig::parse(&format!("{CAMERA}{more}"), "camera.toml")?)
    }

    /// Grey, and blue where the picture's plane is within `reach` (m) of a point at 50 mm in each of these directions (rad).
    fn blots(directions: &[f64], reach: f64) -> Frame {
        let finder = finder("[mark]\n").unwrap();
        let mut pixels = vec![120; 48 * 48 * 3];
        for (at, [x, y]) in &finder.places {
            if directions.iter().any(|angle| (x - 0.05 * angle.cos()).hypot(y - 0.05 * angle.sin()) < reach) {
                pixels[*at..at + 3].copy_from_slice(&[12, 60, 210]);
            }
        }
        Frame::new(Stamp::default(), FrameSize { width: 48, height: 48 }, pixels).unwrap()
    }

    #[test]
    fn a_blot_is_found_in_its_direction_and_its_brightness_does_not_matter() {
        let finder = finder("[mark]\n").unwrap();
        for angle in [-3.0, -1.5, 0.0, 0.7, 2.0, 3.1] {
            let frame = blots(&[angle], 0.012);
            let dark: Vec<u8> = frame.pixels().iter().map(|level| level / 3).collect();
            let dark = Frame::new(Stamp::default(), frame.size(), dark).unwrap();
            for frame in [frame, dark] {
                let sight = finder.find(&frame).unwrap();
                assert!((sight.angle - angle).abs() < 0.03 && sight.pixels >= 15, "{angle}: {sight:?}");
            }
        }
    }

    #[test]
    fn nothing_too_little_and_two_marks_are_refused_to_be_tried_again() {
        let finder = finder("[mark]\n").unwrap();
        for (frame, expected) in [
            (blots(&[], 0.012), "at least 10 pixels of its colour, got 0"),
            (blots(&[1.0], 0.004), "at least 10 pixels"),
            (blots(&[0.0, 2.0], 0.012), "on one side of the valve"),
            (Frame::new(Stamp::default(), FrameSize { width: 1, height: 1 }, vec![0; 3]).unwrap(), "a frame of 48x48"),
        ] {
            let error = finder.find(&frame).unwrap_err();
            assert_eq!(error.kind(), turnkey_core::Kind::Retry);
            assert!(error.to_string().contains(expected) && error.to_string().contains("\n  fix: "), "{error}");
        }
    }

    #[test]
    fn a_camera_that_cannot_see_the_mark_is_refused_with_the_fix() {
        for (more, expected) in [
            ("", "copy [mark] from hardware/camera.toml"),
            ("[mark]\nradius = [0.05, 0.01]\n", "mark.radius"),
            ("[mark]\nhue_degrees = 500\n", "mark.hue_degrees"),
            ("[mark]\nleast_pixels = 0\n", "mark.least_pixels"),
            ("[mark]\nheight = nan\n", "mark.height"),
            ("[mark]\ncolour = 3\n", "colour"),
            (
                "[mark]\n[view]\nposition = [2.0, 0.0, 0.3]\nlook_at = [3.0, 0.0, 0.3]\nvertical_fov_degrees = 40\n",
                "the valve must be in the picture",
            ),
        ] {
            let error = finder(more).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("fix"), "{more}: {error}");
        }
    }

    #[test]
    fn a_crop_is_part_of_where_a_pixel_looks() {
        let whole = finder("[mark]\n").unwrap();
        let cut = finder("crop = { left = 48, top = 0, width = 48, height = 96 }\n[mark]\n").unwrap();
        assert!(cut.places.iter().all(|(_, [x, _])| *x > 0.0), "the right half");
        let most = |finder: &MarkFinder| finder.places.iter().map(|(_, [x, _])| *x).fold(0.0, f64::max);
        assert!((most(&whole) - most(&cut)).abs() < 0.004);
    }
}
