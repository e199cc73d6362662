//! `[rig]`: the claw that a run trains on, where that is no twin.

use super::run::RunMode;
use super::valve::{ValveBy, ValveStart};
use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;
use turnkey_env::{Sees, TaskConfig};

/// The claw's file, where nobody names another.
pub const CLAW_FILE: &str = "hardware/claw.toml";

/// Which rig, and how it is treated between episodes. That it is there makes a run one on a rig.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RigConfig {
    /// The claw's file.
    #[serde(default = "claw_file")]
    pub claw: PathBuf,
    /// Its serial port, instead of the one that its file names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// The camera's file, for tasks that are seen in pixels and valves that are known by their mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<PathBuf>,
    /// What tells the valve's angle.
    #[serde(default)]
    pub valve: ValveBy,
    /// Folder of recorded episodes, each run's in one of its own.
    #[serde(default = "datasets")]
    pub datasets: PathBuf,
    /// How fast joints go to where an episode starts, rad/s.
    #[serde(default = "two")]
    pub reset_radians_per_sec: f64,
    /// How long a run waits, with torque off, for a person to put something right, s. Then it ends, to be resumed.
    #[serde(default = "half_an_hour")]
    pub person_secs: f64,
}

fn claw_file() -> PathBuf {
    CLAW_FILE.into()
}
fn datasets() -> PathBuf {
    "datasets".into()
}
fn two() -> f64 {
    2.0
}
fn half_an_hour() -> f64 {
    1800.0
}

impl RigConfig {
    /// The rig of this claw's file.
    #[must_use]
    pub fn of(claw: &Path) -> Self {
        let claw = claw.to_owned();
        Self {
            claw,
            port: None,
            camera: None,
            valve: ValveBy::Servo,
            datasets: datasets(),
            reset_radians_per_sec: two(),
            person_secs: half_an_hour(),
        }
    }

    /// Whether this `--set` is of a rig.
    pub(crate) fn is_changed_by(change: &str) -> bool {
        change.trim_start().starts_with("rig.")
    }

    /// The rig with what these `--set` change of it; those of other things are passed over.
    ///
    /// # Errors
    /// When one is no change, or gives no rig.
    pub(crate) fn changed(&self, changes: &[String]) -> Result<Self> {
        let mut table = toml::Table::from_iter([("rig".to_owned(), toml::Value::try_from(self)?)]);
        for change in changes.iter().filter(|change| Self::is_changed_by(change)) {
            super::apply(&mut table, change)?;
        }
        Ok(table.remove("rig").context("the rig was taken out")?.try_into()?)
    }

    /// How long a person is waited for.
    #[must_use]
    pub fn patience(&self) -> Duration {
        Duration::from_secs_f64(self.person_secs)
    }

    /// Checks what types can't.
    ///
    /// # Errors
    /// The first setting that is out of range, or that doesn't fit a run of this mode or this task.
    pub fn check(&self, mode: RunMode, task: &TaskConfig) -> Result<()> {
        ensure!(
            mode == RunMode::Asynchronous,
            "run.mode: expected \"asynchronous\" on a rig, which doesn't wait, got \"inline\".\n  fix: add --set \
             run.mode=asynchronous"
        );
        ensure!(
            task.sees != Sees::Pixels || self.camera.is_some(),
            "rig.camera: expected a camera's file for a task that is seen in pixels, got none.\n  fix: add --camera \
             hardware/camera.toml"
        );
        ensure!(
            self.valve == ValveBy::Servo || self.camera.is_some(),
            "rig.camera: expected the file of the camera that sees the valve's mark, got none.\n  fix: add --camera \
             hardware/camera.toml"
        );
        ValveStart::of(self.valve, task)?;
        for (key, value, low, high) in [
            ("reset_radians_per_sec", self.reset_radians_per_sec, 0.05, 5.0),
            ("person_secs", self.person_secs, 0.0, 1e6),
        ] {
            ensure!((low..=high).contains(&value), "rig.{key}: expected {low} to {high}, got {value}");
        }
        Ok(())
    }
}
