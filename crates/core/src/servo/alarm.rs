//! What makes a servo raise a hardware error.

use super::{Servo, ServoState};
use serde::{Deserialize, Serialize};

/// Part of the stalled current from which a load counts as one too many, and for how long it may last, s. The vendor
/// gives no numbers; these are assumed.
const OVERLOAD_SHARE: f64 = 0.8;
const OVERLOAD_SECS: f64 = 2.0;

/// The bits of the hardware error status register (70), which the shutdown register (63) masks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HardwareError(pub u8);

impl HardwareError {
    /// The supply is outside of its limits.
    pub const VOLTAGE: Self = Self(1);
    /// The motor is hotter than its limit.
    pub const OVERHEATING: Self = Self(1 << 2);
    /// The encoder fails.
    pub const ENCODER: Self = Self(1 << 3);
    /// An electric shock, or too little power for the motor.
    pub const ELECTRIC_SHOCK: Self = Self(1 << 4);
    /// A load that lasts and is more than it can move.
    pub const OVERLOAD: Self = Self(1 << 5);

    /// All bits of either.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any bit of `other` is set.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Watches a servo for what its hardware error register tells of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    overloaded_secs: f64,
}

impl Alarm {
    /// What is wrong after `dt` more seconds, with the temperature limit (register 31, degrees C) and the voltage
    /// limits (registers 34 and 32, V, low and high). A bit says what is so now; keeping it is the register's work.
    pub fn watch(
        &mut self,
        servo: &Servo,
        state: &ServoState,
        hottest: f64,
        volts: (f64, f64),
        dt: f64,
    ) -> HardwareError {
        let overloaded = state.current.abs() >= OVERLOAD_SHARE * servo.model.stall_current;
        self.overloaded_secs = if overloaded { self.overloaded_secs + dt } else { 0.0 };
        let mut error = HardwareError::default();
        let mut raise = |wrong: bool, bit: HardwareError| error = if wrong { error.with(bit) } else { error };
        raise(!(volts.0..=volts.1).contains(&servo.supply_volts), HardwareError::VOLTAGE);
        raise(state.temperature > hottest, HardwareError::OVERHEATING);
        raise(self.overloaded_secs >= OVERLOAD_SECS, HardwareError::OVERLOAD);
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servo::ServoName;

    #[test]
    fn a_blocked_servo_is_overloaded_after_two_seconds_and_a_short_push_is_forgotten() {
        let servo = Servo::new(ServoName::Xm430W210);
        let mut state = ServoState::holding(0.0);
        let mut alarm = Alarm::default();
        let mut watch = |amperes: f64, secs: f64| {
            state.current = amperes;
            alarm.watch(&servo, &state, 80.0, (9.5, 16.0), secs)
        };
        assert_eq!(watch(-2.3, 1.9), HardwareError::default());
        assert_eq!(watch(1.0, 0.1), HardwareError::default());
        assert_eq!(watch(2.3, 1.9), HardwareError::default());
        assert_eq!(watch(2.3, 0.2), HardwareError::OVERLOAD);
    }

    #[test]
    fn heat_and_supply_are_told_apart() {
        let mut servo = Servo::new(ServoName::Xm430W210);
        let mut state = ServoState::holding(0.0);
        state.temperature = 81.0;
        let error = Alarm::default().watch(&servo, &state, 80.0, (9.5, 16.0), 0.1);
        assert_eq!(error, HardwareError::OVERHEATING);
        servo.supply_volts = 8.0;
        let error = Alarm::default().watch(&servo, &state, 80.0, (9.5, 16.0), 0.1);
        assert!(error.has(HardwareError::VOLTAGE) && error.has(HardwareError::OVERHEATING));
        assert_eq!(error.0, 0b101, "the vendor's bits 0 and 2");
    }
}
