//! The ring against the plainest model there is: a vector of everything ever pushed.

mod support;

use proptest::prelude::*;
use support::{Experience, laid_over, lay_out, pictures};
use turnkey_core::{Batch, End, Frame, FrameSize, Rng, Stamp, Transition};
use turnkey_replay::{Replay, ReplayError, Widths};

/// Draws rows of the `kept` newest transitions, as the ring is to.
fn model_sample(all: &[Transition], kept: usize, capacity: usize, batch: &mut Batch, rng: &mut Rng) {
    let newest = &all[all.len() - kept..];
    // Slot after slot: the transition that is number i of the run lies in slot i % capacity.
    let mut slots: Vec<_> = newest.iter().zip(all.len() - kept..).map(|(t, i)| (i % capacity, t)).collect();
    slots.sort_by_key(|(slot, _)| *slot);
    let rows: Vec<_> = (0..batch.size).map(|_| slots[rng.below(kept)].1).collect();
    lay_out(&rows, batch);
}

/// Pushes and samples in turn, and compares each sample with the model's. Returns what came of it.
fn compare(
    widths: Widths,
    capacity: usize,
    often: [usize; 3],
    rounds: &[(usize, usize)],
    seed: u64,
) -> (Replay, usize) {
    let mut replay = Replay::new(capacity, widths).unwrap();
    let (mut experience, mut all) = (Experience::new(widths, seed, often), Vec::new());
    let (mut rng, mut model_rng) = (Rng::new(seed, "sample"), Rng::new(seed, "sample"));
    for (pushes, size) in rounds {
        for _ in 0..*pushes {
            all.push(experience.transition());
            replay.push(all.last().unwrap()).unwrap();
        }
        assert_eq!(replay.pushed(), all.len() as u64);
        if all.is_empty() {
            continue;
        }
        let mut batch = Batch::zeros(*size, widths.observation, widths.action).with_pictures(widths.pictures);
        let mut expected = batch.clone();
        replay.sample(&mut batch, &mut rng).unwrap();
        model_sample(&all, replay.len(), capacity, &mut expected, &mut model_rng);
        assert!(batch == expected, "a sample is not what was pushed");
    }
    (replay, all.len())
}

proptest! {
    #[test]
    fn random_pushes_and_samples_match_a_plain_vector(
        capacity in 1_usize..60,
        (observation, action) in (1_usize..6, 1_usize..4),
        rounds in prop::collection::vec((0_usize..40, 1_usize..20), 1..12),
        seed: u64,
    ) {
        let widths = Widths { observation, action, pictures: None };
        let (replay, pushed) = compare(widths, capacity, [20, 20, 20], &rounds, seed);
        prop_assert_eq!(replay.len(), pushed.min(capacity));
    }

    #[test]
    fn pictures_come_back_as_they_were_and_no_stack_spans_two_episodes(
        capacity in 1_usize..60,
        stack in 1_usize..7,
        often in [0_usize..40, 0_usize..40, 0_usize..20],
        rounds in prop::collection::vec((0_usize..40, 1_usize..20), 1..12),
        seed: u64,
    ) {
        let widths = Widths { observation: 1, action: 1, pictures: Some(pictures(stack)) };
        let (replay, pushed) = compare(widths, capacity, often, &rounds, seed);
        // No transition has more than two frames of its own, and there is room for more than one each.
        let (len, all) = (replay.len(), pushed.min(capacity));
        prop_assert!(len <= all && 2 * len >= all, "{} of {}", len, all);
    }
}

#[test]
fn episodes_of_one_step_keep_as_many_transitions_as_there_are_frames_for() {
    for (stack, expected) in [(1, 800 + 40 + 2), (3, 800 + 40 + 4)] {
        let widths = Widths { observation: 1, action: 1, pictures: Some(pictures(stack)) };
        let (replay, _) = compare(widths, 800, [100, 0, 0], &[(600, 50), (250, 50), (1000, 200)], 1);
        assert_eq!(replay.len(), expected / 2, "two frames a transition");
        assert_eq!(replay.bytes(), Replay::full_bytes(800, widths));
    }
}

#[test]
fn episodes_of_twenty_steps_keep_every_transition() {
    let shape = pictures(4);
    let widths = Widths { observation: 1, action: 1, pictures: Some(shape) };
    for capacity in [1, 19, 20, 21, 100, 160] {
        let mut replay = Replay::new(capacity, widths).unwrap();
        let mut experience = Experience::new(widths, 3, [0, 0, 0]);
        for step in 1..500 {
            let mut transition = experience.transition();
            if step % 20 == 0 {
                transition.end = Some(End::Truncated);
                experience = Experience::new(widths, step, [0, 0, 0]);
            }
            replay.push(&transition).unwrap();
            assert_eq!(replay.len(), capacity.min(step as usize), "capacity {capacity}, step {step}");
        }
    }
}

