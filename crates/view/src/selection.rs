//! Which episodes are kept step by step.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Chooses the episodes whose control steps are kept: the first, then one in `every`, and ever fewer as
/// the recording nears its size.
pub(crate) struct Selection {
    every: u64,
    max_bytes: u64,
    skipped: AtomicU64,
    keeping: AtomicBool,
}

impl Selection {
    pub(crate) fn new(every: u64, max_bytes: u64) -> Self {
        Self { every: every.max(1), max_bytes, skipped: AtomicU64::new(0), keeping: AtomicBool::new(true) }
    }

    /// Whether this episode's control steps are kept.
    pub(crate) fn keeps(&self) -> bool {
        self.keeping.load(Relaxed)
    }

    /// An episode ended, with the recording at `bytes`.
    pub(crate) fn next_episode(&self, bytes: u64) {
        let skipped = if self.keeps() { 1 } else { self.skipped.load(Relaxed) + 1 };
        let keep = self.stride(bytes).is_some_and(|stride| skipped >= stride);
        self.skipped.store(skipped, Relaxed);
        self.keeping.store(keep, Relaxed);
    }

    /// One episode in this many is kept; none once the recording is full. The share of the room that is
    /// left thins the episodes, so the size nears its bound and doesn't pass it.
    fn stride(&self, bytes: u64) -> Option<u64> {
        let left = 1.0 - bytes as f64 / self.max_bytes as f64;
        (left > 0.01).then(|| (self.every as f64 / left).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(selection: &Selection, episodes: usize, bytes: u64) -> Vec<usize> {
        let keeps = |episode| {
            let keeps = selection.keeps();
            selection.next_episode(bytes);
            keeps.then_some(episode)
        };
        (0..episodes).filter_map(keeps).collect()
    }

    #[test]
    fn the_first_episode_is_kept_and_then_one_in_so_many() {
        assert_eq!(kept(&Selection::new(3, 100), 8, 0), [0, 3, 6]);
        assert_eq!(kept(&Selection::new(1, 100), 3, 0), [0, 1, 2]);
        assert_eq!(kept(&Selection::new(0, 100), 2, 0), [0, 1]);
    }

    #[test]
    fn a_fuller_recording_keeps_fewer_episodes_and_a_full_one_none() {
        assert_eq!(kept(&Selection::new(2, 100), 9, 50), [0, 4, 8]);
        assert_eq!(kept(&Selection::new(2, 100), 9, 100), [0]);
    }
}
