//! The control table as typed items, by the vendor's manual of the X series
//! (<https://emanual.robotis.com/docs/en/dxl/x/xm430-w210/#control-table>), and what their units mean.

use std::fmt;
use std::marker::PhantomData;
use turnkey_core::servo::{
    self, RADIANS_PER_SEC_PER_VELOCITY_UNIT, RADIANS_PER_SEC2_PER_ACCELERATION_UNIT, ServoModel,
};

/// First address that can be written while torque is on: what lies below is kept without power, and is locked.
pub const FIRST_UNLOCKED: u16 = 64;
/// One unit of voltage registers, V.
pub const VOLTS_PER_UNIT: f64 = 0.1;
/// One unit of the return delay (register 9), microseconds.
pub const RETURN_DELAY_UNIT_US: u32 = 2;
/// One unit of the bus watchdog (register 98), ms.
pub const WATCHDOG_UNIT_MS: u32 = 20;
/// What the bus watchdog reads once it has tripped.
pub const WATCHDOG_TRIPPED: i8 = -1;

/// A number as registers hold it: little endian, of 1, 2 or 4 bytes, signed or not as the vendor's table says.
pub trait RegisterValue: Copy + PartialEq + fmt::Display + fmt::Debug {
    /// Bytes it takes.
    const LENGTH: usize;

    /// The number in exactly [`RegisterValue::LENGTH`] bytes, or none where there are more or fewer.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;

    /// Its bytes.
    fn to_bytes(self) -> Vec<u8>;

    /// The number, for messages.
    fn to_i64(self) -> i64;
}

macro_rules! register_value {
    ($($number:ty),*) => {$(
        impl RegisterValue for $number {
            const LENGTH: usize = size_of::<$number>();

            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self::from_le_bytes)
            }

            fn to_bytes(self) -> Vec<u8> {
                self.to_le_bytes().to_vec()
            }

            fn to_i64(self) -> i64 {
                self.into()
            }
        }
    )*};
}

register_value!(u8, i8, u16, i16, u32, i32);

/// One item of the control table, which holds a `T`.
#[derive(Debug)]
pub struct Register<T> {
    /// The vendor's name for it, in lower case.
    pub name: &'static str,
    /// Where it starts.
    pub address: u16,
    holds: PhantomData<T>,
}

impl<T> Clone for Register<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Register<T> {}

impl<T: RegisterValue> Register<T> {
    const fn new(name: &'static str, address: u16) -> Self {
        Self { name, address, holds: PhantomData }
    }

    /// Bytes it takes.
    #[must_use]
    pub const fn length(&self) -> usize {
        T::LENGTH
    }

    /// Whether it outlives a loss of power, and is locked while torque is on.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        self.address < FIRST_UNLOCKED
    }
}

impl<T> fmt::Display for Register<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (register {})", self.name, self.address)
    }
}

/// The items of the control table that the claw uses.
#[derive(Clone, Copy, Debug)]
pub struct ControlTable;

