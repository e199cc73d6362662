//! What a servo says is wrong: with an instruction, or with itself.

use serde::Serialize;
use std::fmt;
use turnkey_core::servo::HardwareError;

/// Why a servo did not do what it was told: the error field of its reply, by the vendor's Protocol 2.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Refusal {
    /// It could not process the instruction (1).
    Result,
    /// It does not know the instruction (2).
    Instruction,
    /// The instruction came damaged (3).
    Checksum,
    /// The number does not fit the register (4).
    Range,
    /// Fewer bytes than the register has (5).
    Length,
    /// The number is beyond a limit set in the servo (6).
    Limit,
    /// The register can't be written: read only, or locked while torque is on (7).
    Access,
    /// A code that the protocol does not have.
    Unknown(u8),
}

impl Refusal {
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => None,
            1 => Some(Self::Result),
            2 => Some(Self::Instruction),
            3 => Some(Self::Checksum),
            4 => Some(Self::Range),
            5 => Some(Self::Length),
            6 => Some(Self::Limit),
            7 => Some(Self::Access),
            code => Some(Self::Unknown(code)),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Result => f.write_str("it could not process the instruction (error 1)"),
            Self::Instruction => f.write_str("it does not know the instruction (error 2)"),
            Self::Checksum => f.write_str("the instruction reached it damaged (error 3)"),
            Self::Range => f.write_str("the value does not fit the register (error 4)"),
            Self::Length => f.write_str("the value has too few bytes for the register (error 5)"),
            Self::Limit => f.write_str("the value is beyond the servo's own limits (error 6)"),
            Self::Access => f.write_str("the register is read only, or locked while torque is on (error 7)"),
            Self::Unknown(code) => write!(f, "error {code}, which the protocol does not have"),
        }
    }
}

/// What is wrong with a servo: its hardware error register (70). Latched: it stays until a reboot, and those in the
/// shutdown mask (63) have switched its torque off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct HardwareAlerts(pub u8);

impl HardwareAlerts {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether rebooting and going home is safe without a person having looked: after an overload alone, where a finger
    /// pushed for too long. Heat, supply, encoder and electronics do not mend themselves by a reboot.
    #[must_use]
    pub fn is_safe_to_reboot(self) -> bool {
        self.0 & !HardwareError::OVERLOAD.0 == 0
    }

    /// What a person should do.
    #[must_use]
    pub fn fix(self) -> &'static str {
        let has = |bit| HardwareError(self.0).has(bit);
        if has(HardwareError::ELECTRIC_SHOCK) {
            "switch the power off, look for a damaged cable or connector, then `turnkey claw reboot`"
        } else if has(HardwareError::ENCODER) {
            "`turnkey claw reboot`; if it comes back, the servo's encoder is broken: replace the servo"
        } else if has(HardwareError::VOLTAGE) {
            "check supply and plugs (`turnkey claw doctor` shows each servo's voltage), then `turnkey claw reboot`"
        } else if has(HardwareError::OVERHEATING) {
            "let it cool down for ten minutes, then `turnkey claw reboot`; if it comes back, ask less of it"
        } else if has(HardwareError::OVERLOAD) {
            "see what holds the finger, free it, then `turnkey claw reboot` and `turnkey claw home`"
        } else {
            "`turnkey claw reboot`"
        }
    }
}

impl fmt::Display for HardwareAlerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            (HardwareError::VOLTAGE, "input voltage out of range"),
            (HardwareError::OVERHEATING, "overheating"),
            (HardwareError::ENCODER, "motor encoder"),
            (HardwareError::ELECTRIC_SHOCK, "electrical shock"),
            (HardwareError::OVERLOAD, "overload"),
        ];
        let known = named.iter().fold(0, |known, (bit, _)| known | bit.0);
        let names: Vec<&str> =
            named.iter().filter(|(bit, _)| HardwareError(self.0).has(*bit)).map(|(_, name)| *name).collect();
        match (names.is_empty(), self.0 & !known) {
            (true, 0) => f.write_str("none"),
            (_, 0) => f.write_str(&names.join(", ")),
            (true, other) => write!(f, "unnamed bits {other:#04x}"),
            (false, other) => write!(f, "{}, unnamed bits {other:#04x}", names.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_has_its_name() {
        assert_eq!(HardwareAlerts(0).to_string(), "none");
        assert_eq!(HardwareAlerts(0x21).to_string(), "input voltage out of range, overload");
        assert_eq!(HardwareAlerts(0x02).to_string(), "unnamed bits 0x02");
    }

    #[test]
    fn only_an_overload_is_rebooted_without_a_person() {
        assert!(HardwareAlerts(0x20).is_safe_to_reboot());
        for unsafe_bits in [0x01, 0x04, 0x08, 0x10, 0x02, 0x24] {
            assert!(!HardwareAlerts(unsafe_bits).is_safe_to_reboot(), "{unsafe_bits:#x}");
        }
    }
}
