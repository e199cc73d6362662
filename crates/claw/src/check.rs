//! Whether the servos are as the claw's file says, and fit to move.

use crate::config::{ClawConfig, ServoConfig, Setting};
use crate::finding::{Finding, Severity};
use crate::{Bus, ClawError, ControlTable as Table, HardwareAlerts, WATCHDOG_TRIPPED};
use serde::Serialize;
use turnkey_core::ServoId;
use turnkey_core::servo::{ServoModel, ServoName};

/// The first firmware that has a bus watchdog, by the vendor's manual.
const WATCHDOG_FIRMWARE: u8 = 38;
/// How far a supply may be from its nominal voltage: beyond, servos are weak, or near their own alert.
const VOLTAGE_TOLERANCE: f64 = 0.15;
/// Overload, electrical shock and overheating: what must switch a servo's torque off.
const LEAST_SHUTDOWN: u8 = 0x34;

/// What one servo says of itself, beside its settings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServoReport {
    /// Which servo.
    pub id: ServoId,
    /// What it moves.
    pub name: String,
    /// What it says it is, where that is known.
    pub model: Option<ServoName>,
    /// Version of its firmware.
    pub firmware: u8,
    /// Its supply, V.
    pub volts: f64,
    /// Its temperature, degrees C.
    pub celsius: u8,
    /// What is wrong with it.
    pub alerts: HardwareAlerts,
}

/// What a check of all servos found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Those that answer.
    pub servos: Vec<ServoReport>,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
    /// What would make it so: settings that differ and can be written.
    #[serde(skip)]
    pub mends: Vec<(ServoId, Setting)>,
}

impl Report {
    /// Whether nothing forbids enabling the claw.
    #[must_use]
    pub fn is_fit(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < Severity::Fault)
    }

    /// An error that names each fault, if there is one.
    ///
    /// # Errors
    /// When there is a fault.
    pub fn into_fit(self) -> Result<Self, ClawError> {
        if self.is_fit() {
            return Ok(self);
        }
        let findings = self.findings.into_iter().filter(|finding| finding.severity == Severity::Fault).collect();
        Err(ClawError::Unfit { findings })
    }
}

/// Looks at every servo of `config`: model, firmware, settings, supply, temperature, alerts. Writes nothing.
///
/// # Errors
/// When the port fails. A servo that is missing is a finding.
pub fn check(bus: &mut Bus, config: &ClawConfig) -> Result<Report, ClawError> {
    let mut report = Report::default();
    for servo in config.servos() {
        let mut look = Look { bus, servo, report: &mut report };
        match look.all(config) {
            Err(ClawError::Missing { .. }) => look.fault(
                "answer",
                "one",
                "none",
                "check its power and plugs; `turnkey claw scan` shows who answers, and at which baud rate",
            ),
            result => result?,
        }
    }
    compare_firmware(&mut report);
    Ok(report)
}

/// One servo being looked at.
struct Look<'a> {
    bus: &'a mut Bus,
    servo: &'a ServoConfig,
    report: &'a mut Report,
}

