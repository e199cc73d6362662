//! Intervals that a claim is made with.

use serde::{Deserialize, Serialize};
use turnkey_core::Rng;

/// An estimate with its 95% interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A rate of `successes` in `n` with Wilson's 95% interval (J. Am. Stat. Assoc. 22, 1927).
#[must_use]
pub fn wilson(successes: usize, n: usize) -> Interval {
    if n == 0 {
        return Interval { value: 0.0, low: 0.0, high: 1.0 };
    }
    let (z, n) = (1.959_964, n as f64);
    let p = successes as f64 / n;
    let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    Interval { value: p, low: (centre - half).clamp(0.0, p), high: (centre + half).clamp(p, 1.0) }
}

/// By how much the success rate of `found` is above that of `other`, with Newcombe's 95% interval from both rates' Wilson intervals:
/// of pairs (Stat. Med. 17, 1998, p. 2635, method 10) where each is of the same episode as the other's, else of two independent
/// samples (p. 873, method 10). A bootstrap's would be too narrow where few of them differ.
#[must_use]
pub fn rate_difference(found: &[bool], other: &[bool], paired: bool) -> Interval {
    let count = |all: &[bool]| all.iter().filter(|success| **success).count();
    let (p, q) = (wilson(count(found), found.len()), wilson(count(other), other.len()));
    let correlation = if paired { correlation(found, other) } else { 0.0 };
    let value = p.value - q.value;
    let half = |a: f64, b: f64| (a * a - 2.0 * correlation * a * b + b * b).max(0.0).sqrt();
    let (low, high) = (half(p.value - p.low, q.high - q.value), half(p.high - p.value, q.value - q.low));
    Interval { value, low: (value - low).max(-1.0), high: (value + high).min(1.0) }
}

/// The correlation of pairs of successes, less a correction for continuity where it is above 0.
fn correlation(found: &[bool], other: &[bool]) -> f64 {
    let count = |is: (bool, bool)| found.iter().zip(other).filter(|(a, b)| (**a, **b) == is).count() as f64;
    let (both, neither) = (count((true, true)), count((false, false)));
    let (lost, gained) = (count((false, true)), count((true, false)));
    let margins = (both + gained) * (lost + neither) * (both + lost) * (gained + neither);
    let n = both + neither + lost + gained;
    match both * neither - lost * gained {
        _ if margins == 0.0 => 0.0,
        product if product > 0.0 => (product - n / 2.0).max(0.0) / margins.sqrt(),
        product => product / margins.sqrt(),
    }
}

/// By how much the mean of `found` is above that of `other`, two independent samples, with a percentile bootstrap 95% interval.
#[must_use]
pub fn mean_difference(found: &[f64], other: &[f64]) -> Interval {
    let value = mean(found) - mean(other);
    let mut rng = Rng::new(0, "bootstrap of two");
    let mut drawn = |values: &[f64]| {
        let sample: Vec<f64> = values.iter().map(|_| values[rng.below(values.len())]).collect();
        mean(&sample)
    };
    let mut draws: Vec<f64> = (0..2000).map(|_| drawn(found) - drawn(other)).collect();
    draws.sort_by(f64::total_cmp);
    Interval { value, low: draws[50], high: draws[1949] }
}

/// The median, the mean of the middle two of an even number; not a number of nothing.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]),
    }
}

/// The arithmetic mean; not a number of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean with Student's 95% interval, for a handful of values, such as seeds.
#[must_use]
pub fn student(values: &[f64]) -> Interval {
    /// 97.5% points for 1 to 10 degrees of freedom; beyond that the normal's is near enough, a little wider.
    const T: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    let (value, n) = (mean(values), values.len());
    if n < 2 {
        return Interval { value, low: value, high: value };
    }
    let variance = values.iter().map(|x| (x - value).powi(2)).sum::<f64>() / (n - 1) as f64;
    let half = T[(n - 2).min(T.len() - 1)] * (variance / n as f64).sqrt();
    Interval { value, low: value - half, high: value + half }
}

/// `statistic` of `values` with its percentile bootstrap 95% interval: 2,000 resamples from a fixed seed.
#[must_use]
pub fn bootstrap(values: &[f64], statistic: impl Fn(&[f64]) -> f64) -> Interval {
    let value = statistic(values);
    if values.len() < 2 {
        return Interval { value, low: value, high: value };
    }
    let mut rng = Rng::new(0, "bootstrap");
    let mut sample = vec![0.0; values.len()];
    let mut draws: Vec<f64> = (0..2000)
        .map(|_| {
            sample.iter_mut().for_each(|x| *x = values[rng.below(values.len())]);
            statistic(&sample)
        })
        .collect();
    draws.sort_by(f64::total_cmp);
    Interval { value, low: draws[50], high: draws[1949] }
}

