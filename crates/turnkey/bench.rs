//! Timings of this program, in the workloads that `tests/peers` times others with.

use crate::cli::{Bench, BenchWhat};
use crate::config::Config;
use crate::printing::{print, print_json};
use crate::setup::environment;
use crate::statistics::median;
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use turnkey_core::{
    Action, Batch, FrameSize, Learner as _, Mode, Observation, PictureShape, Policy as _, Rng, Transition,
};
use turnkey_replay::{Replay, Widths};
use turnkey_sac::{EncoderConfig, EncoderName, Sac, SacConfig};

/// The state workload: observation 24, action 9, batch 256.
const WIDTHS: Widths = Widths { observation: 24, action: 9, pictures: None };

/// Times what was asked for and prints it.
///
/// # Errors
/// When the environment fails or the time to run for is not positive.
pub fn run(arguments: &Bench) -> Result<()> {
    ensure!(arguments.seconds > 0.0, "--seconds: expected a number above 0, got {}", arguments.seconds);
    let seconds = Duration::from_secs_f64(arguments.seconds.min(3600.0));
    let name = serde_json::Value::from(arguments.device.as_str());
    let device = serde_json::from_value(name).context("--device")?;
    let published = SacConfig { device, ..SacConfig::default() };
    let batch_of_128 = SacConfig { batch_size: 128, ..published.clone() };
    let line = match arguments.what {
        BenchWhat::Step => {
            let (mut learner, batch) =
                (Sac::new(&published, WIDTHS.observation, WIDTHS.action, 0)?, random_batch(256, WIDTHS));
            times("state", seconds, || {
                learner.update(&batch);
            })
        }
        BenchWhat::Pixels => pixels("default", (EncoderName::Fast, 48, 1), batch_of_128, seconds)?,
        BenchWhat::Drq => pixels("drq", (EncoderName::Drq, 64, 3), batch_of_128, seconds)?,
        BenchWhat::Paper => {
            let encoder = EncoderConfig { separate: true, shift: 0, ..EncoderConfig::default() };
            pixels("paper", (EncoderName::Paper, 32, 1), SacConfig { batch_size: 256, encoder, ..published }, seconds)?
        }
        BenchWhat::Act => {
            let mut learner = Sac::new(&published, WIDTHS.observation, WIDTHS.action, 0)?;
            let (observation, mut rng) = (Observation::from(vec![0.3; WIDTHS.observation]), Rng::new(0, "act"));
            times("state-inference", seconds, || drop(learner.act(&observation, Mode::Sample, &mut rng)))
        }
        BenchWhat::Loop => whole_loop("loop", &turn_random()?, &published, seconds)?,
        BenchWhat::Walk => whole_loop("walk", &half_cheetah()?, &published, seconds)?,
        BenchWhat::Physics => physics(seconds)?,
    };
    if arguments.json { print(&format!("{line}\n")) } else { print_json(&line) }
}

/// Gradient steps from `stack` pictures of `side` by `side` pixels and 27 numbers.
fn pixels(
    mode: &str,
    (layers, side, stack): (EncoderName, usize, usize),
    config: SacConfig,
    seconds: Duration,
) -> Result<serde_json::Value> {
    let pictures = PictureShape { size: FrameSize { width: side, height: side }, stack };
    let widths = Widths { observation: 27, action: 9, pictures: Some(pictures) };
    let encoder = EncoderConfig { layers, ..config.encoder };
    let config = SacConfig { encoder, ..config };
    let mut learner = Sac::seeing(&config, widths.observation, widths.pictures, widths.action, 0)?;
    let mut batch = random_batch(config.batch_size, widths);
    let mut rng = Rng::new(0, "bench pictures");
    let seen = batch.pictures.iter_mut().flat_map(|seen| [&mut seen.observations, &mut seen.next_observations]);
    seen.flatten().for_each(|byte| *byte = rng.bits() as u8);
    Ok(times(mode, seconds, || {
        learner.update(&batch);
    }))
}

fn random_batch(size: usize, widths: Widths) -> Batch {
    let mut rng = Rng::new(0, "bench");
    let mut batch = Batch::zeros(size, widths.observation, widths.action).with_pictures(widths.pictures);
    rng.fill_normal(&mut batch.observations);
    rng.fill_normal(&mut batch.next_observations);
    rng.fill_normal(&mut batch.rewards);
    batch.actions.iter_mut().for_each(|a| *a = rng.uniform(-1.0, 1.0) as f32);
    batch.continues.fill(1.0);
    batch
}

