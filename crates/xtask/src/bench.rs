//! `cargo xtask bench`: ours and theirs on the same work, in turn, in one run. What counts is the ratio of the
//! medians: absolute times belong to one machine on one day.

use crate::failure::{Failure, Result};
use crate::peers::{self, Peers};
use crate::project::Project;
use crate::results::{self, median, number};
use crate::{methods, process, report, setup, tables, walkers};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// A kind of work that is timed.
struct Work {
    name: &'static str,
    /// The key of the figure that is compared.
    figure: &'static str,
    /// What `turnkey bench` calls it.
    ours: &'static str,
    /// Whom to compare with: their name, their script, its arguments.
    theirs: &'static [(&'static str, &'static str, &'static [&'static str])],
}

const WORKS: &[Work] = &[
    Work {
        name: "step",
        figure: "median_ms",
        ours: "step",
        theirs: &[
            ("PyTorch, eager", "sac_step_torch.py", &[]),
            ("Stable-Baselines3", "sac_train.py", &["sb3"]),
            ("SBX", "sac_train.py", &["sbx"]),
        ],
    },
    Work {
        name: "pixels",
        figure: "median_ms",
        ours: "pixels",
        theirs: &[("PyTorch, eager", "pixels_step_torch.py", &["default"])],
    },
    Work {
        name: "drq",
        figure: "median_ms",
        ours: "drq",
        theirs: &[("PyTorch, eager", "pixels_step_torch.py", &["drq"])],
    },
    Work {
        name: "loop",
        figure: "env_steps_per_s",
        ours: "loop",
        theirs: &[("Stable-Baselines3", "sac_loop.py", &["sb3"]), ("SBX", "sac_loop.py", &["sbx"])],
    },
    Work {
        name: "walk",
        figure: "env_steps_per_s",
        ours: "walk",
        theirs: &[("Stable-Baselines3", "sac_loop.py", &["sb3-walk"]), ("SBX", "sac_loop.py", &["sbx-walk"])],
    },
    Work {
        name: "physics",
        figure: "physics_steps_per_s",
        ours: "physics",
        theirs: &[("Python MuJoCo", "physics.py", &[])],
    },
];

/// How long and how often.
struct Settings {
    works: Vec<&'static Work>,
    threads: String,
    seconds: String,
    rounds: usize,
}

/// `bench [step] [pixels] [drq] [loop] [walk] [physics] [--threads N] [--seconds S] [--rounds N]`,
/// `bench walkers`, `bench claw` or `bench gymnasium`.
///
/// # Errors
/// When an argument is wrong, or ours or theirs doesn't run.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    match arguments.split_first() {
        Some((first, rest)) if first == "walkers" => {
            return walkers::command(project, rest).and_then(|()| report::command(project));
        }
        Some((first, rest)) if first == "claw" => {
            return methods::command(project, rest).and_then(|()| report::command(project));
        }
        Some((first, [])) if first == "gymnasium" => return methods::check(project),
        _ => {}
    }
    let settings = parse(arguments)?;
    setup::ensure(project)?;
    let (turnkey, peers) = (project.turnkey()?, Peers::ensure(project)?);
    let path = project.path("docs/results/bench.jsonl");
    let mut lines = Vec::new();
    for work in &settings.works {
        let line = compare(project, work, &settings, &turnkey, &peers)?;
        results::append(&path, &line)?;
        lines.push(line);
    }
    println!("\n{}", tables::bench(&lines));
    println!("added to {}", project.shown(&path));
    Ok(())
}

fn parse(arguments: &[String]) -> Result<Settings> {
    let mut settings = Settings { works: Vec::new(), threads: "1".into(), seconds: "10".into(), rounds: 3 };
    let wrong = |came: &str| {
        Failure::new("unknown arguments of `cargo xtask bench`")
            .expected(
                "some of step, pixels, drq, loop, walk, physics, or walkers, claw, or gymnasium; --threads N, \
                 --seconds S, --rounds N",
            )
            .came(came)
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || {
            rest.next()
                .filter(|value| value.parse::<f64>().is_ok_and(|number| number > 0.0))
                .ok_or_else(|| wrong(argument))
        };
        match argument.as_str() {
            "--threads" => settings.threads.clone_from(value()?),
            "--seconds" => settings.seconds.clone_from(value()?),
            "--rounds" => settings.rounds = value()?.parse().map_err(|_| wrong(argument))?,
            name => settings.works.push(WORKS.iter().find(|work| work.name == name).ok_or_else(|| wrong(name))?),
        }
    }
    if settings.works.is_empty() {
        settings.works = WORKS.iter().collect();
    }
    Ok(settings)
}

/// Times one kind of work in turn, ours first in each round.
fn compare(project: &Project, work: &Work, settings: &Settings, turnkey: &Path, peers: &Peers) -> Result<Value> {
    let mut ours = Vec::new();
    let mut theirs = vec![Vec::new(); work.theirs.len()];
    let figure = |mut command: Command| -> Result<f64> {
        let figures = peers::figures(&mut command)?;
        number(&figures, work.figure).ok_or_else(|| {
            let came = figures.to_string();
            Failure::new(format!("`{}` left out its figure", process::spelled(&command)))
                .expected(work.figure)
                .came(came)
        })
    };
    for round in 1..=settings.rounds {
        println!("{}: round {round} of {}", work.name, settings.rounds);
        let mut command = Command::new(turnkey);
        command.current_dir(project.root()).args([
            "bench",
            work.ours,
            "--json",
            "--threads",
            &settings.threads,
            "--seconds",
            &settings.seconds,
        ]);
        ours.push(figure(command)?);
        for (index, (_, script, arguments)) in work.theirs.iter().enumerate() {
            let mut command = peers.script(script);
            command.args(*arguments).args(["--threads", &settings.threads, "--seconds", &settings.seconds]);
            theirs[index].push(figure(command)?);
        }
    }
    let peers: Vec<Value> = work
        .theirs
        .iter()
        .zip(&theirs)
        .map(|((name, ..), all)| json!({"peer": name, "median": median(all), "rounds": all}))
        .collect();
    Ok(json!({
        "work": work.name, "figure": work.figure, "threads": settings.threads.parse::<f64>().ok(),
        "commit": project.commit(), "processor": processor(),
        "ours": {"median": median(&ours), "rounds": ours}, "peers": peers,
    }))
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")).and_then(|rest| rest.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_string(), |(_, name)| name.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_choose_the_work_and_how_long() {
        let settings = |text: &str| parse(&text.split_whitespace().map(Into::into).collect::<Vec<_>>());
        let chosen = settings("physics --rounds 2 --threads 2").unwrap();
        assert_eq!(
            (chosen.works.len(), chosen.works[0].name, chosen.rounds, chosen.threads.as_str()),
            (1, "physics", 2, "2")
        );
        assert_eq!(settings("").unwrap().works.len(), WORKS.len());
        for wrong in ["nonsense", "--rounds", "--rounds x", "--seconds -1"] {
            assert!(settings(wrong).is_err(), "{wrong}");
        }
    }
}
