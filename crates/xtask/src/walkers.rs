//! `cargo xtask bench walkers`: what other people's SAC comes to on Gymnasium's locomotion environments, as lines beside our
//! own runs'; and the table of both.

use crate::curves;
use crate::failure::{Failure, Result};
use crate::peers::Peers;
use crate::project::Project;
use crate::results::{self, by_label, last, median, number, thousands};
use crate::trainings::{self, Arguments, Training};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;

/// The results of others, without the folder and ending.
pub(crate) const PEERS: &str = "benchmark_peers";
/// What others have published, typed in, without the folder and ending.
pub(crate) const PUBLISHED: &str = "benchmark_published";

/// Trains the seeds that have no line yet, and adds a line for each to docs/results/benchmark_peers.jsonl.
///
/// # Errors
/// When an argument is wrong or a run fails.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let (arguments, peer) = parse(arguments)?;
    let peers = Peers::ensure(project)?;
    let label = if peer == "sbx" { "SBX's SAC" } else { "Stable-Baselines3's SAC" };
    let training = |environment: &str, seed: u64| {
        let mut command = peers.script("train_benchmark.py");
        command.args([&peer, environment, "--seed", &seed.to_string(), "--steps", &arguments.steps.to_string()]);
        Training { name: format!("{peer}-{environment}-{seed}"), label: label.into(), seed, command }
    };
    let all = arguments.names.iter().flat_map(|name| arguments.seeds.clone().map(move |seed| training(name, seed)));
    let ends = |line: &Value| line["final"] == true && line["complete"] == true;
    trainings::run(project, PEERS, &arguments, all.collect(), ends, |one, evaluations, last| {
        let brief = |line: &Value| json!({"step": line["step"], "mean_return": line["mean_return"]});
        let mut line = trainings::head(project, one);
        line.insert("environment".into(), last["environment"].clone());
        line.insert("steps".into(), last["step"].clone());
        line.insert("minutes".into(), last["minutes"].clone());
        line.insert("final".into(), json!({"mean_return": last["mean_return"], "returns": last["returns"]}));
        line.insert("evaluations".into(), evaluations.iter().map(brief).collect());
        Value::Object(line)
    })
}

/// The arguments, and the peer: sbx or sb3.
fn parse(arguments: &[String]) -> Result<(Arguments, String)> {
    let defaults = Arguments { names: Vec::new(), seeds: 0..3, steps: 200_000, at_once: 2 };
    let mut peer = String::from("sbx");
    let is_peer = |flag: &str, value: &str| {
        value.clone_into(&mut peer);
        flag == "--peer" && ["sbx", "sb3"].contains(&value)
    };
    let mut read = defaults.read(arguments, is_peer).ok_or_else(|| {
        Failure::new("unknown arguments of `cargo xtask bench walkers`")
            .expected("names such as HalfCheetah-v5, --seeds 0..3, --steps 200000, --peer sbx or sb3, --jobs 2")
            .came(arguments.join(" "))
    })?;
    if read.names.is_empty() {
        read.names = ["HalfCheetah-v5", "Hopper-v5", "Walker2d-v5"].map(Into::into).into();
    }
    Ok((read, peer))
}

