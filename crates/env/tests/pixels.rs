//! Tasks that are seen in pictures.

use std::time::Duration;
use turnkey_core::{
    Action, Environment, Failure, Frame, FrameSize, JOINTS, JointGoal, JointLimits, Kind, Observation, Plant, Reading,
    Snapshot, SnapshotError, Start, ValveReading,
};
use turnkey_env::{
    Augmentation, AugmentationConfig, ClawEnvironment, EnvError, FirstOrderPlant, Sees, TaskConfig, TaskName,
    ValveTask, conformance,
};

const SIZE: FrameSize = FrameSize { width: 10, height: 8 };

/// A published task seen in pictures.
fn pixels(name: TaskName, stack: usize) -> TaskConfig {
    let target_moves = matches!(name, TaskName::ScrewFixed | TaskName::ScrewRandom);
    TaskConfig {
        sees: Sees::Pixels,
        stack,
        observe_error: false,
        observe_target: target_moves,
        observe_velocities: true,
        ..TaskConfig::published(name)
    }
}

fn plant() -> FirstOrderPlant {
    FirstOrderPlant::new().with_camera(SIZE)
}

fn environment<P: Plant>(plant: P, stack: usize) -> ClawEnvironment<P> {
    ClawEnvironment::new(plant, ValveTask::new(pixels(TaskName::TurnRandom, stack)).unwrap()).unwrap()
}

#[test]
fn every_task_keeps_its_promises_when_seen_in_pictures() {
    conformance::check_plant(plant);
    for name in TaskName::ALL {
        conformance::check_claw(&pixels(name, 3), plant);
    }
}

/// A plant that measures the valve wrongly and sees it rightly.
struct Misled(FirstOrderPlant, f64);

impl Misled {
    fn mislead(&self, reading: Reading) -> Reading {
        let valve = reading.valve.map(|valve| ValveReading { angle: valve.angle + self.1, velocity: self.1, ..valve });
        Reading { valve, ..reading }
    }
}

impl Plant for Misled {
    fn limits(&self) -> &JointLimits {
        self.0.limits()
    }

    fn period(&self) -> Duration {
        self.0.period()
    }

    fn frame_size(&self) -> Option<FrameSize> {
        self.0.frame_size()
    }

    fn reset(&mut self, start: &Start) -> Result<Reading, Failure> {
        self.0.reset(start).map(|reading| self.mislead(reading))
    }

    fn step(&mut self, goal: &JointGoal) -> Result<Reading, Failure> {
        self.0.step(goal).map(|reading| self.mislead(reading))
    }
}

impl Snapshot for Misled {
    fn save(&self) -> Vec<u8> {
        self.0.save()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError> {
        self.0.restore(state)
    }
}

/// Observations and rewards of an episode of one action.
fn episode(environment: &mut impl Environment) -> (Vec<Observation>, Vec<f64>) {
    let mut seen = vec![environment.reset(5).unwrap()];
    let mut rewards = Vec::new();
    for step in 0..environment.spec().episode_steps {
        let wave = (step as f32 * 0.7).sin();
        let step = environment.step(&Action(vec![wave; JOINTS])).unwrap();
        seen.push(step.observation);
        rewards.push(step.reward);
    }
    (seen, rewards)
}

#[test]
fn the_measured_angle_of_the_valve_reaches_the_reward_and_never_the_policy() {
    let (seen, rewards) = episode(&mut environment(Misled(plant(), 0.0), 2));
    let (misled_seen, misled_rewards) = episode(&mut environment(Misled(plant(), 0.7), 2));
    assert_eq!(seen, misled_seen);
    assert_ne!(rewards, misled_rewards);
    // The same policy's numbers do change in a task that is not seen in pictures.
    let state = |by| {
        let task = ValveTask::new(TaskConfig::published(TaskName::TurnRandom)).unwrap();
        episode(&mut ClawEnvironment::new(Misled(plant(), by), task).unwrap()).0
    };
    assert_ne!(state(0.0), state(0.7));
}

#[test]
fn a_stack_begins_with_the_first_picture_and_never_reaches_into_the_episode_before() {
    let mut environment = environment(plant(), 3);
    for seed in [1, 2] {
        let mut taken: Vec<Frame> = environment.reset(seed).unwrap().pictures;
        assert!(taken.len() == 3 && taken.iter().all(|frame| *frame == taken[0]));
        for _ in 0..5 {
            let seen = environment.step(&Action(vec![0.4; JOINTS])).unwrap().observation.pictures;
            taken.push(seen[2].clone());
            assert_eq!(seen, taken[taken.len() - 3..]);
        }
    }
}

#[test]
fn what_pictures_need_and_what_would_tell_the_angle_is_said() {
    let task = ValveTask::new(pixels(TaskName::TurnRandom, 1)).unwrap();
    let error = ClawEnvironment::new(FirstOrderPlant::new(), task.clone()).unwrap_err();
    assert!(matches!(error, EnvError::NoCamera) && error.kind() == Kind::Stop, "{error}");
    let tells = TaskConfig { observe_error: true, ..pixels(TaskName::TurnRandom, 1) };
    assert!(matches!(ValveTask::new(tells), Err(EnvError::Setting { field: "observe_error", .. })));
    let turned = Augmentation::new(&task, AugmentationConfig { relabel_fraction: 0.0, ..Default::default() });
    assert!(matches!(turned, Err(EnvError::Setting { field: "augmentation", .. })));
}
