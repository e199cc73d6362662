//! How a rig fared over many steps, in bounded memory.

use crate::lateness::{Lateness, LatenessFigures};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use turnkey_core::{Health, JointVector};

/// How a rig fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RigFigures {
    /// Steps.
    pub steps: u64,
    /// How old the joint reading behind a goal was when the servos were told: half of the goals' at most, ms.
    pub joint_age_p50_ms: f64,
    /// 99% of the goals' at most, ms.
    pub joint_age_p99_ms: f64,
    /// The oldest, ms.
    pub joint_age_max_ms: f64,
    /// How long telling and reading all servos took together: half of the cycles at most, ms.
    pub cycle_p50_ms: f64,
    /// 99% of the cycles at most, ms.
    pub cycle_p99_ms: f64,
    /// The longest, ms.
    pub cycle_max_ms: f64,
    /// How old a picture was when it was handed over: half of them at most, ms; 0 without a camera.
    pub picture_age_p50_ms: f64,
    /// 99% of them at most, ms.
    pub picture_age_p99_ms: f64,
    /// The oldest, ms.
    pub picture_age_max_ms: f64,
    /// Time between a picture and the joints' reading: half of them at most, ms.
    pub picture_skew_p50_ms: f64,
    /// The longest, ms.
    pub picture_skew_max_ms: f64,
    /// The hottest that a joint's servo was, degrees C.
    pub hottest_celsius: f64,
    /// The most current that a joint took, A.
    pub most_amperes: f64,
    /// The lowest supply of a joint's servo, V; 0 where there was no step.
    pub lowest_volts: f64,
    /// Goals that the claw's own limits changed on the way to the servos. None: goals are made within them.
    pub goals_changed: u64,
    /// Episodes that ended, or did not begin, by a fault.
    pub faults: u64,
}

impl fmt::Display for RigFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { joint_age_p50_ms: age, joint_age_max_ms: oldest, cycle_p50_ms: cycle, .. } = self;
        if self.picture_age_max_ms > 0.0 {
            let Self { picture_age_p50_ms: age, picture_age_max_ms: oldest, picture_skew_max_ms: skew, .. } = self;
            write!(f, "picture age p50 {age:.0} ms, max {oldest:.0} ms, at most {skew:.0} ms from the joints; ")?;
        }
        write!(
            f,
            "rig: joint age p50 {age:.1} ms, max {oldest:.1} ms; cycle p50 {cycle:.1} ms, p99 {:.1} ms; at most {:.0} degrees \
             C and {:.2} A; {} goals changed, {} faults",
            self.cycle_p99_ms, self.hottest_celsius, self.most_amperes, self.goals_changed, self.faults
        )
    }
}

/// Counts steps.
#[derive(Clone, Debug)]
pub struct Account {
    joint_age: Lateness,
    cycle: Lateness,
    picture_age: Lateness,
    picture_skew: Lateness,
    hottest: f64,
    most: f64,
    lowest: f64,
    goals_changed: u64,
    /// Faults.
    pub faults: u64,
}

impl Account {
    /// Of no steps yet.
    #[must_use]
    pub fn new(period: Duration) -> Self {
        let none = Lateness::new(period);
        Self {
            joint_age: none.clone(),
            cycle: none.clone(),
            picture_age: none.clone(),
            picture_skew: none,
            hottest: 0.0,
            most: 0.0,
            lowest: f64::INFINITY,
            goals_changed: 0,
            faults: 0,
        }
    }

    /// Counts a step, for which `goal` (rad) was asked.
    pub fn add(&mut self, goal: &JointVector, health: &Health) {
        self.joint_age.add(health.joint_age);
        self.cycle.add(health.cycle);
        if let Some(picture) = health.picture {
            self.picture_age.add(picture.age);
            self.picture_skew.add(picture.skew);
        }
        self.hottest = health.celsius.iter().copied().fold(self.hottest, f64::max);
        self.most = health.amperes.iter().map(|amperes| amperes.abs()).fold(self.most, f64::max);
        self.lowest = health.volts.iter().copied().fold(self.lowest, f64::min);
        self.goals_changed += u64::from(goal != &health.told);
    }

    /// What there is to say.
    #[must_use]
    pub fn figures(&self) -> RigFigures {
        let LatenessFigures { steps, lateness_p50_ms, lateness_p99_ms, lateness_max_ms, .. } = self.joint_age.figures();
        let [cycle, age, skew] = [&self.cycle, &self.picture_age, &self.picture_skew].map(Lateness::figures);
        RigFigures {
            steps,
            joint_age_p50_ms: lateness_p50_ms,
            joint_age_p99_ms: lateness_p99_ms,
            joint_age_max_ms: lateness_max_ms,
            cycle_p50_ms: cycle.lateness_p50_ms,
            cycle_p99_ms: cycle.lateness_p99_ms,
            cycle_max_ms: cycle.lateness_max_ms,
            picture_age_p50_ms: age.lateness_p50_ms,
            picture_age_p99_ms: age.lateness_p99_ms,
            picture_age_max_ms: age.lateness_max_ms,
            picture_skew_p50_ms: skew.lateness_p50_ms,
            picture_skew_max_ms: skew.lateness_max_ms,
            hottest_celsius: self.hottest,
            most_amperes: self.most,
            lowest_volts: if steps == 0 { 0.0 } else { self.lowest },
            goals_changed: self.goals_changed,
            faults: self.faults,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::PictureHealth;

    #[test]
    fn the_worst_of_every_joint_is_kept_and_a_goal_that_the_claw_changed_is_counted() {
        let mut account = Account::new(Duration::from_millis(100));
        assert_eq!(account.figures(), RigFigures::default());
        let health = |told: f64, amperes: f64, celsius: f64| Health {
            told: [told; 9],
            joint_age: Duration::from_millis(4),
            cycle: Duration::from_millis(6),
            amperes: std::array::from_fn(|joint| if joint == 3 { amperes } else { 0.1 }),
            celsius: [celsius; 9],
            volts: [12.0 - amperes.abs(); 9],
            picture: Some(PictureHealth { number: 1, age: Duration::from_millis(20), skew: Duration::from_millis(9) }),
        };
        account.add(&[0.2; 9], &health(0.2, -1.5, 40.0));
        account.add(&[0.2; 9], &health(0.1, 0.5, 35.0));
        let figures = account.figures();
        assert_eq!((figures.steps, figures.goals_changed), (2, 1));
        assert_eq!((figures.hottest_celsius, figures.most_amperes, figures.lowest_volts), (40.0, 1.5, 10.5));
        assert!((figures.joint_age_max_ms - 4.0).abs() < 0.2 && (figures.cycle_p50_ms - 6.0).abs() < 0.2);
        assert!((figures.picture_age_max_ms - 20.0).abs() < 0.5 && (figures.picture_skew_p50_ms - 9.0).abs() < 0.3);
    }
}
