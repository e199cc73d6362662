//! How well the valve's mark tells its angle: on the twin's pictures, against the twin's angle, at the size that the camera over an
//! emulated claw has by default.

use std::path::Path;
use turnkey_camera::{CameraConfig, MarkFinder};
use turnkey_core::{Frame, JOINTS, Plant as _, Rng, SceneEdit, Start, wrap_angle};
use turnkey_picture::PipelineConfig;
use turnkey_sim::{Twin, TwinConfig};

const ANGLES: usize = 180;
/// The greatest error where no finger covers the mark, rad.
const BOUND: f64 = 0.03;

/// The twin under the camera of this file, and what finds the mark in its frames.
fn stage() -> (Twin, MarkFinder) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/hardware/emulated_camera.toml");
    let config = CameraConfig::load(Path::new(file)).unwrap();
    let pipeline = Some(PipelineConfig { crop: config.raw().crop, output: config.raw().output });
    let camera = turnkey_sim::CameraConfig { size: config.size(), pipeline, ..Default::default() };
    let twin = Twin::new(TwinConfig { camera: Some(camera), ..TwinConfig::default() }).unwrap();
    (twin, MarkFinder::new(&config).unwrap())
}

fn seen(twin: &mut Twin, joints: [f64; JOINTS], valve: f64) -> Frame {
    twin.reset(&Start { joints, valve, seed: 0 }).unwrap().frame.unwrap()
}

/// Fingers out of the way, as an episode starts.
fn clear() -> [f64; JOINTS] {
    std::array::from_fn(|joint| [0.0, -std::f64::consts::FRAC_PI_3, std::f64::consts::FRAC_PI_3][joint % 3])
}

fn angle(at: usize) -> f64 {
    wrap_angle(std::f64::consts::TAU * at as f64 / ANGLES as f64 + 0.003)
}

/// The errors over a turn, sorted, rad.
fn errors(twin: &mut Twin, finder: &MarkFinder) -> Vec<f64> {
    let error = |at| {
        let sight = finder.find(&seen(twin, clear(), angle(at))).unwrap();
        wrap_angle(sight.angle - angle(at)).abs()
    };
    let mut errors: Vec<f64> = (0..ANGLES).map(error).collect();
    errors.sort_by(f64::total_cmp);
    errors
}

#[test]
fn over_a_turn_the_angle_is_right_in_any_light() {
    let (mut twin, finder) = stage();
    let lights = [
        ("as it is", vec![]),
        ("a third", vec![SceneEdit::LightIntensity([0.33; 3])]),
        ("half more", vec![SceneEdit::LightIntensity([1.5; 3])]),
        ("warm", vec![SceneEdit::LightIntensity([1.3, 1.0, 0.6])]),
        ("cold", vec![SceneEdit::LightIntensity([0.7, 1.0, 1.3])]),
        ("from the side", vec![SceneEdit::LightDirection { azimuth: 1.0, elevation: 0.9 }]),
        ("from the other", vec![SceneEdit::LightDirection { azimuth: -2.0, elevation: 0.7 }]),
    ];
    for (name, edits) in lights {
        twin.edit_scene(&edits).unwrap();
        let errors = errors(&mut twin, &finder);
        println!("light {name}: median {:.4} rad, most {:.4} rad of {ANGLES}", errors[ANGLES / 2], errors[ANGLES - 1]);
        assert!(errors[ANGLES - 1] < BOUND, "{name}: {errors:?}");
    }
}

#[test]
fn under_fingers_the_angle_is_nearly_right_or_refused() {
    let (mut twin, finder) = stage();
    let whole: Vec<usize> =
        (0..ANGLES).map(|at| finder.find(&seen(&mut twin, clear(), angle(at))).unwrap().pixels).collect();
    let (low, high) = (*twin.limits().low(), *twin.limits().high());
    let mut rng = Rng::new(1, "fingers over the mark");
    let (mut seen_of, mut refused) = (Vec::new(), 0);
    for (at, whole) in std::iter::repeat_n(whole.iter().enumerate(), 20).flatten() {
        let joints = std::array::from_fn(|joint| rng.uniform(low[joint], high[joint]));
        match finder.find(&seen(&mut twin, joints, angle(at))) {
            Ok(sight) => seen_of.push((sight.pixels as f64 / *whole as f64, wrap_angle(sight.angle - angle(at)).abs())),
            Err(_) => refused += 1,
        }
    }
    println!("fingers anywhere, {} poses: {refused} refused", 20 * ANGLES);
    for (from, to, bound) in
        [(0.0, 0.25, 0.2), (0.25, 0.5, 0.16), (0.5, 0.75, 0.1), (0.75, 0.9, 0.05), (0.9, 2.0, 0.02)]
    {
        let of = seen_of.iter().filter(|(share, _)| (from..to).contains(share));
        let mut errors: Vec<f64> = of.map(|(_, error)| *error).collect();
        errors.sort_by(f64::total_cmp);
        let (median, most) = (errors[errors.len() / 2], errors[errors.len() - 1]);
        println!("{from} to {to} of it seen, {} poses: median {median:.3} rad, most {most:.3} rad", errors.len());
        assert!(most < bound, "{from} to {to}: {most}");
    }
}

#[test]
fn while_fingers_move_at_random_nearly_every_frame_tells_the_angle() {
    let (mut twin, finder) = stage();
    let mut rng = Rng::new(1, "random actions");
    let range = [0.48, std::f64::consts::FRAC_PI_3, std::f64::consts::FRAC_PI_2];
    let (mut errors, mut refused, mut refused_in_a_row) = (Vec::new(), 0, 0);
    for seed in 0..80 {
        let mut row = 0;
        let mut reading = twin.reset(&Start { joints: clear(), valve: rng.uniform(-3.0, 3.0), seed }).unwrap();
        for _ in 0..40 {
            let target = std::array::from_fn(|joint| rng.uniform(-1.0, 1.0) * range[joint % 3]);
            let goal = twin.limits().clip(&target, &reading.positions);
            reading = twin.step(&goal).unwrap();
            if let Ok(sight) = finder.find(reading.frame.as_ref().unwrap()) {
                errors.push(wrap_angle(sight.angle - reading.valve.unwrap().angle).abs());
                row = 0;
            } else {
                (refused, row) = (refused + 1, row + 1);
                refused_in_a_row += usize::from(row == 3);
            }
        }
    }
    errors.sort_by(f64::total_cmp);
    let of = |share: f64| errors[(share * (errors.len() - 1) as f64) as usize];
    println!(
        "random actions, 3200 frames: {refused} refused, {refused_in_a_row} times three in a row; median {:.4}, 99% {:.3}, most \
         {:.3} rad",
        of(0.5),
        of(0.99),
        of(1.0)
    );
    assert!(refused < 160 && of(0.99) < 0.06 && of(1.0) < 0.2, "{refused} {errors:?}");
}
