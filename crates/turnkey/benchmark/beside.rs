//! What others came to: lines that `cargo xtask bench walkers` writes, or that people type in from a paper.

use crate::plot::Point;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::Path;

/// One run of another learner, or the mean of several that was published.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    /// The learner.
    pub(super) label: String,
    /// Gymnasium's name of the environment.
    pub(super) environment: String,
    /// Seeds that it is the mean of.
    pub(super) seeds: usize,
    /// Environment steps.
    pub(super) steps: u64,
    /// The mean return of its last evaluation.
    pub(super) last: f64,
    /// Its evaluations, of which only returns are known.
    pub(super) evaluations: Vec<Point>,
}

#[derive(Deserialize)]
struct Line {
    label: String,
    environment: String,
    #[serde(default = "one")]
    seeds: usize,
    steps: u64,
    #[serde(rename = "final")]
    last: Mean,
    evaluations: Vec<Evaluation>,
}

fn one() -> usize {
    1
}

#[derive(Deserialize)]
struct Mean {
    mean_return: f64,
}

#[derive(Deserialize)]
struct Evaluation {
    step: u64,
    mean_return: f64,
}

/// The readings in a file, a line of JSON each.
///
/// # Errors
/// When it can't be read; names the line that is no reading.
pub(super) fn read(path: &Path) -> Result<Vec<Reading>> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("--beside {name} can't be read.\n  fix: name a file of `cargo xtask bench walkers`")
    })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            let Line { label, environment, seeds, steps, last, evaluations } =
                serde_json::from_str(line).with_context(|| format!("{name}, line {}, is no reading", number + 1))?;
            let point = |Evaluation { step, mean_return }: Evaluation| Point {
                step,
                success_rate: f64::NAN,
                median_error: f64::NAN,
                mean_return,
            };
            let evaluations = evaluations.into_iter().map(point).collect();
            Ok(Reading { label, environment, seeds, steps, last: last.mean_return, evaluations })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_a_wrong_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("peers.jsonl");
        let line = r#"{"label":"SBX's SAC","environment":"Ant-v5","seed":0,"steps":20,"final":{"mean_return":3.5},
            "evaluations":[{"step":10,"mean_return":1}]}"#
            .replace('\n', "");
        std::fs::write(&file, format!("{line}\n\n{line}\n")).unwrap();
        let readings = read(&file).unwrap();
        assert_eq!((readings.len(), readings[1].last, readings[0].evaluations[0].step), (2, 3.5, 10));
        std::fs::write(&file, format!("{line}\n{{}}\n")).unwrap();
        let error = format!("{:#}", read(&file).unwrap_err());
        assert!(error.contains("line 2") && error.contains("label"), "{error}");
    }
}