#[test]
fn a_stack_that_begins_with_several_frames_comes_back_as_it_was() {
    // Taken up in the middle of an episode: what was seen before is in none of the transitions.
    let widths = Widths { observation: 1, action: 1, pictures: Some(pictures(4)) };
    let mut experience = Experience::new(widths, 5, [0; 3]);
    let all: Vec<_> = (0..40).map(|_| experience.transition()).collect();
    let mut replay = Replay::new(100, widths).unwrap();
    let kept: Vec<_> = all.iter().enumerate().filter(|(i, _)| i % 7 != 3).map(|(_, t)| t.clone()).collect();
    kept.iter().for_each(|transition| replay.push(transition).unwrap());
    let mut batch = Batch::zeros(500, 1, 1).with_pictures(widths.pictures);
    let mut expected = batch.clone();
    replay.sample(&mut batch, &mut Rng::new(1, "sample")).unwrap();
    model_sample(&kept, kept.len(), 100, &mut expected, &mut Rng::new(1, "sample"));
    assert!(batch == expected);
}

#[test]
fn an_episode_that_begins_with_the_picture_the_last_one_came_to_is_not_joined_to_it() {
    let widths = Widths { observation: 1, action: 1, pictures: Some(pictures(2)) };
    let mut experience = Experience::new(widths, 5, [0; 3]);
    let [mut first, mut second] = std::array::from_fn(|_| experience.transition());
    second.observation.pictures[0] = second.observation.pictures[1].clone();
    assert_eq!(first.next.pictures[1], second.observation.pictures[0]);
    assert_ne!(first.next.pictures[0], second.observation.pictures[0]);
    for end in [None, Some(End::Truncated), Some(End::Terminated)] {
        first.end = end;
        let mut replay = Replay::new(1, widths).unwrap();
        replay.push(&first).unwrap();
        replay.push(&second).unwrap();
        assert_eq!(replay.len(), 1);
        let mut batch = Batch::zeros(1, 1, 1).with_pictures(widths.pictures);
        replay.sample(&mut batch, &mut Rng::new(1, "sample")).unwrap();
        let found = batch.pictures.unwrap();
        assert_eq!(found.observations, laid_over(&second.observation.pictures), "{end:?}");
        assert_eq!(found.next_observations, laid_over(&second.next.pictures), "{end:?}");
    }
}

#[test]
fn pictures_of_another_shape_or_order_are_refused_and_leave_no_trace() {
    let widths = |stack| Widths { observation: 1, action: 1, pictures: Some(pictures(stack)) };
    let mut replay = Replay::new(8, widths(3)).unwrap();
    let mut experience = Experience::new(widths(3), 1, [0; 3]);
    let whole = std::array::from_fn::<_, 3, _>(|_| experience.transition())[2].clone();
    let refused = |replay: &mut Replay, transition: &Transition, expected: &str| {
        let error = replay.push(transition).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!((replay.pushed(), replay.len()), (0, 0));
    };
    let fewer = Experience::new(widths(2), 1, [0; 3]).transition();
    refused(&mut replay, &fewer, "observation: expected 3 pictures of 3x2, found 2 pictures of 3x2");
    let mut larger = whole.clone();
    let size = FrameSize { width: 4, height: 2 };
    larger.next.pictures[2] = Frame::new(Stamp::default(), size, vec![0; 24]).unwrap();
    refused(&mut replay, &larger, "next observation: expected 3 pictures of 3x2, found 3 pictures of 4x2");
    let mut turned = whole.clone();
    turned.next.pictures.swap(1, 2);
    refused(&mut replay, &turned, "found another picture at 1");
    let mut blind = Replay::new(8, Widths { pictures: None, ..widths(1) }).unwrap();
    refused(&mut blind, &whole, "observation: expected 0 pictures, found 3 pictures of 3x2");
    assert!(matches!(Replay::new(8, widths(0)), Err(ReplayError::NoPixels { .. })));
    replay.push(&whole).unwrap();
}

#[test]
fn a_batch_for_other_pictures_is_refused() {
    let widths = Widths { observation: 1, action: 1, pictures: Some(pictures(2)) };
    let mut replay = Replay::new(8, widths).unwrap();
    replay.push(&Experience::new(widths, 1, [0; 3]).transition()).unwrap();
    let mut short = Batch::zeros(4, 1, 1).with_pictures(widths.pictures);
    short.pictures.as_mut().unwrap().next_observations.pop();
    for (mut batch, expected) in [
        (Batch::zeros(4, 1, 1), "pictures.shape.size.width"),
        (Batch::zeros(4, 1, 1).with_pictures(Some(pictures(3))), "pictures.shape.stack"),
        (short, "pictures.next_observations"),
    ] {
        match replay.sample(&mut batch, &mut Rng::new(1, "sample")) {
            Err(ReplayError::Batch { what, .. }) => assert_eq!(what, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}
