//! What an experiment is to run: a file of configs/experiments.
//!
//! ```toml
//! question = "Does layer normalisation of the critics help?"
//!
//! [[runs]]
//! label = "fast"
//! config = "configs/valve_state.toml"
//! seeds = [0, 1, 2]
//!
//! [[runs]]
//! label = "without layer norm"
//! config = "configs/valve_state.toml"
//! seeds = [0, 1, 2]
//! set = ["sac.critic_layer_norm=false"]
//! ```

use crate::failure::{Failure, Result};
use crate::project::Project;
use serde::Deserialize;
use std::fs;

/// A file of configs/experiments.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Experiment {
    /// What the runs are to tell.
    pub(crate) question: String,
    /// The runs.
    pub(crate) runs: Vec<Runs>,
}

/// One configuration, with several seeds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Runs {
    /// What the tables call it.
    pub(crate) label: String,
    /// The configuration file, from the clone's folder.
    pub(crate) config: String,
    /// The seeds, in the order in which they are run.
    pub(crate) seeds: Vec<u64>,
    /// Changes to the configuration, as `--set` takes them.
    #[serde(default)]
    pub(crate) set: Vec<String>,
    /// The label of other runs, listed before: each of these begins with what the one of its seed has learned.
    #[serde(default)]
    pub(crate) init_from: Option<String>,
}

impl Experiment {
    /// Reads an experiment.
    ///
    /// # Errors
    /// When there is none of that name, or its file isn't one; the failure lists those there are.
    pub(crate) fn load(project: &Project, name: &str) -> Result<Self> {
        let path = project.path("configs/experiments").join(format!("{name}.toml"));
        let text = fs::read_to_string(&path).map_err(|error| {
            let there: Vec<String> = names(project);
            Failure::new(format!("no experiment called {name}"))
                .expected(format!("one of: {}", there.join(", ")))
                .came(error.to_string())
        })?;
        let refused = |came: String| {
            Failure::new(format!("{} is no experiment", path.display()))
                .expected(
                    "question and [[runs]] with label, config, seeds, set and init_from, the label of runs before",
                )
                .came(came)
        };
        let experiment: Self = toml::from_str(&text).map_err(|error| refused(error.to_string()))?;
        for (index, runs) in experiment.runs.iter().enumerate() {
            let Some(label) = &runs.init_from else { continue };
            let before =
                experiment.runs[..index].iter().find(|other| other.label == *label && other.init_from.is_none());
            if !before.is_some_and(|other| runs.seeds.iter().all(|seed| other.seeds.contains(seed))) {
                return Err(refused(format!("init_from = {label:?}, of which there are not all of the seeds")));
            }
        }
        Ok(experiment)
    }
}

/// The experiments there are.
pub(crate) fn names(project: &Project) -> Vec<String> {
    let entries = fs::read_dir(project.path("configs/experiments")).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.file_name().to_string_lossy().strip_suffix(".toml").map(Into::into)).collect();
    names.sort();
    names
}
