//! Recordings: a folder of pictures and when each was taken.

use crate::{CameraError, RawBuffer};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;
use turnkey_core::FrameSize;
use turnkey_picture::{Pipeline, PipelineConfig, RawFormat, png_from_frame};

/// The file that says when each picture was taken.
pub(crate) const STAMPS: &str = "stamps.jsonl";

/// One line of a recording's `stamps.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stamped {
    /// The picture, beside this file.
    pub(crate) file: String,
    /// How it is to be read.
    pub(crate) format: RawFormat,
    /// Pixels of a row.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
    /// When it was taken, s since the recording began.
    pub(crate) captured_secs: f64,
    /// Its number at its camera.
    pub(crate) sequence: u64,
}

/// Writes a recording, picture by picture. JPEG stays as it came, to the byte; everything else becomes PNG, which loses nothing.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    stamps: File,
    epoch: Instant,
    pictures: usize,
}

impl Recorder {
    /// A recording in a new folder, whose time begins at `epoch`.
    ///
    /// # Errors
    /// When the folder exists, or can't be made.
    pub fn create(folder: &Path, epoch: Instant) -> Result<Self, CameraError> {
        fs::create_dir(folder).map_err(|error| CameraError::file(folder, "a new folder for a recording", &error))?;
        let path = folder.join(STAMPS);
        let stamps = File::create_new(&path).map_err(|error| CameraError::file(path, "the file of stamps", &error))?;
        Ok(Self { folder: folder.into(), stamps, epoch, pictures: 0 })
    }

    /// Adds a picture: a JPEG whether or not it is whole; any other must be.
    ///
    /// # Errors
    /// When it can't be written, or is no JPEG and no picture of its format and size either.
    pub fn write(&mut self, raw: &RawBuffer) -> Result<(), CameraError> {
        let RawBuffer { size: FrameSize { width, height }, sequence, captured, .. } = *raw;
        let (format, extension) = match raw.format {
            RawFormat::Jpeg => (RawFormat::Jpeg, "jpg"),
            _ => (RawFormat::Png, "png"),
        };
        let file = format!("{:06}.{extension}", self.pictures);
        let path = self.folder.join(&file);
        let write = |bytes: &[u8]| {
            fs::write(&path, bytes).map_err(|error| CameraError::file(&path, "a picture to be written", &error))
        };
        match format {
            RawFormat::Jpeg => write(&raw.bytes)?,
            _ => write(&png(raw).map_err(|source| CameraError::Picture { camera: file.clone(), source })?)?,
        }
        let captured_secs = captured.saturating_duration_since(self.epoch).as_secs_f64();
        let line = Stamped { file, format, width, height, captured_secs, sequence };
        let text = serde_json::to_string(&line).map_err(io::Error::other);
        let written = text.and_then(|text| self.stamps.write_all((text + "\n").as_bytes()));
        let stamps = self.folder.join(STAMPS);
        written.map_err(|error| CameraError::file(stamps, "a stamp to be written", &error))?;
        self.pictures += 1;
        Ok(())
    }

    /// How many pictures it has.
    #[must_use]
    pub fn pictures(&self) -> usize {
        self.pictures
    }
}

fn png(raw: &RawBuffer) -> Result<Vec<u8>, turnkey_picture::PictureError> {
    let mut pipeline = Pipeline::new(PipelineConfig { crop: None, output: raw.size })?;
    png_from_frame(&pipeline.process(&raw.frame(raw.captured))?)
}
