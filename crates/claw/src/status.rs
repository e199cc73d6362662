//! What every servo does at the moment, for a person to see. Nothing is written.

use crate::map::item;
use crate::register::WATCHDOG_TRIPPED;
use crate::{Bus, ClawConfig, ClawError, ControlTable as Table, HardwareAlerts, ServoReading};
use serde::Serialize;
use std::time::{Duration, Instant};
use turnkey_core::{ServoId, Ticks};

/// The registers that are read: torque enable to temperature.
const FIRST: u16 = Table::TORQUE_ENABLE.address;
const LENGTH: u16 = ServoReading::ADDRESS + ServoReading::LENGTH - FIRST;
/// What is waited beyond twice the wire's own time.
const PATIENCE: Duration = Duration::from_millis(150);

/// One servo at the moment, in its joint's units.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServoStatus {
    /// Which servo.
    pub id: ServoId,
    /// What it moves.
    pub name: String,
    /// Where the joint is, rad.
    pub position: f64,
    /// Where it is told to go, rad.
    pub goal: f64,
    /// How fast it turns, rad/s.
    pub velocity: f64,
    /// The current that turns it, A.
    pub current: f64,
    /// Its supply, V.
    pub volts: f64,
    /// Its temperature, degrees C.
    pub celsius: u8,
    /// Whether it gives torque.
    pub torque: bool,
    /// Whether its bus watchdog has tripped.
    pub watchdog_tripped: bool,
    /// What is wrong with it.
    pub alerts: HardwareAlerts,
}

/// Reads every servo of `config`; none for those that are silent.
///
/// # Errors
/// When the port fails.
pub fn status(bus: &mut Bus, config: &ClawConfig) -> Result<Vec<Option<ServoStatus>>, ClawError> {
    let ids: Vec<ServoId> = config.servos().map(|servo| servo.id).collect();
    let bits = 10 * ids.len() * (usize::from(LENGTH) + 11);
    let wire = Duration::from_secs_f64(bits as f64 / f64::from(bus.baud_rate().max(1)));
    // Half of it is for all at once, half for asking those again who were silent.
    let replies = bus.sync_read(&ids, FIRST, LENGTH, Instant::now() + 2 * (2 * wire + PATIENCE))?;
    let statuses = config.servos().zip(replies.answers).map(|(servo, reply)| {
        let bytes = reply?.parameters;
        let reading = ServoReading::from_bytes(bytes.get(usize::from(ServoReading::ADDRESS - FIRST)..)?)?;
        let radians = |ticks| servo.map.radians_from_ticks(ticks).0;
        Some(ServoStatus {
            id: servo.id,
            name: servo.name.clone(),
            position: radians(reading.position),
            goal: radians(Ticks(item(&bytes, FIRST, Table::GOAL_POSITION)?)),
            velocity: servo.map.velocity_from_units(reading.velocity),
            current: servo.map.amperes_from_units(reading.current),
            volts: reading.volts,
            celsius: reading.celsius,
            torque: item(&bytes, FIRST, Table::TORQUE_ENABLE)? != 0,
            watchdog_tripped: item(&bytes, FIRST, Table::BUS_WATCHDOG)? == WATCHDOG_TRIPPED,
            alerts: HardwareAlerts(item(&bytes, FIRST, Table::HARDWARE_ERROR)?),
        })
    });
    Ok(statuses.collect())
}
