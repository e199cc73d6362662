//! The pictures of the newest transitions, in memory: each frame once.

use crate::{
    slots::Slots,
    track::{Place, Track},
};
use std::ops::Range;
use turnkey_core::{PictureBatch, PictureShape, Transition};

/// Bytes that the frames' memory grows by, about.
const CHUNK_BYTES: usize = 16 << 20;

/// Places that memory grows by.
const CHUNK_PLACES: usize = 4096;

/// Frames for the pictures of `capacity` transitions in a row.
///
/// An episode of n steps has n + 1 frames, and the oldest transition's stack reaches back by up to the
/// stack. There is room for what episodes of 20 steps need, so memory has a bound that is known
/// beforehand; where episodes are shorter, the oldest transitions go sooner.
pub(crate) const fn frames_of(capacity: usize, shape: PictureShape) -> usize {
    capacity + capacity / 20 + shape.stack + 1
}

/// Frames in a ring of their own, and where in it the pictures of each slot's transition lie.
pub(crate) struct Stacks {
    shape: PictureShape,
    track: Track,
    places: Slots<Place>,
    frames: Slots<u8>,
}

impl Stacks {
    /// Room for the pictures of `capacity` transitions.
    pub(crate) fn new(capacity: usize, shape: PictureShape) -> Self {
        let bytes = shape.size.bytes();
        Self {
            shape,
            track: Track::new(shape),
            places: Slots::new(capacity, 1, CHUNK_PLACES),
            frames: Slots::new(frames_of(capacity, shape), bytes, (CHUNK_BYTES / bytes).max(1)),
        }
    }

    /// Keeps the frames that a transition adds, in place of the oldest ones when full.
    pub(crate) fn push(&mut self, slot: usize, transition: &Transition) {
        let (place, added) = self.track.follow(transition);
        for (number, frame) in added {
            self.put(number, frame.pixels());
        }
        self.places.get_mut(slot)[0] = place;
    }

    /// Puts back the place of the next transition, in `slot`, and says whether it can be.
    #[must_use]
    pub(crate) fn restore_place(&mut self, slot: usize, place: Place) -> bool {
        let can_be = self.track.resume(place);
        if can_be {
            self.places.get_mut(slot)[0] = place;
        }
        can_be
    }

    /// The frames from the first that the transition in `slot` needs.
    pub(crate) fn from(&self, slot: usize) -> Range<u64> {
        self.place(slot).oldest()..self.track.frames()
    }

    /// Puts a frame's pixels where they belong.
    pub(crate) fn put(&mut self, number: u64, pixels: &[u8]) {
        let slot = self.frames.slot(number);
        self.frames.get_mut(slot).copy_from_slice(pixels);
    }

    /// Puts back that the next observation of the transition in `slot` was seen last.
    pub(crate) fn restore_seen(&mut self, slot: usize) {
        let place = self.place(slot);
        let seen = (0..self.shape.stack).rev().flat_map(|back| self.frame(place.frame(back))).copied().collect();
        self.track.resume_seen(seen);
    }

    /// Which frames the next transition adds.
    pub(crate) fn track(&self) -> &Track {
        &self.track
    }

    /// Whether no frame of the transition in `slot` was overwritten.
    pub(crate) fn hold(&self, slot: usize) -> bool {
        self.track.frames() - self.place(slot).oldest() <= self.frames.capacity() as u64
    }

    /// Copies the pictures of the transition in `slot` into row `row` of a batch.
    pub(crate) fn copy(&self, slot: usize, row: usize, batch: &mut PictureBatch) {
        let (place, bytes) = (self.place(slot), self.shape.bytes());
        let row = row * bytes..(row + 1) * bytes;
        self.copy_stack(place, 1, &mut batch.observations[row.clone()]);
        self.copy_stack(place, 0, &mut batch.next_observations[row]);
    }

    /// Copies the stack whose newest frame is `back` before the place's newest.
    fn copy_stack(&self, place: Place, back: usize, into: &mut [u8]) {
        match self.shape.stack {
            1 => into.copy_from_slice(self.frame(place.frame(back))),
            2 => self.copy_frames::<2>(place, back, into),
            3 => self.copy_frames::<3>(place, back, into),
            4 => self.copy_frames::<4>(place, back, into),
            stack => (0..stack).for_each(|picture| {
                let frame = self.frame(place.frame(back + stack - 1 - picture)).as_chunks::<3>().0;
                let into = into.as_chunks_mut::<3>().0.iter_mut().skip(picture).step_by(stack);
                into.zip(frame).for_each(|(into, rgb)| *into = *rgb);
            }),
        }
    }

    /// The same for a stack that the compiler knows: 256 rows of three pictures of 64x64 take 3.3 ms on a core
    /// where they take 5.0 otherwise.
    fn copy_frames<const STACK: usize>(&self, place: Place, back: usize, into: &mut [u8]) {
        let frames: [_; STACK] = std::array::from_fn(|picture| self.frame(place.frame(back + STACK - 1 - picture)));
        // Four bytes in one go where three are wanted: the fourth is written over by what follows.
        let last = frames[0].len() - 3;
        for at in (0..last).step_by(3) {
            let into = &mut into[STACK * at..][..3 * STACK + 1];
            for (picture, frame) in frames.iter().enumerate() {
                into[3 * picture..][..4].copy_from_slice(&frame[at..at + 4]);
            }
        }
        for (picture, frame) in frames.iter().enumerate() {
            into[STACK * last + 3 * picture..][..3].copy_from_slice(&frame[last..]);
        }
    }

    fn place(&self, slot: usize) -> Place {
        self.places.get(slot)[0]
    }

    fn frame(&self, number: u64) -> &[u8] {
        self.frames.get(self.frames.slot(number))
    }

    /// Bytes taken now.
    pub(crate) fn bytes(&self) -> usize {
        self.places.bytes() + self.frames.bytes()
    }

    /// Bytes taken when full.
    pub(crate) const fn full_bytes(capacity: usize, shape: PictureShape) -> usize {
        capacity * size_of::<Place>() + frames_of(capacity, shape) * shape.size.bytes()
    }
}
