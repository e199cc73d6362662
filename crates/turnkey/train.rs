//! Training. Start reading at [`Trainer::train`].

mod begin;

pub(crate) use begin::take_over;

use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::evaluation::{Evaluation, evaluate};
use crate::exploration::Exploration;
use crate::metrics::{Line, MetricsFile};
use crate::report::{Reporter, Sums};
use crate::run_folder::{Lock, RunFolder};
use crate::stop::Stop;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::time::Instant;
use turnkey_core::{
    Batch, Environment, EpisodeRecord, Learner as _, Observation, Record, Rng, Sink, Snapshot as _, Transition,
};
use turnkey_replay::{Replay, ReplayLog};
use turnkey_sac::{Metrics, Sac};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// All steps taken.
    Complete,
    /// Somebody asked it to leave; it has written a checkpoint.
    Stopped,
}

/// One run, on one thread: the same seed gives the same run, to the bit.
pub struct Trainer {
    config: Config,
    folder: RunFolder,
    _lock: Lock,
    environment: Box<dyn Environment>,
    judge: Box<dyn Environment>,
    learner: Sac,
    replay: Replay,
    log: ReplayLog,
    batch: Batch,
    state: State,
    /// Step of the newest checkpoint, if there is one.
    saved: Option<u64>,
    metrics: MetricsFile,
    reporter: Reporter,
    sink: Box<dyn Sink>,
    /// Since when training is not yet counted in the state's seconds.
    started: Instant,
}

/// What decides what happens next, besides environment, learner and replay.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    step: u64,
    episodes: u64,
    observation: Observation,
    episode: Episode,
    exploration: Exploration,
    episode_seeds: Rng,
    sampling: Rng,
    augmentation: Rng,
    /// Consecutive good evaluations so far, and the first step of the first two in a row.
    good_in_a_row: u32,
    steps_to_solve: Option<u64>,
    sums: Sums,
    seconds_trained: f64,
}

/// The training episode in progress.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Episode {
    length: usize,
    sum_of_rewards: f64,
}

/// A checkpoint's trainer part.
#[derive(Serialize, Deserialize)]
struct Saved {
    state: State,
    environment: Vec<u8>,
    transitions: u64,
    metrics_bytes: u64,
}

/// The success rate from which an evaluation counts as solved, twice in a row.
pub(crate) const SOLVED: f64 = 0.9;

impl Trainer {
    /// Interacts and learns until the configured steps are taken or somebody asks to stop.
    ///
    /// # Errors
    /// When the environment fails or the disk is full. The newest checkpoint stays whole, and `--resume`
    /// goes on from it.
    pub fn train(&mut self, stop: &Stop) -> Result<Finish> {
        let finish = self.train_on(stop);
        self.reporter.finish();
        finish.with_context(|| {
            let resumes = match self.saved {
                Some(step) => format!("its checkpoint of step {step} is whole, and --resume goes on from there"),
                None => "it has no checkpoint yet, and --resume starts it again".to_owned(),
            };
            format!("training stopped at step {}.\n  fix: what is said below; {resumes}", self.state.step)
        })
    }

    fn train_on(&mut self, stop: &Stop) -> Result<Finish> {
        while self.state.step < self.config.run.steps {
            if stop.asked() {
                self.checkpoint()?;
                return Ok(Finish::Stopped);
            }
            self.interact()?;
            if self.state.step > self.config.run.warmup_steps {
                for _ in 0..self.config.run.updates_per_step {
                    self.learn()?;
                }
            }
            if self.state.step.is_multiple_of(self.config.run.evaluation_period) {
                self.evaluate()?;
            }
            if self.state.step.is_multiple_of(self.config.run.checkpoint_period) {
                self.checkpoint()?;
            }
        }
        self.checkpoint()?;
        Ok(Finish::Complete)
    }

    /// One step in the environment: act, keep the transition, begin anew where an episode ended.
    fn interact(&mut self) -> Result<()> {
        let state = &mut self.state;
        // A learner that another run has taught has no need of random actions to begin with.
        let action = if state.step < self.config.run.warmup_steps && self.learner.updates() == 0 {
            state.exploration.random()
        } else {
            state.exploration.of_policy(|noise| self.learner.act_with(&state.observation, noise))
        };
        let step = self.environment.step(&action).context("the environment failed")?;
        let transition = Transition {
            observation: std::mem::replace(&mut state.observation, step.observation.clone()),
            action,
            reward: step.reward as f32,
            next: step.observation,
            end: step.end,
        };
        self.replay.push(&transition)?;
        self.log.append(&transition)?;
        state.step += 1;
        state.episode.length += 1;
        state.episode.sum_of_rewards += step.reward;
        if self.sink.wants_control()
            && let Some(mut record) = self.environment.control_record()
        {
            record.step = state.step;
            record.poses = self.environment.poses();
            record.attention = self.learner.attention_overlay(&transition.observation, &transition.action);
            self.sink.record(Record::Control(Box::new(record)));
        }
        if step.end.is_some() {
            self.end_episode(step.info.success, step.info.angular_error.map(f64::abs))?;
        }
        self.reporter.tick(self.state.step, self.learner.temperature());
        Ok(())
    }

