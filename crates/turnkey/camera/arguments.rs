//! The arguments of `turnkey camera`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What can be done with a camera.
#[derive(Debug, Subcommand)]
pub enum CameraCommand {
    /// Lists the system's cameras with their formats, sizes, rates and controls.
    List(List),
    /// Shows what a policy would see, in the terminal or as a picture.
    Preview(Preview),
    /// Watches the camera for a while, compares it with its file, and says how to mend what it finds.
    Doctor(Doctor),
    /// Records pictures, to be played back in the camera's place.
    Record(Record),
    /// Lays the twin's picture over the camera's, to find where the camera is.
    Align(Align),
}

/// Which camera.
#[derive(Debug, Args)]
pub struct Camera {
    /// The camera's file.
    #[arg(long, default_value = "hardware/camera.toml")]
    pub config: PathBuf,
    /// Another source than the file's: a device, its number, socket:PATH, or a recording.
    #[arg(long)]
    pub device: Option<String>,
}

/// Arguments of `camera list`.
#[derive(Debug, Args)]
pub struct List {
    /// Prints JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `camera preview`.
#[derive(Debug, Args)]
pub struct Preview {
    /// Which camera.
    #[command(flatten)]
    pub camera: Camera,
    /// Writes one frame, as a policy sees it, to this PNG instead.
    #[arg(long, short)]
    pub out: Option<PathBuf>,
    /// Writes the whole picture, before crop and resizing, to this PNG as well.
    #[arg(long, requires = "out")]
    pub whole: Option<PathBuf>,
    /// Ends after so many seconds.
    #[arg(long, value_parser = seconds)]
    pub seconds: Option<f64>,
}

/// Arguments of `camera doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Which camera.
    #[command(flatten)]
    pub camera: Camera,
    /// How long it is watched, s.
    #[arg(long, default_value_t = 5.0, value_parser = seconds)]
    pub seconds: f64,
    /// Prints JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `camera record`.
#[derive(Debug, Args)]
pub struct Record {
    /// A new folder for the recording.
    pub folder: PathBuf,
    /// Which camera.
    #[command(flatten)]
    pub camera: Camera,
    /// How long, s.
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    pub seconds: f64,
}

/// Arguments of `camera align`. The claw stands as at home: fingers straight, the valve at 0.
#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub struct Align {
    /// Which camera.
    #[command(flatten)]
    pub camera: Camera,
    /// The picture: left the camera's, in the middle the twin's over it, right the twin's.
    #[arg(long, short, default_value = "align.png")]
    pub out: PathBuf,
    /// Moves the view about the vertical through what it looks at, degrees.
    #[arg(long, default_value_t = 0.0)]
    pub azimuth: f32,
    /// Moves the view up, degrees.
    #[arg(long, default_value_t = 0.0)]
    pub elevation: f32,
    /// Moves the view away, m.
    #[arg(long, default_value_t = 0.0)]
    pub distance: f32,
    /// Moves the view and what it looks at, m: x,y,z in the world.
    #[arg(long, value_delimiter = ',', num_args = 1, value_name = "X,Y,Z", allow_hyphen_values = true)]
    pub shift: Vec<f32>,
    /// Multiplies the focal length.
    #[arg(long, default_value_t = 1.0)]
    pub focal: f32,
    /// Searches near there for where the pictures differ least.
    #[arg(long)]
    pub fit: bool,
    /// Writes the view into the camera's file.
    #[arg(long)]
    pub save: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let fail = || format!("expected 0.1 to 86400 seconds, got {text:?}");
    text.parse().ok().filter(|seconds| (0.1..=86_400.0).contains(seconds)).ok_or_else(fail)
}
