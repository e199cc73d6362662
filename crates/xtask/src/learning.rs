//! `cargo xtask bench learning`: how many steps SBX's SAC needs on the same task, seed by seed, as lines beside our
//! own experiments'.

use crate::bench::commit;
use crate::failure::{Failure, Result};
use crate::jobs::{self, Job};
use crate::peers::Peers;
use crate::project::Project;
use crate::results;
use serde_json::{Map, Value, json};
use std::ops::Range;
use std::path::Path;

/// Trains the seeds of `--seeds A..B` that have no line yet, two at a time on a core each, for `--steps N`, and adds
/// a line for each to docs/results/sbx.jsonl. A seed that was broken off starts over: the peer keeps no checkpoints.
///
/// # Errors
/// When an argument is wrong or a run fails.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let (seeds, steps) = parse(arguments)?;
    let peers = Peers::ensure(project)?;
    let results = project.path("docs/results/sbx.jsonl");
    let done = results::read(&results)?;
    let is_done = |seed: u64| done.iter().any(|line| line["seed"] == json!(seed));
    let words = |seed: u64| project.path("runs/peers").join(format!("sbx-{seed}.jsonl"));
    let result = |seed: u64| line(project, &format!("sbx-{seed}"), "SBX's SAC, defaults", seed, &words(seed));
    let mut jobs = Vec::new();
    for seed in seeds.filter(|seed| !is_done(*seed)) {
        if finished(&words(seed)) {
            results::append(&results, &result(seed)?)?;
            continue;
        }
        let mut command = peers.script("train_peer.py");
        command.args(["sbx", "--seed", &seed.to_string(), "--steps", &steps.to_string()]);
        let errors = Some(words(seed).with_extension("log"));
        jobs.push(Job { name: seed.to_string(), command, output: words(seed), errors });
    }
    println!("SBX: {} seeds to train; half an hour and more for each", jobs.len());
    jobs::run(jobs, 2, |name| match name.parse() {
        Ok(seed) => results::append(&results, &result(seed)?),
        Err(_) => Ok(()),
    })?;
    crate::report::command(project)
}

fn parse(arguments: &[String]) -> Result<(Range<u64>, u64)> {
    let (mut seeds, mut steps) = (0..3, 130_000);
    let wrong = || {
        Failure::new("unknown arguments of `cargo xtask bench learning`")
            .expected("--seeds 0..3 --steps 130000")
            .came(arguments.join(" "))
    };
    for pair in arguments.chunks(2) {
        let [flag, value] = pair else { return Err(wrong()) };
        match (flag.as_str(), value.split_once("..")) {
            ("--seeds", Some((from, to))) => {
                seeds = from.parse().map_err(|_| wrong())?..to.parse().map_err(|_| wrong())?
            }
            ("--steps", None) => steps = value.parse().map_err(|_| wrong())?,
            _ => return Err(wrong()),
        }
    }
    Ok((seeds, steps))
}

/// Whether the peer wrote its last line.
pub(crate) fn finished(words: &Path) -> bool {
    results::read(words).is_ok_and(|lines| lines.last().is_some_and(|line| line.get("steps_to_solve").is_some()))
}

/// A line like our own summaries, from what a peer printed: evaluations, then a last line with `steps_to_solve`.
///
/// # Errors
/// When it didn't come to its last line.
pub(crate) fn line(project: &Project, name: &str, label: &str, seed: u64, words: &Path) -> Result<Value> {
    let mut evaluations = results::read(words)?;
    let last = evaluations.pop().filter(|line| line.get("steps_to_solve").is_some());
    let Some(last) = last else {
        return Err(
            Failure::new(format!("{} has no last line", words.display())).expected("a line with steps_to_solve")
        );
    };
    let mut result = Map::new();
    for key in ["steps", "minutes", "steps_to_solve", "final"] {
        if let Some(value) = last.get(key) {
            result.insert(key.into(), value.clone());
        }
    }
    result.insert("name".into(), name.into());
    result.insert("label".into(), label.into());
    result.insert("seed".into(), seed.into());
    result.insert("commit".into(), commit(project).into());
    result.insert("evaluations".into(), evaluations.into());
    Ok(Value::Object(result))
}
