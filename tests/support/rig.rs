//! A rig of emulated servos that turn the twin, beside the program under test.
#![allow(dead_code, reason = "each test binary uses some of it")]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use turnkey::claw_emulate::Film;
use turnkey_claw::{ClawConfig, RawClawConfig};
use turnkey_claw_emulator::{Emulator, EmulatorConfig, FaultHandle, Observer, ServoView};
use turnkey_core::servo::{Horn, ServoPhysics};
use turnkey_core::{Failure, JOINTS, ServoId, Start};
use turnkey_sim::{TwinConfig, TwinHorns};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/hardware/claw.toml");

/// Emulated servos that answer until this is dropped.
pub(crate) struct EmulatedRig {
    pub(crate) config: ClawConfig,
    pub(crate) port: String,
    pub(crate) faults: FaultHandle,
    observer: Observer,
    twin: Arc<Mutex<TwinHorns>>,
    held: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl EmulatedRig {
    /// Servos as the claw's file says, which is written to `folder` with what `change` changes of it.
    pub(crate) fn new(folder: &Path, change: impl FnOnce(&mut RawClawConfig)) -> Self {
        Self::seen(folder, None, change)
    }

    /// The same, and a camera over them as this file says.
    pub(crate) fn seen(folder: &Path, camera: Option<&Path>, change: impl FnOnce(&mut RawClawConfig)) -> Self {
        let mut raw = ClawConfig::load(FILE.as_ref()).unwrap().raw().clone();
        // A machine that is busy with other tests must not trip what is not under test.
        (raw.timing.watchdog_secs, raw.timing.max_reading_age_secs) = (1.0, 0.8);
        raw.guard.secs = 2.0;
        if let Some(valve) = &mut raw.valve {
            valve.radians_per_sec = 4.0;
        }
        change(&mut raw);
        fs::write(folder.join("claw.toml"), raw.to_toml()).unwrap();
        let config = raw.check("claw.toml").unwrap();
        let emulated = turnkey::claw_emulate::emulated(&config);
        // A name that stays when the adapter is plugged in again.
        let emulated = EmulatorConfig { link: Some(folder.join("port")), ..emulated };
        let start = Start { joints: [0.0; JOINTS], valve: 0.0, seed: 0 };
        let twin = TwinHorns::new(TwinConfig::default(), &start).unwrap();
        let twin = if config.valve().is_none() { twin.without_valve_servo() } else { twin };
        let twin = Arc::new(Mutex::new(twin));
        let held = Arc::<AtomicBool>::default();
        let film = camera.map(|file| Film::open(file, Arc::clone(&twin), 0).unwrap());
        let mut emulator =
            Emulator::open(&emulated, Held { twin: Arc::clone(&twin), valve: Arc::clone(&held) }).unwrap();
        let port = emulator.port().to_str().unwrap().to_owned();
        let (faults, observer) = (emulator.faults(), emulator.observer());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let run = move || {
            // As `turnkey claw emulate` does: servos don't wait for what else a computer does.
            let _ = turnkey::priority::real_time();
            emulator.run(&stopped).unwrap();
        };
        let stopped = Arc::clone(&stop);
        let filming = film.map(|film| std::thread::spawn(move || film.run(&stopped).unwrap()));
        let threads = filming.into_iter().chain([std::thread::spawn(run)]).collect();
        Self { config, port, faults, observer, twin, held, stop, threads }
    }

    /// What a servo is like, as somebody who isn't on the bus sees it.
    pub(crate) fn servo(&self, id: u8) -> ServoView {
        self.observer.state().servo(ServoId(id)).unwrap().clone()
    }

    /// Where the valve is, rad, turns counted.
    pub(crate) fn valve(&self) -> f64 {
        self.twin.lock().unwrap().valve().position
    }

    /// Holds the valve against its servo, or lets it go.
    pub(crate) fn hold_valve(&self, holds: bool) {
        self.held.store(holds, Ordering::Relaxed);
    }

    /// The joints' servos.
    pub(crate) fn joints(&self) -> Vec<ServoView> {
        self.config.joints().iter().map(|joint| self.servo(joint.id.0)).collect()
    }

    /// Whether no servo has torque.
    pub(crate) fn is_limp(&self) -> bool {
        self.observer.state().servos.iter().all(|servo| !servo.awake || !servo.torque_enabled)
    }

    /// Waits until no servo has torque; gives how long that took.
    pub(crate) fn expect_limp(&self) -> Duration {
        let start = Instant::now();
        while !self.is_limp() {
            assert!(start.elapsed() < Duration::from_secs(10), "torque stays on: {:?}", self.observer.state());
            std::thread::sleep(Duration::from_millis(2));
        }
        start.elapsed()
    }
}

/// A twin whose valve somebody may hold: so fast that its servo doesn't turn it, whatever it gives.
struct Held {
    twin: Arc<Mutex<TwinHorns>>,
    valve: Arc<AtomicBool>,
}

impl ServoPhysics for Held {
    fn horns(&self) -> usize {
        self.twin.horns()
    }

    fn step_secs(&self) -> f64 {
        self.twin.step_secs()
    }

    fn horn(&self, index: usize) -> Horn {
        self.twin.horn(index)
    }

    fn advance(&mut self, torques: &[f64]) -> Result<(), Failure> {
        let mut torques = torques.to_vec();
        if self.valve.load(Ordering::Relaxed)
            && let Some(valve) = torques.get_mut(JOINTS)
        {
            *valve = 0.0;
        }
        self.twin.advance(&torques)
    }
}

impl Drop for EmulatedRig {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}
