//! Replay of exact transitions, in memory and in files that outlive a crash.
//!
//! [`Replay`] keeps the newest transitions in memory and hands out uniform samples. Each row holds its
//! own next observation, so the last step of an episode is never joined to the first sight of the
//! next one. Pictures are kept beside the rows, each frame once, and put together to stacks as they are
//! sampled; a stack begins anew with each episode.
//!
//! [`ReplayLog`] appends the same transitions to files. A checkpoint stores the count that
//! [`ReplayLog::sync`] returns; [`ReplayLog::resume`] gives back the replay exactly as it was then, so
//! that the samples which follow are the same to the bit.
//!
//! Rows that turned out not to be worth learning from are discarded in both: they keep their numbers and places, and are never
//! sampled again.

mod discarded;
mod error;
mod log;
mod ring;
mod row;
mod slots;
mod stacks;
mod track;

pub use error::ReplayError;
pub use log::{Format, ReplayLog};
pub use ring::Replay;
pub use row::Widths;
