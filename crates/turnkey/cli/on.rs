//! What a policy acts on, as the command line says it.

use crate::config::{CLAW_FILE, RigConfig, ValveBy};
use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// What a policy acts on.
#[derive(Clone, Debug, Default, Args)]
pub struct On {
    /// What a policy acts on: the twin, or a rig, which is a claw whose servos, real or emulated, are on a serial port.
    /// A resumed run goes on where it was begun.
    #[arg(long, value_enum)]
    pub plant: Option<PlantName>,
    /// The claw's file, with --plant rig; hardware/claw.toml if absent.
    #[arg(long, value_name = "FILE")]
    pub claw: Option<PathBuf>,
    /// The claw's serial port, instead of the one that its file names.
    #[arg(long)]
    pub port: Option<String>,
    /// The camera's file, with --plant rig and a task that is seen in pixels, or --valve mark.
    #[arg(long, value_name = "FILE")]
    pub camera: Option<PathBuf>,
    /// What tells the valve's angle, with --plant rig: a servo of its own, or its coloured mark in the camera's frames.
    #[arg(long, value_enum)]
    pub valve: Option<ValveBy>,
}

impl On {
    /// The rig that a new run is on, if it is on one, where its configuration has `written`.
    ///
    /// # Errors
    /// When a claw is named for a twin.
    pub fn begun(&self, written: Option<&RigConfig>) -> Result<Option<RigConfig>> {
        let named = self.claw.is_some() || self.port.is_some() || self.camera.is_some() || self.valve.is_some();
        let mut rig = match (self.plant, written) {
            (Some(PlantName::Twin), _) | (None, None) => {
                ensure!(
                    !named,
                    "--claw, --port, --camera and --valve: expected --plant rig with them, since a twin has none"
                );
                return Ok(None);
            }
            (_, Some(written)) => written.clone(),
            (Some(PlantName::Rig), None) => RigConfig::of(Path::new(CLAW_FILE)),
        };
        if let Some(claw) = &self.claw {
            rig.claw.clone_from(claw);
        }
        rig.valve = self.valve.unwrap_or(rig.valve);
        if self.camera.is_some() {
            rig.camera.clone_from(&self.camera);
        }
        // Whoever goes on with the run may do so from another folder.
        for path in [&mut rig.claw, &mut rig.datasets].into_iter().chain(&mut rig.camera) {
            *path = std::path::absolute(&*path).with_context(|| format!("no such path: {}", path.display()))?;
        }
        if self.port.is_some() {
            rig.port.clone_from(&self.port);
        }
        Ok(Some(rig))
    }

    /// The rig that a run goes on with, which was begun on `before`, with what `--set` `changes` of it.
    ///
    /// # Errors
    /// When that would be another plant, or the valve known by something else.
    pub fn resumed(&self, before: Option<&RigConfig>, changes: &[String]) -> Result<Option<RigConfig>> {
        let changed = before.map(|rig| rig.changed(changes)).transpose()?;
        if let (None, Some(change)) = (before, changes.iter().find(|change| RigConfig::is_changed_by(change))) {
            bail!(
                "--set {change}: this run was begun on the twin.\n  fix: leave it out, or begin a new run with --init-from"
            );
        }
        let rig = self.same_plant(changed.as_ref())?;
        let [before, now] = [before, rig.as_ref()].map(|rig| rig.map(|rig| rig.valve));
        ensure!(
            before == now,
            "rig.valve: what this run has learned from is of a valve whose angle came from elsewhere.\n  fix: leave --valve \
             out, or begin a new run with --init-from"
        );
        Ok(rig)
    }

    fn same_plant(&self, before: Option<&RigConfig>) -> Result<Option<RigConfig>> {
        match (self.plant, before) {
            (Some(PlantName::Twin), Some(_)) => bail!(
                "--plant twin: this run was begun on a rig, and what it has learned from is of the rig.\n  fix: leave \
                 --plant out, or begin a new run with --init-from"
            ),
            (Some(PlantName::Rig), None) => bail!(
                "--plant rig: this run was begun on the twin.\n  fix: leave --plant out, or begin a new run with \
                 --init-from"
            ),
            _ => self.begun(before),
        }
    }
}

/// What a policy can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlantName {
    /// The claw and its valve, simulated.
    Twin,
    /// A claw and its valve on a serial port.
    Rig,
}

impl PlantName {
    /// As the command line says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Twin => "twin",
            Self::Rig => "rig",
        }
    }
}
