//! From what a camera gives to the frames that a policy sees, and what can go wrong with a picture on the way.
//!
//! A [`Pipeline`] makes a frame of a [`RawFrame`], the same way whether the twin drew it, a camera sent it or a recording
//! held it. A [`Perturber`] changes frames as bad light, a bumped camera or a hand in the picture would.
//!
//! Nothing here opens a file or reads a clock: bytes come in, frames go out.

mod effect;
mod error;
mod family;
mod format;
mod jpeg;
mod perturbation;
mod perturber;
mod pipeline;
mod png;
mod raw;
mod resize;

pub use error::PictureError;
pub use family::Family;
pub use format::{MAX_PIXELS, MAX_SIDE, RawFormat};
pub use jpeg::jpeg_from_frame;
pub use perturbation::FramePerturbation;
pub use perturber::{Draw, Perturber, PerturberConfig};
pub use pipeline::{Pipeline, PipelineConfig};
pub use png::png_from_frame;
pub use raw::RawFrame;
pub use resize::Crop;

use std::sync::Arc;
use turnkey_core::{Frame, FrameSize, Stamp};

/// A frame of pixels that were made for its size.
fn frame(stamp: Stamp, size: FrameSize, pixels: Arc<[u8]>) -> Frame {
    Frame::new(stamp, size, pixels).expect("the pixels were made for this size")
}

/// A picture for tests: smooth shades with an edge.
#[cfg(test)]
fn sample(size: FrameSize) -> Frame {
    let shade = |x: usize, y: usize| {
        let edge = if x > y { 60 } else { 0 };
        [(x * 4 % 256) as u8, (y * 5 % 256) as u8, (x + y) as u8 + edge]
    };
    let pixels: Vec<u8> = (0..size.height).flat_map(|y| (0..size.width).flat_map(move |x| shade(x, y))).collect();
    frame(Stamp::default(), size, pixels.into())
}
