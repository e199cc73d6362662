//! What is written down as it happens: the log of transitions, the metrics, and what a person is told.

use super::Abandoned;
use crate::dataset::{self as recorded, Dataset};
use crate::metrics::{Line, MetricsFile};
use crate::orders::{Order, Orders};
use crate::report::Reporter;
use anyhow::Result;
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use turnkey_core::{Frame, Transition};
use turnkey_replay::ReplayLog;

/// How often what was handed to the system is made durable, so that no more is lost when the power fails.
const SYNC_PERIOD: Duration = Duration::from_secs(10);

/// Something to write down.
pub(super) enum Entry {
    /// One step of experience.
    Transition(Arc<Transition>),
    /// These rows are not to be learned from.
    Discard(Range<u64>),
    /// A line of figures.
    Line(Box<Line>),
    /// A line of a recorded episode, and what was seen then.
    Recorded(Box<recorded::Line>, Option<Frame>),
    /// Make everything up to here durable, and answer with the rows of the log.
    Sync(Sender<u64>),
    /// Rows before this one are needed no more.
    Forget(u64),
}

/// The thread that writes.
pub(super) struct Journal {
    pub(super) log: ReplayLog,
    pub(super) metrics: MetricsFile,
    /// Episodes as they happen, on a rig.
    pub(super) dataset: Option<Dataset>,
    pub(super) reporter: Reporter,
    pub(super) orders: Orders,
    pub(super) entries: Receiver<Entry>,
}

impl Journal {
    /// Writes until everybody who sends entries is gone.
    ///
    /// # Errors
    /// When the disk is full or can't be written.
    pub(super) fn run(mut self) -> Result<()> {
        let mut synced = Instant::now();
        loop {
            match self.entries.recv_timeout(SYNC_PERIOD) {
                Ok(entry) => self.write(entry)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // A killed process loses what is in queues and buffers: so it is handed to the system whenever there is time.
            if self.entries.is_empty() {
                self.log.flush()?;
                self.metrics.flush()?;
                self.flush_dataset()?;
            }
            if synced.elapsed() > SYNC_PERIOD {
                self.sync()?;
                synced = Instant::now();
            }
        }
        self.reporter.finish();
        self.sync()?;
        self.dataset.as_mut().map_or(Ok(()), Dataset::finish)
    }

    fn write(&mut self, entry: Entry) -> Result<()> {
        match entry {
            Entry::Transition(transition) => {
                self.log.append(&transition)?;
                self.reporter.step(self.log.count());
            }
            Entry::Discard(rows) => self.log.discard(rows)?,
            Entry::Line(line) => {
                self.metrics.write(&line)?;
                self.reporter.line(&line);
            }
            Entry::Recorded(line, frame) => {
                if let Some(dataset) = &mut self.dataset {
                    dataset.add(&line, frame.as_ref())?;
                }
            }
            Entry::Sync(answer) => {
                let rows = self.sync()?;
                let _ = answer.send(rows); // whoever asked may be gone
            }
            Entry::Forget(row) => self.log.forget_before(row)?,
        }
        Ok(())
    }

    /// Writes what was recorded. Where that can't be, the run rests after this episode, and it is tried again: nothing is
    /// lost meanwhile, and control isn't delayed.
    fn flush_dataset(&mut self) -> Result<()> {
        let Some(dataset) = &mut self.dataset else { return Ok(()) };
        let (was_stuck, result) = (dataset.is_stuck(), dataset.flush());
        match (was_stuck, result) {
            (false, Err(error)) => {
                self.orders.give(Order::Pause);
                tracing::warn!(
                    "{error:#}; the run rests after this episode.\n  fix: make room, then `turnkey tell RUN resume`; nothing is \
                     lost until then"
                );
            }
            (true, Ok(())) => tracing::warn!("episodes are recorded again"),
            _ => {}
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<u64> {
        self.metrics.sync()?;
        Ok(self.log.sync()?)
    }
}

/// Has everything that was sent so far made durable, and waits for it: not for control. Gives the rows of the log.
pub(super) fn sync(journal: &Sender<Entry>) -> Result<u64> {
    let (answer, answered) = crossbeam::channel::bounded(1);
    journal.send(Entry::Sync(answer)).map_err(|_| Abandoned)?;
    Ok(answered.recv().map_err(|_| Abandoned)?)
}
