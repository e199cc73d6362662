//! What a camera is and how it is to be set, as a file says it.
//!
//! [`RawCameraConfig`] is what is written; [`CameraConfig`] is what can be used, and only checking makes one.

use crate::{CameraError, CameraFormat, MarkConfig, View};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;
use turnkey_core::FrameSize;
use turnkey_picture::{Crop, Pipeline, PipelineConfig};

/// A camera as its file describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawCameraConfig {
    /// Where pictures come from: see [`Device`].
    pub device: String,
    /// In which format.
    pub format: CameraFormat,
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Pictures a second.
    pub rate: u32,
    /// The frame that a policy acts on is never older than this.
    pub max_frame_age_secs: f64,
    /// The size of the frames.
    pub output: FrameSize,
    /// The rectangle to look at, in the camera's pixels; everything if absent.
    pub crop: Option<Crop>,
    /// Whether a recording starts again when it is over.
    #[serde(default)]
    pub repeat: bool,
    /// What is locked, so that pictures of tomorrow look like those of today.
    #[serde(default)]
    pub controls: Controls,
    /// When a source is given up and opened again.
    #[serde(default)]
    pub watchdog: WatchdogSettings,
    /// Where the camera is, as `turnkey camera align` found it.
    pub view: Option<View>,
    /// What the valve's mark looks like, where the valve's angle is to come from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<MarkConfig>,
}

/// Controls that are written, read back, and locked; what is absent is left as it is. Units are the device's own, which
/// are these for cameras of the USB video class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Controls {
    /// Exposure time, 100 us; automatic exposure goes off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure: Option<i64>,
    /// Colour temperature, K; automatic white balance goes off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub white_balance: Option<i64>,
    /// Gain, in the device's steps; automatic gain goes off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain: Option<i64>,
    /// Focus, in the device's steps; automatic focus goes off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focus: Option<i64>,
}

/// When a source is given up and opened again, s.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WatchdogSettings {
    /// Without a good frame for this long.
    pub stall_secs: f64,
    /// The first wait before it is opened again; each further one is twice as long.
    pub first_wait_secs: f64,
    /// The longest wait.
    pub longest_wait_secs: f64,
}

impl Default for WatchdogSettings {
    fn default() -> Self {
        Self { stall_secs: 1.0, first_wait_secs: 0.1, longest_wait_secs: 2.0 }
    }
}

/// Where pictures come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// A camera of the system: `/dev/video0`, one of `/dev/v4l/by-id`, or its number.
    Video(PathBuf),
    /// Another process: `socket:PATH`.
    Socket(PathBuf),
    /// A recording's folder, or one picture: any other path.
    File(PathBuf),
}

impl Device {
    /// The device that `text` names.
    #[must_use]
    pub fn named(text: &str) -> Self {
        if let Some(path) = text.strip_prefix("socket:") {
            return Self::Socket(path.into());
        }
        if text.starts_with("/dev/") {
            return Self::Video(text.into());
        }
        match text.parse::<u32>() {
            Ok(number) => Self::Video(format!("/dev/video{number}").into()),
            Err(_) => Self::File(text.into()),
        }
    }
}

/// A camera that can be used: every number is one that it may be.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraConfig {
    raw: RawCameraConfig,
    device: Device,
}

impl CameraConfig {
    /// Reads and checks a camera's file.
    ///
    /// # Errors
    /// When it can't be read, is not TOML, has a key that is unknown or missing, or says what can't be.
    pub fn load(path: &Path) -> Result<Self, CameraError> {
        let text = std::fs::read_to_string(path).map_err(|error| CameraError::Config {
            file: path.display().to_string(),
            field: "the file".into(),
            expected: "a camera's description".into(),
            found: error.to_string(),
            fix: "copy hardware/camera.toml, or name another with --config",
        })?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Checks a camera's description, of the file of this name.
    ///
    /// # Errors
    /// As [`CameraConfig::load`].
    pub fn parse(text: &str, file: &str) -> Result<Self, CameraError> {
        let raw: RawCameraConfig = toml::from_str(text).map_err(|error| CameraError::Config {
            file: file.into(),
            field: "the file".into(),
            expected: "a camera's description in TOML".into(),
            found: error.to_string().trim_end().into(),
            fix: "see hardware/camera.toml for every key and its meaning",
        })?;
        raw.check(file)
    }

    /// As it was written.
    #[must_use]
    pub fn raw(&self) -> &RawCameraConfig {
        &self.raw
    }

    /// Where pictures come from.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The camera's name in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.raw.device
    }

    /// The size of the camera's pictures.
    #[must_use]
    pub fn size(&self) -> FrameSize {
        FrameSize { width: self.raw.width, height: self.raw.height }
    }

    /// The frame that a policy acts on is never older than this.
    #[must_use]
    pub fn max_frame_age(&self) -> Duration {
        Duration::from_secs_f64(self.raw.max_frame_age_secs)
    }

    /// Time from one picture to the next.
    #[must_use]
    pub fn period(&self) -> Duration {
        Duration::from_secs_f64(1.0 / f64::from(self.raw.rate))
    }

    /// What pictures go through.
    ///
    /// # Panics
    /// Never: it was made once when the configuration was checked.
    #[must_use]
    pub fn pipeline(&self) -> Pipeline {
        Pipeline::new(self.raw.pipeline()).expect("a checked configuration has a pipeline")
    }

    /// The same camera with another source, as `--device` names it.
    #[must_use]
    pub fn with_device(mut self, device: &str) -> Self {
        device.clone_into(&mut self.raw.device);
        self.device = Device::named(device);
        self
    }
}

