//! Rows that are not to be learned from.

use std::ops::Range;

/// Ranges of a run's rows, in order, none of which touches another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Discarded(Vec<Range<u64>>);

impl Discarded {
    /// Adds rows to them.
    pub(crate) fn add(&mut self, rows: Range<u64>) {
        if rows.is_empty() {
            return;
        }
        let touches = |one: &Range<u64>| one.start <= rows.end && rows.start <= one.end;
        let (touching, mut kept): (Vec<_>, Vec<_>) = self.0.drain(..).partition(touches);
        let start = touching.iter().map(|one| one.start).fold(rows.start, u64::min);
        let end = touching.iter().map(|one| one.end).fold(rows.end, u64::max);
        kept.push(start..end);
        kept.sort_unstable_by_key(|one| one.start);
        self.0 = kept;
    }

    /// Whether a row is one of them.
    pub(crate) fn contains(&self, row: u64) -> bool {
        let after = self.0.partition_point(|one| one.start <= row);
        after > 0 && self.0[after - 1].contains(&row)
    }

    /// How many of these rows are among them.
    pub(crate) fn within(&self, rows: &Range<u64>) -> u64 {
        self.0.iter().map(|one| one.end.min(rows.end).saturating_sub(one.start.max(rows.start))).sum()
    }

    /// Forgets those outside of these rows.
    pub(crate) fn keep(&mut self, rows: Range<u64>) {
        self.0.retain_mut(|one| {
            *one = one.start.max(rows.start)..one.end.min(rows.end);
            !one.is_empty()
        });
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges.
    pub(crate) fn ranges(&self) -> &[Range<u64>] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::Rng;

    #[test]
    fn they_are_those_added_and_kept_whatever_the_order() {
        let mut rng = Rng::new(3, "discarded rows");
        for _ in 0..200 {
            let (mut discarded, mut plain) = (Discarded::default(), [false; 60]);
            for _ in 0..rng.below(8) {
                let start = rng.below(60);
                let rows = start..(start + rng.below(12)).min(60);
                plain[rows.clone()].fill(true);
                discarded.add(rows.start as u64..rows.end as u64);
            }
            let kept = rng.below(30)..30 + rng.below(30);
            plain.iter_mut().enumerate().for_each(|(row, is)| *is &= kept.contains(&row));
            discarded.keep(kept.start as u64..kept.end as u64);
            assert!((0..60).all(|row| discarded.contains(row as u64) == plain[row]), "{discarded:?}");
            assert!(discarded.ranges().windows(2).all(|two| two[0].end < two[1].start), "{discarded:?}");
            let some = 10..40;
            assert_eq!(discarded.within(&(10..40)) as usize, plain[some].iter().filter(|is| **is).count());
        }
    }
}
