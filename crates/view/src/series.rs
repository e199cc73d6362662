//! Curves: many numbers in one entity, which costs a twentieth of an entity each.

use crate::paths;
use rerun::{Color, RecordingStream, RecordingStreamResult, Scalars, SeriesLines};
use std::collections::HashMap;

/// How the lines of an entity look, in the order of its numbers; over again where there are more.
pub(crate) struct Look {
    colors: &'static [u32],
    widths: &'static [f32],
}

// Okabe and Ito's colours, brightened where the viewer's dark ground needs it; the last byte is opacity.
const BLUE: u32 = 0x56B4_E9FF;
const ORANGE: u32 = 0xE69F_00FF;
const GREEN: u32 = 0x2FC4_94FF;
const RED: u32 = 0xF0_6A3CFF;
const PINK: u32 = 0xE08F_BDFF;
const YELLOW: u32 = 0xF0E4_42FF;
const WHITE: u32 = 0xF0F0_F0FF;
const GREY: u32 = 0x9A9A_9AFF;

pub(crate) const PLAIN: Look = Look { colors: &[BLUE, ORANGE, GREEN, PINK, YELLOW, RED], widths: &[1.5] };
pub(crate) const VALVE: Look = Look { colors: &[GREEN, ORANGE, GREY], widths: &[1.5, 2.0, 1.0] };
pub(crate) const REWARD: Look =
    Look { colors: &[WHITE, BLUE, ORANGE, GREEN, PINK, YELLOW], widths: &[2.0, 1.2, 1.2, 1.2, 1.2, 1.2] };
/// A joint and its goal in one colour, the goal fainter.
pub(crate) const FINGER: Look = Look {
    colors: &[BLUE, ORANGE, GREEN, BLUE & !0x7F, ORANGE & !0x7F, GREEN & !0x7F],
    widths: &[2.0, 2.0, 2.0, 1.0, 1.0, 1.0],
};
/// Joints keep their colour; fingers differ in width and brightness.
pub(crate) const ACTION: Look = Look {
    colors: &[
        BLUE,
        ORANGE,
        GREEN,
        BLUE & !0x50,
        ORANGE & !0x50,
        GREEN & !0x50,
        BLUE & !0x90,
        ORANGE & !0x90,
        GREEN & !0x90,
    ],
    widths: &[2.0, 2.0, 2.0, 1.5, 1.5, 1.5, 1.0, 1.0, 1.0],
};
pub(crate) const ACTION_NAMES: [&str; 9] =
    ["0 base", "0 middle", "0 top", "1 base", "1 middle", "1 top", "2 base", "2 middle", "2 top"];

/// The entity that shows a learner's figure of this name.
pub(crate) fn learning_path(name: &str) -> &'static str {
    let has = |part: &str| name.split('_').any(|word| word == part);
    if has("loss") {
        paths::LOSSES
    } else if has("entropy") {
        paths::ENTROPY
    } else if has("temperature") || has("alpha") {
        paths::TEMPERATURE
    } else if name.split('_').any(|word| matches!(word, "q" | "q1" | "q2")) {
        paths::Q
    } else {
        paths::OTHER
    }
}

/// Those that have a value.
pub(crate) fn known(values: &[(&'static str, Option<f64>)]) -> Vec<(&'static str, f64)> {
    values.iter().filter_map(|(name, value)| value.map(|value| (*name, value))).collect()
}

/// Knows which names each entity's lines have, and says so when they change.
#[derive(Default)]
pub(crate) struct Series(HashMap<&'static str, Vec<&'static str>>);

impl Series {
    /// Logs `values` as the lines of `path`; nothing where there are none.
    pub(crate) fn log(
        &mut self,
        stream: &RecordingStream,
        path: &'static str,
        values: &[(&'static str, f64)],
        look: &Look,
    ) -> RecordingStreamResult<()> {
        if values.is_empty() {
            return Ok(());
        }
        let names = self.0.entry(path).or_default();
        if !names.iter().copied().eq(values.iter().map(|(name, _)| *name)) {
            *names = values.iter().map(|(name, _)| *name).collect();
            let count = names.len();
            let colors = look.colors.iter().cycle().take(count).map(|color| Color::from_u32(*color));
            let widths = look.widths.iter().cycle().take(count).copied();
            let lines = SeriesLines::new().with_names(names.iter().copied()).with_colors(colors).with_widths(widths);
            stream.log_static(path, &lines)?;
        }
        stream.log(path, &Scalars::new(values.iter().map(|(_, value)| *value)))
    }

    /// Ends the lines of `path` here: what comes next is not joined to what was before.
    pub(crate) fn interrupt(&self, stream: &RecordingStream, path: &'static str) -> RecordingStreamResult<()> {
        let Some(names) = self.0.get(path) else { return Ok(()) };
        stream.log(path, &Scalars::new(names.iter().map(|_| f64::NAN)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learners_figures_are_shown_by_what_their_names_say() {
        let shown = [
            ("critic_loss", paths::LOSSES),
            ("temperature_loss", paths::LOSSES),
            ("q", paths::Q),
            ("target_q", paths::Q),
            ("entropy", paths::ENTROPY),
            ("temperature", paths::TEMPERATURE),
            ("gradient_norm", paths::OTHER),
        ];
        for (name, path) in shown {
            assert_eq!(learning_path(name), path, "{name}");
        }
    }
}
