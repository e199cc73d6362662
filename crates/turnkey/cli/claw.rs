//! The commands that drive the claw's servos, or emulate them, and their arguments.

use crate::config::CLAW_FILE;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use turnkey_core::servo::ServoName;

/// A servo's model, as files spell it.
fn servo_names() -> impl TypedValueParser<Value = ServoName> {
    PossibleValuesParser::new(ServoName::ALL.map(ServoName::spelling)).map(|spelling| {
        let named = ServoName::ALL.into_iter().find(|name| name.spelling() == spelling);
        named.expect("only spellings of servos come through")
    })
}

/// What can be done with the claw's servos.
#[derive(Debug, Subcommand)]
pub enum ClawCommand {
    /// Finds every servo on the port: ids, models, firmware, at every baud rate.
    Scan(Scan),
    /// Compares the servos with the claw's file, and says how to mend what differs.
    Doctor(Doctor),
    /// Gives one servo another id.
    SetId(SetId),
    /// Gives one servo another baud rate.
    SetBaud(SetBaud),
    /// Walks a person through the joints' zeros and ends, and writes the claw's file.
    Calibrate(Calibrate),
    /// Shows what every servo does, without ever giving torque.
    Monitor(Monitor),
    /// Reboots servos, which clears their alerts and takes their torque off.
    Reboot(Reboot),
    /// Switches torque off.
    Release(Release),
    /// Takes the joints home, then switches torque off.
    Home(Home),
    /// Emulates servos on a pseudo-terminal, which clients open as they would a serial port.
    Emulate(Emulate),
}

/// Where the servos are, and how the answer looks.
#[derive(Debug, Args)]
pub struct Line {
    /// The claw's file, which names port, baud rate and servos.
    #[arg(long, value_name = "FILE", default_value = CLAW_FILE)]
    pub config: PathBuf,
    /// The serial port, whatever the file says.
    #[arg(long)]
    pub port: Option<String>,
    /// Prints JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `claw scan`. With --port, the claw's file is not read.
#[derive(Debug, Args)]
pub struct Scan {
    /// Port, file and form of the answer.
    #[command(flatten)]
    pub line: Line,
    /// This baud rate alone; all that servos know if absent.
    #[arg(long)]
    pub baud: Option<u32>,
}

/// Arguments of `claw doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Port, file and form of the answer.
    #[command(flatten)]
    pub line: Line,
    /// Writes into the servos what the claw's file says.
    #[arg(long)]
    pub fix: bool,
    /// With --fix: says what would be written, and writes nothing.
    #[arg(long, requires = "fix")]
    pub dry_run: bool,
}

/// Arguments of `claw set-id`. With --port, the claw's file is not read.
#[derive(Debug, Args)]
pub struct SetId {
    /// Port, file and form of the answer.
    #[command(flatten)]
    pub line: Line,
    /// The new id, 0 to 252.
    #[arg(value_parser = clap::value_parser!(u8).range(..=252))]
    pub new: u8,
    /// The servo that is meant.
    #[command(flatten)]
    pub which: Which,
}

/// Arguments of `claw set-baud`. With --port, the claw's file is not read.
#[derive(Debug, Args)]
pub struct SetBaud {
    /// Port, file and form of the answer.
    #[command(flatten)]
    pub line: Line,
    /// The new baud rate.
    pub new: u32,
    /// The servo that is meant.
    #[command(flatten)]
    pub which: Which,
}

/// Which one servo is meant.
#[derive(Debug, Args)]
pub struct Which {
    /// Its id now; the one servo that answers if absent.
    #[arg(long, value_parser = clap::value_parser!(u8).range(..=252))]
    pub id: Option<u8>,
    /// Its baud rate now; the first at which it answers if absent.
    #[arg(long)]
    pub baud: Option<u32>,
    /// Says what would be written, and writes nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `claw calibrate`.
#[derive(Debug, Args)]
pub struct Calibrate {
    /// Port, file and form of the answer.
    #[command(flatten)]
    pub line: Line,
    /// Writes over the claw's file without asking; what it says beside the calibration stays.
    #[arg(long)]
    pub overwrite: bool,
    /// Leaves out the valve's servo.
    #[arg(long)]
    pub no_valve: bool,
    /// How far limits stay from the ends that a joint was put to, rad.
    #[arg(long, default_value_t = 0.05)]
    pub margin: f64,
    /// Walks through it, and writes nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `claw monitor`.
#[derive(Debug, Args)]
pub struct Monitor {
    /// Port, file and form of the answer.
    #[command(flatten)]
    pub line: Line,
    /// Ends after so many seconds; Ctrl-C ends it as well.
    #[arg(long)]
    pub seconds: Option<f64>,
    /// Readings a second.
    #[arg(long, default_value_t = 10.0)]
    pub rate: f64,
}

/// Arguments of `claw reboot`.
#[derive(Debug, Args)]
pub struct Reboot {
    /// Port, file and form of the answer.
    #[command(flatten)]
    pub line: Line,
    /// Ids of the servos; all of the claw's file if absent.
    #[arg(value_parser = clap::value_parser!(u8).range(..=252))]
    pub ids: Vec<u8>,
    /// Says what is wrong with them, and reboots none.
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `claw release`.
#[derive(Debug, Args)]
pub struct Release {
    /// Port, file and form of the answer.
    #[command(flatten)]
    pub line: Line,
    /// Says which servos have torque, and writes nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `claw home`.
#[derive(Debug, Args)]
pub struct Home {
    /// Port, file and form of the answer.
    #[command(flatten)]
    pub line: Line,
    /// Holds the joints there until Ctrl-C, instead of letting go at once.
    #[arg(long)]
    pub hold: bool,
    /// Says how far the joints are from home, and writes nothing.
    #[arg(long)]
    pub dry_run: bool,
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
    #[arg(long, default_value = ServoName::Xm430W210.spelling(), value_parser = servo_names())]
    pub model: ServoName,
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
    /// Has them move the claw's twin: nine joints, finger by finger, and the valve where it has a servo.
    #[arg(long, conflicts_with = "servos")]
    pub twin: bool,
    /// Seed of whatever faults draw.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}
