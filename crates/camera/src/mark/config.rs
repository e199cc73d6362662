//! `[mark]` of a camera's file.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What the valve's coloured mark looks like, and where it can be. Every setting has a default: the twin's blue mark.
///
/// Colour is told by hue and saturation, which stay the same in more and in less light.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MarkConfig {
    /// Its hue, degrees: 0 is red, 120 green, 240 blue.
    pub hue_degrees: f64,
    /// How far a pixel's hue may be from that, degrees.
    pub hue_within_degrees: f64,
    /// The least saturation of its pixels: 0 is grey, 1 a pure colour.
    pub least_saturation: f64,
    /// The least level of the brightest of its pixels' three colours, of 255: darker ones have no hue to speak of.
    pub least_level: u8,
    /// Where its pixels are: from here to there from the valve's axis, m.
    pub radius: [f64; 2],
    /// How high above the table its upper side is, m.
    pub height: f32,
    /// Fewer pixels than this are no mark, counted in frames as a policy gets them.
    pub least_pixels: usize,
    /// While the mark is covered the valve counts as where it was, for so long after the frame that last showed it, s.
    pub max_age_secs: f64,
}

impl Default for MarkConfig {
    fn default() -> Self {
        Self {
            hue_degrees: 222.0,
            hue_within_degrees: 25.0,
            least_saturation: 0.45,
            least_level: 25,
            radius: [0.012, 0.095],
            height: 0.122,
            least_pixels: 10,
            max_age_secs: 0.3,
        }
    }
}

impl MarkConfig {
    /// Every number with its range.
    pub(crate) fn numbers(&self) -> [(&'static str, f64, f64, f64); 9] {
        let [nearest, furthest] = self.radius;
        [
            ("mark.hue_degrees", self.hue_degrees, 0.0, 360.0),
            ("mark.hue_within_degrees", self.hue_within_degrees, 1.0, 90.0),
            ("mark.least_saturation", self.least_saturation, 0.05, 0.95),
            ("mark.least_level", f64::from(self.least_level), 1.0, 255.0),
            ("mark.radius, the first", nearest, 0.0, 1.0),
            ("mark.radius, the second", furthest, nearest + 0.001, 1.0),
            ("mark.height", f64::from(self.height), 0.0, 10.0),
            ("mark.least_pixels", self.least_pixels as f64, 1.0, 1e6),
            ("mark.max_age_secs", self.max_age_secs, 0.001, 10.0),
        ]
    }

    /// How old a reading of the valve may be.
    pub(super) fn max_age(&self) -> Duration {
        Duration::from_secs_f64(self.max_age_secs)
    }

    /// How much a pixel is like the mark: its saturation, or 0 where it isn't the mark's.
    pub(super) fn likeness(&self, [red, green, blue]: [u8; 3]) -> f64 {
        let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
        let (level, spread) = (f64::from(most), f64::from(most - least));
        if most < self.least_level || spread < self.least_saturation * level {
            return 0.0;
        }
        let [red, green, blue] = [red, green, blue].map(f64::from);
        let sixth = match level {
            level if level == red => (green - blue) / spread,
            level if level == green => 2.0 + (blue - red) / spread,
            _ => 4.0 + (red - green) / spread,
        };
        let apart = (60.0 * sixth - self.hue_degrees + 180.0).rem_euclid(360.0) - 180.0;
        if apart.abs() <= self.hue_within_degrees { spread / level } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marks_colour_is_known_in_any_light_and_others_are_not() {
        let mark = MarkConfig::default();
        for [red, green, blue] in [[13, 64, 217], [5, 26, 87], [60, 100, 255], [20, 70, 160]] {
            assert!(mark.likeness([red, green, blue]) >= 0.45, "{red} {green} {blue}");
        }
        // Valve, plate, aluminium, a servo, green, red, black, white, and the mark's hue too pale or too dark.
        for color in [
            [242, 158, 41],
            [204, 219, 235],
            [184, 191, 201],
            [26, 28, 33],
            [0, 200, 40],
            [220, 30, 30],
            [0; 3],
            [255; 3],
            [150, 170, 220],
            [1, 4, 15],
        ] {
            assert_eq!(mark.likeness(color), 0.0, "{color:?}");
        }
    }

    #[test]
    fn hue_goes_round() {
        let red = MarkConfig { hue_degrees: 355.0, ..MarkConfig::default() };
        assert!(red.likeness([200, 10, 10]) > 0.9 && red.likeness([200, 10, 60]) > 0.9);
        assert_eq!(red.likeness([200, 10, 200]), 0.0);
    }
}
