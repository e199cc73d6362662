//! A relabelled row is, to rounding, the row that the task itself would have given with that target.

use std::f64::consts::PI;
use turnkey_core::{Action, Augment, Batch, Environment, JOINTS, Rng, wrap_angle};
use turnkey_env::{
    Augmentation, AugmentationConfig, ClawEnvironment, FirstOrderPlant, TaskConfig, TaskName, ValveTask,
};

/// All steps of one episode, as a batch.
fn episode(config: &TaskConfig, seed: u64) -> Batch {
    let mut environment =
        ClawEnvironment::new(FirstOrderPlant::new(), ValveTask::new(config.clone()).unwrap()).unwrap();
    let mut rng = Rng::new(seed, "actions");
    let width = environment.spec().observation.len();
    let mut batch = Batch::zeros(0, width, JOINTS);
    let mut observation = environment.reset(seed).unwrap();
    loop {
        let action = Action((0..JOINTS).map(|_| rng.uniform(-1.0, 1.0) as f32).collect());
        let step = environment.step(&action).unwrap();
        batch.size += 1;
        batch.observations.extend(&observation.numbers);
        batch.actions.extend(&action.0);
        batch.rewards.push(step.reward as f32);
        batch.next_observations.extend(&step.observation.numbers);
        batch.continues.push(1.0);
        observation = step.observation;
        if step.end.is_some() {
            return batch;
        }
    }
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn a_relabelled_row_is_the_one_the_task_gives_with_that_target() {
    for name in [TaskName::TurnFixed, TaskName::TurnRandom, TaskName::ScrewFixed, TaskName::ScrewRandom] {
        let config = TaskConfig { observe_velocities: true, ..TaskConfig::published(name) };
        let task = ValveTask::new(config.clone()).unwrap();
        let settings = AugmentationConfig { symmetry: false, relabel_fraction: 1.0, ..AugmentationConfig::default() };
        let augmentation = Augmentation::new(&task, settings).unwrap();
        let (width, error) = (task.layout().width, task.layout().error.clone().unwrap());
        let error_of = |row: &[f32]| f64::from(row[error.end - 1]).atan2(f64::from(row[error.start]));

        let original = episode(&config, 5);
        let mut relabelled = original.clone();
        augmentation.augment(&mut relabelled, &mut Rng::new(9, "augment"));
        let mut paid = 0;
        for row in 0..original.size {
            let numbers = row * width..(row + 1) * width;
            let moved = wrap_angle(
                error_of(&relabelled.next_observations[numbers.clone()])
                    - error_of(&original.next_observations[numbers.clone()]),
            );
            let mut other = config.clone();
            other.target.angle = config.target.angle.map(|angle| angle + moved);
            let expected = episode(&other, 5);
            assert!(
                largest_difference(&relabelled.observations[numbers.clone()], &expected.observations[numbers.clone()])
                    < 1e-6
            );
            assert!(
                largest_difference(
                    &relabelled.next_observations[numbers.clone()],
                    &expected.next_observations[numbers]
                ) < 1e-6
            );
            let (found, expected) = (relabelled.rewards[row], expected.rewards[row]);
            assert!((found - expected).abs() < 2e-5, "{name:?} row {row}: {found} {expected}");
            paid += usize::from(expected > 0.0);
        }
        assert!(paid > 0, "no row tried a bonus");
        assert_eq!((relabelled.actions, relabelled.continues), (original.actions, original.continues));
    }
}

#[test]
fn turned_rows_keep_error_and_reward_and_have_the_valve_turned_by_thirds() {
    let config = TaskConfig { start_valve: [0.3, 0.3], ..TaskConfig::published(TaskName::TurnFixed) };
    let task = ValveTask::new(config.clone()).unwrap();
    let settings = AugmentationConfig { relabel_fraction: 0.0, ..AugmentationConfig::default() };
    let augmentation = Augmentation::new(&task, settings).unwrap();
    let layout = task.layout().clone();
    let original = episode(&config, 3);
    let mut turned = original.clone();
    augmentation.augment(&mut turned, &mut Rng::new(2, "augment"));
    assert_ne!(turned.actions, original.actions);
    assert_eq!(turned.rewards, original.rewards);
    let (error, valve) = (layout.error.clone().unwrap(), layout.valve.clone().unwrap());
    for row in 0..original.size {
        let at = |range: &std::ops::Range<usize>| row * layout.width + range.start..row * layout.width + range.end;
        assert_eq!(turned.observations[at(&error)], original.observations[at(&error)]);
        // The valve went by thirds of a turn, in both observations alike.
        let angle = |numbers: &[f32]| f64::from(numbers[1]).atan2(f64::from(numbers[0]));
        let turn =
            |a: &Batch, b: &Batch| wrap_angle(angle(&a.observations[at(&valve)]) - angle(&b.observations[at(&valve)]));
        let thirds = turn(&turned, &original) / (2.0 * PI / 3.0);
        assert!((thirds - thirds.round()).abs() < 1e-5, "{thirds}");
    }
}
