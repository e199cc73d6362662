//! The control table of the X series, by the vendor's manual (<https://emanual.robotis.com/docs/en/dxl/x/xm430-w210/>).

use turnkey_core::servo::{ServoModel, ServoName};

/// The first address behind the table.
pub(crate) const END: usize = 662;
/// Addresses below are EEPROM: kept without power, and locked while torque is on.
pub(crate) const RAM: usize = 64;

pub(crate) const MODEL: usize = 0;
pub(crate) const FIRMWARE: usize = 6;
pub(crate) const ID: usize = 7;
pub(crate) const BAUD: usize = 8;
pub(crate) const RETURN_DELAY: usize = 9;
pub(crate) const DRIVE_MODE: usize = 10;
pub(crate) const OPERATING_MODE: usize = 11;
pub(crate) const SECONDARY_ID: usize = 12;
pub(crate) const HOMING_OFFSET: usize = 20;
pub(crate) const MOVING_THRESHOLD: usize = 24;
pub(crate) const TEMPERATURE_LIMIT: usize = 31;
pub(crate) const MAX_VOLTAGE: usize = 32;
pub(crate) const MIN_VOLTAGE: usize = 34;
pub(crate) const PWM_LIMIT: usize = 36;
pub(crate) const CURRENT_LIMIT: usize = 38;
pub(crate) const VELOCITY_LIMIT: usize = 44;
pub(crate) const MAX_POSITION: usize = 48;
pub(crate) const MIN_POSITION: usize = 52;
pub(crate) const SHUTDOWN: usize = 63;
pub(crate) const TORQUE: usize = 64;
pub(crate) const STATUS_RETURN_LEVEL: usize = 68;
pub(crate) const REGISTERED: usize = 69;
pub(crate) const HARDWARE_ERROR: usize = 70;
pub(crate) const VELOCITY_I: usize = 76;
pub(crate) const VELOCITY_P: usize = 78;
pub(crate) const POSITION_D: usize = 80;
pub(crate) const POSITION_I: usize = 82;
pub(crate) const POSITION_P: usize = 84;
pub(crate) const WATCHDOG: usize = 98;
pub(crate) const GOAL_PWM: usize = 100;
pub(crate) const GOAL_CURRENT: usize = 102;
pub(crate) const GOAL_VELOCITY: usize = 104;
pub(crate) const PROFILE_ACCELERATION: usize = 108;
pub(crate) const PROFILE_VELOCITY: usize = 112;
pub(crate) const GOAL_POSITION: usize = 116;
pub(crate) const TICK: usize = 120;
pub(crate) const MOVING: usize = 122;
pub(crate) const MOVING_STATUS: usize = 123;
pub(crate) const PRESENT_PWM: usize = 124;
pub(crate) const PRESENT_CURRENT: usize = 126;
pub(crate) const PRESENT_VELOCITY: usize = 128;
pub(crate) const PRESENT_POSITION: usize = 132;
pub(crate) const VELOCITY_TRAJECTORY: usize = 136;
pub(crate) const POSITION_TRAJECTORY: usize = 140;
pub(crate) const PRESENT_VOLTAGE: usize = 144;
pub(crate) const TEMPERATURE: usize = 146;

/// Goals reach this far in the modes that count turns: 256 of them, either way.
pub(crate) const MULTI_TURN: i64 = 1_048_575;

/// Indirect addresses and the data they stand for: (first address register, first data byte, how many).
pub(crate) const INDIRECT: [(usize, usize, usize); 2] = [(168, 224, 28), (578, 634, 28)];

/// Baud rates, by the value of their register.
pub(crate) const BAUDS: [u32; 8] = [9_600, 57_600, 115_200, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 4_500_000];

/// One register.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Register {
    pub(crate) address: usize,
    pub(crate) length: usize,
    /// From the factory.
    pub(crate) initial: i64,
    /// What may be written, or `None` where nothing may.
    pub(crate) range: Option<(i64, i64)>,
}

const fn fixed(address: usize, length: usize, initial: i64) -> Register {
    Register { address, length, initial, range: None }
}

const fn open(address: usize, length: usize, initial: i64, low: i64, high: i64) -> Register {
    Register { address, length, initial, range: Some((low, high)) }
}

const WORD: i64 = 32_767;
const GAIN: i64 = 16_383;

