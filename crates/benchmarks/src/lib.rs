//! Work that everybody knows, to judge a learner by: Gymnasium's Hopper, Walker2d, HalfCheetah, Ant and Humanoid, version 5,
//! on MuJoCo. Start reading at [`Locomotion`]'s `step`.
//!
//! They are Gymnasium's to the bit: `tests/agreement.rs` runs both beside each other.
//!
//! And a [`maze`] of two passages, in which what the temperature does is computed and not sampled.

mod error;
mod locomotion;
pub mod maze;
mod name;
mod rules;
mod sums;

pub use error::BenchmarkError;
pub use locomotion::Locomotion;
pub use name::BenchmarkName;
