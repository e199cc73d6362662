//! The ring against the plainest model there is: a vector of everything ever pushed.

use proptest::prelude::*;
use turnkey_core::{Action, Batch, End, Observation, Rng, Transition};
use turnkey_replay::{Replay, Widths};

fn transition(widths: Widths, rng: &mut Rng) -> Transition {
    let mut numbers = |count| {
        let mut numbers = vec![0.0; count];
        rng.fill_normal(&mut numbers);
        numbers
    };
    let (observation, next) =
        (Observation::from(numbers(widths.observation)), Observation::from(numbers(widths.observation)));
    let action = Action(numbers(widths.action));
    let reward = numbers(1)[0];
    let end = [None, Some(End::Terminated), Some(End::Truncated)][rng.below(3)];
    Transition { observation, action, reward, next, end }
}

fn model_sample(all: &[Transition], capacity: usize, batch: &mut Batch, rng: &mut Rng) {
    let len = all.len().min(capacity);
    let rows: Vec<_> = (0..batch.size)
        .map(|_| {
            let slot = rng.below(len);
            // The newest transition that went to this slot.
            all.iter().enumerate().rev().find(|(i, _)| i % capacity == slot).expect("filled").1
        })
        .collect();
    batch.observations = rows.iter().flat_map(|t| t.observation.numbers.clone()).collect();
    batch.actions = rows.iter().flat_map(|t| t.action.0.clone()).collect();
    batch.rewards = rows.iter().map(|t| t.reward).collect();
    batch.next_observations = rows.iter().flat_map(|t| t.next.numbers.clone()).collect();
    batch.continues = rows.iter().map(|t| f32::from(t.end != Some(End::Terminated))).collect();
}

proptest! {
    #[test]
    fn random_pushes_and_samples_match_a_plain_vector(
        capacity in 1_usize..60,
        observation in 1_usize..6,
        action in 1_usize..4,
        rounds in prop::collection::vec((0_usize..40, 1_usize..20), 1..12),
        seed: u64,
    ) {
        let widths = Widths { observation, action, pictures: None };
        let mut replay = Replay::new(capacity, widths).unwrap();
        let mut all = Vec::new();
        let mut contents = Rng::new(seed, "contents");
        let (mut rng, mut model_rng) = (Rng::new(seed, "sample"), Rng::new(seed, "sample"));
        for (pushes, size) in rounds {
            for _ in 0..pushes {
                all.push(transition(widths, &mut contents));
                replay.push(all.last().unwrap()).unwrap();
            }
            prop_assert_eq!(replay.pushed(), all.len() as u64);
            prop_assert_eq!(replay.len(), all.len().min(capacity));
            if all.is_empty() {
                continue;
            }
            let mut batch = Batch::zeros(size, observation, action);
            let mut expected = batch.clone();
            replay.sample(&mut batch, &mut rng).unwrap();
            model_sample(&all, capacity, &mut expected, &mut model_rng);
            prop_assert_eq!(batch, expected);
        }
    }
}
