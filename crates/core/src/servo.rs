//! The pure servo model: what a Dynamixel does with a goal, a supply and a load.

use serde::{Deserialize, Serialize};

/// The servos that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServoName {
    /// XM430-W210 at 12 V: the claw's, as ROBEL describes it.
    #[serde(rename = "xm430_w210")]
    Xm430W210,
    /// XH430-V210 at 24 V: the claw's, as ROBEL's client reads it.
    #[serde(rename = "xh430_v210")]
    Xh430V210,
}
