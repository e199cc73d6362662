//! The command line.

pub mod claw;
pub mod on;

use crate::camera::CameraCommand;
use crate::orders::Order;
use clap::{Args, Parser, Subcommand};
use claw::ClawCommand;
use on::On;
use std::path::PathBuf;
use turnkey_benchmarks::BenchmarkName;

/// Learns to turn a valve with a three-finger Dynamixel claw.
#[derive(Debug, Parser)]
#[command(name = "turnkey", version, about)]
pub struct Cli {
    /// Threads for learning; all cores if absent.
    #[arg(long, global = true)]
    pub threads: Option<usize>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Trains a policy.
    Train(Train),
    /// Stops a run that is being trained in real time: lets go of the plant at once, then leaves with a checkpoint.
    Stop(Told),
    /// Tells a run that is being trained in real time what to do.
    Tell(Tell),
    /// Evaluates a trained policy on episodes it never trained on.
    Evaluate(Evaluate),
    /// Tests how far a policy that sees pictures can be trusted when they change.
    Robustness(Robustness),
    /// Draws learning curves of runs; runs that differ in seed alone become one curve with a band.
    Plot(Plot),
    /// Trains on Gymnasium's locomotion environments and shows the curves, beside those of others.
    Benchmark(Benchmark),
    /// Shows what the temperature does, in a maze with two passages one of which is blocked after learning.
    Maze(Maze),
    /// Serves a configuration's environment to a program that learns in Gymnasium.
    Serve(Serve),
    /// Times this program on this machine.
    Bench(Bench),
    /// The claw's servos: drives them, or emulates them.
    #[command(subcommand)]
    Claw(ClawCommand),
    /// The camera: what it sees, whether it can be trusted, and where it is.
    #[command(subcommand)]
    Camera(CameraCommand),
    /// Recorded episodes of a rig.
    #[command(subcommand)]
    Dataset(DatasetCommand),
    /// Checks a configuration and prints it with every default written out.
    Config(ShowConfig),
}

/// What can be done with recorded episodes.
#[derive(Debug, Subcommand)]
pub enum DatasetCommand {
    /// Reads every line of a dataset and counts what there is.
    Check(CheckDataset),
}

