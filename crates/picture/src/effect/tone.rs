//! Perturbations that change every level on its own: exposure, white balance, gamma and contrast.

use crate::FramePerturbation as P;
use serde::{Deserialize, Serialize};

type Table = [[u8; 256]; 3];

/// Levels in, levels out, for red, green and blue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Levels {
    perturbation: P,
    /// Made when first needed; not part of the state.
    #[serde(skip)]
    table: Option<Box<Table>>,
}

impl Levels {
    pub(super) fn new(perturbation: P) -> Self {
        Self { perturbation, table: None }
    }

    pub(super) fn apply(&mut self, pixels: &mut [u8]) {
        let table = self.table.get_or_insert_with(|| Box::new(table(self.perturbation)));
        for pixel in pixels.chunks_exact_mut(3) {
            for (level, table) in pixel.iter_mut().zip(table.iter()) {
                *level = table[usize::from(*level)];
            }
        }
    }
}

fn table(perturbation: P) -> Table {
    let curve = |channel: usize, level: f64| match perturbation {
        P::Exposure { stops } => encoded(light(level) * f64::from(stops).exp2()),
        P::WhiteBalance { red, blue } => encoded(light(level) * f64::from([red, 1.0, blue][channel])),
        P::Tone { gamma, contrast } => 0.5 + f64::from(contrast) * (level.powf(f64::from(gamma)) - 0.5),
        _ => level,
    };
    std::array::from_fn(|channel| {
        std::array::from_fn(|level| (255.0 * curve(channel, level as f64 / 255.0)).round().clamp(0.0, 255.0) as u8)
    })
}

/// The light, 0 to 1, that a level from 0 to 1 stands for (IEC 61966-2-1, sRGB): gains are gains of light.
fn light(level: f64) -> f64 {
    match level <= 0.04045 {
        true => level / 12.92,
        false => ((level + 0.055) / 1.055).powf(2.4),
    }
}

/// The level, 0 to 1, of so much light.
fn encoded(light: f64) -> f64 {
    match light.min(1.0) {
        light if light <= 0.003_130_8 => 12.92 * light,
        light => 1.055 * light.powf(1.0 / 2.4) - 0.055,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_strength_changes_no_level() {
        for nothing in
            [P::Exposure { stops: 0.0 }, P::WhiteBalance { red: 1.0, blue: 1.0 }, P::Tone { gamma: 1.0, contrast: 1.0 }]
        {
            let same: [u8; 256] = std::array::from_fn(|level| level as u8);
            assert_eq!(table(nothing), [same; 3], "{nothing:?}");
        }
    }

    #[test]
    fn a_stop_is_twice_the_light() {
        // Of sRGB, half the light of white is level 188, and a quarter 137.
        let [red, green, _] = table(P::Exposure { stops: 1.0 });
        assert_eq!((red[137], green[188], green[200]), (188, 255, 255));
        assert_eq!(table(P::Exposure { stops: -2.0 })[0][255], 137);
    }

    #[test]
    fn white_balance_leaves_green_alone() {
        let [red, green, blue] = table(P::WhiteBalance { red: 2.0, blue: 0.5 });
        assert_eq!((red[137], green[137], blue[255]), (188, 137, 188));
    }
}
