//! The pure servo model: what a Dynamixel does with a goal, a supply and a load.
//!
//! A [`Servo`] is a row of the table of models with its settings and its supply; a [`ServoState`] is what it
//! remembers. [`Servo::step`] is one turn of its loop: profile, position PID, motor, heat. Whoever simulates
//! the joint (the twin, emulated servos) integrates the torque that comes out.
//!
//! [`Servo::step_under`] does the same for the servo's other operating modes, [`Alarm`] watches for overload, heat
//! and a bad supply, and [`ServoPhysics`] is what the torque turns.
//!
//! The motor is ideal: torque falls linearly from stall to no-load speed, both proportional to the voltage
//! on the motor. Friction beyond what the no-load speed tells, backlash and gear elasticity are left out.

mod alarm;
mod control;
mod inertia;
mod physics;
mod profile;
mod table;

pub use alarm::{Alarm, HardwareError};
pub use control::{Control, OperatingMode};
pub use inertia::FreeHorns;
pub use physics::{Horn, ServoPhysics};
use profile::Profile;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;
pub use table::{ServoModel, ServoName};

/// Encoder ticks a turn.
pub const TICKS_PER_TURN: f64 = 4096.0;
/// One encoder tick, rad.
pub const RADIANS_PER_TICK: f64 = TAU / TICKS_PER_TURN;
/// One unit of velocity registers, 0.229 rev/min, in rad/s.
pub const RADIANS_PER_SEC_PER_VELOCITY_UNIT: f64 = 0.229 * TAU / 60.0;
/// One unit of the profile acceleration register, 214.577 rev/min^2, in rad/s^2.
pub const RADIANS_PER_SEC2_PER_ACCELERATION_UNIT: f64 = 214.577 * TAU / 3600.0;
/// The PWM register's value for the whole supply on the motor.
pub const FULL_PWM: f64 = 885.0;

/// Time of one turn of the servo's own control loop, s: gains of I and D count in it. Assumed.
const LOOP_SECS: f64 = 0.001;
/// Warming of the motor by one watt lost in it, K/W, and the time constant of that, s. Assumed, such that a
/// stalled XM430-W210 meets its limit of 80 degrees after about five minutes.
const THERMAL_RESISTANCE: f64 = 3.0;
const THERMAL_SECS: f64 = 300.0;
/// Temperature of the room, degrees C.
const ROOM: f64 = 25.0;

/// A servo's settings, in its registers' own units (the vendor's manual, control table of the X series).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServoSettings {
    /// Position P gain (register 84): PWM units for 128 ticks of error.
    pub position_p_gain: u16,
    /// Position I gain (register 82): PWM units for 65,536 ticks of error summed every millisecond.
    pub position_i_gain: u16,
    /// Position D gain (register 80): PWM units for 16 ticks of error gained in a millisecond.
    pub position_d_gain: u16,
    /// Profile velocity (register 112), 0.229 rev/min; 0 lets goals jump.
    pub profile_velocity: u32,
    /// Profile acceleration (register 108), 214.577 rev/min^2; 0 lets the velocity jump.
    pub profile_acceleration: u32,
    /// Current limit (register 38), in the model's current unit; the model's own if absent.
    pub current_limit: Option<u16>,
    /// PWM limit (register 36), 0.113 %; 885 is all of the supply.
    pub pwm_limit: u16,
}

impl Default for ServoSettings {
    /// As the servo leaves the factory.
    fn default() -> Self {
        Self {
            position_p_gain: 800,
            position_i_gain: 0,
            position_d_gain: 0,
            profile_velocity: 0,
            profile_acceleration: 0,
            current_limit: None,
            pwm_limit: 885,
        }
    }
}

/// A servo in position control, with what it is powered by.
#[derive(Clone, Debug, PartialEq)]
pub struct Servo {
    /// What kind it is.
    pub model: &'static ServoModel,
    /// How it is set.
    pub settings: ServoSettings,
    /// Its supply, V.
    pub supply_volts: f64,
    /// Factor on the P, I and D gains: 1, unless a simulation makes servos differ.
    pub gain_scale: f64,
}

/// What a servo remembers from one turn of its loop to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServoState {
    /// Where it is told to go, rad.
    pub goal: f64,
    /// Whether it gives torque at all.
    pub torque_enabled: bool,
    profile: Profile,
    /// Error summed over time, tick s.
    integral: f64,
    /// Current in the motor, A; the sign is the torque's.
    pub current: f64,
    /// Temperature of the motor, degrees C.
    pub temperature: f64,
}

impl ServoState {
    /// A servo at room temperature that holds `position` (rad).
    #[must_use]
    pub fn holding(position: f64) -> Self {
        Self {
            goal: position,
            torque_enabled: true,
            profile: Profile::at(position),
            integral: 0.0,
            current: 0.0,
            temperature: ROOM,
        }
    }

