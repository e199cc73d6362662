//! What holds for every perturbation, and for a perturber as a whole.

use std::time::Duration;
use turnkey_core::{Frame, FrameSize, Stamp};
use turnkey_picture::{Draw, Family, FramePerturbation, Perturber, PerturberConfig};

const SIZE: FrameSize = FrameSize { width: 48, height: 36 };

/// A picture of shades with a bar that moves, a tenth of a second after the one before.
fn frame(i: usize, size: FrameSize) -> Frame {
    let shade = |x: usize, y: usize| match (x + 48 - i % 48) % 48 < 6 {
        true => [230, 40, 30],
        false => [60 + x as u8 * 2, 80 + y as u8, 150 - x as u8],
    };
    let pixels: Vec<u8> = (0..size.height).flat_map(|y| (0..size.width).flat_map(move |x| shade(x, y))).collect();
    Frame::new(Stamp(Duration::from_millis(5_000 + 100 * i as u64)), size, pixels).unwrap()
}

fn perturber(perturbations: &[FramePerturbation], draw: Draw, seed: u64) -> Perturber {
    Perturber::new(PerturberConfig { perturbations: perturbations.to_vec(), draw }, seed).unwrap()
}

fn everything() -> Vec<FramePerturbation> {
    FramePerturbation::ALL.iter().map(|family| family.strengths[1]).collect()
}

fn episode(perturber: &mut Perturber, frames: std::ops::Range<usize>) -> Vec<Frame> {
    frames.map(|i| perturber.apply(frame(i, SIZE))).collect()
}

/// The mean distance of levels, 0 to 255.
fn distance(a: &[Frame], b: &[Frame]) -> f64 {
    let levels = |frames: &[Frame]| frames.iter().flat_map(|frame| frame.pixels().to_vec()).collect::<Vec<u8>>();
    let (a, b) = (levels(a), levels(b));
    a.iter().zip(&b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

#[test]
fn every_strength_is_seen_and_the_stronger_is_further_from_the_clean_picture() {
    let clean: Vec<Frame> = (0..80).map(|i| frame(i, SIZE)).collect();
    for Family { name, strengths } in FramePerturbation::ALL {
        let distances: Vec<f64> = strengths
            .iter()
            .map(|strength| distance(&episode(&mut perturber(&[*strength], Draw::Full, 3), 0..80), &clean))
            .collect();
        assert!(distances[0] > 0.3 && distances.is_sorted_by(|a, b| a < b), "{name}: {distances:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_frames_and_another_gives_others() {
    let all = everything();
    let first = episode(&mut perturber(&all, Draw::Uniform, 1), 0..20);
    let mut used = perturber(&all, Draw::Uniform, 2);
    assert_ne!(episode(&mut used, 0..20), first);
    used.begin_episode(1);
    assert_eq!(episode(&mut used, 0..20), first);
}

#[test]
fn saved_and_restored_at_any_frame_it_goes_on_to_the_bit() {
    for draw in [Draw::Full, Draw::Uniform] {
        let mut whole = perturber(&everything(), draw, 5);
        let frames = episode(&mut whole, 0..24);
        for cut in [0, 1, 7, 16] {
            let mut first = perturber(&everything(), draw, 5);
            episode(&mut first, 0..cut);
            let saved = postcard::to_stdvec(&first).unwrap();
            let mut restored: Perturber = postcard::from_bytes(&saved).unwrap();
            assert_eq!(episode(&mut restored, cut..24), frames[cut..], "cut at {cut}");
        }
    }
}

#[test]
fn another_perturbation_before_it_changes_nothing_of_what_is_drawn() {
    let occlusion = FramePerturbation::Occlusion { fraction: 0.1, speed: 0.3 };
    let nothing = FramePerturbation::Late { frames: 0 };
    let alone = episode(&mut perturber(&[occlusion], Draw::Full, 1), 0..5);
    assert_eq!(episode(&mut perturber(&[nothing, occlusion], Draw::Full, 1), 0..5), alone);
    let twice = episode(&mut perturber(&[occlusion, occlusion], Draw::Full, 1), 0..5);
    assert!(distance(&twice, &alone) > 1.0, "two patches are not one");
}

#[test]
fn frames_of_any_form_come_out_in_it() {
    for (width, height) in [(1, 1), (2, 1), (1, 7), (64, 3), (0, 0), (0, 5)] {
        let size = FrameSize { width, height };
        for strength in FramePerturbation::ALL.iter().flat_map(|family| family.strengths) {
            let mut perturber = perturber(&[*strength], Draw::Full, 1);
            for i in 0..5 {
                assert_eq!(perturber.apply(frame(i, size)).size(), size, "{strength:?}");
            }
        }
    }
}

#[test]
fn the_largest_and_smallest_strengths_are_no_reason_to_panic() {
    use FramePerturbation::*;
    let extremes = [
        Exposure { stops: 6.0 },
        Tone { gamma: 8.0, contrast: 8.0 },
        Blur { sigma: 0.25 },
        Noise { shot: 128.0, read: 128.0 },
        Jpeg { quality: 1 },
        Occlusion { fraction: 1.0, speed: 10.0 },
        Occlusion { fraction: 0.0, speed: 10.0 },
        Hand { size: 0.0, reach: 1.0, period_secs: 0.1 },
        Hand { size: 1.0, reach: 1.0, period_secs: 0.1 },
        Dropped { probability: 1.0 },
        Late { frames: 100 },
        Bump { rotation: 1.0, translation: 0.5, zoom: 1.0 },
    ];
    for seed in 0..20 {
        assert_eq!(episode(&mut perturber(&extremes, Draw::Full, seed), 0..4).len(), 4);
    }
}

#[test]
fn a_strength_that_is_none_makes_no_perturber() {
    let config = PerturberConfig { perturbations: vec![FramePerturbation::Jpeg { quality: 101 }], draw: Draw::Full };
    let error = Perturber::new(config, 0).unwrap_err();
    assert_eq!(error.to_string(), "jpeg.quality: expected 1 to 100, got 101");
}

#[test]
fn a_lost_or_late_frame_says_when_it_was_taken() {
    let given = episode(&mut perturber(&[FramePerturbation::Late { frames: 3 }], Draw::Full, 1), 0..6);
    assert_eq!(given[5].stamp(), frame(2, SIZE).stamp());
    let given = episode(&mut perturber(&[FramePerturbation::Dropped { probability: 1.0 }], Draw::Full, 1), 0..6);
    assert_eq!(given[5].stamp(), frame(0, SIZE).stamp());
}
