//! `turnkey claw monitor`: what every servo does, ten times a second. It never gives torque, and writes nothing.

use super::open;
use crate::cli::claw::Monitor;
use crate::stop::Stop;
use anyhow::{Context as _, Result, bail, ensure};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};
use turnkey_claw::{ClawConfig, ServoStatus, status};
use turnkey_core::ServoId;

/// How often a wait looks whether to stop.
const GLANCE: Duration = Duration::from_millis(20);

/// One line of JSON.
#[derive(Debug, Serialize)]
struct Reading<'a> {
    /// Since the monitor began, s.
    seconds: f64,
    /// Those that answered.
    servos: Vec<&'a ServoStatus>,
    /// Those that didn't.
    silent: Vec<ServoId>,
}

/// Shows every servo until told to stop.
///
/// # Errors
/// When the port fails, or a servo was silent or had an alert in the last reading.
pub(super) fn monitor(arguments: &Monitor) -> Result<()> {
    let Monitor { line, seconds, rate } = arguments;
    ensure!((0.1..=200.0).contains(rate), "--rate: expected 0.1 to 200 readings a second, got {rate}");
    let most = seconds.unwrap_or(f64::INFINITY);
    ensure!(most > 0.0, "--seconds: expected more than 0, got {most}");
    let config = line.load()?;
    let mut bus = open(&config)?;
    let stop = Stop::on_signals()?;
    let (begun, period) = (Instant::now(), Duration::from_secs_f64(1.0 / rate));
    let redraws = !line.json && io::stdout().is_terminal();
    let mut next = begun;
    let mut first = true;
    let last = loop {
        let statuses = status(&mut bus, &config)?;
        let seconds = begun.elapsed().as_secs_f64();
        let text = match line.json {
            true => json(seconds, &config, &statuses)?,
            false => table(seconds, &config, &statuses, redraws && !first)?,
        };
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            // Whoever reads it has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            result => result.context("nothing can be printed")?,
        }
        first = false;
        next = (next + period).max(Instant::now());
        if stop.asked() || next.duration_since(begun).as_secs_f64() > most {
            break statuses;
        }
        while Instant::now() < next && !stop.asked() {
            std::thread::sleep(GLANCE.min(next.saturating_duration_since(Instant::now())));
        }
        if stop.asked() {
            break statuses;
        }
    };
    judge(&config, &last)
}

fn judge(config: &ClawConfig, last: &[Option<ServoStatus>]) -> Result<()> {
    let silent = super::ids(silent(config, last));
    let alerted: Vec<String> = last.iter().flatten().filter(|servo| !servo.alerts.is_none()).map(alert).collect();
    if !silent.is_empty() {
        bail!(
            "{}: expected every servo to answer, got silence from {silent}\n  fix: `turnkey claw doctor`",
            config.port()
        );
    }
    if !alerted.is_empty() {
        bail!("claw: expected no hardware alert, got{}", alerted.concat());
    }
    Ok(())
}

fn alert(servo: &ServoStatus) -> String {
    format!("\n  servo {} ({}): {}; fix: {}", servo.id.0, servo.name, servo.alerts, servo.alerts.fix())
}

fn silent(config: &ClawConfig, statuses: &[Option<ServoStatus>]) -> Vec<ServoId> {
    config.servos().zip(statuses).filter(|(_, status)| status.is_none()).map(|(servo, _)| servo.id).collect()
}

fn json(seconds: f64, config: &ClawConfig, statuses: &[Option<ServoStatus>]) -> Result<String> {
    let servos = statuses.iter().flatten().collect();
    let reading = Reading { seconds, servos, silent: silent(config, statuses) };
    Ok(serde_json::to_string(&reading).context("the reading can't be written as JSON")? + "\n")
}

/// The table, with what takes the cursor back over the last one where it is drawn anew.
fn table(seconds: f64, config: &ClawConfig, statuses: &[Option<ServoStatus>], anew: bool) -> Result<String> {
    let mut text = String::new();
    // Up over the last table; each line clears what was in its place.
    if anew {
        write!(text, "\x1b[{}A", statuses.len() + 2)?;
    }
    let end = if anew { "\x1b[K\n" } else { "\n" };
    write!(text, "{} at {} baud, {seconds:.1} s{end}", config.port(), config.baud().rate())?;
    let heads = "   id  joint            torque  position    goal  velocity  current  volts  celsius  alerts";
    write!(text, "{heads}{end}")?;
    for (servo, status) in config.servos().zip(statuses) {
        write!(text, "{:>5}  {:<16} ", servo.id.0, servo.name)?;
        match status {
            None => write!(text, "silent{end}")?,
            Some(s) => {
                let torque = if s.torque { "on" } else { "off" };
                let watchdog = if s.watchdog_tripped { ", watchdog tripped" } else { "" };
                write!(
                    text,
                    "{torque:<6} {:>+9.3} {:>+7.3} {:>+9.3} {:>+8.3} {:>6.1} {:>8}  {}{watchdog}{end}",
                    s.position, s.goal, s.velocity, s.current, s.volts, s.celsius, s.alerts
                )?;
            }
        }
    }
    Ok(text)
}
