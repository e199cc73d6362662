//! `turnkey claw calibrate`: a person moves each joint by hand, and the claw's file comes of it.

mod joint;
mod person;
mod servos;

use super::baud;
use crate::cli::claw::Calibrate;
use crate::printing::{print, print_json};
use crate::run_folder::write_durably;
use anyhow::{Result, bail, ensure};
use joint::Poses;
use person::Person;
use serde::Serialize;
use servos::Servos;
use std::fmt::Write as _;
use std::path::Path;
use turnkey_claw::{Bus, ClawConfig, Finding, RawClawConfig, RawJoint, RawValve};

/// What is written where there is no file yet, but for what is measured.
const SHIPPED: &str = include_str!("../../../hardware/claw.toml");
const HEAD: &str = "# One claw, as `turnkey claw calibrate` found it. What each key means: hardware/claw.toml in turnkey's repository.\n\
                    # `turnkey claw doctor` compares it with the servos, `doctor --fix` writes it into them.\n\n";
const WELCOME: &str = "Each joint is put to its zero, its low end and its high end, by hand; Enter says that it is there.\n\
                       Zero and signs are the twin's: python3 -m mujoco.viewer --mjcf=hardware/dclaw/dclaw.xml\n\
                       `again` begins a joint anew, `skip` leaves it as the file has it. Ctrl-C ends it, with nothing written.\n\
                       Torque goes off now: hold the fingers, then press Enter.";

/// What came of it.
#[derive(Debug, Serialize)]
struct Calibration<'a> {
    file: &'a Path,
    /// Whether the file was written.
    written: bool,
    /// Whether the settings were written into the servos.
    in_servos: bool,
    joints: &'a [RawJoint],
    valve: Option<&'a RawValve>,
    /// What the servos don't hold yet, or what else is wrong with them.
    findings: Vec<Finding>,
}

/// Walks a person through it, writes the file, reads it back, compares it with the servos, and offers to write it into them.
///
/// # Errors
/// When a servo is silent or can't be calibrated, nobody answers, or the file can't be written.
pub(super) fn calibrate(arguments: &Calibrate) -> Result<()> {
    let path = &arguments.line.config;
    ensure!((0.0..=0.5).contains(&arguments.margin), "--margin: expected 0 to 0.5 rad, got {}", arguments.margin);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    ensure!(
        folder.is_dir(),
        "{}: expected a folder to write the file in, got none\n  fix: make it, or name another by --config",
        folder.display()
    );
    let person = Person::new()?;
    let mut raw = begin(arguments, &person)?;
    if let Some(port) = &arguments.line.port {
        raw.port.clone_from(port);
    }
    let mut servos = Servos::find(Bus::open(&raw.port, baud(raw.baud)?)?)?;
    person.ask(WELCOME, || Ok(String::new()))?;
    let ids = servos.ids();
    turnkey_claw::release(&mut servos.bus, &ids)?;
    for joint in &mut raw.joint {
        *joint = walk(&person, &mut servos, joint, arguments.margin)?;
    }
    if arguments.no_valve || !servos.any_free() {
        raw.valve = None;
    }
    if let Some(valve) = &mut raw.valve {
        *valve = walk_valve(&person, &mut servos, valve)?;
    }
    let config = raw.check(&path.display().to_string())?;
    if !arguments.dry_run {
        let text = HEAD.to_owned() + &config.raw().to_toml();
        // Half an hour's work is not lost to a full disk.
        write_durably(path, text.as_bytes()).inspect_err(|_| eprintln!("{text}"))?;
        let back = ClawConfig::load(path)?;
        ensure!(
            back == config,
            "{}: expected to read what was written, got something else\n  fix: see who else writes it",
            path.display()
        );
    }
    finish(arguments, &person, &mut servos.bus, &config)
}

/// What stays of the file that is there, or the one that the claw is shipped with.
fn begin(arguments: &Calibrate, person: &Person) -> Result<RawClawConfig> {
    let path = &arguments.line.config;
    let shipped = || Ok(ClawConfig::parse(SHIPPED, "the shipped claw.toml")?.raw().clone());
    if !path.exists() {
        return shipped();
    }
    let may = arguments.overwrite || arguments.dry_run;
    if !may && !person.agrees(&format!("{} is there already. Write over it at the end?", path.display()))? {
        bail!(
            "{}: expected leave to write over it, got none; nothing was written\n  fix: name another file by --config",
            path.display()
        );
    }
    match ClawConfig::load(path) {
        Ok(config) => Ok(config.raw().clone()),
        // Whoever says --overwrite has given it up.
        Err(_) if arguments.overwrite => shipped(),
        Err(error) => Err(error.into()),
    }
}

