//! How late steps were, in bounded memory.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// From a microsecond to a hundred seconds, 2% a step.
const BUCKETS: usize = 932;
const RATIO: f64 = 1.02;

/// The lateness of every step, exact but for 2% of each; adding one allocates nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Lateness {
    counts: Vec<u64>,
    count: u64,
    max: Duration,
    missed: u64,
    period: Duration,
}

/// What there is to say of the lateness of many steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LatenessFigures {
    /// Steps.
    pub steps: u64,
    /// The lateness that half of them had at most, ms.
    pub lateness_p50_ms: f64,
    /// That 99% of them had at most, ms.
    pub lateness_p99_ms: f64,
    /// That of the latest, ms.
    pub lateness_max_ms: f64,
    /// Steps that ended a whole period or more after their deadline.
    pub missed_deadlines: u64,
}

impl fmt::Display for LatenessFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps, lateness_p50_ms: p50, lateness_p99_ms: p99, lateness_max_ms: max, missed_deadlines } = self;
        write!(
            f,
            "lateness of {steps} steps: p50 {p50:.3} ms, p99 {p99:.3} ms, max {max:.3} ms, {missed_deadlines} missed"
        )
    }
}

impl Lateness {
    /// Of no steps yet, which are to be `period` apart.
    #[must_use]
    pub fn new(period: Duration) -> Self {
        Self { counts: vec![0; BUCKETS], count: 0, max: Duration::ZERO, missed: 0, period }
    }

    /// Counts a step.
    pub fn add(&mut self, lateness: Duration) {
        let micros = lateness.as_secs_f64() * 1e6;
        let bucket = if micros <= 1.0 { 0 } else { (micros.ln() / RATIO.ln()).ceil() as usize };
        self.counts[bucket.min(BUCKETS - 1)] += 1;
        self.count += 1;
        self.max = self.max.max(lateness);
        self.missed += u64::from(lateness >= self.period);
    }

    /// Forgets all steps.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        (self.count, self.max, self.missed) = (0, Duration::ZERO, 0);
    }

    /// Steps counted.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.count
    }

    /// What there is to say.
    #[must_use]
    pub fn figures(&self) -> LatenessFigures {
        LatenessFigures {
            steps: self.count,
            lateness_p50_ms: self.quantile_ms(0.5),
            lateness_p99_ms: self.quantile_ms(0.99),
            lateness_max_ms: self.max.as_secs_f64() * 1e3,
            missed_deadlines: self.missed,
        }
    }

    /// The lateness that `share` of the steps had at most, ms.
    fn quantile_ms(&self, share: f64) -> f64 {
        let rank = (share * self.count as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        let bucket = self.counts.iter().position(|count| {
            below += count;
            below >= rank
        });
        let bound_ms = RATIO.powi(bucket.unwrap_or(0) as i32) / 1e3;
        bound_ms.min(self.max.as_secs_f64() * 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_two_percent_and_the_maximum_is_exact() {
        let mut lateness = Lateness::new(Duration::from_millis(50));
        for ms in 1..=1000 {
            lateness.add(Duration::from_micros(100 * ms));
        }
        let figures = lateness.figures();
        assert!((50.0..51.0).contains(&figures.lateness_p50_ms), "{figures:?}");
        assert!((99.0..101.0).contains(&figures.lateness_p99_ms), "{figures:?}");
        assert_eq!((figures.steps, figures.lateness_max_ms, figures.missed_deadlines), (1000, 100.0, 501));
        lateness.clear();
        assert_eq!(lateness, Lateness::new(Duration::from_millis(50)));
    }

    #[test]
    fn a_step_on_time_counts_as_a_microsecond_at_most_and_an_hour_late_has_a_place_too() {
        let mut lateness = Lateness::new(Duration::from_millis(100));
        lateness.add(Duration::ZERO);
        assert_eq!(lateness.figures().lateness_p99_ms, 0.0);
        lateness.add(Duration::from_secs(3600));
        assert_eq!((lateness.figures().lateness_max_ms, lateness.figures().missed_deadlines), (3.6e6, 1));
    }
}
