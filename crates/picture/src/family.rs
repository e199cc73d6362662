//! Perturbations by name, each from mild to severe.

use crate::FramePerturbation::{self, *};

/// One kind of perturbation at strengths that go from hardly seen to severe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Family {
    /// What it is called.
    pub name: &'static str,
    /// Mild first: three or more.
    pub strengths: &'static [FramePerturbation],
}

const fn hand(reach: f32) -> FramePerturbation {
    Hand { size: 0.25, reach, period_secs: 4.0 }
}

impl FramePerturbation {
    /// Every family.
    pub const ALL: &'static [Family] = &[
        Family {
            name: "brighter",
            strengths: &[Exposure { stops: 0.5 }, Exposure { stops: 1.0 }, Exposure { stops: 2.0 }],
        },
        Family {
            name: "darker",
            strengths: &[Exposure { stops: -1.0 }, Exposure { stops: -2.0 }, Exposure { stops: -3.0 }],
        },
        Family {
            name: "warm",
            strengths: &[
                WhiteBalance { red: 1.2, blue: 0.8 },
                WhiteBalance { red: 1.5, blue: 0.6 },
                WhiteBalance { red: 2.0, blue: 0.4 },
            ],
        },
        Family {
            name: "cool",
            strengths: &[
                WhiteBalance { red: 0.8, blue: 1.2 },
                WhiteBalance { red: 0.6, blue: 1.5 },
                WhiteBalance { red: 0.4, blue: 2.0 },
            ],
        },
        Family {
            name: "gamma",
            strengths: &[
                Tone { gamma: 1.3, contrast: 1.0 },
                Tone { gamma: 1.7, contrast: 1.0 },
                Tone { gamma: 2.2, contrast: 1.0 },
            ],
        },
        Family {
            name: "flat",
            strengths: &[
                Tone { gamma: 1.0, contrast: 0.8 },
                Tone { gamma: 1.0, contrast: 0.6 },
                Tone { gamma: 1.0, contrast: 0.35 },
            ],
        },
        Family { name: "blur", strengths: &[Blur { sigma: 0.015 }, Blur { sigma: 0.03 }, Blur { sigma: 0.05 }] },
        Family {
            name: "noise",
            strengths: &[
                Noise { shot: 6.0, read: 3.0 },
                Noise { shot: 12.0, read: 6.0 },
                Noise { shot: 24.0, read: 12.0 },
            ],
        },
        Family { name: "jpeg", strengths: &[Jpeg { quality: 50 }, Jpeg { quality: 20 }, Jpeg { quality: 8 }] },
        Family {
            name: "occlusion",
            strengths: &[
                Occlusion { fraction: 0.03, speed: 0.0 },
                Occlusion { fraction: 0.08, speed: 0.0 },
                Occlusion { fraction: 0.16, speed: 0.0 },
            ],
        },
        Family {
            name: "moving_occlusion",
            strengths: &[
                Occlusion { fraction: 0.03, speed: 0.5 },
                Occlusion { fraction: 0.08, speed: 0.5 },
                Occlusion { fraction: 0.16, speed: 0.5 },
            ],
        },
        Family { name: "hand", strengths: &[hand(0.3), hand(0.5), hand(0.75)] },
        Family {
            name: "dropped",
            strengths: &[Dropped { probability: 0.1 }, Dropped { probability: 0.3 }, Dropped { probability: 0.5 }],
        },
        Family { name: "late", strengths: &[Late { frames: 1 }, Late { frames: 2 }, Late { frames: 4 }] },
        Family {
            name: "bump",
            strengths: &[
                Bump { rotation: 0.035, translation: 0.02, zoom: 0.02 },
                Bump { rotation: 0.087, translation: 0.05, zoom: 0.05 },
                Bump { rotation: 0.175, translation: 0.1, zoom: 0.1 },
            ],
        },
    ];

    /// The family of this name.
    #[must_use]
    pub fn family(name: &str) -> Option<&'static Family> {
        Self::ALL.iter().find(|family| family.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_a_name_of_its_own_and_three_strengths_that_are_allowed() {
        for family in FramePerturbation::ALL {
            assert_eq!(FramePerturbation::family(family.name), Some(family));
            assert!(family.strengths.len() >= 3, "{}", family.name);
            family.strengths.iter().try_for_each(FramePerturbation::check).unwrap();
        }
        assert_eq!(FramePerturbation::family("fog"), None);
    }
}
