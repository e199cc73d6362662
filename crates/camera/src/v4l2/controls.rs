//! Exposure, white balance, gain and focus: written, and read back.

use crate::{CameraError, Controls};
use nokhwa_bindings_linux::{V4LCaptureDevice, id_to_known_camera_control};
use nokhwa_core::traits::CaptureBackendTrait as _;
use nokhwa_core::types::{ControlValueDescription, ControlValueSetter};

/// A control to be written: its name in the configuration, its id in V4L2 (include/uapi/linux/v4l2-controls.h), its value.
struct Write {
    name: &'static str,
    id: u32,
    value: Value,
    /// Whether a camera may be without it: one that has no automatic exposure needs none switched off.
    optional: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Value {
    Number(i64),
    Switch(bool),
}

const EXPOSURE_AUTO: u32 = 0x009a_0901;
const EXPOSURE_MANUAL: i64 = 1;
const EXPOSURE_ABSOLUTE: u32 = 0x009a_0902;
/// Lets a camera take longer than its rate allows.
const EXPOSURE_AUTO_PRIORITY: u32 = 0x009a_0903;
const AUTO_WHITE_BALANCE: u32 = 0x0098_090c;
const WHITE_BALANCE_TEMPERATURE: u32 = 0x0098_091a;
const AUTOGAIN: u32 = 0x0098_0912;
const GAIN: u32 = 0x0098_0913;
const FOCUS_AUTO: u32 = 0x009a_090c;
const FOCUS_ABSOLUTE: u32 = 0x009a_090a;

/// What is to be written, what switches an automatism off before what it governs.
fn writes(controls: &Controls) -> Vec<Write> {
    let off = |name, id| Write { name, id, value: Value::Switch(false), optional: true };
    let set = |name, id, value| Write { name, id, value: Value::Number(value), optional: false };
    let mut writes = Vec::new();
    if let Some(exposure) = controls.exposure {
        let manual = Value::Number(EXPOSURE_MANUAL);
        writes.push(Write { name: "automatic exposure", id: EXPOSURE_AUTO, value: manual, optional: true });
        writes.push(off("exposure beyond the rate", EXPOSURE_AUTO_PRIORITY));
        writes.push(set("exposure", EXPOSURE_ABSOLUTE, exposure));
    }
    if let Some(kelvin) = controls.white_balance {
        writes.push(off("automatic white balance", AUTO_WHITE_BALANCE));
        writes.push(set("white_balance", WHITE_BALANCE_TEMPERATURE, kelvin));
    }
    if let Some(gain) = controls.gain {
        writes.push(off("automatic gain", AUTOGAIN));
        writes.push(set("gain", GAIN, gain));
    }
    if let Some(focus) = controls.focus {
        writes.push(off("automatic focus", FOCUS_AUTO));
        writes.push(set("focus", FOCUS_ABSOLUTE, focus));
    }
    writes
}

/// Writes every control that is configured, then reads all of them: some change when another is written.
pub(super) fn lock(camera: &str, device: &mut V4LCaptureDevice<'_>, controls: &Controls) -> Result<(), CameraError> {
    let mut writes = writes(controls);
    let refuse = |write: &Write, found: String, fix| CameraError::Control {
        camera: camera.into(),
        control: write.name,
        expected: write.value.to_string(),
        found,
        fix,
    };
    let known = device.camera_controls().map_err(|error| CameraError::Lost {
        camera: camera.into(),
        found: format!("no list of its controls: {error}"),
    })?;
    let has = |write: &Write| known.iter().any(|control| control.control() == id_to_known_camera_control(write.id));
    writes.retain(|write| has(write) || !write.optional);
    for write in &writes {
        if !has(write) {
            let fix = "leave it out of [controls]: `turnkey camera list` says which it has";
            return Err(refuse(write, "a camera without it".into(), fix));
        }
        device.set_camera_control(id_to_known_camera_control(write.id), write.value.setter()).map_err(|error| {
            refuse(write, error.to_string(), "use a value in the camera's range: `turnkey camera list` says which")
        })?;
    }
    for write in &writes {
        let found = device.camera_control(id_to_known_camera_control(write.id));
        let found = found.map_err(|error| refuse(write, error.to_string(), "plug the camera in again"))?;
        let value = match found.description() {
            ControlValueDescription::IntegerRange { value, .. } | ControlValueDescription::Integer { value, .. } => {
                Value::Number(*value)
            }
            ControlValueDescription::Boolean { value, .. } => Value::Switch(*value),
            other => return Err(refuse(write, format!("{other}"), "leave it out of [controls]")),
        };
        if value != write.value {
            let fix = "it changed when another control was written: leave one of them out of [controls]";
            return Err(refuse(write, value.to_string(), fix));
        }
    }
    Ok(())
}

impl Value {
    fn setter(self) -> ControlValueSetter {
        match self {
            Self::Number(number) => ControlValueSetter::Integer(number),
            Self::Switch(on) => ControlValueSetter::Boolean(on),
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Switch(on) => f.write_str(if *on { "on" } else { "off" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_automatism_goes_off_before_what_it_governs_is_set() {
        let controls = Controls { exposure: Some(156), white_balance: Some(4600), gain: Some(3), focus: Some(0) };
        let names: Vec<_> = writes(&controls).iter().map(|write| write.name).collect();
        for (automatic, value) in [
            ("automatic exposure", "exposure"),
            ("automatic white balance", "white_balance"),
            ("automatic gain", "gain"),
            ("automatic focus", "focus"),
        ] {
            let at = |name| names.iter().position(|other| *other == name).unwrap();
            assert!(at(automatic) < at(value), "{names:?}");
        }
    }

    #[test]
    fn what_is_not_configured_is_not_written() {
        assert!(writes(&Controls::default()).is_empty());
    }
}
