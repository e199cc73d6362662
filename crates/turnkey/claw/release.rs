//! `turnkey claw release`: torque off, whatever else is wrong.

use super::{OPENS_EVERYWHERE, ids, open};
use crate::cli::claw::Release;
use crate::printing::{print, print_json};
use anyhow::{Result, bail};
use serde::Serialize;
use std::time::Duration;
use turnkey_claw::{Baud, Bus, ClawConfig, ClawError, ControlTable};
use turnkey_core::ServoId;

/// By then, two instructions of 13 bytes have left at 9600 baud.
const SENT: Duration = Duration::from_millis(40);

/// What became of each servo.
#[derive(Debug, Default, Serialize)]
struct Released {
    /// Those that confirm that torque is off.
    released: Vec<ServoId>,
    /// Those that don't.
    unconfirmed: Vec<ServoId>,
}

/// Who has torque, where nothing is to be written.
#[derive(Debug, Default, Serialize)]
struct Torque {
    on: Vec<ServoId>,
    off: Vec<ServoId>,
    silent: Vec<ServoId>,
}

/// Switches torque off. With a port, also where the claw's file can't be read: for everyone, at every baud rate.
///
/// # Errors
/// When the port can't be used, or a servo does not confirm.
pub(super) fn release(arguments: &Release) -> Result<()> {
    let config = match (arguments.line.load(), &arguments.line.port) {
        (Ok(config), _) => config,
        (Err(error), Some(port)) if !arguments.dry_run => {
            tracing::warn!("every baud rate is tried, since there is no file of the claw: {error}");
            return show(arguments, &of_everyone(port)?);
        }
        (Err(error), _) => return Err(error),
    };
    let mut bus = open(&config)?;
    if arguments.dry_run {
        return show_torque(arguments, &torque(&mut bus, &config)?);
    }
    // Also those that are not in the file. Nobody answers; those of the file are asked to confirm.
    (0..2).try_for_each(|_| bus.broadcast(ControlTable::TORQUE_ENABLE, 0))?;
    let all: Vec<ServoId> = config.servos().map(|servo| servo.id).collect();
    let mut result = Released::default();
    match turnkey_claw::release(&mut bus, &all) {
        Ok(()) => result.released = all,
        Err(ClawError::NotReleased { servos, .. }) => {
            (result.unconfirmed, result.released) = all.iter().partition(|id| servos.contains(id));
        }
        Err(error) => return Err(error.into()),
    }
    show(arguments, &result)
}

/// Those that answer to anything at any speed.
fn of_everyone(port: &str) -> Result<Released> {
    let mut bus = Bus::open(port, OPENS_EVERYWHERE)?;
    // Each speed is told before anybody is waited for.
    for baud in Baud::ALL {
        if bus.set_baud(baud).is_ok() {
            (0..2).try_for_each(|_| bus.broadcast(ControlTable::TORQUE_ENABLE, 0))?;
            std::thread::sleep(SENT);
        }
    }
    let mut result = Released::default();
    for baud in Baud::ALL {
        if bus.set_baud(baud).is_err() {
            continue;
        }
        for ping in bus.ping_all()? {
            let confirmed = turnkey_claw::release(&mut bus, &[ping.id]).is_ok();
            (if confirmed { &mut result.released } else { &mut result.unconfirmed }).push(ping.id);
        }
    }
    if result.released.is_empty() && result.unconfirmed.is_empty() {
        bail!(
            "{port}: expected servos to confirm that torque is off, but nobody answers at any baud rate\n  fix: switch the power off"
        );
    }
    Ok(result)
}

fn show(arguments: &Release, result: &Released) -> Result<()> {
    let Released { released, unconfirmed } = result;
    if arguments.line.json {
        print_json(result)?;
    } else if !released.is_empty() {
        print(&format!("torque is off: servos {}\n", ids(released.iter().copied())))?;
    }
    if unconfirmed.is_empty() {
        return Ok(());
    }
    let after = "`turnkey claw release`; the others have let go".to_owned();
    Err(ClawError::NotReleased { servos: unconfirmed.clone(), after }.into())
}

fn torque(bus: &mut Bus, config: &ClawConfig) -> Result<Torque> {
    let mut torque = Torque::default();
    for servo in config.servos() {
        match bus.read(servo.id, ControlTable::TORQUE_ENABLE) {
            Ok(0) => torque.off.push(servo.id),
            Ok(_) => torque.on.push(servo.id),
            Err(ClawError::Missing { .. }) => torque.silent.push(servo.id),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(torque)
}

fn show_torque(arguments: &Release, torque: &Torque) -> Result<()> {
    let Torque { on, off, silent } = torque;
    if arguments.line.json {
        return print_json(torque);
    }
    for (what, which) in
        [("would be switched off", on), ("is off already", off), ("is not known, they are silent", silent)]
    {
        if !which.is_empty() {
            print(&format!("torque {what}: servos {}\n", ids(which.iter().copied())))?;
        }
    }
    Ok(())
}