/// The registers that all models share, the models' own numbers not filled in.
const SHARED: [Register; 55] = [
    fixed(MODEL, 2, 0),
    fixed(2, 4, 0),
    fixed(FIRMWARE, 1, 48), // from 45 on there are fast reads
    open(ID, 1, 1, 0, 252),
    open(BAUD, 1, 1, 0, 7),
    open(RETURN_DELAY, 1, 250, 0, 254),
    open(DRIVE_MODE, 1, 0, 0, 13),
    open(OPERATING_MODE, 1, 3, 0, 16),
    open(SECONDARY_ID, 1, 255, 0, 255),
    open(13, 1, 2, 1, 2),
    open(HOMING_OFFSET, 4, 0, -1_044_479, 1_044_479),
    open(MOVING_THRESHOLD, 4, 10, 0, 1023),
    open(TEMPERATURE_LIMIT, 1, 80, 0, 100),
    open(MAX_VOLTAGE, 2, 160, 0, 0),
    open(MIN_VOLTAGE, 2, 95, 0, 0),
    open(PWM_LIMIT, 2, 885, 0, 885),
    open(CURRENT_LIMIT, 2, 0, 0, 0),
    open(VELOCITY_LIMIT, 4, 0, 0, 1023),
    open(MAX_POSITION, 4, 4095, 0, 4095),
    open(MIN_POSITION, 4, 0, 0, 4095),
    open(60, 1, 0, 0, 3),
    open(SHUTDOWN, 1, 52, 0, 63),
    open(TORQUE, 1, 0, 0, 1),
    open(65, 1, 0, 0, 1),
    open(STATUS_RETURN_LEVEL, 1, 2, 0, 2),
    fixed(REGISTERED, 1, 0),
    fixed(HARDWARE_ERROR, 1, 0),
    open(VELOCITY_I, 2, 1920, 0, GAIN),
    open(VELOCITY_P, 2, 100, 0, GAIN),
    open(POSITION_D, 2, 0, 0, GAIN),
    open(POSITION_I, 2, 0, 0, GAIN),
    open(POSITION_P, 2, 800, 0, GAIN),
    open(88, 2, 0, 0, GAIN),
    open(90, 2, 0, 0, GAIN),
    open(WATCHDOG, 1, 0, 0, 127),
    open(GOAL_PWM, 2, 885, -885, 885),
    open(GOAL_CURRENT, 2, 0, -WORD, WORD),
    open(GOAL_VELOCITY, 4, 0, -1023, 1023),
    open(PROFILE_ACCELERATION, 4, 0, 0, WORD),
    open(PROFILE_VELOCITY, 4, 0, 0, WORD),
    open(GOAL_POSITION, 4, 0, -MULTI_TURN, MULTI_TURN),
    fixed(TICK, 2, 0),
    fixed(MOVING, 1, 0),
    fixed(MOVING_STATUS, 1, 0),
    fixed(PRESENT_PWM, 2, 0),
    fixed(PRESENT_CURRENT, 2, 0),
    fixed(PRESENT_VELOCITY, 4, 0),
    fixed(PRESENT_POSITION, 4, 0),
    fixed(VELOCITY_TRAJECTORY, 4, 0),
    fixed(POSITION_TRAJECTORY, 4, 0),
    fixed(PRESENT_VOLTAGE, 2, 0),
    fixed(TEMPERATURE, 1, 0),
    fixed(147, 1, 1), // a backup is there
    fixed(148, 2, 0),
    fixed(150, 2, 0),
];

/// The registers of a model, by address; those of indirect addressing last.
pub(crate) fn registers(model: &ServoModel) -> Vec<Register> {
    let (velocity_limit, volts) = match model.name {
        ServoName::Xm430W210 => (330, (95, 160)),
        ServoName::Xh430V210 => (230, (110, 300)),
    };
    let current_limit = i64::from(model.current_limit);
    let mut registers: Vec<Register> = SHARED.to_vec();
    for register in &mut registers {
        match register.address {
            MODEL => register.initial = i64::from(model.number),
            MAX_VOLTAGE => *register = open(MAX_VOLTAGE, 2, volts.1, volts.0, volts.1),
            MIN_VOLTAGE => *register = open(MIN_VOLTAGE, 2, volts.0, volts.0, volts.1),
            CURRENT_LIMIT => *register = open(CURRENT_LIMIT, 2, current_limit, 0, current_limit),
            GOAL_CURRENT => register.initial = current_limit,
            VELOCITY_LIMIT => register.initial = velocity_limit,
            _ => {}
        }
    }
    for (addresses, data, count) in INDIRECT {
        let end = END as i64 - 1;
        registers.extend((0..count).map(|i| open(addresses + 2 * i, 2, (data + i) as i64, 64, end)));
        registers.extend((0..count).map(|i| open(data + i, 1, 0, 0, 255)));
    }
    registers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_lie_in_order_without_overlap_inside_the_table_with_initial_values_in_range() {
        for name in [ServoName::Xm430W210, ServoName::Xh430V210] {
            let mut registers = registers(name.model());
            registers.sort_by_key(|register| register.address);
            for pair in registers.windows(2) {
                assert!(pair[0].address + pair[0].length <= pair[1].address, "{pair:?}");
            }
            assert_eq!(registers.last().map(|last| last.address + last.length), Some(END));
            for Register { initial, range, address, .. } in registers {
                assert!(range.is_none_or(|(low, high)| (low..=high).contains(&initial)), "{address}");
            }
        }
    }
}
