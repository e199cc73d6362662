//! The parts of a run, from its configuration.

use crate::config::{ClawWorld, Config, World};
use crate::pace::{Pace, Paced};
use crate::rig::{Interrupted, Rig};
use crate::run_folder::RunFolder;
use anyhow::{Context, Result, bail};
use std::path::Path;
use turnkey_benchmarks::Locomotion;
use turnkey_core::{Environment, Plant, Record, Scene, Sink, Spec};
use turnkey_env::{Augmentation, ClawEnvironment, DisturbanceConfig, Disturbed, ValveTask};
use turnkey_gymnasium::Gymnasium;
use turnkey_replay::Widths;
use turnkey_sac::Sac;
use turnkey_sim::{ModelName, Twin};

/// The task on the twin, the benchmark, or the environment of Gymnasium.
///
/// # Errors
/// When a model doesn't load, the configuration doesn't fit it, or Gymnasium's environment can't be made.
pub fn environment(config: &Config) -> Result<Box<dyn Environment + Send>> {
    disturbed_environment(config, Dress::Plain)
}

/// The same as training sees it: under the configured disturbances, if any.
///
/// # Errors
/// As [`disturbed_environment`].
pub fn training_environment(config: &Config) -> Result<Box<dyn Environment + Send>> {
    disturbed_environment(config, config.disturbance().map_or(Dress::Plain, Dress::As))
}

/// How an environment's world looks.
#[derive(Clone, Copy, Debug)]
pub enum Dress<'a> {
    /// As it is.
    Plain,
    /// Under these disturbances.
    As(&'a DisturbanceConfig),
}

/// The task on the twin, with a world that looks as `dress` says.
///
/// # Errors
/// As [`environment`], and when a disturbance's strength is out of range.
pub fn disturbed_environment(config: &Config, dress: Dress<'_>) -> Result<Box<dyn Environment + Send>> {
    match (&config.world, dress) {
        (World::Claw(claw), _) => dressed(claw, twin(claw)?, dress),
        (World::Benchmark(benchmark), Dress::Plain) => Ok(Box::new(Locomotion::new(benchmark.name)?)),
        (World::Gymnasium(gymnasium), Dress::Plain) => Ok(Box::new(Gymnasium::new(gymnasium.clone())?)),
        (World::Benchmark(_) | World::Gymnasium(_), Dress::As(_)) => {
            bail!("expected a claw's pictures to disturb, got what has none")
        }
    }
}

/// The task in real time: on the configured rig, or on a twin that keeps to a pace as a claw does. A rig is released
/// where it is once `interrupted` says so; of how it looks only the frames can be changed here.
///
/// # Errors
/// As [`disturbed_environment`]; when the rig's servos are not as its file says.
pub fn paced_environment(
    config: &Config,
    pace: &Pace,
    interrupted: Interrupted,
    dress: Dress<'_>,
) -> Result<Box<dyn Environment + Send>> {
    let claw = config.claw()?;
    match &claw.rig {
        None => dressed(claw, Paced::new(twin(claw)?, pace.clone()), dress),
        Some(rig) => {
            let plant = Rig::open(rig, claw, pace, interrupted).context("the rig can't be used")?;
            dressed(claw, plant, dress)
        }
    }
}

fn dressed<P: Plant + Send + 'static>(
    config: &ClawWorld,
    plant: P,
    dress: Dress<'_>,
) -> Result<Box<dyn Environment + Send>> {
    match dress {
        Dress::Plain => on_plant(config, plant),
        Dress::As(disturbance) => {
            on_plant(config, Disturbed::new(plant, disturbance.clone(), config.task.episode_steps)?)
        }
    }
}

/// A learner that has learned nothing, for what an environment shows and takes, and the widths of its transitions.
///
/// # Errors
/// When the configuration's networks don't fit.
pub fn learner(config: &Config, spec: &Spec) -> Result<(Sac, Widths)> {
    let widths = Widths { observation: spec.observation.len(), action: spec.action.len(), pictures: spec.pictures };
    let learner = Sac::seeing(&config.sac, widths.observation, widths.pictures, widths.action, config.seed)?;
    Ok((learner, widths))
}

