//! What a camera shows of the valve's mark, where its file says what that looks like.

use serde::Serialize;
use turnkey_camera::{CameraConfig, CameraError, MarkFinder};
use turnkey_core::Frame;

/// How the mark was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct MarkFigures {
    /// Frames that were looked at.
    frames: u64,
    /// Frames that showed it.
    shown: u64,
    /// The valve's angle by the last of them, degrees from +x.
    angle_degrees: f64,
    /// Pixels of the mark in it.
    pixels: usize,
}

/// Looks for the mark in frame after frame.
pub(super) struct Watched {
    finder: MarkFinder,
    figures: MarkFigures,
}

impl Watched {
    /// `None` where the camera's file has no `[mark]`.
    ///
    /// # Errors
    /// When the camera can't see where the mark goes.
    pub(super) fn new(config: &CameraConfig) -> Result<Option<Self>, CameraError> {
        let looked_for = config.raw().mark.is_some();
        let new = |finder| Self { finder, figures: MarkFigures::default() };
        looked_for.then(|| MarkFinder::new(config).map(new)).transpose()
    }

    pub(super) fn look(&mut self, frame: &Frame) {
        self.figures.frames += 1;
        if let Ok(sight) = self.finder.find(frame) {
            self.figures.shown += 1;
            (self.figures.angle_degrees, self.figures.pixels) = (sight.angle.to_degrees(), sight.pixels);
        }
    }

    pub(super) fn figures(self) -> MarkFigures {
        self.figures
    }
}

impl MarkFigures {
    /// What is wrong, as expected and found; `None` where every frame shows it.
    pub(super) fn missing(&self) -> Option<[String; 2]> {
        let Self { frames, shown, .. } = self;
        (shown < frames).then(|| ["it in every frame".into(), format!("it in {shown} of {frames}")])
    }
}

impl std::fmt::Display for MarkFigures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { frames, shown, angle_degrees, pixels } = self;
        write!(
            f,
            "the valve's mark in {shown} of {frames} frames; last at {angle_degrees:+.1} degrees, by {pixels} pixels"
        )
    }
}