impl ControlTable {
    /// Which kind of servo it is.
    pub const MODEL_NUMBER: Register<u16> = Register::new("model number", 0);
    /// Version of its firmware.
    pub const FIRMWARE: Register<u8> = Register::new("firmware version", 6);
    /// Its id, 0 to 252.
    pub const ID: Register<u8> = Register::new("id", 7);
    /// Its speed on the bus, as [`Baud`] codes it.
    pub const BAUD_RATE: Register<u8> = Register::new("baud rate", 8);
    /// How long it waits before it answers, 2 us.
    pub const RETURN_DELAY: Register<u8> = Register::new("return delay time", 9);
    /// Bit 0 turns the direction round; bit 2 makes profiles count time.
    pub const DRIVE_MODE: Register<u8> = Register::new("drive mode", 10);
    /// What goals mean, as [`OperatingMode`] codes it.
    pub const OPERATING_MODE: Register<u8> = Register::new("operating mode", 11);
    /// Added to what the encoder says, ticks.
    pub const HOMING_OFFSET: Register<i32> = Register::new("homing offset", 20);
    /// It shuts down above this, degrees C.
    pub const TEMPERATURE_LIMIT: Register<u8> = Register::new("temperature limit", 31);
    /// It raises an alert above this supply, 0.1 V.
    pub const MAX_VOLTAGE_LIMIT: Register<u16> = Register::new("max voltage limit", 32);
    /// It raises an alert below this supply, 0.1 V.
    pub const MIN_VOLTAGE_LIMIT: Register<u16> = Register::new("min voltage limit", 34);
    /// The most of the supply it puts on the motor; 885 is all.
    pub const PWM_LIMIT: Register<u16> = Register::new("pwm limit", 36);
    /// The most current it takes, in the model's current unit.
    pub const CURRENT_LIMIT: Register<u16> = Register::new("current limit", 38);
    /// The fastest it is told to turn, 0.229 rev/min.
    pub const VELOCITY_LIMIT: Register<u32> = Register::new("velocity limit", 44);
    /// It refuses goals above this in position mode, ticks.
    pub const MAX_POSITION_LIMIT: Register<u32> = Register::new("max position limit", 48);
    /// It refuses goals below this in position mode, ticks.
    pub const MIN_POSITION_LIMIT: Register<u32> = Register::new("min position limit", 52);
    /// Which hardware errors switch its torque off, by the bits of [`ControlTable::HARDWARE_ERROR`].
    pub const SHUTDOWN: Register<u8> = Register::new("shutdown", 63);
    /// 1 where it gives torque.
    pub const TORQUE_ENABLE: Register<u8> = Register::new("torque enable", 64);
    /// 1 where its light is on.
    pub const LED: Register<u8> = Register::new("led", 65);
    /// 2 where it answers every instruction, 1 reads and pings alone, 0 pings alone.
    pub const STATUS_RETURN_LEVEL: Register<u8> = Register::new("status return level", 68);
    /// What is wrong with it, as [`crate::HardwareAlerts`] reads it.
    pub const HARDWARE_ERROR: Register<u8> = Register::new("hardware error status", 70);
    /// D gain of its position loop.
    pub const POSITION_D_GAIN: Register<u16> = Register::new("position d gain", 80);
    /// I gain of its position loop.
    pub const POSITION_I_GAIN: Register<u16> = Register::new("position i gain", 82);
    /// P gain of its position loop.
    pub const POSITION_P_GAIN: Register<u16> = Register::new("position p gain", 84);
    /// It stops once nothing was said on the bus for this long, 20 ms; 0 is off, -1 tripped.
    pub const BUS_WATCHDOG: Register<i8> = Register::new("bus watchdog", 98);
    /// Current it may take in current-based position mode, in the model's current unit.
    pub const GOAL_CURRENT: Register<i16> = Register::new("goal current", 102);
    /// Acceleration of its profile, 214.577 rev/min^2; 0 is without bound.
    pub const PROFILE_ACCELERATION: Register<u32> = Register::new("profile acceleration", 108);
    /// Velocity of its profile, 0.229 rev/min; 0 is without bound.
    pub const PROFILE_VELOCITY: Register<u32> = Register::new("profile velocity", 112);
    /// Where it is to go, ticks.
    pub const GOAL_POSITION: Register<i32> = Register::new("goal position", 116);
    /// Its clock, ms.
    pub const REALTIME_TICK: Register<u16> = Register::new("realtime tick", 120);
    /// Current it takes, in the model's current unit; the sign is the torque's.
    pub const PRESENT_CURRENT: Register<i16> = Register::new("present current", 126);
    /// How fast it turns, 0.229 rev/min.
    pub const PRESENT_VELOCITY: Register<i32> = Register::new("present velocity", 128);
    /// Where it is, ticks.
    pub const PRESENT_POSITION: Register<i32> = Register::new("present position", 132);
    /// Its supply, 0.1 V.
    pub const PRESENT_VOLTAGE: Register<u16> = Register::new("present input voltage", 144);
    /// Its temperature, degrees C.
    pub const PRESENT_TEMPERATURE: Register<u8> = Register::new("present temperature", 146);
}

/// What a goal means to a servo (register 11), of the modes that a claw is driven in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatingMode {
    /// An angle within one turn; the servo itself refuses goals beyond its position limits.
    Position,
    /// An angle with turns counted.
    ExtendedPosition,
    /// An angle, with no more than the goal current on the way; position limits are not the servo's any more.
    CurrentBasedPosition,
}

impl OperatingMode {
    /// What the register says.
    #[must_use]
    pub fn code(self) -> u8 {
        let mode = match self {
            Self::Position => servo::OperatingMode::Position,
            Self::ExtendedPosition => servo::OperatingMode::ExtendedPosition,
            Self::CurrentBasedPosition => servo::OperatingMode::CurrentBasedPosition,
        };
        mode.register()
    }
}

/// A speed that servos know (register 8), bits a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baud {
    code: u8,
    rate: u32,
}

