//! Ways in which the world may look other than it did in training, at rising strengths, drawn anew in each episode.

use serde::{Deserialize, Serialize};
use std::f32::consts::{PI, TAU};
use turnkey_core::{Geometry, Part, Pose, Rng, SceneEdit, Texture};

/// A family of changes to the scene. What a strength of 1 means is said at each; strengths of 1/3 and 2/3 lie evenly
/// below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SceneFamily {
    /// The light comes from anywhere, up to 60 degrees away from straight down.
    LightDirection,
    /// Lights are up to 4 times brighter or darker.
    LightIntensity,
    /// The valve (not its mark) takes any colour.
    ValveColor,
    /// The valve's mark takes any colour.
    MarkColor,
    /// Claw and fingers take any colour.
    ClawColor,
    /// The table takes any colour.
    TableColor,
    /// The table is covered with blotches of two colours.
    TableTexture,
    /// What is behind everything is blotches of two colours.
    Background,
    /// The same, other at every step.
    MovingBackground,
    /// A ball, up to 6 cm across, wanders over the table around the valve.
    Object,
    /// A hand reaches in from the side, as far as the valve's middle, and goes back.
    Hand,
    /// The camera is up to 4 cm and 6 degrees away from where it was.
    CameraPose,
    /// The focal length is up to a fifth longer or shorter.
    FocalLength,
}

impl SceneFamily {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::LightDirection,
        Self::LightIntensity,
        Self::ValveColor,
        Self::MarkColor,
        Self::ClawColor,
        Self::TableColor,
        Self::TableTexture,
        Self::Background,
        Self::MovingBackground,
        Self::Object,
        Self::Hand,
        Self::CameraPose,
        Self::FocalLength,
    ];
}

impl SceneFamily {
    /// Its name, as it is written in a configuration.
    #[must_use]
    pub fn name(self) -> String {
        let camel = format!("{self:?}");
        let words = camel.char_indices().flat_map(|(i, c)| {
            let gap = (i > 0 && c.is_uppercase()).then_some('_');
            gap.into_iter().chain(c.to_lowercase())
        });
        words.collect()
    }
}

/// One episode's draw of a family at a strength.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SceneDisturbance {
    family: SceneFamily,
    strength: f32,
    /// Uniform in [-1, 1].
    drawn: [f32; 6],
    /// Uniform in [0, 1].
    colors: [[f32; 3]; 2],
    seed: u64,
}

impl SceneDisturbance {
    /// What an episode with this seed sees of `family` at `strength`, 0 to 1.
    #[must_use]
    pub fn draw(family: SceneFamily, strength: f64, seed: u64) -> Self {
        let mut rng = Rng::new(seed, "scene disturbance");
        let drawn = std::array::from_fn(|_| rng.uniform(-1.0, 1.0) as f32);
        let colors = std::array::from_fn(|_| std::array::from_fn(|_| rng.unit() as f32));
        Self { family, strength: strength.clamp(0.0, 1.0) as f32, drawn, colors, seed: rng.bits() >> 1 }
    }

    /// The changes at an episode's step number `step`, counted from 0 at its reset, `episode` being its last one.
    #[must_use]
    pub fn edits(&self, step: usize, episode: usize) -> Vec<SceneEdit> {
        let Self { strength, drawn: [a, b, c, d, e, f], colors: [color, other], .. } = *self;
        let progress = step as f32 / episode.max(1) as f32;
        match self.family {
            SceneFamily::LightDirection => {
                vec![SceneEdit::LightDirection { azimuth: PI * a, elevation: strength * PI / 3.0 }]
            }
            SceneFamily::LightIntensity => vec![SceneEdit::LightIntensity([4_f32.powf(strength * sign(a)); 3])],
            SceneFamily::ValveColor => vec![self.tinted(Part::Valve, [0.95, 0.62, 0.16])],
            SceneFamily::MarkColor => vec![self.tinted(Part::Mark, [0.05, 0.25, 0.85])],
            SceneFamily::ClawColor => vec![self.tinted(Part::Claw, [0.4, 0.42, 0.45])],
            SceneFamily::TableColor => vec![self.tinted(Part::Table, [0.58, 0.53, 0.47])],
            SceneFamily::TableTexture => {
                vec![SceneEdit::Surface(Part::Table, self.blotches(0.06, [0.58, 0.53, 0.47], 0))]
            }
            SceneFamily::Background => {
                vec![SceneEdit::Surface(Part::Background, self.blotches(0.25, [0.7, 0.74, 0.78], 0))]
            }
            SceneFamily::MovingBackground => {
                vec![SceneEdit::Surface(Part::Background, self.blotches(0.25, [0.7, 0.74, 0.78], step as u64))]
            }
            SceneFamily::Object => {
                let angle = TAU * (a + 0.6 * progress * sign(b));
                let (radius, away) = (0.03 * strength, 0.13 + 0.03 * c);
                vec![object(Geometry::Sphere { radius }, [away * angle.cos(), away * angle.sin(), radius], color)]
            }
            SceneFamily::Hand => hand(PI * a, 0.25 - 0.25 * strength * (PI * progress).sin(), [0.85, 0.62, 0.5]),
            SceneFamily::CameraPose => vec![SceneEdit::Camera {
                translation: [a, b, c].map(|part| 0.04 * strength * part),
                rotation: [d, e, f].map(|part| (6.0_f32).to_radians() * strength * part),
                focal_scale: 1.0,
            }],
            SceneFamily::FocalLength => vec![SceneEdit::Camera {
                translation: [0.0; 3],
                rotation: [0.0; 3],
                focal_scale: 1.0 + 0.2 * strength * sign(other[0] - 0.5),
            }],
        }
    }

