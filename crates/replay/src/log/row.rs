//! A row of the log as bytes, and back.

use crate::{Widths, track::Place};
use turnkey_core::{End, Transition};

/// Writes transitions as the rows' records, into a buffer that is used again and again.
#[derive(Debug)]
pub(super) struct RowBytes {
    widths: Widths,
    numbers: Vec<f32>,
    bytes: Vec<u8>,
}

impl RowBytes {
    pub(super) fn new(widths: Widths) -> Self {
        Self { widths, numbers: vec![0.0; widths.row()], bytes: Vec::new() }
    }

    /// The record of a transition that has passed the check of its widths.
    pub(super) fn of(&mut self, transition: &Transition, place: Option<Place>) -> &[u8] {
        self.widths.write(transition, &mut self.numbers);
        self.bytes.clear();
        self.bytes.extend(self.numbers.iter().flat_map(|x| x.to_le_bytes()));
        self.bytes.extend(end_code(transition.end).to_le_bytes());
        if let Some(Place { newest, reach }) = place {
            self.bytes.extend(newest.to_le_bytes());
            self.bytes.extend(reach.to_le_bytes());
        }
        &self.bytes
    }
}

/// What a row's record says.
pub(super) struct Row<'a> {
    numbers: &'a [[u8; 4]],
    /// Whether the episode ended with it.
    pub(super) ended: bool,
    /// Where its pictures are, if it has any.
    pub(super) place: Option<Place>,
}

impl<'a> Row<'a> {
    /// Reads a record of these widths.
    pub(super) fn read(widths: Widths, body: &'a [u8]) -> Self {
        let (numbers, rest) = body.as_chunks::<4>().0.split_at(widths.row());
        let ended = rest.first().is_some_and(|end| *end != end_code(None).to_le_bytes());
        let place = match rest {
            [_, low, high, reach] => {
                let [low, high, reach] = [low, high, reach].map(|bytes| u32::from_le_bytes(*bytes));
                Some(Place { newest: u64::from(high) << 32 | u64::from(low), reach })
            }
            _ => None,
        };
        Self { numbers, ended, place }
    }

    /// Its numbers, in the order of [`Widths::row`].
    pub(super) fn numbers(&self) -> impl Iterator<Item = f32> {
        self.numbers.iter().map(|bytes| f32::from_le_bytes(*bytes))
    }
}

/// How an end is written.
fn end_code(end: Option<End>) -> u32 {
    match end {
        None => 0,
        Some(End::Terminated) => 1,
        Some(End::Truncated) => 2,
    }
}
