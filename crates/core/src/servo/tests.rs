use super::*;

const XM: ServoName = ServoName::Xm430W210;

/// A free joint of `inertia` (kg m^2) driven by the servo; gives position and velocity after each step.
fn drive(servo: &Servo, state: &mut ServoState, inertia: f64, secs: f64) -> Vec<(f64, f64)> {
    let (dt, mut position, mut velocity) = (0.001, 0.0, 0.0);
    let steps = (secs / dt) as usize;
    (0..steps)
        .map(|_| {
            velocity += servo.step(state, dt, position, velocity) / inertia * dt;
            position += velocity * dt;
            (position, velocity)
        })
        .collect()
}

#[test]
fn blocked_at_full_voltage_it_gives_the_vendors_stall_torque_and_current() {
    for (name, torque, current) in [(XM, 3.0, 2.3), (ServoName::Xh430V210, 2.6, 0.7)] {
        let servo = Servo::new(name);
        let mut state = ServoState::holding(0.0);
        state.goal = 1.0;
        assert!((servo.step(&mut state, 0.001, 0.0, 0.0) - torque).abs() < 1e-12);
        assert!((state.current - current).abs() < 1e-12);
    }
}

#[test]
fn free_at_full_voltage_it_reaches_the_vendors_no_load_speed() {
    let servo = Servo::new(XM);
    let mut state = ServoState::holding(0.0);
    state.goal = 1000.0;
    let (_, velocity) = *drive(&servo, &mut state, 0.01, 1.0).last().unwrap();
    assert!((velocity - 77.0 * TAU / 60.0).abs() < 1e-3, "{velocity}");
    assert!(state.current.abs() < 1e-3);
}

#[test]
fn torque_falls_in_proportion_with_supply_and_speed() {
    let mut servo = Servo::new(XM);
    assert!((servo.motor_torque(6.0, 0.0) - 1.5).abs() < 1e-12);
    let half = 0.5 * servo.model.no_load_speed;
    assert!((servo.motor_torque(12.0, half) - 1.5).abs() < 1e-12);
    assert!((servo.motor_torque(0.0, half) + 1.5).abs() < 1e-12, "it brakes when it is turned");
    servo.supply_volts = 9.0;
    let mut state = ServoState::holding(0.0);
    state.goal = 1.0;
    assert!((servo.step(&mut state, 0.001, 0.0, 0.0) - 2.25).abs() < 1e-12);
}

#[test]
fn the_current_limit_bounds_the_torque() {
    let mut servo = Servo::new(XM);
    servo.settings.current_limit = Some(100);
    let mut state = ServoState::holding(0.0);
    state.goal = 1.0;
    // 100 * 2.69 mA * 3.0 N m / 2.3 A.
    assert!((servo.step(&mut state, 0.001, 0.0, 0.0) - 0.350_869_6).abs() < 1e-6);
    assert!((state.current - 0.269).abs() < 1e-12);
}

#[test]
fn the_p_gain_counts_ticks_in_the_vendors_units() {
    let servo = Servo::new(XM);
    let mut state = ServoState::holding(0.0);
    state.goal = 10.0 * RADIANS_PER_TICK;
    // 10 ticks * 800 / 128 = 62.5 of 885 PWM units of 3 N m.
    let expected = 62.5 / 885.0 * 3.0;
    assert!((servo.step(&mut state, 0.001, 0.0, 0.0) - expected).abs() < 1e-12);
    assert!((servo.step(&mut state, 0.001, 0.4 * RADIANS_PER_TICK, 0.0) - expected).abs() < 1e-12, "less than a tick");
    assert!(servo.step(&mut state, 0.001, 0.6 * RADIANS_PER_TICK, 0.0) < expected);
}

#[test]
fn a_step_settles_within_a_tick_and_hardly_overshoots() {
    let servo = Servo::new(XM);
    let mut state = ServoState::holding(0.0);
    state.goal = 0.5;
    let path = drive(&servo, &mut state, 0.002, 1.0);
    let highest = path.iter().map(|(position, _)| *position).fold(0.0, f64::max);
    assert!(highest < 0.55, "{highest}");
    assert!((path.last().unwrap().0 - 0.5).abs() <= RADIANS_PER_TICK);
    assert!(path[399..].iter().all(|(position, _)| (position - 0.5).abs() < 0.01), "not settled after 0.4 s");
}

#[test]
fn integral_gain_closes_the_gap_that_a_load_leaves() {
    let load = -0.5;
    let rest = |i_gain: u16| {
        let mut servo = Servo::new(XM);
        servo.settings.position_i_gain = i_gain;
        let mut state = ServoState::holding(0.3);
        let (mut position, mut velocity) = (0.3, 0.0);
        for _ in 0..20_000 {
            velocity += (servo.step(&mut state, 0.001, position, velocity) + load) / 0.005 * 0.001;
            position += velocity * 0.001;
        }
        (position - 0.3_f64).abs()
    };
    // P alone: 0.5 N m of 3 N m is 147.5 PWM units, or 23.6 ticks.
    assert!((rest(0) / RADIANS_PER_TICK - 23.6).abs() < 1.5, "{}", rest(0) / RADIANS_PER_TICK);
    assert!(rest(300) < 2.0 * RADIANS_PER_TICK, "{}", rest(300));
}

#[test]
fn a_profile_slows_the_goal_down() {
    let mut servo = Servo::new(XM);
    servo.settings.profile_velocity = 87;
    let mut state = ServoState::holding(0.0);
    state.goal = 1.0;
    let path = drive(&servo, &mut state, 0.002, 1.0);
    let fastest = path.iter().map(|(_, velocity)| *velocity).fold(0.0, f64::max);
    assert!((fastest - 2.086).abs() < 0.25, "87 * 0.229 rev/min is 2.086 rad/s, got {fastest}");
    assert!((path.last().unwrap().0 - 1.0).abs() < 0.01);
}

#[test]
fn with_torque_off_it_gives_none() {
    let mut state = ServoState::holding(0.0);
    state.goal = 1.0;
    state.torque_enabled = false;
    assert_eq!(Servo::new(XM).step(&mut state, 0.001, 0.0, 3.0), 0.0);
}

#[test]
fn registers_read_to_their_resolution() {
    assert_eq!(position_read(1.4 * RADIANS_PER_TICK), RADIANS_PER_TICK);
    assert!((position_read(2.0) - 2.0).abs() <= 0.5 * RADIANS_PER_TICK);
    assert_eq!(velocity_read(0.01), 0.0, "less than half of 0.024 rad/s");
    assert!((velocity_read(1.0) - 1.0).abs() <= 0.5 * RADIANS_PER_SEC_PER_VELOCITY_UNIT);
    assert_eq!(ServoModel::with_number(1030).unwrap().name, XM);
    assert!(ServoModel::with_number(1).is_none());
}

#[test]
fn a_stalled_servo_overheats_in_minutes_and_a_resting_one_cools() {
    let servo = Servo::new(XM);
    let mut state = ServoState::holding(0.0);
    state.goal = 1.0;
    let mut secs: f64 = 0.0;
    while state.temperature < 80.0 && secs < 3600.0 {
        servo.step(&mut state, 0.1, 0.0, 0.0);
        secs += 0.1;
    }
    // 27.6 W * 3 K/W = 82.8 K above 25; 55 K are reached after 300 s * ln(82.8 / 27.8) = 327 s.
    assert!((secs - 327.0).abs() < 2.0, "{secs}");
    state.goal = 0.0;
    servo.step(&mut state, 300.0, 0.0, 0.0);
    assert!(state.temperature < 30.0);
}
