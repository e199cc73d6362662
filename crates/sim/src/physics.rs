//! MuJoCo's state and model of one twin: the only module that steps it.

use crate::config::PHYSICS_STEP_SECS;
use crate::model::{Model, Names};
use crate::{Actuation, DivergenceError, Dynamics, ModelError};
use mujoco_rs::prelude::*;
use turnkey_core::{FINGERS, JOINTS, JointVector};

/// Position, speed, warm start, controls, time: all that decides how MuJoCo goes on.
const STATE: u32 = MjtState::mjSTATE_INTEGRATION as u32;
/// The joint after the claw's: the valve's.
const VALVE: usize = JOINTS;
/// Geoms with less sliding friction than this are the plastic ones: fingertips and valve (0.2; metal has 1).
const PLASTIC_FRICTION: f64 = 0.5;

/// What the model has before anything is randomised, and where.
struct Nominal {
    dynamics: Dynamics,
    plastic: Vec<usize>,
    /// Bodies of the joints, the valve's last.
    bodies: [usize; JOINTS + 1],
    mass: [f64; JOINTS + 1],
    inertia: [[f64; 3]; JOINTS + 1],
    gain: JointVector,
    claw: usize,
    claw_position: [f64; 3],
    tips: [usize; FINGERS],
}

/// A model in motion.
pub(crate) struct Physics {
    data: MjData<Box<MjModel>>,
    actuation: Actuation,
    nominal: Nominal,
    dynamics: Dynamics,
}

impl Physics {
    /// The model at rest with its own dynamics, under `supply_volts`.
    pub(crate) fn new(mut model: Model, actuation: Actuation, supply_volts: f64) -> Result<Self, ModelError> {
        if actuation == Actuation::Servo {
            make_torque_motors(&mut model.mj);
        }
        let nominal = nominal(&model.mj, &model.names, supply_volts)?;
        let data = MjData::try_new(Box::new(model.mj));
        let data = data.map_err(|error| ModelError::Parse { model: "claw", reason: error.to_string() })?;
        let dynamics = nominal.dynamics.clone();
        let mut physics = Self { data, actuation, nominal, dynamics };
        physics.data.forward();
        Ok(physics)
    }

    /// The dynamics in force.
    pub(crate) fn dynamics(&self) -> &Dynamics {
        &self.dynamics
    }

    /// The model's own dynamics.
    pub(crate) fn nominal(&self) -> &Dynamics {
        &self.nominal.dynamics
    }

    pub(crate) fn model(&self) -> &MjModel {
        self.data.model()
    }

    pub(crate) fn data(&self) -> &MjData<Box<MjModel>> {
        &self.data
    }

    pub(crate) fn data_mut(&mut self) -> &mut MjData<Box<MjModel>> {
        &mut self.data
    }

    /// Puts other dynamics in force, whatever was in force before.
    pub(crate) fn apply(&mut self, dynamics: &Dynamics) {
        let nominal = &self.nominal;
        let masses_change = dynamics.mass_scale != self.dynamics.mass_scale;
        // SAFETY: what is written below are physical values of existing elements; no size or index changes.
        let model = unsafe { self.data.model_mut() };
        for &geom in &nominal.plastic {
            model.geom_friction_mut()[geom][0] = dynamics.sliding_friction;
        }
        model.dof_damping_mut()[..JOINTS].copy_from_slice(&dynamics.joint_damping);
        model.dof_damping_mut()[VALVE] = dynamics.valve_damping;
        model.dof_frictionloss_mut()[..JOINTS].copy_from_slice(&dynamics.joint_frictionloss);
        model.dof_frictionloss_mut()[VALVE] = dynamics.valve_frictionloss;
        if self.actuation == Actuation::Position {
            for joint in 0..JOINTS {
                let gain = nominal.gain[joint] * dynamics.gain_scale[joint];
                // SAFETY: as above.
                let gains = unsafe { model.actuator_gainprm_mut() };
                gains[joint][0] = gain;
                model.actuator_biasprm_mut()[joint][1] = -gain;
            }
        }
        let [x, y, z] = nominal.claw_position;
        model.body_pos_mut()[nominal.claw] = [x + dynamics.mount_offset[0], y + dynamics.mount_offset[1], z];
        if masses_change {
            for (index, scale) in dynamics.mass_scale.iter().enumerate() {
                model.body_mass_mut()[nominal.bodies[index]] = nominal.mass[index] * scale;
                model.body_inertia_mut()[nominal.bodies[index]] = nominal.inertia[index].map(|moment| moment * scale);
            }
            self.data.set_const();
        }
        self.dynamics = dynamics.clone();
    }

    /// Starts over at rest, at these angles (rad).
    pub(crate) fn place(&mut self, joints: &JointVector, valve: f64) -> Result<(), DivergenceError> {
        self.data.reset();
        self.data.qpos_mut()[..JOINTS].copy_from_slice(joints);
        self.data.qpos_mut()[VALVE] = valve;
        self.data.forward();
        self.believable()
    }

    /// One step of the physics under `controls`: goals in rad, or torques in N m.
    pub(crate) fn step(&mut self, controls: &JointVector) -> Result<(), DivergenceError> {
        self.data.ctrl_mut().copy_from_slice(controls);
        self.data.step();
        self.believable()
    }

    /// Has `torque` (N m) act on the valve's axis, from the next step on.
    pub(crate) fn push_valve(&mut self, torque: f64) {
        self.data.qfrc_applied_mut()[VALVE] = torque;
    }

