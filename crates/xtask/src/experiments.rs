//! `cargo xtask experiments NAME`: the seeds and configurations of configs/experiments/NAME.toml, each run once,
//! each finished one a line of docs/results/NAME.jsonl. Stop it whenever; the same command goes on.

use crate::failure::{Failure, Result};
use crate::jobs::{self, Job};
use crate::plan::{Experiment, Runs, names};
use crate::project::Project;
use crate::{process, report, results, setup};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use toml::Table;

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
    let plans = chosen.iter().map(|name| Experiment::load(project, name)).collect::<Result<Vec<_>>>()?;
    setup::ensure(project)?;
    let turnkey = project.turnkey()?;
    for (name, plan) in chosen.iter().zip(&plans) {
        run(project, &turnkey, name, plan, at_once)?;
    }
    report::command(project)
}

/// One run of an experiment.
struct Planned<'a> {
    name: String,
    runs: &'a Runs,
    seed: u64,
}

fn run(project: &Project, turnkey: &Path, experiment: &str, plan: &Experiment, at_once: usize) -> Result<()> {
    println!("{experiment}: {}", plan.question);
    let results = project.path("docs/results").join(format!("{experiment}.jsonl"));
    let done = results::read(&results)?;
    let is_done = |planned: &Planned<'_>| done.iter().any(|result| result["name"] == planned.name.as_str());
    let all = plan.runs.iter().flat_map(|runs| {
        runs.seeds.iter().map(move |&seed| Planned { name: run_name(experiment, &runs.label, seed), runs, seed })
    });
    let all: Vec<Planned<'_>> = all.collect();
    for runs in &plan.runs {
        let settings = settings(project, turnkey, runs)?;
        let planned = all.iter().filter(|planned| std::ptr::eq(planned.runs, runs));
        planned.into_iter().try_for_each(|planned| same_settings(planned, &settings, &done))?;
    }
    let (finished, missing): (Vec<_>, Vec<_>) = all.into_iter().partition(is_done);
    println!("{experiment}: {} finished, {} to run", finished.len(), missing.len());
    let folder = project.path("runs");
    let keep =
        |planned: &Planned<'_>| results::append(&results, &result(&summary(&folder, planned), experiment, planned)?);
    // A run that finished when nobody was there to note it is only noted.
    let (unnoted, missing): (Vec<_>, Vec<_>) =
        missing.into_iter().partition(|planned| summary(&folder, planned).exists());
    unnoted.iter().try_for_each(keep)?;
    let noted = |name: &str| missing.iter().find(|planned| planned.name == name).map_or(Ok(()), keep);
    // What begins with another run's learner waits until all others have finished.
    let (later, first): (Vec<_>, Vec<_>) = missing.iter().partition(|planned| planned.runs.init_from.is_some());
    for wave in [first, later] {
        let jobs = wave.into_iter().map(|planned| job(project, turnkey, &folder, experiment, planned));
        jobs::run(jobs.collect(), at_once, noted)?;
    }
    Ok(())
}

/// The name of a run's folder.
fn run_name(experiment: &str, label: &str, seed: u64) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    format!("{experiment}-{}-{seed}", label.chars().map(plain).collect::<String>())
}

/// A finished run must have had the settings that the plan has now, every default included.
fn same_settings(planned: &Planned<'_>, settings: &Table, done: &[Value]) -> Result<()> {
    let Some(line) = done.iter().find(|result| result["name"] == planned.name.as_str()) else { return Ok(()) };
    let before = line["config"].as_str().and_then(|text| text.parse::<Table>().ok()).unwrap_or_default();
    match difference("", &before, settings) {
        None => Ok(()),
        Some((key, came, expected)) => {
            Err(Failure::new(format!("{} has finished with other settings than the plan has now", planned.name))
                .expected(format!("{key} = {expected}"))
                .came(format!("{key} = {came}"))
                .fix("give the changed runs another label, or delete the old lines from docs/results"))
        }
    }
}

