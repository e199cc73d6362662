//! How a run in real time begins: new, with another run's learner, or with every transition that was written.

use super::Asynchronous;
use super::control::{Control, OnRig, Outlets, Window};
use super::journal::Journal;
use super::learning::{Learning, Saved, Shared};
use super::telemetry::telemetry;
use super::weights::{Published, Weights};
use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::dataset::Dataset;
use crate::exploration::Exploration;
use crate::lateness::Lateness;
use crate::memory::expect_room;
use crate::metrics::{self, Line, MetricsFile};
use crate::orders::Orders;
use crate::pace::Pace;
use crate::report::{Reporter, Sums};
use crate::rig::Interrupted;
use crate::run_folder::{Lock, RunFolder};
use crate::setup::{Dress, augmentation, learner, paced_environment, view};
use crate::stop::Stop;
use crate::train::take_over;
use anyhow::{Context, Result, bail};
use crossbeam::channel::bounded;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use turnkey_core::{Batch, Environment, Rng, Snapshot as _};
use turnkey_replay::{Format, Replay, ReplayLog, Widths};
use turnkey_sac::Sac;

/// Entries that may wait for the disk, and transitions for the learner: an hour at 10 Hz. A place in the queue is a few
/// bytes; a transition that waits takes what its numbers and its newest picture do.
const QUEUE: usize = 36_000;

/// What a run is made of before it lies anywhere.
struct Parts {
    environment: Box<dyn Environment + Send>,
    pace: Pace,
    orders: Orders,
    learner: Sac,
    widths: Widths,
}

/// What earlier parts of a run left.
#[derive(Default)]
struct Earlier {
    episodes: u64,
    minutes: f64,
    /// The step of the newest evaluation.
    evaluated_at: u64,
}

impl Parts {
    fn new(config: &Config, stop: &Stop) -> Result<Self> {
        let pace = Pace::new(Duration::from_secs_f64(config.claw()?.task.period_secs));
        let (orders, stop) = (Orders::default(), stop.clone());
        let given = orders.clone();
        let interrupted: Interrupted = Arc::new(move || stop.asked() || given.leaves() || given.emergency());
        let environment = paced_environment(config, &pace, interrupted, Dress::Plain)?;
        let (learner, widths) = learner(config, environment.spec())?;
        expect_room(&config.run, widths)?;
        Ok(Self { environment, pace, orders, learner, widths })
    }
}

impl Asynchronous {
    /// A new run in a new folder; with the learner of `init_from`, if any.
    ///
    /// # Errors
    /// As [`crate::train::Trainer::new`].
    pub fn new(
        config: Config,
        path: &Path,
        init_from: Option<&RunFolder>,
        (live, hidden): (bool, bool),
        stop: &Stop,
    ) -> Result<Self> {
        RunFolder::expect_none(path)?;
        let mut parts = Parts::new(&config, stop)?;
        if let Some(other) = init_from {
            take_over(&mut parts.learner, other, config.seed)?;
        }
        let folder = RunFolder::create(path, &config, init_from)?;
        let lock = folder.lock()?;
        let updates_before = parts.learner.updates();
        if init_from.is_some() {
            // What it began with is known from here on, whatever becomes of the other run.
            let trainer = postcard::to_allocvec(&Saved { rows: 0, updates_before })?;
            let checkpoint = Checkpoint { step: 0, learner: parts.learner.save(), trainer };
            checkpoint.write(&folder, config.run.checkpoints_kept)?;
        }
        let replay = Replay::new(config.run.replay_capacity, parts.widths)?;
        let log = ReplayLog::create(folder.replay(), Format::new(parts.widths))?;
        let metrics = MetricsFile::open(&folder.metrics(), 0)?;
        let kept = (updates_before, replay, log, metrics, Earlier::default());
        Self::assemble(config, folder, lock, parts, kept, (live, hidden))
    }

