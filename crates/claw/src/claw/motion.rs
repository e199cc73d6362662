//! Motion that takes its time: joints to a pose, the valve to an angle.

use super::{Claw, Enabled};
use crate::{ClawError, ControlTable as Table};
use std::time::{Duration, Instant};
use turnkey_core::{JointVector, Radians, ValveReading, wrap_angle};

/// Time between goals on the way.
const PERIOD: Duration = Duration::from_millis(20);
/// How long a reading may take on the way, on a computer that does other things too.
const PATIENCE: Duration = Duration::from_millis(200);
/// How near is there, rad.
const NEAR: f64 = 0.06;
/// The most that a servo counts either way before its turns must be counted anew, ticks.
const MOST_TICKS: i32 = 1_000_000;

impl Claw<Enabled> {
    /// Takes the joints home, at the speed and in the time configured, unless `stop` says so on the way.
    ///
    /// # Errors
    /// When they don't arrive, `stop` says so, or as [`Claw::read`] and [`Claw::write`]. Torque is then off.
    pub fn home(&mut self, stop: &dyn Fn() -> bool) -> Result<(), ClawError> {
        let (home, within) = (self.rig.config.home(), self.rig.config.home_time());
        self.take_to(&home, "home", within, stop)
    }

    /// Takes the joints to `pose` (rad) at the speed of going home.
    ///
    /// # Errors
    /// When they are not there `within` this time, or as [`Claw::home`]. Torque is then off.
    pub fn take_to(
        &mut self,
        pose: &JointVector,
        what: &'static str,
        within: Duration,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), ClawError> {
        self.take_to_at(pose, what, self.rig.config.raw().guard.home_radians_per_sec, within, stop)
    }

    /// Takes the joints to `pose` (rad) at a speed (rad/s).
    ///
    /// # Errors
    /// As [`Claw::take_to`].
    pub fn take_to_at(
        &mut self,
        pose: &JointVector,
        what: &'static str,
        radians_per_sec: f64,
        within: Duration,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), ClawError> {
        let start = Instant::now();
        let step = radians_per_sec * PERIOD.as_secs_f64();
        let mut command: Option<JointVector> = None;
        loop {
            let reading = self.read(Instant::now() + PATIENCE)?;
            // Towards the pose from where the last goal was: a joint that lags is pulled on, not waited for.
            let from = command.unwrap_or(reading.positions);
            let next: JointVector = std::array::from_fn(|i| from[i] + (pose[i] - from[i]).clamp(-step, step));
            let goal = self.limits().clip(&next, &reading.positions);
            command = Some(*self.write(&goal)?.radians());
            let off = |i: &usize| (pose[*i] - reading.positions[*i]).abs();
            let furthest = (0..pose.len()).max_by(|a, b| off(a).total_cmp(&off(b))).unwrap_or(0);
            if off(&furthest) < NEAR {
                return Ok(());
            }
            if stop() {
                return Err(self.rig.fail(ClawError::Stopped));
            }
            if start.elapsed() > within {
                let joint = self.rig.config.joints()[furthest].name.clone();
                return Err(self.rig.fail(ClawError::NotReached { what, joint, left: off(&furthest), within }));
            }
            std::thread::sleep(PERIOD);
        }
    }

    /// Turns the valve by its own servo to `angle` (rad), the nearest such angle whatever the turns so far, while the
    /// joints hold. The fingers must be out of its way. The valve is free again once it is there.
    ///
    /// # Errors
    /// When the valve has no servo, is not there `within` this time, `stop` says so, or as [`Claw::read`]. Torque is
    /// then off.
    pub fn turn_valve(
        &mut self,
        angle: f64,
        within: Duration,
        stop: &dyn Fn() -> bool,
    ) -> Result<ValveReading, ClawError> {
        let result = self.try_turn_valve(angle, within, stop);
        match result {
            Ok(reading) => self.release_valve().map(|()| reading),
            Err(error) if self.fault().is_some() => Err(error),
            Err(error) => Err(self.rig.fail(error)),
        }
    }

    fn try_turn_valve(
        &mut self,
        angle: f64,
        within: Duration,
        stop: &dyn Fn() -> bool,
    ) -> Result<ValveReading, ClawError> {
        let start = Instant::now();
        let Some(valve) = self.rig.config.valve().cloned() else { return Err(ClawError::NoValve) };
        let here = self.valve_reading()?.angle;
        let target = here + wrap_angle(angle - here);
        let goal = valve.map.ticks_from_radians(Radians(target));
        // It was limp, so nobody looked whether it has restarted meanwhile, and forgotten its speed and its watchdog.
        let bus = &mut self.rig.bus;
        bus.write(valve.id, Table::BUS_WATCHDOG, 0)?;
        valve.write_forgotten(bus)?;
        bus.write(valve.id, Table::BUS_WATCHDOG, self.rig.config.watchdog_units)?;
        bus.write(valve.id, Table::GOAL_POSITION, goal.0)?;
        self.rig.valve_torque = true;
        self.rig.bus.write(valve.id, Table::TORQUE_ENABLE, 1)?;
        // Torque sets the goal to where the servo is.
        self.rig.bus.write(valve.id, Table::GOAL_POSITION, goal.0)?;
        loop {
            let reading = self.valve_reading()?;
            let left = (target - reading.angle).abs();
            if left < NEAR {
                return Ok(reading);
            }
            if stop() {
                return Err(ClawError::Stopped);
            }
            if start.elapsed() > within {
                return Err(ClawError::NotReached { what: "the valve's angle", joint: valve.name, left, within });
            }
            std::thread::sleep(PERIOD);
        }
    }

    /// Frees the valve. Where its servo has counted so many turns that it nears the end of its range, it is restarted, which
    /// takes the turns off.
    ///
    /// # Errors
    /// When the servo does not confirm; torque is then off for all.
    pub fn release_valve(&mut self) -> Result<(), ClawError> {
        let Some(valve) = self.rig.config.valve().cloned() else { return Ok(()) };
        let mut free = || -> Result<(), ClawError> {
            self.rig.bus.write(valve.id, Table::TORQUE_ENABLE, 0)?;
            let ticks = self.rig.bus.read(valve.id, Table::PRESENT_POSITION)?;
            if ticks.saturating_abs() > MOST_TICKS {
                self.rig.bus.reboot(valve.id)?;
            }
            Ok(())
        };
        let result = free();
        self.rig.valve_torque = false;
        result.map_err(|error| self.rig.fail(error))
    }

    fn valve_reading(&mut self) -> Result<ValveReading, ClawError> {
        self.read(Instant::now() + PATIENCE)?.valve.ok_or(ClawError::NoValve)
    }
}
