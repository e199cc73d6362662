//! `cargo xtask bench walkers`: what other people's SAC comes to on Gymnasium's locomotion environments, as lines beside our
//! own runs'; and the table of both.

use crate::bench::commit;
use crate::curves;
use crate::failure::{Failure, Result};
use crate::jobs::{self, Job};
use crate::peers::Peers;
use crate::project::Project;
use crate::report::{self, by_label, last, thousands};
use crate::results::{self, median, number};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The results of others, without the folder and ending.
pub(crate) const PEERS: &str = "benchmark_peers";

/// What to train.
#[derive(Debug, PartialEq)]
struct Plan {
    environments: Vec<String>,
    seeds: Range<u64>,
    steps: u64,
    peer: String,
    at_once: usize,
}

/// One seed of a peer on one environment.
struct Planned<'a> {
    environment: &'a str,
    seed: u64,
    peer: &'a str,
}

/// Trains the seeds that have no line yet, each on a core of its own, and adds a line for each to
/// docs/results/benchmark_peers.jsonl. A seed that was broken off starts over: the peers keep no checkpoints.
///
/// # Errors
/// When an argument is wrong or a run fails.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let plan = parse(arguments)?;
    let peers = Peers::ensure(project)?;
    let results = project.path("docs/results").join(format!("{PEERS}.jsonl"));
    let done = results::read(&results)?;
    let all = plan
        .environments
        .iter()
        .flat_map(|environment| plan.seeds.clone().map(|seed| Planned { environment, seed, peer: plan.peer.as_str() }));
    let missing: Vec<Planned<'_>> =
        all.filter(|planned| !done.iter().any(|line| line["name"] == planned.name().as_str())).collect();
    let folder = project.path("runs/peers");
    let note = |planned: &Planned<'_>| results::append(&results, &planned.line(project, &planned.words(&folder))?);
    let (unnoted, missing): (Vec<_>, Vec<_>) =
        missing.into_iter().partition(|planned| finished(&planned.words(&folder)).is_some());
    unnoted.iter().try_for_each(note)?;
    println!("{} seeds to train; a quarter of an hour and more for each 200,000 steps", missing.len());
    let jobs = missing.iter().map(|planned| {
        let mut command = peers.script("train_benchmark.py");
        command.args([planned.peer, planned.environment, "--seed", &planned.seed.to_string()]);
        command.args(["--steps", &plan.steps.to_string()]);
        let output = planned.words(&folder);
        Job { name: planned.name(), command, errors: Some(output.with_extension("log")), output }
    });
    jobs::run(jobs.collect(), plan.at_once, |name| {
        missing.iter().find(|planned| planned.name() == name).map_or(Ok(()), note)
    })?;
    report::command(project)
}

fn parse(arguments: &[String]) -> Result<Plan> {
    let wrong = || {
        Failure::new("unknown arguments of `cargo xtask bench walkers`")
            .expected("names such as HalfCheetah-v5, --seeds 0..3, --steps 200000, --peer sbx or sb3, --jobs 2")
            .came(arguments.join(" "))
    };
    let mut plan = Plan { environments: Vec::new(), seeds: 0..3, steps: 200_000, peer: "sbx".into(), at_once: 2 };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if !argument.starts_with('-') {
            plan.environments.push(argument.clone());
            continue;
        }
        let value = rest.next().ok_or_else(wrong)?;
        match (argument.as_str(), value.split_once("..")) {
            ("--seeds", Some((from, to))) => {
                plan.seeds = from.parse().map_err(|_| wrong())?..to.parse().map_err(|_| wrong())?;
            }
            ("--steps", None) => plan.steps = value.parse().map_err(|_| wrong())?,
            ("--jobs", None) => plan.at_once = value.parse().map_err(|_| wrong())?,
            ("--peer", None) if ["sbx", "sb3"].contains(&value.as_str()) => plan.peer.clone_from(value),
            _ => return Err(wrong()),
        }
    }
    if plan.environments.is_empty() {
        plan.environments = ["HalfCheetah-v5", "Hopper-v5", "Walker2d-v5"].map(Into::into).into();
    }
    Ok(plan)
}

impl Planned<'_> {
    fn name(&self) -> String {
        format!("{}-{}-{}", self.peer, self.environment, self.seed)
    }

    fn words(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.jsonl", self.name()))
    }

    /// A line like our own summaries, from what the peer printed.
    fn line(&self, project: &Project, words: &Path) -> Result<Value> {
        let Some((evaluations, last)) = finished(words) else {
            return Err(Failure::new(format!("{} has no last line", words.display())).expected("one with \"final\""));
        };
        let brief = |line: &Value| json!({"step": line["step"], "mean_return": line["mean_return"]});
        let label = if self.peer == "sbx" { "SBX's SAC" } else { "Stable-Baselines3's SAC" };
        let mut line = Map::new();
        line.insert("name".into(), self.name().into());
        line.insert("label".into(), label.into());
        line.insert("environment".into(), self.environment.into());
        line.insert("seed".into(), self.seed.into());
        line.insert("steps".into(), last["step"].clone());
        line.insert("minutes".into(), last["minutes"].clone());
        line.insert("commit".into(), commit(project).into());
        line.insert("final".into(), json!({"mean_return": last["mean_return"], "returns": last["returns"]}));
        line.insert("evaluations".into(), evaluations.iter().map(brief).collect());
        Ok(Value::Object(line))
    }
}

/// The evaluations and the last line of a peer that came to its end.
fn finished(words: &Path) -> Option<(Vec<Value>, Value)> {
    let mut lines = results::read(words).ok()?;
    let last = lines.pop().filter(|line| line["final"] == true && line["complete"] == true)?;
    Some((lines, last))
}

