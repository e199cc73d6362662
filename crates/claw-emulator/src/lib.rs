//! Emulated Dynamixel X servos on a pseudo-terminal that answer Protocol 2.0 as a claw's would.
//!
//! [`Emulator::open`] makes the port, [`Emulator::run`] answers on it until told to stop. What the servos turn is a
//! [`turnkey_core::servo::ServoPhysics`]; what a servo does with a goal is [`turnkey_core::servo::Servo`], as on the twin.
//! A [`FaultHandle`] makes things go wrong, an [`Observer`] tells what a client can't see. [`Bus`] is the same without a
//! terminal and without a clock: bytes and times in, bytes out. `docs/emulator.md` says what is modelled and what isn't.

mod bus;
mod config;
mod device;
mod emulator;
mod error;
mod faults;
mod instructions;
mod memory;
mod observer;
mod packet;
mod pty;
mod table;
mod wire;

pub use bus::Bus;
pub use config::{BusTiming, CLAW_IDS, EmulatedServo, EmulatorConfig};
pub use emulator::Emulator;
pub use error::EmulatorError;
pub use faults::{Fault, FaultHandle};
pub use observer::{EmulatorState, Observer, ServoView};
