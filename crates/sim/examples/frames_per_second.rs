//! Pictures a CPU second on one thread, by size, as JSON:
//! `cargo run --release -p turnkey-sim --example frames_per_second`.
//!
//! The default camera with everything on, over poses of 200 random steps, best of five rounds; and the same
//! with one sample a pixel. Other sizes can follow `--`.

use std::sync::LazyLock;
use std::time::Instant;
use turnkey_core::{FrameSize, JointVector, Plant, Pose, Rng, Stamp, Start};
use turnkey_sim::{CameraConfig, ModelName, Renderer, Twin, TwinConfig, TwinError};

const STEPS: usize = 200;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut lines = Vec::new();
    for (name, model) in [("turnkey", ModelName::Turnkey), ("robel", ModelName::Robel)] {
        let mut twin = match Twin::new(TwinConfig { model, ..TwinConfig::default() }) {
            Ok(twin) => twin,
            Err(TwinError::Model(error)) => {
                eprintln!("{name}: {error}");
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let poses = poses(&mut twin)?;
        let sides: Vec<usize> = std::env::args().skip(1).filter_map(|side| side.parse().ok()).collect();
        for side in if sides.is_empty() { vec![32, 48, 64, 84] } else { sides } {
            let rates = [true, false].map(|supersampling| best(&twin, &poses, side, supersampling));
            let [four, one] = rates.map(|rate| format!("{rate:.0}"));
            lines.push(format!("  \"{name} {side}x{side}\": {four}, \"{name} {side}x{side}, one sample\": {one}"));
        }
    }
    println!("{{\n{}\n}}", lines.join(",\n"));
    Ok(())
}

/// Where the shapes are at each of some steps with random goals.
fn poses(twin: &mut Twin) -> Result<Vec<Vec<Pose>>, Box<dyn std::error::Error>> {
    let mut rng = Rng::new(1, "frames per second");
    let joints: JointVector = std::array::from_fn(|joint| [0.0, -1.047, 1.047][joint % 3]);
    let mut reading = twin.reset(&Start { joints, valve: 0.0, seed: 1 })?;
    let mut poses = Vec::new();
    for _ in 0..STEPS {
        let limits = twin.limits();
        let target = std::array::from_fn(|joint| rng.uniform(limits.low()[joint], limits.high()[joint]));
        let goal = limits.clip(&target, &reading.positions);
        reading = twin.step(&goal)?;
        poses.push(twin.poses());
    }
    Ok(poses)
}

/// Pictures a second in the best of a few rounds, the one least disturbed.
fn best(twin: &Twin, poses: &[Vec<Pose>], side: usize, supersampling: bool) -> f64 {
    let scene = twin.scene().cloned().unwrap_or_default();
    let size = FrameSize { width: side, height: side };
    let mut renderer = Renderer::new(&scene, CameraConfig::default().camera(), size, supersampling);
    let mut best: f64 = 0.0;
    for _ in 0..ROUNDS {
        let begin = cpu_secs();
        for poses in poses {
            std::hint::black_box(renderer.render(poses, Stamp::default()));
        }
        best = best.max(poses.len() as f64 / (cpu_secs() - begin));
    }
    best
}

/// Time that this thread has had a core, s; on systems that don't tell, time that went by.
fn cpu_secs() -> f64 {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok());
    nanos.map_or_else(|| BEGIN.elapsed().as_secs_f64(), |nanos| 1e-9 * nanos)
}
