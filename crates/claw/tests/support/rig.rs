//! A claw of emulated servos, set as hardware/claw.toml says.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use turnkey_claw::ClawConfig;
use turnkey_claw_emulator::{BusTiming, Emulator, EmulatorConfig, FaultHandle, Observer, ServoView};
use turnkey_core::ServoId;
use turnkey_core::servo::{FreeHorns, ServoName};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../hardware/claw.toml");

/// Emulated servos that answer until this is dropped.
pub struct EmulatedRig {
    pub config: ClawConfig,
    pub horns: Arc<Mutex<FreeHorns>>,
    pub faults: FaultHandle,
    observer: Observer,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl EmulatedRig {
    /// Servos that hold in their EEPROM what the claw's file says, changed by `change`.
    pub fn new(change: impl FnOnce(&mut turnkey_claw::RawClawConfig)) -> Self {
        let mut raw = ClawConfig::load(FILE.as_ref()).unwrap().raw().clone();
        change(&mut raw);
        let config = raw.check("claw.toml").unwrap();
        Self::with_servos(config, |_| {})
    }

    /// The same with servos that somebody left otherwise.
    pub fn with_servos(config: ClawConfig, change: impl FnOnce(&mut EmulatorConfig)) -> Self {
        let mut emulated = EmulatorConfig::claw(ServoName::Xm430W210);
        emulated.timing = BusTiming::Instantaneous;
        for (servo, configured) in emulated.servos.iter_mut().zip(config.servos()) {
            let kept = configured.settings.iter().filter(|setting| setting.is_kept());
            servo.eeprom = kept.map(|setting| (setting.address(), setting.value() as i32)).collect();
        }
        change(&mut emulated);
        let horns = Arc::new(Mutex::new(FreeHorns::at(&vec![0.0; emulated.servos.len()])));
        let mut emulator = Emulator::open(&emulated, Arc::clone(&horns)).unwrap();
        let config = config.with_port(emulator.port().to_str().unwrap());
        let (faults, observer) = (emulator.faults(), emulator.observer());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = Some(std::thread::spawn(move || emulator.run(&stopped).unwrap()));
        Self { config, horns, faults, observer, stop, thread }
    }

    /// What a servo is like, as somebody who isn't on the bus sees it.
    pub fn servo(&self, id: u8) -> ServoView {
        self.observer.state().servo(ServoId(id)).unwrap().clone()
    }

    /// Waits until a servo is like this; the emulator's eyes are a moment behind its answers.
    pub fn wait_for(&self, id: u8, what: &str, is: impl Fn(&ServoView) -> bool) {
        let by = Instant::now() + Duration::from_secs(10);
        while !is(&self.servo(id)) {
            assert!(Instant::now() < by, "servo {id} never had {what}: {:?}", self.servo(id));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until no joint has torque.
    pub fn expect_limp(&self) {
        for joint in self.config.joints() {
            self.wait_for(joint.id.0, "torque off", |servo| !servo.awake || !servo.torque_enabled);
        }
    }
}

impl Drop for EmulatedRig {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// A deadline that a busy machine keeps.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(2)
}
