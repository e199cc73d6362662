//! Records a made-up claw learning to turn a made-up valve, to look at the view without physics:
//! `cargo run --release -p turnkey-view --example synthetic -- out.rrd [EPISODES] [EVERY] [--live]` keeps control
//! steps of one episode in EVERY; live, it runs at the pace of a real claw.

use std::f32::consts::TAU;
use std::sync::Arc;
use std::time::{Duration, Instant};
use turnkey_core::{
    Action, ControlRecord, EpisodeRecord, Geometry, JOINTS, LearningRecord, Part, Pose, Reading, Record, Scene, Shape,
    Sink, Stamp, ValveReading, wrap_angle,
};
use turnkey_view::{Live, View, ViewConfig};

const EPISODE_STEPS: u64 = 40;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("which file to record to?")?;
    let episodes = arguments.get(1).and_then(|n| n.parse().ok()).unwrap_or(50);
    let live = arguments.iter().any(|a| a == "--live");
    let mut config = ViewConfig::new("synthetic", path);
    config.live = live.then_some(Live::Spawn);
    config.control_every = arguments.get(2).and_then(|n| n.parse().ok()).unwrap_or(config.control_every);
    let view = View::start(config)?;
    view.record(Record::Scene(Arc::new(scene())));
    let begun = Instant::now();
    for episode in 1..=episodes {
        record_episode(&view, episode, episodes, live);
    }
    let took = begun.elapsed();
    println!("{episodes} episodes in {took:?}: {:?}", view.finish(Duration::from_secs(30)));
    Ok(())
}

fn record_episode(view: &View, episode: u64, episodes: u64, live: bool) {
    let skill = episode as f64 / episodes as f64;
    let target = 2.5 * (episode as f64 * 1.7).sin();
    let mut angle = target - 2.8;
    for i in 1..=EPISODE_STEPS {
        let step = (episode - 1) * EPISODE_STEPS + i;
        angle += skill * 0.15 * (target - angle);
        if view.wants_control() {
            view.record(Record::Control(Box::new(control(step, angle, target))));
        }
        if i % 10 == 0 {
            view.record(Record::Learning(learning(step, skill)));
        }
        // A fast twin takes a few thousand steps a second, a real claw ten.
        std::thread::sleep(if live { Duration::from_millis(100) } else { Duration::from_micros(100) });
    }
    let error = (target - angle).abs();
    view.record(Record::Episode(EpisodeRecord {
        step: episode * EPISODE_STEPS,
        episode,
        episode_return: -100.0 + 250.0 * skill,
        length: EPISODE_STEPS as usize,
        success: Some(error < 0.1),
        final_error: Some(error),
    }));
}

fn learning(step: u64, skill: f64) -> LearningRecord {
    let wave = (step as f64 * 0.01).sin();
    let figures = vec![
        ("critic_loss", 0.3 * (1.2 - skill) + 0.05 * wave),
        ("actor_loss", -20.0 * skill + wave),
        ("q", 20.0 * skill),
        ("target_q", 20.0 * skill + 0.4 * wave),
        ("entropy", 6.0 - 15.0 * skill),
        ("temperature", 0.1 * (1.05 - skill)),
    ];
    LearningRecord { step, figures }
}

fn control(step: u64, angle: f64, target: f64) -> ControlRecord {
    let joint = |i: usize, late: f64| 0.4 * ((step as f64 - late) * 0.15 + i as f64).sin();
    let (positions, goal) = (std::array::from_fn(|i| joint(i, 1.0)), std::array::from_fn(|i| joint(i, 0.0)));
    let error = wrap_angle(target - angle);
    let terms = vec![("distance", -5.0 * error.abs()), ("pose", -0.2), ("velocity", -0.1), ("bonus", 0.0)];
    ControlRecord {
        step,
        reading: Reading {
            stamp: Stamp::default(),
            positions,
            velocities: [0.0; JOINTS],
            torques: [0.0; JOINTS],
            valve: Some(ValveReading { angle, velocity: 0.0, stamp: Stamp::default() }),
            frame: None,
        },
        goal,
        action: Action(goal.map(|x| x as f32 * 2.0).to_vec()),
        target,
        angular_error: error,
        reward: terms.iter().map(|(_, term)| term).sum(),
        terms,
        lateness: None,
        health: None,
        poses: poses(&positions, angle as f32),
    }
}

