//! What becomes of a plant's failures. On a twin they end the run. On a rig the episode ends there, nothing is recorded of
//! the step that failed, and the next reset recovers the claw; or a person is asked, with torque off.

use super::{Control, Outcome, warn};
use crate::config::RigConfig;
use crate::dataset as recorded;
use crate::orders::Order;
use crate::rig::{Account, RigFigures};
use crate::stop::Stop;
use anyhow::{Result, anyhow, bail};
use std::time::{Duration, Instant};
use turnkey_core::{Failure, Kind};

/// Faults without a whole episode between, after which a person is asked.
const MOST_IN_A_ROW: u32 = 5;
/// How often servos that did not confirm their release are asked again while a person is waited for.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What control has to do besides, where the plant is a rig.
pub(in crate::asynchronous) struct OnRig {
    /// How long a person is waited for.
    patience: Duration,
    period: Duration,
    /// Faults since the last whole episode.
    pub(super) in_a_row: u32,
    /// Since the run was last started, and since the last line about it.
    pub(super) all: Account,
    pub(super) window: Account,
}

impl OnRig {
    pub(in crate::asynchronous) fn new(config: &RigConfig, period: Duration) -> Self {
        let account = Account::new(period);
        Self { patience: config.patience(), period, in_a_row: 0, all: account.clone(), window: account }
    }

    /// How the rig fared since the run was last started.
    pub(super) fn figures(&self) -> RigFigures {
        self.all.figures()
    }

    /// How it fared since the last time.
    pub(super) fn take_figures(&mut self) -> RigFigures {
        std::mem::replace(&mut self.window, Account::new(self.period)).figures()
    }
}

impl Control {
    /// What becomes of a failure of the plant, whose torque is off by then: the episode ends by it.
    ///
    /// # Errors
    /// The failure, on a twin, where the program is wrong, or where nobody came to put it right.
    pub(super) fn mishap(&mut self, failure: Failure, what: &'static str, stop: &Stop) -> Result<Outcome> {
        let Some(rig) = &mut self.rig else { return Err(anyhow::Error::new(failure).context(what)) };
        if self.orders.emergency() || stop.asked() || self.orders.leaves() {
            // It was stopped on the way, which is what was ordered.
            self.end_recording(recorded::Outcome::BrokenOff, None)?;
            self.is_broken_off(stop)?;
            return Ok(Outcome::BrokenOff);
        }
        if failure.kind() == Kind::Bug {
            return Err(anyhow::Error::new(failure).context(what));
        }
        rig.in_a_row += 1;
        rig.all.faults += 1;
        rig.window.faults += 1;
        let goes_on = failure.kind() == Kind::Retry && rig.in_a_row < MOST_IN_A_ROW;
        if self.orders.discards() {
            self.discard()?;
        }
        self.end_recording(recorded::Outcome::Fault, None)?;
        let said = format!("step {}: {what}: {failure}", self.step);
        match self.environment.release() {
            Ok(()) if goes_on => {
                warn(&format!("{said}\n  the episode ends here; the claw is recovered for the next one"));
            }
            Ok(()) => {
                self.orders.set_released(true);
                self.ask_a_person(&said, stop)?;
            }
            Err(held) => self.ask_a_person(&format!("{said}\n  and the plant may not be released: {held}"), stop)?,
        }
        Ok(Outcome::BrokenOff)
    }

    /// Rests until a person has put something right and says so.
    ///
    /// # Errors
    /// When nobody does in time.
    pub(super) fn ask_a_person(&mut self, said: &str, stop: &Stop) -> Result<()> {
        let patience = self.rig.as_ref().map_or(Duration::ZERO, |rig| rig.patience);
        self.orders.give(Order::Pause);
        let (run, secs) = (self.config.run.steps, patience.as_secs());
        warn(&format!(
            "{said}\n  resting at step {} of {run} until a person puts it right and says so (key r, or `turnkey tell RUN \
             resume`); after {secs} s the run ends, to be resumed",
            self.step
        ));
        let (since, mut asked) = (Instant::now(), Instant::now());
        self.rest_while(stop, |control| {
            if since.elapsed() > patience {
                bail!(anyhow!("{said}").context(format!("nobody came within rig.person_secs = {secs}")));
            }
            if !control.orders.released() && asked.elapsed() > ASK_AGAIN {
                control.orders.set_released(control.environment.release().is_ok());
                asked = Instant::now();
            }
            Ok(())
        })?;
        if let Some(rig) = &mut self.rig {
            rig.in_a_row = 0;
        }
        Ok(())
    }
}