    fn believable(&self) -> Result<(), DivergenceError> {
        const WARNINGS: [&str; 7] = [
            "the inertia matrix is close to singular",
            "there are more contacts than there is room for",
            "there are more constraints than there is room for",
            "a position is not a number, or huge",
            "a speed is not a number, or huge",
            "an acceleration is not a number, or huge",
            "a control is not a number, or huge",
        ];
        let warned = self.data.warning().iter().zip(WARNINGS).find(|(warning, _)| warning.number > 0);
        let what = match warned {
            Some((warning, text)) => format!("{text} (index {})", warning.lastinfo),
            None if self.data.qpos().iter().all(|angle| angle.is_finite()) => return Ok(()),
            None => "a position is not a number".into(),
        };
        Err(DivergenceError { seconds: self.data.time(), what })
    }

    /// Joint angles, rad.
    pub(crate) fn positions(&self) -> JointVector {
        std::array::from_fn(|joint| self.data.qpos()[joint])
    }

    /// Joint velocities, rad/s.
    pub(crate) fn velocities(&self) -> JointVector {
        std::array::from_fn(|joint| self.data.qvel()[joint])
    }

    /// What the actuators gave in the last physics step, N m.
    pub(crate) fn torques(&self) -> JointVector {
        std::array::from_fn(|joint| self.data.actuator_force()[joint])
    }

    /// The valve's angle (rad) and angular velocity (rad/s).
    pub(crate) fn valve(&self) -> (f64, f64) {
        (self.data.qpos()[VALVE], self.data.qvel()[VALVE])
    }

    /// Where the fingertips are, m.
    pub(crate) fn tips(&self) -> [[f64; 3]; FINGERS] {
        self.nominal.tips.map(|site| self.data.site_xpos()[site])
    }

    /// All that decides how the physics goes on, the dynamics aside.
    pub(crate) fn state(&self) -> Vec<f64> {
        self.data.state(STATE).into_vec()
    }

    /// Whether `state` is one of this model.
    pub(crate) fn fits(&self, state: &[f64]) -> Result<(), String> {
        let expected = self.data.model().state_size(STATE);
        match state.len() {
            length if length != expected => Err(format!("expected {expected} numbers of physics, got {length}")),
            _ if state.iter().any(|number| !number.is_finite()) => Err("its physics holds what is no number".into()),
            _ => Ok(()),
        }
    }

    /// Takes up a state that [`Physics::fits`].
    pub(crate) fn set_state(&mut self, state: &[f64]) -> Result<(), String> {
        self.data.reset();
        self.data.set_state(state, STATE).map_err(|error| error.to_string())?;
        self.place_bodies();
        Ok(())
    }

    /// Puts bodies where the joints' angles say: a step ends with them where it began. Only pictures depend on
    /// it; anything more would change the solver's warm start.
    pub(crate) fn place_bodies(&mut self) {
        self.data.kinematics();
    }
}

/// Turns the position actuators into plain torque motors. The joints' damping stands for the servos' own in
/// the published models; the servo model brings that itself, so it goes.
fn make_torque_motors(model: &mut MjModel) {
    // SAFETY: gains of existing actuators are values; no size or index changes.
    let gains = unsafe { model.actuator_gainprm_mut() };
    gains.iter_mut().for_each(|gain| gain[0] = 1.0);
    model.actuator_biasprm_mut().iter_mut().for_each(|bias| bias.fill(0.0));
    model.actuator_ctrllimited_mut().fill(false);
    model.dof_damping_mut()[..JOINTS].fill(0.0);
}

fn nominal(model: &MjModel, names: &Names, supply_volts: f64) -> Result<Nominal, ModelError> {
    let find = |kind, name: &str| {
        let missing = || ModelError::Shape { model: "claw", expected: format!("one named {name}"), got: "none".into() };
        model.name_to_id(kind, name).ok_or_else(missing)
    };
    let mut tips = [0; FINGERS];
    for (tip, name) in tips.iter_mut().zip(names.tips) {
        *tip = find(MjtObjBase::mjOBJ_SITE, name)?;
    }
    let claw = find(MjtObjBase::mjOBJ_BODY, names.claw)?;
    let bodies: [usize; JOINTS + 1] = std::array::from_fn(|joint| model.jnt_bodyid()[joint] as usize);
    let collides = |geom: usize| model.geom_contype()[geom] != 0 || model.geom_conaffinity()[geom] != 0;
    let friction = model.geom_friction();
    let plastic: Vec<_> =
        (0..friction.len()).filter(|&geom| collides(geom) && friction[geom][0] < PLASTIC_FRICTION).collect();
    let dynamics = Dynamics {
        sliding_friction: plastic.first().map_or(0.0, |&geom| friction[geom][0]),
        joint_damping: std::array::from_fn(|joint| model.dof_damping()[joint]),
        joint_frictionloss: std::array::from_fn(|joint| model.dof_frictionloss()[joint]),
        valve_damping: model.dof_damping()[VALVE],
        valve_frictionloss: model.dof_frictionloss()[VALVE],
        gain_scale: [1.0; JOINTS],
        mass_scale: [1.0; JOINTS + 1],
        mount_offset: [0.0; 2],
        latency_secs: 0.0,
        joint_noise: 0.0,
        valve_noise: 0.0,
        supply_volts,
    };
    Ok(Nominal {
        dynamics,
        plastic,
        bodies,
        mass: bodies.map(|body| model.body_mass()[body]),
        inertia: bodies.map(|body| model.body_inertia()[body]),
        gain: std::array::from_fn(|joint| model.actuator_gainprm()[joint][0]),
        claw,
        claw_position: model.body_pos()[claw],
        tips,
    })
}

/// `seconds` as a whole number of physics steps.
pub(crate) fn physics_steps(seconds: f64) -> u64 {
    (seconds / PHYSICS_STEP_SECS).round() as u64
}
