//! Arguments of the commands that drive the claw's servos.

use clap::Args;
use std::path::PathBuf;

/// Where the servos are, and how the answer looks.
#[derive(Debug, Args)]
pub struct Line {
    /// The claw's file, which names port, baud rate and servos.
    #[arg(long, value_name = "FILE", default_value = "hardware/claw.toml")]
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
