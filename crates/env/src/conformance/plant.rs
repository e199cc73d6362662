//! What every plant promises.

use super::check_refusal;
use turnkey_core::{JOINTS, JointGoal, JointLimits, JointVector, Plant, Reading, Rng, Start};

const STEPS: usize = 12;
/// How far from where it was sent a joint or the valve may be read after a reset, rad.
const RESET_TOLERANCE: f64 = 0.09;

/// Checks a plant's promises: resets arrive, readings are finite and on time, limits hold, equal starts
/// and goals give equal readings to the bit, and so do states that were saved and restored.
///
/// # Panics
/// When a promise is broken, with which one.
pub fn check_plant<P: Plant>(make: impl Fn() -> P) {
    check_resets(&mut make());
    let (mut one, mut other) = (make(), make());
    assert_eq!(run(&mut one, 5), run(&mut other, 5), "equal starts and goals must give equal readings");
    check_clock(&mut one);
    check_snapshots(&mut one, &mut other);
    check_refusal(&mut one);
}

fn start(valve: f64, seed: u64) -> Start {
    let third = std::f64::consts::FRAC_PI_3;
    let joints = std::array::from_fn(|joint| [0.0, -third, third][joint % 3]);
    Start { joints, valve, seed }
}

/// A goal anywhere within the limits, a period's travel from `reading`.
fn goal(limits: &JointLimits, reading: &Reading, rng: &mut Rng) -> JointGoal {
    let target: JointVector = std::array::from_fn(|joint| rng.uniform(limits.low()[joint], limits.high()[joint]));
    limits.clip(&target, &reading.positions)
}

fn run(plant: &mut impl Plant, seed: u64) -> Vec<Reading> {
    let mut rng = Rng::new(seed, "conformance");
    let mut readings = vec![plant.reset(&start(0.4, seed)).expect("a reset")];
    for _ in 0..STEPS {
        let goal = goal(plant.limits(), readings.last().expect("one at least"), &mut rng);
        readings.push(plant.step(&goal).expect("a step"));
    }
    readings
}

fn check_resets(plant: &mut impl Plant) {
    for (valve, seed) in [(0.0, 1), (2.5, 2), (-2.5, 3)] {
        let start = start(valve, seed);
        let reading = plant.reset(&start).expect("a reset");
        check_finite(&reading);
        for joint in 0..JOINTS {
            let (wanted, found) = (start.joints[joint], reading.positions[joint]);
            assert!((wanted - found).abs() < RESET_TOLERANCE, "joint {joint}: sent to {wanted}, read at {found}");
        }
        if let Some(found) = reading.valve {
            assert!((found.angle - valve).abs() < RESET_TOLERANCE, "valve: sent to {valve}, read at {}", found.angle);
        }
        let goal = goal(plant.limits(), &reading, &mut Rng::new(seed, "conformance"));
        plant.step(&goal).expect("a step");
    }
}

fn check_clock(plant: &mut impl Plant) {
    let readings = run(plant, 6);
    let period = plant.period().as_secs_f64();
    assert!(period > 0.0, "a period takes time");
    for pair in readings.windows(2) {
        check_finite(&pair[1]);
        let passed = pair[1].stamp.0.saturating_sub(pair[0].stamp.0).as_secs_f64();
        assert!((passed - period).abs() < 0.5 * period, "a step of {period} s was stamped {passed} s later");
    }
}

fn check_finite(reading: &Reading) {
    let Reading { positions, velocities, torques, .. } = reading;
    assert!(positions.iter().chain(velocities).chain(torques).all(|x| x.is_finite()), "not finite: {reading:?}");
    assert!(reading.valve.is_none_or(|v| v.angle.is_finite() && v.velocity.is_finite()), "not finite: {reading:?}");
}

fn check_snapshots(one: &mut impl Plant, other: &mut impl Plant) {
    let last = run(one, 7).pop().expect("one at least");
    let state = one.save();
    let mut goals = Vec::new();
    let mut go_on = |plant: &mut dyn FnMut(&JointGoal) -> Reading, limits: &JointLimits| {
        let (mut rng, mut reading) = (Rng::new(8, "conformance"), last.clone());
        let readings: Vec<_> = (0..STEPS)
            .map(|_| {
                let goal = goal(limits, &reading, &mut rng);
                goals.push(goal);
                reading = plant(&goal);
                reading.clone()
            })
            .collect();
        readings
    };
    let limits = one.limits().clone();
    let expected = go_on(&mut |goal| one.step(goal).expect("a step"), &limits);
    one.restore(&state).expect("a state just saved");
    let again = go_on(&mut |goal| one.step(goal).expect("a step"), &limits);
    assert_eq!(expected, again, "a plant restored must go on as it did, to the bit");
    run(other, 9);
    other.restore(&state).expect("a state of an equal plant");
    let elsewhere = go_on(&mut |goal| other.step(goal).expect("a step"), &limits);
    assert_eq!(expected, elsewhere, "an equal plant given the state must go on alike, to the bit");
}
