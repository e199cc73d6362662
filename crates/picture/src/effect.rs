//! What each perturbation does to a frame.

mod blur;
mod bump;
mod hand;
mod hold;
mod noise;
mod patch;
mod tone;

use crate::{FramePerturbation as P, RawFormat, RawFrame, jpeg_from_frame};
use serde::{Deserialize, Serialize};
use turnkey_core::{Frame, FrameSize, Rng};

/// A perturbation with what was drawn for the episode, and the frames that it keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Effect {
    Levels(tone::Levels),
    Blur { sigma: f32 },
    Noise { shot: f32, read: f32 },
    Jpeg { quality: u8 },
    Patch(patch::Patch),
    Hand(hand::Hand),
    Dropped(hold::Dropped),
    Late(hold::Late),
    Bump(bump::Bump),
}

impl Effect {
    /// Draws what stays the same for an episode.
    pub(crate) fn begin(perturbation: P, rng: &mut Rng) -> Self {
        match perturbation {
            P::Exposure { .. } | P::WhiteBalance { .. } | P::Tone { .. } => {
                Self::Levels(tone::Levels::new(perturbation))
            }
            P::Blur { sigma } => Self::Blur { sigma },
            P::Noise { shot, read } => Self::Noise { shot, read },
            P::Jpeg { quality } => Self::Jpeg { quality },
            P::Occlusion { fraction, speed } => Self::Patch(patch::Patch::draw(fraction, speed, rng)),
            P::Hand { size, reach, period_secs } => Self::Hand(hand::Hand::draw(size, reach, period_secs, rng)),
            P::Dropped { probability } => Self::Dropped(hold::Dropped::new(probability)),
            P::Late { frames } => Self::Late(hold::Late::new(frames)),
            P::Bump { rotation, translation, zoom } => Self::Bump(bump::Bump::draw(rotation, translation, zoom, rng)),
        }
    }

    /// What comes out for a frame that has pixels, `seconds` into the episode.
    pub(crate) fn apply(&mut self, frame: Frame, seconds: f32, rng: &mut Rng) -> Frame {
        match self {
            Self::Levels(levels) => repainted(&frame, |_, pixels| levels.apply(pixels)),
            Self::Blur { sigma } => repainted(&frame, |size, pixels| blur::blur(size, pixels, *sigma)),
            Self::Noise { shot, read } => repainted(&frame, |_, pixels| noise::add(pixels, *shot, *read, rng)),
            Self::Jpeg { quality } => recompressed(frame, *quality),
            Self::Patch(patch) => repainted(&frame, |size, pixels| patch.paint(size, pixels, seconds)),
            Self::Hand(hand) => repainted(&frame, |size, pixels| hand.paint(size, pixels, seconds)),
            Self::Dropped(dropped) => dropped.next(frame, rng),
            Self::Late(late) => late.next(frame),
            Self::Bump(bump) => repainted(&frame, |size, pixels| bump.apply(size, pixels)),
        }
    }
}

/// A copy of the frame, painted over.
fn repainted(frame: &Frame, paint: impl FnOnce(FrameSize, &mut [u8])) -> Frame {
    let mut pixels = frame.pixels().to_vec();
    paint(frame.size(), &mut pixels);
    crate::frame(frame.stamp(), frame.size(), pixels.into())
}

/// The frame after having been a JPEG. One that is too large to be a picture can't be, and stays as it is.
fn recompressed(frame: Frame, quality: u8) -> Frame {
    let (stamp, size) = (frame.stamp(), frame.size());
    let mut pixels = Vec::new();
    let decoded = jpeg_from_frame(&frame, quality)
        .and_then(|bytes| RawFrame { format: RawFormat::Jpeg, size, bytes: &bytes, stamp }.decode(&mut pixels));
    match decoded {
        Ok(()) => crate::frame(stamp, size, pixels.into()),
        Err(_) => frame,
    }
}

/// Lays `color` over a pixel with an opacity from 0 to 1.
fn lay_over(pixel: &mut [u8], color: [f32; 3], opacity: f32) {
    for (level, color) in pixel.iter_mut().zip(color) {
        *level = (f32::from(*level) + opacity * (color - f32::from(*level)) + 0.5) as u8;
    }
}