    fn end_episode(&mut self, success: Option<bool>, final_error: Option<f64>) -> Result<()> {
        let state = &mut self.state;
        let Episode { length, sum_of_rewards: episode_return } = std::mem::take(&mut state.episode);
        state.episodes += 1;
        let (step, episode) = (state.step, state.episodes);
        self.metrics.write(&Line::Episode { step, episode, episode_return, length, success, final_error })?;
        self.reporter.episode(episode_return, success, final_error);
        self.sink.record(Record::Episode(EpisodeRecord {
            step,
            episode,
            episode_return,
            length,
            success,
            final_error,
        }));
        state.exploration.begin_episode();
        let seed = training_seed(&mut state.episode_seeds);
        state.observation = self.environment.reset(seed).context("the next episode can't start")?;
        Ok(())
    }

    /// One gradient step.
    fn learn(&mut self) -> Result<()> {
        self.replay.sample(&mut self.batch, &mut self.state.sampling)?;
        if let Some(augment) = self.environment.augment() {
            augment.augment(&mut self.batch, &mut self.state.augmentation);
        }
        let metrics = update(&mut self.learner, &self.batch)?;
        if let Some(line) =
            self.reporter.learning(self.state.step, self.learner.updates(), &metrics, &mut self.state.sums)
        {
            self.sink.record(Record::Learning(line.record()));
            self.metrics.write(&line.line())?;
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<()> {
        let evaluation = evaluate(&mut self.learner, self.judge.as_mut(), self.config.run.evaluation_episodes)?;
        let (step, minutes) = (self.state.step, self.seconds_trained() / 60.0);
        if evaluation.success_rate().is_some_and(|rate| rate >= SOLVED) {
            self.state.good_in_a_row += 1;
            if self.state.good_in_a_row == 2 && self.state.steps_to_solve.is_none() {
                self.state.steps_to_solve = Some(step - self.config.run.evaluation_period);
            }
        } else {
            self.state.good_in_a_row = 0;
        }
        self.reporter.evaluation(step, &evaluation);
        self.metrics.write(&Line::Evaluation { step, minutes, evaluation })
    }

    /// Makes the run as it is now durable, unless it is already.
    fn checkpoint(&mut self) -> Result<()> {
        if self.saved == Some(self.state.step) {
            return Ok(());
        }
        let transitions = self.log.sync()?;
        let metrics_bytes = self.metrics.sync()?;
        self.state.seconds_trained = self.seconds_trained();
        self.started = Instant::now();
        let saved =
            Saved { state: self.state.clone(), environment: self.environment.save(), transitions, metrics_bytes };
        let checkpoint = Checkpoint {
            step: self.state.step,
            learner: self.learner.save(),
            trainer: postcard::to_allocvec(&saved).context("a trainer's state becomes bytes")?,
        };
        let oldest = checkpoint.write(&self.folder, self.config.run.checkpoints_kept)?;
        // A step is a transition, so no kept checkpoint needs what is further back than the replay reaches.
        self.log.forget_before(oldest.saturating_sub(self.config.run.replay_capacity as u64))?;
        self.saved = Some(self.state.step);
        Ok(())
    }

    fn seconds_trained(&self) -> f64 {
        self.state.seconds_trained + self.started.elapsed().as_secs_f64()
    }

    /// The evaluation that a run ends with.
    ///
    /// # Errors
    /// When the environment fails.
    pub fn final_evaluation(&mut self) -> Result<Evaluation> {
        evaluate(&mut self.learner, self.judge.as_mut(), self.config.run.final_episodes)
    }

    /// Environment steps, minutes of training, and the step from which two evaluations in a row had at
    /// least 90% success.
    #[must_use]
    pub fn progress(&self) -> (u64, f64, Option<u64>) {
        (self.state.step, self.seconds_trained() / 60.0, self.state.steps_to_solve)
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

/// One gradient step.
///
/// # Errors
/// When a loss is no number any more.
pub(crate) fn update(learner: &mut Sac, batch: &Batch) -> Result<Metrics> {
    let metrics = learner.update(batch);
    ensure!(
        metrics.critic_loss.is_finite() && metrics.actor_loss.is_finite(),
        "learning diverged: critic loss {}, actor loss {}; it wants a new run with a smaller sac.learning_rate or \
         sac.reward_scale",
        metrics.critic_loss,
        metrics.actor_loss
    );
    Ok(metrics)
}

/// The next training episode's seed; evaluation seeds have the top bits set and are never drawn.
pub(crate) fn training_seed(rng: &mut Rng) -> u64 {
    rng.bits() >> 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::EVALUATION_SEEDS;

    #[test]
    fn training_episodes_never_have_an_evaluation_episodes_seed() {
        let mut rng = Rng::new(0, "episodes");
        let mut seeds: Vec<u64> = (0..100_000).map(|_| training_seed(&mut rng)).collect();
        assert!(seeds.iter().all(|seed| *seed < EVALUATION_SEEDS));
        assert!(seeds.iter().any(|seed| *seed > EVALUATION_SEEDS / 2), "most of the range is used");
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 100_000, "an episode was trained on twice");
        const { assert!(u64::MAX >> 2 < EVALUATION_SEEDS, "two bits are enough to be below them") };
    }
}