    /// A part in a colour that lies between its own and the drawn one.
    fn tinted(&self, part: Part, own: [f32; 3]) -> SceneEdit {
        SceneEdit::Surface(part, Texture::Plain(mix(own, self.colors[0], self.strength)))
    }

    fn blotches(&self, period: f32, own: [f32; 3], pattern: u64) -> Texture {
        let colors = self.colors.map(|drawn| mix(own, drawn, self.strength));
        Texture::Noise { colors, period, seed: self.seed.wrapping_add(pattern) }
    }
}

fn sign(x: f32) -> f32 {
    if x < 0.0 { -1.0 } else { 1.0 }
}

fn mix(own: [f32; 3], other: [f32; 3], share: f32) -> [f32; 3] {
    std::array::from_fn(|i| own[i] + share * (other[i] - own[i]))
}

fn object(geometry: Geometry, position: [f32; 3], color: [f32; 3]) -> SceneEdit {
    SceneEdit::Object { geometry, pose: Pose { position, rotation: [0.0, 0.0, 0.0, 1.0] }, color }
}

/// A forearm and three fingers pointing at the valve's axis from the direction `azimuth` (rad), the fingertips `away`
/// (m) from it and 15 cm above the table.
fn hand(azimuth: f32, away: f32, color: [f32; 3]) -> Vec<SceneEdit> {
    let lying = |radius, half_length, along: f32, across: f32| {
        let (sin, cos) = azimuth.sin_cos();
        let position = [along * cos - across * sin, along * sin + across * cos, 0.15];
        // z turned into the horizontal, then about the world's z.
        let (half, tilt) = (0.5 * azimuth, 0.5 * PI / 2.0);
        let rotation =
            [-half.sin() * tilt.sin(), half.cos() * tilt.sin(), half.sin() * tilt.cos(), half.cos() * tilt.cos()];
        SceneEdit::Object {
            geometry: Geometry::Capsule { radius, half_length },
            pose: Pose { position, rotation },
            color,
        }
    };
    let fingers = [-1.0_f32, 0.0, 1.0].map(|side| lying(0.008, 0.03, away + 0.035, 0.018 * side));
    fingers.into_iter().chain([lying(0.03, 0.02, away + 0.09, 0.0), lying(0.024, 0.1, away + 0.2, 0.0)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_at_no_strength_leaves_the_cameras_and_lights_as_they_were() {
        for family in SceneFamily::ALL {
            for edit in SceneDisturbance::draw(family, 0.0, 3).edits(5, 40) {
                match edit {
                    SceneEdit::LightDirection { elevation, .. } => assert_eq!(elevation, 0.0),
                    SceneEdit::LightIntensity(factors) => assert_eq!(factors, [1.0; 3]),
                    SceneEdit::Camera { translation, rotation, focal_scale } => {
                        assert_eq!((translation.map(f32::abs), rotation.map(f32::abs)), ([0.0; 3], [0.0; 3]));
                        assert_eq!(focal_scale, 1.0);
                    }
                    SceneEdit::Object { geometry: Geometry::Sphere { radius }, .. } => assert_eq!(radius, 0.0),
                    SceneEdit::Surface(_, Texture::Noise { colors, .. }) => assert_eq!(colors[0], colors[1]),
                    SceneEdit::Surface(..) | SceneEdit::Object { .. } => {}
                }
            }
        }
    }

    #[test]
    fn the_seed_decides_what_is_drawn_and_strength_how_much_of_it() {
        let of = |strength, seed| SceneDisturbance::draw(SceneFamily::CameraPose, strength, seed).edits(0, 40);
        assert_eq!(of(0.7, 1), of(0.7, 1));
        assert_ne!(of(0.7, 1), of(0.7, 2));
        let moved = |edits: &[SceneEdit]| match edits[0] {
            SceneEdit::Camera { translation, .. } => translation.map(f32::abs).iter().sum::<f32>(),
            _ => unreachable!("a camera's edit"),
        };
        assert!(moved(&of(0.3, 1)) < moved(&of(0.9, 1)));
    }

    #[test]
    fn the_hand_points_at_the_valve_and_comes_nearer_until_half_time() {
        let tip = |step| match SceneDisturbance::draw(SceneFamily::Hand, 1.0, 4).edits(step, 40).remove(1) {
            SceneEdit::Object { pose: Pose { position: [x, y, _], .. }, .. } => x.hypot(y),
            _ => unreachable!("a finger"),
        };
        assert!(tip(0) > 0.28 && tip(20) < 0.04 && tip(40) > 0.28, "{} {} {}", tip(0), tip(20), tip(40));
    }

    #[test]
    fn a_lying_capsules_axis_points_along_the_arm() {
        let [x, y, z, w] = match hand(std::f32::consts::FRAC_PI_4, 0.0, [0.0; 3]).remove(0) {
            SceneEdit::Object { pose, .. } => pose.rotation,
            _ => unreachable!("a finger"),
        };
        // The rotated z axis.
        let axis = [2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y)];
        let along = std::f32::consts::FRAC_1_SQRT_2;
        assert!((axis[0] - along).abs() < 1e-5 && (axis[1] - along).abs() < 1e-5 && axis[2].abs() < 1e-5, "{axis:?}");
    }
}
