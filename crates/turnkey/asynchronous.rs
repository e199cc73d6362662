//! Training in real time: control on one thread at a fixed period, learning on another. Start reading at
//! [`Asynchronous::train`].
//!
//! ```text
//! control ─┬─ every transition ──▶ journal (log, metrics, progress)     bounded; full ends the run
//!          ├─ every transition ──▶ learner (replay, networks)           bounded; full ends the run
//!          └─ records ──────────▶ telemetry (rerun)                     bounded; full drops and counts
//! learner ─── newest weights ───▶ control                               one place; newest wins
//! keys, socket, signals ────────▶ control                               flags, looked at before every step
//! ```
//!
//! Control waits for its clock and its plant and for nothing else: it only ever tries to send, and to take.

mod begin;
mod control;
mod journal;
mod learning;
mod telemetry;
mod weights;

use crate::config::Config;
use crate::evaluation::Evaluation;
use crate::lateness::LatenessFigures;
use crate::orders::{Keys, Orders, Socket};
use crate::rig::RigFigures;
use crate::run_folder::{Lock, RunFolder};
use crate::stop::Stop;
use crate::train::Finish;
use anyhow::{Context, Result, anyhow};
use control::Control;
use crossbeam::channel::bounded;
use journal::Journal;
use learning::Learning;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{Builder, Scope, ScopedJoinHandle};
use telemetry::Telemetry;

/// One run in real time.
pub struct Asynchronous {
    config: Config,
    folder: RunFolder,
    _lock: Lock,
    control: Control,
    learning: Learning,
    journal: Journal,
    telemetry: Telemetry,
    orders: Orders,
}

/// What became of a run.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How it ended.
    pub finish: Finish,
    /// The evaluation at the end, of a run that came to it.
    pub evaluation: Option<Evaluation>,
    /// Environment steps taken.
    pub steps: u64,
    /// Minutes of training, earlier parts of a resumed run included.
    pub minutes: f64,
    /// How late steps were, evaluations included, since the run was last started.
    pub lateness: LatenessFigures,
    /// How the rig fared meanwhile, where there is one.
    pub rig: Option<RigFigures>,
}

/// A thread ended because another one did, whose error says why.
#[derive(Debug, thiserror::Error)]
#[error("another thread of the run ended first")]
struct Abandoned;

impl Asynchronous {
    /// Runs control, learner, journal and telemetry on threads of their own until the configured steps are taken and
    /// learned from, or somebody asks to stop.
    ///
    /// # Errors
    /// When the plant fails, a step is later than the configured limit, the disk is full, learning diverges. The plant
    /// is then released. Every row that was written stays, and `--resume` goes on from there.
    pub fn train(self, stop: &Stop) -> Result<Ended> {
        let Self { folder, control, learning, journal, telemetry, orders, .. } = self;
        let path = folder.path().display();
        let over = AtomicBool::new(false);
        let socket =
            Socket::open(&folder).inspect_err(|e| tracing::warn!("no orders from other terminals: {e:#}")).ok();
        let keys = Keys::listen();
        if keys.is_some() {
            tracing::info!("{}", Keys::HELP);
        }
        let finished = std::thread::scope(|scope| -> Result<Ended> {
            // Dropped on every way out, before the scope waits for those who listen.
            let _ended = Raise(&over);
            if let Some(keys) = &keys {
                start(scope, "keys", || keys.obey(&orders, || over.load(SeqCst)))?;
            }
            if let Some(socket) = &socket {
                start(scope, "orders", || socket.obey(&orders, || over.load(SeqCst)))?;
            }
            let (learned, done) = bounded(1);
            let journal = start(scope, "journal", || journal.run())?;
            let telemetry = start(scope, "telemetry", || telemetry.run())?;
            let learner = start(scope, "learner", || learning.run(stop, learned))?;
            let control = start(scope, "control", move || control.run(stop, &done))?;
            let control = join(control);
            let others = [join(learner), join(journal), join(telemetry)];
            // One that ended because of another says nothing of the cause.
            let (abandoned, mut causes): (Vec<_>, Vec<_>) =
                others.into_iter().filter_map(Result::err).partition(|error| error.is::<Abandoned>());
            match control {
                Err(error) if !error.is::<Abandoned>() => Err(error),
                _ if !causes.is_empty() => Err(causes.swap_remove(0)),
                Ok(ended) => abandoned.into_iter().next().map_or(Ok(ended), Err),
                abandoned => abandoned,
            }
        });
        finished.with_context(|| {
            format!(
                "training of {path} stopped.\n  fix: what is said below; every transition that was written is kept, and \
                 --resume goes on from there"
            )
        })
    }

    /// The run's folder.
    #[must_use]
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// The run's configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }
}

/// Raises a flag when it goes.
struct Raise<'a>(&'a AtomicBool);

impl Drop for Raise<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Starts a thread of the run.
fn start<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    body: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>> {
    Builder::new().name(name.to_owned()).spawn_scoped(scope, body).with_context(|| format!("no thread for {name}"))
}

/// Waits for a thread to end.
fn join<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    let name = thread.thread().name().unwrap_or_default().to_owned();
    thread.join().unwrap_or_else(|_| Err(anyhow!("the thread {name} panicked: this program is wrong")))
}