/// One joint, until its poses make sense.
fn walk(person: &Person, servos: &mut Servos, before: &RawJoint, margin: f64) -> Result<RawJoint> {
    let name = &before.name;
    loop {
        let start = servos.encoders()?;
        let answer = person.ask(&format!("{name}: put it to its zero"), || servos.live(&start))?;
        if answer == "skip" {
            match servos.free(before.id) {
                Some(place) => servos.take(place),
                None => {
                    bail!("{name}: expected servo {} to be there and without a joint, since it is skipped", before.id)
                }
            }
            return Ok(before.clone());
        }
        let zero = servos.encoders()?;
        if person.ask(&format!("{name}: to its low end"), || servos.live(&zero))? == "again" {
            continue;
        }
        let low = servos.encoders()?;
        let place = match servos.moved(&zero, &low) {
            Ok(place) => place,
            Err(reason) => {
                eprintln!("{reason}");
                continue;
            }
        };
        if person.ask(&format!("{name}: to its high end"), || servos.live(&zero))? == "again" {
            continue;
        }
        let high = servos.encoders()?;
        let (id, model) = servos.at(place);
        let poses = Poses { zero: zero[place], low: low[place], high: high[place] };
        match joint::joint(before, id, model, poses, margin) {
            Ok(joint) => {
                servos.take(place);
                let other =
                    if id.0 == before.id { String::new() } else { format!("; the file had servo {}", before.id) };
                eprintln!("{name}: servo {}, {:+.3} to {:+.3} rad{other}", id.0, joint.low, joint.high);
                return Ok(joint);
            }
            Err(reason) => eprintln!("{reason}"),
        }
    }
}

fn walk_valve(person: &Person, servos: &mut Servos, before: &RawValve) -> Result<RawValve> {
    loop {
        let start = servos.encoders()?;
        if person.ask("valve: turn it to its zero", || servos.live(&start))? == "skip" {
            return Ok(before.clone());
        }
        let zero = servos.encoders()?;
        let question = "valve: a quarter turn counter-clockwise, as seen from above";
        if person.ask(question, || servos.live(&zero))? == "again" {
            continue;
        }
        let turned = servos.encoders()?;
        let found = servos.moved(&zero, &turned).map(|place| (servos.at(place), place));
        match found {
            Ok(((id, model), place)) => return joint::valve(before, id, model, zero[place], turned[place]),
            Err(reason) => eprintln!("{reason}"),
        }
    }
}

/// Compares with the servos, offers to write into them, and says what came of it.
fn finish(arguments: &Calibrate, person: &Person, bus: &mut Bus, config: &ClawConfig) -> Result<()> {
    let path = &arguments.line.config;
    let mut report = turnkey_claw::check(bus, config)?;
    let mut in_servos = report.mends.is_empty();
    let question = format!("{} settings differ in the servos. Write them?", report.mends.len());
    if !arguments.dry_run && !in_servos && person.agrees(&question)? {
        turnkey_claw::mend(bus, &report.mends)?;
        report = turnkey_claw::check(bus, config)?;
        in_servos = report.mends.is_empty();
    }
    let raw = config.raw();
    let fit = report.is_fit();
    let calibration = Calibration {
        file: path,
        written: !arguments.dry_run,
        in_servos,
        joints: &raw.joint,
        valve: raw.valve.as_ref(),
        findings: report.findings,
    };
    match arguments.line.json {
        true => print_json(&calibration)?,
        false => print(&table(&calibration)?)?,
    }
    // Settings that somebody chose not to write yet are no failure; anything else that is wrong is.
    if in_servos && !fit {
        bail!("claw: expected servos that may be enabled\n  fix: `turnkey claw doctor` says what is wrong with them");
    }
    Ok(())
}

fn table(calibration: &Calibration<'_>) -> Result<String> {
    let mut text = String::from("   id  joint            direction  homing offset      low     high\n");
    for joint in calibration.joints {
        let direction = format!("{:?}", joint.direction).to_lowercase();
        let RawJoint { id, name, homing_offset, low, high, .. } = joint;
        writeln!(text, "{id:>5}  {name:<16} {direction:<9} {homing_offset:>14} {low:>+8.3} {high:>+8.3}")?;
    }
    if let Some(RawValve { id, direction, homing_offset, .. }) = calibration.valve {
        let direction = format!("{direction:?}").to_lowercase();
        writeln!(text, "{id:>5}  {:<16} {direction:<9} {homing_offset:>14}", "valve")?;
    }
    let file = calibration.file.display();
    match (calibration.written, calibration.in_servos) {
        (false, _) => writeln!(text, "nothing was written")?,
        (true, true) => writeln!(text, "{file} is written, and the servos hold it")?,
        (true, false) => writeln!(text, "{file} is written; `turnkey claw doctor --fix` writes it into the servos")?,
    }
    Ok(text)
}
