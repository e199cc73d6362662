//! What each command of the command line does.

mod judge;

use crate::asynchronous::{Asynchronous, Ended};
use crate::bench;
use crate::benchmark;
use crate::camera;
use crate::claw;
use crate::cli::{Cli, Command, DatasetCommand, Plot, Train};
use crate::config::{Config, RunMode};
use crate::dataset;
use crate::evaluation::Evaluation;
use crate::lateness::LatenessFigures;
use crate::maze;
use crate::memory;
use crate::orders::{self, Order};
use crate::plot::{Curve, Point, learning_curves, points};
use crate::printing::print;
use crate::rig::RigFigures;
use crate::run_folder::{RunFolder, write_json};
use crate::screen;
use crate::serve;
use crate::stop::Stop;
use crate::train::{Finish, SOLVED, Trainer};
use crate::version;
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Does what the command line says.
///
/// # Errors
/// Whatever went wrong, with what was expected, what came, where, and the fix.
pub fn run(cli: Cli) -> Result<()> {
    if let Some(threads) = cli.threads {
        ensure!(threads > 0, "--threads: expected 1 or more, got 0");
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().context("threads can't be started")?;
    }
    match cli.command {
        Command::Train(arguments) => train(&arguments),
        Command::Stop(arguments) => tell(&arguments.run, Order::Stop),
        Command::Tell(arguments) => tell(&arguments.run, arguments.order),
        Command::Evaluate(arguments) => judge::evaluate_run(&arguments),
        Command::Robustness(arguments) => judge::test_robustness(&arguments),
        Command::Plot(arguments) => plot(&arguments),
        Command::Benchmark(arguments) => benchmark::run(&arguments, cli.threads.unwrap_or(1)),
        Command::Maze(arguments) => maze::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Claw(command) => claw::run(&command),
        Command::Camera(command) => camera::run(&command),
        Command::Dataset(DatasetCommand::Check(arguments)) => {
            let counts = dataset::check(&arguments.folder)?;
            let json = serde_json::to_string(&counts)?;
            let said = if arguments.json { json } else { format!("{}: {counts}", arguments.folder.display()) };
            print(&format!("{said}\n"))
        }
        Command::Config(arguments) => print(&Config::load(&arguments.config, &arguments.set)?.to_toml()?),
    }
}

fn train(arguments: &Train) -> Result<()> {
    let config = Config::load(&arguments.config, &arguments.set)?;
    let stem = arguments.config.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = arguments.name.clone().or(stem).context("--name: expected a name for the run")?;
    let stop = Stop::on_signals()?;
    screen::write_apart();
    let Some(seeds) = &arguments.seeds else {
        ensure!(
            !arguments.resume || arguments.init_from.is_none(),
            "--init-from cannot be used with --resume: the run has begun.\n  fix: leave one of them out"
        );
        let seed = arguments.seed.unwrap_or(config.seed);
        return train_one(arguments, config.with_seed(seed), &name, &stop).map(|_| ());
    };
    for seed in seeds.0.clone() {
        let config = config.clone().with_seed(seed);
        if train_one(arguments, config, &format!("{name}-seed-{seed}"), &stop)? == Finish::Stopped {
            break;
        }
    }
    Ok(())
}

fn train_one(arguments: &Train, config: Config, name: &str, stop: &Stop) -> Result<Finish> {
    let path = arguments.runs_dir.join(name);
    // Of several runs, those that a stopped command had not come to yet begin.
    let (folder, config) = if arguments.resume && (arguments.seeds.is_none() || path.exists()) {
        let folder = RunFolder::open(&path)?;
        let before = folder.expect_made_with(&config)?;
        let on = arguments.on.resumed(before.rig(), &arguments.set)?;
        (Some(folder), config.with_rig(on)?)
    } else {
        let on = arguments.on.begun(config.rig())?;
        (None, config.with_rig(on)?)
    };
    let other = arguments.init_from.as_deref().map(RunFolder::open).transpose()?;
    let finish = match config.run.mode {
        RunMode::Inline => {
            let mut trainer = match folder {
                Some(folder) => Trainer::resume(config, folder, arguments.view, arguments.quiet)?,
                None => Trainer::new(config, &path, other.as_ref(), arguments.view, arguments.quiet)?,
            };
            let finish = trainer.train(stop)?;
            if finish == Finish::Complete {
                let evaluation = trainer.final_evaluation()?;
                let (steps, minutes, steps_to_solve) = trainer.progress();
                let (folder, config) = (trainer.folder(), trainer.config());
                conclude(
                    folder,
                    config,
                    Conclusion { evaluation, steps, minutes, steps_to_solve, lateness: None, rig: None },
                )?;
            }
            finish
        }
        RunMode::Asynchronous => {
            let shown = (arguments.view, arguments.quiet);
            let run = match folder {
                Some(folder) => Asynchronous::resume(config.clone(), folder, shown, stop)?,
                None => Asynchronous::new(config.clone(), &path, other.as_ref(), shown, stop)?,
            };
            let folder = run.folder().clone();
            let Ended { finish, evaluation, steps, minutes, lateness, rig } = run.train(stop)?;
            if let Some(evaluation) = evaluation {
                let steps_to_solve = steps_to_solve(&points(&folder)?);
                let lateness = Some(lateness);
                conclude(&folder, &config, Conclusion { evaluation, steps, minutes, steps_to_solve, lateness, rig })?;
            }
            finish
        }
    };
    if finish == Finish::Stopped {
        print(&format!("stopped with a checkpoint; go on with\n  {}\n", arguments.resume_command()))?;
    }
    Ok(finish)
}

