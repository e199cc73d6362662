//! Work that everybody knows, to judge a learner by: Gymnasium's Hopper, Walker2d, HalfCheetah, Ant and Humanoid, version 5,
//! on MuJoCo. Start reading at [`Locomotion`]'s `step`.
//!
//! They are Gymnasium's to the bit: `tests/agreement.rs` runs both beside each other.

mod error;
mod locomotion;
mod name;
mod rules;
mod sums;

pub use error::BenchmarkError;
pub use locomotion::Locomotion;
pub use name::BenchmarkName;
