//! A servo's control table: its bytes, and what may be written where.

use crate::table::{self, Register};
use turnkey_core::servo::{OperatingMode, ServoModel};

/// Error codes of status packets.
pub(crate) const RESULT_FAIL: u8 = 1;
pub(crate) const INSTRUCTION_ERROR: u8 = 2;
pub(crate) const CRC_ERROR: u8 = 3;
pub(crate) const RANGE_ERROR: u8 = 4;
pub(crate) const LENGTH_ERROR: u8 = 5;
pub(crate) const LIMIT_ERROR: u8 = 6;
pub(crate) const ACCESS_ERROR: u8 = 7;

/// The goals, which a tripped watchdog locks.
const GOALS: [usize; 4] = [table::GOAL_PWM, table::GOAL_CURRENT, table::GOAL_VELOCITY, table::GOAL_POSITION];

/// The bytes of the control table.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    registers: Vec<Register>,
    bytes: Vec<u8>,
}

/// What a write would do, register by register.
pub(crate) type Values = Vec<(Register, i64)>;

impl Memory {
    /// As it leaves the factory.
    pub(crate) fn new(model: &ServoModel) -> Self {
        let mut registers = table::registers(model);
        registers.sort_by_key(|register| register.address);
        let mut memory = Self { registers, bytes: vec![0; table::END] };
        memory.fill(|_| true);
        memory
    }

    /// Gives the registers that `which` picks by address their initial values.
    pub(crate) fn fill(&mut self, which: impl Fn(usize) -> bool) {
        for index in 0..self.registers.len() {
            let Register { address, initial, .. } = self.registers[index];
            if which(address) {
                self.set(address, initial);
            }
        }
    }

    fn register(&self, address: usize) -> Option<&Register> {
        let found = self.registers.binary_search_by_key(&address, |register| register.address);
        found.ok().map(|index| &self.registers[index])
    }

    /// The value of the register at `address`, without sign.
    pub(crate) fn unsigned(&self, address: usize) -> i64 {
        let length = self.register(address).map_or(1, |register| register.length);
        self.bytes[address..address + length].iter().rev().fold(0, |value, byte| value << 8 | i64::from(*byte))
    }

    /// The value of the register at `address`, with its sign.
    pub(crate) fn signed(&self, address: usize) -> i64 {
        let bits = 64 - 8 * self.register(address).map_or(1, |register| register.length);
        self.unsigned(address) << bits >> bits
    }

    /// Changes a register, whoever may write it.
    pub(crate) fn set(&mut self, address: usize, value: i64) {
        let length = self.register(address).map_or(1, |register| register.length);
        self.bytes[address..address + length].copy_from_slice(&value.to_le_bytes()[..length]);
    }

    pub(crate) fn mode(&self) -> OperatingMode {
        OperatingMode::from_register(self.bytes[table::OPERATING_MODE]).unwrap_or(OperatingMode::Position)
    }

    pub(crate) fn torque_enabled(&self) -> bool {
        self.bytes[table::TORQUE] != 0
    }

    pub(crate) fn watchdog_tripped(&self) -> bool {
        self.signed(table::WATCHDOG) < 0
    }

    /// Bytes as a client reads them, or an error code.
    pub(crate) fn read(&self, address: usize, length: usize) -> Result<Vec<u8>, u8> {
        if length == 0 {
            return Err(LENGTH_ERROR);
        }
        if address + length > table::END {
            return Err(ACCESS_ERROR);
        }
        Ok((address..address + length).map(|at| self.bytes[self.resolve(at)]).collect())
    }

    /// What writing `bytes` at `address` would do, or the error code with which it is refused.
    pub(crate) fn plan(&self, address: usize, bytes: &[u8]) -> Result<Values, u8> {
        if bytes.is_empty() {
            return Err(LENGTH_ERROR);
        }
        if address + bytes.len() > table::END {
            return Err(ACCESS_ERROR);
        }
        let places: Vec<usize> = (address..address + bytes.len()).map(|at| self.resolve(at)).collect();
        let mut values = Values::new();
        let mut at = 0;
        while at < places.len() {
            let register = *self.register(places[at]).ok_or(ACCESS_ERROR)?;
            let end = at + register.length;
            if end > places.len() || (at..end).any(|i| places[i] != register.address + i - at) {
                return Err(LENGTH_ERROR);
            }
            let raw = bytes[at..end].iter().rev().fold(0, |value, byte| value << 8 | i64::from(*byte));
            let bits = 64 - 8 * register.length;
            let is_signed = register.range.is_some_and(|(low, _)| low < 0);
            let value = if is_signed { raw << bits >> bits } else { raw };
            self.check(&register, value)?;
            values.push((register, value));
            at = end;
        }
        Ok(values)
    }

    /// Where an address of indirect data leads; any other is itself.
    fn resolve(&self, at: usize) -> usize {
        let block = table::INDIRECT.iter().find(|(_, data, count)| (*data..data + count).contains(&at));
        let Some((addresses, data, _)) = block else { return at };
        let target = self.unsigned(addresses + 2 * (at - data)) as usize;
        if target < table::END { target } else { at }
    }

