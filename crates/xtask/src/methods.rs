//! `cargo xtask bench claw`: what other methods come to on the claw itself, which turnkey serves them; and `bench gymnasium`:
//! whether they may take it for an environment.

use crate::failure::{Failure, Result};
use crate::jobs::{self, Job};
use crate::learning::{finished, line};
use crate::peers::Peers;
use crate::project::Project;
use crate::{process, report, results, setup};
use serde_json::Value;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The results, without the folder and ending.
pub(crate) const RESULTS: &str = "claw_methods";

/// What there is to train: what `train_claw.py` calls it, and what tables do.
const METHODS: &[(&str, &str)] = &[
    ("sb3-sac", "Stable-Baselines3's SAC"),
    ("sb3-td3", "Stable-Baselines3's TD3"),
    ("sb3-ddpg", "Stable-Baselines3's DDPG"),
    ("sb3-ppo", "Stable-Baselines3's PPO"),
    ("sbx-sac", "SBX's SAC"),
    ("sbx-crossq", "SBX's CrossQ"),
];

/// What to train.
#[derive(Debug, PartialEq)]
struct Plan {
    methods: Vec<(&'static str, &'static str)>,
    seeds: Range<u64>,
    steps: u64,
    at_once: usize,
}

/// One seed of a method.
struct Planned {
    name: String,
    method: &'static str,
    label: &'static str,
    seed: u64,
    words: PathBuf,
}

/// Has Stable-Baselines3 check the claw's environment.
///
/// # Errors
/// When it doesn't pass, or the program or the peers aren't there.
pub(crate) fn check(project: &Project) -> Result<()> {
    setup::ensure(project)?;
    let turnkey = project.turnkey()?;
    process::run(Peers::ensure(project)?.script("check_claw_env.py").arg(turnkey))
}

/// Trains the methods and seeds that have no line yet, each on a core of its own, and adds a line for each to
/// docs/results/claw_methods.jsonl. A seed that was broken off starts over: the peers keep no checkpoints.
///
/// # Errors
/// When an argument is wrong or a run fails.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let plan = parse(arguments)?;
    setup::ensure(project)?;
    let (turnkey, peers) = (project.turnkey()?, Peers::ensure(project)?);
    let path = project.path("docs/results").join(format!("{RESULTS}.jsonl"));
    let done = results::read(&path)?;
    let note = |planned: &Planned| {
        results::append(&path, &line(project, &planned.name, planned.label, planned.seed, &planned.words)?)
    };
    all_as_long(&done, plan.steps)?;
    let mut missing = plan.runs(&project.path("runs/peers"));
    missing.retain(|planned| !done.iter().any(|line| line["name"] == planned.name.as_str()));
    let (unnoted, missing): (Vec<_>, Vec<_>) = missing.into_iter().partition(|planned| finished(&planned.words));
    unnoted.iter().try_for_each(note)?;
    println!("{} seeds to train; half an hour and more for each 60,000 steps of most", missing.len());
    let jobs = missing.iter().map(|planned| planned.job(&peers, &turnkey, plan.steps)).collect();
    jobs::run(jobs, plan.at_once, |name| missing.iter().find(|planned| planned.name == name).map_or(Ok(()), note))?;
    report::command(project)
}

/// Refuses to put runs beside others that were shorter, such as a trial's.
fn all_as_long(done: &[Value], steps: u64) -> Result<()> {
    let Some(short) = done.iter().find(|line| line["steps"].as_u64().is_none_or(|its| its < steps)) else {
        return Ok(());
    };
    Err(Failure::new(format!("docs/results/{RESULTS}.jsonl has a shorter run"))
        .expected(format!("lines of {steps} steps and more"))
        .came(format!("{} of {}", short["name"], short["steps"]))
        .fix("take its line out, or choose its --steps"))
}

impl Plan {
    fn runs(&self, folder: &Path) -> Vec<Planned> {
        let run = |(method, label): (&'static str, &'static str), seed: u64| {
            let name = format!("claw-{method}-{seed}");
            let words = folder.join(format!("{name}-{}.jsonl", self.steps)); // a trial's words are no long run's
            Planned { words, name, method, label, seed }
        };
        // Seed by seed, so that a stopped comparison has something of every method.
        self.seeds.clone().flat_map(|seed| self.methods.iter().map(move |method| run(*method, seed))).collect()
    }
}

impl Planned {
    fn job(&self, peers: &Peers, turnkey: &Path, steps: u64) -> Job {
        let mut command = peers.script("train_claw.py");
        command.arg(self.method).arg("--binary").arg(turnkey);
        command.args(["--seed", &self.seed.to_string(), "--steps", &steps.to_string()]);
        let errors = Some(self.words.with_extension("log"));
        Job { name: self.name.clone(), command, output: self.words.clone(), errors }
    }
}

fn parse(arguments: &[String]) -> Result<Plan> {
    let wrong = || {
        let names: Vec<&str> = METHODS.iter().map(|(name, _)| *name).collect();
        Failure::new("unknown arguments of `cargo xtask bench claw`")
            .expected(format!("some of {}; --seeds 0..3, --steps 60000, --jobs 2", names.join(", ")))
            .came(arguments.join(" "))
    };
    let mut plan = Plan { methods: Vec::new(), seeds: 0..3, steps: 60_000, at_once: 2 };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if !argument.starts_with('-') {
            plan.methods.push(*METHODS.iter().find(|(name, _)| name == argument).ok_or_else(wrong)?);
            continue;
        }
        let value = rest.next().ok_or_else(wrong)?;
        match (argument.as_str(), value.split_once("..")) {
            ("--seeds", Some((from, to))) => {
                plan.seeds = from.parse().map_err(|_| wrong())?..to.parse().map_err(|_| wrong())?;
            }
            ("--steps", None) => plan.steps = value.parse().map_err(|_| wrong())?,
            ("--jobs", None) => plan.at_once = value.parse().map_err(|_| wrong())?,
            _ => return Err(wrong()),
        }
    }
    if plan.methods.is_empty() {
        plan.methods = METHODS.to_vec();
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_short_trial_is_not_taken_for_a_long_run() {
        let trial = [json!({ "name": "claw-sb3-td3-0", "steps": 2000 })];
        let refused = all_as_long(&trial, 60_000).unwrap_err().to_string();
        assert!(refused.contains("claw-sb3-td3-0") && refused.contains("2000"), "{refused}");
        assert!(all_as_long(&trial, 2000).is_ok() && all_as_long(&[json!({ "steps": 61_440 })], 60_000).is_ok());
        let words = |steps| Plan { methods: METHODS.to_vec(), seeds: 0..1, steps, at_once: 1 }.runs(Path::new("there"));
        assert_ne!(words(2000)[0].words, words(60_000)[0].words);
    }

    #[test]
    fn arguments_choose_methods_and_seeds() {
        let plan = |text: &str| parse(&text.split_whitespace().map(Into::into).collect::<Vec<_>>());
        let chosen = plan("sb3-td3 sbx-crossq --seeds 1..3 --steps 2000 --jobs 1").unwrap();
        let names: Vec<_> = chosen.runs(Path::new("there")).into_iter().map(|planned| planned.name).collect();
        assert_eq!(names, ["claw-sb3-td3-1", "claw-sbx-crossq-1", "claw-sb3-td3-2", "claw-sbx-crossq-2"]);
        assert_eq!((chosen.steps, plan("").unwrap().methods.len()), (2000, METHODS.len()));
        for wrong in ["td3", "--seeds 3", "--steps", "--steps x", "--nonsense 1"] {
            assert!(plan(wrong).is_err(), "{wrong}");
        }
    }
}