impl Look<'_> {
    fn all(&mut self, config: &ClawConfig) -> Result<(), ClawError> {
        let id = self.servo.id;
        let ping = self.bus.ping(id)?;
        self.model(ping.model);
        if ping.firmware < WATCHDOG_FIRMWARE {
            let found = ping.firmware.to_string();
            self.fault(
                "firmware",
                "38 or later, which has a bus watchdog",
                &found,
                "update it with the vendor's Dynamixel Wizard",
            );
        }
        // Whoever does not answer writes can't be checked further.
        let level = self.bus.read(id, Table::STATUS_RETURN_LEVEL)?;
        if level != 2 {
            self.mend(Severity::Fault, Setting::Byte(Table::STATUS_RETURN_LEVEL, 2), level.into());
        }
        let is_the_one = ping.model == self.servo.model.number;
        for setting in &self.servo.settings {
            // What is not kept is written whenever the claw is enabled; another servo's settings are none of this one.
            if setting.is_kept() && is_the_one {
                let found = setting.read(self.bus, id)?;
                if found != setting.value() {
                    let slow = setting.item() == Table::RETURN_DELAY.to_string();
                    self.mend(if slow { Severity::Advice } else { Severity::Fault }, *setting, found);
                }
            }
        }
        self.protection(config)?;
        let (volts, celsius, alerts) = self.condition(config)?;
        let model = ServoModel::with_number(ping.model).map(|model| model.name);
        let name = self.servo.name.clone();
        self.report.servos.push(ServoReport { id, name, model, firmware: ping.firmware, volts, celsius, alerts });
        Ok(())
    }

    fn model(&mut self, number: u16) {
        let expected = self.servo.model;
        if number != expected.number {
            let found = match ServoModel::with_number(number) {
                Some(model) => format!("{:?} ({number})", model.name),
                None => format!("model number {number}, which is not in the table of servo models"),
            };
            let expected = format!("{:?} ({})", expected.name, expected.number);
            self.fault(
                "model",
                &expected,
                &found,
                "is it the servo that belongs here? If so, change `model` in the claw's file",
            );
        }
    }

    /// What the servo does by itself when something goes wrong.
    fn protection(&mut self, config: &ClawConfig) -> Result<(), ClawError> {
        let id = self.servo.id;
        let mask = self.bus.read(id, Table::SHUTDOWN)?;
        if mask & LEAST_SHUTDOWN != LEAST_SHUTDOWN {
            self.mend(Severity::Fault, Setting::Byte(Table::SHUTDOWN, mask | LEAST_SHUTDOWN), mask.into());
        }
        let limit = self.bus.read(id, Table::TEMPERATURE_LIMIT)?;
        if f64::from(limit) < config.raw.guard.celsius {
            let expected = format!("at least {} degrees C, where the guard's limit is", config.raw.guard.celsius);
            self.find(
                Severity::Advice,
                "temperature limit",
                &expected,
                &format!("{limit}"),
                "lower `guard.celsius`, so that the guard acts first",
            );
        }
        if self.bus.read(id, Table::BUS_WATCHDOG)? == WATCHDOG_TRIPPED {
            self.find(
                Severity::Advice,
                "bus watchdog",
                "not tripped",
                "tripped: whoever drove it went silent",
                "nothing: enabling the claw clears it",
            );
        }
        Ok(())
    }

    fn condition(&mut self, config: &ClawConfig) -> Result<(f64, u8, HardwareAlerts), ClawError> {
        let id = self.servo.id;
        let alerts = self.bus.hardware_alerts(id)?;
        if !alerts.is_none() {
            self.fault("hardware alert", "none", &alerts.to_string(), alerts.fix());
        }
        let volts = f64::from(self.bus.read(id, Table::PRESENT_VOLTAGE)?) * crate::VOLTS_PER_UNIT;
        let nominal = self.servo.model.nominal_volts;
        if (volts / nominal - 1.0).abs() > VOLTAGE_TOLERANCE {
            let [least, most] = [1.0 - VOLTAGE_TOLERANCE, 1.0 + VOLTAGE_TOLERANCE].map(|share| share * nominal);
            self.fault(
                "voltage",
                &format!("{least:.1} to {most:.1} V"),
                &format!("{volts:.1} V"),
                "check the supply, and for a long or thin cable",
            );
        }
        let celsius = self.bus.read(id, Table::PRESENT_TEMPERATURE)?;
        if f64::from(celsius) >= config.raw.guard.celsius {
            let expected = format!("below {} degrees C", config.raw.guard.celsius);
            self.fault("temperature", &expected, &celsius.to_string(), "let it cool down");
        }
        Ok((volts, celsius, alerts))
    }

    fn mend(&mut self, severity: Severity, setting: Setting, found: i64) {
        let fix = "`turnkey claw doctor --fix` writes it, or change the claw's file";
        self.find(severity, &setting.item(), &setting.value().to_string(), &found.to_string(), fix);
        self.report.mends.push((self.servo.id, setting));
    }

    fn fault(&mut self, what: &str, expected: &str, found: &str, fix: &str) {
        self.find(Severity::Fault, what, expected, found, fix);
    }

    fn find(&mut self, severity: Severity, what: &str, expected: &str, found: &str, fix: &str) {
        let at = format!("servo {} ({})", self.servo.id.0, self.servo.name);
        let [what, expected, found, fix] = [what, expected, found, fix].map(str::to_owned);
        self.report.findings.push(Finding { severity, at, what, expected, found, fix });
    }
}

/// Servos of one claw that differ in firmware may differ in behaviour.
fn compare_firmware(report: &mut Report) {
    let mut versions: Vec<u8> = report.servos.iter().map(|servo| servo.firmware).collect();
    versions.sort_unstable();
    versions.dedup();
    if versions.len() > 1 {
        report.findings.push(Finding {
            severity: Severity::Advice,
            at: "all servos".into(),
            what: "firmware".into(),
            expected: "one version".into(),
            found: format!("{versions:?}"),
            fix: "update all with the vendor's Dynamixel Wizard".into(),
        });
    }
}

/// Writes what a check found different. Only what is named in `mends` changes; torque must be off.
///
/// # Errors
/// When a servo does not answer, refuses, or does not keep what was written.
pub fn mend(bus: &mut Bus, mends: &[(ServoId, Setting)]) -> Result<(), ClawError> {
    mends.iter().try_for_each(|(id, setting)| {
        tracing::info!(servo = id.0, "{setting}");
        setting.write(bus, *id)
    })
}
