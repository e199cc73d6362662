//! Between what a servo counts and what a joint does.

use crate::register::{amperes_from_units, radians_per_sec_from_units};
use crate::{Register, RegisterValue, VOLTS_PER_UNIT};
use serde::{Deserialize, Serialize};
use turnkey_core::servo::{RADIANS_PER_TICK, ServoModel};
use turnkey_core::{Radians, Ticks};

/// Where a servo stands when its joint is at 0 rad: the middle of its turn. What the horn is off by is in the servo's
/// homing offset.
pub const CENTRE: Ticks = Ticks(2048);

/// Which way a servo turns its joint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More ticks are a greater angle.
    #[default]
    Normal,
    /// More ticks are a smaller angle.
    Reversed,
}

impl Direction {
    fn sign(self) -> f64 {
        match self {
            Self::Normal => 1.0,
            Self::Reversed => -1.0,
        }
    }
}

/// Turns one servo's numbers into its joint's and back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JointMap {
    model: &'static ServoModel,
    direction: Direction,
}

impl JointMap {
    /// The map of a servo of `model` that turns its joint this way.
    #[must_use]
    pub fn new(model: &'static ServoModel, direction: Direction) -> Self {
        Self { model, direction }
    }

    /// Which way the servo turns the joint.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Where the joint is when the servo stands at `ticks`.
    #[must_use]
    pub fn radians_from_ticks(&self, ticks: Ticks) -> Radians {
        Radians(self.direction.sign() * (f64::from(ticks.0) - f64::from(CENTRE.0)) * RADIANS_PER_TICK)
    }

    /// The nearest place of the servo to where the joint is to be. An angle that is not a number is the centre.
    #[must_use]
    pub fn ticks_from_radians(&self, radians: Radians) -> Ticks {
        let ticks = self.direction.sign() * radians.0 / RADIANS_PER_TICK;
        Ticks((ticks.round() as i32).saturating_add(CENTRE.0))
    }

    /// The lowest and highest tick of a joint that stays within `low` and `high` (rad): no further than either.
    #[must_use]
    pub fn tick_limits(&self, low: Radians, high: Radians) -> (Ticks, Ticks) {
        let [a, b] = [low, high].map(|angle| self.direction.sign() * angle.0 / RADIANS_PER_TICK);
        let (least, most) = (a.min(b).floor() as i32, a.max(b).ceil() as i32);
        (Ticks(least.saturating_add(CENTRE.0)), Ticks(most.saturating_add(CENTRE.0)))
    }

    /// How fast the joint turns, rad/s.
    #[must_use]
    pub fn velocity_from_units(&self, units: i32) -> f64 {
        self.direction.sign() * radians_per_sec_from_units(units)
    }

    /// The current that turns the joint, A.
    #[must_use]
    pub fn amperes_from_units(&self, units: i16) -> f64 {
        self.direction.sign() * amperes_from_units(self.model, units)
    }

    /// The torque on the joint, N m, estimated from its current (A).
    #[must_use]
    pub fn torque_from_amperes(&self, amperes: f64) -> f64 {
        amperes * self.model.torque_constant()
    }
}

/// What one servo measures, in its registers' own units: registers 126 to 146, read at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServoReading {
    /// Current, in the model's current unit.
    pub current: i16,
    /// Velocity, 0.229 rev/min.
    pub velocity: i32,
    /// Where it stands.
    pub position: Ticks,
    /// Its supply, V.
    pub volts: f64,
    /// Its temperature, degrees C.
    pub celsius: u8,
}

impl ServoReading {
    /// The first register of those read.
    pub const ADDRESS: u16 = crate::ControlTable::PRESENT_CURRENT.address;
    /// How many bytes are read.
    pub const LENGTH: u16 = crate::ControlTable::PRESENT_TEMPERATURE.address - Self::ADDRESS + 1;

    /// The reading in [`ServoReading::LENGTH`] bytes, or none where there are fewer.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        use crate::ControlTable as Table;
        Some(Self {
            current: item(bytes, Self::ADDRESS, Table::PRESENT_CURRENT)?,
            velocity: item(bytes, Self::ADDRESS, Table::PRESENT_VELOCITY)?,
            position: Ticks(item(bytes, Self::ADDRESS, Table::PRESENT_POSITION)?),
            volts: f64::from(item(bytes, Self::ADDRESS, Table::PRESENT_VOLTAGE)?) * VOLTS_PER_UNIT,
            celsius: item(bytes, Self::ADDRESS, Table::PRESENT_TEMPERATURE)?,
        })
    }
}

/// An item of a control table, of which `bytes` were read from address `first`.
pub(crate) fn item<T: RegisterValue>(bytes: &[u8], first: u16, register: Register<T>) -> Option<T> {
    let at = usize::from(register.address.checked_sub(first)?);
    T::from_bytes(bytes.get(at..at + T::LENGTH)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::servo::ServoName;

    fn map(direction: Direction) -> JointMap {
        JointMap::new(ServoName::Xm430W210.model(), direction)
    }

    #[test]
    fn every_tick_comes_back_through_radians() {
        for map in [map(Direction::Normal), map(Direction::Reversed)] {
            for ticks in (-5000..10_000).step_by(7).map(Ticks) {
                assert_eq!(map.ticks_from_radians(map.radians_from_ticks(ticks)), ticks);
            }
            assert_eq!(map.radians_from_ticks(CENTRE).0, 0.0);
        }
    }

    #[test]
    fn a_quarter_turn_is_1024_ticks_either_way() {
        let quarter = Radians(std::f64::consts::FRAC_PI_2);
        assert_eq!(map(Direction::Normal).ticks_from_radians(quarter), Ticks(3072));
        assert_eq!(map(Direction::Reversed).ticks_from_radians(quarter), Ticks(1024));
    }

    #[test]
    fn limits_are_ordered_ticks_that_hold_every_angle_within() {
        for (direction, expected) in [(Direction::Normal, (1735, 2700)), (Direction::Reversed, (1396, 2361))] {
            // -0.48 rad is 312.9 ticks, 1 rad 651.9.
            let (low, high) = map(direction).tick_limits(Radians(-0.48), Radians(1.0));
            assert_eq!((low.0, high.0), expected, "{direction:?}");
        }
    }

    #[test]
    fn angles_that_are_none_and_far_off_ones_do_not_wrap() {
        let map = map(Direction::Normal);
        assert_eq!(map.ticks_from_radians(Radians(f64::NAN)), CENTRE);
        assert_eq!(map.ticks_from_radians(Radians(f64::INFINITY)), Ticks(i32::MAX));
    }

    #[test]
    fn a_reading_is_cut_from_the_registers_it_is_in() {
        let mut bytes = [0; ServoReading::LENGTH as usize];
        bytes[..10].copy_from_slice(&[0xFF, 0xFF, 0xF6, 0xFF, 0xFF, 0xFF, 0xFD, 0x07, 0x00, 0x00]);
        bytes[18..].copy_from_slice(&[119, 0, 41]);
        let reading = ServoReading::from_bytes(&bytes).unwrap();
        assert_eq!((reading.current, reading.velocity, reading.position), (-1, -10, Ticks(2045)));
        assert!((reading.volts - 11.9).abs() < 1e-9 && reading.celsius == 41);
        assert_eq!(ServoReading::from_bytes(&bytes[..20]), None);
        assert!(map(Direction::Reversed).velocity_from_units(-10) > 0.0);
    }
}
