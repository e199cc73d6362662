//! The servos that are known, by the vendor's numbers.

use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// The servos that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServoName {
    /// XM430-W210 at 12 V: the claw's, as ROBEL describes it.
    #[serde(rename = "xm430_w210")]
    Xm430W210,
    /// XH430-V210 at 24 V: the claw's, as ROBEL's client reads it.
    #[serde(rename = "xh430_v210")]
    Xh430V210,
}

impl ServoName {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Xm430W210, Self::Xh430V210];

    /// Its row of the table.
    #[must_use]
    pub fn model(self) -> &'static ServoModel {
        match self {
            Self::Xm430W210 => &XM430_W210,
            Self::Xh430V210 => &XH430_V210,
        }
    }

    /// As files and options spell it.
    #[must_use]
    pub fn spelling(self) -> &'static str {
        match self {
            Self::Xm430W210 => "xm430_w210",
            Self::Xh430V210 => "xh430_v210",
        }
    }
}

/// One kind of servo, by the vendor's manual. Torque and speed are the horn's, after the gears.
#[derive(Clone, Debug, PartialEq)]
pub struct ServoModel {
    /// Which it is.
    pub name: ServoName,
    /// What its model number register (0) says.
    pub number: u16,
    /// Supply that the numbers below hold for, V.
    pub nominal_volts: f64,
    /// Torque when blocked, N m.
    pub stall_torque: f64,
    /// Current when blocked, A.
    pub stall_current: f64,
    /// Speed without load, rad/s.
    pub no_load_speed: f64,
    /// One unit of its current registers, A.
    pub current_unit: f64,
    /// Current limit (register 38) from the factory, in current units.
    pub current_limit: u16,
}

/// <https://emanual.robotis.com/docs/en/dxl/x/xm430-w210/>: 3.0 N m at 12 V and 2.3 A; 77 rev/min.
static XM430_W210: ServoModel = ServoModel {
    name: ServoName::Xm430W210,
    number: 1030,
    nominal_volts: 12.0,
    stall_torque: 3.0,
    stall_current: 2.3,
    no_load_speed: 77.0 * TAU / 60.0,
    current_unit: 0.002_69,
    current_limit: 1193,
};

/// <https://emanual.robotis.com/docs/en/dxl/x/xh430-v210/>: 2.6 N m at 24 V and 0.7 A; 52 rev/min.
static XH430_V210: ServoModel = ServoModel {
    name: ServoName::Xh430V210,
    number: 1050,
    nominal_volts: 24.0,
    stall_torque: 2.6,
    stall_current: 0.7,
    no_load_speed: 52.0 * TAU / 60.0,
    current_unit: 0.001_34,
    current_limit: 689,
};

impl ServoModel {
    /// The servo with this model number, where it is known.
    #[must_use]
    pub fn with_number(number: u16) -> Option<&'static Self> {
        [&XM430_W210, &XH430_V210].into_iter().find(|model| model.number == number)
    }

    /// Torque an ampere, N m/A, after the gears.
    #[must_use]
    pub fn torque_constant(&self) -> f64 {
        self.stall_torque / self.stall_current
    }

    /// Resistance of the motor, ohm.
    #[must_use]
    pub fn resistance(&self) -> f64 {
        self.nominal_volts / self.stall_current
    }
}
