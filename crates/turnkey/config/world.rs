//! What a run acts in: the claw, a benchmark, or an environment of Gymnasium. A configuration file has the sections of one of them.

use super::rig::RigConfig;
use super::{ExplorationConfig, RawConfig, RunConfig, RunMode};
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use turnkey_benchmarks::BenchmarkName;
use turnkey_env::{AugmentationConfig, DisturbanceConfig, Sees, TaskConfig, ValveTask};
use turnkey_gymnasium::GymnasiumConfig;
use turnkey_sac::SacConfig;
use turnkey_sim::TwinConfig;

/// What a run acts in.
#[derive(Clone, Debug, PartialEq)]
pub enum World {
    /// The claw with a valve task.
    Claw(Box<ClawWorld>),
    /// A benchmark.
    Benchmark(BenchmarkConfig),
    /// An environment of Gymnasium, in a Python process of its own.
    Gymnasium(GymnasiumConfig),
}

/// The claw with a valve task: `[task]` and all that goes with it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClawWorld {
    /// What is done, and what it is worth.
    pub task: TaskConfig,
    /// The twin that takes the claw's place.
    pub twin: TwinConfig,
    /// The claw that is trained on in the twin's place, if there is one.
    pub rig: Option<RigConfig>,
    /// What training episodes' pictures suffer; nothing, if absent. Evaluations are never disturbed.
    pub disturbance: Option<DisturbanceConfig>,
    /// Transitions made from transitions; none, if absent.
    pub augmentation: Option<AugmentationConfig>,
}

/// `[benchmark]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkConfig {
    /// Which.
    pub name: BenchmarkName,
}

impl World {
    /// The claw.
    ///
    /// # Errors
    /// When it is something else.
    pub(crate) fn claw(&self) -> Result<&ClawWorld> {
        match self {
            Self::Claw(claw) => Ok(claw),
            Self::Benchmark(benchmark) => bail!(not_a_claw(benchmark.name.id())),
            Self::Gymnasium(gymnasium) => bail!(not_a_claw(&gymnasium.id)),
        }
    }

    /// The same, to be changed.
    pub(super) fn claw_mut(&mut self) -> Result<&mut ClawWorld> {
        match self {
            Self::Claw(claw) => Ok(claw),
            Self::Benchmark(benchmark) => bail!(not_a_claw(benchmark.name.id())),
            Self::Gymnasium(gymnasium) => bail!(not_a_claw(&gymnasium.id)),
        }
    }

    /// Checks what types can't.
    pub(super) fn check(&self, run: &RunConfig) -> Result<()> {
        let mode = run.mode;
        match self {
            Self::Claw(claw) => claw.check(run),
            Self::Benchmark(_) => waits("benchmark", mode),
            Self::Gymnasium(gymnasium) => {
                waits("gymnasium", mode)?;
                Ok(gymnasium.check()?)
            }
        }
    }
}

fn not_a_claw(other: &str) -> String {
    format!("expected the configuration of a claw ([task]) for this, got one of {other}")
}

/// Refuses real time for what waits for whoever acts.
fn waits(section: &str, mode: RunMode) -> Result<()> {
    ensure!(
        mode == RunMode::Inline,
        "run.mode: expected \"inline\" with [{section}], which waits for whoever acts, got \"asynchronous\""
    );
    Ok(())
}

impl ClawWorld {
    fn check(&self, run: &RunConfig) -> Result<()> {
        let mode = run.mode;
        ensure!(
            run.environments == 1 || (self.twin.camera.is_none() && self.task.sees != Sees::Pixels),
            "run.environments: expected 1 where there are pictures, which are kept once, in the order of one episode after \
             another, got {}.\n  fix: --set run.environments=1, or a task without [twin.camera]",
            run.environments
        );
        ensure!(
            mode == RunMode::Inline || self.disturbance.is_none(),
            "[disturbance]: expected none with run.mode = \"asynchronous\", whose evaluations are on the plant it trains on"
        );
        ensure!(
            (self.task.period_secs - self.twin.period_secs).abs() < 1e-9,
            "twin.period_secs: expected the task's {} s, got {}",
            self.task.period_secs,
            self.twin.period_secs
        );
        ValveTask::new(self.task.clone())?;
        ensure!(
            self.augmentation.is_none() || !self.task.observe_target,
            "[augmentation]: expected none with task.observe_target = true, since it turns valve and error and leaves the target as it \
             is.\n  fix: --set task.observe_target=false, or leave [augmentation] out"
        );
        if let Some(rig) = &self.rig {
            rig.check(mode, &self.task)?;
        }
        if let Some(disturbance) = &self.disturbance {
            disturbance.check()?;
            ensure!(
                self.twin.camera.is_some(),
                "[disturbance]: expected a camera to disturb ([twin.camera]), found none"
            );
        }
        self.twin.check().context("[twin]")
    }
}

/// A configuration as its file has it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[serde(default)]
    seed: u64,
    run: RunConfig,
    #[serde(default)]
    exploration: ExplorationConfig,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    benchmark: Option<BenchmarkConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gymnasium: Option<GymnasiumConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<TaskConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    twin: Option<TwinConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rig: Option<RigConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disturbance: Option<DisturbanceConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    augmentation: Option<AugmentationConfig>,
    #[serde(default)]
    sac: SacConfig,
}

impl TryFrom<Written> for RawConfig {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { seed, run, exploration, benchmark, gymnasium, task, twin, rig, disturbance, augmentation, sac } =
            written;
        let of_a_claw = [
            ("task", task.is_some()),
            ("twin", twin.is_some()),
            ("rig", rig.is_some()),
            ("disturbance", disturbance.is_some()),
            ("augmentation", augmentation.is_some()),
        ];
        let other = match (benchmark, gymnasium) {
            (Some(_), Some(_)) => {
                return Err("[gymnasium]: expected none with [benchmark], or the other way round".into());
            }
            (Some(benchmark), None) => Some(("benchmark", World::Benchmark(benchmark))),
            (None, Some(gymnasium)) => Some(("gymnasium", World::Gymnasium(gymnasium))),
            (None, None) => None,
        };
        let world = match (task, other) {
            (Some(task), None) => {
                let twin = twin.unwrap_or_default();
                World::Claw(Box::new(ClawWorld { task, twin, rig, disturbance, augmentation }))
            }
            (None, None) => {
                let expected = "expected [task], for the claw, or [benchmark], or [gymnasium]";
                return Err(format!("missing field `task`: {expected}"));
            }
            (_, Some((name, world))) => {
                if let Some((section, _)) = of_a_claw.iter().find(|(_, there)| *there) {
                    return Err(format!("[{section}]: expected none with [{name}], which has no claw"));
                }
                world
            }
        };
        Ok(Self { seed, run, exploration, world, sac })
    }
}

impl From<RawConfig> for Written {
    fn from(RawConfig { seed, run, exploration, world, sac }: RawConfig) -> Self {
        let empty = Self {
            seed,
            run,
            exploration,
            benchmark: None,
            gymnasium: None,
            task: None,
            twin: None,
            rig: None,
            disturbance: None,
            augmentation: None,
            sac,
        };
        match world {
            World::Claw(claw) => {
                let ClawWorld { task, twin, rig, disturbance, augmentation } = *claw;
                Self { task: Some(task), twin: Some(twin), rig, disturbance, augmentation, ..empty }
            }
            World::Benchmark(benchmark) => Self { benchmark: Some(benchmark), ..empty },
            World::Gymnasium(gymnasium) => Self { gymnasium: Some(gymnasium), ..empty },
        }
    }
}
