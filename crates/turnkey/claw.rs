//! The commands of `turnkey claw`: one a module. What they share is here.

mod calibrate;
mod doctor;
mod home;
mod monitor;
mod one_servo;
mod reboot;
mod release;
mod scan;

use crate::claw_emulate::emulate;
use crate::cli::claw::{ClawCommand, Line};
use anyhow::{Context as _, Result, bail};
use turnkey_claw::{Baud, Bus, ClawConfig, ControlTable};
use turnkey_core::ServoId;
use turnkey_core::servo::ServoModel;

/// Does what the command line says with the claw's servos.
///
/// # Errors
/// Whatever went wrong, and when something is wrong with the claw.
pub fn run(command: &ClawCommand) -> Result<()> {
    match command {
        ClawCommand::Scan(arguments) => scan::scan(arguments),
        ClawCommand::Doctor(arguments) => doctor::doctor(arguments),
        ClawCommand::SetId(arguments) => one_servo::set_id(arguments),
        ClawCommand::SetBaud(arguments) => one_servo::set_baud(arguments),
        ClawCommand::Calibrate(arguments) => calibrate::calibrate(arguments),
        ClawCommand::Monitor(arguments) => monitor::monitor(arguments),
        ClawCommand::Reboot(arguments) => reboot::reboot(arguments),
        ClawCommand::Release(arguments) => release::release(arguments),
        ClawCommand::Home(arguments) => home::home(arguments),
        ClawCommand::Emulate(arguments) => emulate(arguments),
    }
}

impl Line {
    /// The claw's file, with the port that the command line says.
    fn load(&self) -> Result<ClawConfig> {
        let config = ClawConfig::load(&self.config)?;
        Ok(match &self.port {
            Some(port) => config.with_port(port),
            None => config,
        })
    }

    /// The port alone: the claw's file is read where the command line names none.
    fn port(&self) -> Result<String> {
        match &self.port {
            Some(port) => Ok(port.clone()),
            None => Ok(ClawConfig::load(&self.config)?.port().to_owned()),
        }
    }
}

/// The factory's speed, which every adapter can do.
const OPENS_EVERYWHERE: Baud = Baud::ALL[1];

/// The port, and the baud rates to ask at: this one alone, or all that servos know.
fn open_at(port: &str, rate: Option<u32>) -> Result<(Bus, Vec<Baud>)> {
    let given = rate.map(baud).transpose()?;
    let bus = Bus::open(port, given.unwrap_or(OPENS_EVERYWHERE))?;
    Ok((bus, given.map_or_else(|| Baud::ALL.to_vec(), |baud| vec![baud])))
}

fn open(config: &ClawConfig) -> Result<Bus> {
    Ok(Bus::open(config.port(), config.baud())?)
}

/// The baud rate that a person typed.
fn baud(rate: u32) -> Result<Baud> {
    Baud::with_rate(rate).with_context(|| {
        let rates: Vec<String> = Baud::ALL.iter().map(|baud| baud.rate().to_string()).collect();
        format!("baud rate: expected one that servos know, {}; got {rate}", rates.join(", "))
    })
}

/// A model number as a person reads it.
fn model_name(number: u16) -> String {
    match ServoModel::with_number(number) {
        Some(model) => model.name.spelling().to_owned(),
        None => format!("unknown ({number})"),
    }
}

/// Ids, separated by commas.
fn ids(ids: impl IntoIterator<Item = ServoId>) -> String {
    ids.into_iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(", ")
}

/// What is kept without power is locked while torque is on, and changing it under a hand that relies on it is worse.
fn expect_limp(bus: &mut Bus, id: ServoId) -> Result<()> {
    if bus.read(id, ControlTable::TORQUE_ENABLE)? != 0 {
        bail!(
            "servo {}: expected torque to be off before anything is written, got on\n  fix: `turnkey claw release`",
            id.0
        );
    }
    Ok(())
}
