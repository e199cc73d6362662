//! What a run acts in: one environment, or several beside each other, each with an episode of its own.

use super::training_seed;
use crate::config::Config;
use crate::exploration::Exploration;
use anyhow::{Context, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use turnkey_core::{Action, ControlRecord, Environment, Observation, Rng, Transition};
use turnkey_sac::Sac;

/// An environment that can be stepped on any thread.
pub(super) type AnyEnvironment = Box<dyn Environment + Send>;

/// What decides what happens next in one environment, besides itself and the policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lane {
    observation: Observation,
    /// Of the episode in progress: steps, and the sum of their rewards.
    length: usize,
    sum_of_rewards: f64,
    exploration: Exploration,
    episode_seeds: Rng,
}

/// What one step in one environment gave.
pub(super) struct Stepped {
    pub(super) transition: Transition,
    /// The step as a person wants to see it, where that was asked for.
    pub(super) record: Option<ControlRecord>,
    /// The episode, if this was its last step.
    pub(super) ended: Option<EndedEpisode>,
}

/// An episode that is over.
pub(super) struct EndedEpisode {
    pub(super) length: usize,
    pub(super) sum_of_rewards: f64,
    /// Whether its last step was a success, where the task says.
    pub(super) success: Option<bool>,
    /// Absolute angular error at its last step, rad.
    pub(super) final_error: Option<f64>,
}

impl Lane {
    /// The `at`-th environment of a run at the start of its first episode. Each draws from generators of its own.
    ///
    /// # Errors
    /// When the episode can't start.
    pub(super) fn begin(at: usize, environment: &mut AnyEnvironment, config: &Config) -> Result<Self> {
        let rng = |purpose: &str| match at {
            0 => Rng::new(config.seed, purpose),
            _ => Rng::new(config.seed, &format!("{purpose} of environment {at}")),
        };
        let mut episode_seeds = rng("episodes");
        let seed = training_seed(&mut episode_seeds);
        let observation = environment.reset(seed).context("the first episode can't start")?;
        let width = environment.spec().action.len();
        let exploration = Exploration::with_rng(&config.exploration, width, rng("exploration"));
        Ok(Self { observation, length: 0, sum_of_rewards: 0.0, exploration, episode_seeds })
    }

    /// Acts once, and begins the next episode where this one ended.
    fn step(&mut self, environment: &mut AnyEnvironment, action: Action, shown: bool) -> Result<Stepped> {
        let step = environment.step(&action).context("the environment failed")?;
        let transition = Transition {
            observation: std::mem::replace(&mut self.observation, step.observation.clone()),
            action,
            reward: step.reward as f32,
            next: step.observation,
            end: step.end,
        };
        self.length += 1;
        self.sum_of_rewards += step.reward;
        let mut record = if shown { environment.control_record() } else { None };
        if let Some(record) = &mut record {
            record.poses = environment.poses();
        }
        let mut ended = None;
        if step.end.is_some() {
            let (length, sum_of_rewards) = (std::mem::take(&mut self.length), std::mem::take(&mut self.sum_of_rewards));
            let (success, final_error) = (step.info.success, step.info.angular_error.map(f64::abs));
            ended = Some(EndedEpisode { length, sum_of_rewards, success, final_error });
            self.exploration.begin_episode();
            let seed = training_seed(&mut self.episode_seeds);
            self.observation = environment.reset(seed).context("the next episode can't start")?;
        }
        Ok(Stepped { transition, record, ended })
    }
}

/// An action for each environment: random ones for the first `random`, the policy's for the others, which it gives in one
/// pass, each under the noise of its own lane.
pub(super) fn actions(lanes: &mut [Lane], random: usize, policy: &Sac) -> Vec<Action> {
    let (warming_up, acting) = lanes.split_at_mut(random);
    let mut actions: Vec<Action> = warming_up.iter_mut().map(|lane| lane.exploration.random()).collect();
    if !acting.is_empty() {
        let noise = acting.iter_mut().flat_map(|lane| lane.exploration.of_policy().to_vec()).collect();
        let observations: Vec<&Observation> = acting.iter().map(|lane| &lane.observation).collect();
        actions.extend(policy.act_with_all(&observations, noise));
    }
    actions
}

/// One step in every environment, on as many threads as there are; what it gave in the environments' order. Where `shown`,
/// the first one's is recorded.
///
/// # Errors
/// When an environment fails: what the first that did says.
pub(super) fn step_all(
    lanes: &mut [Lane],
    environments: &mut [AnyEnvironment],
    actions: Vec<Action>,
    shown: bool,
) -> Result<Vec<Stepped>> {
    if let ([lane], [environment], [action]) = (&mut *lanes, &mut *environments, &actions[..]) {
        // It stays on this thread, to which an OpenGL that draws its pictures may be bound.
        return Ok(vec![lane.step(environment, action.clone(), shown)?]);
    }
    let all = lanes.par_iter_mut().zip(environments).zip(actions).enumerate();
    let step = |(at, ((lane, environment), action)): (usize, ((&mut Lane, &mut AnyEnvironment), Action))| {
        lane.step(environment, action, shown && at == 0).with_context(|| format!("environment {at} of the run"))
    };
    all.map(step).collect::<Vec<_>>().into_iter().collect()
}
