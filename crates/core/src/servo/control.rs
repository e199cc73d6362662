//! What a servo can be told to control besides its position.

use super::profile::Profile;
use super::{
    FULL_PWM, LOOP_SECS, RADIANS_PER_SEC_PER_VELOCITY_UNIT, RADIANS_PER_SEC2_PER_ACCELERATION_UNIT, Servo, ServoState,
};

/// What the operating mode register (11) selects, with the vendor's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatingMode {
    /// 0: a current, whatever position and velocity come of it.
    Current,
    /// 1: a velocity.
    Velocity,
    /// 3: a position within one turn, inside the position limits.
    Position,
    /// 4: a position over 256 turns either way.
    ExtendedPosition,
    /// 5: a position over many turns, with the goal current as the most it may take.
    CurrentBasedPosition,
    /// 16: a voltage.
    Pwm,
}

impl OperatingMode {
    /// The mode that the register's `value` stands for, if any.
    #[must_use]
    pub fn from_register(value: u8) -> Option<Self> {
        let modes = [
            Self::Current,
            Self::Velocity,
            Self::Position,
            Self::ExtendedPosition,
            Self::CurrentBasedPosition,
            Self::Pwm,
        ];
        modes.into_iter().find(|mode| mode.register() == value)
    }

    /// The register's value.
    #[must_use]
    pub fn register(self) -> u8 {
        match self {
            Self::Current => 0,
            Self::Velocity => 1,
            Self::Position => 3,
            Self::ExtendedPosition => 4,
            Self::CurrentBasedPosition => 5,
            Self::Pwm => 16,
        }
    }
}

/// What a servo is told to control, with its goal. The goal position is [`ServoState::goal`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Control {
    /// The position, with at most `amperes` (not negative) if given: modes 3, 4 and 5.
    Position {
        /// The most current it may take, A.
        amperes: Option<f64>,
    },
    /// The velocity: mode 1.
    Velocity {
        /// The goal, rad/s.
        velocity: f64,
        /// Velocity P gain (register 78): PWM units for 128 velocity units of error.
        p_gain: u16,
        /// Velocity I gain (register 76): PWM units for 65,536 velocity units of error summed every millisecond.
        i_gain: u16,
    },
    /// The current: mode 0.
    Current {
        /// The goal, A.
        amperes: f64,
    },
    /// The voltage: mode 16.
    Pwm {
        /// The goal; 885 is all of the supply.
        units: f64,
    },
}

impl Servo {
    /// Lets `dt` seconds pass under any control, as [`Servo::step`] does under that of the position; gives the
    /// torque on the joint, N m.
    pub fn step_under(&self, control: Control, state: &mut ServoState, dt: f64, position: f64, velocity: f64) -> f64 {
        if !state.torque_enabled || matches!(control, Control::Position { amperes: None }) {
            return self.step(state, dt, position, velocity);
        }
        if !matches!(control, Control::Position { .. }) {
            state.profile.position = position;
        }
        let torque = match control {
            Control::Position { amperes } => {
                let most = amperes.unwrap_or(f64::INFINITY).max(0.0) * self.model.torque_constant();
                let volts = self.position_control(state, dt, position, velocity);
                self.motor_torque(volts, velocity).clamp(-most, most)
            }
            Control::Velocity { velocity: goal, p_gain, i_gain } => {
                let volts = self.velocity_control(state, dt, velocity, goal, (p_gain, i_gain));
                self.motor_torque(volts, velocity)
            }
            Control::Current { amperes } => {
                let wanted = amperes * self.model.torque_constant();
                let most = self.pwm_limit() / FULL_PWM * self.supply_volts;
                let (low, high) = (self.motor_torque(-most, velocity), self.motor_torque(most, velocity));
                wanted.clamp(low.min(high), high.max(low))
            }
            Control::Pwm { units } => {
                let limit = self.pwm_limit();
                self.motor_torque(units.clamp(-limit, limit) / FULL_PWM * self.supply_volts, velocity)
            }
        };
        state.current = torque / self.model.torque_constant();
        self.warm(state, dt);
        torque
    }

    /// The voltage that ramp and PI of the velocity put on the motor, V.
    fn velocity_control(&self, state: &mut ServoState, dt: f64, velocity: f64, goal: f64, gains: (u16, u16)) -> f64 {
        let acceleration = f64::from(self.settings.profile_acceleration) * RADIANS_PER_SEC2_PER_ACCELERATION_UNIT;
        let Profile { velocity: follows, .. } = &mut state.profile;
        let gain = if acceleration > 0.0 { acceleration * dt } else { f64::INFINITY };
        *follows += (goal - *follows).clamp(-gain, gain);
        let error = (*follows - velocity) / RADIANS_PER_SEC_PER_VELOCITY_UNIT;
        let (p, i) = (f64::from(gains.0) / 128.0, f64::from(gains.1) / 65_536.0);
        let limit = self.pwm_limit();
        if i > 0.0 {
            let full = limit / i * LOOP_SECS;
            state.integral = (state.integral + error * dt).clamp(-full, full);
        }
        (p * error + i * state.integral / LOOP_SECS).clamp(-limit, limit) / FULL_PWM * self.supply_volts
    }

