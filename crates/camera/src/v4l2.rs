//! Cameras of the system: nokhwa finds, sets and locks them; the buffers are read through nokhwa's own V4L2 layer, `v4l`.
//!
//! nokhwa's `frame()` waits for ever where a camera falls silent, doesn't say how many bytes of a buffer were filled or which
//! number it has, and so can be neither watched nor trusted; one layer below, all of that is known.

mod controls;
mod list;

use crate::clock::instant_from_monotonic;
use crate::{CameraConfig, CameraError, CameraFormat, RawBuffer, RawCameraConfig, Source};
use controls::lock;
pub use list::{Found, FoundFormat, FoundSize, list};
use nokhwa_bindings_linux::V4LCaptureDevice;
use nokhwa_core::types::{
    CameraFormat as NokhwaFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution,
};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use turnkey_core::FrameSize;
use v4l::buffer::{Metadata, Type};
use v4l::io::traits::{CaptureStream as _, Stream as _};
use v4l::prelude::MmapStream;
use v4l::video::Capture as _;
use v4l::video::capture::Parameters;
use v4l::{Device, FourCC};

/// A camera of the system.
pub(crate) struct V4l2 {
    camera: String,
    path: PathBuf,
    config: RawCameraConfig,
    open: Option<Open>,
}

/// An open camera that streams.
struct Open {
    stream: MmapStream<'static>,
    size: FrameSize,
    /// Bytes from one row to the next, and those that are pixels; none of a compressed picture.
    rows: Option<(usize, usize)>,
}

impl V4l2 {
    /// The camera at `path`, to be set as configured.
    #[must_use]
    pub(crate) fn new(config: &CameraConfig, path: &Path) -> Self {
        Self { camera: config.name().into(), path: path.into(), config: config.raw().clone(), open: None }
    }

    fn fail(&self, expected: &str, found: impl ToString) -> CameraError {
        let found = found.to_string();
        let fix = if found.contains("denied") {
            "`sudo usermod -aG video $USER`, then log in again"
        } else if found.contains("busy") {
            "another program uses the camera: end it first (`fuser` says which)"
        } else if found.contains("No such") {
            "plug it in, or name it: `turnkey camera list`"
        } else {
            "`turnkey camera list` says what it can; `turnkey camera doctor` says more"
        };
        CameraError::Open { camera: self.camera.clone(), expected: expected.into(), found, fix }
    }

    /// Has nokhwa set format and controls, and lets go of the device again: only one handle may set what another streams.
    fn set(&self, index: usize) -> Result<(), CameraError> {
        let RawCameraConfig { format, width, height, rate, .. } = self.config;
        // nokhwa refuses a device that happens to be at a rate which is no whole number.
        let device = Device::new(index).map_err(|error| self.fail("to open the camera", error))?;
        drop(device.set_params(&Parameters::with_fps(rate)));
        drop(device);
        let wanted = NokhwaFormat::new(Resolution::new(width as u32, height as u32), nokhwa(format), rate);
        let formats = [nokhwa(format)];
        let requested = RequestedFormat::with_formats(RequestedFormatType::Exact(wanted), &formats);
        let mut device = V4LCaptureDevice::new(&CameraIndex::Index(index as u32), requested)
            .map_err(|error| self.fail(&format!("{format} of {width}x{height} at {rate} a second"), error))?;
        lock(&self.camera, &mut device, &self.config.controls)
    }

    /// Opens a handle of our own on the camera that was set, and sees that it is.
    fn start(&self, index: usize) -> Result<Open, CameraError> {
        let RawCameraConfig { format, width, height, rate, .. } = self.config;
        let io = |expected: &'static str| move |error: io::Error| self.fail(expected, error);
        let device = Device::new(index).map_err(io("to open the camera"))?;
        let found = device.format().map_err(io("its format"))?;
        let interval = device.params().map_err(io("its rate"))?.interval;
        let as_set = found.fourcc == fourcc(format) && (found.width, found.height) == (width as u32, height as u32);
        // In 64 bits: both numbers are the driver's.
        let at_rate = interval.numerator > 0
            && u64::from(interval.denominator) == u64::from(rate) * u64::from(interval.numerator);
        if !as_set || !at_rate {
            let came = format!(
                "{} of {}x{} at {}/{} a second",
                found.fourcc, found.width, found.height, interval.denominator, interval.numerator
            );
            return Err(self.fail(&format!("{format} of {width}x{height} at {rate} a second"), came));
        }
        let rows = match format {
            CameraFormat::Mjpeg => None,
            CameraFormat::Yuyv => Some((found.stride as usize, 2 * width)),
            CameraFormat::Rgb24 => Some((found.stride as usize, 3 * width)),
        };
        let mut stream =
            MmapStream::with_buffers(&device, Type::VideoCapture, 4).map_err(io("buffers for pictures"))?;
        // `next` gives back the buffer it gave last, at first number 0, and takes the next one: all but that one are given here,
        // so that it can be seen whether a picture is there before `next` would wait for it.
        let mut given = 0;
        while stream.queue(given + 1).is_ok() {
            given += 1;
        }
        if given == 0 {
            return Err(self.fail("two buffers for pictures or more", "one"));
        }
        stream.start().map_err(io("to start"))?;
        Ok(Open { stream, size: FrameSize { width, height }, rows })
    }
}