    /// Starts profile and PID anew from `position` (rad), as a servo does when its torque is turned on or its mode
    /// changed; goal and temperature stay.
    pub fn start_from(&mut self, position: f64) {
        self.profile = Profile::at(position);
        self.integral = 0.0;
    }

    /// Where the profile is on its way to the goal: position (rad) and velocity (rad/s).
    #[must_use]
    pub fn trajectory(&self) -> (f64, f64) {
        (self.profile.position, self.profile.velocity)
    }
}

impl Servo {
    /// A servo from the factory, on its nominal supply.
    #[must_use]
    pub fn new(name: ServoName) -> Self {
        let model = name.model();
        Self { model, settings: ServoSettings::default(), supply_volts: model.nominal_volts, gain_scale: 1.0 }
    }

    /// Lets `dt` seconds pass with the horn at `position` (rad) turning at `velocity` (rad/s); gives the
    /// torque (N m) it puts on its joint meanwhile.
    pub fn step(&self, state: &mut ServoState, dt: f64, position: f64, velocity: f64) -> f64 {
        let volts = if state.torque_enabled { self.position_control(state, dt, position, velocity) } else { 0.0 };
        let torque = if state.torque_enabled { self.motor_torque(volts, velocity) } else { 0.0 };
        state.current = torque / self.model.torque_constant();
        self.warm(state, dt);
        torque
    }

    /// The voltage that profile and PID put on the motor, V.
    fn position_control(&self, state: &mut ServoState, dt: f64, position: f64, velocity: f64) -> f64 {
        let settings = &self.settings;
        state.profile.advance(
            state.goal,
            f64::from(settings.profile_velocity) * RADIANS_PER_SEC_PER_VELOCITY_UNIT,
            f64::from(settings.profile_acceleration) * RADIANS_PER_SEC2_PER_ACCELERATION_UNIT,
            dt,
        );
        let limit = f64::from(settings.pwm_limit).min(FULL_PWM);
        let error = (state.profile.position / RADIANS_PER_TICK).round() - ticks(position);
        let gained = (state.profile.velocity - velocity) / RADIANS_PER_TICK * LOOP_SECS;
        let (p, i, d) = self.gains();
        if i > 0.0 {
            // The sum stops where it alone would fill the PWM, so that a blocked joint doesn't wind it up.
            let full = limit / i * LOOP_SECS;
            state.integral = (state.integral + error * dt).clamp(-full, full);
        }
        let pwm = p * error + i * state.integral / LOOP_SECS + d * gained;
        pwm.clamp(-limit, limit) / FULL_PWM * self.supply_volts
    }

    /// PWM units a tick of error, a tick of error a loop, and a tick gained in a loop.
    fn gains(&self) -> (f64, f64, f64) {
        let scaled = |gain: u16, unit: f64| f64::from(gain) / unit * self.gain_scale;
        let settings = &self.settings;
        (
            scaled(settings.position_p_gain, 128.0),
            scaled(settings.position_i_gain, 65_536.0),
            scaled(settings.position_d_gain, 16.0),
        )
    }

    /// The torque of the motor with `volts` on it, turning at `velocity` (rad/s): what the voltage gives
    /// less what the motor's own voltage takes, within the current limit. N m.
    #[must_use]
    pub fn motor_torque(&self, volts: f64, velocity: f64) -> f64 {
        let model = self.model;
        let free = model.stall_torque * (volts / model.nominal_volts - velocity / model.no_load_speed);
        let units = self.settings.current_limit.unwrap_or(model.current_limit);
        let most = f64::from(units) * model.current_unit * model.torque_constant();
        free.clamp(-most, most)
    }

    fn warm(&self, state: &mut ServoState, dt: f64) {
        let watts = state.current.powi(2) * self.model.resistance();
        let settled = ROOM + THERMAL_RESISTANCE * watts;
        state.temperature += (settled - state.temperature) * (dt / THERMAL_SECS).min(1.0);
    }

    /// What the current register says of a torque: the nearest it can tell, N m.
    #[must_use]
    pub fn torque_read(&self, state: &ServoState) -> f64 {
        (state.current / self.model.current_unit).round() * self.model.current_unit * self.model.torque_constant()
    }
}

fn ticks(radians: f64) -> f64 {
    (radians / RADIANS_PER_TICK).round()
}

/// What the position register says of an angle: the nearest of 4096 a turn, rad.
#[must_use]
pub fn position_read(radians: f64) -> f64 {
    ticks(radians) * RADIANS_PER_TICK
}

/// What the velocity register says of a velocity: the nearest multiple of 0.229 rev/min, rad/s.
#[must_use]
pub fn velocity_read(radians_per_sec: f64) -> f64 {
    (radians_per_sec / RADIANS_PER_SEC_PER_VELOCITY_UNIT).round() * RADIANS_PER_SEC_PER_VELOCITY_UNIT
}

#[cfg(test)]
mod tests;
