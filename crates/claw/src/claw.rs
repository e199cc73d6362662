//! The claw, and what keeps it safe. A [`Claw<Disabled>`] has no torque; [`Claw::enable`] makes a [`Claw<Enabled>`] of it, which
//! reads, takes goals, and is limp again the moment anything is wrong.

mod motion;
mod reading;
mod rig;

use crate::check::{Report, check};
use crate::{Bus, ClawConfig, ClawError};
pub use reading::ClawReading;
pub use rig::Disabled;
pub use rig::Enabled;
use rig::Rig;
use std::marker::PhantomData;
use std::time::Instant;
use turnkey_core::{JointGoal, JointLimits};

/// The nine joints, and the valve where it has a servo. Dropping it releases torque; where the process dies before that,
/// the servos' own watchdogs stop them.
#[derive(Debug)]
pub struct Claw<S> {
    rig: Box<Rig>,
    state: PhantomData<S>,
}

impl<S> Claw<S> {
    fn of(rig: Box<Rig>) -> Self {
        Self { rig, state: PhantomData }
    }

    /// What is known of it.
    #[must_use]
    pub fn config(&self) -> &ClawConfig {
        &self.rig.config
    }

    /// Where joints may go.
    #[must_use]
    pub fn limits(&self) -> &JointLimits {
        self.rig.config.limits()
    }

    /// Counts stamps from `epoch`, so that another clock's agree: the camera's.
    pub fn set_epoch(&mut self, epoch: Instant) {
        self.rig.epoch = epoch;
    }

    /// Reads every joint and the valve, by `deadline` at the latest.
    ///
    /// # Errors
    /// When a servo does not answer in time, has a hardware alert, is beyond a guard's limit, or lost its torque or
    /// watchdog without having been told. An enabled claw has no torque by then.
    pub fn read(&mut self, deadline: Instant) -> Result<ClawReading, ClawError> {
        self.rig.read(deadline)
    }

    /// The bus, for what has no method here.
    pub fn bus(&mut self) -> &mut Bus {
        &mut self.rig.bus
    }
}

impl Claw<Disabled> {
    /// Opens the port, switches torque off, finds every servo and compares it with `config`.
    ///
    /// # Errors
    /// When the port can't be used, a servo does not answer, or is not as configured or not fit to move. Torque is off by
    /// then wherever a servo answers.
    pub fn open(config: &ClawConfig) -> Result<Self, ClawError> {
        let bus = Bus::open(config.port(), config.baud())?;
        let mut rig = Box::new(Rig::new(bus, config.clone()));
        // A program that was killed may have left it on.
        let released = rig.release();
        check(&mut rig.bus, config).and_then(Report::into_fit)?;
        released?;
        Ok(Self::of(rig))
    }

    /// Opens the port and switches torque off, whatever else is wrong with the servos: for those that could not be
    /// released before. What follows is [`Claw::restore`], which checks them.
    ///
    /// # Errors
    /// When the port can't be used, or a servo does not confirm.
    pub fn open_limp(config: &ClawConfig) -> Result<Self, ClawError> {
        let bus = Bus::open(config.port(), config.baud())?;
        let mut rig = Box::new(Rig::new(bus, config.clone()));
        rig.release()?;
        Ok(Self::of(rig))
    }

    /// Makes the joints hold where they are, under the watchdog.
    ///
    /// # Errors
    /// When a servo does not answer or refuses, or a joint can't be read; torque is then off.
    pub fn enable(mut self) -> Result<Claw<Enabled>, ClawError> {
        self.rig.enable()?;
        Ok(Claw::of(self.rig))
    }

    /// Whether all servos have restarted since they last had torque, as they do when their power is cut: who did that may be
    /// within reach of the fingers. Says so once.
    ///
    /// # Errors
    /// When a servo does not answer.
    pub fn was_without_power(&mut self) -> Result<bool, ClawError> {
        self.rig.was_without_power()
    }

    /// Puts right what can be put right without a person, after an error of an enabled claw: servos that shut down by
    /// overload are rebooted, all are checked and enabled, and the joints hold where they are.
    ///
    /// # Errors
    /// When an alert needs a person, servos are no longer as configured, or this is the fourth time in a row. Torque is then
    /// off.
    pub fn restore(mut self) -> Result<Claw<Enabled>, ClawError> {
        self.rig.reboot_overloaded()?;
        check(&mut self.rig.bus, &self.rig.config).and_then(Report::into_fit)?;
        self.enable()
    }
}

impl Claw<Enabled> {
    /// Gives the joints a goal; returns what the servos were told, which is `goal` within limits and within one step of
    /// where the joints were read last.
    ///
    /// # Errors
    /// When the last reading is too old, the port fails, or torque went off earlier. Torque is then off.
    pub fn write(&mut self, goal: &JointGoal) -> Result<JointGoal, ClawError> {
        self.rig.write(goal)
    }

    /// Why torque is off, where an error switched it off.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.rig.fault()
    }

    /// Switches torque off.
    ///
    /// # Errors
    /// When a servo does not confirm it.
    pub fn release(mut self) -> Result<Claw<Disabled>, ClawError> {
        self.rig.release()?;
        Ok(Claw::of(self.rig))
    }
}
