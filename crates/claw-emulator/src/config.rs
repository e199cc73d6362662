//! What is emulated.

use crate::{EmulatorError, table};
use std::path::PathBuf;
use std::time::Duration;
use turnkey_core::ServoId;
use turnkey_core::servo::ServoName;

/// Ids of the claw's servos as ROBEL numbers them, finger by finger, and of the valve's.
pub const CLAW_IDS: [u8; 10] = [10, 11, 12, 20, 21, 22, 30, 31, 32, 40];

/// One emulated servo, as somebody left it in its EEPROM.
#[derive(Clone, Debug, PartialEq)]
pub struct EmulatedServo {
    /// Its id, 0 to 252.
    pub id: ServoId,
    /// Its model.
    pub model: ServoName,
    /// Its baud rate, one of those that the vendor's register (8) knows.
    pub baud: u32,
    /// What its position register says where its horn is at 0 rad: 2048, half a turn, unless somebody mounted it
    /// otherwise.
    pub zero_ticks: i32,
    /// Registers of its EEPROM (address, value) that differ from the factory's, such as (9, 0): no return delay.
    pub eeprom: Vec<(u16, i32)>,
}

impl EmulatedServo {
    /// A servo from the factory, but for its id and baud rate.
    #[must_use]
    pub fn new(id: ServoId, model: ServoName, baud: u32) -> Self {
        Self { id, model, baud, zero_ticks: 2048, eeprom: Vec::new() }
    }
}

/// How much time the bus takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusTiming {
    /// None: answers are there as soon as the emulator runs. For tests.
    Instantaneous,
    /// Each byte its ten bits at the client's baud rate, each answer the servo's return delay, and on the way to the
    /// client the adapter's latency timer.
    Real {
        /// The USB adapter's latency timer: 16 ms from the factory, 1 ms as it should be, 0 for none.
        usb_latency: Duration,
    },
}

/// Servos on a bus.
#[derive(Clone, Debug, PartialEq)]
pub struct EmulatorConfig {
    /// The servos; the physics' horns are in the same order. Two may have one id, as on a real bus by mistake.
    pub servos: Vec<EmulatedServo>,
    /// How much time the bus takes.
    pub timing: BusTiming,
    /// The supply, V; the first servo's nominal one if absent.
    pub supply_volts: Option<f64>,
    /// A link to the port, for a name that stays; replaced if an old link is there.
    pub link: Option<PathBuf>,
    /// Seed of whatever faults draw.
    pub seed: u64,
}

impl EmulatorConfig {
    /// The claw's nine servos and the valve's at 1 Mbaud, as they leave the factory, on a bus that takes its time
    /// behind an adapter with a latency of 1 ms.
    #[must_use]
    pub fn claw(model: ServoName) -> Self {
        let servos = CLAW_IDS.map(|id| EmulatedServo::new(ServoId(id), model, 1_000_000));
        Self {
            servos: servos.to_vec(),
            timing: BusTiming::Real { usb_latency: Duration::from_millis(1) },
            supply_volts: None,
            link: None,
            seed: 0,
        }
    }

    /// Says whether there could be such servos.
    ///
    /// # Errors
    /// The first setting that no servo can have.
    pub fn check(&self) -> Result<(), EmulatorError> {
        let refuse = |field: String, expected: &str, got: String| {
            Err(EmulatorError::Config { field, expected: expected.into(), got })
        };
        if self.servos.is_empty() {
            return refuse("servos".into(), "at least one", "none".into());
        }
        if let Some(volts) = self.supply_volts.filter(|volts| !(0.0..=60.0).contains(volts)) {
            return refuse("supply_volts".into(), "0 to 60 V", volts.to_string());
        }
        for (index, servo) in self.servos.iter().enumerate() {
            let field = |name: &str| format!("servos[{index}].{name}");
            if servo.id.0 > 252 {
                return refuse(field("id"), "0 to 252", servo.id.0.to_string());
            }
            if !table::BAUDS.contains(&servo.baud) {
                return refuse(field("baud"), &format!("one of {:?}", table::BAUDS), servo.baud.to_string());
            }
            let registers = table::registers(servo.model.model());
            for &(address, value) in &servo.eeprom {
                let known = registers.iter().find(|register| register.address == usize::from(address));
                let fits = known.is_some_and(|register| {
                    let (low, high) = register.range.unwrap_or((register.initial, register.initial));
                    register.address < table::RAM && (low..=high).contains(&i64::from(value))
                });
                if !fits {
                    let expected = "an address of the EEPROM with a value that may be written there";
                    return refuse(field("eeprom"), expected, format!("{value} at {address}"));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claw_is_a_valid_configuration_and_what_no_servo_can_have_is_refused_by_name() {
        let good = EmulatorConfig::claw(ServoName::Xm430W210);
        good.check().unwrap();
        let refused = |change: fn(&mut EmulatorConfig)| {
            let mut config = good.clone();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert!(refused(|config| config.servos.clear()).contains("at least one"));
        assert!(refused(|config| config.servos[1].id = ServoId(253)).contains("servos[1].id: expected 0 to 252"));
        assert!(refused(|config| config.servos[0].baud = 123).contains("got 123"));
        assert!(refused(|config| config.supply_volts = Some(f64::NAN)).contains("supply_volts"));
        assert!(refused(|config| config.servos[0].eeprom = vec![(116, 3)]).contains("3 at 116"));
        assert!(refused(|config| config.servos[0].eeprom = vec![(48, 5000)]).contains("5000 at 48"));
    }
}