impl RawCameraConfig {
    /// As TOML.
    ///
    /// # Panics
    /// Never: strings and numbers can always be written.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("strings and numbers can be written")
    }

    fn pipeline(&self) -> PipelineConfig {
        PipelineConfig { crop: self.crop, output: self.output }
    }

    /// What is written, checked. `file` is for messages.
    ///
    /// # Errors
    /// When it says what can't be.
    pub fn check(self, file: &str) -> Result<CameraConfig, CameraError> {
        let refuse = |field: &str, expected: String, found: String, fix| {
            Err(CameraError::Config { file: file.into(), field: field.into(), expected, found, fix })
        };
        let of_mark = self.mark.iter().flat_map(MarkConfig::numbers);
        for (field, value, low, high) in self.numbers().into_iter().chain(of_mark) {
            if !(low..=high).contains(&value) {
                let fix = "see hardware/camera.toml";
                return refuse(field, format!("{low} to {high}"), value.to_string(), fix);
            }
        }
        if self.watchdog.first_wait_secs > self.watchdog.longest_wait_secs {
            let expected = format!("at least first_wait_secs, {}", self.watchdog.first_wait_secs);
            let found = self.watchdog.longest_wait_secs.to_string();
            return refuse("watchdog.longest_wait_secs", expected, found, "0.1 and 2.0 are the defaults");
        }
        let size = FrameSize { width: self.width, height: self.height };
        if let Err(error) = Pipeline::new(self.pipeline()).and_then(|pipeline| pipeline.check_source(size)) {
            let expected = "a part of the camera's picture, and a size of frames".into();
            return refuse("crop and output", expected, error.to_string(), "see hardware/camera.toml");
        }
        if self.format == CameraFormat::Yuyv && !self.width.is_multiple_of(2) {
            return refuse("width", "an even number with yuyv".into(), self.width.to_string(), "640 by 480 is usual");
        }
        if let Some(view @ View { vertical_fov_degrees, .. }) = self.view {
            let apart = view.distance();
            if !(0.001..100.0).contains(&apart) {
                let fix = "move one of them: a camera can't look at where it is itself";
                return refuse("view.look_at", "1 mm to 100 m away from position".into(), apart.to_string(), fix);
            }
            if !(1.0..=170.0).contains(&vertical_fov_degrees) {
                let fix = "the twin's camera has 58";
                let found = vertical_fov_degrees.to_string();
                return refuse("view.vertical_fov_degrees", "1 to 170 degrees".into(), found, fix);
            }
        }
        let device = Device::named(&self.device);
        Ok(CameraConfig { raw: self, device })
    }

    /// Every number with its range.
    fn numbers(&self) -> [(&'static str, f64, f64, f64); 7] {
        let WatchdogSettings { stall_secs, first_wait_secs, longest_wait_secs } = self.watchdog;
        [
            ("width", self.width as f64, 1.0, 16_384.0),
            ("height", self.height as f64, 1.0, 16_384.0),
            ("rate", f64::from(self.rate), 1.0, 1000.0),
            ("max_frame_age_secs", self.max_frame_age_secs, 0.001, 10.0),
            ("watchdog.stall_secs", stall_secs, 0.01, 600.0),
            ("watchdog.first_wait_secs", first_wait_secs, 0.001, 600.0),
            ("watchdog.longest_wait_secs", longest_wait_secs, 0.001, 600.0),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "device = \"0\"\nformat = \"yuyv\"\nwidth = 64\nheight = 48\nrate = 30\n\
                         max_frame_age_secs = 0.15\noutput = { width = 8, height = 8 }\n";

    #[test]
    fn the_file_in_hardware_is_one_and_survives_being_written() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../hardware/camera.toml");
        let config = CameraConfig::load(Path::new(path)).unwrap();
        assert_eq!(CameraConfig::parse(&config.raw().to_toml(), "again").unwrap(), config);
    }

    #[test]
    fn a_device_is_known_by_its_name() {
        for (text, device) in [
            ("2", Device::Video("/dev/video2".into())),
            ("/dev/v4l/by-id/usb-x", Device::Video("/dev/v4l/by-id/usb-x".into())),
            ("socket:/run/twin", Device::Socket("/run/twin".into())),
            ("recordings/2", Device::File("recordings/2".into())),
        ] {
            assert_eq!(Device::named(text), device);
        }
    }

    #[test]
    fn what_cannot_be_is_refused_by_the_key_that_is_wrong() {
        CameraConfig::parse(SMALL, "camera.toml").unwrap();
        for (from, to, named) in [
            ("width = 64", "width = 0", "width"),
            ("width = 64", "width = 63", "width"),
            ("rate = 30", "rate = 0", "rate"),
            ("0.15", "nan", "max_frame_age_secs"),
            ("width = 8", "width = 0", "crop and output"),
            ("rate = 30", "rate = 30\ncrop = { left = 60, top = 0, width = 8, height = 8 }", "crop and output"),
            ("rate = 30", "rate = 30\nshutter = 3", "shutter"),
            ("rate = 30", "rate = 30\nwatchdog = { stall_secs = 0 }", "watchdog.stall_secs"),
            ("rate = 30", "rate = 30\nwatchdog = { first_wait_secs = 3.0 }", "watchdog.longest_wait_secs"),
            ("yuyv", "h264", "mjpeg"),
            (
                "rate = 30",
                "rate = 30\nview = { position = [0, 0, 1], look_at = [0, 0, 1], vertical_fov_degrees = 58 }",
                "view.look_at",
            ),
        ] {
            let error = CameraConfig::parse(&SMALL.replacen(from, to, 1), "camera.toml").unwrap_err().to_string();
            assert!(error.starts_with("camera.toml: ") && error.contains(named), "{to}: {error}");
            assert!(error.contains("\n  fix: "), "{error}");
        }
    }
}
