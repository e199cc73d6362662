//! `turnkey camera`: what the system's cameras can do, what the configured one sees, and whether it can be trusted.

mod align;
mod arguments;
mod doctor;
mod fit;
mod list;
mod preview;

pub use arguments::{Align, Camera, CameraCommand, Doctor, List, Preview, Record};

use crate::printing::print;
use crate::stop::Stop;
use anyhow::{Context as _, Result};
use std::path::Path;
use std::time::{Duration, Instant};
use turnkey_camera::{CameraConfig, CameraError, RawBuffer, Recorder, Source, source};
use turnkey_core::{Frame, Kind};
use turnkey_picture::{Pipeline, PipelineConfig, png_from_frame};

/// How long a camera is waited for at a time: what it takes at most until somebody's stop is heard.
const PATIENCE: Duration = Duration::from_millis(100);
/// A camera that was opened gives its first picture within this, or never.
const FIRST_PICTURE: Duration = Duration::from_secs(5);

/// Does what a `turnkey camera` command says.
///
/// # Errors
/// Whatever went wrong, with the fix.
pub fn run(command: &CameraCommand) -> Result<()> {
    match command {
        CameraCommand::List(arguments) => list::list(arguments),
        CameraCommand::Preview(arguments) => preview::preview(arguments),
        CameraCommand::Doctor(arguments) => doctor::doctor(arguments),
        CameraCommand::Record(arguments) => record(arguments),
        CameraCommand::Align(arguments) => align::align(arguments),
    }
}

/// The camera that arguments name.
fn configured(camera: &Camera) -> Result<CameraConfig> {
    let config = CameraConfig::load(&camera.config)?;
    Ok(match &camera.device {
        Some(device) => config.with_device(device),
        None => config,
    })
}

/// The first picture that is whole, and it as the policy sees it.
fn first_picture(config: &CameraConfig, source: &mut dyn Source) -> Result<(RawBuffer, Frame)> {
    let (start, mut pipeline) = (Instant::now(), config.pipeline());
    let mut refused = None;
    while start.elapsed() < FIRST_PICTURE {
        let Some(raw) = source.next(PATIENCE)? else { continue };
        match frame_of(config, &mut pipeline, &raw, start) {
            Ok(frame) => return Ok((raw, frame)),
            Err(error) if error.kind() == Kind::Retry => refused = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    Err(match refused {
        Some(error) => anyhow::Error::from(error).context("expected a whole picture, got damaged ones alone"),
        None => anyhow::anyhow!(
            "{}: expected a picture within {} s, got none\n  fix: plug it in again, at a port of its own",
            config.name(),
            FIRST_PICTURE.as_secs()
        ),
    })
}

fn frame_of(
    config: &CameraConfig,
    pipeline: &mut Pipeline,
    raw: &RawBuffer,
    epoch: Instant,
) -> Result<Frame, CameraError> {
    let camera = config.name().to_owned();
    if raw.size != config.size() {
        return Err(CameraError::OtherSize { camera, expected: config.size(), found: raw.size });
    }
    pipeline.process(&raw.frame(epoch)).map_err(|source| CameraError::Picture { camera, source })
}

/// All of a picture, decoded.
fn whole(raw: &RawBuffer) -> Result<Frame> {
    let mut pipeline = Pipeline::new(PipelineConfig { crop: None, output: raw.size })?;
    Ok(pipeline.process(&raw.frame(raw.captured))?)
}

fn write_png(frame: &Frame, path: &Path) -> Result<()> {
    std::fs::write(path, png_from_frame(frame)?)
        .with_context(|| format!("{}: expected a picture to be written", path.display()))
}

fn record(arguments: &Record) -> Result<()> {
    let config = configured(&arguments.camera)?;
    let stop = Stop::on_signals()?;
    let mut source = source(&config)?;
    source.open()?;
    let start = Instant::now();
    let mut recorder = Recorder::create(&arguments.folder, start)?;
    let length = Duration::from_secs_f64(arguments.seconds);
    while start.elapsed() < length && !stop.asked() {
        match source.next(PATIENCE) {
            Ok(Some(raw)) => recorder.write(&raw)?,
            Ok(None) => (),
            Err(CameraError::Ended { .. }) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let (pictures, folder) = (recorder.pictures(), arguments.folder.display());
    anyhow::ensure!(
        pictures > 0,
        "{}: expected pictures for {folder}, got none\n  fix: `turnkey camera doctor` says what is wrong",
        config.name()
    );
    print(&format!(
        "{pictures} pictures of {:.1} s in {folder}\n\
         played back by device = \"{folder}\" in a camera's file, or --device {folder}\n",
        start.elapsed().as_secs_f64()
    ))
}
