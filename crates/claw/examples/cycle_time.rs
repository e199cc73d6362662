//! How long one control cycle of the claw takes on an emulated bus that takes its time: goals to nine servos, a reading
//! of ten, and a look whether one still has its torque.
//!
//!     cargo run --release --workspace --example cycle_time

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use turnkey_claw::{Claw, ClawConfig, ClawError};
use turnkey_claw_emulator::{BusTiming, Emulator, EmulatorConfig};
use turnkey_core::JOINTS;
use turnkey_core::servo::{FreeHorns, ServoName};

const CYCLES: usize = 500;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../hardware/claw.toml");
    let config = ClawConfig::load(file.as_ref())?;
    for (delay, latency) in [(0, 0), (0, 1), (0, 16), (250, 0)] {
        let mut emulated = EmulatorConfig::claw(ServoName::Xm430W210);
        emulated.timing = BusTiming::Real { usb_latency: Duration::from_millis(latency) };
        let mut emulator = Emulator::open(&emulated, FreeHorns::at(&[0.0; JOINTS + 1]))?;
        let config = config.clone().with_port(&emulator.port().display().to_string());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let servos = std::thread::spawn(move || emulator.run(&stopped));
        let times = measure(&config, delay);
        stop.store(true, Ordering::Relaxed);
        servos.join().expect("the emulator does not panic")?;
        let mut times = times?;
        times.sort();
        let at = |share: f64| times[(share * (times.len() - 1) as f64) as usize].as_secs_f64() * 1e3;
        println!(
            "return delay {delay}, USB latency {latency} ms: p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms",
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
    Ok(())
}

/// The time of each cycle, with servos set as configured but for their return delay.
fn measure(config: &ClawConfig, delay: u8) -> Result<Vec<Duration>, ClawError> {
    {
        let mut bus = turnkey_claw::Bus::open(config.port(), config.baud())?;
        let mends = turnkey_claw::check(&mut bus, config)?.mends;
        turnkey_claw::mend(&mut bus, &mends)?;
        for servo in config.servos() {
            bus.write(servo.id, turnkey_claw::ControlTable::RETURN_DELAY, delay)?;
        }
    }
    let mut claw = Claw::open(config)?.enable()?;
    let mut times = Vec::new();
    let mut reading = claw.read(Instant::now() + Duration::from_millis(500))?;
    for _ in 0..CYCLES {
        let start = Instant::now();
        let goal = claw.limits().clip(&[0.1; JOINTS], &reading.positions);
        claw.write(&goal)?;
        reading = claw.read(start + Duration::from_millis(500))?;
        times.push(start.elapsed());
    }
    Ok(times)
}
