//! What every environment promises.

use super::{action, check_refusal};
use turnkey_core::{Action, End, Environment, Frame, Observation, Rng, Spec, Step};

/// The greatest number that an observation "of size near 1" may hold.
const LARGEST: f32 = 10.0;

/// Checks an environment's promises: sizes as specified, observations finite and of size near 1, episodes
/// cut at the limit and not before, equal seeds and actions giving equal steps to the bit, states that
/// go on alike after being restored in the middle, and wild actions survived.
///
/// # Panics
/// When a promise is broken, with which one.
pub fn check_environment<E: Environment>(make: impl Fn() -> E) {
    check_environment_within(LARGEST, make);
}

/// The same of an environment whose observations hold numbers up to `largest`, as others have defined it.
///
/// # Panics
/// As [`check_environment`].
pub fn check_environment_within<E: Environment>(largest: f32, make: impl Fn() -> E) {
    let (mut one, mut other) = (make(), make());
    check_spec(&one);
    for seed in 0..3 {
        let steps = episode(&mut one, seed);
        check_steps(&one, &steps.0, &steps.1, largest);
        assert_eq!(steps, episode(&mut other, seed), "equal seeds and actions must give equal steps");
    }
    check_snapshots(&mut one, &mut other);
    check_refusal(&mut one);
    check_wild_actions(&mut one, largest);
}

/// First observation and steps of one episode of random actions.
fn episode(environment: &mut impl Environment, seed: u64) -> (Observation, Vec<Step>) {
    let width = environment.spec().action.len();
    let mut rng = Rng::new(seed, "conformance");
    let first = environment.reset(seed).expect("a reset");
    let mut steps: Vec<Step> = Vec::new();
    while steps.last().is_none_or(|step| step.end.is_none()) {
        assert!(steps.len() < environment.spec().episode_steps, "the episode goes on past its limit");
        steps.push(environment.step(&action(width, &mut rng)).expect("a step"));
    }
    (first, steps)
}

fn check_spec(environment: &impl Environment) {
    let spec = environment.spec();
    assert!(spec.episode_steps > 0 && !spec.observation.is_empty() && !spec.action.is_empty(), "{spec:?}");
    for names in [&spec.observation, &spec.action] {
        let mut sorted = names.clone();
        sorted.sort();
        sorted.dedup();
        assert!(sorted.len() == names.len() && !names.contains(&String::new()), "a name each: {names:?}");
    }
}

fn check_steps(environment: &impl Environment, first: &Observation, steps: &[Step], largest: f32) {
    let spec = environment.spec();
    check_observation(first, spec, largest);
    for (i, step) in steps.iter().enumerate() {
        check_observation(&step.observation, spec, largest);
        assert!(step.reward.is_finite(), "step {i}: a reward of {}", step.reward);
        let at_limit = i + 1 == spec.episode_steps;
        match step.end {
            None => assert!(!at_limit, "an episode must end after {} steps", spec.episode_steps),
            Some(End::Truncated) => assert!(at_limit, "truncated after {} of {} steps", i + 1, spec.episode_steps),
            Some(End::Terminated) => {}
        }
        let terms: f64 = step.info.terms.iter().map(|(_, part)| part).sum();
        let no_terms = step.info.terms.is_empty();
        assert!(no_terms || (terms - step.reward).abs() < 1e-6, "terms add up to {terms}, not {}", step.reward);
    }
}

fn check_observation(observation: &Observation, spec: &Spec, largest: f32) {
    assert_eq!(observation.numbers.len(), spec.observation.len(), "as many numbers as names");
    let sizes: Vec<_> = observation.pictures.iter().map(Frame::size).collect();
    let specified = spec.pictures.map_or_else(Vec::new, |shape| vec![shape.size; shape.stack]);
    assert_eq!(sizes, specified, "as many pictures, and of the size, as specified");
    let bounded = observation.numbers.iter().all(|x| x.abs() <= largest);
    assert!(bounded, "finite numbers, of {largest} at most: {observation:?}");
}

fn check_snapshots(one: &mut impl Environment, other: &mut impl Environment) {
    let width = one.spec().action.len();
    let before = one.spec().episode_steps / 2;
    one.reset(11).expect("a reset");
    let mut rng = Rng::new(11, "conformance");
    for _ in 0..before {
        one.step(&action(width, &mut rng)).expect("a step");
    }
    let (state, rng) = (one.save(), rng);
    let expected = go_on(one, rng.clone());
    one.restore(&state).expect("a state just saved");
    assert!(one.save() == state, "a state restored must be the state saved");
    assert_eq!(expected, go_on(one, rng.clone()), "an environment restored must go on as it did, to the bit");
    other.reset(12).expect("a reset");
    other.restore(&state).expect("a state of an equal environment");
    assert_eq!(expected, go_on(other, rng), "an equal environment given the state must go on alike");
}

/// The steps from here to the episode's end, and the beginning of the next one.
fn go_on(environment: &mut impl Environment, mut rng: Rng) -> (Vec<Step>, Observation) {
    let width = environment.spec().action.len();
    let mut steps: Vec<Step> = Vec::new();
    while steps.last().is_none_or(|step| step.end.is_none()) {
        steps.push(environment.step(&action(width, &mut rng)).expect("a step"));
    }
    (steps, environment.reset(13).expect("a reset"))
}

fn check_wild_actions(environment: &mut impl Environment, largest: f32) {
    let spec = environment.spec().clone();
    for wild in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, -1e9] {
        environment.reset(14).expect("a reset");
        for _ in 0..spec.episode_steps.min(5) {
            let step = environment.step(&Action(vec![wild; spec.action.len()])).expect("a step");
            check_observation(&step.observation, &spec, largest);
            assert!(step.reward.is_finite(), "an action of {wild} gave a reward of {}", step.reward);
            if step.end.is_some() {
                break;
            }
        }
    }
}
