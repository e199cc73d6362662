//! Replay of exact transitions, in memory and in files that outlive a crash.
//!
//! [`Replay`] keeps the newest transitions in memory and hands out uniform samples. Each row holds its
//! own next observation, so the last step of an episode is never joined to the first sight of the
//! next one.

mod error;
mod ring;
mod row;

pub use error::ReplayError;
pub use ring::Replay;
pub use row::Widths;