impl Source for V4l2 {
    fn open(&mut self) -> Result<(), CameraError> {
        self.close();
        let index = index_of(&self.path).map_err(|found| self.fail("a camera there", found))?;
        self.set(index)?;
        self.open = Some(self.start(index)?);
        Ok(())
    }

    fn next(&mut self, patience: Duration) -> Result<Option<RawBuffer>, CameraError> {
        let lost = |found: &str| CameraError::Lost { camera: self.camera.clone(), found: found.into() };
        let Some(Open { stream, size, rows }) = &mut self.open else { return Err(lost("it is closed")) };
        match stream.handle().poll(libc::POLLIN, patience.as_millis().try_into().unwrap_or(i32::MAX)) {
            Ok(0) => return Ok(None),
            Ok(_) => (),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(None),
            Err(error) => return Err(lost(&error.to_string())),
        }
        let arrived = Instant::now();
        let (bytes, metadata) = stream.next().map_err(|error| lost(&error.to_string()))?;
        let used = &bytes[..bytes.len().min(metadata.bytesused as usize)];
        Ok(Some(RawBuffer {
            format: self.config.format.raw(),
            size: *size,
            bytes: unpadded(used, *rows),
            captured: captured(metadata, arrived),
            sequence: u64::from(metadata.sequence),
        }))
    }

    fn close(&mut self) {
        // `v4l` panics where a device that is in trouble refuses to stop, which must not end a run that can open it again.
        let open = self.open.take();
        drop(catch_unwind(AssertUnwindSafe(|| drop(open))));
    }
}

impl Drop for V4l2 {
    fn drop(&mut self) {
        self.close();
    }
}

/// When a buffer's picture was taken. Stamps of another clock, or of a time to come, are none: then it was when it came.
fn captured(metadata: &Metadata, arrived: Instant) -> Instant {
    let stamp = Duration::from(metadata.timestamp);
    Some(stamp).filter(|stamp| !stamp.is_zero()).and_then(instant_from_monotonic).unwrap_or(arrived).min(arrived)
}

/// The bytes of rows without what fills them up.
fn unpadded(bytes: &[u8], rows: Option<(usize, usize)>) -> Vec<u8> {
    match rows {
        Some((stride, pixels)) if stride > pixels => {
            bytes.chunks(stride).flat_map(|row| &row[..row.len().min(pixels)]).copied().collect()
        }
        _ => bytes.to_vec(),
    }
}

/// The number of the device that a path leads to.
fn index_of(path: &Path) -> Result<usize, String> {
    let real = std::fs::canonicalize(path).map_err(|error| error.to_string())?;
    let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let number = name.strip_prefix("video").and_then(|number| number.parse().ok());
    number.ok_or_else(|| format!("{}, which is no camera", real.display()))
}

fn nokhwa(format: CameraFormat) -> FrameFormat {
    match format {
        CameraFormat::Mjpeg => FrameFormat::MJPEG,
        CameraFormat::Yuyv => FrameFormat::YUYV,
        CameraFormat::Rgb24 => FrameFormat::RAWRGB,
    }
}

fn fourcc(format: CameraFormat) -> FourCC {
    FourCC::new(match format {
        CameraFormat::Mjpeg => b"MJPG",
        CameraFormat::Yuyv => b"YUYV",
        CameraFormat::Rgb24 => b"RGB3",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_behind_rows_is_left_out() {
        assert_eq!(unpadded(&[1, 2, 0, 3, 4, 0], Some((3, 2))), [1, 2, 3, 4]);
        assert_eq!(unpadded(&[1, 2, 0, 3], Some((3, 2))), [1, 2, 3], "cut short, and refused later");
        assert_eq!(unpadded(&[1, 2, 3, 4], Some((2, 2))), [1, 2, 3, 4]);
    }

    #[test]
    fn stamps_that_cannot_be_are_replaced_by_the_arrival() {
        let arrived = Instant::now();
        let stamped = |secs| {
            let timestamp = v4l::Timestamp::new(secs, 0);
            captured(&Metadata { timestamp, ..Metadata::default() }, arrived)
        };
        assert_eq!(stamped(0), arrived, "none");
        assert_eq!(stamped(i64::MAX / 2), arrived, "to come");
        assert!(stamped(1) < arrived, "long ago");
    }

    #[test]
    fn a_camera_that_is_not_there_says_so_with_a_fix() {
        let text = "device = \"/dev/video250\"\nformat = \"yuyv\"\nwidth = 64\nheight = 48\nrate = 30\n\
                    max_frame_age_secs = 0.15\noutput = { width = 8, height = 8 }\n";
        let config = CameraConfig::parse(text, "camera.toml").unwrap();
        let error = V4l2::new(&config, Path::new("/dev/video250")).open().unwrap_err().to_string();
        assert!(error.contains("/dev/video250: expected a camera there, got: No such file"), "{error}");
        assert!(error.contains("turnkey camera list"), "{error}");
    }
}
