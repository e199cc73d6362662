//! docs/results.md's tables and docs/results/*.svg, from the lines under docs/results/.
//!
//! A table stands between `<!-- results:NAME -->` and `<!-- /results:NAME -->`; the rest of the page is
//! written by people and stays.

use crate::curves;
use crate::failure::{Failure, Result};
use crate::methods;
use crate::plan::{self, Experiment};
use crate::project::Project;
use crate::results::{self, by_label, last, median, number, thousands};
use crate::tables;
use crate::walkers;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;

const HEAD: &str = "\
| | seeds | solved | steps to solve | minutes | success | median error, rad |
| --- | --- | --- | --- | --- | --- | --- |
";

/// Writes every table and curve anew. A results file without a place on the page gets one at its end.
///
/// # Errors
/// When results can't be read, the page's markers don't match, or something can't be written.
pub(crate) fn command(project: &Project) -> Result<()> {
    let page = project.path("docs/results.md");
    let mut text = fs::read_to_string(&page).unwrap_or_else(|_| "# Results\n".into());
    for name in finished(project) {
        let path = project.path("docs/results").join(format!("{name}.jsonl"));
        let lines = results::read(&path)?;
        let table = match name.as_str() {
            "bench" => tables::bench(&lines),
            "benchmarks" => walkers::table(project, &lines)?,
            methods::RESULTS => learning(project, &name, &[methods::ours(project)?, lines].concat())?,
            walkers::PEERS | walkers::PUBLISHED => continue, // beside ours
            _ => learning(project, &name, &lines)?,
        };
        text = put(&text, &name, &table)?;
    }
    fs::write(&page, text).map_err(|error| Failure::io("the results page can't be written", &page, &error))?;
    println!("{} and its curves are up to date", page.display());
    Ok(())
}

fn finished(project: &Project) -> Vec<String> {
    let entries = fs::read_dir(project.path("docs/results")).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().to_string_lossy().strip_suffix(".jsonl").map(Into::into))
        .collect();
    names.sort();
    names
}

/// The table of one experiment, with its curve beside the results.
fn learning(project: &Project, name: &str, lines: &[Value]) -> Result<String> {
    let plan =
        plan::names(project).iter().any(|known| known == name).then(|| Experiment::load(project, name)).transpose()?;
    let groups = by_label(lines);
    let drawing = format!("docs/results/{name}.svg");
    let mut table = plan.as_ref().map(|plan| format!("{}\n\n", plan.question)).unwrap_or_default();
    table.push_str(HEAD);
    for (label, results) in &groups {
        let planned = plan
            .as_ref()
            .and_then(|plan| plan.runs.iter().find(|runs| runs.label == *label))
            .map(|runs| runs.seeds.len());
        writeln!(table, "{}", row(label, results, planned)).expect("a String takes every text");
    }
    if let Some(svg) = curves::draw(&groups, &curves::SUCCESS) {
        let path = project.path(&drawing);
        fs::write(&path, svg).map_err(|error| Failure::io("a curve can't be written", &path, &error))?;
        write!(table, "\n![Success rate over environment steps](results/{name}.svg)\n")
            .expect("a String takes every text");
    }
    let origin = match name {
        methods::RESULTS => "cargo xtask bench claw".into(),
        _ => format!("cargo xtask experiments {name}"),
    };
    write!(
        table,
        "\nEach line of [results/{name}.jsonl](results/{name}.jsonl) is one finished seed; `{origin}` makes them.\n"
    )
    .expect("a String takes every text");
    Ok(table)
}

