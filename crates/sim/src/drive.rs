//! What stands between goals and joints: nothing but the model's position actuators, or nine servos.

use crate::config::PHYSICS_STEP_SECS;
use crate::{Actuation, Dynamics, TwinConfig};
use turnkey_core::servo::{Servo, ServoState, position_read, velocity_read};
use turnkey_core::{JOINTS, JointVector, Reading, ValveReading};

/// Turns goals into what MuJoCo's actuators take.
pub(crate) struct Drive {
    servo: Servo,
    gain_scale: JointVector,
    /// One a joint with [`Actuation::Servo`]; none with [`Actuation::Position`].
    states: Vec<ServoState>,
}

impl Drive {
    pub(crate) fn new(config: &TwinConfig) -> Self {
        let mut servo = Servo::new(config.servo_model);
        servo.settings = config.servo.clone();
        let count = if config.actuation == Actuation::Servo { JOINTS } else { 0 };
        Self { servo, gain_scale: [1.0; JOINTS], states: vec![ServoState::holding(0.0); count] }
    }

    /// The supply that the servos are made for, V.
    pub(crate) fn nominal_volts(&self) -> f64 {
        self.servo.model.nominal_volts
    }

    /// Puts an episode's dynamics in force.
    pub(crate) fn apply(&mut self, dynamics: &Dynamics) {
        self.servo.supply_volts = dynamics.supply_volts;
        self.gain_scale = dynamics.gain_scale;
    }

    /// Starts over with cool servos that hold these angles (rad).
    pub(crate) fn hold(&mut self, positions: &JointVector) {
        for (state, position) in self.states.iter_mut().zip(positions) {
            *state = ServoState::holding(*position);
        }
    }

    /// Controls for the next physics step: the goal itself (rad), or the torque (N m) that each servo puts
    /// on its joint, which is at `positions` (rad) with `velocities` (rad/s).
    pub(crate) fn controls(
        &mut self,
        goal: &JointVector,
        positions: &JointVector,
        velocities: &JointVector,
    ) -> JointVector {
        let mut controls = *goal;
        for (joint, state) in self.states.iter_mut().enumerate() {
            state.goal = goal[joint];
            self.servo.gain_scale = self.gain_scale[joint];
            controls[joint] = self.servo.step(state, PHYSICS_STEP_SECS, positions[joint], velocities[joint]);
        }
        controls
    }

    /// What the servos' registers say of a reading; the valve is on a servo of its own.
    pub(crate) fn registers(&self, mut reading: Reading) -> Reading {
        if self.states.is_empty() {
            return reading;
        }
        reading.positions = reading.positions.map(position_read);
        reading.velocities = reading.velocities.map(velocity_read);
        reading.torques = std::array::from_fn(|joint| self.servo.torque_read(&self.states[joint]));
        reading.valve = reading.valve.map(|ValveReading { angle, velocity, stamp }| ValveReading {
            angle: position_read(angle),
            velocity: velocity_read(velocity),
            stamp,
        });
        reading
    }

    pub(crate) fn servos(&self) -> &[ServoState] {
        &self.states
    }

    /// Whether there is one state a servo.
    pub(crate) fn fits(&self, states: &[ServoState]) -> Result<(), String> {
        match (self.states.len(), states.len()) {
            (expected, got) if expected != got => Err(format!("expected {expected} servos, got {got}")),
            _ => Ok(()),
        }
    }

    /// Takes up states that [`Drive::fits`].
    pub(crate) fn take_up(&mut self, states: Vec<ServoState>) {
        self.states = states;
    }
}
