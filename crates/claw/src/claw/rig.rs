//! The bus with what is known of the claw, and whether its torque is on.

use super::reading::{ClawReading, Excess};
use crate::map::{ServoReading, item};
use crate::register::WATCHDOG_TRIPPED;
use crate::{Bus, ClawConfig, ClawError, ControlTable as Table, HardwareAlerts, Reply};
use std::time::{Duration, Instant};
use turnkey_core::{JOINTS, JointGoal, JointVector, Radians, ServoId, Stamp};

/// A claw without torque.
#[derive(Debug)]
pub enum Disabled {}

/// A claw that was given torque.
#[derive(Debug)]
pub enum Enabled {}

/// Rebooting a servo more often than this, without `SOUND_READINGS` between, is no recovery.
const MOST_RECOVERIES: u32 = 3;
/// Readings without a fault after which earlier recoveries are forgotten: a minute at 10 Hz.
const SOUND_READINGS: u32 = 600;
/// The registers that tell whether a servo still does what it was told: torque enable to bus watchdog.
const HEALTH: (u16, u16) =
    (Table::TORQUE_ENABLE.address, Table::BUS_WATCHDOG.address - Table::TORQUE_ENABLE.address + 1);
/// A bus on which all joints answer for those within this has the time in every reading.
const QUICK: Duration = Duration::from_millis(8);
/// How long a reading may take that nobody gave a deadline.
const PATIENCE: Duration = Duration::from_millis(200);

#[derive(Debug)]
enum Torque {
    Off,
    On,
    /// Off after an error, which says this.
    Lost(String),
}

#[derive(Debug)]
pub(super) struct Rig {
    pub(super) bus: Bus,
    pub(super) config: ClawConfig,
    pub(super) epoch: Instant,
    /// Whether the valve's servo has torque too.
    pub(super) valve_torque: bool,
    ids: Vec<ServoId>,
    torque: Torque,
    last: Option<(Instant, JointVector)>,
    excess: Excess,
    next_health: usize,
    recoveries: u32,
    sound_readings: u32,
}

impl Rig {
    pub(super) fn new(bus: Bus, config: ClawConfig) -> Self {
        Self {
            bus,
            ids: config.servos().map(|servo| servo.id).collect(),
            config,
            epoch: Instant::now(),
            valve_torque: false,
            torque: Torque::Off,
            last: None,
            excess: Excess::default(),
            next_health: 0,
            recoveries: 0,
            sound_readings: 0,
        }
    }

    pub(super) fn fault(&self) -> Option<&str> {
        match &self.torque {
            Torque::Lost(reason) => Some(reason),
            Torque::On | Torque::Off => None,
        }
    }

    pub(super) fn enable(&mut self) -> Result<(), ClawError> {
        // From the first servo on, whatever goes wrong has to switch torque off again.
        self.torque = Torque::On;
        let result = self.give_torque().and_then(|()| self.try_read(Instant::now() + PATIENCE).map(|_| ()));
        result.map_err(|error| self.fail(error))
    }

    fn give_torque(&mut self) -> Result<(), ClawError> {
        self.excess = Excess::default();
        for at in 0..self.ids.len() {
            let id = self.ids[at];
            let servo = if at < JOINTS {
                &self.config.joints[at]
            } else {
                self.config.valve.as_ref().expect("ids end with the valve's")
            };
            self.bus.write(id, Table::BUS_WATCHDOG, 0)?;
            // Lit from here on, until it restarts: so it tells who lost power.
            self.bus.write(id, Table::LED, 1)?;
            servo.write_forgotten(&mut self.bus)?;
            if at < JOINTS {
                // It holds where it is: its goal may be one of long ago.
                let here = self.bus.read(id, Table::PRESENT_POSITION)?;
                match self.bus.write(id, Table::GOAL_POSITION, here) {
                    // Beyond its limits, where it may be without torque; with torque on, the servo starts from there.
                    Err(ClawError::Refused { .. }) => {}
                    result => result?,
                }
                self.bus.write(id, Table::TORQUE_ENABLE, 1)?;
            }
        }
        self.valve_torque = false;
        for id in self.ids.clone() {
            self.bus.write(id, Table::BUS_WATCHDOG, self.config.watchdog_units)?;
        }
        Ok(())
    }

