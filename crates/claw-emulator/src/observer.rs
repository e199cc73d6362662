//! What somebody who isn't on the bus can see: a test, or the command that prints it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use turnkey_core::ServoId;
use turnkey_core::servo::{HardwareError, OperatingMode};

/// One servo as it is now. Positions are its registers', in ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct ServoView {
    /// The id it answers to.
    pub id: ServoId,
    /// The baud rate it speaks at.
    pub baud: u32,
    /// Whether it is powered and has booted.
    pub awake: bool,
    /// Whether its motor is on.
    pub torque_enabled: bool,
    /// What it controls.
    pub mode: OperatingMode,
    /// Where it is told to go.
    pub goal_position: i32,
    /// Where it is.
    pub present_position: i32,
    /// The lowest and the highest goal position that was ever written to it and taken.
    pub goals_taken: Option<(i32, i32)>,
    /// Goals (of position, velocity, current or PWM) that it refused: outside of its range or limits, or after its
    /// watchdog tripped.
    pub goals_refused: u32,
    /// Its hardware error register.
    pub hardware_error: HardwareError,
    /// Whether its bus watchdog has tripped and wasn't cleared.
    pub watchdog_tripped: bool,
    /// How often its bus watchdog has tripped.
    pub watchdog_trips: u32,
    /// How often it has booted, the first time included.
    pub boots: u32,
    /// Torque on its horn, N m.
    pub torque: f64,
    /// What its temperature register says, degrees C.
    pub temperature: f64,
}

/// The bus as it is now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmulatorState {
    /// Every servo, in the configuration's order.
    pub servos: Vec<ServoView>,
    /// Packets that came whole.
    pub packets: u64,
    /// Packets whose checksum was wrong.
    pub damaged_packets: u64,
    /// Time that has passed for the servos.
    pub time: Duration,
    /// Time for which the physics stood still, since the machine was too busy to run it.
    pub skipped: Duration,
}

impl EmulatorState {
    /// The first servo with this id.
    #[must_use]
    pub fn servo(&self, id: ServoId) -> Option<&ServoView> {
        self.servos.iter().find(|servo| servo.id == id)
    }
}

/// Looks at an emulator from any thread while it runs.
#[derive(Clone, Debug, Default)]
pub struct Observer(Arc<Mutex<EmulatorState>>);

impl Observer {
    /// The bus as it was after the emulator's last turn.
    #[must_use]
    pub fn state(&self) -> EmulatorState {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes the state anew.
    pub(crate) fn update(&self, write: impl FnOnce(&mut EmulatorState)) {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