/// The median of all values of all groups, with a bootstrap interval that draws whole groups: values of one
/// group, such as the steps of an episode, say nearly the same.
#[must_use]
pub fn grouped_median(groups: &[Vec<f64>]) -> Interval {
    let indices: Vec<f64> = (0..groups.len()).map(|i| i as f64).collect();
    bootstrap(&indices, |drawn| {
        let values: Vec<f64> = drawn.iter().flat_map(|i| &groups[*i as usize]).copied().collect();
        median(&values)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_interval_matches_the_textbook() {
        // Mean 2, deviation 1, 3 values: 2 +- 4.303 / sqrt(3).
        let interval = student(&[1.0, 2.0, 3.0]);
        assert!((interval.high - 4.484_34).abs() < 1e-4 && (interval.low + 0.484_34).abs() < 1e-4, "{interval:?}");
        assert_eq!(student(&[5.0]), Interval { value: 5.0, low: 5.0, high: 5.0 });
    }

    #[test]
    fn differences_of_rates_match_the_textbook() {
        let pairs = |both: usize, gained: usize, lost: usize, neither: usize| {
            let of = |counts: [(usize, bool); 4]| -> Vec<bool> {
                counts.into_iter().flat_map(|(n, success)| std::iter::repeat_n(success, n)).collect()
            };
            let found = of([(both, true), (gained, true), (lost, false), (neither, false)]);
            let other = of([(both, true), (gained, false), (lost, true), (neither, false)]);
            (found, other)
        };
        // Newcombe's paper on pairs; and, where the correction for continuity counts, Altman and others, Statistics with
        // Confidence, 2000, table 6.2, of three digits.
        for (cells, low, high) in [((36, 12, 2, 0), 0.0569, 0.3404), ((14, 5, 0, 22), 0.011, 0.226)] {
            let (found, other) = pairs(cells.0, cells.1, cells.2, cells.3);
            let interval = rate_difference(&found, &other, true);
            assert!(
                (interval.low - low).abs() < 6e-4 && (interval.high - high).abs() < 6e-4,
                "{cells:?}: {interval:?}"
            );
        }
        // Newcombe 1998, p. 873, table II: 56/70 less 48/80, method 10.
        let rate = |successes: usize, n: usize| (0..n).map(|i| i < successes).collect::<Vec<_>>();
        let interval = rate_difference(&rate(56, 70), &rate(48, 80), false);
        assert!((interval.low - 0.0524).abs() < 1e-4 && (interval.high - 0.3339).abs() < 1e-4, "{interval:?}");
        // Four lost of fifty is no proof (an exact test of signs gives 0.125), nor are two of two.
        let (found, other) = pairs(46, 0, 4, 0);
        assert!(rate_difference(&found, &other, true).high > 0.0);
        assert!(rate_difference(&[false; 2], &[true; 2], true).high > -0.25);
    }

    #[test]
    fn two_samples_differ_by_their_means() {
        let interval = mean_difference(&[1.0, 2.0, 3.0, 2.0], &[0.0, 0.5, 0.0, 0.5]);
        assert!(interval.value == 1.75 && interval.low > 0.5 && interval.high < 3.0, "{interval:?}");
    }

    #[test]
    fn wilson_intervals_match_the_textbook() {
        let i = wilson(90, 100);
        assert!((i.low - 0.8256).abs() < 1e-3 && (i.high - 0.9448).abs() < 1e-3, "{i:?}");
        let none = wilson(0, 30);
        assert!((1..100).all(|n| wilson(0, n).low == 0.0 && wilson(n, n).high == 1.0), "to the bit");
        assert!(none.low == 0.0 && (none.high - 0.1135).abs() < 1e-3, "{none:?}");
    }

    #[test]
    fn the_bootstrap_of_a_mean_is_about_two_standard_errors_wide() {
        let mut rng = Rng::new(1, "test");
        let values: Vec<f64> = (0..400).map(|_| rng.normal()).collect();
        let i = bootstrap(&values, mean);
        assert!((i.high - i.low - 4.0 * 0.05).abs() < 0.04, "{i:?}");
        let groups = grouped_median(&[vec![1.0; 40], vec![2.0; 40], vec![3.0; 40]]);
        assert_eq!((groups.value, groups.low, groups.high), (2.0, 1.0, 3.0));
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