    fn check(&self, register: &Register, value: i64) -> Result<(), u8> {
        let address = register.address;
        let (low, high) = register.range.ok_or(ACCESS_ERROR)?;
        if address < table::RAM && self.torque_enabled() {
            return Err(ACCESS_ERROR);
        }
        let no_mode = address == table::OPERATING_MODE
            && u8::try_from(value).ok().and_then(OperatingMode::from_register).is_none();
        if !(low..=high).contains(&value) || no_mode || is_goal(address) && self.watchdog_tripped() {
            return Err(RANGE_ERROR);
        }
        let within = |limit: usize| value.abs() <= self.unsigned(limit);
        let allowed = match address {
            table::GOAL_PWM => within(table::PWM_LIMIT),
            table::GOAL_CURRENT => within(table::CURRENT_LIMIT),
            table::GOAL_VELOCITY => within(table::VELOCITY_LIMIT),
            table::GOAL_POSITION if self.mode() == OperatingMode::Position => {
                (self.unsigned(table::MIN_POSITION)..=self.unsigned(table::MAX_POSITION)).contains(&value)
            }
            _ => true,
        };
        if allowed { Ok(()) } else { Err(LIMIT_ERROR) }
    }
}

/// Whether a register is a goal.
pub(crate) fn is_goal(address: usize) -> bool {
    GOALS.contains(&address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::servo::ServoName;

    fn memory() -> Memory {
        Memory::new(ServoName::Xm430W210.model())
    }

    #[test]
    fn the_factorys_values_are_the_vendors() {
        let memory = memory();
        assert_eq!(memory.read(0, 2), Ok(vec![0x06, 0x04]), "1030");
        assert_eq!(memory.read(7, 3), Ok(vec![1, 1, 250]));
        assert_eq!(memory.read(38, 2), Ok(1193_u16.to_le_bytes().to_vec()));
        assert_eq!(memory.read(84, 2), Ok(800_u16.to_le_bytes().to_vec()));
    }

    #[test]
    fn each_error_code_has_its_cause() {
        let mut memory = memory();
        let code = |memory: &Memory, address, bytes: &[u8]| memory.plan(address, bytes).err();
        assert_eq!(code(&memory, 7, &[253]), Some(RANGE_ERROR));
        assert_eq!(code(&memory, 11, &[2]), Some(RANGE_ERROR), "no such mode");
        assert_eq!(code(&memory, 98, &[0xFF]), Some(RANGE_ERROR), "-1 is the watchdog's own");
        assert_eq!(code(&memory, 116, &[0, 1]), Some(LENGTH_ERROR));
        assert_eq!(code(&memory, 116, &[0, 16, 0, 0]), Some(LIMIT_ERROR), "4096 is beyond one turn");
        assert_eq!(code(&memory, 116, &[0xFF, 0xFF, 0xFF, 0xFF]), Some(LIMIT_ERROR), "-1");
        assert_eq!(code(&memory, 132, &[0; 4]), Some(ACCESS_ERROR), "read-only");
        assert_eq!(code(&memory, 71, &[0]), Some(ACCESS_ERROR), "nothing is there");
        assert_eq!(code(&memory, 660, &[0; 4]), Some(ACCESS_ERROR));
        assert_eq!(code(&memory, 7, &[]), Some(LENGTH_ERROR));
        assert_eq!(code(&memory, 7, &[9]), None);
        memory.set(table::TORQUE, 1);
        assert_eq!(code(&memory, 7, &[9]), Some(ACCESS_ERROR), "locked under torque");
        memory.set(table::OPERATING_MODE, 4);
        assert_eq!(code(&memory, 116, &[0xFF, 0xFF, 0xFF, 0xFF]), None, "turns are counted in mode 4");
        memory.set(table::WATCHDOG, -1);
        assert_eq!(code(&memory, 116, &[0; 4]), Some(RANGE_ERROR), "the watchdog has tripped");
    }

    #[test]
    fn a_write_over_several_registers_is_taken_apart_or_refused_whole() {
        let values = memory().plan(108, &[5, 0, 0, 0, 7, 0, 0, 0, 0, 8, 0, 0]).unwrap();
        let found: Vec<_> = values.iter().map(|(register, value)| (register.address, *value)).collect();
        assert_eq!(found, [(108, 5), (112, 7), (116, 2048)]);
        assert_eq!(memory().plan(116, &[0, 8, 0, 0, 1, 1]).err(), Some(ACCESS_ERROR), "the tick can't be set");
    }

    #[test]
    fn indirect_data_leads_to_where_its_address_says() {
        let mut memory = memory();
        for byte in 0..4 {
            memory.set(168 + 2 * byte, (116 + byte) as i64);
        }
        let values = memory.plan(224, &[0, 4, 0, 0]).unwrap();
        assert_eq!((values[0].0.address, values[0].1), (116, 1024));
        memory.set(table::GOAL_POSITION, 1024);
        assert_eq!(memory.read(224, 4), Ok(vec![0, 4, 0, 0]));
    }
}
