//! The two models of the claw, loaded and checked.

use crate::{ModelError, ModelName, robel};
use mujoco_rs::prelude::*;
use std::path::Path;
use std::sync::Once;
use turnkey_core::{FINGERS, JOINT_NAMES, JOINTS};

const TURNKEY: &str = include_str!("../../../hardware/dclaw/dclaw.xml");

/// The names that a model gives the things the twin needs, in the order of [`turnkey_core::JointVector`].
pub(crate) struct Names {
    pub(crate) joints: [&'static str; JOINTS],
    pub(crate) tips: [&'static str; FINGERS],
    pub(crate) valve: &'static str,
    /// The body that all fingers hang from.
    pub(crate) claw: &'static str,
}

const TURNKEY_NAMES: Names =
    Names { joints: JOINT_NAMES, tips: ["finger_0/tip", "finger_1/tip", "finger_2/tip"], valve: "valve", claw: "claw" };

const ROBEL_NAMES: Names = Names {
    joints: ["FFJ10", "FFJ11", "FFJ12", "MFJ20", "MFJ21", "MFJ22", "THJ30", "THJ31", "THJ32"],
    tips: ["FFtip", "MFtip", "THtip"],
    valve: "valve_OBJRx",
    claw: "mount",
};

/// A model that is known to be the claw's: joints 0 to 8 and actuators 0 to 8 are the claw's, joint 9 the
/// valve's.
pub(crate) struct Model {
    pub(crate) mj: MjModel,
    pub(crate) names: Names,
}

impl Model {
    pub(crate) fn load(name: ModelName) -> Result<Self, ModelError> {
        match name {
            ModelName::Turnkey => Self::parse("turnkey", TURNKEY, TURNKEY_NAMES),
            ModelName::Robel => Self::robel(&robel::folder()?),
        }
    }

    fn robel(folder: &Path) -> Result<Self, ModelError> {
        Self::parse("robel", &robel::xml(folder)?, ROBEL_NAMES)
    }

    fn parse(model: &'static str, xml: &str, names: Names) -> Result<Self, ModelError> {
        quieten();
        let parse = |error: MjModelError| ModelError::Parse { model, reason: error.to_string() };
        let mut mj = MjModel::from_xml_string(xml).map_err(parse)?;
        // A state that diverged is an error here; MuJoCo would silently start over.
        mj.opt_mut().disableflags |= MjtDisableBit::mjDSBL_AUTORESET as i32;
        let loaded = Self { mj, names };
        loaded.check(model)?;
        Ok(loaded)
    }

    fn check(&self, model: &'static str) -> Result<(), ModelError> {
        let shape = |expected: String, got: String| Err(ModelError::Shape { model, expected, got });
        let (nq, nv, nu) = (self.mj.nq(), self.mj.nv(), self.mj.nu());
        if (nq, nv, nu) != (10, 10, 9) {
            return shape("10 coordinates, 10 speeds, 9 controls".into(), format!("{nq}, {nv}, {nu}"));
        }
        let joints = self.names.joints.iter().chain([&self.names.valve]).enumerate();
        for (index, &name) in joints {
            if self.mj.name_to_id(MjtObjBase::mjOBJ_JOINT, name) != Some(index) {
                return shape(format!("joint {index} named {name}"), "another".into());
            }
        }
        Ok(())
    }
}

/// Stops MuJoCo from printing and from writing a log file into the working folder: warnings come back to
/// callers as errors, and an error ends the process anyway, so it at least says why. To be called before the first use of
/// MuJoCo; the calls after it do nothing.
pub fn quieten() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        fn handler(message: &MjLogMessage) {
            if message.level() == MjtLogLevel::mjLOG_ERROR {
                eprintln!("MuJoCo can't go on: {}", message.subject());
            }
        }
        // SAFETY: every use of MuJoCo in this crate comes after a model was parsed, and parsing waits here
        // for the one call; the other crate that uses MuJoCo, of benchmarks, calls this as well.
        unsafe { mujoco_rs::logging::set_log_handler(handler) };
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_model_is_an_error_and_not_a_crash() {
        for text in ["", "claw", "<mujoco><worldbody></mujoco>", "<mujoco><option timestep=\"x\"/></mujoco>"] {
            let Err(error) = Model::parse("test", text, TURNKEY_NAMES) else { panic!("{text} was taken") };
            assert!(matches!(error, ModelError::Parse { .. }), "{error}");
        }
    }

    #[test]
    fn robel_files_that_are_broken_or_include_themselves_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let scene = folder.path().join(robel::SCENE);
        std::fs::create_dir_all(scene.parent().unwrap()).unwrap();
        let load = |text: &str| {
            std::fs::write(&scene, text).unwrap();
            Model::robel(folder.path()).err().unwrap()
        };
        assert!(matches!(load("<mujoco><worldbody>"), ModelError::Parse { .. }));
        assert!(matches!(
            load("<mujoco><include file=\"dclaw3xh_valve3_v0.xml\"/></mujoco>"),
            ModelError::TooDeep { .. }
        ));
        assert!(matches!(load("<mujoco><include file=\"gone.xml\"/></mujoco>"), ModelError::Missing { .. }));
        assert!(matches!(load("<mujoco/>"), ModelError::Shape { .. }));
        std::fs::write(&scene, [0xff, 0xfe, 0x00]).unwrap();
        assert!(matches!(Model::robel(folder.path()), Err(ModelError::Missing { .. })));
    }

    #[test]
    fn a_model_of_something_else_is_refused_by_what_it_lacks() {
        let error = Model::parse("test", "<mujoco/>", TURNKEY_NAMES).err().unwrap().to_string();
        assert!(error.contains("10 coordinates"), "{error}");
    }
}