/// Ours and theirs by environment, with a drawing for each.
///
/// # Errors
/// When the others' results can't be read or a drawing can't be written.
pub(crate) fn table(project: &Project, ours: &[Value]) -> Result<String> {
    let theirs = results::read(&project.path("docs/results").join(format!("{PEERS}.jsonl")))?;
    let mut table = String::from(
        "| environment | learner | seeds | steps | minutes | mean return at the end | worst and best seed |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let mut drawings = String::new();
    for environment in environments(ours) {
        let of_ours: Vec<Value> = ours.iter().filter(|line| label(line).0 == environment).cloned().collect();
        let mut groups: Vec<(String, Vec<&Value>)> =
            by_label(&of_ours).into_iter().map(|(_, lines)| (label(lines[0]).1, lines)).collect();
        let beside: Vec<Value> =
            theirs.iter().filter(|line| line["environment"] == environment.as_str()).cloned().collect();
        groups.extend(by_label(&beside));
        for (learner, lines) in &groups {
            writeln!(table, "{}", row(&environment, learner, lines)).expect("a String takes every text");
        }
        if let Some(svg) = curves::draw(&groups, &curves::RETURN) {
            let name = format!("results/benchmarks-{environment}.svg");
            let path = project.path("docs").join(&name);
            fs::write(&path, svg).map_err(|error| Failure::io("a curve can't be written", &path, &error))?;
            write!(drawings, "\n{environment}:\n\n![Return over environment steps on {environment}]({name})\n")
                .expect("a String takes every text");
        }
    }
    write!(
        table,
        "{drawings}\nEach line of [results/benchmarks.jsonl](results/benchmarks.jsonl) and \
         [results/{PEERS}.jsonl](results/{PEERS}.jsonl) is one finished seed; `cargo xtask experiments benchmarks` makes ours, \
         `cargo xtask bench walkers` theirs.\n"
    )
    .expect("a String takes every text");
    Ok(table)
}

/// The environments of our lines, in the order in which they came.
fn environments(ours: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in ours.iter().map(label) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A line's environment, and what learned there: its label is `ENVIRONMENT` or `ENVIRONMENT, how the learner differs`.
fn label(line: &Value) -> (String, String) {
    let label = line["label"].as_str().unwrap_or("?");
    let (environment, how) = label.split_once(", ").unwrap_or((label, ""));
    let learner = if how.is_empty() { "turnkey".into() } else { format!("turnkey, {how}") };
    (environment.into(), learner)
}

fn row(environment: &str, learner: &str, lines: &[&Value]) -> String {
    let column = |read: &dyn Fn(&Value) -> Option<f64>| lines.iter().filter_map(|line| read(line)).collect::<Vec<_>>();
    let returns = column(&|line| number(last(line), "mean_return"));
    let mean = returns.iter().sum::<f64>() / returns.len().max(1) as f64;
    let (low, high) = (
        returns.iter().copied().fold(f64::INFINITY, f64::min),
        returns.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    );
    let steps = column(&|line| number(line, "steps")).into_iter().fold(f64::INFINITY, f64::min);
    let minutes = median(&column(&|line| number(line, "minutes"))).unwrap_or(f64::NAN);
    let spread = interval(&returns).map_or(String::new(), |half| format!(" +- {half:.0}"));
    format!(
        "| {environment} | {learner} | {} | {} | {minutes:.1} | {mean:.0}{spread} | {low:.0}, {high:.0} |",
        lines.len(),
        thousands(steps)
    )
}

/// Half of Student's 95% interval of the mean of 2 to 6 seeds.
fn interval(values: &[f64]) -> Option<f64> {
    const T: [f64; 5] = [12.706, 4.303, 3.182, 2.776, 2.571];
    let (n, t) = (values.len(), T.get(values.len().checked_sub(2)?)?);
    let mean = values.iter().sum::<f64>() / n as f64;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
    Some(t * (variance / n as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_choose_environments_seeds_and_peer() {
        let plan = |text: &str| parse(&text.split_whitespace().map(Into::into).collect::<Vec<_>>());
        let chosen = plan("Ant-v5 --seeds 1..4 --peer sb3 --steps 20000 --jobs 1").unwrap();
        assert_eq!((chosen.environments[0].as_str(), chosen.seeds, chosen.peer.as_str()), ("Ant-v5", 1..4, "sb3"));
        assert_eq!(plan("").unwrap().environments.len(), 3);
        for wrong in ["--peer td3", "--seeds 3", "--steps", "--steps x"] {
            assert!(plan(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_label_says_where_and_how() {
        let names = |text: &str| label(&json!({"label": text}));
        assert_eq!(names("Ant-v5"), ("Ant-v5".into(), "turnkey".into()));
        assert_eq!(names("Ant-v5, temperature 0.2"), ("Ant-v5".into(), "turnkey, temperature 0.2".into()));
        let lines = ["B", "A", "B, x"].map(|text| json!({"label": text}));
        assert_eq!(environments(&lines), ["B", "A"]);
    }

    #[test]
    fn a_row_has_the_mean_over_seeds_with_its_interval() {
        let seed = |value: f64| json!({"steps": 200_000, "minutes": 10.0, "final": {"mean_return": {"value": value}}});
        let (a, b, c) = (seed(1000.0), seed(2000.0), seed(3000.0));
        let expected = "| Ant-v5 | turnkey | 3 | 200,000 | 10.0 | 2000 +- 2484 | 1000, 3000 |";
        assert_eq!(row("Ant-v5", "turnkey", &[&a, &b, &c]), expected);
        assert!(row("Ant-v5", "x", &[&a]).contains("| 1000 |"));
    }
}
