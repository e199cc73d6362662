//! The control thread: acts at a fixed period, hands on what happens, and waits for nobody.

mod mishap;
mod obey;
mod watch;

pub(super) use mishap::OnRig;

use super::journal::Entry;
use super::learning::{Experience, Shared};
use super::telemetry::Watchers;
use super::weights::{Published, Weights};
use super::{Abandoned, Ended};
use crate::config::Config;
use crate::dataset::{self as recorded, Purpose};
use crate::evaluation::{EVALUATION_SEEDS, Evaluation, Rollout, figures};
use crate::exploration::Exploration;
use crate::lateness::{Lateness, LatenessFigures};
use crate::metrics::{Line, Timing};
use crate::orders::Orders;
use crate::pace::Pace;
use crate::priority;
use crate::stop::Stop;
use crate::train::{Finish, training_seed};
use anyhow::{Result, anyhow, bail};
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use turnkey_core::{
    Action, Environment, EpisodeRecord, LearningRecord, Mode, Observation, Policy as _, Record, Rng, Step, Transition,
};

/// How often whoever waits looks whether it is to go on.
const LOOK: Duration = Duration::from_millis(5);
/// Seconds of control that one line of timing is about.
const TIMING_SECS: f64 = 60.0;

/// Where what happens goes. None of it is waited for.
pub(super) struct Outlets {
    pub(super) journal: Sender<Entry>,
    /// `None` once nothing is left to be learned from.
    pub(super) learner: Option<Sender<Experience>>,
    pub(super) watchers: Watchers,
}

/// The control thread.
pub(super) struct Control {
    pub(super) config: Config,
    pub(super) environment: Box<dyn Environment + Send>,
    pub(super) pace: Pace,
    pub(super) orders: Orders,
    pub(super) weights: Weights,
    pub(super) shared: Arc<Shared>,
    pub(super) outlets: Outlets,
    pub(super) policy: Published,
    pub(super) exploration: Exploration,
    pub(super) episode_seeds: Rng,
    pub(super) step: u64,
    /// The steps before the present episode.
    pub(super) begun_at: u64,
    /// The step of the newest evaluation of before.
    pub(super) evaluated_at: u64,
    pub(super) episodes: u64,
    pub(super) lateness: Lateness,
    pub(super) window: Window,
    /// What there is to do besides, where the plant is a rig.
    pub(super) rig: Option<OnRig>,
    /// Minutes of training before this process, and since when it trains.
    pub(super) minutes_before: f64,
    pub(super) started: Instant,
}

/// The timing of the steps since the last line about it.
pub(super) struct Window {
    lateness: Lateness,
    oldest_weights: u64,
}

impl Window {
    pub(super) fn new(period: Duration) -> Self {
        Self { lateness: Lateness::new(period), oldest_weights: 0 }
    }
}

/// How an episode came to its end.
enum Outcome {
    /// By itself.
    Whole(Rollout),
    /// With the last step that was to be taken.
    Enough,
    /// By an order or a request to stop.
    BrokenOff,
}

impl Control {
    /// Acts until all steps are taken and their last evaluation is done, or somebody asks to stop. Whatever ends it,
    /// the plant is released first.
    ///
    /// # Errors
    /// When the plant fails, a step is later than the configured limit, or disk or learner are stuck for so long that
    /// their queues are full.
    pub(super) fn run(mut self, stop: &Stop, learned: &Receiver<()>) -> Result<Ended> {
        let _alone = priority::alone();
        if let Err(error) = priority::real_time() {
            warn(&format!(
                "control has no real-time priority ({error}): other programs will make steps late.\n  fix: run as root, or \
                 allow it by `ulimit -r 20` or CAP_SYS_NICE"
            ));
        }
        let done = self.train(stop, learned);
        let released = self.release();
        // The learner makes up for nothing any more, if it still does: whoever ended this waits for its checkpoint.
        self.shared.complete.store(false, SeqCst);
        // Of both, the one that a person must do something about comes first.
        let (finish, evaluation) = match (done, released) {
            (Err(error), Err(held)) => bail!("{held:#}; what came before: {error:#}"),
            (done, released) => released.and(done)?,
        };
        self.report_timing()?;
        let rig = self.rig.as_ref().map(OnRig::figures);
        let (steps, minutes, lateness) = (self.step, self.minutes(), self.lateness.figures());
        Ok(Ended { finish, evaluation, steps, minutes, lateness, rig })
    }

