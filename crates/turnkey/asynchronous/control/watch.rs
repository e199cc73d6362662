//! What is shown and recorded of a step, beside what is learned from.

use super::{Control, Entry};
use crate::dataset::{Line, Outcome, Purpose, StepLine};
use anyhow::Result;
use std::time::Duration;
use turnkey_core::{Frame, Observation, Record, Step};

impl Control {
    /// Shows a step to those who watch, and records it where the plant is a rig.
    pub(super) fn watch(&mut self, purpose: Purpose, step: &Step, lateness: Option<Duration>) -> Result<()> {
        let shown = purpose == Purpose::Training && self.outlets.watchers.wants_control();
        if !shown && self.rig.is_none() {
            return Ok(());
        }
        let Some(mut record) = self.environment.control_record() else { return Ok(()) };
        (record.step, record.lateness) = (self.step, lateness);
        if let (Some(rig), Some(health)) = (&mut self.rig, &record.health) {
            rig.all.add(&record.goal, health);
            rig.window.add(&record.goal, health);
            let line = Line::Step(Box::new(StepLine::new(&record, health, step)));
            self.record(line, record.reading.frame.clone())?;
        }
        if shown {
            record.poses = self.environment.poses();
            self.outlets.watchers.record(Record::Control(Box::new(record)));
        }
        Ok(())
    }

    pub(super) fn begin_recording(&mut self, seed: u64, purpose: Purpose, seen: &Observation) -> Result<()> {
        let line = Line::Begin { purpose, seed, step: self.step, observation: seen.numbers.clone() };
        self.record(line, seen.pictures.last().cloned())
    }

    pub(super) fn end_recording(&mut self, outcome: Outcome, success: Option<bool>) -> Result<()> {
        if let (Some(rig), Outcome::Whole) = (&mut self.rig, outcome) {
            rig.in_a_row = 0;
        }
        self.record(Line::End { outcome, success }, None)
    }

    fn record(&self, line: Line, frame: Option<Frame>) -> Result<()> {
        match self.rig {
            Some(_) => self.enter(Entry::Recorded(Box::new(line), frame)),
            None => Ok(()),
        }
    }
}