/// Ours and theirs by environment, with a drawing for each.
///
/// # Errors
/// When the others' results can't be read or a drawing can't be written.
pub(crate) fn table(project: &Project, ours: &[Value]) -> Result<String> {
    let read = |name: &str| results::read(&project.path("docs/results").join(format!("{name}.jsonl")));
    let (theirs, published) = (read(PEERS)?, read(PUBLISHED)?);
    let mut table = String::from(
        "| environment | learner | seeds | steps | minutes | mean return at the end | worst and best seed | over the second half |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let mut drawings = String::new();
    for environment in environments(ours) {
        let of_ours: Vec<Value> = ours.iter().filter(|line| label(line).0 == environment).cloned().collect();
        let mut groups: Vec<(String, Vec<&Value>)> =
            by_label(&of_ours).into_iter().map(|(_, lines)| (label(lines[0]).1, lines)).collect();
        let of_it = |lines: &[Value]| -> Vec<Value> {
            lines.iter().filter(|line| line["environment"] == environment.as_str()).cloned().collect()
        };
        let (beside, published) = (of_it(&theirs), of_it(&published));
        groups.extend(by_label(&beside));
        for (learner, lines) in groups.iter().chain(&by_label(&published)) {
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
         `cargo xtask bench walkers` theirs. What is published is in [results/{PUBLISHED}.jsonl](results/{PUBLISHED}.jsonl), with its source.\n"
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
    let (low, high) = (
        returns.iter().copied().fold(f64::INFINITY, f64::min),
        returns.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    );
    let steps = thousands(column(&|line| number(line, "steps")).into_iter().fold(f64::INFINITY, f64::min));
    if let [line] = lines
        && let Some(seeds) = number(line, "seeds")
    {
        // What is published is a mean already.
        return format!("| {environment} | {learner} | {seeds} | {steps} | - | {low:.0} | - | - |");
    }
    let minutes = median(&column(&|line| number(line, "minutes"))).unwrap_or(f64::NAN);
    let (seeds, at_the_end, late) = (lines.len(), spread(&returns), spread(&column(&|line| late(line))));
    format!(
        "| {environment} | {learner} | {seeds} | {steps} | {minutes:.1} | {at_the_end} | {low:.0}, {high:.0} | {late} |"
    )
}

/// The mean over the second half of a run's evaluations: a policy that comes and goes makes of its last one a matter of luck.
fn late(line: &Value) -> Option<f64> {
    let evaluations = line["evaluations"].as_array()?;
    let late = &evaluations[evaluations.len() / 2..];
    let returns: Vec<f64> = late.iter().filter_map(|one| number(one, "mean_return")).collect();
    (!returns.is_empty()).then(|| mean(&returns))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The mean over seeds, with its interval where there are several.
fn spread(values: &[f64]) -> String {
    let half = interval(values).map_or(String::new(), |half| format!(" +- {half:.0}"));
    format!("{:.0}{half}", mean(values))
}

/// Half of Student's 95% interval of the mean of 2 to 6 seeds.
fn interval(values: &[f64]) -> Option<f64> {
    const T: [f64; 5] = [12.706, 4.303, 3.182, 2.776, 2.571];
    let (n, t) = (values.len(), T.get(values.len().checked_sub(2)?)?);
    let mean = mean(values);
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
        assert_eq!((chosen.0.names[0].as_str(), chosen.0.seeds, chosen.1.as_str()), ("Ant-v5", 1..4, "sb3"));
        assert_eq!(plan("").unwrap().0.names.len(), 3);
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
        let seed = |value: f64| {
            let evaluations =
                [9.0, value - 100.0, value, value + 100.0].map(|value| json!({"mean_return": {"value": value}}));
            json!({"steps": 200_000, "minutes": 10.0, "final": {"mean_return": {"value": value}}, "evaluations": evaluations})
        };
        let (a, b, c) = (seed(1000.0), seed(2000.0), seed(3000.0));
        let expected = "| Ant-v5 | turnkey | 3 | 200,000 | 10.0 | 2000 +- 2484 | 1000, 3000 | 2050 +- 2484 |";
        assert_eq!(row("Ant-v5", "turnkey", &[&a, &b, &c]), expected);
        assert!(row("Ant-v5", "x", &[&a]).ends_with("| 1000 | 1000, 1000 | 1050 |"));
        let published = json!({"seeds": 5, "steps": 1_000_000, "final": {"mean_return": 3250}});
        assert_eq!(row("A", "x", &[&published]), "| A | x | 5 | 1,000,000 | - | 3250 | - | - |");
    }
}
