//! A camera over the emulated servos' twin, in a thread of its own: as a real one, it sees what is there when its time comes.

use anyhow::{Context as _, Result, bail};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use turnkey_camera::{CameraConfig, CameraFormat, Device, RawBuffer, StreamServer};
use turnkey_core::servo::ServoPhysics as _;
use turnkey_core::{Plant as _, Start};
use turnkey_sim::{Twin, TwinConfig, TwinHorns};

/// Takes pictures of a twin and sends them over a socket.
pub struct Film {
    config: CameraConfig,
    server: StreamServer,
    twin: Twin,
    horns: Arc<Mutex<TwinHorns>>,
    seed: u64,
}

impl Film {
    /// The camera of this file, which must be one that comes over a socket, and there is none yet.
    ///
    /// # Errors
    /// When the file isn't one of such a camera, or something is in the socket's place.
    pub fn open(file: &Path, horns: Arc<Mutex<TwinHorns>>, seed: u64) -> Result<Self> {
        let config = CameraConfig::load(file)?;
        let Device::Socket(socket) = config.device() else {
            bail!(
                "{}: device: expected \"socket:PATH\", where emulated pictures can be sent, got \"{}\".\n  fix: take \
                 hardware/emulated_camera.toml",
                file.display(),
                config.name()
            );
        };
        let format = config.raw().format;
        if format != CameraFormat::Rgb24 {
            bail!("{}: format: expected \"rgb24\", as emulated pictures are, got \"{format}\"", file.display());
        }
        let view = config.raw().view.unwrap_or_default();
        let camera = turnkey_sim::CameraConfig {
            size: config.size(),
            position: view.position,
            look_at: view.look_at,
            vertical_fov_degrees: view.vertical_fov_degrees,
            ..turnkey_sim::CameraConfig::default()
        };
        let twin = Twin::new(TwinConfig { camera: Some(camera), ..TwinConfig::default() })
            .with_context(|| format!("{}: the twin has no such camera", file.display()))?;
        let server = StreamServer::bind(socket)?;
        Ok(Self { config, server, twin, horns, seed })
    }

    /// Sends a picture each time one is due, until `stop`.
    ///
    /// # Errors
    /// When the twin can't be where the servos are.
    pub fn run(mut self, stop: &AtomicBool) -> Result<()> {
        let period = self.config.period();
        let (mut due, mut sequence) = (Instant::now(), 0);
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let captured = Instant::now();
            let start = self.now();
            let frame = self.twin.reset(&start)?.frame.context("a twin with a camera gives frames")?;
            sequence += 1;
            self.server.send(&RawBuffer {
                format: CameraFormat::Rgb24.raw(),
                size: frame.size(),
                bytes: frame.pixels().to_vec(),
                captured,
                sequence,
            });
            // One that is late is left out, as by a camera.
            while due <= Instant::now() {
                due += period;
            }
        }
        Ok(())
    }

    /// Where claw and valve are now: looked up quickly, so that servos never wait for a picture to be drawn.
    fn now(&self) -> Start {
        let horns = self.horns.lock().unwrap_or_else(PoisonError::into_inner);
        let joints = std::array::from_fn(|joint| horns.horn(joint).position);
        Start { joints, valve: horns.valve().position, seed: self.seed }
    }
}
