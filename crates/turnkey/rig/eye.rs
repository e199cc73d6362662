//! The rig's camera: what it shows a policy, and where it sees the valve.

use super::{Interrupted, Rig, RigError};
use crate::config::ValveBy;
use std::path::Path;
use std::time::{Duration, Instant};
use turnkey_camera::{CameraConfig, CameraError, Captured, MarkFinder, MarkReading, MarkTracker, Running};
use turnkey_claw::ClawError;
use turnkey_core::{Frame, FrameSize, PictureHealth, Stamp, ValveReading};

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
    /// The size of the frames that a policy gets, where it gets any.
    shown: Option<FrameSize>,
    /// What follows the valve's mark, where that tells the valve's angle.
    mark: Option<MarkTracker>,
}

/// What was seen at one moment.
pub(super) struct Look {
    /// What a policy gets of it.
    pub(super) frame: Option<Frame>,
    captured: Instant,
    number: u64,
    age: Duration,
    valve: Option<MarkReading>,
}

impl Look {
    /// How the picture was, beside a reading of the joints at that time.
    pub(super) fn health(&self, joints: Instant) -> PictureHealth {
        let skew = self.captured.max(joints) - self.captured.min(joints);
        PictureHealth { number: self.number, age: self.age, skew }
    }

    /// The valve by its mark, where that is looked for, with the stamp of the frame that showed it.
    pub(super) fn valve(&self, epoch: Instant) -> Option<ValveReading> {
        let MarkReading { angle, velocity, captured } = self.valve?;
        Some(ValveReading { angle, velocity, stamp: Stamp(captured.saturating_duration_since(epoch)) })
    }
}

impl Eye {
    /// Starts the camera of this file; its stamps are counted from `epoch`. That it has no picture yet is no error.
    ///
    /// # Errors
    /// When its file is not one, its frames have another size than the policy is to be `shown`, or the valve's mark is to be
    /// looked for and can't be seen from there.
    pub(super) fn open(
        file: &Path,
        shown: Option<FrameSize>,
        valve: ValveBy,
        epoch: Instant,
    ) -> Result<Self, RigError> {
        let config = CameraConfig::load(file)?;
        let found = config.raw().output;
        if let Some(expected) = shown.filter(|shown| *shown != found) {
            return Err(RigError::FrameSize { file: file.to_owned(), expected, found });
        }
        let mark = match valve {
            ValveBy::Servo => None,
            ValveBy::Mark => Some(MarkTracker::new(MarkFinder::new(&config)?)),
        };
        Ok(Self { running: Running::start(&config, epoch)?, max_age: config.max_frame_age(), shown, mark })
    }

    /// The size of the frames that a policy gets.
    pub(super) fn shown(&self) -> Option<FrameSize> {
        self.shown
    }

    /// The newest frame of those taken `since` then, none older than configured; where the valve's mark is followed, one that
    /// shows where it is.
    ///
    /// # Errors
    /// When there is none such for as long as one is waited for.
    pub(super) fn look(&mut self, mut since: Instant) -> Result<Look, CameraError> {
        let until = Instant::now() + self.patience();
        let mut covered = None;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let captured = self.running.slot().wait(since, left).map_err(|late| covered.take().unwrap_or(late))?;
            since = captured.captured + Duration::from_nanos(1);
            if captured.age > self.max_age {
                continue; // it came while one was waited for, and too late
            }
            match self.mark.as_mut().map(|mark| mark.follow(&captured)).transpose() {
                Ok(valve) => return Ok(self.looked(captured, valve)),
                // The next frame may show the mark.
                Err(error) => covered = Some(error),
            }
        }
    }

    fn looked(&self, captured: Captured, valve: Option<MarkReading>) -> Look {
        let Captured { frame, sequence: number, captured, age, .. } = captured;
        Look { frame: self.shown.map(|_| frame), captured, number, age, valve }
    }

    /// Whether there is a frame no older than configured.
    pub(super) fn has_frame(&self) -> bool {
        let now = Instant::now();
        let since = now.checked_sub(self.max_age).unwrap_or(now);
        self.running.slot().wait(since, self.patience()).is_ok_and(|captured| captured.age <= self.max_age)
    }

    /// How long a frame is waited for under torque: as long as one may be old, and never so long that servos take the
    /// silence for the end of this program.
    fn patience(&self) -> Duration {
        self.max_age.min(LONGEST_LOOK)
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

impl Rig {
    /// Goes on once there are pictures; without any, it waits without torque.
    pub(super) fn wait_for_sight(&mut self) -> Result<(), RigError> {
        if self.eye.as_ref().is_none_or(Eye::has_frame) {
            return Ok(());
        }
        self.let_go()?;
        self.eye.as_ref().map_or(Ok(()), |eye| eye.wait_for_frame(&self.interrupted))
    }

    /// What the camera shows, and has shown since `begun`, where there is one. Without a picture the claw is let go of.
    pub(super) fn look(&mut self, begun: Instant) -> Result<Option<Look>, RigError> {
        let looked = self.eye.as_mut().map(|eye| eye.look(begun)).transpose();
        if looked.is_err() {
            self.let_go()?;
        }
        Ok(looked?)
    }
}
