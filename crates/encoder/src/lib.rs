//! From pictures to features: a convolutional encoder as one fused operation of burn, forward and back, and the random
//! shifts that keep it from learning pixels by heart.
//!
//! An [`EncoderShape`] is what an [`EncoderName`] comes to on pictures of one shape; [`encode`] computes its features
//! from parameters in one flat vector. Pictures are `[batch, height, width, channels]`, so that what a kernel covers
//! lies in a few contiguous runs.
//!
//! This crate knows numbers in and numbers out: no radians, no valve, no camera.

mod composed;
mod kernel;
#[doc(hidden)]
pub mod matrix;
#[doc(hidden)]
pub mod norm;
pub mod ops;
mod shape;
mod shift;

pub use ops::encode;
pub use shape::{Conv, EncoderError, EncoderName, EncoderShape};
pub use shift::{scaled, shift};