    fn pwm_limit(&self) -> f64 {
        f64::from(self.settings.pwm_limit).min(FULL_PWM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servo::ServoName;

    /// A free horn of 0.002 kg m^2 for `secs`: where it ends, and how fast.
    fn drive(servo: &Servo, control: Control, state: &mut ServoState, secs: f64) -> (f64, f64) {
        let (mut position, mut velocity) = (0.0, 0.0);
        for _ in 0..(secs / 0.001) as usize {
            velocity += servo.step_under(control, state, 0.001, position, velocity) / 0.002 * 0.001;
            position += velocity * 0.001;
        }
        (position, velocity)
    }

    #[test]
    fn the_registers_numbers_are_the_vendors() {
        let numbers: Vec<u8> = (0..=255).filter(|&number| OperatingMode::from_register(number).is_some()).collect();
        assert_eq!(numbers, [0, 1, 3, 4, 5, 16]);
        assert_eq!(OperatingMode::from_register(4), Some(OperatingMode::ExtendedPosition));
    }

    #[test]
    fn a_velocity_is_reached_and_its_ramp_is_kept() {
        let mut servo = Servo::new(ServoName::Xm430W210);
        let control = Control::Velocity { velocity: 3.0, p_gain: 100, i_gain: 1920 };
        let (_, velocity) = drive(&servo, control, &mut ServoState::holding(0.0), 2.0);
        assert!((velocity - 3.0).abs() < 0.05, "{velocity}");
        servo.settings.profile_acceleration = 5; // 1.87 rad/s^2
        let (_, velocity) = drive(&servo, control, &mut ServoState::holding(0.0), 0.5);
        assert!(velocity < 1.2, "{velocity}");
    }

    #[test]
    fn a_current_gives_its_torque_until_the_voltage_is_used_up() {
        let servo = Servo::new(ServoName::Xm430W210);
        let mut state = ServoState::holding(0.0);
        let control = Control::Current { amperes: -0.23 };
        assert!((servo.step_under(control, &mut state, 0.001, 0.0, 0.0) + 0.3).abs() < 1e-12);
        assert!((state.current + 0.23).abs() < 1e-12);
        let control = Control::Current { amperes: 2.3 };
        let free = servo.model.no_load_speed;
        assert!(servo.step_under(control, &mut state, 0.001, 0.0, free).abs() < 1e-9, "no voltage is left");
    }

    #[test]
    fn a_goal_current_bounds_what_a_position_may_take() {
        let servo = Servo::new(ServoName::Xm430W210);
        let mut state = ServoState::holding(0.0);
        state.goal = 1.0;
        let control = Control::Position { amperes: Some(0.1) };
        let torque = servo.step_under(control, &mut state, 0.001, 0.0, 0.0);
        assert!((torque - 0.1 * 3.0 / 2.3).abs() < 1e-12);
    }

    #[test]
    fn position_control_is_that_of_the_plain_step_to_the_bit() {
        let servo = Servo::new(ServoName::Xm430W210);
        let (mut one, mut other) = (ServoState::holding(0.0), ServoState::holding(0.0));
        (one.goal, other.goal) = (0.4, 0.4);
        for k in 0..100 {
            let (position, velocity) = (f64::from(k) * 0.004, 1.3);
            let control = Control::Position { amperes: None };
            let torque = servo.step_under(control, &mut one, 0.0025, position, velocity);
            assert_eq!(torque.to_bits(), servo.step(&mut other, 0.0025, position, velocity).to_bits());
        }
        assert_eq!(one, other);
    }

    #[test]
    fn half_the_pwm_is_half_the_supply_and_with_torque_off_nothing_gives_any() {
        let servo = Servo::new(ServoName::Xm430W210);
        let mut state = ServoState::holding(0.0);
        let control = Control::Pwm { units: 442.5 };
        assert!((servo.step_under(control, &mut state, 0.001, 0.0, 0.0) - 1.5).abs() < 1e-12);
        state.torque_enabled = false;
        assert_eq!(servo.step_under(control, &mut state, 0.001, 0.0, 0.0), 0.0);
    }
}
