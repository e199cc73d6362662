//! What any user of the twin relies on.

use turnkey_core::servo::{RADIANS_PER_TICK, ServoName};
use turnkey_core::{JOINTS, JointGoal, Kind, Plant, Reading, Rng, Snapshot, Start};
use turnkey_sim::{Actuation, ModelName, Range, Twin, TwinConfig};

fn start(seed: u64) -> Start {
    let (middle, top) = (-std::f64::consts::FRAC_PI_3, std::f64::consts::FRAC_PI_3);
    Start { joints: [0.0, middle, top, 0.0, middle, top, 0.0, middle, top], valve: 0.5, seed }
}

fn randomised() -> TwinConfig {
    let mut config = TwinConfig::default();
    let ranges = &mut config.randomisation;
    ranges.sliding_friction = Some(Range([0.1, 0.4]));
    ranges.joint_damping = Some(Range([0.05, 0.15]));
    ranges.joint_frictionloss_newton_metres = Some(Range([0.001, 0.005]));
    ranges.gain_scale = Some(Range([0.5, 1.5]));
    ranges.mass_scale = Some(Range([0.8, 1.2]));
    ranges.mount_offset_metres = Some(Range([-0.01, 0.01]));
    ranges.latency_secs = Some(Range([0.0, 0.15]));
    ranges.joint_noise_radians = Some(Range([0.001, 0.01]));
    config
}

fn random_goal(twin: &Twin, rng: &mut Rng, reading: &Reading) -> JointGoal {
    let limits = twin.limits();
    let target: [f64; JOINTS] = std::array::from_fn(|joint| rng.uniform(limits.low()[joint], limits.high()[joint]));
    limits.clip(&target, &reading.positions)
}

fn run(twin: &mut Twin, rng: &mut Rng, mut reading: Reading, steps: usize) -> Vec<Reading> {
    let mut readings = Vec::new();
    for _ in 0..steps {
        let goal = random_goal(twin, rng, &reading);
        reading = twin.step(&goal).unwrap();
        readings.push(reading.clone());
    }
    readings
}

#[test]
fn a_reset_puts_everything_where_it_was_told_and_time_goes_on() {
    let mut twin = Twin::new(TwinConfig::default()).unwrap();
    let reading = twin.reset(&start(1)).unwrap();
    assert_eq!(reading.positions, start(1).joints);
    assert_eq!(reading.valve.unwrap().angle, 0.5);
    assert_eq!(reading.velocities, [0.0; JOINTS]);
    let readings = run(&mut twin, &mut Rng::new(1, "test"), reading, 3);
    assert_eq!(readings[2].stamp.0, 3 * twin.period());
    assert!(twin.reset(&start(2)).unwrap().stamp >= readings[2].stamp, "a clock never turns back");
}

#[test]
fn joints_follow_their_goals_and_the_valve_can_be_turned() {
    let mut twin = Twin::new(TwinConfig::default()).unwrap();
    let reading = twin.reset(&start(1)).unwrap();
    let readings = run(&mut twin, &mut Rng::new(2, "test"), reading, 200);
    let angles: Vec<f64> = readings.iter().map(|reading| reading.valve.unwrap().angle).collect();
    assert!(angles.iter().any(|angle| (angle - 0.5).abs() > 0.2), "the fingers never met the valve");
    let hold = twin.limits().clip(&start(1).joints, &start(1).joints);
    let held = (0..20).map(|_| twin.step(&hold).unwrap()).last().unwrap();
    let worst = held.positions.iter().zip(start(1).joints).map(|(is, goal)| (is - goal).abs()).fold(0.0, f64::max);
    assert!(worst < 0.3, "a joint stays {worst} rad away from its goal");
}

#[test]
fn after_a_restore_the_next_hundred_steps_are_the_same_to_the_bit() {
    let servos_randomised = TwinConfig { actuation: Actuation::Servo, ..randomised() };
    for config in [TwinConfig::default(), randomised(), servos(), servos_randomised] {
        let mut twin = Twin::new(config.clone()).unwrap();
        let mut rng = Rng::new(3, "test");
        let reading = twin.reset(&start(3)).unwrap();
        let reading = run(&mut twin, &mut rng, reading, 17).pop().unwrap();
        let saved = twin.save();
        let expected = run(&mut twin, &mut rng.clone(), reading.clone(), 100);

        let mut other = Twin::new(config).unwrap();
        let elsewhere = other.reset(&start(99)).unwrap();
        run(&mut other, &mut Rng::new(4, "test"), elsewhere, 5);
        for twin in [&mut twin, &mut other] {
            twin.restore(&saved).unwrap();
            assert_eq!(twin.save(), saved);
            assert_eq!(run(twin, &mut rng.clone(), reading.clone(), 100), expected);
        }
    }
}

#[test]
fn bytes_that_are_no_state_change_nothing() {
    let mut twin = Twin::new(TwinConfig::default()).unwrap();
    twin.reset(&start(5)).unwrap();
    let saved = twin.save();
    let other = Twin::new(TwinConfig { period_secs: 0.05, ..TwinConfig::default() }).unwrap().save();
    for bytes in [&[][..], b"claw", &saved[..saved.len() - 1], &saved[1..], &other] {
        assert!(twin.restore(bytes).unwrap_err().to_string().contains("twin"));
        assert_eq!(twin.save(), saved);
    }
}

