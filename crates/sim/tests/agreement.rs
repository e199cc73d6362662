//! Our model against ROBEL's published one, servo model off. `docs/simulation.md` quotes what this prints:
//! `cargo test --release -p turnkey-sim --test agreement -- --nocapture`.

use std::f64::consts::TAU;
use turnkey_core::{JOINTS, JointVector, Part, Plant, Rng, Start};
use turnkey_sim::{ModelError, ModelName, Twin, TwinConfig, TwinError};

/// 10 Hz steps of one sequence, as in ROBEL's turning tasks.
const STEPS: usize = 40;
const SEQUENCES: u64 = 100;
/// Where ROBEL's turning tasks start the claw, rad.
const RESET: [f64; 3] = [0.0, -std::f64::consts::FRAC_PI_3, std::f64::consts::FRAC_PI_3];

/// Both models, ours first; or a line that says why not.
fn both() -> Option<[Twin; 2]> {
    let twin = |model| Twin::new(TwinConfig { model, ..TwinConfig::default() });
    match twin(ModelName::Robel) {
        Ok(robel) => Some([twin(ModelName::Turnkey).unwrap(), robel]),
        Err(TwinError::Model(error @ (ModelError::Missing { .. } | ModelError::NoFolder))) => {
            println!("not compared with ROBEL's model: {error}");
            None
        }
        Err(error) => panic!("ROBEL's model is there but can't be used: {error}"),
    }
}

fn start(joints: JointVector, valve: f64) -> Start {
    Start { joints, valve, seed: 0 }
}

/// Targets of one sequence: every joint anywhere in its range at every step, or on a sine of its own.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Random,
    Sweeping,
}

impl Kind {
    fn targets(self, rng: &mut Rng, high: &JointVector) -> Vec<JointVector> {
        let waves: [_; JOINTS] = std::array::from_fn(|_| (rng.uniform(0.2, 1.0), rng.unit()));
        let mut target = |step: usize, joint: usize| match self {
            Self::Random => rng.uniform(-high[joint], high[joint]),
            Self::Sweeping => high[joint] * (TAU * (waves[joint].0 * 0.1 * step as f64 + waves[joint].1)).sin(),
        };
        (0..STEPS).map(|step| std::array::from_fn(|joint| target(step, joint))).collect()
    }
}

/// How far the valve has turned at the end of one sequence, rad.
fn turned(twin: &mut Twin, kind: Kind, seed: u64) -> f64 {
    let mut rng = Rng::new(seed, "agreement");
    let valve = rng.uniform(-1.0, 1.0);
    let mut reading = twin.reset(&start(std::array::from_fn(|joint| RESET[joint % 3]), valve)).unwrap();
    for target in kind.targets(&mut rng, twin.limits().clone().high()) {
        let goal = twin.limits().clip(&target, &reading.positions);
        reading = twin.step(&goal).unwrap();
    }
    reading.valve.unwrap().angle - valve
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

#[test]
fn fingertips_are_where_robels_are_within_a_millimetre() {
    let Some(twins) = both() else { return };
    let mut rng = Rng::new(1, "agreement");
    let mut worst: f64 = 0.0;
    let [mut ours, mut robel] = twins;
    for _ in 0..1000 {
        let joints = std::array::from_fn(|joint| match joint % 3 {
            0 => rng.uniform(-0.45, 0.48),
            _ => rng.uniform(-1.57, 1.57),
        });
        ours.reset(&start(joints, 0.0)).unwrap();
        robel.reset(&start(joints, 0.0)).unwrap();
        for (our, their) in ours.fingertips().iter().zip(robel.fingertips()) {
            let distance = our.iter().zip(their).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
            worst = worst.max(distance);
        }
    }
    println!("fingertips: at most {:.4} mm apart over 1000 random poses", 1e3 * worst);
    assert!(worst < 1e-3, "{worst} m");
}

#[test]
fn the_same_actions_turn_the_valve_as_far_as_robels() {
    let Some([mut ours, mut robel]) = both() else { return };
    for kind in [Kind::Random, Kind::Sweeping] {
        let run = |twin: &mut Twin| -> Vec<f64> { (0..SEQUENCES).map(|seed| turned(twin, kind, seed)).collect() };
        let (our, their) = (run(&mut ours), run(&mut robel));
        let size = |angles: &[f64]| mean(angles.iter().map(|angle| angle.abs()));
        let spread = |angles: &[f64]| mean(angles.iter().map(|angle| angle * angle)).sqrt();
        let mut apart: Vec<f64> = our.iter().zip(&their).map(|(a, b)| (a - b).abs()).collect();
        apart.sort_by(f64::total_cmp);
        println!(
            "{kind:?}: {SEQUENCES} sequences of {STEPS} steps; mean |turn| ours {:.4} ROBEL's {:.4} rad ({:+.1} %); \
             root mean square {:.4} and {:.4} rad ({:+.1} %); one sequence apart by {:.4} rad in the median",
            size(&our),
            size(&their),
            100.0 * (size(&our) / size(&their) - 1.0),
            spread(&our),
            spread(&their),
            100.0 * (spread(&our) / spread(&their) - 1.0),
            apart[apart.len() / 2],
        );
        for (what, our, their) in [("mean", size(&our), size(&their)), ("spread", spread(&our), spread(&their))] {
            assert!((our / their - 1.0).abs() < 0.1, "{kind:?}: {what} {our} against {their}");
        }
    }
}

/// What disturbs the pictures finds in either model what it changes.
#[test]
fn both_models_shapes_are_known_for_what_they_belong_to() {
    let Some(both) = both() else { return };
    for twin in both {
        let shapes = &twin.scene().expect("a twin can be drawn").shapes;
        let count = |part: Part| shapes.iter().filter(|shape| shape.part == part).count();
        let names = || shapes.iter().map(|shape| format!("{} {:?}", shape.name, shape.part)).collect::<Vec<_>>();
        assert_eq!((count(Part::Table), count(Part::Mark)), (1, 1), "{:#?}", names());
        assert!(count(Part::Claw) >= JOINTS && count(Part::Valve) >= 1, "{:#?}", names());
        let motor = shapes.iter().filter(|shape| shape.name.contains("motor") || shape.name.starts_with("valve_base"));
        assert!(motor.into_iter().all(|shape| shape.part == Part::Other), "{:#?}", names());
    }
}