fn row(label: &str, results: &[&Value], planned: Option<usize>) -> String {
    let column =
        |read: &dyn Fn(&Value) -> Option<f64>| results.iter().filter_map(|result| read(result)).collect::<Vec<_>>();
    let solved = column(&|result| number(result, "steps_to_solve"));
    let minutes = median(&column(&|result| number(result, "minutes")));
    let error = median(&column(&|result| number(last(result), "median_error")));
    let (successes, episodes) = (column(&|r| number(last(r), "successes")), column(&|r| number(last(r), "episodes")));
    let success = match (episodes.iter().sum::<f64>(), successes.iter().sum::<f64>()) {
        (episodes, _) if episodes <= 0.0 => {
            median(&column(&|r| number(last(r), "success_rate"))).map_or("-".into(), percent)
        }
        (episodes, successes) => {
            let (low, high) = wilson(successes, episodes);
            format!("{} [{:.0}, {:.0}]", percent(successes / episodes), 100.0 * low, 100.0 * high)
        }
    };
    let seeds = match planned {
        Some(planned) if planned != results.len() => format!("{} of {planned}", results.len()),
        _ => results.len().to_string(),
    };
    // A seed that was never solved counts as worse than all that were.
    let all: Vec<f64> =
        solved.iter().copied().chain(std::iter::repeat_n(f64::INFINITY, results.len() - solved.len())).collect();
    let steps = median(&all).filter(|steps| steps.is_finite()).map_or("-".into(), thousands);
    let minutes = minutes.map_or("-".into(), |minutes| format!("{minutes:.1}"));
    let error = error.map_or("-".into(), |error| format!("{error:.3}"));
    format!("| {label} | {seeds} | {} | {steps} | {minutes} | {success} | {error} |", solved.len())
}

fn percent(rate: f64) -> String {
    format!("{:.0}%", 100.0 * rate)
}

/// Wilson's 95% interval of a rate.
fn wilson(successes: f64, n: f64) -> (f64, f64) {
    let (z, rate) = (1.959_964, successes / n);
    let centre = (rate + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (rate * (1.0 - rate) / n + z * z / (4.0 * n * n)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// `text` with `table` between the markers of `name`.
fn put(text: &str, name: &str, table: &str) -> Result<String> {
    let (open, close) = (format!("<!-- results:{name} -->"), format!("<!-- /results:{name} -->"));
    let Some((before, rest)) = text.split_once(&open) else {
        return Ok(format!("{}\n\n## {name}\n\n{open}\n{table}{close}\n", text.trim_end()));
    };
    let Some((_, after)) = rest.split_once(&close) else {
        return Err(Failure::new("docs/results.md has lost a marker")
            .expected(close)
            .came(format!("only {open}"))
            .fix("put it back where the table ends"));
    };
    Ok(format!("{before}{open}\n{table}{close}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_replaces_only_what_stands_between_its_markers() {
        let page = "a\n<!-- results:x -->\nold\n<!-- /results:x -->\nb\n";
        assert_eq!(put(page, "x", "new\n").unwrap(), "a\n<!-- results:x -->\nnew\n<!-- /results:x -->\nb\n");
        assert!(put(page, "y", "t\n").unwrap().starts_with(page.trim_end()));
        assert!(put("<!-- results:x -->", "x", "t").is_err());
    }

    #[test]
    fn a_row_pools_seeds_and_admits_the_unsolved() {
        let seed = |solved: Value, successes: u32| {
            json!({"label": "fast", "steps_to_solve": solved, "minutes": 3.0,
            "final": {"episodes": 100, "successes": successes, "median_error": {"value": 0.02}}})
        };
        let (a, b, c) = (seed(json!(20_000), 98), seed(json!(null), 60), seed(json!(30_000), 97));
        assert_eq!(row("fast", &[&a, &b, &c], Some(4)), "| fast | 3 of 4 | 2 | 30,000 | 3.0 | 85% [81, 89] | 0.020 |");
        assert_eq!(row("fast", &[&b], None), "| fast | 1 | 0 | - | 3.0 | 60% [50, 69] | 0.020 |");
    }

    #[test]
    fn wilson_agrees_with_a_published_value() {
        let (low, high) = wilson(81.0, 263.0); // Newcombe 1998, table I: 0.2553 to 0.3662
        assert!((low - 0.2553).abs() < 1e-4 && (high - 0.3662).abs() < 1e-4, "{low} {high}");
    }
}
