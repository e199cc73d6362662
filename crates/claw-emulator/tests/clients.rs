//! Clients that we did not write, unmodified, on the emulated port.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use turnkey_claw_emulator::{BusTiming, EmulatedServo, Emulator, EmulatorConfig};
use turnkey_core::ServoId;
use turnkey_core::servo::{FreeHorns, ServoName};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The Python that has the clients; `None`, said in a line, where set-up couldn't install them.
fn python() -> Option<PathBuf> {
    let home = project().join("native/servo-clients");
    // The stamp is written last, so that half an installation doesn't count.
    if !home.join(".made-from").is_file() {
        eprintln!("not judged by other clients: none in {}; `cargo xtask setup` installs them", home.display());
        return None;
    }
    Some(home.join("bin/python"))
}

/// Runs a script of tests/clients against three servos, and expects it to end well.
fn judge(script: &str, timing: BusTiming) {
    let Some(python) = python() else { return };
    let servo = |id| EmulatedServo::new(ServoId(id), ServoName::Xm430W210, 1_000_000);
    let servos = vec![servo(1), servo(2), servo(3)];
    let config = EmulatorConfig { servos, timing, supply_volts: None, link: None, seed: 0 };
    let mut emulator = Emulator::open(&config, FreeHorns::at(&[0.0; 3])).unwrap();
    let port = emulator.port().to_owned();
    let stop = AtomicBool::new(false);
    let output = std::thread::scope(|scope| {
        let servos = scope.spawn(|| emulator.run(&stop));
        let mut command = Command::new(python);
        command.arg(project().join("tests/clients").join(script)).arg(&port).env("PYTHONDONTWRITEBYTECODE", "1");
        let output = command.output();
        stop.store(true, Ordering::Relaxed);
        servos.join().expect("no panic").expect("the emulator runs");
        output.expect("Python starts")
    });
    let words = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && words.ends_with("everything held\n"), "{script}\n{words}{errors}");
}

#[test]
fn the_vendors_client_finds_everything_as_it_should_be() {
    judge("vendor_sdk.py", BusTiming::Instantaneous);
}

#[test]
fn and_on_a_bus_that_takes_its_time() {
    judge("vendor_sdk.py", BusTiming::Real { usb_latency: Duration::from_millis(1) });
}

#[test]
fn so_does_rustypot() {
    judge("rustypot_client.py", BusTiming::Real { usb_latency: Duration::from_millis(1) });
}
