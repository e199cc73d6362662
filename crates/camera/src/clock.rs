//! The system's monotonic clock, by which drivers stamp frames and processes agree on when something was.
//!
//! `Instant` is the same clock, but says no numbers.

use std::time::{Duration, Instant};

/// Time since the system started, by CLOCK_MONOTONIC.
pub(crate) fn monotonic_now() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec that lives through the call.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

/// When a time of the monotonic clock was; none where it is still to come, or was before the process can say.
pub(crate) fn instant_from_monotonic(at: Duration) -> Option<Instant> {
    monotonic_now().checked_sub(at).and_then(|age| Instant::now().checked_sub(age))
}

/// The monotonic clock's time at `instant`, which is past.
pub(crate) fn monotonic_from_instant(instant: Instant) -> Duration {
    monotonic_now().saturating_sub(instant.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_survives_the_way_to_the_clock_and_back() {
        let instant = Instant::now();
        let back = instant_from_monotonic(monotonic_from_instant(instant)).unwrap();
        let apart = back.max(instant) - back.min(instant);
        assert!(apart < Duration::from_millis(50), "{apart:?}");
    }

    #[test]
    fn a_time_to_come_is_no_time_of_a_frame() {
        assert_eq!(instant_from_monotonic(monotonic_now() + Duration::from_secs(5)), None);
    }
}
