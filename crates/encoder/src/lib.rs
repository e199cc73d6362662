//! Pictures into features: a convolutional encoder as one fused operation of burn, and augmentations of pictures.
//!
//! [`EncoderShape`] says which layers, and where their parameters lie in one flat vector; [`encode_bytes`] is the
//! encoder of pictures as a camera gives them, [`encode`] that of numbers, differentiable in these as well.
//!
//! This crate knows pictures and numbers: nothing of what is on them.

mod composed;
mod config;
#[doc(hidden)]
pub mod flex;
mod init;
mod kernel;
#[cfg(test)]
mod known;
#[doc(hidden)]
pub mod matrix;
#[doc(hidden)]
pub mod norm;
pub mod ops;
mod photometric;
mod shape;
mod shift;

pub use composed::encode as encode_composed;
pub use config::{Convolution, EncoderConfig, EncoderName};
pub use init::first_parameters;
pub use kernel::{Input, Wanted, seen};
pub use ops::{encode, encode_bytes};
pub use photometric::{Photometric, PhotometricError};
pub use shape::{ConvLayer, EncoderShape, EncoderShapeError, HeadLayer};
pub use shift::{random_shift, random_shift_into};