#[test]
fn the_same_seed_draws_the_same_dynamics_and_another_seed_draws_others() {
    let mut twin = Twin::new(randomised()).unwrap();
    let mut drawn = |seed| {
        twin.reset(&start(seed)).unwrap();
        twin.dynamics().clone()
    };
    let (first, again, other) = (drawn(1), drawn(1), drawn(2));
    assert_eq!(first, again);
    assert_ne!(first, other);
    assert_ne!(first.gain_scale[0], first.gain_scale[1], "each joint draws its own");
    assert!((0.1..0.4).contains(&first.sliding_friction));
}

#[test]
fn every_shape_has_a_pose_and_the_mark_turns_with_the_valve() {
    let mut twin = Twin::new(TwinConfig::default()).unwrap();
    let mut mark_at = |valve| {
        twin.reset(&Start { valve, ..start(1) }).unwrap();
        let scene = twin.scene().unwrap();
        assert_eq!(scene.shapes.len(), twin.poses().len());
        let mark = scene.shapes.iter().position(|shape| shape.name == "valve/mark").unwrap();
        let [x, y, _] = twin.poses()[mark].position;
        f64::from(y).atan2(f64::from(x))
    };
    for angle in [0.0, 1.0, -2.0] {
        assert!((mark_at(angle) - angle).abs() < 1e-6);
    }
}

#[test]
fn a_valve_turns_without_end() {
    let mut twin = Twin::new(TwinConfig::default()).unwrap();
    let hold = twin.limits().clip(&[0.0; JOINTS], &start(1).joints);
    twin.reset(&Start { valve: 100.0, ..start(1) }).unwrap();
    let reading = twin.step(&hold).unwrap();
    assert!((reading.valve.unwrap().angle - 100.0).abs() < 0.5);
}

#[test]
fn a_start_that_is_no_angle_is_refused() {
    let mut twin = Twin::new(TwinConfig::default()).unwrap();
    for valve in [f64::NAN, f64::INFINITY, 1e300] {
        assert!(twin.reset(&Start { valve, ..start(1) }).is_err());
    }
    twin.reset(&start(1)).unwrap();
}

#[test]
fn a_twin_can_move_to_another_thread() {
    fn check<T: Send + Plant>() {}
    check::<Twin>();
    assert_eq!(TwinConfig::default().model, ModelName::Turnkey);
}

fn servos() -> TwinConfig {
    TwinConfig { actuation: Actuation::Servo, ..TwinConfig::default() }
}

#[test]
fn servos_reach_their_goals_within_a_period_and_read_in_ticks() {
    let mut twin = Twin::new(servos()).unwrap();
    let mut reading = twin.reset(&start(1)).unwrap();
    // Away from the valve: every finger lifts its tip.
    let target = std::array::from_fn(|joint| [0.0, -0.9, 0.4][joint % 3]);
    for _ in 0..10 {
        let goal = twin.limits().clip(&target, &reading.positions);
        reading = twin.step(&goal).unwrap();
    }
    for (joint, position) in reading.positions.iter().enumerate() {
        assert!((position - target[joint]).abs() < 0.03, "joint {joint} at {position}, goal {}", target[joint]);
        let ticks = position / RADIANS_PER_TICK;
        assert!((ticks - ticks.round()).abs() < 1e-6);
    }
}

#[test]
fn servos_stay_in_hand_at_every_corner_of_wide_ranges() {
    for servo_model in [ServoName::Xm430W210, ServoName::Xh430V210] {
        let mut config = TwinConfig { servo_model, ..servos() };
        config.randomisation.gain_scale = Some(Range([0.25, 2.0]));
        config.randomisation.mass_scale = Some(Range([0.5, 2.0]));
        config.randomisation.supply_volts = Some(Range([9.0, 26.0]));
        for corner in config.corners() {
            let mut twin = Twin::new(corner.config).unwrap();
            let reading = twin.reset(&start(1)).unwrap();
            let readings = run(&mut twin, &mut Rng::new(7, "test"), reading, 100);
            let fastest = readings.iter().flat_map(|reading| reading.velocities).map(f64::abs).fold(0.0, f64::max);
            assert!(fastest < 30.0, "{}: a joint at {fastest} rad/s", corner.name);
        }
    }
}

#[test]
fn the_supply_is_for_servos_alone() {
    let mut config = TwinConfig::default();
    config.randomisation.supply_volts = Some(Range([9.0, 12.0]));
    assert!(Twin::new(config.clone()).err().unwrap().to_string().contains("actuation = \"servo\""));
    Twin::new(TwinConfig { actuation: Actuation::Servo, ..config }).unwrap();
}

#[test]
fn physics_that_diverges_is_a_failure_and_the_next_reset_starts_clean() {
    let mut config = TwinConfig::default();
    config.randomisation.gain_scale = Some(Range([1e12, 1e12]));
    let mut twin = Twin::new(config).unwrap();
    for _ in 0..2 {
        let mut reading = twin.reset(&start(1)).unwrap();
        let mut rng = Rng::new(6, "test");
        let failure = loop {
            let goal = random_goal(&twin, &mut rng, &reading);
            match twin.step(&goal) {
                Ok(next) => reading = next,
                Err(failure) => break failure,
            }
            assert!(reading.positions.iter().all(|angle| angle.is_finite()), "garbage got out");
        };
        assert_eq!(failure.kind(), Kind::Retry);
        assert!(failure.to_string().contains("diverged"), "{failure}");
    }
}
