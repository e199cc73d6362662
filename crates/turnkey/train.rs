//! Training. Start reading at [`Trainer::train`].

mod begin;
mod lane;

pub(crate) use begin::take_over;

use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::evaluation::{Evaluation, evaluate};
use crate::metrics::{Line, MetricsFile};
use crate::report::{Reporter, Sums};
use crate::run_folder::{Lock, RunFolder};
use crate::stop::Stop;
use anyhow::{Context, Result, ensure};
use lane::{AnyEnvironment, EndedEpisode, Lane, Stepped};
use serde::{Deserialize, Serialize};
use std::time::Instant;
use turnkey_core::{
    AttentionRecord, Batch, Environment, EpisodeRecord, Learner as _, Record, Rng, Sink, Snapshot as _,
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

/// One run, one thing after another: the same seed gives the same run, to the bit. Threads only share out what is done at
/// once anyway.
pub struct Trainer {
    config: Config,
    folder: RunFolder,
    _lock: Lock,
    /// What is acted in, in the order of the state's lanes.
    environments: Vec<AnyEnvironment>,
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

/// What decides what happens next, besides environments, learner and replay.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    step: u64,
    episodes: u64,
    lanes: Vec<Lane>,
    sampling: Rng,
    augmentation: Rng,
    /// The step since which all evaluations were good, if the last one was, and that of the first two in a row.
    good_since: Option<u64>,
    steps_to_solve: Option<u64>,
    sums: Sums,
    seconds_trained: f64,
}

/// A checkpoint's trainer part.
#[derive(Serialize, Deserialize)]
struct Saved {
    state: State,
    environments: Vec<Vec<u8>>,
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
            let before = self.state.step;
            self.interact()?;
            let (run, after) = (&self.config.run, self.state.step);
            for _ in run.updates_by(before)..run.updates_by(after) {
                self.learn()?;
            }
            // A step in several environments may take it past a period's end.
            let passed = |period: u64| before / period < after / period;
            if passed(self.config.run.evaluation_period) {
                self.evaluate()?;
            }
            if passed(self.config.run.checkpoint_period) {
                self.checkpoint()?;
            }
        }
        self.checkpoint()?;
        Ok(Finish::Complete)
    }

    /// One step in every environment: act, keep the transitions, begin anew where an episode ended.
    fn interact(&mut self) -> Result<()> {
        let (state, count) = (&mut self.state, self.environments.len());
        // A learner that another run has taught has no need of random actions to begin with.
        let taught = self.learner.updates() > 0;
        let random = if taught { 0 } else { self.config.run.warmup_steps.saturating_sub(state.step) };
        let actions = lane::actions(&mut state.lanes, random.min(count as u64) as usize, &self.learner);
        let shown = self.sink.wants_control();
        let stepped = lane::step_all(&mut state.lanes, &mut self.environments, actions, shown)?;
        for (at, stepped) in stepped.into_iter().enumerate() {
            self.keep(at, stepped)?;
        }
        self.reporter.tick(self.state.step, self.learner.temperature());
        Ok(())
    }

    /// Keeps what a step in the `at`-th environment gave.
    fn keep(&mut self, at: usize, Stepped { transition, record, ended }: Stepped) -> Result<()> {
        self.replay.push(&transition)?;
        self.log.append(&transition)?;
        self.state.step += 1;
        if let Some(mut record) = record {
            record.step = self.state.step;
            self.sink.record(Record::Control(Box::new(record)));
            if let Some(overlay) = self.learner.attention_overlay(&transition.observation, &transition.action) {
                let step = self.state.step;
                self.sink.record(Record::Attention(AttentionRecord { step, overlay }));
            }
        }
        ended.map_or(Ok(()), |episode| self.end_episode(at, &episode))
    }

    fn end_episode(&mut self, at: usize, ended: &EndedEpisode) -> Result<()> {
        let EndedEpisode { length, sum_of_rewards: episode_return, success, final_error } = *ended;
        self.state.episodes += 1;
        let (step, episode) = (self.state.step, self.state.episodes);
        self.metrics.write(&Line::Episode { step, episode, episode_return, length, success, final_error })?;
        self.reporter.episode(episode_return, success, final_error);
        // Who watches sees the first environment alone, episode after episode.
        if at == 0 {
            let record = EpisodeRecord { step, episode, episode_return, length, success, final_error };
            self.sink.record(Record::Episode(record));
        }
        Ok(())
    }

    /// One gradient step.
    fn learn(&mut self) -> Result<()> {
        self.replay.sample(&mut self.batch, &mut self.state.sampling)?;
        if let Some(augment) = self.environments[0].augment() {
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
            match self.state.good_since {
                Some(first) => self.state.steps_to_solve = self.state.steps_to_solve.or(Some(first)),
                None => self.state.good_since = Some(step),
            }
        } else {
            self.state.good_since = None;
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
        let environments = self.environments.iter().map(|environment| environment.save()).collect();
        let saved = Saved { state: self.state.clone(), environments, transitions, metrics_bytes };
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
