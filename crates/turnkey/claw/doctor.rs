//! `turnkey claw doctor`: whether the servos are as the claw's file says, and what mends them.

use super::{expect_limp, open};
use crate::cli::claw::Doctor;
use crate::printing::{print, print_json};
use anyhow::{Result, bail};
use serde::Serialize;
use std::fmt::Write as _;
use turnkey_claw::{Bus, ClawConfig, Finding, Report, ServoReport, Setting, Severity, UsbLatency};
use turnkey_core::ServoId;

/// What was found, and what was done about it.
#[derive(Debug, Serialize)]
struct Diagnosis<'a> {
    port: &'a str,
    baud: u32,
    /// Whether the claw may be enabled.
    fit: bool,
    servos: &'a [ServoReport],
    findings: &'a [Finding],
    /// What --fix wrote, or with --dry-run would write.
    written: Vec<Written>,
    dry_run: bool,
}

/// A register that was written.
#[derive(Debug, Serialize)]
struct Written {
    id: ServoId,
    item: String,
    value: i64,
}

/// Looks at every servo and the adapter, and with --fix writes what can be written.
///
/// # Errors
/// When the port fails, a servo refuses, or something is still wrong that forbids enabling the claw.
pub(super) fn doctor(arguments: &Doctor) -> Result<()> {
    let config = arguments.line.load()?;
    let mut bus = open(&config)?;
    let mut report = examine(&mut bus, &config)?;
    let mends = if arguments.fix { std::mem::take(&mut report.mends) } else { Vec::new() };
    if arguments.fix && !arguments.dry_run && !mends.is_empty() {
        mends.iter().try_for_each(|(id, _)| expect_limp(&mut bus, *id))?;
        turnkey_claw::mend(&mut bus, &mends)?;
        report = examine(&mut bus, &config)?;
    }
    let written: Vec<Written> = mends.iter().map(|(id, setting)| written(*id, setting)).collect();
    let diagnosis = Diagnosis {
        port: config.port(),
        baud: config.baud().rate(),
        fit: report.is_fit(),
        servos: &report.servos,
        findings: &report.findings,
        written,
        dry_run: arguments.dry_run,
    };
    match arguments.line.json {
        true => print_json(&diagnosis)?,
        false => print(&table(&diagnosis)?)?,
    }
    let faults = report.findings.iter().filter(|finding| finding.severity == Severity::Fault).count();
    if faults > 0 {
        let plural = if faults == 1 { "" } else { "s" };
        bail!("claw: expected servos that may be enabled, got {faults} fault{plural}\n  fix: as said beside each");
    }
    Ok(())
}

/// The servos and the adapter they are behind.
fn examine(bus: &mut Bus, config: &ClawConfig) -> Result<Report> {
    let mut report = turnkey_claw::check(bus, config)?;
    report.findings.extend(UsbLatency::of(config.port()).and_then(|latency| latency.finding()));
    Ok(report)
}

fn written(id: ServoId, setting: &Setting) -> Written {
    Written { id, item: setting.item(), value: setting.value() }
}

fn table(diagnosis: &Diagnosis<'_>) -> Result<String> {
    let mut text = format!("{} at {} baud\n", diagnosis.port, diagnosis.baud);
    writeln!(text, "   id  joint            model        firmware  volts  celsius  alerts")?;
    for ServoReport { id, name, model, firmware, volts, celsius, alerts } in diagnosis.servos {
        let model = model.map_or("unknown", |model| model.spelling());
        writeln!(text, "{:>5}  {name:<16} {model:<12} {firmware:<8}  {volts:>5.1}  {celsius:>7}  {alerts}", id.0)?;
    }
    let verb = if diagnosis.dry_run { "would write" } else { "wrote" };
    for Written { id, item, value } in &diagnosis.written {
        writeln!(text, "{verb} servo {}: {item} = {value}", id.0)?;
    }
    for finding in diagnosis.findings {
        let severity = match finding.severity {
            Severity::Fault => "fault ",
            Severity::Advice => "advice",
        };
        writeln!(text, "{severity}  {finding}")?;
    }
    if diagnosis.findings.is_empty() {
        writeln!(text, "nothing to mend")?;
    }
    Ok(text)
}
