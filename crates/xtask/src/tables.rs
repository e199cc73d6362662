//! The table of `cargo xtask bench`.

use crate::results::{number, thousands};
use serde_json::Value;
use std::fmt::Write as _;

/// A Markdown table of the newest line of each kind of work and number of threads: medians over the rounds,
/// and how many times as fast ours is.
pub(crate) fn bench(lines: &[Value]) -> String {
    let mut newest: Vec<&Value> = Vec::new();
    for line in lines {
        let same = |other: &&Value| other["work"] == line["work"] && other["threads"] == line["threads"];
        newest.retain(|other| !same(other));
        newest.push(line);
    }
    let mut table = String::from(
        "| work | threads | peer | theirs | ours | ours is faster by | commit |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for line in &newest {
        let (work, unit) = match line["work"].as_str() {
            Some("step") => ("gradient step", "ms"),
            Some("pixels") => ("gradient step from pictures, default", "ms"),
            Some("drq") => ("gradient step from pictures, DrQ's", "ms"),
            Some("loop") => ("whole loop on TurnRandom", "steps/s"),
            Some("walk") => ("whole loop on HalfCheetah-v5", "steps/s"),
            Some("physics") => ("physics", "steps/s"),
            other => (other.unwrap_or("?"), ""),
        };
        let commit = line["commit"].as_str().unwrap_or("?");
        let less_is_better = line["figure"] == "median_ms";
        let threads = line["threads"].as_f64().map_or("-".into(), |threads| format!("{threads:.0}"));
        for peer in line["peers"].as_array().into_iter().flatten() {
            let (Some(ours), Some(theirs)) = (number(&line["ours"], "median"), number(peer, "median")) else {
                continue;
            };
            let ratio = if less_is_better { theirs / ours } else { ours / theirs };
            let name = peer["peer"].as_str().unwrap_or("?");
            writeln!(
                table,
                "| {work} | {threads} | {name} | {} {unit} | {} {unit} | {ratio:.2} | {commit} |",
                shown(theirs),
                shown(ours)
            )
            .expect("a String takes every text");
        }
    }
    if let Some(line) = newest.last() {
        let processor = line["processor"].as_str().unwrap_or("?");
        writeln!(table, "\nMedians of rounds taken in turn, on {processor}: `cargo xtask bench`.")
            .expect("a String takes every text");
    }
    table
}

/// Three digits of small numbers, whole large ones.
fn shown(number: f64) -> String {
    if number >= 1000.0 {
        thousands(number)
    } else if number >= 100.0 {
        format!("{number:.0}")
    } else if number >= 10.0 {
        format!("{number:.1}")
    } else {
        format!("{number:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newest_line_of_each_work_counts_and_ratios_say_how_much_faster_ours_is() {
        let line = |work: &str, figure: &str, ours: f64| {
            json!({"work": work, "figure": figure, "threads": 1.0, "commit": "abc", "processor": "P",
                "ours": {"median": ours}, "peers": [{"peer": "SBX", "median": 20.0}]})
        };
        let table = bench(&[
            line("step", "median_ms", 1.0),
            line("step", "median_ms", 10.0),
            line("loop", "env_steps_per_s", 50.0),
        ]);
        assert!(table.contains("| gradient step | 1 | SBX | 20.0 ms | 10.0 ms | 2.00 |"), "{table}");
        assert!(
            table.contains("| whole loop on TurnRandom | 1 | SBX | 20.0 steps/s | 50.0 steps/s | 2.50 |"),
            "{table}"
        );
        assert_eq!(table.matches("gradient step").count(), 1);
    }
}
