//! Physics steps a CPU second on one thread, of both models, as JSON:
//! `cargo run --release -p turnkey-sim --example steps_per_second`.
//!
//! Random goals at 10 Hz from ROBEL's reset, 40 steps an episode, as in its turning tasks.

use std::sync::LazyLock;
use std::time::Instant;
use turnkey_core::{JointVector, Plant, Rng, Start};
use turnkey_sim::{Actuation, ModelName, Twin, TwinConfig, TwinError};

const EPISODES: u64 = 25;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut lines = Vec::new();
    for (name, model, actuation) in [
        ("turnkey", ModelName::Turnkey, Actuation::Position),
        ("turnkey, servo model", ModelName::Turnkey, Actuation::Servo),
        ("robel", ModelName::Robel, Actuation::Position),
    ] {
        match Twin::new(TwinConfig { model, actuation, ..TwinConfig::default() }) {
            Ok(mut twin) => lines.push(format!("  \"{name}\": {:.0}", best(&mut twin)?)),
            Err(TwinError::Model(error)) => eprintln!("{name}: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
    println!("{{\n{}\n}}", lines.join(",\n"));
    Ok(())
}

/// Physics steps a second in the best of a few rounds, the one least disturbed.
fn best(twin: &mut Twin) -> Result<f64, Box<dyn std::error::Error>> {
    let mut best: f64 = 0.0;
    for _ in 0..ROUNDS {
        let begin = cpu_secs();
        let steps = round(twin)?;
        best = best.max(steps as f64 / (cpu_secs() - begin));
    }
    Ok(best)
}

/// Time that this thread has had a core, s; on systems that don't tell, time that went by.
fn cpu_secs() -> f64 {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok());
    nanos.map_or_else(|| BEGIN.elapsed().as_secs_f64(), |nanos| 1e-9 * nanos)
}

fn round(twin: &mut Twin) -> Result<u64, Box<dyn std::error::Error>> {
    let mut rng = Rng::new(1, "steps per second");
    let mut steps = 0;
    for seed in 0..EPISODES {
        let joints: JointVector = std::array::from_fn(|joint| [0.0, -1.047, 1.047][joint % 3]);
        let mut reading = twin.reset(&Start { joints, valve: rng.uniform(-1.0, 1.0), seed })?;
        for _ in 0..40 {
            let limits = twin.limits();
            let target = std::array::from_fn(|joint| rng.uniform(limits.low()[joint], limits.high()[joint]));
            let goal = limits.clip(&target, &reading.positions);
            reading = twin.step(&goal)?;
            steps += u64::from(twin.physics_steps_per_period());
        }
    }
    Ok(steps)
}
