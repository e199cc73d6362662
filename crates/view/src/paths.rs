//! Names of entities and of the timeline, which blueprint and data share.

/// The timeline: environment steps.
pub(crate) const TIMELINE: &str = "step";

pub(crate) const CLAW: &str = "claw";
pub(crate) const SEEN: &str = "camera/seen";
pub(crate) const ATTENTION: &str = "camera/attention";
pub(crate) const VALVE: &str = "valve";
pub(crate) const FINGERS: [&str; 3] = ["joints/finger_0", "joints/finger_1", "joints/finger_2"];
pub(crate) const ACTION: &str = "action";
pub(crate) const REWARD: &str = "reward";
pub(crate) const LATENESS: &str = "lateness";
pub(crate) const TIMES: &str = "rig/times";
pub(crate) const AMPERES: &str = "rig/amperes";
pub(crate) const CELSIUS: &str = "rig/celsius";
pub(crate) const CONTROL: [&str; 10] =
    [VALVE, FINGERS[0], FINGERS[1], FINGERS[2], ACTION, REWARD, LATENESS, TIMES, AMPERES, CELSIUS];
pub(crate) const RETURN: &str = "episode/return";
pub(crate) const OUTCOME: &str = "episode/outcome";
pub(crate) const LOSSES: &str = "learning/losses";
pub(crate) const Q: &str = "learning/q";
pub(crate) const ENTROPY: &str = "learning/entropy";
pub(crate) const TEMPERATURE: &str = "learning/temperature";
pub(crate) const OTHER: &str = "learning/other";