    /// Reads everything; where torque is on, anything wrong switches it off.
    pub(super) fn read(&mut self, deadline: Instant) -> Result<ClawReading, ClawError> {
        match &self.torque {
            Torque::Lost(reason) => Err(ClawError::Released { reason: reason.clone() }),
            Torque::Off => self.try_read(deadline),
            Torque::On => self.try_read(deadline).map_err(|error| self.fail(error)),
        }
    }

    fn try_read(&mut self, deadline: Instant) -> Result<ClawReading, ClawError> {
        let start = Instant::now();
        let silent = self.bus.spoke().elapsed();
        let (ids, address, length) = (self.ids.clone(), ServoReading::ADDRESS, ServoReading::LENGTH);
        let replies = self.bus.sync_read(&ids, address, length, deadline)?;
        if !replies.missing.is_empty() {
            return Err(self.bus.missing("sync read", ids, replies.missing, start.elapsed()));
        }
        let answers: Vec<Reply> = replies.answers.into_iter().flatten().collect();
        if let Some(alerted) = answers.iter().find(|answer| answer.alert()) {
            let alerts = self.bus.hardware_alerts(alerted.id)?;
            return Err(self.alert(alerted.id, alerts));
        }
        let servos: Vec<ServoReading> =
            answers.iter().filter_map(|answer| ServoReading::from_bytes(&answer.parameters)).collect();
        let stamp = Stamp(replies.at.saturating_duration_since(self.epoch));
        let reading = ClawReading::new(stamp, &self.config, &servos);
        if matches!(self.torque, Torque::On) {
            self.excess.check(&self.config, &reading)?;
            self.look_after(silent, deadline)?;
        }
        self.last = Some((replies.at, reading.positions));
        self.sound_readings = self.sound_readings.saturating_add(1);
        if self.sound_readings >= SOUND_READINGS {
            self.recoveries = 0;
        }
        Ok(reading)
    }

    /// Looks whether the joints' servos still have torque and an armed watchdog: all of them, or one a reading, in turn, where
    /// the bus is too slow for that and was never silent for longer than the watchdogs wait. Writes to several servos are not
    /// answered: this finds out.
    fn look_after(&mut self, silent: Duration, deadline: Instant) -> Result<(), ClawError> {
        let wire = self.bus.reply_time(JOINTS, HEALTH.1);
        let (ids, by) = if silent >= self.config.watchdog() {
            (self.ids[..JOINTS].to_vec(), deadline)
        } else if wire <= QUICK {
            (self.ids[..JOINTS].to_vec(), deadline.min(Instant::now() + 2 * (wire + QUICK)))
        } else {
            let next = self.next_health;
            self.next_health = (next + 1) % JOINTS;
            (vec![self.ids[next]], deadline)
        };
        let replies = self.bus.sync_read(&ids, HEALTH.0, HEALTH.1, by)?;
        for (id, reply) in ids.into_iter().zip(&replies.answers) {
            // It answered a moment ago: one lost answer is no fault, it is looked at again.
            let Some(reply) = reply else { continue };
            let torque = item(&reply.parameters, HEALTH.0, Table::TORQUE_ENABLE);
            let watchdog = item(&reply.parameters, HEALTH.0, Table::BUS_WATCHDOG);
            let joint = self.name(id);
            let lapsed = |expected, found: String, fix| Err(ClawError::Lapsed { id, joint, expected, found, fix });
            if watchdog == Some(WATCHDOG_TRIPPED) {
                let found = format!("a tripped one: the bus was silent for {} ms", silent.as_millis());
                return lapsed(
                    "an armed watchdog",
                    found,
                    "the control loop stood still: see what else runs on this machine",
                );
            }
            if torque != Some(1) || watchdog != Some(self.config.watchdog_units) {
                let fix = "it restarted by itself: check its plug and the supply under load";
                return lapsed("torque and watchdog to be on", format!("{torque:?} and {watchdog:?}"), fix);
            }
        }
        Ok(())
    }

