//! Records on their way to the viewer: a bounded queue that drops and counts.

use anyhow::Result;
use crossbeam::channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use turnkey_core::{Record, Sink};

/// Records that may wait.
const QUEUE: usize = 1024;

/// The end of the queue where records go in. Never blocks.
#[derive(Clone)]
pub(super) struct Watchers {
    queue: Sender<Record>,
    shared: Arc<Shared>,
}

struct Shared {
    wants_control: AtomicBool,
    dropped: AtomicU64,
}

/// The end where they come out, with the sink that they go to.
pub(super) struct Telemetry {
    queue: Receiver<Record>,
    shared: Arc<Shared>,
    sink: Box<dyn Sink>,
}

/// Both ends.
pub(super) fn telemetry(sink: Box<dyn Sink>) -> (Watchers, Telemetry) {
    let (sender, receiver) = bounded(QUEUE);
    let shared = Arc::new(Shared { wants_control: AtomicBool::new(sink.wants_control()), dropped: AtomicU64::new(0) });
    (Watchers { queue: sender, shared: shared.clone() }, Telemetry { queue: receiver, shared, sink })
}

impl Watchers {
    /// Queues a record, or counts it as dropped.
    pub(super) fn record(&self, record: Record) {
        if self.queue.try_send(record).is_err() {
            self.shared.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Whether control steps are of use just now.
    pub(super) fn wants_control(&self) -> bool {
        self.shared.wants_control.load(Relaxed)
    }

    /// Records that found no room.
    pub(super) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Relaxed)
    }
}

impl Telemetry {
    /// Hands records on until everybody who sends them is gone, and closes the sink.
    ///
    /// # Errors
    /// None: what becomes of records is no reason to end a run.
    pub(super) fn run(self) -> Result<()> {
        for record in self.queue {
            self.sink.record(record);
            self.shared.wants_control.store(self.sink.wants_control(), Relaxed);
        }
        Ok(())
    }
}
