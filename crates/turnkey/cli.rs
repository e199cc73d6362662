//! The command line.

pub mod claw;

use crate::camera::CameraCommand;
use crate::orders::Order;
use crate::rig::{CLAW_FILE, RigConfig};
use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};

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
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
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
        option("--seeds", self.seeds.as_ref().map(|Seeds(seeds)| format!("{}..{}", seeds.start, seeds.end)));
        words.push("--resume".to_owned());
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

/// What a policy acts on.
#[derive(Clone, Debug, Default, Args)]
pub struct On {
    /// What a policy acts on: the twin, or a rig, which is a claw whose servos, real or emulated, are on a serial port.
    /// A resumed run goes on where it was begun.
    #[arg(long, value_enum)]
    pub plant: Option<PlantName>,
    /// The claw's file, with --plant rig; hardware/claw.toml if absent.
    #[arg(long, value_name = "FILE")]
    pub claw: Option<PathBuf>,
    /// The claw's serial port, instead of the one that its file names.
    #[arg(long)]
    pub port: Option<String>,
    /// The camera's file, with --plant rig and a task that is seen in pixels.
    #[arg(long, value_name = "FILE")]
    pub camera: Option<PathBuf>,
}

impl On {
    /// The rig that a new run is on, if it is on one, where its configuration has `written`.
    ///
    /// # Errors
    /// When a claw is named for a twin.
    pub fn begun(&self, written: Option<&RigConfig>) -> Result<Option<RigConfig>> {
        let named = self.claw.is_some() || self.port.is_some() || self.camera.is_some();
        let mut rig = match (self.plant, written) {
            (Some(PlantName::Twin), _) | (None, None) => {
                ensure!(!named, "--claw, --port and --camera: expected --plant rig with them, since a twin has none");
                return Ok(None);
            }
            (_, Some(written)) => written.clone(),
            (Some(PlantName::Rig), None) => RigConfig::of(Path::new(CLAW_FILE)),
        };
        if let Some(claw) = &self.claw {
            rig.claw.clone_from(claw);
        }
        if self.camera.is_some() {
            rig.camera.clone_from(&self.camera);
        }
        // Whoever goes on with the run may do so from another folder.
        for path in [&mut rig.claw, &mut rig.datasets].into_iter().chain(&mut rig.camera) {
            *path = std::path::absolute(&*path).with_context(|| format!("no such path: {}", path.display()))?;
        }
        if self.port.is_some() {
            rig.port.clone_from(&self.port);
        }
        Ok(Some(rig))
    }

    /// The rig that a run goes on with, which was begun on `before`.
    ///
    /// # Errors
    /// When that would be another plant.
    pub fn resumed(&self, before: Option<&RigConfig>) -> Result<Option<RigConfig>> {
        match (self.plant, before) {
            (Some(PlantName::Twin), Some(_)) => bail!(
                "--plant twin: this run was begun on a rig, and what it has learned from is of the rig.\n  fix: leave \
                 --plant out, or begin a new run with --init-from"
            ),
            (Some(PlantName::Rig), None) => bail!(
                "--plant rig: this run was begun on the twin.\n  fix: leave --plant out, or begin a new run with \
                 --init-from"
            ),
            _ => self.begun(before),
        }
    }
}

/// What a policy can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlantName {
    /// The claw and its valve, simulated.
    Twin,
    /// A claw and its valve on a serial port.
    Rig,
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

/// What can be done with the claw's servos.
#[derive(Debug, Subcommand)]
pub enum ClawCommand {
    /// Finds every servo on the port: ids, models, firmware, at every baud rate.
    Scan(claw::Scan),
    /// Compares the servos with the claw's file, and says how to mend what differs.
    Doctor(claw::Doctor),
    /// Gives one servo another id.
    SetId(claw::SetId),
    /// Gives one servo another baud rate.
    SetBaud(claw::SetBaud),
    /// Walks a person through the joints' zeros and ends, and writes the claw's file.
    Calibrate(claw::Calibrate),
    /// Shows what every servo does, without ever giving torque.
    Monitor(claw::Monitor),
    /// Reboots servos, which clears their alerts and takes their torque off.
    Reboot(claw::Reboot),
    /// Switches torque off.
    Release(claw::Release),
    /// Takes the joints home, then switches torque off.
    Home(claw::Home),
    /// Emulates servos on a pseudo-terminal, which clients open as they would a serial port.
    Emulate(Emulate),
}

/// Arguments of `claw emulate`.
#[derive(Debug, Args)]
pub struct Emulate {
    /// Servos as a claw's file describes them: ids, models, baud rate and everything kept in their EEPROM.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ids", "servos", "model", "baud", "return_delay"])]
    pub config: Option<PathBuf>,
    /// A camera over the twin, sent to the socket that this camera's file names, such as hardware/emulated_camera.toml.
    #[arg(long, value_name = "FILE", requires = "twin")]
    pub camera: Option<PathBuf>,
    /// Ids of the servos, separated by commas; those of the claw and, last, of its valve if absent.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u8).range(..=252))]
    pub ids: Vec<u8>,
    /// So many servos with ids from 1 on.
    #[arg(long, conflicts_with = "ids", value_parser = clap::value_parser!(u8).range(1..=252))]
    pub servos: Option<u8>,
    /// Their model.
    #[arg(long, default_value = "xm430_w210", value_parser = ["xm430_w210", "xh430_v210"])]
    pub model: String,
    /// Their baud rate.
    #[arg(long, default_value_t = 1_000_000)]
    pub baud: u32,
    /// Their return delay, in units of 2 microseconds; 250 from the factory.
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u8).range(..=254))]
    pub return_delay: u8,
    /// The USB adapter's latency timer, milliseconds; 16 from the factory, 0 for no adapter.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=255))]
    pub latency: u64,
    /// Answers as soon as it can: bytes, return delay and adapter take no time.
    #[arg(long)]
    pub instantaneous: bool,
    /// A name for the port that stays, such as /tmp/claw: a link to it.
    #[arg(long, value_name = "PATH")]
    pub link: Option<PathBuf>,
    /// Has them move the claw's twin: nine joints, finger by finger, and the valve.
    #[arg(long, conflicts_with = "servos")]
    pub twin: bool,
    /// Seed of whatever faults draw.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// Arguments of `plot`.
#[derive(Debug, Args)]
pub struct Plot {
    /// Folders of runs.
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// The picture.
    #[arg(long, short, default_value = "learning_curves.png")]
    pub out: PathBuf,
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
    /// The twin's physics.
    Physics,
}

/// The last seed that a configuration file, whose integers have a sign, can say.
const LAST_SEED: u64 = i64::MAX as u64;

/// A range of seeds, first to before last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub std::ops::Range<u64>);

fn parse_seeds(text: &str) -> Result<Seeds, String> {
    let fail = || format!("expected FIRST..END with FIRST below END, such as 0..4, got {text:?}");
    let (first, end) = text.split_once("..").ok_or_else(fail)?;
    let (first, end) = (first.parse().map_err(|_| fail())?, end.parse().map_err(|_| fail())?);
    if first >= end || end > LAST_SEED {
        return Err(fail());
    }
    Ok(Seeds(first..end))
}
