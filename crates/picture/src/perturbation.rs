//! What can go wrong with a frame, and how much.

use crate::PictureError;
use serde::{Deserialize, Serialize};

/// One way in which a frame differs from a clean one, with its strength. Lengths are parts of the frame's height, so that
/// a strength means the same at any size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FramePerturbation {
    /// More or less light than the camera's exposure is right for. What becomes too bright is cut off.
    Exposure {
        /// Factor on the light, as a power of two: -6 to 6; 0 changes nothing.
        stops: f32,
    },
    /// A white balance for other light.
    WhiteBalance {
        /// Factor on red light, 1/8 to 8; 1 changes nothing.
        red: f32,
        /// Factor on blue light, 1/8 to 8; 1 changes nothing.
        blue: f32,
    },
    /// Another relation between light and levels: `1/2 + contrast * (level^gamma - 1/2)`, levels from 0 to 1.
    Tone {
        /// Exponent, 1/8 to 8: above 1 darkens the middle; 1 changes nothing.
        gamma: f32,
        /// Factor on the distance from the middle, 1/8 to 8; 1 changes nothing.
        contrast: f32,
    },
    /// A lens out of focus.
    Blur {
        /// Standard deviation of the Gaussian, as a part of the height, 0 to 0.25.
        sigma: f32,
    },
    /// Noise of the sensor, new in every frame and independent in every pixel and colour. Its variance at a level is
    /// `read^2 + shot^2 * level / 255`.
    Noise {
        /// Standard deviation that the light itself brings at full white, levels of 255, 0 to 128.
        shot: f32,
        /// Standard deviation in the dark, levels of 255, 0 to 128.
        read: f32,
    },
    /// A JPEG's compression.
    Jpeg {
        /// 1 to 100, on libjpeg's scale.
        quality: u8,
    },
    /// A rectangle of one colour before the scene, somewhere in the picture; colour, place and form are the episode's.
    Occlusion {
        /// Part of the picture that is covered, 0 to 1.
        fraction: f32,
        /// Heights a second at which it moves, 0 to 10, turning back at the edges.
        speed: f32,
    },
    /// A hand that reaches into the picture from one of its edges and goes back, again and again. Where from, when and of
    /// what colour are the episode's.
    Hand {
        /// Breadth of the palm, as a part of the height, 0 to 1.
        size: f32,
        /// How far the fingertips come, as a part of the way to the opposite edge, 0 to 1.
        reach: f32,
        /// From one time to the next, s, 0.1 to 1000.
        period_secs: f32,
    },
    /// Frames that got lost: the one before is given again, with its own stamp.
    Dropped {
        /// That a frame is lost, 0 to 1. An episode's first frame never is.
        probability: f32,
    },
    /// Frames that are late: the one of so many frames ago is given, with its own stamp; until there is one, the
    /// episode's first.
    Late {
        /// How many frames, 0 to 100.
        frames: u8,
    },
    /// A camera that was bumped before the episode: turned, moved and zoomed a little, either way. What comes into view is
    /// the edge repeated.
    Bump {
        /// Rotation about the middle, rad, 0 to 1.
        rotation: f32,
        /// Shift in some direction, as a part of the height, 0 to 0.5.
        translation: f32,
        /// Enlargement or its inverse, 0 to 1: 0.1 is a factor of 1.1 or 1/1.1.
        zoom: f32,
    },
}

use FramePerturbation as P;