/// Times `step` again and again: median and tenth percentile, ms.
fn times(mode: &str, seconds: Duration, mut step: impl FnMut()) -> serde_json::Value {
    (0..5).for_each(|_| step());
    let (start, mut all) = (Instant::now(), Vec::new());
    while start.elapsed() < seconds || all.len() < 5 {
        let at = Instant::now();
        step();
        all.push(at.elapsed().as_secs_f64() * 1e3);
    }
    let middle = median(&all);
    all.sort_by(f64::total_cmp);
    serde_json::json!({
        "peer": "turnkey", "mode": mode, "threads": rayon::current_num_threads(),
        "median_ms": middle, "p10_ms": all[all.len() / 10], "steps": all.len(),
    })
}

fn turn_random() -> Result<Config> {
    acting_in("[task]\nname = \"turn_random\"")
}

fn half_cheetah() -> Result<Config> {
    acting_in("[benchmark]\nname = \"HalfCheetah-v5\"")
}

fn acting_in(world: &str) -> Result<Config> {
    let run = "[run]\nsteps = 1\nwarmup_steps = 0\nevaluation_period = 1\ncheckpoint_period = 1\n";
    Config::from_table(toml::from_str(&format!("{run}{world}"))?)
}

/// Environment steps a second with one published gradient step each, replay included, files not.
fn whole_loop(mode: &str, world: &Config, config: &SacConfig, seconds: Duration) -> Result<serde_json::Value> {
    let mut environment = environment(world)?;
    let spec = environment.spec();
    let widths = Widths { observation: spec.observation.len(), action: spec.action.len(), pictures: None };
    let mut learner = Sac::new(config, widths.observation, widths.action, 0)?;
    let mut replay = Replay::new(100_000, widths)?;
    let mut batch = Batch::zeros(256, widths.observation, widths.action);
    let mut rng = Rng::new(0, "bench");
    let mut observation = environment.reset(0)?;
    let mut steps = 0_u64;
    let mut clock = Clock::start();
    loop {
        if steps == 300 {
            clock = Clock::start();
        }
        let action = learner.act(&observation, Mode::Sample, &mut rng);
        clock.lap("policy");
        let step = environment.step(&action)?;
        let next = match step.end {
            None => step.observation.clone(),
            Some(_) => environment.reset(rng.bits())?,
        };
        clock.lap("environment");
        let seen = std::mem::replace(&mut observation, next);
        replay.push(&Transition {
            observation: seen,
            action,
            reward: step.reward as f32,
            next: step.observation,
            end: step.end,
        })?;
        replay.sample(&mut batch, &mut rng)?;
        if let Some(augment) = environment.augment() {
            augment.augment(&mut batch, &mut rng);
        }
        clock.lap("replay");
        learner.update(&batch);
        clock.lap("update");
        steps += 1;
        if steps > 310 && clock.start.elapsed() > seconds {
            break;
        }
    }
    let timed = (steps - 300) as f64;
    Ok(serde_json::json!({
        "peer": "turnkey", "mode": mode, "threads": rayon::current_num_threads(),
        "env_steps_per_s": timed / clock.start.elapsed().as_secs_f64(), "steps": steps - 300,
        "ms_a_step": clock.milliseconds(timed),
    }))
}

/// What the time since its start was spent on.
struct Clock {
    start: Instant,
    last: Instant,
    laps: BTreeMap<&'static str, Duration>,
}

impl Clock {
    fn start() -> Self {
        let now = Instant::now();
        Self { start: now, last: now, laps: BTreeMap::new() }
    }

    /// Milliseconds of each part, divided by `steps`.
    fn milliseconds(&self, steps: f64) -> BTreeMap<&'static str, f64> {
        self.laps.iter().map(|(part, spent)| (*part, spent.as_secs_f64() * 1e3 / steps)).collect()
    }

    /// The time since the lap before was spent on `part`.
    fn lap(&mut self, part: &'static str) {
        let now = Instant::now();
        *self.laps.entry(part).or_default() += now - self.last;
        self.last = now;
    }
}

/// Physics steps a second under random actions, observation and reward included.
fn physics(seconds: Duration) -> Result<serde_json::Value> {
    let config = turn_random()?;
    let mut environment = environment(&config)?;
    let per_step = (config.claw()?.task.period_secs / 0.0025).round();
    let mut rng = Rng::new(0, "bench");
    environment.reset(0)?;
    let (start, mut steps) = (Instant::now(), 0_u64);
    while start.elapsed() < seconds {
        let action = Action((0..9).map(|_| rng.uniform(-1.0, 1.0) as f32).collect());
        if environment.step(&action)?.end.is_some() {
            environment.reset(rng.bits())?;
        }
        steps += 1;
    }
    let rate = steps as f64 / start.elapsed().as_secs_f64();
    Ok(serde_json::json!({
        "peer": "turnkey", "mode": "physics", "env_steps_per_s": rate, "physics_steps_per_s": rate * per_step, "steps": steps,
    }))
}
