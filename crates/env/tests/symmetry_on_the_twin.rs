//! The symmetries, checked by stepping the physics: a scene and its image, told corresponding actions.
//!
//! The twin's model keeps its published angles, rounded by up to a degree, so image and scene start
//! that much apart and contact draws them further apart. With the model's rounded angles and places
//! made exact (fingers at thirds of a turn, claw upright), all nine images followed their scenes
//! over whole episodes to 6e-8, the rounding of an observation: measured once, with three of the seeds.

use turnkey_core::{Action, Environment, JOINTS, Rng};
use turnkey_env::{ClawEnvironment, Symmetry, TaskConfig, TaskName, ValveTask};
use turnkey_sim::{Twin, TwinConfig};

const SEEDS: u64 = 7;
const VALVE: f64 = 0.2;
const TARGET: f64 = 2.5;

fn environment(turned: f64) -> ClawEnvironment<Twin> {
    let mut config = TaskConfig::published(TaskName::TurnFixed);
    config.start_valve = [VALVE + turned; 2];
    config.target.angle = [TARGET + turned; 2];
    ClawEnvironment::new(Twin::new(TwinConfig::default()).unwrap(), ValveTask::new(config).unwrap()).unwrap()
}

/// Smooth sweeps that reach the valve and turn it.
fn action(seed: u64, step: usize) -> [f32; JOINTS] {
    let mut rng = Rng::new(seed, "sweep");
    std::array::from_fn(|_| {
        let (phase, rate) = (rng.uniform(0.0, 6.3), rng.uniform(0.1, 0.5));
        (phase + rate * step as f64).sin() as f32
    })
}

/// What became of a scene and its image.
struct Pair {
    /// Largest difference of any joint angle or direction of the error.
    apart: f32,
    /// Largest difference of the valve's direction.
    valve_apart: f32,
    /// How far the valve turned, rad.
    turned: f64,
}

/// Runs a scene and its image, whose valve and target are `turned` (rad), for some steps.
fn run(symmetry: Symmetry, turned: f64, seed: u64, steps: usize) -> Pair {
    let (mut scene, mut image) = (environment(0.0), environment(turned));
    let layout = scene.task().layout().clone();
    scene.reset(1).unwrap();
    image.reset(1).unwrap();
    let mut pair = Pair { apart: 0.0, valve_apart: 0.0, turned: 0.0 };
    for step in 0..steps {
        let mut told = action(seed, step);
        let mut expected = scene.step(&Action(told.to_vec())).unwrap().observation.numbers;
        symmetry.turn_joints(&mut told);
        let found = image.step(&Action(told.to_vec())).unwrap().observation.numbers;
        symmetry.turn_observation(&mut expected, &layout);
        for (i, (a, b)) in expected.iter().zip(&found).enumerate() {
            let worst = if layout.valve.as_ref().is_some_and(|valve| valve.contains(&i)) {
                &mut pair.valve_apart
            } else {
                &mut pair.apart
            };
            *worst = worst.max((a - b).abs());
        }
        let valve = scene.control_record().unwrap().reading.valve.unwrap();
        pair.turned = pair.turned.max((valve.angle - VALVE).abs());
    }
    pair
}

fn median(mut numbers: Vec<f32>) -> f32 {
    numbers.sort_by(f32::total_cmp);
    numbers[numbers.len() / 2]
}

/// The median over the seeds of how far scene and image come apart in ten steps.
fn apart(symmetry: Symmetry, turned: f64) -> f32 {
    median((0..SEEDS).map(|seed| run(symmetry, turned, seed, 10).apart).collect())
}

#[test]
fn each_of_the_nine_images_follows_its_scene_through_contact() {
    for symmetry in Symmetry::all() {
        let pairs: Vec<_> = (0..SEEDS).map(|seed| run(symmetry, symmetry.valve_turn(), seed, 10)).collect();
        assert!(pairs.iter().filter(|pair| pair.turned > 0.03).count() >= 6, "the valve was hardly touched");
        let apart = median(pairs.iter().map(|pair| pair.apart.max(pair.valve_apart)).collect());
        // Measured: 2e-5 at most with the fingers in place, 0.009 with fingers a degree off each other's.
        let bound = if symmetry.fingers == 0 { 1e-4 } else { 0.02 };
        assert!(apart < bound, "{symmetry:?}: {apart}");
    }
}

#[test]
fn a_valve_turned_by_a_sixth_does_not_follow() {
    let none = Symmetry { fingers: 0, lobes: 0 };
    let apart = apart(none, std::f64::consts::FRAC_PI_3);
    assert!(apart > 0.05, "{apart}");
}

#[test]
fn fingers_turned_the_wrong_way_do_not_follow() {
    // The actions of one turn against the observations of the other.
    let (one, other) = (Symmetry { fingers: 1, lobes: 0 }, Symmetry { fingers: 2, lobes: 0 });
    let (mut scene, mut image) = (environment(0.0), environment(0.0));
    let layout = scene.task().layout().clone();
    scene.reset(1).unwrap();
    image.reset(1).unwrap();
    let mut told = action(0, 0);
    let mut expected = scene.step(&Action(told.to_vec())).unwrap().observation.numbers;
    one.turn_joints(&mut told);
    let found = image.step(&Action(told.to_vec())).unwrap().observation.numbers;
    other.turn_observation(&mut expected, &layout);
    let apart = expected.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart > 0.1, "{apart}");
}
