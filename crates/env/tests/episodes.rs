//! What the published tasks' episodes look like.

use std::f64::consts::{FRAC_PI_3, PI};
use turnkey_core::{Action, Environment, JOINTS, wrap_angle};
use turnkey_env::{ClawEnvironment, FirstOrderPlant, TaskConfig, TaskName, ValveTask};

fn environment(name: TaskName) -> ClawEnvironment<FirstOrderPlant> {
    ClawEnvironment::new(FirstOrderPlant::new(), ValveTask::new(TaskConfig::published(name)).unwrap()).unwrap()
}

/// Valve angle and target after the first, idle step of 500 episodes.
fn starts(name: TaskName) -> Vec<(f64, f64)> {
    let mut environment = environment(name);
    let first = |seed| {
        environment.reset(seed).unwrap();
        environment.step(&Action(vec![f32::NAN; JOINTS])).unwrap();
        let record = environment.control_record().unwrap();
        (record.reading.valve.unwrap().angle, record.target)
    };
    (0..500).map(first).collect()
}

fn assert_spread(numbers: impl Iterator<Item = f64>, low: f64, high: f64) {
    let numbers: Vec<f64> = numbers.collect();
    let margin = 0.02 * (high - low) + 1e-3;
    let (least, most) =
        (numbers.iter().copied().fold(f64::MAX, f64::min), numbers.iter().copied().fold(f64::MIN, f64::max));
    assert!((least - low).abs() < margin && (most - high).abs() < margin, "{least} to {most}, not {low} to {high}");
}

#[test]
fn turns_start_and_aim_as_published() {
    let fixed = starts(TaskName::TurnFixed);
    assert_spread(fixed.iter().map(|x| x.0), 0.0, 0.0);
    assert_spread(fixed.iter().map(|x| x.1), PI, PI);
    let random = starts(TaskName::TurnRandom);
    assert_spread(random.iter().map(|x| x.0), -FRAC_PI_3, FRAC_PI_3);
    assert_spread(random.iter().map(|x| x.1), PI - FRAC_PI_3, PI + FRAC_PI_3);
}

#[test]
fn screws_aim_ahead_of_where_the_valve_starts() {
    let fixed = starts(TaskName::ScrewFixed);
    assert_spread(fixed.iter().map(|x| x.0), 0.0, 0.0);
    assert_spread(fixed.iter().map(|x| x.1), 0.05, 0.05);
    let random = starts(TaskName::ScrewRandom);
    assert_spread(random.iter().map(|x| x.0), -PI, PI);
    assert_spread(random.iter().map(|x| x.1 - x.0), -0.075, 0.075);
}

#[test]
fn a_moving_target_moves_by_its_velocity_each_step() {
    let mut environment = environment(TaskName::ScrewFixed);
    environment.reset(1).unwrap();
    for step in 1..=80 {
        let outcome = environment.step(&Action(vec![f32::NAN; JOINTS])).unwrap();
        let record = environment.control_record().unwrap();
        assert!((record.target - 0.05 * f64::from(step)).abs() < 1e-9);
        let error = wrap_angle(record.target - record.reading.valve.unwrap().angle);
        assert_eq!(outcome.info.angular_error, Some(error));
        assert_eq!(outcome.info.success, Some(error.abs() < 0.2));
    }
}

#[test]
fn an_action_asks_for_absolute_joint_angles_within_a_periods_travel() {
    let mut environment = environment(TaskName::TurnFixed);
    environment.reset(1).unwrap();
    let mut wanted = [0.0; JOINTS];
    for _ in 0..40 {
        let actions = [1.0, -0.5, 0.25];
        environment.step(&Action((0..JOINTS).map(|joint| actions[joint % 3]).collect())).unwrap();
        wanted = environment.control_record().unwrap().goal;
    }
    for (joint, goal) in wanted.into_iter().enumerate() {
        let expected = [0.48, -0.5 * FRAC_PI_3, 0.25 * PI / 2.0][joint % 3];
        assert!((goal - expected).abs() < 1e-9, "joint {joint}: {goal}, not {expected}");
    }
    // The first goal of a far target is one period's travel away: 2 pi / 3 rad/s for 0.1 s.
    environment.reset(1).unwrap();
    environment.step(&Action(vec![1.0; JOINTS])).unwrap();
    let travel = environment.control_record().unwrap().goal[1] + FRAC_PI_3;
    assert!((travel - 0.1 * 2.0 * FRAC_PI_3).abs() < 1e-3, "{travel}");
}

#[test]
fn the_last_action_is_seen_one_step_later_and_forgotten_at_a_reset() {
    let mut environment = environment(TaskName::TurnFixed);
    let seen = environment.task().layout().last_action.clone().unwrap();
    assert_eq!(environment.reset(1).unwrap().numbers[seen.clone()], [0.0; JOINTS]);
    let action: Vec<f32> = (0..JOINTS).map(|i| i as f32 / 10.0).collect();
    assert_eq!(environment.step(&Action(action.clone())).unwrap().observation.numbers[seen.clone()], action);
    assert_eq!(environment.reset(2).unwrap().numbers[seen], [0.0; JOINTS]);
}