    pub(super) fn write(&mut self, goal: &JointGoal) -> Result<JointGoal, ClawError> {
        if let Torque::Lost(reason) = &self.torque {
            return Err(ClawError::Released { reason: reason.clone() });
        }
        self.try_write(goal).map_err(|error| self.fail(error))
    }

    fn try_write(&mut self, goal: &JointGoal) -> Result<JointGoal, ClawError> {
        let limit = self.config.max_reading_age();
        let (age, positions) =
            self.last.map_or((Duration::MAX, None), |(at, positions)| (at.elapsed(), Some(positions)));
        let Some(positions) = positions.filter(|_| age <= limit) else {
            return Err(ClawError::Stale { age, limit });
        };
        // Whoever made the goal may have had other limits, or an older reading.
        let goal = self.config.limits.clip(goal.radians(), &positions);
        let ticks: Vec<(ServoId, i32)> = self
            .config
            .joints
            .iter()
            .zip(goal.radians())
            .map(|(joint, angle)| (joint.id, joint.map.ticks_from_radians(Radians(*angle)).0))
            .collect();
        self.bus.sync_write(Table::GOAL_POSITION, &ticks)?;
        Ok(goal)
    }

    /// Switches torque off after an error, which is given back; or the worse one that torque can't be switched off.
    pub(super) fn fail(&mut self, error: ClawError) -> ClawError {
        // Nothing comes before this, not even a word of it: whoever writes to a terminal may wait for it.
        let released = self.release();
        self.sound_readings = 0;
        self.torque = Torque::Lost(error.to_string());
        match released {
            Err(ClawError::NotReleased { servos, .. }) => ClawError::NotReleased { servos, after: error.to_string() },
            _ => error,
        }
    }

    /// Switches torque off.
    pub(super) fn release(&mut self) -> Result<(), ClawError> {
        let result = crate::release(&mut self.bus, &self.ids);
        self.valve_torque = false;
        self.last = None;
        self.torque = Torque::Off;
        result
    }

    /// Reboots servos that shut down by overload.
    pub(super) fn reboot_overloaded(&mut self) -> Result<(), ClawError> {
        if self.recoveries >= MOST_RECOVERIES {
            return Err(ClawError::Exhausted { times: self.recoveries });
        }
        self.recoveries += 1;
        self.sound_readings = 0;
        for id in self.ids.clone() {
            let alerts = self.bus.hardware_alerts(id)?;
            if alerts.is_none() {
                continue;
            }
            let error = self.alert(id, alerts);
            if !alerts.is_safe_to_reboot() {
                return Err(error);
            }
            tracing::warn!("rebooting: servo {} ({}): {alerts}", id.0, self.name(id));
            self.bus.reboot(id)?;
        }
        Ok(())
    }

    /// Whether every servo has restarted since it was given torque; forgets it then.
    pub(super) fn was_without_power(&mut self) -> Result<bool, ClawError> {
        for id in self.ids.clone() {
            if self.bus.read(id, Table::LED)? != 0 {
                return Ok(false);
            }
        }
        for id in self.ids.clone() {
            self.bus.write(id, Table::LED, 1)?;
        }
        Ok(true)
    }

    fn alert(&self, id: ServoId, alerts: HardwareAlerts) -> ClawError {
        ClawError::Alert { id, joint: self.name(id), alerts }
    }

    fn name(&self, id: ServoId) -> String {
        self.config.servos().find(|servo| servo.id == id).map_or_else(String::new, |servo| servo.name.clone())
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if matches!(self.torque, Torque::On)
            && let Err(error) = self.release()
        {
            tracing::error!("{error}");
        }
    }
}
