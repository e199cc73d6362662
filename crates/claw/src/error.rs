//! What can go wrong with the claw.

use crate::alert::{HardwareAlerts, Refusal};
use crate::reply::Noise;
use std::fmt;
use std::io;
use std::time::Duration;
use turnkey_core::{Failure, Kind, ServoId};

/// Why the claw did not do what it was asked. Where it was enabled, its torque is off by then, or the error says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum ClawError {
    /// The serial port can't be used, or is gone.
    #[error("{port}: expected {expected}, got: {source}\n  fix: {}", port_fix(source))]
    Port {
        /// The port's name.
        port: String,
        /// What was to be done with it.
        expected: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// Servos that did not answer in time.
    #[error(
        "{port}: expected an answer to {instruction} from servos {}, got none within {} ms from {}{}\n  fix: check power \
         and plugs from the last servo that answers on; `turnkey claw scan` shows which do, and at which baud rate",
        Ids(expected), waited_millis, Ids(missing), Heard(*noise)
    )]
    Missing {
        /// The port's name.
        port: String,
        /// What they were asked.
        instruction: &'static str,
        /// Who was asked.
        expected: Vec<ServoId>,
        /// Who did not answer.
        missing: Vec<ServoId>,
        /// How long was waited in all, ms.
        waited_millis: u32,
        /// What else came.
        noise: Noise,
    },
    /// A servo that refused.
    #[error("{port}: servo {}: expected it to {instruction} {item}, got: {refusal}", id.0)]
    Refused {
        /// The port's name.
        port: String,
        /// Who refused.
        id: ServoId,
        /// What it was asked.
        instruction: &'static str,
        /// Which item of its control table, and the value where one was written.
        item: String,
        /// Its answer.
        refusal: Refusal,
    },
    /// A servo that holds another value than the one written.
    #[error("{port}: servo {}: expected {item} to hold what was written, got {found}\n  fix: try again; if it stays so, the servo's memory is broken", id.0)]
    NotKept {
        /// The port's name.
        port: String,
        /// Which servo.
        id: ServoId,
        /// The item and the value written.
        item: String,
        /// What it holds.
        found: i64,
    },
    /// A servo that found something wrong with itself.
    #[error("servo {} ({joint}): expected no hardware alert, got: {alerts}\n  fix: {}", id.0, alerts.fix())]
    Alert {
        /// Which servo.
        id: ServoId,
        /// What it moves.
        joint: String,
        /// What is wrong.
        alerts: HardwareAlerts,
    },
    /// A servo that lost its torque or its watchdog without having been told: it restarted, or nobody spoke to it.
    #[error("servo {} ({joint}): expected {expected}, got {found}\n  fix: {fix}", id.0)]
    Lapsed {
        /// Which servo.
        id: ServoId,
        /// What it moves.
        joint: String,
        /// What it should hold.
        expected: &'static str,
        /// What it holds.
        found: String,
        /// What a person should do.
        fix: &'static str,
    },
    /// A joint that is hotter, faster or takes more current than is allowed.
    #[error("servo {} ({joint}): expected {quantity} of at most {limit:.2} {unit}, got {found:.2} {unit}; torque is off\n  fix: {fix}", id.0)]
    Guard {
        /// Which servo.
        id: ServoId,
        /// What it moves.
        joint: String,
        /// What was measured.
        quantity: &'static str,
        /// The most allowed.
        limit: f64,
        /// What was measured.
        found: f64,
        /// Of both.
        unit: &'static str,
        /// What a person should do.
        fix: &'static str,
    },
    /// A goal for joints that were last read too long ago.
    #[error("claw: expected a joint reading of the last {} ms before a goal, got one of {} ms ago; torque is off\n  fix: the control loop is too slow: see what else runs on this machine, or lengthen `max_reading_age_secs`", limit.as_millis(), age.as_millis())]
    Stale {
        /// How old the reading is.
        age: Duration,
        /// The most allowed.
        limit: Duration,
    },
    /// A claw whose torque is off after an earlier error.
    #[error(
        "claw: expected torque to be on, but it was switched off: {reason}\n  fix: recover it, or `turnkey claw doctor`"
    )]
    Released {
        /// What went wrong then.
        reason: String,
    },
    /// A configuration that can't be used.
    #[error("{file}: {field}: expected {expected}, got {found}\n  fix: {fix}")]
    Config {
        /// The file.
        file: String,
        /// Which key.
        field: String,
        /// What it may say.
        expected: String,
        /// What it says.
        found: String,
        /// What to do.
        fix: &'static str,
    },
    /// Servos that are not as the configuration says.
    #[error("claw: expected the servos to be as configured, got {} that are not:{}", findings.len(), Lines(findings))]
    Unfit {
        /// What differs, each with its fix.
        findings: Vec<crate::Finding>,
    },
    /// Joints that did not arrive.
    #[error("claw: expected {what} within {} s, got {left:.3} rad left at {joint}; torque is off\n  fix: see what holds the finger, free it by hand, and try again", within.as_secs())]
    NotReached {
        /// Where to.
        what: &'static str,
        /// Which joint is furthest from it.
        joint: String,
        /// How far, rad.
        left: f64,
        /// The time allowed.
        within: Duration,
    },
    /// Somebody asked for it to stop.
    #[error("claw: asked to stop on the way; torque is off")]
    Stopped,
    /// Torque that could not be switched off.
    #[error(
        "claw: expected torque to go off, but servos {} do not confirm it, after this: {after}\n  fix: switch the power off. The servos' own watchdog stops them without it, where it is armed",
        Ids(servos)
    )]
    NotReleased {
        /// Who does not answer.
        servos: Vec<ServoId>,
        /// What went wrong before.
        after: String,
    },
    /// A claw that needs to be put right too often.
    #[error(
        "claw: expected it to run for a while after it was put right, but that was needed {times} times in a row\n  fix: see what holds the fingers, and `turnkey claw doctor`; then start again"
    )]
    Exhausted {
        /// How often.
        times: u32,
    },
    /// A claw whose valve has no servo.
    #[error("claw: expected a servo at the valve, got none\n  fix: add [valve] to the claw's file, where there is one")]
    NoValve,
}

