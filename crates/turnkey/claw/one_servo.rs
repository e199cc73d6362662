//! `turnkey claw set-id` and `set-baud`: another id or speed for one servo, and for that one alone.

use super::{expect_limp, ids, model_name, open_at};
use crate::cli::claw::{Line, SetBaud, SetId, Which};
use crate::printing::{print, print_json};
use anyhow::{Result, bail, ensure};
use serde::Serialize;
use std::time::Duration;
use turnkey_claw::{Baud, Bus, ClawError, ControlTable, Found};
use turnkey_core::ServoId;

/// A servo takes this long at most before it speaks at its new speed.
const SETTLE: Duration = Duration::from_millis(50);

/// What was changed, or with --dry-run would be.
#[derive(Debug, Serialize)]
struct Change {
    id: ServoId,
    baud: u32,
    model: Option<String>,
    new_id: ServoId,
    new_baud: u32,
    dry_run: bool,
}

/// The servo that is meant, on a bus at its speed, with all others at that speed.
struct Picked {
    bus: Bus,
    baud: Baud,
    servo: Found,
    all: Vec<Found>,
}

/// Gives one servo another id.
///
/// # Errors
/// When it isn't clear which servo is meant, its torque is on, somebody has the new id, or it does not answer to it then.
pub(super) fn set_id(arguments: &SetId) -> Result<()> {
    let SetId { line, new, which } = arguments;
    let new = ServoId(*new);
    let Picked { mut bus, baud, servo, all } = pick(line, which)?;
    let old = servo.id;
    ensure!(old != new, "servo {}: expected another id than it has, got {}", old.0, new.0);
    if all.iter().any(|one| one.id == new) {
        bail!(
            "{}: expected nobody to have id {}, but a servo answers to it\n  fix: give that one another id first, or \
             choose one that is free: taken are {}",
            bus.port(),
            new.0,
            ids(all.iter().map(|one| one.id))
        );
    }
    expect_limp(&mut bus, old)?;
    let change = change(&servo, baud, new, baud, which);
    if !which.dry_run {
        // The answer may be lost on the way; whether it answers to the new id is what counts.
        let written = bus.write(old, ControlTable::ID, new.0);
        match (bus.ping(new), written) {
            (Ok(_), _) => {}
            (Err(_), Err(error)) | (Err(error), Ok(())) => return Err(error.into()),
        }
        expect_silence(&mut bus, old, "the old id")?;
    }
    say(line, &change)
}

/// Gives one servo another baud rate.
///
/// # Errors
/// When it isn't clear which servo is meant, its torque is on, somebody has its id at the new speed, or it does not answer
/// at it then.
pub(super) fn set_baud(arguments: &SetBaud) -> Result<()> {
    let SetBaud { line, new, which } = arguments;
    let new = super::baud(*new)?;
    let Picked { mut bus, baud: old, servo, .. } = pick(line, which)?;
    ensure!(old != new, "servo {}: expected another baud rate than it has, got {}", servo.id.0, new.rate());
    expect_limp(&mut bus, servo.id)?;
    bus.set_baud(new)?;
    if bus.ping(servo.id).is_ok() {
        bail!(
            "{}: expected nobody with id {} at {} baud, but a servo answers there\n  fix: give one of the two another \
             id first",
            bus.port(),
            servo.id.0,
            new.rate()
        );
    }
    bus.set_baud(old)?;
    let change = change(&servo, old, servo.id, new, which);
    if !which.dry_run {
        let written = bus.write(servo.id, ControlTable::BAUD_RATE, new.code());
        std::thread::sleep(SETTLE);
        bus.set_baud(new)?;
        match (bus.ping(servo.id), written) {
            (Ok(_), _) => {}
            (Err(_), Err(error)) | (Err(error), Ok(())) => return Err(error.into()),
        }
        bus.set_baud(old)?;
        expect_silence(&mut bus, servo.id, "the old baud rate")?;
    }
    say(line, &change)
}

/// Finds the servo that is meant; one that shares its id with another is none.
fn pick(line: &Line, which: &Which) -> Result<Picked> {
    let (mut bus, bauds) = open_at(&line.port()?, which.baud)?;
    let mut heard = Vec::new();
    for baud in bauds {
        match bus.set_baud(baud) {
            // Without --baud, one that the adapter does not know is passed over.
            Err(_) if which.baud.is_none() => continue,
            result => result?,
        }
        let all = bus.scan()?;
        let meant = match which.id {
            Some(id) => all.iter().find(|one| one.id == ServoId(id)).copied(),
            None if all.len() > 1 => {
                let all = ids(all.iter().map(|one| one.id));
                bail!(
                    "{}: expected one servo alone, got answers from {all} at {} baud\n  fix: say which by --id, or \
                     connect one alone",
                    bus.port(),
                    baud.rate()
                );
            }
            None => all.first().copied(),
        };
        if let Some(servo) = meant {
            if servo.garbled {
                bail!(
                    "{}: expected one servo with id {}, got damaged answers: two servos have it, or the line is bad\n  \
                     fix: connect one servo alone",
                    bus.port(),
                    servo.id.0
                );
            }
            return Ok(Picked { bus, baud, servo, all });
        }
        heard.extend(all.iter().map(|one| format!("{} at {} baud", one.id.0, baud.rate())));
    }
    let expected = which.id.map_or_else(|| "a servo".into(), |id| format!("servo {id}"));
    let heard = if heard.is_empty() { "no answer".into() } else { heard.join(", ") };
    bail!(
        "{}: expected {expected}, got {heard}\n  fix: check power and plug; `turnkey claw scan` shows who answers",
        bus.port()
    );
}

/// Somebody who answers as before was a second servo, alike in all it said.
fn expect_silence(bus: &mut Bus, id: ServoId, what: &str) -> Result<()> {
    match bus.ping(id) {
        Err(ClawError::Missing { .. }) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => bail!(
            "servo {}: expected nobody to answer to {what} any more, got an answer\n  fix: there are two servos with \
             this id: connect one alone",
            id.0
        ),
    }
}

fn change(servo: &Found, baud: Baud, new_id: ServoId, new_baud: Baud, which: &Which) -> Change {
    Change {
        id: servo.id,
        baud: baud.rate(),
        model: servo.model.map(model_name),
        new_id,
        new_baud: new_baud.rate(),
        dry_run: which.dry_run,
    }
}

fn say(line: &Line, change: &Change) -> Result<()> {
    if line.json {
        return print_json(change);
    }
    let Change { id, baud, model, new_id, new_baud, dry_run } = change;
    let verb = if *dry_run { "would be" } else { "is now" };
    let model = model.as_deref().unwrap_or("unknown");
    print(&format!("servo {} ({model}) at {baud} baud {verb} servo {} at {new_baud} baud\n", id.0, new_id.0))
}
