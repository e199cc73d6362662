//! What tells the valve's angle, and where the valve is when an episode begins.

use anyhow::{Result, bail};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use turnkey_env::{TargetConfig, TargetFrame, TaskConfig};

/// What tells the valve's angle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum ValveBy {
    /// A servo of its own, which turns it back between episodes.
    #[default]
    Servo,
    /// Its coloured mark, as the camera sees it. Nothing turns it back.
    Mark,
}

impl ValveBy {
    /// As configurations and the command line say it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Servo => "servo",
            Self::Mark => "mark",
        }
    }
}

/// Where the valve is when an episode begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValveStart {
    /// Where the task wants it: its servo brings it there.
    Servo,
    /// Where it is.
    WhereItIs,
    /// Where the task wants it: a person turns it there.
    Person,
}

impl ValveStart {
    /// Where it is on a rig of this kind, for a task of this kind.
    ///
    /// # Errors
    /// When nothing turns the valve back, the target always is where it was, and the start isn't: the valve would soon stay
    /// at the target, and nobody can be told a start for each episode.
    pub(crate) fn of(valve: ValveBy, task: &TaskConfig) -> Result<Self> {
        let TargetConfig { from, angle, velocity } = &task.target;
        let is_one = |[low, high]: &[f64; 2]| low == high;
        match valve {
            ValveBy::Servo => Ok(Self::Servo),
            ValveBy::Mark if *from == TargetFrame::Start || !is_one(angle) || *velocity != [0.0; 2] => {
                Ok(Self::WhereItIs)
            }
            ValveBy::Mark if is_one(&task.start_valve) => Ok(Self::Person),
            ValveBy::Mark => bail!(
                "rig.valve: expected a task whose target is drawn anew (target.angle), or that always starts from one angle \
                 (start_valve), where no servo turns the valve back, got a target of {:.3} rad and starts of {:.3} to {:.3}\n  fix: \
                 --set task.target.angle=[-3.14,3.14] --set task.name=turn_random, or --set task.start_valve=[0.0,0.0]",
                angle[0],
                task.start_valve[0],
                task.start_valve[1]
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_env::TaskName;

    #[test]
    fn the_valve_starts_where_the_task_allows() {
        let by_mark = |name, change: fn(&mut TaskConfig)| {
            let mut task = TaskConfig::published(name);
            change(&mut task);
            ValveStart::of(ValveBy::Mark, &task)
        };
        // Always the same way, from one angle: a person turns it back.
        assert_eq!(by_mark(TaskName::TurnFixed, |_| {}).unwrap(), ValveStart::Person);
        assert_eq!(by_mark(TaskName::TurnRandom, |_| {}).unwrap(), ValveStart::WhereItIs);
        assert_eq!(by_mark(TaskName::ScrewFixed, |_| {}).unwrap(), ValveStart::WhereItIs);
        let error = by_mark(TaskName::TurnFixed, |task| task.start_valve = [-3.0, 3.0]).unwrap_err().to_string();
        assert!(error.contains("expected a task whose target is drawn anew") && error.contains("fix:"), "{error}");
        for name in TaskName::ALL {
            let task = TaskConfig::published(name);
            assert_eq!(ValveStart::of(ValveBy::Servo, &task).unwrap(), ValveStart::Servo);
        }
    }
}
