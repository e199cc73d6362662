//! The slot that holds the newest frame, and nothing else.

use crate::CameraError;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use turnkey_core::Frame;

/// A frame with all that is known of when it was.
#[derive(Clone, Debug)]
pub struct Captured {
    /// The frame; its stamp is `captured`, since the epoch that the capture was given.
    pub frame: Frame,
    /// Its number in this slot, from 1.
    pub sequence: u64,
    /// When it was taken.
    pub captured: Instant,
    /// When it was in the slot, decoded.
    pub arrived: Instant,
    /// How old it was when it was handed over.
    pub age: Duration,
}

/// What became of buffers since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Frames that were put into the slot.
    pub frames: u64,
    /// Buffers that were no picture of the size announced and configured: damaged, cut short, of another size.
    pub refused: u64,
    /// Frames that the source numbered and nobody got.
    pub missed: u64,
    /// Times the source gave nothing for too long.
    pub stalls: u64,
    /// Times the source was gone, or could not be opened.
    pub losses: u64,
    /// Times the source was opened again.
    pub reopened: u64,
}

/// The newest frame of one camera. Whoever captures puts frames in; whoever controls takes the newest, or waits.
#[derive(Debug)]
pub struct NewestFrame {
    camera: String,
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    newest: Option<Newest>,
    counts: Counts,
    /// What last went wrong, until the next frame.
    trouble: Option<String>,
    /// Nothing will come any more.
    closed: bool,
}

#[derive(Clone, Debug)]
struct Newest {
    frame: Frame,
    sequence: u64,
    captured: Instant,
    arrived: Instant,
}

impl NewestFrame {
    /// An empty slot for the camera of this name.
    #[must_use]
    pub fn new(camera: impl Into<String>) -> Self {
        Self { camera: camera.into(), inside: Mutex::default(), changed: Condvar::new() }
    }

    /// The camera's name.
    #[must_use]
    pub fn camera(&self) -> &str {
        &self.camera
    }

    /// The newest frame, once there is one that was taken at `not_older_than` or later. Waits for it, `patience` at most.
    ///
    /// # Errors
    /// When none came in that time, or none can come any more: with how old the newest is, and what went wrong.
    pub fn wait(&self, not_older_than: Instant, patience: Duration) -> Result<Captured, CameraError> {
        let start = Instant::now();
        let deadline = start + patience;
        let mut inside = self.lock();
        loop {
            if let Some(newest) = inside.newest.as_ref().filter(|newest| newest.captured >= not_older_than) {
                return Ok(newest.handed_over());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || inside.closed {
                return Err(CameraError::NoFrame {
                    camera: self.camera.clone(),
                    wanted: start.saturating_duration_since(not_older_than),
                    newest: inside.newest.as_ref().map(|newest| newest.captured.elapsed()),
                    waited: start.elapsed(),
                    because: inside.trouble.clone(),
                });
            }
            inside = self.changed.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The newest frame of all, however old.
    #[must_use]
    pub fn newest(&self) -> Option<Captured> {
        self.lock().newest.as_ref().map(Newest::handed_over)
    }

    /// What became of buffers so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// What last went wrong, if no frame came since.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.lock().trouble.clone()
    }

    /// Puts a frame in. One that was taken before the newest is dropped: time never goes back in a slot.
    pub(crate) fn put(&self, frame: Frame, captured: Instant) {
        let mut inside = self.lock();
        if inside.newest.as_ref().is_some_and(|newest| newest.captured > captured) {
            return;
        }
        inside.counts.frames += 1;
        inside.trouble = None;
        let sequence = inside.counts.frames;
        inside.newest = Some(Newest { frame, sequence, captured, arrived: Instant::now() });
        self.changed.notify_all();
    }

    /// Counts what happened.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.lock().counts);
    }

    /// Remembers what went wrong, for whoever waits in vain.
    pub(crate) fn note(&self, trouble: String) {
        self.lock().trouble = Some(trouble);
    }

    /// Says that nothing will come any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // What a panic left behind is a frame and counters, each whole by itself.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Newest {
    fn handed_over(&self) -> Captured {
        let Self { frame, sequence, captured, arrived } = self.clone();
        Captured { frame, sequence, captured, arrived, age: captured.elapsed() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::{FrameSize, Stamp};

    fn frame(level: u8) -> Frame {
        Frame::new(Stamp::default(), FrameSize { width: 1, height: 1 }, vec![level; 3]).unwrap()
    }

    const NO_TIME: Duration = Duration::ZERO;

    #[test]
    fn a_frame_older_than_asked_for_is_never_given() {
        let slot = NewestFrame::new("front");
        let now = Instant::now();
        slot.put(frame(1), now);
        assert!(slot.wait(now, NO_TIME).is_ok());
        assert!(slot.wait(now + Duration::from_nanos(1), NO_TIME).is_err());
    }

    #[test]
    fn the_newest_wins_and_a_late_one_is_dropped() {
        let slot = NewestFrame::new("front");
        let now = Instant::now();
        for (level, millis) in [(1, 0), (3, 20), (2, 10)] {
            slot.put(frame(level), now + Duration::from_millis(millis));
        }
        let captured = slot.wait(now, NO_TIME).unwrap();
        assert_eq!((captured.frame.pixels()[0], captured.sequence), (3, 2));
        assert_eq!(slot.counts().frames, 2);
    }

    #[test]
    fn the_age_is_that_at_the_time_of_asking() {
        let slot = NewestFrame::new("front");
        let captured = Instant::now() - Duration::from_millis(300);
        slot.put(frame(1), captured);
        let first = slot.newest().unwrap();
        assert!(first.age >= Duration::from_millis(300) && first.arrived > first.captured);
        std::thread::sleep(Duration::from_millis(2));
        assert!(slot.newest().unwrap().age > first.age);
    }

    #[test]
    fn who_waits_in_vain_learns_the_camera_the_age_the_cause_and_the_fix() {
        let slot = NewestFrame::new("front");
        slot.put(frame(1), Instant::now() - Duration::from_millis(700));
        slot.note("front: unplugged\n  fix: plug it in".into());
        let error = slot.wait(Instant::now() - Duration::from_millis(150), Duration::from_millis(3)).unwrap_err();
        let text = error.to_string();
        for part in ["front: expected a frame of the last 150 ms, got none newer than 7", "(front: unplugged)", "fix:"]
        {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(error.kind(), turnkey_core::Kind::Retry);
    }

    #[test]
    fn a_closed_slot_keeps_nobody_waiting() {
        let slot = NewestFrame::new("front");
        slot.close();
        let start = Instant::now();
        assert!(slot.wait(start, Duration::from_secs(3600)).unwrap_err().to_string().contains("none at all"));
    }
}