/// A table, three fingers of four shapes, a valve of three lobes, a hub and a mark.
fn scene() -> Scene {
    let shape = |name: String, geometry, color| Shape { name, part: Part::Other, geometry, color, texture: None };
    let slab = Geometry::Box { half_sizes: [0.4, 0.4, 0.005] };
    let mut shapes = vec![shape("table".into(), slab, [0.32, 0.34, 0.37, 1.0])];
    for finger in 0..3 {
        let servo = Geometry::Box { half_sizes: [0.0175, 0.015, 0.024] };
        let part = |name: &str, geometry, color| shape(format!("finger_{finger}/{name}"), geometry, color);
        shapes.push(part("base", servo.clone(), [0.2, 0.2, 0.22, 1.0]));
        shapes.push(part("middle", Geometry::Cylinder { radius: 0.012, half_length: 0.03 }, [0.75, 0.75, 0.78, 1.0]));
        shapes.push(part("joint", octahedron(0.016), [0.2, 0.2, 0.22, 1.0]));
        shapes.push(part("tip", Geometry::Capsule { radius: 0.011, half_length: 0.03 }, [0.15, 0.5, 0.75, 1.0]));
    }
    for lobe in 0..3 {
        let geometry = Geometry::Capsule { radius: 0.021, half_length: 0.035 };
        shapes.push(shape(format!("valve/lobe_{lobe}"), geometry, [0.95, 0.62, 0.16, 1.0]));
    }
    shapes.push(shape("valve/hub".into(), Geometry::Sphere { radius: 0.026 }, [0.95, 0.62, 0.16, 1.0]));
    let mark = Geometry::Capsule { radius: 0.008, half_length: 0.032 };
    shapes.push(shape("valve/mark".into(), mark, [0.05, 0.25, 0.85, 1.0]));
    Scene { shapes, ..Scene::default() }
}

fn octahedron(size: f32) -> Geometry {
    let s = size;
    let vertices = vec![[s, 0.0, 0.0], [-s, 0.0, 0.0], [0.0, s, 0.0], [0.0, -s, 0.0], [0.0, 0.0, s], [0.0, 0.0, -s]];
    let above = [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4]];
    let below = above.map(|[a, b, _]| [b, a, 5]);
    Geometry::Mesh { vertices, triangles: above.into_iter().chain(below).collect() }
}

fn poses(joints: &[f64; JOINTS], valve: f32) -> Vec<Pose> {
    let upright = [0.0, 0.0, 0.0, 1.0];
    let mut poses = vec![Pose { position: [0.0, 0.0, -0.005], rotation: upright }];
    for finger in 0..3 {
        let (sin, cos) = (finger as f32 * TAU / 3.0 + 0.5).sin_cos();
        let at = |radius: f32, height: f32| Pose { position: [radius * cos, radius * sin, height], rotation: upright };
        let sway = 0.03 * joints[3 * finger] as f32;
        poses.extend([at(0.09, 0.24), at(0.09, 0.19), at(0.09 + sway, 0.15), at(0.09 + sway, 0.10)]);
    }
    let lying = |angle: f32, radius: f32, height: f32| {
        // Along z first, then laid along x and turned about z.
        let (sin, cos) = (0.5 * angle).sin_cos();
        let half = std::f32::consts::FRAC_1_SQRT_2;
        let position = [radius * angle.cos(), radius * angle.sin(), height];
        Pose { position, rotation: [-sin * half, cos * half, sin * half, cos * half] }
    };
    poses.extend((0..3).map(|lobe| lying(valve + lobe as f32 * TAU / 3.0, 0.0386, 0.05)));
    poses.push(Pose { position: [0.0, 0.0, 0.05], rotation: upright });
    poses.push(lying(valve, 0.046, 0.068));
    poses
}