/// What is made of transitions, where configured.
///
/// # Errors
/// When it doesn't fit the task.
pub fn augmentation(config: &Config) -> Result<Option<Augmentation>> {
    let Ok(claw) = config.claw() else { return Ok(None) };
    let Some(augmentation) = claw.augmentation.clone() else { return Ok(None) };
    Ok(Some(Augmentation::new(&task(claw)?, augmentation).context("the augmentation doesn't fit the task")?))
}

fn task(config: &ClawWorld) -> Result<ValveTask> {
    ValveTask::new(config.task.clone()).context("the task can't be made")
}

fn twin(config: &ClawWorld) -> Result<Twin> {
    Twin::new(config.twin.clone()).with_context(|| match config.twin.model {
        ModelName::Turnkey => "the twin can't be made".to_owned(),
        ModelName::Robel => {
            let folder = std::env::var("TURNKEY_ROBEL_DIR").map(|dir| format!(" in {dir}")).unwrap_or_default();
            format!(
                "the twin can't be made of ROBEL's model files{folder}.\n  fix: fetch them by `cargo xtask setup`, or take \
                 our own model by --set twin.model=turnkey"
            )
        }
    })
}

fn on_plant<P: Plant + Send + 'static>(config: &ClawWorld, plant: P) -> Result<Box<dyn Environment + Send>> {
    let environment = ClawEnvironment::new(plant, task(config)?).context("the task doesn't fit the plant")?;
    let Some(augmentation) = config.augmentation.clone() else { return Ok(Box::new(environment)) };
    let environment = environment.with_augmentation(augmentation).context("the augmentation doesn't fit the task")?;
    Ok(Box::new(environment))
}

/// Where a run's records go: a recording in its folder and, when `live`, a viewer. Nowhere in a build
/// without the `view` feature.
///
/// # Errors
/// When the recording can't be started.
pub fn view(folder: &RunFolder, live: bool, scene: Option<&Scene>) -> Result<Box<dyn Sink>> {
    let sink = start_view(folder, live)?;
    if let Some(scene) = scene {
        sink.record(Record::Scene(std::sync::Arc::new(scene.clone())));
    }
    Ok(sink)
}

/// A recording of its own in `file`, which keeps every step.
///
/// # Errors
/// When it can't be started.
pub fn recording(name: &str, file: &Path, config: &Config) -> Result<Box<dyn Sink>> {
    let sink = start_recording(name, file)?;
    if let Some(scene) = environment(config)?.scene() {
        sink.record(Record::Scene(std::sync::Arc::new(scene.clone())));
    }
    Ok(sink)
}

#[cfg(feature = "view")]
fn start_recording(name: &str, file: &Path) -> Result<Box<dyn Sink>> {
    use turnkey_view::{View, ViewConfig};
    let config = ViewConfig { control_every: 1, ..ViewConfig::new(name.to_owned(), file.to_owned()) };
    Ok(Box::new(View::start(config).context("the recording can't be started")?))
}

#[cfg(not(feature = "view"))]
fn start_recording(_name: &str, _file: &Path) -> Result<Box<dyn Sink>> {
    Ok(Box::new(Nowhere))
}

#[cfg(feature = "view")]
fn start_view(folder: &RunFolder, live: bool) -> Result<Box<dyn Sink>> {
    use turnkey_view::{Live, View, ViewConfig};
    let live = live.then_some(Live::Spawn);
    let config = ViewConfig { live, ..ViewConfig::new(folder.name(), folder.recording()) };
    Ok(Box::new(View::start(config).context("the recording can't be started")?))
}

#[cfg(not(feature = "view"))]
fn start_view(_folder: &RunFolder, live: bool) -> Result<Box<dyn Sink>> {
    if live {
        tracing::warn!("this build has no viewer.\n  fix: build with --features view");
    }
    Ok(Box::new(Nowhere))
}

/// A sink that keeps nothing.
#[cfg(not(feature = "view"))]
struct Nowhere;

#[cfg(not(feature = "view"))]
impl Sink for Nowhere {
    fn record(&self, _record: Record) {}
}
