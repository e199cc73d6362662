//! How a run begins: new, with another run's learner, or where its newest checkpoint left it.

use super::lane::{AnyEnvironment, Lane};
use super::{Saved, State, Trainer};
use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::memory::expect_room;
use crate::metrics::{self, Line, MetricsFile};
use crate::report::{Reporter, Sums};
use crate::run_folder::{Lock, RunFolder};
use crate::setup::{environment, learner, training_environment, view};
use anyhow::{Context, Result, bail, ensure};
use std::path::Path;
use std::time::Instant;
use turnkey_core::{Batch, Environment, Rng, Snapshot as _};
use turnkey_replay::{Format, Replay, ReplayLog, Widths};
use turnkey_sac::Sac;

/// What a run is made of before it lies anywhere.
struct Parts {
    environments: Vec<AnyEnvironment>,
    judge: Box<dyn Environment>,
    learner: Sac,
    widths: Widths,
}

impl Parts {
    fn new(config: &Config) -> Result<Self> {
        let environments =
            (0..config.run.environments).map(|_| training_environment(config)).collect::<Result<Vec<_>>>()?;
        let judge = environment(config)?;
        let (learner, widths) = learner(config, judge.spec())?;
        expect_room(&config.run, widths)?;
        Ok(Self { environments, judge, learner, widths })
    }
}

/// Takes over another run's learner: its networks, optimisers and temperature, and none of its noise, so that runs of several
/// seeds are independent from there on.
pub(crate) fn take_over(learner: &mut Sac, other: &RunFolder, seed: u64) -> Result<()> {
    let path = other.path().display();
    let checkpoint = Checkpoint::newest(other)?
        .with_context(|| format!("{path} has no checkpoint yet.\n  fix: let it train up to its first one"))?;
    learner.restore(&checkpoint.learner).with_context(|| {
        format!(
            "the learner of {path} doesn't fit this run.\n  fix: begin from a run with the same networks and \
             observations; {path}/config.toml says what it has"
        )
    })?;
    learner.reseed(seed);
    Ok(())
}

impl Trainer {
    /// A new run in a new folder, which is made once everything else about the run is known to be right;
    /// with the learner of `init_from`, if any: its networks, optimisers and temperature.
    ///
    /// # Errors
    /// When the folder exists or can't be written, the environment can't be made, or the other run has no
    /// checkpoint or a learner of other sizes.
    pub fn new(config: Config, path: &Path, init_from: Option<&RunFolder>, live: bool, hidden: bool) -> Result<Self> {
        RunFolder::expect_none(path)?;
        let mut parts = Parts::new(&config)?;
        if let Some(other) = init_from {
            take_over(&mut parts.learner, other, config.seed)?;
        }
        let folder = RunFolder::create(path, &config, init_from)?;
        let lock = folder.lock()?;
        let mut trainer = Self::begin(config, folder, lock, parts, live, hidden)?;
        if init_from.is_some() {
            trainer.checkpoint()?; // what it began with is known from here on, whatever becomes of the other run
        }
        Ok(trainer)
    }

    /// A run as its newest checkpoint left it, which goes on to the bit as if it had not stopped. One that
    /// ended before its first checkpoint starts again.
    ///
    /// # Errors
    /// When the checkpoint or the run's other files are damaged, or another process is training it; nothing on
    /// disk is then changed.
    pub fn resume(config: Config, folder: RunFolder, live: bool, hidden: bool) -> Result<Self> {
        let lock = folder.lock()?;
        let Some(checkpoint) = Checkpoint::newest(&folder)? else {
            return Self::begin_again(config, folder, lock, live, hidden);
        };
        let saved: Saved = postcard::from_bytes(&checkpoint.trainer)
            .context("trainer.bin is not a trainer's state: expected one of this program's own version")?;
        folder.expect_steps_left(&config, saved.state.step)?;
        let Parts { mut environments, judge, mut learner, widths } = Parts::new(&config)?;
        learner.restore(&checkpoint.learner)?;
        let (expected, found) = (environments.len(), saved.environments.len());
        ensure!(
            (saved.state.lanes.len(), found) == (expected, expected),
            "trainer.bin: expected {expected} environments, found {found}.\n  fix: resume with the run.environments that the \
             run began with"
        );
        for (environment, state) in environments.iter_mut().zip(&saved.environments) {
            environment.restore(state)?;
        }
        MetricsFile::check(&folder.metrics(), saved.metrics_bytes)?;
        let (log, replay) =
            ReplayLog::resume(folder.replay(), Format::new(widths), saved.transitions, config.run.replay_capacity)?;
        let metrics = MetricsFile::open(&folder.metrics(), saved.metrics_bytes)?;
        folder.rewrite_config(&config)?;
        tracing::info!("resuming {} at step {}", folder.name(), saved.state.step);
        let parts = Parts { environments, judge, learner, widths };
        let mut trainer =
            Self::assemble(config, folder, lock, parts, (replay, log), metrics, saved.state, (live, hidden))?;
        trainer.saved = Some(checkpoint.step);
        Ok(trainer)
    }