    /// A run with its newest checkpoint's learner and every complete transition that was written, those after the
    /// checkpoint included; with a new episode.
    ///
    /// # Errors
    /// When the checkpoint or the run's other files are damaged, or another process is training it; nothing on disk is
    /// then changed.
    pub fn resume(config: Config, folder: RunFolder, (live, hidden): (bool, bool), stop: &Stop) -> Result<Self> {
        let lock = folder.lock()?;
        let mut parts = Parts::new(&config, stop)?;
        let saved = match Checkpoint::newest(&folder)? {
            Some(checkpoint) => {
                let saved: Saved = postcard::from_bytes(&checkpoint.trainer)
                    .context("trainer.bin is not a real-time trainer's: expected one of this program's own version")?;
                parts.learner.restore(&checkpoint.learner)?;
                saved
            }
            None if folder.origin()?.init_from.is_some() => bail!(
                "{} has no checkpoint, not even of the networks it was to take over.\n  fix: delete it, and train with \
                 --init-from again",
                folder.path().display()
            ),
            None => Saved { rows: 0, updates_before: 0 },
        };
        let format = Format::new(parts.widths);
        let (log, replay) = if folder.replay().exists() {
            ReplayLog::recover(folder.replay(), format, saved.rows, config.run.replay_capacity)?
        } else {
            (ReplayLog::create(folder.replay(), format)?, Replay::new(config.run.replay_capacity, parts.widths)?)
        };
        folder.expect_steps_left(&config, replay.pushed())?;
        let earlier = Earlier::of(&folder)?;
        let metrics = MetricsFile::open_whole(&folder.metrics())?;
        folder.rewrite_config(&config)?;
        let (rows, checkpoint) = (replay.pushed(), saved.rows);
        tracing::info!("resuming {} at step {rows} with the networks of step {checkpoint}", folder.name());
        let kept = (saved.updates_before, replay, log, metrics, earlier);
        Self::assemble(config, folder, lock, parts, kept, (live, hidden))
    }

    fn assemble(
        config: Config,
        folder: RunFolder,
        lock: Lock,
        Parts { environment, pace, orders, learner, widths }: Parts,
        (updates_before, replay, log, metrics, earlier): (u64, Replay, ReplayLog, MetricsFile, Earlier),
        (live, hidden): (bool, bool),
    ) -> Result<Self> {
        let (watchers, telemetry) = telemetry(view(&folder, live, environment.scene())?);
        let (entries, written) = bounded(QUEUE);
        let (transitions, learned) = bounded(QUEUE);
        let (weights, shared) = (Weights::default(), Arc::<Shared>::default());
        let step = replay.pushed();
        // An episode that was broken off can't be gone on with, so neither is what was drawn: generators begin anew.
        let rng = |purpose: &str| match step {
            0 => Rng::new(config.seed, purpose),
            _ => Rng::new(config.seed, &format!("{purpose} from step {step}")),
        };
        let (period, spec) = (pace.period(), environment.spec().clone());
        let control = Control {
            policy: Published { actor: learner.actor(), rows: step },
            exploration: Exploration::with_rng(&config.exploration, widths.action, rng("exploration")),
            episode_seeds: rng("episodes"),
            step,
            begun_at: step,
            evaluated_at: earlier.evaluated_at,
            episodes: earlier.episodes,
            lateness: Lateness::new(period),
            window: Window::new(period),
            rig: config.rig().map(|rig| OnRig::new(rig, period)),
            minutes_before: earlier.minutes,
            started: Instant::now(),
            environment,
            pace,
            orders: orders.clone(),
            weights: weights.clone(),
            shared: shared.clone(),
            outlets: Outlets { journal: entries.clone(), learner: Some(transitions), watchers: watchers.clone() },
            config: config.clone(),
        };
        let learning = Learning {
            batch: Batch::zeros(config.sac.batch_size, widths.observation, widths.action)
                .with_pictures(widths.pictures),
            sampling: rng("sampling"),
            augmentation: augmentation(&config)?.map(|augmentation| (augmentation, rng("augmentation"))),
            folder: folder.clone(),
            learner,
            updates_before,
            replay,
            transitions: learned,
            journal: entries,
            watchers,
            weights,
            shared,
            reporter: Reporter::new(config.run.steps, true),
            sums: Sums::default(),
            saved: None,
            published: Instant::now(),
            period,
            config: config.clone(),
        };
        let reporter = Reporter::new(config.run.steps, hidden);
        let dataset = config.rig().map(|rig| Dataset::open(rig, &config, &folder.name(), spec)).transpose()?;
        let journal = Journal { log, metrics, dataset, reporter, orders: orders.clone(), entries: written };
        Ok(Self { config, folder, _lock: lock, control, learning, journal, telemetry, orders })
    }
}

impl Earlier {
    /// What a run's metrics say of it.
    fn of(folder: &RunFolder) -> Result<Self> {
        let mut earlier = Self::default();
        if !folder.metrics().exists() {
            return Ok(earlier);
        }
        for line in metrics::read(&folder.metrics())? {
            match line {
                Line::Episode { episode, .. } => earlier.episodes = earlier.episodes.max(episode),
                Line::Evaluation { step, minutes, .. } => {
                    earlier.minutes = earlier.minutes.max(minutes);
                    earlier.evaluated_at = step;
                }
                Line::Timing { minutes, .. } | Line::Rig { minutes, .. } => {
                    earlier.minutes = earlier.minutes.max(minutes);
                }
                Line::Learning { .. } => {}
            }
        }
        Ok(earlier)
    }
}