    fn train(&mut self, stop: &Stop, learned: &Receiver<()>) -> Result<(Finish, Option<Evaluation>)> {
        let period = self.config.run.evaluation_period;
        let mut evaluated = self.evaluated_at / period;
        while self.step < self.config.run.steps {
            if !self.rest(stop)? {
                return Ok((Finish::Stopped, None));
            }
            // Between episodes, since it takes the same plant.
            if self.step / period > evaluated {
                evaluated = self.step / period;
                let Some(evaluation) = self.evaluate(self.config.run.evaluation_episodes, stop)? else { continue };
                let (step, minutes) = (self.step, self.minutes());
                self.write(Line::Evaluation { step, minutes, evaluation })?;
            }
            let seed = training_seed(&mut self.episode_seeds);
            self.exploration.begin_episode();
            self.episode(seed, Purpose::Training, stop)?;
        }
        self.shared.complete.store(true, SeqCst);
        self.outlets.learner = None;
        self.release()?; // while the learner makes up for what it owes
        if !self.wait_for_learner(stop, learned)? {
            return Ok((Finish::Stopped, None));
        }
        self.weights.take(&mut self.policy);
        let last = self.evaluate(self.config.run.final_episodes, stop)?;
        Ok((if last.is_some() { Finish::Complete } else { Finish::Stopped }, last))
    }

    /// Waits with a released plant for the learner to be done. Says whether that was before somebody asked to stop.
    fn wait_for_learner(&self, stop: &Stop, learned: &Receiver<()>) -> Result<bool> {
        loop {
            match learned.recv_timeout(LOOK) {
                Ok(()) => return Ok(!self.is_to_leave(stop)),
                Err(RecvTimeoutError::Timeout) if self.is_to_leave(stop) => return Ok(false),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => bail!(Abandoned),
            }
        }
    }

    /// The figures of so many episodes with the policy as it is now; `None` where somebody asked to stop.
    fn evaluate(&mut self, episodes: u64, stop: &Stop) -> Result<Option<Evaluation>> {
        let mut rollouts = Vec::new();
        while (rollouts.len() as u64) < episodes {
            if !self.rest(stop)? {
                return Ok(None);
            }
            let seed = EVALUATION_SEEDS + rollouts.len() as u64;
            if let Outcome::Whole(rollout) = self.episode(seed, Purpose::Evaluation, stop)? {
                rollouts.push(rollout); // one that was broken off is done again
            }
        }
        Ok(Some(figures(&rollouts)))
    }

    /// One episode, or what orders leave of it.
    fn episode(&mut self, seed: u64, purpose: Purpose, stop: &Stop) -> Result<Outcome> {
        // Before the reset: what is broken off there has no steps.
        self.begun_at = self.step;
        let mut observation = match self.environment.reset(seed) {
            Ok(observation) => observation,
            Err(failure) => return self.mishap(failure, "an episode can't start", stop),
        };
        if self.orders.discards() {
            warn("an order to discard came when no episode was going on, and did nothing");
        }
        self.begin_recording(seed, purpose, &observation)?;
        let (mut length, mut total, mut errors) = (0, 0.0, Vec::new());
        loop {
            if self.is_broken_off(stop)? {
                self.end_recording(recorded::Outcome::BrokenOff, None)?;
                return Ok(Outcome::BrokenOff);
            }
            let action = self.act(&observation, purpose);
            let step = match self.environment.step(&action) {
                Ok(step) => step,
                Err(failure) => return self.mishap(failure, "the environment failed", stop),
            };
            let lateness = self.count_lateness()?;
            length += 1;
            total += step.reward;
            errors.extend(step.info.angular_error.map(f64::abs));
            if purpose == Purpose::Training {
                self.hand_on(observation, action, &step)?;
            }
            self.watch(purpose, &step, lateness)?;
            if step.end.is_some() {
                let success = step.info.success;
                let rollout = Rollout { length, total, errors, success: success == Some(true) };
                if purpose == Purpose::Training {
                    self.end_episode(&rollout, success)?;
                }
                self.end_recording(recorded::Outcome::Whole, success)?;
                return Ok(Outcome::Whole(rollout));
            }
            if purpose == Purpose::Training && self.step >= self.config.run.steps {
                self.end_recording(recorded::Outcome::Enough, None)?;
                return Ok(Outcome::Enough);
            }
            observation = step.observation;
        }
    }

    fn act(&mut self, observation: &Observation, purpose: Purpose) -> Action {
        if purpose == Purpose::Evaluation {
            let mut rng = Rng::new(0, "a deterministic policy draws nothing");
            return self.policy.actor.act(observation, Mode::Deterministic, &mut rng);
        }
        self.weights.take(&mut self.policy);
        // A learner that another run has taught has no need of random actions to begin with.
        if self.step < self.config.run.warmup_steps && self.policy.actor.updates() == 0 {
            return self.exploration.random();
        }
        self.window.oldest_weights = self.window.oldest_weights.max(self.step - self.policy.rows);
        self.policy.actor.act_with(observation, self.exploration.of_policy().to_vec())
    }

