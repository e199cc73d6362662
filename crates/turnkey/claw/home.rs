//! `turnkey claw home`: the joints go where they rest, and are let go of.

use super::open;
use crate::cli::claw::Home;
use crate::printing::{print, print_json};
use crate::stop::Stop;
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use turnkey_claw::{Claw, ClawConfig, ClawError, Enabled, Report};

/// Time between readings while the joints hold, which also keeps the servos' watchdogs from tripping.
const PERIOD: Duration = Duration::from_millis(20);
/// The time that one of these readings has: half of what the watchdogs wait, as shipped.
const PATIENCE: Duration = Duration::from_millis(250);

/// Where the joints are.
#[derive(Debug, Serialize)]
struct Joint {
    name: String,
    /// Rad.
    position: f64,
    /// Rad.
    home: f64,
}

/// Takes the joints home, holds them there if asked to, and switches torque off.
///
/// # Errors
/// When servos are not as the claw's file says, anything goes wrong on the way, or a signal stops it. Torque is then off.
pub(super) fn home(arguments: &Home) -> Result<()> {
    let config = arguments.line.load()?;
    if arguments.dry_run {
        return say(arguments, &where_now(&config)?, "would go");
    }
    // From before the first torque on, Ctrl-C is a question and not an end.
    let stop = Stop::on_signals()?;
    let mut claw = Claw::open(&config)?.enable()?;
    claw.home(&|| stop.asked())?;
    let positions = claw.read(Instant::now() + PATIENCE)?.positions;
    say(arguments, &joints(&config, &positions), "are")?;
    if arguments.hold {
        hold(&mut claw, &stop)?;
    }
    claw.release()?;
    if !arguments.line.json {
        print("torque is off\n")?;
    }
    Ok(())
}

fn hold(claw: &mut Claw<Enabled>, stop: &Stop) -> Result<(), ClawError> {
    while !stop.asked() {
        claw.read(Instant::now() + PATIENCE)?;
        std::thread::sleep(PERIOD);
    }
    Ok(())
}

/// Without a word that changes anything: torque, where it is on, stays on.
fn where_now(config: &ClawConfig) -> Result<Vec<Joint>> {
    let mut bus = open(config)?;
    turnkey_claw::check(&mut bus, config).and_then(Report::into_fit)?;
    let statuses = turnkey_claw::status(&mut bus, config)?;
    let positions: Option<Vec<f64>> = statuses.iter().map(|status| Some(status.as_ref()?.position)).collect();
    let positions =
        positions.context("claw: expected every servo to answer, one fell silent\n  fix: `turnkey claw doctor`")?;
    Ok(joints(config, &positions))
}

fn joints(config: &ClawConfig, positions: &[f64]) -> Vec<Joint> {
    let places = positions.iter().zip(config.home());
    let joint = |(servo, (position, home)): (&turnkey_claw::ServoConfig, (&f64, f64))| Joint {
        name: servo.name.clone(),
        position: *position,
        home,
    };
    config.joints().iter().zip(places).map(joint).collect()
}

fn say(arguments: &Home, joints: &[Joint], verb: &str) -> Result<()> {
    if arguments.line.json {
        return print_json(&joints);
    }
    let mut text = format!("joints {verb} home, rad\n  joint            position    home\n");
    for Joint { name, position, home } in joints {
        writeln!(text, "  {name:<16} {position:>+8.3} {home:>+7.3}")?;
    }
    print(&text)
}
