//! One transition as a row of numbers.

use crate::{ReplayError, track};
use std::ops::Range;
use turnkey_core::{End, PictureShape, Transition};

/// The sizes of what is replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Numbers of an observation.
    pub observation: usize,
    /// Numbers of an action.
    pub action: usize,
    /// An observation's pictures, where it has any. They are kept beside the row, each frame once.
    pub pictures: Option<PictureShape>,
}

impl Widths {
    /// Numbers of a row: observation, action, reward, continue, next observation.
    #[must_use]
    pub const fn row(self) -> usize {
        2 * self.observation + self.action + 2
    }

    pub(crate) const fn observation(self) -> Range<usize> {
        0..self.observation
    }

    pub(crate) const fn action(self) -> Range<usize> {
        self.observation..self.observation + self.action
    }

    pub(crate) const fn reward(self) -> usize {
        self.observation + self.action
    }

    pub(crate) const fn continues(self) -> usize {
        self.reward() + 1
    }

    pub(crate) const fn next(self) -> Range<usize> {
        self.continues() + 1..self.row()
    }

    /// Refuses pictures without a pixel.
    pub(crate) fn validate(self) -> Result<(), ReplayError> {
        match self.pictures {
            Some(shape) if shape.bytes() == 0 => Err(ReplayError::NoPixels { shape }),
            _ => Ok(()),
        }
    }

    /// Refuses a transition of other sizes, with a number that is not finite, or with other pictures.
    pub(crate) fn check(self, transition: &Transition) -> Result<(), ReplayError> {
        let Transition { observation, action, reward, next, .. } = transition;
        for (what, numbers, expected) in [
            ("observation", observation.numbers.as_slice(), self.observation),
            ("action", action.0.as_slice(), self.action),
            ("reward", std::slice::from_ref(reward), 1),
            ("next observation", next.numbers.as_slice(), self.observation),
        ] {
            if numbers.len() != expected {
                return Err(ReplayError::Width { what, expected, found: numbers.len() });
            }
            if let Some(index) = numbers.iter().position(|x| !x.is_finite()) {
                return Err(ReplayError::NotFinite { what, index, found: numbers[index] });
            }
        }
        track::check(transition, self.pictures)
    }

    /// Writes a transition that passed [`Widths::check`] into a row.
    pub(crate) fn write(self, transition: &Transition, row: &mut [f32]) {
        row[self.observation()].copy_from_slice(&transition.observation.numbers);
        row[self.action()].copy_from_slice(&transition.action.0);
        row[self.reward()] = transition.reward;
        row[self.continues()] = if transition.end == Some(End::Terminated) { 0.0 } else { 1.0 };
        row[self.next()].copy_from_slice(&transition.next.numbers);
    }
}