/// Arguments of `dataset check`.
#[derive(Debug, Args)]
pub struct CheckDataset {
    /// The dataset's folder, such as datasets/valve_state.
    pub folder: PathBuf,
    /// Prints one line of JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `train`.
#[derive(Debug, Args)]
pub struct Train {
    /// Configuration file, such as configs/valve_state.toml.
    pub config: PathBuf,
    /// Changes a key of the configuration, such as sac.batch_size=512. Can be given again.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Name of the run's folder; the configuration's name if absent.
    #[arg(long)]
    pub name: Option<String>,
    /// Folder of runs.
    #[arg(long, default_value = "runs")]
    pub runs_dir: PathBuf,
    /// Goes on from the run's newest checkpoint. With --seeds, those that have no run yet begin.
    #[arg(long)]
    pub resume: bool,
    /// Seed of everything random.
    #[arg(long, conflicts_with = "seeds", value_parser = clap::value_parser!(u64).range(..=LAST_SEED))]
    pub seed: Option<u64>,
    /// Several runs one after the other, such as 0..4 (which is 0, 1, 2, 3).
    #[arg(long, value_parser = parse_seeds)]
    pub seeds: Option<Seeds>,
    /// Starts with the networks of another run.
    #[arg(long, value_name = "RUN")]
    pub init_from: Option<PathBuf>,
    /// What is trained on.
    #[command(flatten)]
    pub on: On,
    /// Opens a rerun viewer, or connects to one that is open.
    #[arg(long)]
    pub view: bool,
    /// Shows no progress.
    #[arg(long)]
    pub quiet: bool,
}

impl Train {
    /// The command that goes on with what this one began.
    #[must_use]
    pub fn resume_command(&self) -> String {
        let mut words = vec!["turnkey".to_owned(), "train".to_owned(), self.config.display().to_string()];
        words.extend(self.set.iter().flat_map(|change| ["--set".to_owned(), change.clone()]));
        let mut option =
            |name: &str, value: Option<String>| words.extend(value.into_iter().flat_map(|v| [name.to_owned(), v]));
        option("--name", self.name.clone());
        option("--runs-dir", Some(self.runs_dir.display().to_string()).filter(|folder| folder != "runs"));
        option("--seed", self.seed.map(|seed| seed.to_string()));
        let folder = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string();
        if let Some(Seeds(seeds)) = &self.seeds {
            option("--seeds", Some(format!("{}..{}", seeds.start, seeds.end)));
            // The seeds that are still to begin begin as the first ones did; each run knows for itself what it is on.
            option("--init-from", self.init_from.as_ref().map(folder));
            option("--plant", self.on.plant.map(|plant| plant.name().to_owned()));
            option("--claw", self.on.claw.as_ref().map(folder));
            option("--port", self.on.port.clone());
            option("--camera", self.on.camera.as_ref().map(folder));
            option("--valve", self.on.valve.map(|valve| valve.name().to_owned()));
        }
        words.push("--resume".to_owned());
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Arguments of `stop`.
#[derive(Debug, Args)]
pub struct Told {
    /// The run's folder.
    pub run: PathBuf,
}

/// Arguments of `tell`.
#[derive(Debug, Args)]
pub struct Tell {
    /// The run's folder.
    pub run: PathBuf,
    /// What it is to do.
    #[arg(value_enum)]
    pub order: Order,
}

/// Arguments of `evaluate`.
#[derive(Debug, Args)]
pub struct Evaluate {
    /// The run's folder.
    pub run: PathBuf,
    /// Episodes.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub episodes: u64,
    /// Prints JSON instead of a table.
    #[arg(long)]
    pub json: bool,
    /// Changes a key of the run's configuration for this evaluation, such as twin.actuation=servo.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Evaluates at each corner of the randomised dynamics' ranges as well.
    #[arg(long)]
    pub corners: bool,
    /// What is evaluated on; the twin if absent, whatever the run was on.
    #[command(flatten)]
    pub on: On,
}

/// Arguments of `robustness`.
#[derive(Debug, Args)]
pub struct Robustness {
    /// The run's folder.
    pub run: PathBuf,
    /// Episodes of each disturbance at each strength.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(2..=100_000))]
    pub episodes: u64,
    /// Only these families, separated by commas; all if absent.
    #[arg(long, value_delimiter = ',')]
    pub families: Vec<String>,
    /// Where table, page, pictures and recording go; `robustness` in the run's folder if absent.
    #[arg(long, short)]
    pub out: Option<PathBuf>,
    /// Prints JSON instead of a table.
    #[arg(long)]
    pub json: bool,
    /// What is tested on; the twin if absent. On a rig a person is asked to change the scene, and frames are changed by the
    /// program.
    #[command(flatten)]
    pub on: On,
}

/// Arguments of `plot`.
#[derive(Debug, Args)]
pub struct Plot {
    /// Folders of runs.
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// The picture.
    #[arg(long, short, default_value = "learning_curves.png", value_parser = parse_png)]
    pub out: PathBuf,
}

/// Arguments of `benchmark`.
#[derive(Debug, Args)]
pub struct Benchmark {
    /// Environments, such as HalfCheetah-v5 Hopper-v5; Walker2d-v5, Ant-v5 and Humanoid-v5 are the others.
    #[arg(required = true, value_name = "ENVIRONMENT")]
    pub environments: Vec<BenchmarkName>,
    /// Seeds, first to before last.
    #[arg(long, default_value = "0..3", value_parser = parse_seeds)]
    pub seeds: Seeds,
    /// Environment steps of each run.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: u64,
    /// Runs at a time, each on one thread unless --threads says more.
    #[arg(long, default_value_t = 1)]
    pub jobs: usize,
    /// Configuration file.
    #[arg(long, default_value = "configs/benchmark.toml", value_name = "FILE")]
    pub config: PathBuf,
    /// Changes a key of the configuration, as `train` takes it. Can be given again.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder of runs. Finished ones are not trained again, and stopped ones go on.
    #[arg(long, default_value = "runs/benchmarks")]
    pub runs_dir: PathBuf,
    /// The curves' picture.
    #[arg(long, short, default_value = "benchmarks.png", value_parser = parse_png)]
    pub out: PathBuf,
    /// What others came to, drawn beside, such as docs/results/benchmark_peers.jsonl. Can be given again.
    #[arg(long, value_name = "FILE")]
    pub beside: Vec<PathBuf>,
}

/// Arguments of `maze`.
#[derive(Debug, Args)]
pub struct Maze {
    /// The figure, as SVG.
    #[arg(long, short, default_value = "maze.svg")]
    pub out: PathBuf,
    /// Prints JSON instead of a table.
    #[arg(long)]
    pub json: bool,
    /// Trains the learner on the maze with continuous actions instead, at a few temperatures, and draws nothing.
    #[arg(long, conflicts_with = "out")]
    pub train: bool,
    /// Seeds to train, first to before last.
    #[arg(long, default_value = "0..3", value_parser = parse_seeds, requires = "train")]
    pub seeds: Seeds,
    /// Environment steps of each training, of which the first 1,000 are random.
    #[arg(long, default_value_t = 40_000, requires = "train", value_parser = clap::value_parser!(u64).range(1_001..=1_000_000))]
    pub steps: u64,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Configuration file, such as configs/valve_state.toml.
    pub config: PathBuf,
    /// Changes a key of the configuration, as `train` takes it. Can be given again.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// A Unix socket to make and listen at, one client after the other. If absent, standard input is a socket already: that
    /// is how turnkey_claw.py starts this command.
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
}

/// Arguments of `config`.
#[derive(Debug, Args)]
pub struct ShowConfig {
    /// Configuration file.
    pub config: PathBuf,
    /// Changes a key of the configuration, as `train` takes it. Can be given again.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub struct Bench {
    /// What to time.
    #[arg(value_enum)]
    pub what: BenchWhat,
    /// Seconds to time for.
    #[arg(long, default_value_t = 10.0)]
    pub seconds: f64,
    /// What computes gradient steps: auto, flex, tch, tch_cuda or cuda.
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    pub device: String,
    /// Prints one line of JSON.
    #[arg(long)]
    pub json: bool,
}

/// What can be timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum BenchWhat {
    /// A gradient step: observation 24, action 9, two hidden layers of 256, batch 256.
    Step,
    /// A gradient step from pictures: one of 48x48, 27 numbers, the default's encoder, batch 128.
    Pixels,
    /// DrQ's: three pictures of 64x64, 27 numbers, its encoder, batch 128.
    Drq,
    /// The paper's: one picture of 32x32, 27 numbers, separate encoders, batch 256.
    Paper,
    /// A policy's action for one observation.
    Act,
    /// The whole loop on TurnRandom, one gradient step an environment step.
    Loop,
    /// The same on HalfCheetah-v5.
    Walk,
    /// The twin's physics.
    Physics,
}

/// The last seed that a configuration file, whose integers have a sign, can say.
const LAST_SEED: u64 = i64::MAX as u64;

/// A range of seeds, first to before last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub std::ops::Range<u64>);

/// The path of a picture, which is a PNG whatever it is called.
fn parse_png(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("png") => Ok(path),
        _ => Err(format!("expected a name that ends in .png, got {text:?}")),
    }
}

/// The most runs of one command.
const MOST_SEEDS: u64 = 10_000;

fn parse_seeds(text: &str) -> Result<Seeds, String> {
    let fail = || format!("expected FIRST..END with FIRST below END, such as 0..4, got {text:?}");
    let (first, end) = text.split_once("..").ok_or_else(fail)?;
    let (first, end) = (first.parse().map_err(|_| fail())?, end.parse().map_err(|_| fail())?);
    if first >= end || end > LAST_SEED {
        return Err(fail());
    }
    if end - first > MOST_SEEDS {
        return Err(format!("expected at most {MOST_SEEDS} seeds, got {}", end - first));
    }
    Ok(Seeds(first..end))
}
