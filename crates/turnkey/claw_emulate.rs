//! `turnkey claw emulate`: servos on a pseudo-terminal until somebody says stop.

use crate::cli::Emulate;
use crate::stop::Stop;
use anyhow::{Context as _, Result, bail};
use std::io::{BufRead as _, Write as _};
use std::time::Duration;
use turnkey_claw_emulator::{
    BusTiming, CLAW_IDS, EmulatedServo, Emulator, EmulatorConfig, Fault, FaultHandle, Observer,
};
use turnkey_core::servo::{FreeHorns, ServoName};
use turnkey_core::{JOINTS, ServoId, Start};
use turnkey_sim::{TwinConfig, TwinHorns};

/// Prints the port and emulates servos on it. Lines on standard input inject faults.
///
/// # Errors
/// When there can be no such servos, the system gives no port, or the physics can't go on.
pub fn emulate(arguments: &Emulate) -> Result<()> {
    let config = config(arguments);
    let stop = Stop::on_signals()?;
    let mut emulator = if arguments.twin {
        let expected = JOINTS + 1;
        if config.servos.len() != expected {
            let got = config.servos.len();
            bail!("--ids: expected {expected} with --twin, nine joints and the valve; got {got}");
        }
        let start = Start { joints: [0.0; JOINTS], valve: 0.0, seed: arguments.seed };
        let twin = TwinHorns::new(TwinConfig::default(), &start).context("the twin can't be made")?;
        Emulator::open(&config, twin)
    } else {
        Emulator::open(&config, FreeHorns::at(&vec![0.0; config.servos.len()]))
    }
    .context("servos can't be emulated")?;
    let ids: Vec<String> = config.servos.iter().map(|servo| servo.id.0.to_string()).collect();
    println!("{} servos ({}) with ids {} at {} baud", ids.len(), arguments.model, ids.join(", "), arguments.baud);
    println!("`silent {}` makes that one silent, `help` lists what else can go wrong; Ctrl-C ends it", ids[0]);
    println!("port {}", emulator.port().display());
    std::io::stdout().flush().context("the port can't be printed")?;
    listen(emulator.faults(), emulator.observer())?;
    emulator.run(stop.flag()).context("the emulated servos stopped")
}

fn config(arguments: &Emulate) -> EmulatorConfig {
    let ids = match arguments.servos {
        Some(count) => (1..=count).collect(),
        None if arguments.ids.is_empty() => CLAW_IDS.to_vec(),
        None => arguments.ids.clone(),
    };
    let model = if arguments.model == "xh430_v210" { ServoName::Xh430V210 } else { ServoName::Xm430W210 };
    let servo = |id| EmulatedServo {
        eeprom: vec![(9, i32::from(arguments.return_delay))],
        ..EmulatedServo::new(ServoId(id), model, arguments.baud)
    };
    let timing = match arguments.instantaneous {
        true => BusTiming::Instantaneous,
        false => BusTiming::Real { usb_latency: Duration::from_millis(arguments.latency) },
    };
    EmulatorConfig {
        servos: ids.into_iter().map(servo).collect(),
        timing,
        supply_volts: None,
        link: arguments.link.clone(),
        seed: arguments.seed,
    }
}

/// Reads faults from standard input on a thread of its own, which ends with the process.
fn listen(faults: FaultHandle, observer: Observer) -> Result<()> {
    let listen = move || {
        for line in std::io::stdin().lock().lines().map_while(std::io::Result::ok) {
            match line.trim() {
                "" => {}
                "clear" => faults.clear(),
                "state" => show(&observer),
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

fn show(observer: &Observer) {
    let state = observer.state();
    println!("{} packets, {} damaged", state.packets, state.damaged_packets);
    for servo in state.servos {
        println!(
            "{:>3}  torque {}  goal {:>6}  at {:>6}  {:+.2} N m  {:.0} C  error {:#04x}{}",
            servo.id.0,
            if servo.torque_enabled { "on " } else { "off" },
            servo.goal_position,
            servo.present_position,
            servo.torque,
            servo.temperature,
            servo.hardware_error.0,
            if servo.watchdog_tripped { "  watchdog tripped" } else { "" },
        );
    }
}
