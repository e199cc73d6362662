//! The conformance suite finds what it is there to find.

use turnkey_core::{Action, Environment, Failure, Observation, Snapshot, SnapshotError, Spec, Step};
use turnkey_env::{ClawEnvironment, FirstOrderPlant, TaskConfig, TaskName, ValveTask, conformance::check_environment};

/// What is wrong with an environment.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    EndsEarly,
    NeverEnds,
    ForgetsToRestore,
    SeedsItself,
    RewardsOtherTerms,
    SeesNoNumber,
}

struct Faulty {
    inner: ClawEnvironment<FirstOrderPlant>,
    spec: Spec,
    fault: Fault,
    resets: u64,
}

fn faulty(fault: Fault) -> Faulty {
    let task = ValveTask::new(TaskConfig::published(TaskName::TurnRandom)).unwrap();
    let inner = ClawEnvironment::new(FirstOrderPlant::new(), task).unwrap();
    let mut spec = inner.spec().clone();
    spec.episode_steps += usize::from(fault == Fault::EndsEarly);
    Faulty { inner, spec, fault, resets: 0 }
}

impl Environment for Faulty {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: u64) -> Result<Observation, Failure> {
        let seed = if self.fault == Fault::SeedsItself { seed + self.resets } else { seed };
        self.resets += 1;
        self.inner.reset(seed)
    }

    fn step(&mut self, action: &Action) -> Result<Step, Failure> {
        let mut step = self.inner.step(action)?;
        match self.fault {
            Fault::NeverEnds => step.end = None,
            Fault::RewardsOtherTerms => step.reward += 1.0,
            Fault::SeesNoNumber => step.observation.numbers[3] = f32::NAN,
            _ => {}
        }
        Ok(step)
    }
}

impl Snapshot for Faulty {
    fn save(&self) -> Vec<u8> {
        self.inner.save()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), SnapshotError> {
        if self.fault == Fault::ForgetsToRestore { Ok(()) } else { self.inner.restore(state) }
    }
}

#[test]
fn a_sound_environment_passes() {
    check_environment(|| faulty(Fault::None));
}

#[test]
#[should_panic(expected = "truncated after 40 of 41 steps")]
fn an_episode_cut_before_its_limit_is_found() {
    check_environment(|| faulty(Fault::EndsEarly));
}

#[test]
#[should_panic(expected = "the episode goes on past its limit")]
fn an_episode_without_an_end_is_found() {
    check_environment(|| faulty(Fault::NeverEnds));
}

#[test]
#[should_panic(expected = "a state restored must be the state saved")]
fn a_restore_that_restores_nothing_is_found() {
    check_environment(|| faulty(Fault::ForgetsToRestore));
}

#[test]
#[should_panic(expected = "must go on as it did")]
fn randomness_from_elsewhere_than_the_seed_is_found() {
    check_environment(|| faulty(Fault::SeedsItself));
}

#[test]
#[should_panic(expected = "terms add up to")]
fn a_reward_that_is_not_its_terms_is_found() {
    check_environment(|| faulty(Fault::RewardsOtherTerms));
}

#[test]
#[should_panic(expected = "finite numbers, of 10 at most")]
fn an_observation_that_is_no_number_is_found() {
    check_environment(|| faulty(Fault::SeesNoNumber));
}
