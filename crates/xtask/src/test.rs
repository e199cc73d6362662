//! `cargo xtask test`: everything that decides whether a change is good, in stages that stop at the first
//! failure. All of it uses the release profile, so that nothing heavy is compiled twice.

use crate::clients;
use crate::count::Count;
use crate::failure::{Failure, Result};
use crate::policy;
use crate::process;
use crate::project::Project;
use crate::setup;
use crate::smoke;
use crate::vm;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A stage: its name, what it does, and how.
struct Stage {
    name: &'static str,
    what: &'static str,
    run: fn(&Project) -> Result<Count>,
}

const STAGES: &[Stage] = &[
    Stage { name: "setup", what: "native parts", run: parts },
    Stage { name: "fmt", what: "format", run: |project| cargo(project, &["fmt", "--all", "--", "--check"]) },
    Stage { name: "clippy", what: "clippy, warnings as errors", run: clippy },
    Stage { name: "test", what: "tests", run: tests },
    Stage { name: "doc", what: "documentation, warnings as errors", run: doc },
    Stage {
        name: "deny",
        what: "bans, licenses and sources of dependencies",
        run: |project| one(policy::check(project)),
    },
    Stage { name: "smoke", what: "a short training run of the real binary", run: |project| one(smoke::check(project)) },
    Stage { name: "vm", what: "camera and USB adapter of a virtual machine", run: |project| vm::check(project, None) },
];

/// Runs the stages, or those that `--only a,b` names, until one fails. The last line is `N passed, N failed`,
/// which counts every test and every other stage.
///
/// # Errors
/// When an argument is unknown or a stage failed.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let stages = chosen(arguments)?;
    let mut total = Count::default();
    let mut timings = Vec::new();
    let begin = Instant::now();
    for stage in &stages {
        println!("\n=== {}: {}", stage.name, stage.what);
        let start = Instant::now();
        let outcome = (stage.run)(project);
        let took = start.elapsed();
        timings.push(format!("{} {}", stage.name, human(took)));
        let count = *outcome.as_ref().unwrap_or(&Count { passed: 0, failed: 1 });
        total = Count { passed: total.passed + count.passed, failed: total.failed + count.failed };
        let word = match (count.passed, count.failed) {
            (0, 0) => "left out",
            (_, 0) => "ok",
            _ => "FAILED",
        };
        println!("=== {}: {word} in {}", stage.name, human(took));
        if count.failed > 0 {
            if let Err(failure) = outcome {
                println!("{failure}");
            }
            println!("\nstopped at the stage `{0}`; again with: cargo xtask test --only {0}", stage.name);
            break;
        }
    }
    println!("\n{} (all: {})", timings.join(", "), human(begin.elapsed()));
    println!("{} passed, {} failed", total.passed, total.failed);
    // What was wrong is said above, and the count is to be the last line.
    if total.failed > 0 {
        std::process::exit(1);
    }
    Ok(())
}

fn chosen(arguments: &[String]) -> Result<Vec<&'static Stage>> {
    let names = || STAGES.iter().map(|stage| stage.name).collect::<Vec<_>>().join(",");
    let only = match arguments {
        [] => return Ok(STAGES.iter().collect()),
        [flag, list] if flag == "--only" => list.clone(),
        [both] if both.starts_with("--only=") => both["--only=".len()..].to_string(),
        _ => {
            return Err(Failure::new("unknown arguments of `cargo xtask test`")
                .expected(format!("nothing, or --only with some of {}", names()))
                .came(arguments.join(" ")));
        }
    };
    if let Some(unknown) = only.split(',').find(|name| STAGES.iter().all(|stage| stage.name != *name)) {
        return Err(Failure::new("no such stage").expected(names()).came(unknown));
    }
    Ok(STAGES.iter().filter(|stage| only.split(',').any(|name| name == stage.name)).collect())
}

fn parts(project: &Project) -> Result<Count> {
    clients::ensure(project);
    one(setup::ensure(project))
}

fn one(outcome: Result<()>) -> Result<Count> {
    outcome.map(|()| Count { passed: 1, failed: 0 })
}

fn cargo(project: &Project, arguments: &[&str]) -> Result<Count> {
    one(process::run(project.cargo().args(arguments)))
}

fn clippy(project: &Project) -> Result<Count> {
    cargo(project, &["clippy", "--release", "--workspace", "--all-targets", "--", "--deny", "warnings"])
}

fn doc(project: &Project) -> Result<Count> {
    let mut command = project.cargo();
    command.env("RUSTDOCFLAGS", "--deny warnings").args(["doc", "--release", "--workspace", "--no-deps"]);
    one(process::run(&mut command))
}

fn tests(project: &Project) -> Result<Count> {
    let mut command = project.cargo();
    command.args(["test", "--release", "--workspace", "--no-fail-fast"]);
    let (ok, mut count) = counted(&mut command)?;
    if !ok && count.failed == 0 {
        count.failed = 1; // a test that didn't compile, or died
    }
    Ok(count)
}

/// Runs a `cargo test`, passing its words on, and adds up the summaries in them.
fn counted(command: &mut Command) -> Result<(bool, Count)> {
    let start = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = start.map_err(|error| process::not_started(command, &error))?;
    let mut count = Count::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n').map_while(std::result::Result::ok) {
            let line = String::from_utf8_lossy(&line);
            let mut out = std::io::stdout().lock();
            // A closed pipe must not end the count.
            drop(writeln!(out, "{line}").and_then(|()| out.flush()));
            if let Some(summary) = line.split_once("test result: ").map(|(_, rest)| rest) {
                count.passed += number_before(summary, " passed");
                count.failed += number_before(summary, " failed");
            }
        }
    }
    let status = child.wait().map_err(|error| process::not_started(command, &error))?;
    Ok((status.success(), count))
}

/// The number that stands right before `word`, or 0.
fn number_before(text: &str, word: &str) -> usize {
    let before = text.split_once(word).map_or("", |(before, _)| before);
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn human(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{:.0} min {:.0} s", (seconds / 60.0).floor(), seconds % 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_of_cargo_test_is_counted() {
        let summary = "ok. 17 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.42s";
        assert_eq!(number_before(summary, " passed"), 17);
        assert_eq!(number_before(summary, " failed"), 2);
        assert_eq!(number_before("nothing here", " passed"), 0);
    }

    #[test]
    fn stages_can_be_chosen_by_name_and_keep_their_order() {
        let names = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
            chosen(&arguments).map(|stages| stages.iter().map(|stage| stage.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["--only", "clippy,fmt"]).unwrap(), ["fmt", "clippy"]);
        assert_eq!(names(&["--only=doc"]).unwrap(), ["doc"]);
        assert_eq!(names(&[]).unwrap().len(), STAGES.len());
        assert!(names(&["--only", "fmt,nonsense"]).is_err());
        assert!(names(&["fmt"]).is_err());
    }
}
