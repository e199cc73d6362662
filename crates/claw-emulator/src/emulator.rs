//! Servos on a port, in real time.

use crate::pty::Pty;
use crate::{Bus, EmulatorConfig, EmulatorError, FaultHandle, Observer};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use turnkey_core::servo::ServoPhysics;

/// The longest wait before looking whether to stop.
const LONGEST_WAIT: Duration = Duration::from_millis(20);
/// Physics that is further behind than this is skipped: the machine was too busy, and catching up would keep it so.
const MOST_BEHIND: Duration = Duration::from_millis(250);

/// Servos that answer on a pseudo-terminal.
pub struct Emulator {
    bus: Bus,
    /// The port, unless its adapter is unplugged.
    pty: Option<Pty>,
    link: Option<PathBuf>,
    /// Where the port is, or last was.
    port: PathBuf,
}

impl Emulator {
    /// Opens the port, with powered servos on it that answer as soon as [`Emulator::run`] runs.
    ///
    /// # Errors
    /// When the configuration is none that servos could have, the physics has not one horn a servo, or the system gives
    /// no pseudo-terminal or link.
    pub fn open(config: &EmulatorConfig, physics: impl ServoPhysics + Send + 'static) -> Result<Self, EmulatorError> {
        let bus = Bus::new(config, physics)?;
        let (pty, link) = (Pty::open(config.link.as_deref())?, config.link.clone());
        Ok(Self { bus, port: pty.path().to_owned(), pty: Some(pty), link })
    }

    /// What clients open in a serial port's place: the link where there is one, else the device.
    #[must_use]
    pub fn port(&self) -> &Path {
        &self.port
    }

    /// Makes things go wrong, from any thread.
    #[must_use]
    pub fn faults(&self) -> FaultHandle {
        self.bus.faults()
    }

    /// Looks at the servos, from any thread.
    #[must_use]
    pub fn observer(&self) -> Observer {
        self.bus.observer()
    }

    /// Answers, and moves what the servos turn, in real time until `stop` is true.
    ///
    /// # Errors
    /// When the terminal fails or the physics can't go on.
    pub fn run(&mut self, stop: &AtomicBool) -> Result<(), EmulatorError> {
        let (begin, start) = (self.bus.time(), Instant::now());
        let mut buffer = [0; 4096];
        while !stop.load(Ordering::Relaxed) {
            let now = begin + start.elapsed();
            self.plug()?;
            if let Some(pty) = &mut self.pty {
                let count = pty.read(&mut buffer)?;
                if count > 0 {
                    self.bus.receive(&buffer[..count], now, pty.baud().unwrap_or(0));
                }
            }
            if now > self.bus.time() + MOST_BEHIND {
                self.bus.skip(now - MOST_BEHIND);
            }
            self.bus.advance(now)?;
            let answer = self.bus.answer(begin + start.elapsed());
            if let Some(pty) = self.pty.as_mut().filter(|_| !answer.is_empty()) {
                pty.write(&answer)?;
            }
            let wait = self.bus.next_event().saturating_sub(begin + start.elapsed());
            match &self.pty {
                _ if wait.is_zero() => {}
                Some(pty) => drop(pty.wait(wait.min(LONGEST_WAIT))?),
                None => std::thread::sleep(wait.min(LONGEST_WAIT)),
            }
        }
        Ok(())
    }

    /// Has the port be there, or not, as the adapter is plugged in.
    fn plug(&mut self) -> Result<(), EmulatorError> {
        match (&self.pty, self.bus.faults().is_unplugged()) {
            (Some(_), true) => self.pty = None,
            (None, false) => {
                let pty = Pty::open(self.link.as_deref())?;
                self.port = pty.path().to_owned();
                self.pty = Some(pty);
            }
            _ => {}
        }
        Ok(())
    }
}
