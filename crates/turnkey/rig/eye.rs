//! The rig's camera.

use super::{Interrupted, RigError};
use std::path::Path;
use std::time::{Duration, Instant};
use turnkey_camera::{CameraConfig, CameraError, Captured, Running};
use turnkey_claw::ClawError;
use turnkey_core::FrameSize;

/// The longest look under torque.
const LONGEST_LOOK: Duration = Duration::from_millis(150);
/// How long a reset waits for a camera that has no picture: longer than it takes to be plugged in again.
const RETURN: Duration = Duration::from_secs(10);
/// How long it waits at a time before it listens whether somebody wants it to stop.
const LISTEN: Duration = Duration::from_millis(50);

/// A camera whose newest frame is there to be taken.
pub(super) struct Eye {
    running: Running,
    max_age: Duration,
    size: FrameSize,
}

impl Eye {
    /// Starts the camera of this file; its stamps are counted from `epoch`. That it has no picture yet is no error.
    ///
    /// # Errors
    /// When its file is not one, or its frames have another size than `seen`.
    pub(super) fn open(file: &Path, seen: FrameSize, epoch: Instant) -> Result<Self, RigError> {
        let config = CameraConfig::load(file)?;
        let found = config.raw().output;
        if found != seen {
            return Err(RigError::FrameSize { file: file.to_owned(), expected: seen, found });
        }
        let max_age = config.max_frame_age();
        Ok(Self { running: Running::start(&config, epoch)?, max_age, size: seen })
    }

    /// The size of its frames.
    pub(super) fn size(&self) -> FrameSize {
        self.size
    }

    /// The newest frame, none older than configured.
    pub(super) fn look(&self) -> Result<Captured, CameraError> {
        let now = Instant::now();
        self.running.slot().wait(now.checked_sub(self.max_age).unwrap_or(now), self.patience())
    }

    /// How long a frame is waited for under torque: as long as one may be old, and never so long that servos take the
    /// silence for the end of this program.
    fn patience(&self) -> Duration {
        self.max_age.min(LONGEST_LOOK)
    }

    /// The first frame taken after now.
    pub(super) fn look_anew(&self) -> Result<Captured, CameraError> {
        self.running.slot().wait(Instant::now(), self.patience())
    }

    /// Waits for a frame while a camera that is gone may come back.
    pub(super) fn wait_for_frame(&self, interrupted: &Interrupted) -> Result<(), RigError> {
        let now = Instant::now();
        loop {
            match self.running.slot().wait(now, LISTEN) {
                Ok(_) => return Ok(()),
                Err(_) if interrupted() => return Err(ClawError::Stopped.into()),
                Err(error) if now.elapsed() > RETURN || !self.running.is_running() => return Err(error.into()),
                Err(_) => {}
            }
        }
    }
}