/// The first key with different values in two configurations, and those. The seed is not compared, nor is a key that
/// one of them lacks: its version of the program had none.
fn difference(path: &str, a: &Table, b: &Table) -> Option<(String, toml::Value, toml::Value)> {
    a.iter().filter(|(key, _)| !path.is_empty() || *key != "seed").find_map(|(key, a)| {
        let (path, b) = (if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, b.get(key)?);
        match (a, b) {
            (toml::Value::Table(a), toml::Value::Table(b)) => difference(&path, a, b),
            _ => (a != b).then(|| (path, a.clone(), b.clone())),
        }
    })
}

/// A plan's configuration with its changes and every default, as the program reads it.
fn settings(project: &Project, turnkey: &Path, runs: &Runs) -> Result<Table> {
    let mut command = Command::new(turnkey);
    command.current_dir(project.root()).args(["config", &runs.config]);
    command.args(runs.set.iter().flat_map(|change| ["--set", change]));
    let said = process::listen(&mut command)?;
    let failure = || Failure::new(format!("the runs \"{}\" have no configuration", runs.label));
    if !said.ok {
        return Err(failure().came(said.errors));
    }
    said.output.parse().map_err(|error: toml::de::Error| failure().came(error.to_string()))
}

fn summary(folder: &Path, planned: &Planned<'_>) -> PathBuf {
    folder.join(&planned.name).join("summary.json")
}

fn job(project: &Project, turnkey: &Path, folder: &Path, experiment: &str, planned: &Planned<'_>) -> Job {
    let mut command = Command::new(turnkey);
    // One thread each, so that runs beside each other don't slow each other down.
    command.current_dir(project.root()).args(["--threads", "1", "train", &planned.runs.config, "--quiet"]);
    command.args(["--name", &planned.name, "--seed", &planned.seed.to_string()]);
    command.arg("--runs-dir").arg(folder).args(planned.runs.set.iter().flat_map(|change| ["--set", change]));
    if folder.join(&planned.name).join("config.toml").exists() {
        command.arg("--resume");
    } else if let Some(label) = &planned.runs.init_from {
        command.arg("--init-from").arg(folder.join(run_name(experiment, label, planned.seed)));
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
    if let Some(evaluations) = result.get_mut("evaluations").and_then(Value::as_array_mut) {
        evaluations.iter_mut().for_each(|evaluation| *evaluation = brief(evaluation));
    }
    result.insert("experiment".into(), experiment.into());
    result.insert("label".into(), planned.runs.label.as_str().into());
    result.insert("set".into(), planned.runs.set.clone().into());
    if let Some(label) = &planned.runs.init_from {
        result.insert("init_from".into(), label.as_str().into());
    }
    result.insert("name".into(), planned.name.as_str().into());
    result.insert("seed".into(), planned.seed.into());
    Ok(Value::Object(result))
}

/// An evaluation without its intervals: what curves are drawn from.
fn brief(evaluation: &Value) -> Value {
    let keys = ["step", "success_rate", "median_error", "mean_return"];
    keys.iter().filter_map(|key| Some((*key, results::number(evaluation, key)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_finished_run_with_other_settings_is_refused() {
        let runs =
            Runs { label: "fast 2x".into(), config: "c".into(), seeds: vec![3], set: Vec::new(), init_from: None };
        let planned = Planned { name: run_name("e", &runs.label, 3), runs: &runs, seed: 3 };
        assert_eq!(planned.name, "e-fast-2x-3");
        let now: Table = "seed = 0\n[sac]\ntau = 0.1\ndevice = 'auto'".parse().unwrap();
        let check =
            |name: &str, before: &str| same_settings(&planned, &now, &[json!({"name": name, "config": before})]);
        assert!(check("e-fast-2x-3", "seed = 3\n[sac]\ntau = 0.1").is_ok());
        let refused = check("e-fast-2x-3", "[sac]\ntau = 0.2").unwrap_err().to_string();
        assert!(refused.contains("sac.tau = 0.1") && refused.contains("sac.tau = 0.2"), "{refused}");
        assert!(check("another", "[sac]\ntau = 0.2").is_ok());
    }

    #[test]
    fn evaluations_keep_the_numbers_and_drop_their_intervals() {
        let long = json!({"step": 100, "success_rate": {"value": 0.5, "low": 0.1, "high": 0.9}, "episodes": 30});
        assert_eq!(brief(&long), json!({"step": 100.0, "success_rate": 0.5}));
    }
}
