//! Servos on a port, in real time.

use crate::pty::Pty;
use crate::{Bus, EmulatorConfig, EmulatorError, FaultHandle, Observer};
use std::path::Path;
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
    pty: Pty,
}

impl Emulator {
    /// Opens the port, with powered servos on it that answer as soon as [`Emulator::run`] runs.
    ///
    /// # Errors
    /// When the configuration is none that servos could have, the physics has not one horn a servo, or the system gives
    /// no pseudo-terminal or link.
    pub fn open(config: &EmulatorConfig, physics: impl ServoPhysics + Send + 'static) -> Result<Self, EmulatorError> {
        let bus = Bus::new(config, physics)?;
        Ok(Self { bus, pty: Pty::open(config.link.as_deref())? })
    }

    /// What clients open in a serial port's place: the link where there is one, else the device.
    #[must_use]
    pub fn port(&self) -> &Path {
        self.pty.path()
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
            let count = self.pty.read(&mut buffer)?;
            if count > 0 {
                let baud = self.pty.baud();
                self.bus.receive(&buffer[..count], now, baud.unwrap_or(0));
            }
            if now > self.bus.time() + MOST_BEHIND {
                self.bus.skip(now - MOST_BEHIND);
            }
            self.bus.advance(now)?;
            let answer = self.bus.answer(begin + start.elapsed());
            if !answer.is_empty() {
                self.pty.write(&answer)?;
            }
            let wait = self.bus.next_event().saturating_sub(begin + start.elapsed());
            if !wait.is_zero() {
                self.pty.wait(wait.min(LONGEST_WAIT))?;
            }
        }
        Ok(())
    }
}
