//! `cargo xtask experiments NAME`: the seeds and configurations of configs/experiments/NAME.toml, each run once,
//! each finished one a line of docs/results/NAME.jsonl. Stop it whenever; the same command goes on.

use crate::failure::{Failure, Result};
use crate::jobs::{self, Job};
use crate::project::Project;
use crate::{report, results, setup};
use serde::Deserialize;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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
        toml::from_str(&text).map_err(|error| {
            Failure::new(format!("{} is no experiment", path.display()))
                .expected("question and [[runs]] with label, config, seeds and set")
                .came(error.to_string())
        })
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

/// Runs what is missing of the experiments named, or with `--report` writes docs/results.md anew.
///
/// # Errors
/// When an argument or an experiment is wrong, or runs failed.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let (mut chosen, mut at_once) = (Vec::new(), 2);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--report" => return report::command(project),
            "--jobs" => {
                at_once = rest
                    .next()
                    .and_then(|number| number.parse().ok())
                    .ok_or_else(|| Failure::new("--jobs needs a number").expected("--jobs 2"))?;
            }
            flag if flag.starts_with('-') => {
                return Err(Failure::new("unknown option").expected("NAME..., --jobs N or --report").came(flag));
            }
            name => chosen.push(name.to_string()),
        }
    }
    if chosen.is_empty() {
        println!("experiments: {}", names(project).join(", "));
        return Ok(());
    }
    setup::ensure(project)?;
    let turnkey = project.turnkey()?;
    for name in chosen {
        run(project, &turnkey, &name, at_once)?;
    }
    report::command(project)
}

/// One run of an experiment.
struct Planned<'a> {
    name: String,
    runs: &'a Runs,
    seed: u64,
}

fn run(project: &Project, turnkey: &Path, experiment: &str, at_once: usize) -> Result<()> {
    let plan = Experiment::load(project, experiment)?;
    println!("{experiment}: {}", plan.question);
    let results = project.path("docs/results").join(format!("{experiment}.jsonl"));
    let done = results::read(&results)?;
    let is_done = |planned: &Planned<'_>| done.iter().any(|result| result["name"] == planned.name.as_str());
    let all = plan.runs.iter().flat_map(|runs| {
        runs.seeds.iter().map(move |&seed| Planned { name: format!("{experiment}-{}-{seed}", runs.label), runs, seed })
    });
    let (finished, missing): (Vec<_>, Vec<_>) = all.partition(is_done);
    println!("{experiment}: {} finished, {} to run", finished.len(), missing.len());
    let folder = project.path("runs");
    let keep =
        |planned: &Planned<'_>| results::append(&results, &result(&summary(&folder, planned), experiment, planned)?);
    // A run that finished when nobody was there to note it is only noted.
    let (unnoted, missing): (Vec<_>, Vec<_>) =
        missing.into_iter().partition(|planned| summary(&folder, planned).exists());
    unnoted.iter().try_for_each(keep)?;
    let job = |planned: &Planned<'_>| job(project, turnkey, &folder, planned);
    jobs::run(missing.iter().map(job).collect(), at_once, |name| {
        missing.iter().find(|planned| planned.name == name).map_or(Ok(()), keep)
    })
}

fn summary(folder: &Path, planned: &Planned<'_>) -> PathBuf {
    folder.join(&planned.name).join("summary.json")
}

fn job(project: &Project, turnkey: &Path, folder: &Path, planned: &Planned<'_>) -> Job {
    let mut command = Command::new(turnkey);
    // One thread each, so that runs beside each other don't slow each other down.
    command.current_dir(project.root()).args(["--threads", "1", "train", &planned.runs.config, "--quiet"]);
    command.args(["--name", &planned.name, "--seed", &planned.seed.to_string()]);
    command.arg("--runs-dir").arg(folder).args(planned.runs.set.iter().flat_map(|change| ["--set", change]));
    if folder.join(&planned.name).join("config.toml").exists() {
        command.arg("--resume");
    }
    let output: PathBuf = folder.join(format!("{}.log", planned.name));
    Job { name: planned.name.clone(), command, output, errors: None }
}

/// The run's summary, with what the experiment knows of it.
fn result(summary: &Path, experiment: &str, planned: &Planned<'_>) -> Result<Value> {
    let text =
        fs::read_to_string(summary).map_err(|error| Failure::io("a finished run has no summary", summary, &error))?;
    let Ok(Value::Object(mut result)) = serde_json::from_str(&text) else {
        return Err(Failure::new(format!("{} is no summary", summary.display())).expected("one JSON object"));
    };
    result.insert("experiment".into(), experiment.into());
    result.insert("label".into(), planned.runs.label.as_str().into());
    result.insert("set".into(), planned.runs.set.clone().into());
    result.insert("name".into(), planned.name.as_str().into());
    result.insert("seed".into(), planned.seed.into());
    Ok(Value::Object(result))
}
