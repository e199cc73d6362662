//! What a claw's environment promises besides.

use super::{action, check_environment};
use crate::{ClawEnvironment, TaskConfig, ValveTask};
use turnkey_core::{Action, Environment, JOINTS, Kind, Observation, Plant, Rng, Task};

/// Checks a valve task on a plant: all of [`check_environment`], goals within the plant's limits whatever
/// is asked, the last observation of an episode its own, and no step outside of an episode.
///
/// # Panics
/// When a promise is broken, with which one.
pub fn check_claw<P: Plant>(config: &TaskConfig, make: impl Fn() -> P) {
    let of = |config: TaskConfig| {
        let task = ValveTask::new(config).expect("valid settings");
        ClawEnvironment::new(make(), task).expect("task and plant agree about the period")
    };
    check_environment(|| of(config.clone()));
    check_goals(&mut of(config.clone()));
    let steps = config.episode_steps;
    check_last_observation(&mut of(config.clone()), &mut of(TaskConfig { episode_steps: steps + 1, ..config.clone() }));
    check_refused_steps(&mut of(config.clone()));
}

fn check_goals<P: Plant>(environment: &mut ClawEnvironment<P>) {
    environment.reset(1).expect("a reset");
    for wild in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, -1e9, 1.0] {
        environment.step(&Action(vec![wild; JOINTS])).expect("a step");
        let record = environment.control_record().expect("a record of the step");
        let limits = environment.plant().limits();
        for joint in 0..JOINTS {
            let (goal, range) = (record.goal[joint], limits.low()[joint]..=limits.high()[joint]);
            assert!(range.contains(&goal), "joint {joint}: an action of {wild} gave a goal of {goal}");
        }
        assert!((record.target - environment.task().target()).abs() < 1e-12, "the record's target is the task's");
        assert_eq!(record.action.0.len(), JOINTS, "the record's action is the policy's own");
    }
}

/// The observation after the last step must be that of an episode which goes on, not of the next one.
fn check_last_observation(short: &mut impl Environment, long: &mut impl Environment) {
    let last = |environment: &mut dyn Environment, steps: usize| -> Observation {
        let mut rng = Rng::new(2, "conformance");
        environment.reset(2).expect("a reset");
        let steps = (0..steps).map(|_| environment.step(&action(JOINTS, &mut rng)).expect("a step"));
        steps.last().expect("one at least").observation
    };
    let steps = short.spec().episode_steps;
    assert_eq!(last(short, steps), last(long, steps), "the last observation must be its own episode's");
}

fn check_refused_steps(environment: &mut impl Environment) {
    let refused = |environment: &mut dyn Environment, width: usize, why: &str| {
        let error = environment.step(&Action(vec![0.0; width])).expect_err(why);
        assert_eq!(error.kind(), Kind::Bug, "{why}: {error}");
    };
    refused(environment, JOINTS, "a step before any reset must be refused");
    environment.reset(3).expect("a reset");
    refused(environment, JOINTS - 1, "an action of another size must be refused");
    for _ in 0..environment.spec().episode_steps {
        environment.step(&Action(vec![0.0; JOINTS])).expect("a step");
    }
    refused(environment, JOINTS, "a step after the end must be refused");
}
