//! The physical claw: nine Dynamixel servos, and perhaps one at the valve, on a serial bus.
//!
//! A [`Bus`] has transactions with deadlines; whatever bytes come, an answer or an error comes out. Registers are typed
//! ([`ControlTable`]). A [`ClawConfig`] says which servo moves what and how far; [`check`] compares it with the servos; a
//! [`Claw`] reads, takes goals within limits, and is limp the moment anything is wrong.
//!
//! Nothing here starts a thread. It knows no rewards, learning, twin or viewer.

mod alert;
mod bus;
mod check;
mod claw;
mod config;
mod error;
mod finding;
mod latency;
mod map;
mod register;
mod release;
mod reply;
mod status;

pub use alert::{HardwareAlerts, Refusal};
pub use bus::{Bus, Found, Ping, SyncReplies, Traffic};
pub use check::{Report, ServoReport, check, mend};
pub use claw::{Claw, ClawReading, Disabled, Enabled};
pub use config::{ClawConfig, Guard, RawClawConfig, RawJoint, RawTiming, RawValve, ServoConfig, Setting};
pub use error::ClawError;
pub use finding::{Finding, Severity};
pub use latency::UsbLatency;
pub use map::{CENTRE, Direction, JointMap, ServoReading};
pub use register::{
    Baud, ControlTable, FIRST_UNLOCKED, OperatingMode, RETURN_DELAY_UNIT_US, Register, RegisterValue, VOLTS_PER_UNIT,
    WATCHDOG_TRIPPED, WATCHDOG_UNIT_MS, amperes_from_units, radians_per_sec_from_units, units_from_amperes,
    units_from_radians_per_sec, units_from_radians_per_sec2,
};
pub use release::release;
pub use reply::{Noise, Reply, ReplyParser};
pub use status::{ServoStatus, status};
