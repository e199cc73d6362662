//! From a camera to the frame that a policy sees, and never an older one than asked for.
//!
//! A [`Source`] gives raw buffers: a device of the system (`V4l2`, with the feature `v4l2`), a recording (`Replay`) or
//! another process ([`Stream`]). `capture` decodes, cuts out and resizes them, refuses what is damaged, reopens a source
//! that stalls or is gone, and keeps the newest frame in a [`NewestFrame`], with its time and number. All of that is the same
//! whatever the source: the seam is below the decoder.
//!
//! [`Running`] does this on a thread of its own, from a [`CameraConfig`] to a slot.

mod capture;
mod clock;
mod config;
mod error;
mod mark;
mod raw;
mod record;
mod replay;
mod running;
mod slot;
mod source;
mod stream;
#[cfg(feature = "v4l2")]
mod v4l2;
mod view;

pub(crate) use capture::capture;
pub use config::{CameraConfig, Controls, Device, RawCameraConfig, WatchdogSettings};
pub use error::CameraError;
pub use mark::{MarkConfig, MarkFinder, MarkReading, MarkSight, MarkTracker};
pub use raw::{CameraFormat, RawBuffer};
pub use record::Recorder;
pub(crate) use replay::Replay;
pub use running::Running;
pub use slot::{Captured, Counts, NewestFrame};
pub use source::{Source, source};
pub use stream::{Stream, StreamServer};
#[cfg(feature = "v4l2")]
pub(crate) use v4l2::V4l2;
#[cfg(feature = "v4l2")]
pub use v4l2::{Found, FoundFormat, FoundSize, list};
pub use view::{Nudge, View};
