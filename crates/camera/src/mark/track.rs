//! The mark from frame to frame: turns counted, velocity by differences.

use super::MarkFinder;
use crate::{CameraError, Captured};
use std::time::{Duration, Instant};
use turnkey_core::wrap_angle;

/// Frames further apart than this tell no velocity, and may have missed half a turn.
const APART: Duration = Duration::from_millis(500);

/// Where the valve is, by its mark.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarkReading {
    /// Its angle, rad, turns counted since the tracker began.
    pub angle: f64,
    /// Its velocity, rad/s: the mean since the frame before; 0 of the first frame, and after a gap of half a second.
    pub velocity: f64,
    /// When the frame was taken that showed it.
    pub captured: Instant,
}

/// Follows the mark. Between two frames that are looked at, the valve must turn by less than half a turn.
#[derive(Clone, Debug)]
pub struct MarkTracker {
    finder: MarkFinder,
    last: Option<MarkReading>,
}

impl MarkTracker {
    /// Follows it in frames that this finder knows.
    #[must_use]
    pub fn new(finder: MarkFinder) -> Self {
        Self { finder, last: None }
    }

    /// Where the valve is by this frame, or by the last that showed it, if that was no longer ago than `mark.max_age_secs`.
    ///
    /// # Errors
    /// When neither shows it.
    pub fn follow(&mut self, frame: &Captured) -> Result<MarkReading, CameraError> {
        if let Some(last) = self.last.filter(|last| last.captured >= frame.captured) {
            return Ok(last);
        }
        match self.finder.find(&frame.frame) {
            Ok(sight) => Ok(self.go_on(sight.angle, frame.captured)),
            Err(error) => match self.last {
                Some(last) if last.captured.elapsed() <= self.finder.mark.max_age() => Ok(last),
                _ => Err(error),
            },
        }
    }

    fn go_on(&mut self, angle: f64, captured: Instant) -> MarkReading {
        let reading = match self.last {
            None => MarkReading { angle, velocity: 0.0, captured },
            Some(last) => {
                let (turned, apart) = (wrap_angle(angle - last.angle), captured - last.captured);
                let velocity = if apart < APART { turned / apart.as_secs_f64() } else { 0.0 };
                MarkReading { angle: last.angle + turned, velocity, captured }
            }
        };
        *self.last.insert(reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CameraConfig;
    use turnkey_core::{Frame, FrameSize, Stamp};

    const SIDE: usize = 48;

    fn tracker() -> MarkTracker {
        let text = "device = \"0\"\nformat = \"rgb24\"\nwidth = 48\nheight = 48\nrate = 30\nmax_frame_age_secs = 0.15\n\
                    output = { width = 48, height = 48 }\n[mark]\nmax_age_secs = 0.15\n";
        let finder = MarkFinder::new(&CameraConfig::parse(text, "camera.toml").unwrap()).unwrap();
        MarkTracker::new(finder)
    }

    /// A frame that was taken then, with a blot at this angle or none.
    fn taken(captured: Instant, angle: Option<f64>) -> Captured {
        let mut pixels = vec![90; 3 * SIDE * SIDE];
        if let Some(angle) = angle {
            let [right, down] = [24.0 + 12.0 * angle.cos(), 24.0 - 12.0 * angle.sin()];
            for (at, pixel) in pixels.chunks_exact_mut(3).enumerate() {
                let [x, y] = [(at % SIDE) as f64 + 0.5, (at / SIDE) as f64 + 0.5];
                if (x - right).hypot(y - down) < 3.5 {
                    pixel.copy_from_slice(&[10, 60, 200]);
                }
            }
        }
        let frame = Frame::new(Stamp::default(), FrameSize { width: SIDE, height: SIDE }, pixels).unwrap();
        Captured { frame, sequence: 1, captured, arrived: captured, age: captured.elapsed() }
    }

    #[test]
    fn turns_are_counted_both_ways_and_the_velocity_is_the_way_over_the_time_between_captures() {
        let (mut tracker, start) = (tracker(), Instant::now());
        for direction in [1.0, -1.0] {
            let from = tracker.last.map_or(0.0, |last| last.angle);
            let begun = if direction > 0.0 { 0 } else { 20 };
            for step in 1..=20 {
                let angle = from + direction * 0.5 * f64::from(step);
                let captured = start + Duration::from_millis(100) * (begun + step as u32);
                let reading = tracker.follow(&taken(captured, Some(angle))).unwrap();
                assert!((reading.angle - angle).abs() < 0.05, "{angle}: {reading:?}");
                assert_eq!(reading.captured, captured);
                let speed = direction * reading.velocity;
                assert!(reading.velocity == 0.0 || (speed - 5.0).abs() < 1.0, "{reading:?}");
            }
        }
        // After a gap nobody knows how fast it was.
        let late = start + Duration::from_secs(9);
        assert_eq!(tracker.follow(&taken(late, Some(0.4))).unwrap().velocity, 0.0);
    }

    #[test]
    fn a_mark_that_is_covered_is_where_it_was_for_as_long_as_configured() {
        let (mut tracker, now) = (tracker(), Instant::now());
        let seen = tracker.follow(&taken(now, Some(1.0))).unwrap();
        let hidden = |ago: u64| taken(now + Duration::from_millis(ago), None);
        assert_eq!(tracker.follow(&hidden(30)).unwrap(), seen, "and its stamp is that of the frame that showed it");
        std::thread::sleep(Duration::from_millis(160));
        let error = tracker.follow(&hidden(160)).unwrap_err();
        assert!(error.to_string().contains("mark"), "{error}");
        assert_eq!(tracker.follow(&hidden(0)).unwrap(), seen, "the frame that was looked at already");
    }
}
