//! A capture on a thread of its own.

use crate::{CameraConfig, CameraError, NewestFrame, Source, capture, source};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

/// A camera whose frames come, until this is dropped.
#[derive(Debug)]
pub struct Running {
    slot: Arc<NewestFrame>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), CameraError>>>,
}

impl Running {
    /// Starts capturing as `config` says. Frames are stamped by the time since `epoch`. That the camera isn't there yet is no
    /// error: it is waited for, and [`NewestFrame::wait`] says what is wrong.
    ///
    /// # Errors
    /// When there can be no such source or no thread.
    pub fn start(config: &CameraConfig, epoch: Instant) -> Result<Self, CameraError> {
        Self::with_source(config, source(config)?, epoch)
    }

    /// The same from another source.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn with_source(
        config: &CameraConfig,
        mut source: Box<dyn Source>,
        epoch: Instant,
    ) -> Result<Self, CameraError> {
        let slot = Arc::new(NewestFrame::new(config.name()));
        let stop = Arc::new(AtomicBool::new(false));
        let (its_slot, its_stop) = (Arc::clone(&slot), Arc::clone(&stop));
        let (size, mut pipeline, watchdog) = (config.size(), config.pipeline(), config.raw().watchdog.into());
        let body = move || capture(source.as_mut(), size, &mut pipeline, &its_slot, watchdog, epoch, &its_stop);
        let thread =
            std::thread::Builder::new().name("camera".into()).spawn(body).map_err(|error| CameraError::Open {
                camera: config.name().into(),
                expected: "a thread for its frames".into(),
                found: error.to_string(),
                fix: "end other programs: the system has no room for another thread",
            })?;
        Ok(Self { slot, stop, thread: Some(thread) })
    }

    /// Where its newest frame is.
    #[must_use]
    pub fn slot(&self) -> &Arc<NewestFrame> {
        &self.slot
    }

    /// Whether frames may still come: not once a recording is over.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // How it ended was in the slot for whoever waited.
            drop(thread.join());
        }
    }
}