    /// Keeps the transition, on its way to disk and learner.
    fn hand_on(&mut self, observation: Observation, action: Action, step: &Step) -> Result<()> {
        let next = step.observation.clone();
        let transition = Arc::new(Transition { observation, action, reward: step.reward as f32, next, end: step.end });
        // To the disk first: what is learned from is on its way there.
        self.enter(Entry::Transition(transition.clone()))?;
        if let Some(learner) = &self.outlets.learner {
            offer(learner, Experience::Transition(transition), "the learner")?;
        }
        self.step += 1;
        if self.window.lateness.steps() as f64 * self.pace.period().as_secs_f64() >= TIMING_SECS {
            self.report_timing()?;
        }
        Ok(())
    }

    fn end_episode(&mut self, rollout: &Rollout, success: Option<bool>) -> Result<()> {
        self.episodes += 1;
        let (step, episode, length) = (self.step, self.episodes, rollout.length);
        let (episode_return, final_error) = (rollout.total, rollout.errors.last().copied());
        self.outlets.watchers.record(Record::Episode(EpisodeRecord {
            step,
            episode,
            episode_return,
            length,
            success,
            final_error,
        }));
        self.write(Line::Episode { step, episode, episode_return, length, success, final_error })
    }

    /// Counts how late the step was, and refuses to go on after one that was far too late.
    fn count_lateness(&mut self) -> Result<Option<Duration>> {
        let Some(lateness) = self.pace.lateness() else { return Ok(None) };
        self.lateness.add(lateness);
        self.window.lateness.add(lateness);
        let limit = self.config.run.lateness_limit_secs;
        if lateness.as_secs_f64() > limit {
            bail!(
                "step {} was {:.3} s late: expected at most run.lateness_limit_secs = {limit}; the claw went on to its last \
                 goal meanwhile. What keeps this computer from control for so long?",
                self.step,
                lateness.as_secs_f64()
            );
        }
        Ok(Some(lateness))
    }

    /// Writes down, and shows, the timing of the steps since the last time.
    fn report_timing(&mut self) -> Result<()> {
        let lateness = self.window.lateness.figures();
        if lateness.steps == 0 {
            return Ok(());
        }
        let timing = Timing {
            lateness,
            oldest_weights_steps: self.window.oldest_weights,
            updates_owed: self.shared.owed.load(SeqCst),
            waiting_to_be_learned: self.outlets.learner.as_ref().map_or(0, Sender::len),
            waiting_to_be_written: self.outlets.journal.len(),
            records_dropped: self.outlets.watchers.dropped(),
        };
        self.window.lateness.clear();
        self.window.oldest_weights = 0;
        self.outlets.watchers.record(Record::Learning(LearningRecord { step: self.step, figures: shown(&timing) }));
        let (step, minutes) = (self.step, self.minutes());
        self.write(Line::Timing { step, minutes, timing })?;
        match self.rig.as_mut().map(OnRig::take_figures) {
            Some(rig) => self.write(Line::Rig { step, minutes, rig }),
            None => Ok(()),
        }
    }

    fn minutes(&self) -> f64 {
        self.minutes_before + self.started.elapsed().as_secs_f64() / 60.0
    }

    fn write(&self, line: Line) -> Result<()> {
        self.enter(Entry::Line(Box::new(line)))
    }

    fn enter(&self, entry: Entry) -> Result<()> {
        offer(&self.outlets.journal, entry, "the disk")
    }
}

/// Tells a person. Nothing waits for the terminal, and nothing that may be stuck is on the way there.
fn warn(text: &str) {
    tracing::warn!("{text}");
}

/// Sends to `whom` without waiting.
fn offer<T>(queue: &Sender<T>, what: T, whom: &str) -> Result<()> {
    queue.try_send(what).map_err(|error| match error {
        TrySendError::Full(_) => {
            let stuck = format!("{whom} is stuck: {} entries wait for it, and no more fit", queue.len());
            tracing::error!("{stuck}: the plant is released, and the run ends"); // the run's end waits for whom it is, so it is said now
            anyhow!(stuck)
        }
        TrySendError::Disconnected(_) => Abandoned.into(),
    })
}

fn shown(timing: &Timing) -> Vec<(&'static str, f64)> {
    let LatenessFigures { lateness_p50_ms, lateness_p99_ms, lateness_max_ms, missed_deadlines, .. } = timing.lateness;
    vec![
        ("lateness_p50_ms", lateness_p50_ms),
        ("lateness_p99_ms", lateness_p99_ms),
        ("lateness_max_ms", lateness_max_ms),
        ("missed_deadlines", missed_deadlines as f64),
        ("oldest_weights_steps", timing.oldest_weights_steps as f64),
        ("updates_owed", timing.updates_owed as f64),
    ]
}

#[cfg(test)]
mod tests;