impl Baud {
    /// All of them, the likeliest first: what claws run at, then the factory's.
    pub const ALL: [Self; 8] = [
        Self { code: 3, rate: 1_000_000 },
        Self { code: 1, rate: 57_600 },
        Self { code: 5, rate: 3_000_000 },
        Self { code: 4, rate: 2_000_000 },
        Self { code: 6, rate: 4_000_000 },
        Self { code: 2, rate: 115_200 },
        Self { code: 7, rate: 4_500_000 },
        Self { code: 0, rate: 9_600 },
    ];

    /// The speed of `rate` bits a second, where servos know it.
    #[must_use]
    pub fn with_rate(rate: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|baud| baud.rate == rate)
    }

    /// Bits a second.
    #[must_use]
    pub fn rate(self) -> u32 {
        self.rate
    }

    /// What the register says.
    #[must_use]
    pub fn code(self) -> u8 {
        self.code
    }
}

/// A current register in A.
#[must_use]
pub fn amperes_from_units(model: &ServoModel, units: i16) -> f64 {
    f64::from(units) * model.current_unit
}

/// A current in A as its register has it, no more than asked.
#[must_use]
pub fn units_from_amperes(model: &ServoModel, amperes: f64) -> i16 {
    (amperes / model.current_unit).trunc() as i16
}

/// A velocity register in rad/s.
#[must_use]
pub fn radians_per_sec_from_units(units: i32) -> f64 {
    f64::from(units) * RADIANS_PER_SEC_PER_VELOCITY_UNIT
}

/// A velocity in rad/s as its register has it: no faster than asked, but never 0, which would be without bound.
#[must_use]
pub fn units_from_radians_per_sec(radians_per_sec: f64) -> u32 {
    ((radians_per_sec / RADIANS_PER_SEC_PER_VELOCITY_UNIT) as u32).max(1)
}

/// An acceleration in rad/s^2 as its register has it: no more than asked, but never 0, which would be without bound.
#[must_use]
pub fn units_from_radians_per_sec2(radians_per_sec2: f64) -> u32 {
    ((radians_per_sec2 / RADIANS_PER_SEC2_PER_ACCELERATION_UNIT) as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::servo::ServoName;

    #[test]
    fn numbers_are_little_endian_and_keep_their_sign() {
        assert_eq!(i16::from_bytes(&[0xFF, 0xFF]), Some(-1), "ROBEL's client reads -2 here");
        assert_eq!(i16::from_bytes(&[0x00, 0x80]), Some(i16::MIN));
        assert_eq!(i32::from_bytes(&[0xF0, 0xFF, 0xFF, 0xFF]), Some(-16));
        assert_eq!(u16::from_bytes(&[0x06, 0x04]), Some(1030));
        assert_eq!(i8::from_bytes(&[0xFF]), Some(WATCHDOG_TRIPPED));
        assert_eq!((-131_073_i32).to_bytes(), [0xFF, 0xFF, 0xFD, 0xFF]);
    }

    #[test]
    fn a_number_of_another_length_is_none() {
        assert_eq!(u16::from_bytes(&[1]), None);
        assert_eq!(u16::from_bytes(&[1, 2, 3]), None);
        assert_eq!(i32::from_bytes(&[]), None);
    }

    #[test]
    fn units_are_the_vendors() {
        let model = ServoName::Xm430W210.model();
        // 2.69 mA, 0.229 rev/min.
        assert!((amperes_from_units(model, -100) + 0.269).abs() < 1e-12);
        assert_eq!(units_from_amperes(model, 0.5), 185, "185.9 units");
        assert!((radians_per_sec_from_units(100) - 2.398_082_4).abs() < 1e-6);
        assert_eq!(units_from_radians_per_sec(2.0), 83);
        assert_eq!(units_from_radians_per_sec(1e-9), 1, "0 would set no bound");
    }

    #[test]
    fn what_survives_a_loss_of_power_is_locked_under_torque() {
        assert!(ControlTable::SHUTDOWN.is_kept() && !ControlTable::TORQUE_ENABLE.is_kept());
        assert_eq!(ControlTable::HOMING_OFFSET.length(), 4);
        assert_eq!(ControlTable::GOAL_CURRENT.to_string(), "goal current (register 102)");
    }

    #[test]
    fn every_speed_has_a_code_of_its_own() {
        let mut codes: Vec<u8> = Baud::ALL.iter().map(|baud| baud.code()).collect();
        codes.sort_unstable();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(Baud::with_rate(3_000_000).map(Baud::code), Some(5));
        assert!(Baud::with_rate(38_400).is_none());
    }
}
