//! The learner's thread: takes transitions as they come, learns at the configured ratio, publishes weights, writes
//! checkpoints.

use super::Abandoned;
use super::journal::{self, Entry};
use super::telemetry::Watchers;
use super::weights::{Published, Weights};
use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::report::{Reporter, Sums};
use crate::run_folder::RunFolder;
use crate::stop::Stop;
use crate::train::update;
use anyhow::{Context, Result, ensure};
use crossbeam::channel::{Receiver, Sender, TryRecvError};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};
use turnkey_core::{AttentionRecord, Augment as _, Batch, Record, Rng, Snapshot as _, Transition};
use turnkey_env::Augmentation;
use turnkey_replay::Replay;
use turnkey_sac::Sac;

/// A checkpoint's trainer part. Everything else is in the log and in the metrics, which are ahead of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    /// Transitions that the learner had.
    pub(super) rows: u64,
    /// Updates that the learner had made before the run, as one that began with another's networks has.
    pub(super) updates_before: u64,
}

/// What control tells the learner.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Experience {
    /// One step more.
    Transition(Arc<Transition>),
    /// These steps, counted from the start of the run, are not to be learned from.
    Discard(Range<u64>),
}

/// What the learner tells the others, and control the learner.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Updates that the ratio asks for and that are not made yet.
    pub(super) owed: AtomicU64,
    /// Control took all its steps: what is owed is made up for.
    pub(super) complete: AtomicBool,
}

/// The learner and what it learns from.
pub(super) struct Learning {
    pub(super) config: Config,
    pub(super) folder: RunFolder,
    pub(super) learner: Sac,
    pub(super) updates_before: u64,
    pub(super) replay: Replay,
    pub(super) batch: Batch,
    pub(super) sampling: Rng,
    pub(super) augmentation: Option<(Augmentation, Rng)>,
    pub(super) transitions: Receiver<Experience>,
    pub(super) journal: Sender<Entry>,
    pub(super) watchers: Watchers,
    pub(super) weights: Weights,
    pub(super) shared: Arc<Shared>,
    pub(super) reporter: Reporter,
    pub(super) sums: Sums,
    /// Control's.
    pub(super) period: Duration,
    /// Transitions and updates of the newest checkpoint, if there is one.
    pub(super) saved: Option<(u64, u64)>,
    pub(super) published: Instant,
}

/// Being behind by more updates than this many seconds of control ask for is worth a warning.
const BEHIND_SECS: f64 = 30.0;

impl Learning {
    /// Learns for as long as transitions come, then makes up for what is owed if control took all its steps, writes a
    /// checkpoint, and says through `learned` that it is done.
    ///
    /// # Errors
    /// When learning diverges or a checkpoint can't be written.
    pub(super) fn run(mut self, stop: &Stop, learned: Sender<()>) -> Result<()> {
        let mut warned = false;
        loop {
            match self.transitions.try_recv() {
                Ok(experience) => {
                    self.take(experience)?;
                    continue; // the newest is in before anything is drawn
                }
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {}
            }
            if self.owed() > 0 {
                self.learn()?;
                warned = warned || self.warn_if_behind();
                continue;
            }
            self.publish();
            match self.transitions.recv() {
                Ok(experience) => self.take(experience)?,
                Err(_) => break,
            }
        }
        while self.shared.complete.load(SeqCst) && !stop.asked() && self.owed() > 0 {
            self.learn()?;
        }
        self.publish();
        self.checkpoint()?;
        let _ = learned.send(()); // control may have ended by an error
        Ok(())
    }

    fn take(&mut self, experience: Experience) -> Result<()> {
        let transition = match experience {
            Experience::Transition(transition) => transition,
            Experience::Discard(rows) => {
                self.replay.discard(rows);
                return Ok(());
            }
        };
        self.replay.push(&transition)?;
        self.show_attention(&transition);
        self.shared.owed.store(self.owed(), SeqCst);
        if self.replay.pushed().is_multiple_of(self.config.run.checkpoint_period) {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Shows what the critics attend to in the newest step, where somebody watches and no newer one waits.
    fn show_attention(&self, newest: &Transition) {
        if !self.watchers.wants_control() || !self.transitions.is_empty() {
            return;
        }
        if let Some(overlay) = self.learner.attention_overlay(&newest.observation, &newest.action) {
            self.watchers.record(Record::Attention(AttentionRecord { step: self.replay.pushed(), overlay }));
        }
    }

    /// Updates that the ratio asks for by now and that are not made yet.
    fn owed(&self) -> u64 {
        if !self.replay.can_be_sampled() {
            return 0; // all that there is was discarded
        }
        let wanted = self.config.run.updates_by(self.replay.pushed());
        wanted.saturating_sub(self.learner.updates() - self.updates_before)
    }

    fn learn(&mut self) -> Result<()> {
        self.replay.sample(&mut self.batch, &mut self.sampling)?;
        if let Some((augmentation, rng)) = &mut self.augmentation {
            augmentation.augment(&mut self.batch, rng);
        }
        let metrics = update(&mut self.learner, &self.batch)?;
        let (step, updates) = (self.replay.pushed(), self.learner.updates());
        if let Some(line) = self.reporter.learning(step, updates, &metrics, &mut self.sums) {
            self.watchers.record(Record::Learning(line.record()));
            self.journal.send(Entry::Line(Box::new(line.line()))).map_err(|_| Abandoned)?;
        }
        self.shared.owed.store(self.owed(), SeqCst);
        // While it is behind, control has the newest all the same, once a period.
        if self.published.elapsed() >= self.period {
            self.publish();
        }
        Ok(())
    }

    fn publish(&mut self) {
        self.weights.publish(Published { actor: self.learner.actor(), rows: self.replay.pushed() });
        self.published = Instant::now();
    }

    /// Says once that the learner doesn't keep up. Whether it did.
    fn warn_if_behind(&self) -> bool {
        let (owed, run) = (self.owed(), &self.config.run);
        let ratio = run.updates_per_step as f64 / run.steps_per_update as f64;
        let behind = owed as f64 * self.period.as_secs_f64() > BEHIND_SECS * ratio;
        if behind {
            tracing::warn!(
                "the learner doesn't keep up with {ratio} updates a step: {owed} updates behind at step {}. Control goes on \
                 regardless; what is missing is made up for at the end",
                self.replay.pushed()
            );
        }
        behind
    }

    /// Makes what was learned durable, with all that it was learned from, unless it is already.
    pub(super) fn checkpoint(&mut self) -> Result<()> {
        let (rows, updates) = (self.replay.pushed(), self.learner.updates());
        if self.saved == Some((rows, updates)) {
            return Ok(());
        }
        let written = journal::sync(&self.journal)?;
        ensure!(written >= rows, "the log has {written} rows where the learner has {rows}: this program is wrong");
        let saved = Saved { rows, updates_before: self.updates_before };
        let checkpoint = Checkpoint {
            step: rows,
            learner: self.learner.save(),
            trainer: postcard::to_allocvec(&saved).context("a learner's state becomes bytes")?,
        };
        let oldest = checkpoint.write(&self.folder, self.config.run.checkpoints_kept)?;
        let needed = oldest.saturating_sub(self.config.run.replay_capacity as u64);
        self.journal.send(Entry::Forget(needed)).map_err(|_| Abandoned)?;
        self.saved = Some((rows, updates));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
