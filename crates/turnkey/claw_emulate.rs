//! `turnkey claw emulate`: servos on a pseudo-terminal until somebody says stop, and perhaps a camera over them.

mod film;

pub use film::Film;

use crate::cli::claw::Emulate;
use crate::printing::print;
use crate::priority;
use crate::stop::Stop;
use anyhow::{Context as _, Result, bail};
use std::io::BufRead as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use turnkey_claw::{CENTRE, ClawConfig, Direction, ServoConfig};
use turnkey_claw_emulator::{
    BusTiming, CLAW_IDS, EmulatedServo, Emulator, EmulatorConfig, Fault, FaultHandle, Observer, ServoView,
};
use turnkey_core::servo::FreeHorns;
use turnkey_core::{JOINTS, ServoId, Start};
use turnkey_sim::{TwinConfig, TwinHorns};

/// Prints the port and emulates servos on it. Lines on standard input inject faults.
///
/// # Errors
/// When there can be no such servos, the system gives no port, or the physics can't go on.
pub fn emulate(arguments: &Emulate) -> Result<()> {
    let config = config(arguments)?;
    let stop = Stop::on_signals()?;
    let mut film = None;
    let mut emulator = if arguments.twin {
        let got = config.servos.len();
        if !(JOINTS..=JOINTS + 1).contains(&got) {
            let option = if arguments.config.is_some() { "--config" } else { "--ids" };
            bail!("{option}: expected nine joints with --twin, and perhaps the valve; got {got}");
        }
        let start = Start { joints: [0.0; JOINTS], valve: 0.0, seed: arguments.seed };
        let twin = TwinHorns::new(TwinConfig::default(), &start).context("the twin can't be made")?;
        let twin = if got == JOINTS { twin.without_valve_servo() } else { twin };
        let twin = Arc::new(Mutex::new(twin));
        let camera = arguments.camera.as_ref();
        film = camera.map(|file| Film::open(file, Arc::clone(&twin), arguments.seed)).transpose()?;
        Emulator::open(&config, twin)
    } else {
        Emulator::open(&config, FreeHorns::at(&vec![0.0; config.servos.len()]))
    }
    .context("servos can't be emulated")?;
    let ids: Vec<String> = config.servos.iter().map(|servo| servo.id.0.to_string()).collect();
    let (model, baud) = (config.servos[0].model.spelling(), config.servos[0].baud);
    print(&format!(
        "{} servos ({model}) with ids {} at {baud} baud\n`silent {}` makes that one silent, `help` lists what else can go \
         wrong; Ctrl-C ends it\nport {}\n",
        ids.len(),
        ids.join(", "),
        ids[0],
        emulator.port().display()
    ))?;
    listen(emulator.faults(), emulator.observer())?;
    std::thread::scope(|scope| {
        let film = film.map(|film| scope.spawn(|| film.run(stop.flag())));
        // Real servos don't wait for what else a computer does. Where it isn't allowed, these do.
        let _ = priority::real_time();
        let ended = emulator.run(stop.flag()).context("the emulated servos stopped");
        stop.raise();
        let filmed = film.map_or(Ok(()), |film| film.join().unwrap_or_else(|_| bail!("the emulated camera panicked")));
        ended.and(filmed)
    })
}

/// Servos as `config` describes them, on a bus that takes its time: ids, models, baud rate, and in their EEPROM everything
/// that a check looks at, so that it finds nothing to mend. They are mounted so that 0 rad of their horn is the joint's.
#[must_use]
pub fn emulated(config: &ClawConfig) -> EmulatorConfig {
    let servo = |servo: &ServoConfig| EmulatedServo {
        zero_ticks: CENTRE.0 - servo.homing_offset,
        eeprom: servo
            .settings
            .iter()
            .filter(|setting| setting.is_kept())
            .map(|setting| (setting.address(), setting.value() as i32))
            .collect(),
        ..EmulatedServo::new(servo.id, servo.model.name, config.baud().rate())
    };
    EmulatorConfig {
        servos: config.servos().map(servo).collect(),
        timing: BusTiming::Real { usb_latency: Duration::from_millis(1) },
        supply_volts: None,
        link: None,
        seed: 0,
    }
}

fn config(arguments: &Emulate) -> Result<EmulatorConfig> {
    let servos = match &arguments.config {
        Some(path) => {
            let claw = ClawConfig::load(path)?;
            // The twin's horns turn as its joints do.
            let reversed = claw.servos().find(|servo| servo.map.direction() == Direction::Reversed);
            if let Some(servo) = reversed.filter(|_| arguments.twin) {
                bail!(
                    "{}: {}: expected direction \"normal\" with --twin, whose joints turn as its servos do, got \
                     \"reversed\"\n  fix: emulate another claw's file, such as hardware/claw.toml",
                    path.display(),
                    servo.name
                );
            }
            emulated(&claw).servos
        }
        None => as_told(arguments),
    };
    let timing = match arguments.instantaneous {
        true => BusTiming::Instantaneous,
        false => BusTiming::Real { usb_latency: Duration::from_millis(arguments.latency) },
    };
    Ok(EmulatorConfig { servos, timing, supply_volts: None, link: arguments.link.clone(), seed: arguments.seed })
}

/// Servos from the factory, but for what the options say.
fn as_told(arguments: &Emulate) -> Vec<EmulatedServo> {
    let ids = match arguments.servos {
        Some(count) => (1..=count).collect(),
        None if arguments.ids.is_empty() => CLAW_IDS.to_vec(),
        None => arguments.ids.clone(),
    };
    let servo = |id| EmulatedServo {
        eeprom: vec![(9, i32::from(arguments.return_delay))],
        ..EmulatedServo::new(ServoId(id), arguments.model, arguments.baud)
    };
    ids.into_iter().map(servo).collect()
}

/// Reads faults from standard input on a thread of its own, which ends with the process.
fn listen(faults: FaultHandle, observer: Observer) -> Result<()> {
    let listen = move || {
        for line in std::io::stdin().lock().lines().map_while(std::io::Result::ok) {
            match line.trim() {
                "" => {}
                "clear" => faults.clear(),
                "state" => {
                    if print(&shown(&observer)).is_err() {
                        return; // nobody can be answered any more
                    }
                }
                text => match text.parse::<Fault>() {
                    Ok(fault) => faults.inject(fault),
                    Err(reason) => eprintln!("{reason}; or `clear`, or `state`"),
                },
            }
        }
    };
    std::thread::Builder::new().name("faults".into()).spawn(listen).context("no thread can listen for faults")?;
    Ok(())
}

/// What the servos are like, a line each.
fn shown(observer: &Observer) -> String {
    let state = observer.state();
    let line = |servo: ServoView| {
        format!(
            "{:>3}  torque {}  goal {:>6}  at {:>6}  {:+.2} N m  {:.0} C  error {:#04x}{}\n",
            servo.id.0,
            if servo.torque_enabled { "on " } else { "off" },
            servo.goal_position,
            servo.present_position,
            servo.torque,
            servo.temperature,
            servo.hardware_error.0,
            if servo.watchdog_tripped { "  watchdog tripped" } else { "" },
        )
    };
    let servos: String = state.servos.into_iter().map(line).collect();
    format!("{} packets, {} damaged\n{servos}", state.packets, state.damaged_packets)
}
