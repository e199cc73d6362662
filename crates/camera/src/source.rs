//! What pictures come from, and the seam for other sources.

use crate::{CameraConfig, CameraError, Device, RawBuffer, Replay, Stream};
use std::time::Duration;

/// Something that gives raw buffers. It can be opened again after it was lost or closed.
pub trait Source: Send {
    /// Opens it, in place of what was open.
    ///
    /// # Errors
    /// When it isn't there, is not as configured, or is another's.
    fn open(&mut self) -> Result<(), CameraError>;

    /// The next buffer, or none if nothing came for as long as `patience`; never blocks much longer.
    ///
    /// # Errors
    /// When it is gone, or over ([`CameraError::Ended`]).
    fn next(&mut self, patience: Duration) -> Result<Option<RawBuffer>, CameraError>;

    /// Closes it; what is closed stays closed.
    fn close(&mut self);
}

/// The source that a configuration names, not yet opened.
///
/// # Errors
/// When it is a camera of the system, and this program was built without them.
pub fn source(config: &CameraConfig) -> Result<Box<dyn Source>, CameraError> {
    Ok(match config.device() {
        Device::Socket(path) => Box::new(Stream::new(config.name(), path)),
        Device::File(path) => Box::new(Replay::new(path, config.size(), config.period(), config.raw().repeat)),
        #[cfg(feature = "v4l2")]
        Device::Video(path) => Box::new(crate::V4l2::new(config, path)),
        #[cfg(not(feature = "v4l2"))]
        Device::Video(_) => {
            return Err(CameraError::Open {
                camera: config.name().into(),
                expected: "a program that knows the system's cameras".into(),
                found: "one that was built without the feature `camera`".into(),
                fix: "build with it: `cargo build --release`, or `--no-default-features --features camera`",
            });
        }
    })
}
