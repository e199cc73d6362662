//! A bounded queue with a thread at its end.

use crossbeam::channel::{Receiver, Sender, TryRecvError, TrySendError, bounded};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;
use turnkey_core::Record;

/// Where records wait for a thread that may be slow, stuck or gone.
pub(crate) struct Outlet {
    /// `None` once closed.
    queue: Option<Sender<Arc<Record>>>,
    /// Disconnects when the thread has ended.
    ended: Receiver<()>,
    dropped: AtomicU64,
}

impl Outlet {
    /// Starts `body` on a thread of its own, at the end of a queue of `capacity` records. It should return
    /// when the queue has been closed and is empty, or when there is no use in going on.
    pub(crate) fn start(
        name: &str,
        capacity: usize,
        body: impl FnOnce(Receiver<Arc<Record>>) + Send + 'static,
    ) -> io::Result<Self> {
        let (queue, records) = bounded(capacity.max(4));
        let (running, ended) = bounded(0);
        std::thread::Builder::new().name(name.into()).spawn(move || {
            body(records);
            drop(running);
        })?;
        Ok(Self { queue: Some(queue), ended, dropped: AtomicU64::new(0) })
    }

    /// Queues a record, or counts it as dropped. Never blocks.
    pub(crate) fn offer(&self, record: Arc<Record>) {
        let Some(queue) = &self.queue else { return };
        let capacity = queue.capacity().unwrap_or(usize::MAX);
        let reserved = if is_motion(&record) { capacity / 4 } else { 0 };
        let full = queue.len() >= capacity - reserved;
        if full || matches!(queue.try_send(record), Err(TrySendError::Full(_))) {
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Records that found no room.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Whether anybody takes records: false once the thread has ended.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.ended.try_recv(), Err(TryRecvError::Disconnected))
    }

    /// Takes no more records and waits until `deadline` for the thread to be done with those it has. Says
    /// whether it was; if not, it is left to itself.
    pub(crate) fn close(&mut self, deadline: Instant) -> bool {
        self.queue = None;
        !matches!(self.ended.recv_deadline(deadline), Err(crossbeam::channel::RecvTimeoutError::Timeout))
    }
}

/// Whether a record is one of those that come with every control step.
pub(crate) fn is_motion(record: &Record) -> bool {
    matches!(record, Record::Control(_) | Record::Attention(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use turnkey_core::{EpisodeRecord, LearningRecord};

    fn learning(step: u64) -> Arc<Record> {
        Arc::new(Record::Learning(LearningRecord { step, figures: Vec::new() }))
    }

    fn control() -> Arc<Record> {
        Arc::new(Record::Control(Box::new(crate::writer::tests::control(0))))
    }

    #[test]
    fn a_stuck_thread_costs_records_and_no_time() {
        let (unstick, stuck) = bounded::<()>(0);
        let mut outlet = Outlet::start("stuck", 8, move |_records| assert!(stuck.recv().is_err())).unwrap();
        for step in 0..1000 {
            outlet.offer(learning(step));
        }
        assert_eq!(outlet.dropped(), 1000 - 8);
        assert!(outlet.is_open() && !outlet.close(Instant::now() + Duration::from_millis(10)), "it is still stuck");
        drop(unstick);
    }

    #[test]
    fn control_steps_leave_room_for_what_is_rarer() {
        let (unstick, stuck) = bounded::<()>(0);
        let outlet = Outlet::start("stuck", 8, move |_records| assert!(stuck.recv().is_err())).unwrap();
        (0..10).for_each(|_| outlet.offer(control()));
        assert_eq!(outlet.dropped(), 4);
        let episode =
            EpisodeRecord { step: 1, episode: 1, episode_return: 0.0, length: 1, success: None, final_error: None };
        outlet.offer(Arc::new(Record::Episode(episode)));
        outlet.offer(learning(1));
        assert_eq!(outlet.dropped(), 4, "both found room");
        drop(unstick);
    }

    #[test]
    fn closing_waits_for_what_is_queued() {
        let (tell, told) = bounded(100);
        let mut outlet = Outlet::start("slow", 100, move |records| {
            for record in records {
                std::thread::sleep(Duration::from_millis(1));
                tell.send(record).unwrap();
            }
        });
        let outlet = outlet.as_mut().unwrap();
        (0..50).for_each(|step| outlet.offer(learning(step)));
        assert!(outlet.close(Instant::now() + Duration::from_secs(60)) && !outlet.is_open());
        assert_eq!(told.len(), 50);
        outlet.offer(learning(51));
        assert_eq!(outlet.dropped(), 0, "after the end nobody misses anything");
    }
}