    fn begin_again(config: Config, folder: RunFolder, lock: Lock, live: bool, hidden: bool) -> Result<Self> {
        let name = folder.path().display();
        if let Some(other) = folder.origin()?.init_from {
            let other = other.display();
            bail!(
                "{name} has no checkpoint, not even of the networks it was to take over from {other}.\n  fix: delete \
                 it, and train with --init-from {other} again"
            );
        }
        ensure!(
            !folder.summary().exists(),
            "the checkpoints of {name} are missing: it has come to its end, so expected some in {}, found none; nothing was \
             changed.\n  fix: restore them from a copy, or start a new run by another --name",
            folder.checkpoints().display()
        );
        let written = folder.metrics();
        let came_to = if written.exists() { metrics::read(&written)?.iter().map(Line::step).max() } else { None };
        let first = config.run.checkpoint_period.next_multiple_of(config.run.environments);
        if let Some(step) = came_to.filter(|step| *step > first) {
            bail!(
                "the checkpoints of {name} are missing: it came to step {step}, so expected some in {}, found none; nothing \
                 was changed.\n  fix: restore them from a copy, or start a new run by another --name",
                folder.checkpoints().display()
            );
        }
        let parts = Parts::new(&config)?;
        tracing::warn!("{name} has no checkpoint yet: it starts from step 0");
        let replay = folder.replay();
        if replay.exists() {
            std::fs::remove_dir_all(&replay).with_context(|| format!("{} can't be deleted", replay.display()))?;
        }
        folder.rewrite_config(&config)?;
        Self::begin(config, folder, lock, parts, live, hidden)
    }

    fn begin(
        config: Config,
        folder: RunFolder,
        lock: Lock,
        mut parts: Parts,
        live: bool,
        hidden: bool,
    ) -> Result<Self> {
        let lanes = parts.environments.iter_mut().enumerate();
        let lanes = lanes.map(|(at, environment)| Lane::begin(at, environment, &config)).collect::<Result<_>>()?;
        let state = State {
            step: 0,
            episodes: 0,
            lanes,
            sampling: Rng::new(config.seed, "sampling"),
            augmentation: Rng::new(config.seed, "augmentation"),
            good_since: None,
            steps_to_solve: None,
            sums: Sums::default(),
            seconds_trained: 0.0,
        };
        let replay = Replay::new(config.run.replay_capacity, parts.widths)?;
        let log = ReplayLog::create(folder.replay(), Format::new(parts.widths))?;
        let metrics = MetricsFile::open(&folder.metrics(), 0)?;
        Self::assemble(config, folder, lock, parts, (replay, log), metrics, state, (live, hidden))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a trainer, put together in one place")]
    fn assemble(
        config: Config,
        folder: RunFolder,
        lock: Lock,
        Parts { environments, judge, learner, widths }: Parts,
        (replay, log): (Replay, ReplayLog),
        metrics: MetricsFile,
        state: State,
        (live, hidden): (bool, bool),
    ) -> Result<Self> {
        let sink = view(&folder, live, environments[0].scene())?;
        Ok(Self {
            batch: Batch::zeros(config.sac.batch_size, widths.observation, widths.action)
                .with_pictures(widths.pictures),
            reporter: Reporter::new(config.run.steps, hidden),
            started: Instant::now(),
            config,
            folder,
            _lock: lock,
            environments,
            judge,
            learner,
            replay,
            log,
            state,
            saved: None,
            metrics,
            sink,
        })
    }
}
