//! What a dataset's numbers are.

use crate::version::{self, Version};
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use turnkey_core::{FrameSize, JOINT_NAMES, Spec};
use turnkey_env::TaskConfig;

/// The version of the format.
const SCHEMA: u32 = 1;

/// `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub schema: u32,
    /// The run.
    pub run: String,
    /// The program that writes it.
    pub program: Version,
    /// Units of the numbers in each line.
    pub units: BTreeMap<String, String>,
    /// Names of the joints, in order.
    pub joints: Vec<String>,
    /// Names of an observation's numbers, in order.
    pub observation: Vec<String>,
    /// Size of the frames, where there are any.
    #[serde(default)]
    pub frame: Option<FrameSize>,
    /// The control period, s.
    pub period_secs: f64,
    /// What was done, and what it was worth.
    pub task: TaskConfig,
    /// The claw's files, by the episode from which on each held, with their CRC-32.
    pub claw_crc32: BTreeMap<u64, u32>,
    /// Episodes that have an end.
    pub episodes: u64,
    /// Their steps.
    pub steps: u64,
    /// Steps written of the episode that has no end yet.
    #[serde(skip)]
    pub(super) steps_written: u64,
}

impl Manifest {
    pub(super) fn new(run: &str, task: &TaskConfig, spec: Spec) -> Self {
        let units = [
            ("stamp_secs, lateness_secs, joint_age_secs, cycle_secs, picture.age_secs, picture.skew_secs", "s"),
            ("goal, told, positions, valve, target", "rad"),
            ("velocities, valve_velocity", "rad/s"),
            ("torques", "N m, estimated from currents"),
            ("amperes", "A"),
            ("celsius", "degrees C"),
            ("volts", "V"),
            ("action", "1, where -1 and 1 are the ends of task.action_range"),
        ];
        Self {
            schema: SCHEMA,
            run: run.to_owned(),
            program: version::current(),
            units: units.map(|(of, unit)| (of.to_owned(), unit.to_owned())).into(),
            joints: JOINT_NAMES.map(str::to_owned).into(),
            frame: spec.pictures.map(|pictures| pictures.size),
            observation: spec.observation,
            period_secs: task.period_secs,
            task: task.clone(),
            claw_crc32: BTreeMap::new(),
            episodes: 0,
            steps: 0,
            steps_written: 0,
        }
    }

    pub(super) fn path(folder: &Path) -> PathBuf {
        folder.join("manifest.json")
    }

    /// Reads a dataset's manifest.
    ///
    /// # Errors
    /// When there is none, or of another version.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = Self::path(folder);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} is no dataset: expected manifest.json in it", folder.display()))?;
        let manifest: Self =
            serde_json::from_str(&text).with_context(|| format!("{} is not a dataset's manifest", path.display()))?;
        let found = manifest.schema;
        ensure!(found == SCHEMA, "{}: expected schema {SCHEMA}, got {found}", path.display());
        Ok(manifest)
    }

    /// Whether episodes of both can lie beside each other.
    pub(super) fn is_of_same(&self, other: &Self) -> bool {
        (&self.run, &self.units, &self.task, &self.observation, &self.frame)
            == (&other.run, &other.units, &other.task, &other.observation, &other.frame)
    }

    /// Says that episodes from this one on are of this claw; gives the name for a copy of its file.
    pub(super) fn add_claw(&mut self, claw: &[u8], from_episode: u64) -> String {
        let sum = crc32fast::hash(claw);
        if self.claw_crc32.values().next_back() != Some(&sum) {
            self.claw_crc32.insert(from_episode, sum);
        }
        format!("claw-{sum:08x}.toml")
    }
}
