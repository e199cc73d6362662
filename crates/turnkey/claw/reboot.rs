//! `turnkey claw reboot`: servos start over, which clears their alerts and takes their torque off.

use super::open;
use crate::cli::claw::Reboot;
use crate::printing::{print, print_json};
use anyhow::{Result, bail};
use serde::Serialize;
use turnkey_claw::{Bus, ClawError, HardwareAlerts};
use turnkey_core::ServoId;

/// What became of one servo.
#[derive(Debug, Serialize)]
struct Rebooted {
    id: ServoId,
    /// What was wrong with it, where it answered.
    before: Option<HardwareAlerts>,
    /// What is wrong with it now; none where it is not back, or was not rebooted.
    after: Option<HardwareAlerts>,
    /// What went wrong.
    error: Option<String>,
}

/// Reboots servos one after the other, also after one that does not come back.
///
/// # Errors
/// When the port can't be used, or a servo does not come back or keeps an alert.
pub(super) fn reboot(arguments: &Reboot) -> Result<()> {
    let config = arguments.line.load()?;
    let mut bus = open(&config)?;
    let ids: Vec<ServoId> = match arguments.ids[..] {
        [] => config.servos().map(|servo| servo.id).collect(),
        _ => arguments.ids.iter().copied().map(ServoId).collect(),
    };
    let mut all = Vec::new();
    for id in ids {
        let one = reboot_one(&mut bus, id, arguments.dry_run)?;
        if !arguments.line.json {
            print(&told(&one, arguments.dry_run))?;
        }
        all.push(one);
    }
    if arguments.line.json {
        print_json(&all)?;
    }
    let failed = super::ids(all.iter().filter(|one| one.error.is_some()).map(|one| one.id));
    if !failed.is_empty() {
        bail!(
            "{}: expected servos to come back, got silence from {failed}\n  fix: check their power and plugs",
            config.port()
        );
    }
    let alerted = all.iter().find(|one| one.after.is_some_and(|alerts| !alerts.is_none()));
    if let Some((one, alerts)) = alerted.and_then(|one| Some((one, one.after?))) {
        bail!("servo {}: expected no alert after the reboot, got: {alerts}\n  fix: {}", one.id.0, alerts.fix());
    }
    Ok(())
}

fn reboot_one(bus: &mut Bus, id: ServoId, dry_run: bool) -> Result<Rebooted> {
    let (before, silent) = match bus.hardware_alerts(id) {
        Ok(alerts) => (Some(alerts), None),
        Err(error @ ClawError::Port { .. }) => return Err(error.into()),
        Err(error) => (None, Some(error.to_string())),
    };
    if dry_run {
        return Ok(Rebooted { id, before, after: None, error: silent });
    }
    // A servo whose answers are lost may still hear.
    let after = bus.reboot(id).and_then(|_| bus.hardware_alerts(id));
    match after {
        Ok(after) => Ok(Rebooted { id, before, after: Some(after), error: None }),
        Err(error @ ClawError::Port { .. }) => Err(error.into()),
        Err(error) => Ok(Rebooted { id, before, after: None, error: Some(error.to_string()) }),
    }
}

fn told(one: &Rebooted, dry_run: bool) -> String {
    let Rebooted { id, before, after, error } = one;
    let before = before.map_or_else(|| "unknown".into(), |alerts| alerts.to_string());
    match (error, after) {
        (Some(_), _) if dry_run => format!("servo {}: silent\n", id.0),
        (Some(_), _) => format!("servo {}: alerts before: {before}; did not come back\n", id.0),
        (None, Some(after)) => format!("servo {}: rebooted; alerts before: {before}; now: {after}\n", id.0),
        (None, None) => format!("servo {}: would be rebooted; alerts: {before}\n", id.0),
    }
}
