//! Emulated servos in this process, and the binary that drives them.
#![allow(dead_code, reason = "each test binary uses some of it")]

use crate::support::{Said, run, turnkey, words};
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use turnkey::claw_emulate::emulated;
use turnkey_claw::{Baud, Bus, ClawConfig, Register, RegisterValue};
use turnkey_claw_emulator::{BusTiming, EmulatedServo, Emulator, EmulatorConfig, FaultHandle, Observer, ServoView};
use turnkey_core::ServoId;
use turnkey_core::servo::{FreeHorns, ServoName};

/// The shipped claw's file.
pub(crate) const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/hardware/claw.toml");

/// Servos that answer until this is dropped.
pub(crate) struct Servos {
    pub(crate) port: String,
    pub(crate) faults: FaultHandle,
    folder: tempfile::TempDir,
    horns: Arc<Mutex<FreeHorns>>,
    observer: Observer,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Servos {
    /// The shipped file's claw, with nothing to mend.
    pub(crate) fn of_claw() -> Self {
        Self::of_claw_but(|_| {})
    }

    /// The shipped file's claw, as `change` left it.
    pub(crate) fn of_claw_but(change: impl FnOnce(&mut EmulatorConfig)) -> Self {
        let mut config = emulated(&ClawConfig::load(FILE.as_ref()).unwrap());
        change(&mut config);
        Self::new(config)
    }

    /// Servos from the factory, by id, model and baud rate.
    pub(crate) fn from_factory(servos: &[(u8, ServoName, u32)]) -> Self {
        let servo = |(id, model, baud): &(u8, ServoName, u32)| EmulatedServo::new(ServoId(*id), *model, *baud);
        let mut config = EmulatorConfig::claw(ServoName::Xm430W210);
        config.servos = servos.iter().map(servo).collect();
        Self::new(config)
    }

    pub(crate) fn new(mut config: EmulatorConfig) -> Self {
        config.timing = BusTiming::Instantaneous;
        let horns = Arc::new(Mutex::new(FreeHorns::at(&vec![0.0; config.servos.len()])));
        let mut emulator = Emulator::open(&config, Arc::clone(&horns)).unwrap();
        let port = emulator.port().to_str().unwrap().to_owned();
        let (faults, observer) = (emulator.faults(), emulator.observer());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = Some(std::thread::spawn(move || emulator.run(&stopped).unwrap()));
        Self { port, faults, folder: tempfile::tempdir().unwrap(), horns, observer, stop, thread }
    }

    /// A folder for what commands write.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Puts every horn where a hand would, rad.
    pub(crate) fn put(&self, horns: &[f64]) {
        *self.horns.lock().unwrap() = FreeHorns::at(horns);
    }

    /// `turnkey claw LINE` on this port to its end, with the shipped file.
    pub(crate) fn say(&self, line: &str) -> Said {
        run(self.folder(), &format!("claw {line} --port {} --config {FILE}", self.port))
    }

    /// The same, expected to end well.
    pub(crate) fn say_well(&self, line: &str) -> Said {
        let said = self.say(line);
        assert_eq!(said.code, Some(0), "claw {line}\n{}{}", said.out, said.err);
        said
    }

    /// The same, expected to end with an error that says all of this.
    pub(crate) fn say_badly(&self, line: &str, reasons: &[&str]) -> Said {
        let said = self.say(line);
        assert_eq!(said.code, Some(1), "claw {line}\n{}{}", said.out, said.err);
        for reason in reasons {
            assert!(said.err.contains(reason), "claw {line}: expected {reason:?} in\n{}", said.err);
        }
        said
    }

    /// `turnkey claw LINE` with pipes, while it runs.
    pub(crate) fn start(&self, line: &str) -> Child {
        let line = format!("claw {line} --port {}", self.port);
        let mut command = turnkey(self.folder(), words(&line));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
    }

    /// The bus as another program would open it. A program that another test starts has this one's port, and its lock, until
    /// it is itself: so it may take another try.
    pub(crate) fn bus(&self, baud: u32) -> Bus {
        let by = Instant::now() + Duration::from_secs(5);
        loop {
            match Bus::open(&self.port, Baud::with_rate(baud).unwrap()) {
                Ok(bus) => return bus,
                Err(error) => assert!(Instant::now() < by, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Everything that every servo keeps without power.
    pub(crate) fn eeprom(&self) -> Vec<Vec<u8>> {
        let all = self.observer.state().servos;
        let read = |servo: &ServoView| self.bus(servo.baud).read_bytes(servo.id, 0, 64).unwrap();
        all.iter().map(read).collect()
    }

    /// Writes one item of servos at 1 Mbaud.
    pub(crate) fn write<T: RegisterValue>(&self, ids: &[u8], register: Register<T>, value: T) {
        let mut bus = self.bus(1_000_000);
        ids.iter().for_each(|id| bus.write(ServoId(*id), register, value).unwrap());
    }

    /// What a servo is like, as somebody who isn't on the bus sees it.
    pub(crate) fn servo(&self, id: u8) -> ServoView {
        self.observer.state().servo(ServoId(id)).unwrap().clone()
    }

    /// Waits until a servo is like this.
    pub(crate) fn wait_for(&self, id: u8, what: &str, is: impl Fn(&ServoView) -> bool) {
        let by = Instant::now() + Duration::from_secs(20);
        while !is(&self.servo(id)) {
            assert!(Instant::now() < by, "servo {id} never had {what}: {:?}", self.servo(id));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until no servo has torque.
    pub(crate) fn expect_limp(&self) {
        for servo in self.observer.state().servos {
            self.wait_for(servo.id.0, "torque off", |servo| !servo.awake || !servo.torque_enabled);
        }
    }
}

impl Drop for Servos {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// What was printed, as JSON.
pub(crate) fn document(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}\n{}{}", said.out, said.err))
}
