//! `cargo xtask bench learning`: how many steps SBX's SAC needs on the same task, seed by seed, as lines beside our
//! own experiments'.

use crate::failure::{Failure, Result};
use crate::peers::Peers;
use crate::project::Project;
use crate::trainings::{self, Arguments, Training};
use serde_json::Value;

/// Trains the seeds of `--seeds A..B` that have no line yet, for `--steps N`, and adds a line for each to
/// docs/results/sbx.jsonl.
///
/// # Errors
/// When an argument is wrong or a run fails.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let defaults = Arguments { names: Vec::new(), seeds: 0..3, steps: 130_000, at_once: 2 };
    let arguments = defaults.read(arguments, |_, _| false).filter(|read| read.names.is_empty()).ok_or_else(|| {
        Failure::new("unknown arguments of `cargo xtask bench learning`")
            .expected("--seeds 0..3 --steps 130000 --jobs 2")
            .came(arguments.join(" "))
    })?;
    let peers = Peers::ensure(project)?;
    let training = |seed: u64| {
        let mut command = peers.script("train_peer.py");
        command.args(["sbx", "--seed", &seed.to_string(), "--steps", &arguments.steps.to_string()]);
        Training { name: format!("sbx-{seed}"), label: "SBX's SAC, defaults".into(), seed, command }
    };
    let all = arguments.seeds.clone().map(training).collect();
    trainings::run(project, "sbx", &arguments, all, ends, |one, evaluations, last| {
        line(project, one, evaluations, last)
    })
}

/// Whether a peer on the claw's task printed this as its last line.
pub(crate) fn ends(line: &Value) -> bool {
    line.get("steps_to_solve").is_some()
}

/// A line like our own summaries, from what a peer on the claw's task printed.
pub(crate) fn line(project: &Project, one: &Training, evaluations: Vec<Value>, last: &Value) -> Value {
    let mut line = trainings::head(project, one);
    for key in ["steps", "minutes", "steps_to_solve", "final"] {
        if let Some(value) = last.get(key) {
            line.insert(key.into(), value.clone());
        }
    }
    line.insert("evaluations".into(), evaluations.into());
    Value::Object(line)
}
