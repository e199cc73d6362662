//! `turnkey claw scan`: who is on the bus, at every baud rate.

use super::{model_name, open_at};
use crate::cli::claw::Scan;
use crate::printing::{print, print_json};
use anyhow::{Result, bail};
use serde::Serialize;
use std::fmt::Write as _;
use std::io;
use turnkey_claw::{Baud, Bus, ClawError, Found};

/// Everyone found at one speed.
#[derive(Debug, Serialize)]
struct AtBaud {
    baud: u32,
    /// Whether the adapter can be at this speed.
    adapter: bool,
    servos: Vec<Found>,
}

/// Asks everyone, at one baud rate or at each, and prints who answers.
///
/// # Errors
/// When the port can't be used, nobody answers, or an id's answers come damaged.
pub(super) fn scan(arguments: &Scan) -> Result<()> {
    let port = arguments.line.port()?;
    let (mut bus, bauds) = open_at(&port, arguments.baud)?;
    let mut all = Vec::new();
    for baud in bauds {
        let at = at_baud(&mut bus, baud)?;
        if !arguments.line.json {
            print(&table(&at)?)?;
        }
        all.push(at);
    }
    if arguments.line.json {
        print_json(&all)?;
    }
    judge(&port, &all)
}

fn at_baud(bus: &mut Bus, baud: Baud) -> Result<AtBaud, ClawError> {
    match bus.set_baud(baud).and_then(|()| bus.scan()) {
        Ok(servos) => Ok(AtBaud { baud: baud.rate(), adapter: true, servos }),
        Err(ClawError::Port { source, .. }) if source.kind() == io::ErrorKind::InvalidInput => {
            Ok(AtBaud { baud: baud.rate(), adapter: false, servos: Vec::new() })
        }
        Err(error) => Err(error),
    }
}

fn table(at: &AtBaud) -> Result<String> {
    let AtBaud { baud, adapter, servos } = at;
    let mut text = match (adapter, servos.len()) {
        (false, _) => format!("{baud} baud: the adapter does not know it\n"),
        (true, 0) => format!("{baud} baud: nobody\n"),
        (true, _) => format!("{baud} baud\n   id  model        firmware\n"),
    };
    for Found { id, model, firmware, garbled } in servos {
        let model = model.map_or_else(|| "?".into(), model_name);
        let firmware = firmware.map_or_else(|| "?".into(), |version| version.to_string());
        let remark = if *garbled { "  damaged answers: two servos with this id, or a bad line" } else { "" };
        writeln!(text, "{:>5}  {model:<12} {firmware:>8}{remark}", id.0)?;
    }
    Ok(text)
}

fn judge(port: &str, all: &[AtBaud]) -> Result<()> {
    let found = || all.iter().flat_map(|at| &at.servos);
    if found().next().is_none() {
        let bauds: Vec<String> = all.iter().map(|at| at.baud.to_string()).collect();
        bail!(
            "{port}: expected servos, got no answer at {} baud\n  fix: check the servos' power and the plug to the \
             adapter{}",
            bauds.join(", "),
            if all.len() == 1 { "; without --baud, every baud rate is tried" } else { "" }
        );
    }
    let garbled = super::ids(found().filter(|one| one.garbled).map(|one| one.id));
    if !garbled.is_empty() {
        bail!(
            "{port}: expected one servo an id, got damaged answers from {garbled}\n  fix: connect one servo at a time \
             and give each an id of its own: `turnkey claw set-id`; if one alone is damaged too, replace its cable"
        );
    }
    Ok(())
}
