//! Every task on every plant there is.

use std::time::Duration;
use turnkey_core::{
    Action, Environment, Failure, JOINTS, JointGoal, JointLimits, Kind, Plant, Reading, Snapshot, SnapshotError, Start,
};
use turnkey_env::{ClawEnvironment, EnvError, FirstOrderPlant, TaskConfig, TaskName, ValveTask, conformance};
use turnkey_sim::{Twin, TwinConfig};

fn twin() -> Twin {
    Twin::new(TwinConfig::default()).unwrap()
}

/// Every published task, with and without joint velocities.
fn tasks() -> impl Iterator<Item = TaskConfig> {
    TaskName::ALL.into_iter().flat_map(|name| {
        [false, true].map(|observe_velocities| TaskConfig { observe_velocities, ..TaskConfig::published(name) })
    })
}

#[test]
fn the_first_order_plant_keeps_a_plants_promises() {
    conformance::check_plant(FirstOrderPlant::new);
}

#[test]
fn the_twin_keeps_a_plants_promises() {
    conformance::check_plant(twin);
}

#[test]
fn every_task_keeps_its_promises_on_the_first_order_plant() {
    tasks().for_each(|config| conformance::check_claw(&config, FirstOrderPlant::new));
}

#[test]
fn every_task_keeps_its_promises_on_the_twin() {
    tasks().filter(|config| config.observe_velocities).for_each(|config| conformance::check_claw(&config, twin));
}

/// A plant without a servo on its valve.
struct Blind(FirstOrderPlant);

impl Plant for Blind {
    fn limits(&self) -> &JointLimits {
        self.0.limits()
    }

    fn period(&self) -> Duration {
        self.0.period()
    }

    fn reset(&mut self, start: &Start) -> Result<Reading, Failure> {
        Ok(Reading { valve: None, ..self.0.reset(start)? })
    }

    fn step(&mut self, goal: &JointGoal) -> Result<Reading, Failure> {
        Ok(Reading { valve: None, ..self.0.step(goal)? })
    }
}

impl Snapshot for Blind {
    fn save(&self) -> Vec<u8> {
        self.0.save()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError> {
        self.0.restore(state)
    }
}

fn task(config: TaskConfig) -> ValveTask {
    ValveTask::new(config).unwrap()
}

#[test]
fn a_plant_that_measures_no_valve_stops_with_what_to_do() {
    let config = TaskConfig::published(TaskName::TurnRandom);
    let mut environment = ClawEnvironment::new(Blind(FirstOrderPlant::new()), task(config)).unwrap();
    let error = environment.reset(0).unwrap_err();
    assert_eq!(error.kind(), Kind::Stop);
    assert!(error.to_string().contains("connect the valve's servo"), "{error}");
    assert_eq!(environment.step(&Action(vec![0.0; JOINTS])).unwrap_err().kind(), Kind::Bug, "no episode was begun");
}

#[test]
fn task_and_plant_must_agree_about_the_period() {
    let config = TaskConfig { period_secs: 0.05, ..TaskConfig::published(TaskName::TurnRandom) };
    let error = ClawEnvironment::new(FirstOrderPlant::new(), task(config)).unwrap_err();
    assert_eq!(error, EnvError::Period { task: 0.05, plant: 0.1 });
}

#[test]
fn a_state_of_another_task_is_refused() {
    let of = |name| ClawEnvironment::new(FirstOrderPlant::new(), task(TaskConfig::published(name))).unwrap();
    let (mut turn, mut screw) = (of(TaskName::TurnRandom), of(TaskName::ScrewRandom));
    turn.reset(1).unwrap();
    screw.reset(1).unwrap();
    let before = screw.save();
    assert!(screw.restore(&turn.save()).unwrap_err().to_string().contains("TurnRandom"));
    assert_eq!(screw.save(), before);
}