impl ClawError {
    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Missing { .. } | Self::Lapsed { .. } | Self::Stale { .. } => Kind::Retry,
            Self::Refused { refusal: Refusal::Checksum, .. } => Kind::Retry,
            Self::Alert { alerts, .. } if alerts.is_safe_to_reboot() => Kind::Retry,
            _ => Kind::Stop,
        }
    }
}

impl From<ClawError> for Failure {
    fn from(error: ClawError) -> Self {
        Self::new(error.kind(), error)
    }
}

fn port_fix(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::NotFound => "plug the adapter in, or name its port: `ls /dev/serial/by-id`",
        io::ErrorKind::PermissionDenied => "`sudo usermod -aG dialout $USER`, then log in again",
        io::ErrorKind::WouldBlock | io::ErrorKind::ResourceBusy => {
            "another program uses the port: end it first (`fuser` says which)"
        }
        io::ErrorKind::InvalidInput => "the adapter does not know this baud rate: use another",
        _ => "the adapter was unplugged or lost power: plug it in again",
    }
}

/// Ids, separated by commas.
struct Ids<'a>(&'a [ServoId]);

impl fmt::Display for Ids<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, id) in self.0.iter().enumerate() {
            write!(f, "{}{}", if i > 0 { ", " } else { "" }, id.0)?;
        }
        Ok(())
    }
}

/// What else came, where something did.
struct Heard(Noise);

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Noise { bytes, damaged, foreign } = self.0;
        match self.0 == Noise::default() {
            true => Ok(()),
            false => write!(f, " (but {damaged} damaged packets, {foreign} that answer nothing, {bytes} stray bytes)"),
        }
    }
}

struct Lines<'a>(&'a [crate::Finding]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|finding| write!(f, "\n  {finding}"))
    }
}
