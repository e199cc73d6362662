//! What our renderer sees, held to what MuJoCo's own OpenGL renderer saw.

use turnkey_core::{FrameSize, Part, Plant, Pose, Rng, Scene, Stamp, Start};
use turnkey_sim::{CameraConfig, Renderer, Twin, TwinConfig};

const SIDE: usize = 128;

/// One line of the file.
struct View {
    name: &'static str,
    camera: CameraConfig,
    start: Start,
    seen: Vec<Part>,
}

/// The views that `tests/golden/silhouettes.py` wrote, which says how a line reads.
fn views() -> impl Iterator<Item = View> {
    include_str!("../../../tests/golden/silhouettes.txt").lines().map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        let number = |index: usize| fields[index].parse::<f64>().unwrap();
        let place = |first: usize| std::array::from_fn(|axis| number(first + axis) as f32);
        let camera = CameraConfig {
            size: FrameSize { width: SIDE, height: SIDE },
            position: place(1),
            look_at: place(4),
            vertical_fov_degrees: number(7) as f32,
            supersampling: false,
            ..CameraConfig::default()
        };
        let joints = std::array::from_fn(|joint| number(8 + joint % 3));
        View { name: fields[0], camera, start: Start { joints, valve: number(11), seed: 0 }, seen: parts(fields[12]) }
    })
}

/// Runs such as `r77c51`, as pixels.
fn parts(runs: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for run in
        runs.split_inclusive(|letter: char| letter.is_ascii_alphabetic()).zip(runs.split(char::is_alphabetic).skip(1))
    {
        let part = match run.0.chars().last() {
            Some('c') => Part::Claw,
            Some('v') => Part::Valve,
            Some('m') => Part::Mark,
            _ => Part::Other,
        };
        parts.resize(parts.len() + run.1.parse::<usize>().unwrap(), part);
    }
    assert_eq!(parts.len(), SIDE * SIDE);
    parts
}

/// Pixels that are one of `parts` in both pictures, of those that are in either.
fn overlap(ours: &[Part], theirs: &[Part], parts: &[Part]) -> f64 {
    let both = ours.iter().zip(theirs).map(|(our, their)| (parts.contains(our), parts.contains(their)));
    let (mut common, mut either) = (0, 0);
    for (our, their) in both {
        common += usize::from(our && their);
        either += usize::from(our || their);
    }
    f64::from(common as u32) / f64::from(either.max(1) as u32)
}

fn seen(view: &View) -> Vec<Part> {
    let mut twin = Twin::new(TwinConfig::default()).unwrap();
    twin.reset(&view.start).unwrap();
    let mut renderer = Renderer::new(twin.scene().unwrap(), view.camera.camera(), view.camera.size, false);
    renderer.render(&twin.poses(), Stamp::default());
    renderer.parts()
}

#[test]
fn silhouettes_are_those_of_mujocos_opengl_renderer() {
    let mut count = 0;
    for view in views() {
        let ours = seen(&view);
        let all = overlap(&ours, &view.seen, &[Part::Claw, Part::Valve, Part::Mark]);
        let [claw, valve, mark] = [Part::Claw, Part::Valve, Part::Mark].map(|part| overlap(&ours, &view.seen, &[part]));
        println!("{}: all {all:.4}, claw {claw:.4}, valve {valve:.4}, mark {mark:.4}", view.name);
        assert!(all >= 0.98 && valve >= 0.98, "{}: {all} {valve}", view.name);
        count += 1;
    }
    assert!(count > 3);
}

#[test]
fn a_valve_turned_by_three_degrees_is_not_the_same_silhouette() {
    let mut view = views().find(|view| view.name == "above_closed").unwrap();
    view.start.valve += 3f64.to_radians();
    let valve = overlap(&seen(&view), &view.seen, &[Part::Valve, Part::Mark]);
    assert!(valve < 0.95, "{valve}");
}

/// The share of the mark that a camera sees past the claw, after each of some times five random steps.
fn shares_of_the_mark(camera: &CameraConfig, poses: &[Vec<Pose>], scene: &Scene) -> Vec<f64> {
    let mut bare = scene.clone();
    bare.shapes.iter_mut().filter(|shape| shape.part == Part::Claw).for_each(|shape| shape.color[3] = 0.0);
    let [mut with, mut without] = [scene, &bare].map(|scene| Renderer::new(scene, camera.camera(), camera.size, true));
    let mut share = |poses: &Vec<Pose>| {
        let [seen, all] = [&mut with, &mut without].map(|renderer| {
            renderer.render(poses, Stamp::default());
            renderer.parts().iter().filter(|part| **part == Part::Mark).count()
        });
        seen as f64 / all.max(1) as f64
    };
    poses.iter().map(&mut share).collect()
}

fn random_poses(twin: &mut Twin) -> Vec<Vec<Pose>> {
    let mut rng = Rng::new(1, "test");
    let mut poses = Vec::new();
    for seed in 0..200 {
        let joints = std::array::from_fn(|joint| [0.0, -1.047, 1.047][joint % 3]);
        let mut reading = twin.reset(&Start { joints, valve: rng.uniform(-3.0, 3.0), seed }).unwrap();
        for _ in 0..5 {
            let limits = twin.limits();
            let target = std::array::from_fn(|joint| rng.uniform(limits.low()[joint], limits.high()[joint]));
            let goal = limits.clip(&target, &reading.positions);
            reading = twin.step(&goal).unwrap();
        }
        poses.push(twin.poses());
    }
    poses
}

#[test]
fn the_default_camera_sees_most_of_the_mark_most_of_the_time() {
    let mut twin = Twin::new(TwinConfig::default()).unwrap();
    let poses = random_poses(&mut twin);
    let in_front = views().find(|view| view.name == "front_start").unwrap().camera;
    let means = [("default", CameraConfig::default()), ("in front", in_front)].map(|(name, camera)| {
        let shares = shares_of_the_mark(&camera, &poses, twin.scene().unwrap());
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        let hidden = shares.iter().filter(|share| **share < 0.3).count() as f64 / shares.len() as f64;
        println!("{name}: {:.1} % of the mark, less than 30 % of it at {:.1} % of steps", 100.0 * mean, 100.0 * hidden);
        mean
    });
    assert!(means[0] > 0.9 && means[0] > means[1], "{means:?}");
}