impl FramePerturbation {
    /// Its name, as it is written in a configuration.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            P::Exposure { .. } => "exposure",
            P::WhiteBalance { .. } => "white_balance",
            P::Tone { .. } => "tone",
            P::Blur { .. } => "blur",
            P::Noise { .. } => "noise",
            P::Jpeg { .. } => "jpeg",
            P::Occlusion { .. } => "occlusion",
            P::Hand { .. } => "hand",
            P::Dropped { .. } => "dropped",
            P::Late { .. } => "late",
            P::Bump { .. } => "bump",
        }
    }

    /// Expects every number to be one that its field may be.
    ///
    /// # Errors
    /// Names the first that isn't.
    pub fn check(&self) -> Result<(), PictureError> {
        const FACTOR: (f32, f32, &str) = (0.125, 8.0, "a factor from 0.125 to 8");
        const PART: (f32, f32, &str) = (0.0, 1.0, "0 to 1");
        const LEVELS: (f32, f32, &str) = (0.0, 128.0, "0 to 128 levels");
        let fields: &[(&'static str, f32, (f32, f32, &'static str))] = match *self {
            P::Exposure { stops } => &[("stops", stops, (-6.0, 6.0, "-6 to 6"))],
            P::WhiteBalance { red, blue } => &[("red", red, FACTOR), ("blue", blue, FACTOR)],
            P::Tone { gamma, contrast } => &[("gamma", gamma, FACTOR), ("contrast", contrast, FACTOR)],
            P::Blur { sigma } => &[("sigma", sigma, (0.0, 0.25, "0 to 0.25 of the height"))],
            P::Noise { shot, read } => &[("shot", shot, LEVELS), ("read", read, LEVELS)],
            P::Jpeg { quality } => &[("quality", f32::from(quality), (1.0, 100.0, "1 to 100"))],
            P::Occlusion { fraction, speed } => {
                &[("fraction", fraction, PART), ("speed", speed, (0.0, 10.0, "0 to 10 heights a second"))]
            }
            P::Hand { size, reach, period_secs } => &[
                ("size", size, PART),
                ("reach", reach, PART),
                ("period_secs", period_secs, (0.1, 1000.0, "0.1 to 1000 s")),
            ],
            P::Dropped { probability } => &[("probability", probability, PART)],
            P::Late { frames } => &[("frames", f32::from(frames), (0.0, 100.0, "0 to 100"))],
            P::Bump { rotation, translation, zoom } => &[
                ("rotation", rotation, (0.0, 1.0, "0 to 1 rad")),
                ("translation", translation, (0.0, 0.5, "0 to 0.5 of the height")),
                ("zoom", zoom, PART),
            ],
        };
        let wrong = fields.iter().find(|(_, found, (low, high, _))| !(low..=high).contains(&found));
        wrong.map_or(Ok(()), |&(field, found, (_, _, expected))| {
            Err(PictureError::Strength { perturbation: self.name(), field, expected, found })
        })
    }

    /// Whether it has an opposite: brighter and darker, warmer and cooler.
    pub(crate) fn has_opposite(&self) -> bool {
        matches!(self, P::Exposure { .. } | P::WhiteBalance { .. } | P::Tone { .. })
    }

    /// So much of it: 0 is nothing, 1 all, and -1 the opposite where it has one.
    pub(crate) fn scaled(self, part: f32) -> Self {
        match self {
            P::Exposure { stops } => P::Exposure { stops: part * stops },
            P::WhiteBalance { red, blue } => P::WhiteBalance { red: red.powf(part), blue: blue.powf(part) },
            P::Tone { gamma, contrast } => P::Tone { gamma: gamma.powf(part), contrast: contrast.powf(part) },
            P::Blur { sigma } => P::Blur { sigma: part * sigma },
            P::Noise { shot, read } => P::Noise { shot: part * shot, read: part * read },
            P::Jpeg { quality } => P::Jpeg { quality: 100 - (part * f32::from(100 - quality.min(100))).round() as u8 },
            P::Occlusion { fraction, speed } => P::Occlusion { fraction: part * fraction, speed },
            P::Hand { size, reach, period_secs } => P::Hand { size, reach: part * reach, period_secs },
            P::Dropped { probability } => P::Dropped { probability: part * probability },
            P::Late { frames } => P::Late { frames: (part * f32::from(frames)).round() as u8 },
            P::Bump { rotation, translation, zoom } => {
                P::Bump { rotation: part * rotation, translation: part * translation, zoom: part * zoom }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Family;

    #[test]
    fn a_number_out_of_its_range_is_refused_by_name() {
        let error = P::Blur { sigma: f32::NAN }.check().unwrap_err();
        assert_eq!(error.to_string(), "blur.sigma: expected 0 to 0.25 of the height, got NaN");
        assert!(P::Jpeg { quality: 0 }.check().is_err());
        assert!(P::Hand { size: 0.3, reach: 0.5, period_secs: 0.0 }.check().is_err());
    }

    #[test]
    fn what_is_written_is_read_again_and_unknown_fields_are_refused() {
        for strength in FramePerturbation::ALL.iter().flat_map(|Family { strengths, .. }| *strengths) {
            let text = serde_json::to_string(strength).unwrap();
            assert!(text.starts_with(&format!("{{\"{}\":{{", strength.name())), "{text}");
            assert_eq!(serde_json::from_str::<P>(&text).unwrap(), *strength);
        }
        assert!(serde_json::from_str::<P>(r#"{"blur": {"sigma": 0.1, "radius": 2}}"#).is_err());
    }

    #[test]
    fn all_of_a_perturbation_is_itself_and_any_part_of_it_is_allowed() {
        for strength in FramePerturbation::ALL.iter().flat_map(|Family { strengths, .. }| *strengths) {
            assert_eq!(strength.scaled(1.0), *strength);
            let least = if strength.has_opposite() { -1.0 } else { 0.0 };
            for part in [least, 0.5 * least, 0.0, 0.3] {
                strength.scaled(part).check().unwrap();
            }
        }
    }
}
