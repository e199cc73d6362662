//! `cargo xtask bench claw`: what other methods come to on the claw itself, which turnkey serves them; and `bench gymnasium`:
//! whether they may take it for an environment.

use crate::failure::{Failure, Result};
use crate::peers::Peers;
use crate::project::Project;
use crate::trainings::{self, Arguments, Training};
use crate::{process, results, setup};
use serde_json::Value;

/// The results, without the folder and ending.
pub(crate) const RESULTS: &str = "claw_methods";

/// What there is to train: what `train_claw.py` calls it, and what tables do.
const METHODS: &[Method] = &[
    ("sb3-sac", "Stable-Baselines3's SAC"),
    ("sb3-td3", "Stable-Baselines3's TD3"),
    ("sb3-ddpg", "Stable-Baselines3's DDPG"),
    ("sb3-ppo", "Stable-Baselines3's PPO"),
    ("sbx-sac", "SBX's SAC"),
    ("sbx-crossq", "SBX's CrossQ"),
];

/// Has Stable-Baselines3 check the claw's environment.
///
/// # Errors
/// When it doesn't pass, or the program or the peers aren't there.
pub(crate) fn check(project: &Project) -> Result<()> {
    setup::ensure(project)?;
    let turnkey = project.turnkey()?;
    process::run(Peers::ensure(project)?.script("check_claw_env.py").arg(turnkey))
}

/// Trains the methods and seeds that have no line yet, and adds a line for each to docs/results/claw_methods.jsonl.
///
/// # Errors
/// When an argument is wrong or a run fails.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let (arguments, methods) = parse(arguments)?;
    setup::ensure(project)?;
    let (turnkey, peers) = (project.turnkey()?, Peers::ensure(project)?);
    let training = |(method, label): (&str, &str), seed: u64| {
        let mut command = peers.script("train_claw.py");
        command.arg(method).arg("--binary").arg(&turnkey);
        command.args(["--seed", &seed.to_string(), "--steps", &arguments.steps.to_string()]);
        Training { name: format!("claw-{method}-{seed}"), label: label.into(), seed, command }
    };
    let all = planned(&arguments, &methods).into_iter().map(|(method, seed)| training(method, seed)).collect();
    trainings::run(project, RESULTS, &arguments, all, ends, |one, evaluations, last| {
        line(project, one, evaluations, last)
    })
}

/// Whether this is the last line that `train_claw.py` prints.
fn ends(line: &Value) -> bool {
    line.get("steps_to_solve").is_some()
}

/// A line like our own summaries, from what `train_claw.py` printed.
fn line(project: &Project, one: &Training, evaluations: Vec<Value>, last: &Value) -> Value {
    let mut line = trainings::head(project, one);
    for key in ["steps", "minutes", "steps_to_solve", "final"] {
        if let Some(value) = last.get(key) {
            line.insert(key.into(), value.clone());
        }
    }
    line.insert("evaluations".into(), evaluations.into());
    Value::Object(line)
}

/// Our own default's runs on the same task, to stand beside theirs: those of the experiment turn_random.
///
/// # Errors
/// When they can't be read.
pub(crate) fn ours(project: &Project) -> Result<Vec<Value>> {
    let mut lines = results::read(&project.path("docs/results/turn_random.jsonl"))?;
    lines.retain(|line| line["label"] == "fast");
    for line in &mut lines {
        line["label"] = "turnkey".into();
    }
    Ok(lines)
}

/// A method: what `train_claw.py` calls it, and what tables do.
type Method = (&'static str, &'static str);

/// Seed by seed, so that a stopped comparison has something of every method.
fn planned(arguments: &Arguments, methods: &[Method]) -> Vec<(Method, u64)> {
    arguments.seeds.clone().flat_map(|seed| methods.iter().map(move |method| (*method, seed))).collect()
}

fn parse(arguments: &[String]) -> Result<(Arguments, Vec<Method>)> {
    let wrong = || {
        let names: Vec<&str> = METHODS.iter().map(|(name, _)| *name).collect();
        Failure::new("unknown arguments of `cargo xtask bench claw`")
            .expected(format!("some of {}; --seeds 0..3, --steps 60000, --jobs 2", names.join(", ")))
            .came(arguments.join(" "))
    };
    let defaults = Arguments { names: Vec::new(), seeds: 0..3, steps: 60_000, at_once: 2 };
    let read = defaults.read(arguments, |_, _| false).ok_or_else(wrong)?;
    let known = |name: &String| METHODS.iter().copied().find(|(known, _)| known == name).ok_or_else(wrong);
    let methods = read.names.iter().map(known).collect::<Result<Vec<_>>>()?;
    Ok((read, if methods.is_empty() { METHODS.to_vec() } else { methods }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_choose_methods_and_seeds() {
        let plan = |text: &str| parse(&text.split_whitespace().map(Into::into).collect::<Vec<_>>());
        let chosen = plan("sb3-td3 sbx-crossq --seeds 1..3 --steps 2000 --jobs 1").unwrap();
        let names: Vec<_> =
            planned(&chosen.0, &chosen.1).iter().map(|((name, _), seed)| format!("{name}-{seed}")).collect();
        assert_eq!(names, ["sb3-td3-1", "sbx-crossq-1", "sb3-td3-2", "sbx-crossq-2"]);
        assert_eq!((chosen.0.steps, plan("").unwrap().1.len()), (2000, METHODS.len()));
        for wrong in ["td3", "--seeds 3", "--steps", "--steps x", "--nonsense 1"] {
            assert!(plan(wrong).is_err(), "{wrong}");
        }
    }
}
