//! What a person's orders make control do: rest, go on, leave, let the plant go, throw an episode away.

use super::super::journal::Entry;
use super::super::learning::Experience;
use super::{Control, LOOK, offer, warn};
use crate::stop::Stop;
use anyhow::{Context, Result};

impl Control {
    /// Whether the present episode ends here, by an order; in an emergency the plant is then released.
    pub(super) fn is_broken_off(&mut self, stop: &Stop) -> Result<bool> {
        if self.orders.emergency() {
            self.let_go(stop)?;
            warn(&format!("emergency stop at step {}", self.step));
            if self.orders.discards() {
                self.discard()?;
            }
            return Ok(true);
        }
        let discarded = self.orders.discards();
        if discarded {
            self.discard()?;
        }
        Ok(discarded || self.is_to_leave(stop))
    }

    /// Takes what happened in the present episode out of what is learned from, here and after a resume. Steps stay counted.
    pub(super) fn discard(&mut self) -> Result<()> {
        let rows = self.begun_at..self.step;
        warn(&format!(
            "the episode was broken off at step {}: its {} steps are discarded",
            rows.end,
            rows.end - rows.start
        ));
        self.enter(Entry::Discard(rows.clone()))?;
        match &self.outlets.learner {
            Some(learner) => offer(learner, Experience::Discard(rows), "the learner"),
            None => Ok(()),
        }
    }

    pub(super) fn is_to_leave(&self, stop: &Stop) -> bool {
        stop.asked() || self.orders.leaves()
    }

    /// Lets the plant go for as long as orders say so. Says whether to go on then.
    pub(super) fn rest(&mut self, stop: &Stop) -> Result<bool> {
        let mut begun = false;
        self.rest_while(stop, |control| {
            if !std::mem::replace(&mut begun, true) {
                control.let_go(stop)?;
                if control.orders.rests() {
                    warn(&format!("resting at step {}", control.step));
                }
            }
            Ok(())
        })
    }

    /// Releases the plant because a person says so. On a rig that may not have heard it a person is asked, and the servos again
    /// and again.
    ///
    /// # Errors
    /// When it may not be released, and nobody puts that right.
    fn let_go(&mut self, stop: &Stop) -> Result<()> {
        match self.release() {
            Err(held) if self.rig.is_some() && !self.is_to_leave(stop) => self.ask_a_person(&format!("{held:#}"), stop),
            released => released,
        }
    }

    /// Waits for as long as orders say so, and does something `meanwhile`, which may end it. Says whether to go on then.
    pub(super) fn rest_while(
        &mut self,
        stop: &Stop,
        mut meanwhile: impl FnMut(&mut Self) -> Result<()>,
    ) -> Result<bool> {
        while self.orders.rests() && !self.is_to_leave(stop) {
            meanwhile(self)?;
            std::thread::sleep(LOOK);
        }
        let goes_on = !self.is_to_leave(stop);
        if goes_on {
            self.orders.set_released(false);
        }
        Ok(goes_on)
    }

    pub(super) fn release(&mut self) -> Result<()> {
        self.environment.release().context("the plant may not be released: cut its power")?;
        self.orders.set_released(true);
        Ok(())
    }
}
