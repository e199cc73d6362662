//! The learner in the maze: a policy of one bump, a squashed Gaussian, where the best one has two.

use crate::evaluation::EVALUATION_SEEDS;
use crate::train::{training_seed, update};
use anyhow::Result;
use serde::Serialize;
use std::ops::Range;
use turnkey_benchmarks::maze::{Grid, Passage, PointMaze};
use turnkey_core::{Action, Batch, End, Environment, Mode, Policy as _, Rng, Transition};
use turnkey_replay::{Replay, Widths};
use turnkey_sac::{Sac, SacConfig};

/// The temperatures that it is trained at; none is learned.
const ALPHAS: [f64; 4] = [0.05, 0.3, 0.6, 0.65];
/// Steps of random actions before the first update, one of which follows each step afterwards.
const WARMUP: u64 = 1000;
/// Episodes of each judgement.
const EPISODES: u64 = 50;
const WIDTHS: Widths = Widths { observation: 2, action: 2, pictures: None };

/// What one trained policy does, in shares of episodes, 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Row {
    alpha: f64,
    seed: u64,
    /// Training episodes that ended in the goal.
    arrivals_in_training: u64,
    deterministic: Judged,
    sampled: Judged,
}

/// The policy as it is, on mazes that it may not have been trained on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Judged {
    /// With both open: the nearer passage was the first.
    near: f64,
    /// With both open: the farther passage was the first.
    far: f64,
    /// Arrived, with both open.
    success: f64,
    success_near_blocked: f64,
    success_far_blocked: f64,
}

/// Trains a policy for each temperature and seed with both passages open, and judges it with both open and with each blocked.
///
/// # Errors
/// When learner, replay or maze refuse what they are given.
pub(super) fn rows(grid: &Grid, seeds: Range<u64>, steps: u64) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for alpha in ALPHAS {
        for seed in seeds.clone() {
            tracing::info!("temperature {alpha}, seed {seed}: {steps} steps");
            let (mut sac, arrivals_in_training) = train(grid, alpha, seed, steps)?;
            let deterministic = judge(&mut sac, grid, Mode::Deterministic)?;
            let sampled = judge(&mut sac, grid, Mode::Sample)?;
            rows.push(Row { alpha, seed, arrivals_in_training, deterministic, sampled });
        }
    }
    Ok(rows)
}

/// Trains by one gradient step an environment step, and counts the episodes that arrived.
fn train(grid: &Grid, alpha: f64, seed: u64, steps: u64) -> Result<(Sac, u64)> {
    let config = SacConfig {
        actor_hidden: vec![64, 64],
        critic_hidden: vec![64, 64],
        batch_size: 128,
        learning_rate: 1e-3,
        tau: 0.01,
        initial_temperature: alpha,
        learn_temperature: false,
        ..SacConfig::default()
    };
    let mut sac = Sac::new(&config, WIDTHS.observation, WIDTHS.action, seed)?;
    let mut replay = Replay::new(usize::try_from(steps)?, WIDTHS)?;
    let mut batch = Batch::zeros(config.batch_size, WIDTHS.observation, WIDTHS.action);
    let [mut exploration, mut sampling, mut episodes] =
        ["exploration", "sampling", "episodes"].map(|purpose| Rng::new(seed, purpose));
    let mut maze = PointMaze::new(grid.clone());
    let mut begin = |maze: &mut PointMaze| maze.reset(training_seed(&mut episodes));
    let (mut observation, mut arrivals) = (begin(&mut maze)?, 0);
    for step in 0..steps {
        let action = match step {
            0..WARMUP => Action((0..WIDTHS.action).map(|_| exploration.uniform(-1.0, 1.0) as f32).collect()),
            _ => sac.act(&observation, Mode::Sample, &mut exploration),
        };
        let then = maze.step(&action)?;
        let (reward, next, end) = (then.reward as f32, then.observation, then.end);
        replay.push(&Transition { observation, action, reward, next: next.clone(), end })?;
        arrivals += u64::from(end == Some(End::Terminated));
        observation = if end.is_some() { begin(&mut maze)? } else { next };
        if step >= WARMUP {
            replay.sample(&mut batch, &mut sampling)?;
            update(&mut sac, &batch)?;
        }
    }
    Ok((sac, arrivals))
}

