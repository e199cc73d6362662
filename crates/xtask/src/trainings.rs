//! Other people's learners, trained seed by seed: what is missing of a results file is run, each on a core of its own, and
//! each finished one becomes a line. A seed that was broken off starts over: the peers keep no checkpoints.

use crate::failure::{Failure, Result};
use crate::jobs::{self, Job};
use crate::project::Project;
use crate::results;
use serde_json::{Map, Value};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One seed of something to train.
pub(crate) struct Training {
    /// The line's name.
    pub(crate) name: String,
    /// What tables call it.
    pub(crate) label: String,
    pub(crate) seed: u64,
    /// The peer, which prints evaluations and then a last line as JSON.
    pub(crate) command: Command,
}

/// What `NAME... --seeds A..B --steps N --jobs N` says.
#[derive(Debug, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) names: Vec<String>,
    pub(crate) seeds: Range<u64>,
    pub(crate) steps: u64,
    pub(crate) at_once: usize,
}

impl Arguments {
    /// Reads them over what is there; `other` takes a flag that only one command has, and says whether it knew it.
    /// None where something isn't as expected.
    pub(crate) fn read(mut self, arguments: &[String], mut other: impl FnMut(&str, &str) -> bool) -> Option<Self> {
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if !argument.starts_with('-') {
                self.names.push(argument.clone());
                continue;
            }
            let value = rest.next()?;
            match (argument.as_str(), value.split_once("..")) {
                ("--seeds", Some((from, to))) => self.seeds = from.parse().ok()?..to.parse().ok()?,
                ("--steps", None) => self.steps = value.parse().ok()?,
                ("--jobs", None) => self.at_once = value.parse().ok()?,
                (flag, _) if other(flag, value) => {}
                _ => return None,
            }
        }
        Some(self)
    }
}

/// Where the words of a training go. A short trial's are no long run's.
pub(crate) fn words(project: &Project, name: &str, steps: u64) -> PathBuf {
    project.path("runs/peers").join(format!("{name}-{steps}.jsonl"))
}

/// Trains what has no line in docs/results/`file`.jsonl yet, adds a line for each, which `line` makes of a training, its
/// evaluations and its last line. `ends` says whether a line is a last one.
///
/// # Errors
/// When a finished run was shorter than `arguments.steps`, or a run fails.
pub(crate) fn run(
    project: &Project,
    file: &str,
    arguments: &Arguments,
    trainings: Vec<Training>,
    ends: fn(&Value) -> bool,
    line: impl Fn(&Training, Vec<Value>, &Value) -> Value + Sync,
) -> Result<()> {
    let path = project.path("docs/results").join(format!("{file}.jsonl"));
    let done = results::read(&path)?;
    let mut missing = trainings;
    all_as_long(&done, &missing, file, arguments.steps)?;
    missing.retain(|one| !done.iter().any(|line| line["name"] == one.name.as_str()));
    let note = |one: &Training| -> Result<bool> {
        let Some((evaluations, last)) = finished(&words(project, &one.name, arguments.steps), ends) else {
            return Ok(false);
        };
        results::append(&path, &line(one, evaluations, &last)).map(|()| true)
    };
    let mut jobs = Vec::new();
    let mut started = Vec::new();
    for mut one in missing {
        if note(&one)? {
            continue; // it finished when nobody was there to note it
        }
        let output = words(project, &one.name, arguments.steps);
        let command = std::mem::replace(&mut one.command, Command::new("true"));
        jobs.push(Job { name: one.name.clone(), command, errors: Some(output.with_extension("log")), output });
        started.push(one);
    }
    println!("{} seeds to train; minutes to hours for each", jobs.len());
    jobs::run(jobs, arguments.at_once, |name| {
        let Some(one) = started.iter().find(|one| one.name == name) else { return Ok(()) };
        if note(one)? {
            return Ok(());
        }
        let words = words(project, name, arguments.steps);
        Err(Failure::new(format!("{} has no last line", words.display())).expected("the peer's last line"))
    })
}

/// What every line has: name, label, seed and commit.
pub(crate) fn head(project: &Project, one: &Training) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("name".into(), one.name.as_str().into());
    line.insert("label".into(), one.label.as_str().into());
    line.insert("seed".into(), one.seed.into());
    line.insert("commit".into(), project.commit().into());
    line
}

/// Refuses to take a shorter run, such as a trial, for one of these.
fn all_as_long(done: &[Value], trainings: &[Training], file: &str, steps: u64) -> Result<()> {
    let is_one = |line: &&Value| trainings.iter().any(|one| line["name"] == one.name.as_str());
    let is_short = |line: &&Value| line["steps"].as_u64().is_none_or(|its| its < steps);
    let Some(short) = done.iter().filter(is_one).find(is_short) else { return Ok(()) };
    Err(Failure::new(format!("docs/results/{file}.jsonl has a shorter run"))
        .expected(format!("lines of {steps} steps and more"))
        .came(format!("{} of {}", short["name"], short["steps"]))
        .fix("take its line out, or choose its --steps"))
}

/// The evaluations and the last line of a peer that came to its end.
fn finished(words: &Path, ends: fn(&Value) -> bool) -> Option<(Vec<Value>, Value)> {
    let mut lines = results::read(words).ok()?;
    let last = lines.pop().filter(ends)?;
    Some((lines, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_short_trial_is_not_taken_for_a_long_run() {
        let command = Command::new("true");
        let one = [Training { name: "claw-sb3-td3-0".into(), label: "TD3".into(), seed: 0, command }];
        let line = |steps: u64| [json!({ "name": "claw-sb3-td3-0", "steps": steps })];
        let refused = all_as_long(&line(2000), &one, "claw_methods", 60_000).unwrap_err().to_string();
        assert!(refused.contains("claw-sb3-td3-0") && refused.contains("2000"), "{refused}");
        assert!(all_as_long(&line(2000), &one, "claw_methods", 2000).is_ok());
        assert!(all_as_long(&line(61_440), &one, "claw_methods", 60_000).is_ok());
        let project = Project::here();
        assert_ne!(words(&project, "x", 2000), words(&project, "x", 60_000));
    }
}
