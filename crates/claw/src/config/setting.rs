//! What a servo's control table should hold, by the claw's file.

use super::{JointMap, RawClawConfig, RawJoint, RawValve, ServoConfig};
use crate::register::units_from_radians_per_sec;
use crate::{Bus, ClawError, ControlTable as Table, OperatingMode, Register};
use std::fmt;
use turnkey_core::{Radians, ServoId};

/// One item of a control table and what it should hold.
#[derive(Clone, Copy, Debug)]
pub enum Setting {
    /// An item of one byte.
    Byte(Register<u8>, u8),
    /// An item of two bytes.
    Word(Register<u16>, u16),
    /// An item of four bytes.
    Long(Register<u32>, u32),
    /// An item of two bytes with a sign.
    SignedWord(Register<i16>, i16),
    /// An item of four bytes with a sign.
    SignedLong(Register<i32>, i32),
}

impl Setting {
    /// Which item.
    #[must_use]
    pub fn item(&self) -> String {
        match self {
            Self::Byte(register, _) => register.to_string(),
            Self::Word(register, _) => register.to_string(),
            Self::Long(register, _) => register.to_string(),
            Self::SignedWord(register, _) => register.to_string(),
            Self::SignedLong(register, _) => register.to_string(),
        }
    }

    /// Where the item starts.
    #[must_use]
    pub fn address(&self) -> u16 {
        match self {
            Self::Byte(register, _) => register.address,
            Self::Word(register, _) => register.address,
            Self::Long(register, _) => register.address,
            Self::SignedWord(register, _) => register.address,
            Self::SignedLong(register, _) => register.address,
        }
    }

    /// What it should hold.
    #[must_use]
    pub fn value(&self) -> i64 {
        match *self {
            Self::Byte(_, value) => value.into(),
            Self::Word(_, value) => value.into(),
            Self::Long(_, value) => value.into(),
            Self::SignedWord(_, value) => value.into(),
            Self::SignedLong(_, value) => value.into(),
        }
    }

    /// Whether it outlives a loss of power; it can't be written while torque is on.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        match self {
            Self::Byte(register, _) => register.is_kept(),
            Self::Word(register, _) => register.is_kept(),
            Self::Long(register, _) => register.is_kept(),
            Self::SignedWord(register, _) => register.is_kept(),
            Self::SignedLong(register, _) => register.is_kept(),
        }
    }

    /// What it holds.
    ///
    /// # Errors
    /// When the servo does not answer.
    pub fn read(&self, bus: &mut Bus, id: ServoId) -> Result<i64, ClawError> {
        Ok(match *self {
            Self::Byte(register, _) => bus.read(id, register)?.into(),
            Self::Word(register, _) => bus.read(id, register)?.into(),
            Self::Long(register, _) => bus.read(id, register)?.into(),
            Self::SignedWord(register, _) => bus.read(id, register)?.into(),
            Self::SignedLong(register, _) => bus.read(id, register)?.into(),
        })
    }

    /// Makes it so.
    ///
    /// # Errors
    /// When the servo does not answer, or refuses.
    pub fn write(&self, bus: &mut Bus, id: ServoId) -> Result<(), ClawError> {
        match *self {
            Self::Byte(register, value) => bus.write(id, register, value),
            Self::Word(register, value) => bus.write(id, register, value),
            Self::Long(register, value) => bus.write(id, register, value),
            Self::SignedWord(register, value) => bus.write(id, register, value),
            Self::SignedLong(register, value) => bus.write(id, register, value),
        }
    }
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.item() == other.item() && self.value() == other.value()
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.item(), self.value())
    }
}

/// A joint's servo. What is kept without power comes first in its settings, as it is written before torque goes on.
pub(super) fn of_joint(raw: &RawClawConfig, joint: &RawJoint) -> ServoConfig {
    let model = joint.model.model();
    let map = JointMap::new(model, joint.direction);
    let mut settings = common(raw.operating_mode, joint.homing_offset);
    if raw.operating_mode == OperatingMode::Position {
        let (low, high) = map.tick_limits(Radians(joint.low), Radians(joint.high));
        // One turn is all that these registers take.
        let within = |ticks: i32| ticks.clamp(0, 4095).unsigned_abs();
        settings.push(Setting::Long(Table::MIN_POSITION_LIMIT, within(low.0)));
        settings.push(Setting::Long(Table::MAX_POSITION_LIMIT, within(high.0)));
    }
    let servo = &raw.servo;
    settings.push(Setting::Word(Table::PWM_LIMIT, servo.pwm_limit));
    settings.push(Setting::Word(Table::CURRENT_LIMIT, servo.current_limit.unwrap_or(model.current_limit)));
    settings.push(Setting::Word(Table::POSITION_D_GAIN, servo.position_d_gain));
    settings.push(Setting::Word(Table::POSITION_I_GAIN, servo.position_i_gain));
    settings.push(Setting::Word(Table::POSITION_P_GAIN, servo.position_p_gain));
    settings.push(Setting::Long(Table::PROFILE_ACCELERATION, servo.profile_acceleration));
    settings.push(Setting::Long(Table::PROFILE_VELOCITY, servo.profile_velocity));
    if raw.operating_mode == OperatingMode::CurrentBasedPosition {
        let most = crate::units_from_amperes(model, raw.guard.amperes).min(model.current_limit as i16);
        settings.push(Setting::SignedWord(Table::GOAL_CURRENT, most));
    }
    let (id, name) = (ServoId(joint.id), joint.name.clone());
    ServoConfig { id, name, model, map, homing_offset: joint.homing_offset, settings }
}

/// The valve's servo: angles with turns counted, at its own speed.
pub(super) fn of_valve(valve: &RawValve) -> ServoConfig {
    let model = valve.model.model();
    let mut settings = common(OperatingMode::ExtendedPosition, valve.homing_offset);
    settings.push(Setting::Long(Table::PROFILE_VELOCITY, units_from_radians_per_sec(valve.radians_per_sec)));
    ServoConfig {
        id: ServoId(valve.id),
        name: "valve".into(),
        model,
        map: JointMap::new(model, valve.direction),
        homing_offset: valve.homing_offset,
        settings,
    }
}

fn common(mode: OperatingMode, homing_offset: i32) -> Vec<Setting> {
    vec![
        Setting::Byte(Table::RETURN_DELAY, 0),
        Setting::Byte(Table::DRIVE_MODE, 0),
        Setting::Byte(Table::OPERATING_MODE, mode.code()),
        Setting::SignedLong(Table::HOMING_OFFSET, homing_offset),
    ]
}
