//! What several seeds have in common: mean and range over steps.

use super::Point;

/// What the seeds of a curve have in common at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) step: f64,
    pub(super) mean: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Mean and range over seeds at every step that any of them reports, `None` where one of them has nothing
/// to say: before its first point, after its last, in a gap. Between points a seed goes straight.
pub(super) fn summary(seeds: &[&Vec<Point>], value: fn(&Point) -> f64) -> Vec<Option<Summary>> {
    let mut steps: Vec<u64> = seeds.iter().flat_map(|seed| seed.iter().map(|p| p.step)).collect();
    steps.sort_unstable();
    steps.dedup();
    let at = |step: u64| {
        let values: Option<Vec<f64>> = seeds.iter().map(|seed| interpolate(seed, step, value)).collect();
        let values = values.filter(|values| !values.is_empty())?;
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(Summary { step: step as f64, mean, low, high })
    };
    steps.into_iter().map(at).collect()
}

fn interpolate(seed: &[Point], step: u64, value: fn(&Point) -> f64) -> Option<f64> {
    let after = seed.iter().position(|p| p.step >= step)?;
    let (b, vb) = (seed[after].step, value(&seed[after]));
    if b == step {
        return Some(vb).filter(|v| v.is_finite());
    }
    let before = &seed[after.checked_sub(1)?];
    let share = (step - before.step) as f64 / (b - before.step) as f64;
    Some(value(before) + share * (vb - value(before))).filter(|v| v.is_finite())
}

/// Splits at the gaps.
pub(super) fn runs<T>(points: impl Iterator<Item = Option<T>>) -> Vec<Vec<T>> {
    let mut runs = vec![Vec::new()];
    for point in points {
        match point {
            Some(point) => runs.last_mut().expect("there is always one run").push(point),
            None => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(step: u64, success_rate: f64) -> Point {
        Point { step, success_rate, median_error: 1.0 - success_rate, mean_return: 10.0 * success_rate }
    }

    fn rate(p: &Point) -> f64 {
        p.success_rate
    }

    #[test]
    fn the_mean_covers_the_steps_that_all_seeds_reached_and_goes_straight_between_points() {
        let (a, b) = (vec![point(0, 0.0), point(100, 1.0)], vec![point(0, 0.2), point(50, 0.4)]);
        let summary = summary(&[&a, &b], rate);
        assert_eq!(summary[0], Some(Summary { step: 0.0, mean: 0.1, low: 0.0, high: 0.2 }));
        assert_eq!(summary[1], Some(Summary { step: 50.0, mean: 0.45, low: 0.4, high: 0.5 }));
        assert_eq!(summary[2], None);
    }

    #[test]
    fn a_figure_that_is_not_a_number_leaves_a_gap() {
        let seed = vec![point(0, 0.1), point(1, 0.2), point(2, f64::NAN), point(3, 0.4)];
        assert_eq!(runs(summary(&[&seed], rate).into_iter()).len(), 2);
    }
}