fn judge(sac: &mut Sac, grid: &Grid, mode: Mode) -> Result<Judged> {
    let (success, near, far) = shares(sac, grid, mode)?;
    let (success_near_blocked, ..) = shares(sac, &grid.blocked(Passage::Near), mode)?;
    let (success_far_blocked, ..) = shares(sac, &grid.blocked(Passage::Far), mode)?;
    Ok(Judged { near, far, success, success_near_blocked, success_far_blocked })
}

/// Shares of episodes that arrived, and that entered the nearer and the farther passage first.
fn shares(sac: &mut Sac, grid: &Grid, mode: Mode) -> Result<(f64, f64, f64)> {
    let mut maze = PointMaze::new(grid.clone());
    let mut rng = Rng::new(0, "judged actions");
    let (mut arrived, mut near, mut far) = (0_u32, 0_u32, 0_u32);
    for episode in 0..EPISODES {
        let mut observation = maze.reset(EVALUATION_SEEDS + episode)?;
        let end = loop {
            let step = maze.step(&sac.act(&observation, mode, &mut rng))?;
            if let Some(end) = step.end {
                break end;
            }
            observation = step.observation;
        };
        arrived += u32::from(end == End::Terminated);
        near += u32::from(maze.first_passage() == Some(Passage::Near));
        far += u32::from(maze.first_passage() == Some(Passage::Far));
    }
    let share = |count: u32| f64::from(count) / EPISODES as f64;
    Ok((share(arrived), share(near), share(far)))
}

pub(super) fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:>5}  {:>4}  {:>8}  {:<13}  {:>17}  {:>9}  {:>17}\n{:>5}  {:>4}  {:>8}  {:<13}  {:>8} {:>8}  {:>9}  {:>8} {:>8}\n",
        "",
        "",
        "arrived",
        "",
        "passage first %",
        "both open",
        "arrives %, blocked",
        "alpha",
        "seed",
        "training",
        "acts",
        "nearer",
        "farther",
        "arrives %",
        "nearer",
        "farther"
    );
    for row in rows {
        for (acts, judged) in [("deterministic", row.deterministic), ("sampled", row.sampled)] {
            let Judged { near, far, success, success_near_blocked, success_far_blocked } = judged;
            let [near, far, success, near_blocked, far_blocked] =
                [near, far, success, success_near_blocked, success_far_blocked].map(|share| 100.0 * share);
            text += &format!(
                "{:>5}  {:>4}  {:>8}  {acts:<13}  {near:>8.0} {far:>8.0}  {success:>9.0}  {near_blocked:>8.0} {far_blocked:>9.0}\n",
                row.alpha, row.seed, row.arrivals_in_training
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_env::conformance::check_environment;

    #[test]
    fn the_maze_keeps_an_environments_promises() {
        check_environment(|| PointMaze::new(Grid::two_passages()));
        check_environment(|| PointMaze::new(Grid::two_passages().blocked(Passage::Near)));
    }

    #[test]
    fn the_same_seed_trains_the_same_policy_and_every_share_is_one() {
        let grid = Grid::two_passages();
        let run = || {
            let (mut sac, arrivals) = train(&grid, 0.3, 1, WARMUP + 20).unwrap();
            (judge(&mut sac, &grid, Mode::Sample).unwrap(), arrivals, sac.updates())
        };
        let (judged, arrivals, updates) = run();
        assert_eq!((judged, arrivals, updates), run());
        assert_eq!(updates, 20);
        assert!(judged.near + judged.far <= 1.0 && judged.success <= judged.near + judged.far, "{judged:?}");
    }
}
