//! From raw buffers to the newest frame, whatever happens to the source.

use crate::config::WatchdogSettings;
use crate::{CameraError, NewestFrame, RawBuffer, Source};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use turnkey_core::FrameSize;
use turnkey_picture::Pipeline;

/// How long a source is waited for at a time: what it takes at most until `stop` is heard.
const PATIENCE: Duration = Duration::from_millis(50);

/// When a source is given up and opened again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watchdog {
    /// Without a good frame for this long.
    pub(crate) stall: Duration,
    /// The first wait before it is opened again; each further one is twice as long.
    pub(crate) first_wait: Duration,
    /// The longest wait.
    pub(crate) longest_wait: Duration,
}

impl From<WatchdogSettings> for Watchdog {
    fn from(settings: WatchdogSettings) -> Self {
        Self {
            stall: Duration::from_secs_f64(settings.stall_secs),
            first_wait: Duration::from_secs_f64(settings.first_wait_secs),
            longest_wait: Duration::from_secs_f64(settings.longest_wait_secs),
        }
    }
}

/// Opens `source` and puts its frames into `slot` until `stop`, or the end of a recording. A source that is gone, stalls, or
/// can't be opened is opened again, after waits that grow while it stays so. Pictures that are damaged, or not of `size`, are
/// counted and passed over. Frames are stamped by the time since `epoch`.
///
/// # Errors
/// With [`CameraError::Ended`] at the end of a recording; nothing else ends it.
pub(crate) fn capture(
    source: &mut dyn Source,
    size: FrameSize,
    pipeline: &mut Pipeline,
    slot: &NewestFrame,
    watchdog: Watchdog,
    epoch: Instant,
    stop: &AtomicBool,
) -> Result<(), CameraError> {
    let mut capture = Capture { size, pipeline, slot, epoch, last_sequence: None };
    let mut wait = watchdog.first_wait;
    let mut opened_before = false;
    let mut said = String::new();
    let ended = loop {
        if stop.load(Ordering::Relaxed) {
            break Ok(());
        }
        let good = slot.counts().frames;
        let error = match source.open() {
            Ok(()) => {
                slot.count(|counts| counts.reopened += u64::from(opened_before));
                opened_before = true;
                match capture.until_trouble(source, watchdog.stall, stop) {
                    Ok(()) => break Ok(()),
                    Err(ended @ CameraError::Ended { .. }) => break Err(ended),
                    Err(error) => error,
                }
            }
            Err(error) => {
                slot.count(|counts| counts.losses += 1);
                error
            }
        };
        source.close();
        let text = error.to_string();
        if slot.counts().frames > good {
            wait = watchdog.first_wait;
            said.clear();
        }
        // A night without a camera is one line in the log, not one every other second.
        if text != said {
            tracing::warn!("{text}");
            said.clone_from(&text);
        }
        slot.note(text);
        sleep(wait, stop);
        wait = (2 * wait).min(watchdog.longest_wait);
    };
    source.close();
    slot.close();
    ended
}

/// What a capture works with.
struct Capture<'a> {
    size: FrameSize,
    pipeline: &'a mut Pipeline,
    slot: &'a NewestFrame,
    epoch: Instant,
    last_sequence: Option<u64>,
}

impl Capture<'_> {
    /// Takes buffers from an open source until `stop`.
    fn until_trouble(
        &mut self,
        source: &mut dyn Source,
        stall: Duration,
        stop: &AtomicBool,
    ) -> Result<(), CameraError> {
        // A source that was opened again numbers from its own beginning.
        self.last_sequence = None;
        let (mut last_good, mut refused) = (Instant::now(), None::<String>);
        while !stop.load(Ordering::Relaxed) {
            match source.next(PATIENCE.min(stall)) {
                Ok(Some(raw)) => match self.take(&raw) {
                    Ok(()) => (last_good, refused) = (Instant::now(), None),
                    Err(error) => {
                        self.slot.count(|counts| counts.refused += 1);
                        tracing::debug!("{error}");
                        let text = error.to_string();
                        self.slot.note(text.clone());
                        refused = Some(text);
                    }
                },
                Ok(None) => (),
                Err(ended @ CameraError::Ended { .. }) => return Err(ended),
                Err(error) => {
                    self.slot.count(|counts| counts.losses += 1);
                    return Err(error);
                }
            }
            if last_good.elapsed() >= stall {
                self.slot.count(|counts| counts.stalls += 1);
                // Not the slot's trouble, which may be an earlier stall; and the same reason is the same text each time.
                let cause = refused.as_deref().and_then(|cause| cause.lines().next()).unwrap_or("no picture at all");
                return Err(CameraError::Lost {
                    camera: self.slot.camera().into(),
                    found: format!("no good one for {} ms: {cause}", stall.as_millis()),
                });
            }
        }
        Ok(())
    }

    /// Makes a frame of a buffer, for the slot.
    fn take(&mut self, raw: &RawBuffer) -> Result<(), CameraError> {
        if let Some(last) = self.last_sequence.replace(raw.sequence) {
            let missed = raw.sequence.saturating_sub(last).saturating_sub(1);
            self.slot.count(|counts| counts.missed += missed);
        }
        let camera = || self.slot.camera().to_owned();
        if raw.size != self.size {
            return Err(CameraError::OtherSize { camera: camera(), expected: self.size, found: raw.size });
        }
        let frame = self
            .pipeline
            .process(&raw.frame(self.epoch))
            .map_err(|source| CameraError::Picture { camera: camera(), source })?;
        self.slot.put(frame, raw.captured);
        Ok(())
    }
}

/// Sleeps, but not on when `stop` is said.
fn sleep(duration: Duration, stop: &AtomicBool) {
    let end = Instant::now() + duration;
    while !stop.load(Ordering::Relaxed) {
        match end.saturating_duration_since(Instant::now()) {
            Duration::ZERO => return,
            left => std::thread::sleep(left.min(PATIENCE)),
        }
    }
}