fn tell(run: &Path, order: Order) -> Result<()> {
    let said = orders::send(&RunFolder::open(run)?, order)?;
    print(&format!("{said}\n"))?;
    ensure!(!said.starts_with("NOT"), "{}: the plant was not released in time.\n  fix: cut its power", run.display());
    Ok(())
}

/// The first step of the first two evaluations in a row that count as solved.
fn steps_to_solve(evaluations: &[Point]) -> Option<u64> {
    let solved = |point: &Point| point.success_rate >= SOLVED;
    evaluations.windows(2).find(|pair| pair.iter().all(solved)).map(|pair| pair[0].step)
}

/// What a run came to.
struct Conclusion {
    evaluation: Evaluation,
    steps: u64,
    minutes: f64,
    steps_to_solve: Option<u64>,
    lateness: Option<LatenessFigures>,
    rig: Option<RigFigures>,
}

/// What there is to say about a finished run.
#[derive(Debug, Serialize)]
struct Summary {
    name: String,
    config: String,
    seed: u64,
    commit: String,
    steps: u64,
    minutes: f64,
    /// The most memory that the process held since it began, MB; where the system tells.
    peak_memory_mb: Option<u64>,
    /// First step of the first two evaluations in a row with at least 90% success.
    steps_to_solve: Option<u64>,
    /// How control in real time kept to its period.
    #[serde(skip_serializing_if = "Option::is_none")]
    timing: Option<LatenessFigures>,
    /// How the rig fared.
    #[serde(skip_serializing_if = "Option::is_none")]
    rig: Option<RigFigures>,
    #[serde(rename = "final")]
    last: Evaluation,
    evaluations: Vec<Point>,
}

fn conclude(folder: &RunFolder, config: &Config, ended: Conclusion) -> Result<()> {
    let Conclusion { evaluation, steps, minutes, steps_to_solve, lateness, rig } = ended;
    write_json(&folder.evaluation(), &evaluation)?;
    let evaluations = points(folder)?;
    if !evaluations.is_empty() {
        let curve = Curve { label: folder.name(), seeds: vec![evaluations.clone()] };
        learning_curves(&[curve], &folder.curve())?;
    }
    let summary = Summary {
        name: folder.name(),
        config: config.to_toml()?,
        seed: config.seed,
        commit: version::current().commit,
        steps,
        minutes,
        peak_memory_mb: memory::peak_mb(),
        steps_to_solve,
        timing: lateness,
        rig,
        last: evaluation.clone(),
        evaluations,
    };
    write_json(&folder.summary(), &summary)?;
    let mut said = format!("\n{}: {steps} steps in {minutes:.1} minutes\n{evaluation}", folder.name());
    match steps_to_solve {
        _ if evaluation.valve.is_none() => {}
        Some(step) => writeln!(said, "  solved (two evaluations in a row at 90%) from step {step}")?,
        None => writeln!(said, "  not solved (no two evaluations in a row at 90%)")?,
    }
    if let Some(timing) = lateness {
        writeln!(said, "  {timing}")?;
    }
    if let Some(rig) = rig {
        writeln!(said, "  {rig}")?;
    }
    writeln!(said, "everything of this run is in {}", folder.path().display())?;
    print(&said)
}

fn plot(arguments: &Plot) -> Result<()> {
    /// Runs that differ in their seed alone.
    struct Group {
        config: Config,
        seeds: Vec<u64>,
        /// The first one's folder.
        path: PathBuf,
        curve: Curve,
    }
    let mut groups: Vec<Group> = Vec::new();
    for run in &arguments.runs {
        let folder = RunFolder::open(run)?;
        let config = folder.load_config()?;
        let (seed, label) = (config.seed, label(&folder.name(), config.seed));
        let (config, points) = (config.with_seed(0), points(&folder)?);
        match groups.iter_mut().find(|other| other.config == config && !other.seeds.contains(&seed)) {
            Some(group) => {
                group.seeds.push(seed);
                group.curve.seeds.push(points);
            }
            None => {
                let (seeds, curve) = (vec![seed], Curve { label, seeds: vec![points] });
                groups.push(Group { config, seeds, path: run.clone(), curve });
            }
        }
    }
    // Of several by one name, each is called by its folder.
    let names: Vec<String> = groups.iter().map(|group| group.curve.label.clone()).collect();
    let curve = |group: Group| {
        let is_one = names.iter().filter(|name| **name == group.curve.label).count() == 1;
        let label = if is_one { group.curve.label } else { group.path.display().to_string() };
        Curve { label, ..group.curve }
    };
    let curves: Vec<Curve> = groups.into_iter().map(curve).collect();
    learning_curves(&curves, &arguments.out)?;
    print(&format!("{}\n", arguments.out.display()))
}

/// A run's name without its seed.
fn label(name: &str, seed: u64) -> String {
    let ends = [format!("-seed-{seed}"), format!("-{seed}")];
    let stem = ends.iter().find_map(|end| name.strip_suffix(end));
    stem.unwrap_or(name).to_owned()
}
