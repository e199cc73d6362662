//! Which frames a transition adds to those before it, and which it is made of.

use crate::ReplayError;
use turnkey_core::{Frame, Observation, PictureShape, Transition};

/// Where a transition's pictures lie among the frames of the run, each of which has a number and is
/// there once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The newest frame of its next observation. The newest of its observation is the one before.
    pub(crate) newest: u64,
    /// How many frames further back its stacks reach: the stack, or as many as the episode has by then.
    pub(crate) reach: u32,
}

impl Place {
    /// The oldest frame that the transition needs.
    pub(crate) fn oldest(self) -> u64 {
        self.newest - u64::from(self.reach)
    }

    /// The frame `back` before the newest, or the episode's first where it has none so old.
    pub(crate) fn frame(self, back: usize) -> u64 {
        self.newest - (back as u64).min(self.reach.into())
    }

    /// Whether a transition can be in this place after others with `frames` frames.
    fn can_follow(self, frames: u64, stack: usize) -> bool {
        (frames..u64::MAX).contains(&self.newest) && (1..=self.newest.min(stack as u64)).contains(&self.reach.into())
    }
}

/// Numbers the frames of a run as its transitions come.
///
/// A transition whose observation is to the pixel what was seen last goes on where the last one left
/// off, unless that one ended its episode: only its next observation's newest frame is new. Any other
/// begins anew, with the frames of its observation's stack. An episode's first observation is copies
/// of one frame, which is numbered once. Comparing pixels, not stamps, makes every stack come out as it
/// was, whatever came before it, and leaves no stamp to be kept.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    shape: PictureShape,
    /// Frames numbered so far.
    frames: u64,
    /// The reach of the last place.
    reach: u32,
    /// The pixels of what was seen last, picture after picture; none where an episode ended.
    seen: Vec<u8>,
}

impl Track {
    /// The track of a run that begins.
    pub(crate) fn new(shape: PictureShape) -> Self {
        Self { shape, frames: 0, reach: 0, seen: Vec::new() }
    }

    /// Frames numbered so far.
    pub(crate) fn frames(&self) -> u64 {
        self.frames
    }

    /// Takes up the track after a transition in `place`, if it can be there.
    #[must_use]
    pub(crate) fn resume(&mut self, place: Place) -> bool {
        let can_be = place.can_follow(self.frames, self.shape.stack);
        if can_be {
            (self.frames, self.reach) = (place.newest + 1, place.reach);
        }
        can_be
    }

    /// Takes up the track where `seen` was seen last, picture after picture, and no episode ended.
    pub(crate) fn resume_seen(&mut self, seen: Vec<u8>) {
        self.seen = seen;
    }

    /// Numbers the frames of the next transition, which has passed [`check`]: its place, and the frames that
    /// are new, oldest first.
    pub(crate) fn follow<'a>(
        &mut self,
        transition: &'a Transition,
    ) -> (Place, impl Iterator<Item = (u64, &'a Frame)> + use<'a>) {
        let (observation, next) = (&transition.observation.pictures, &transition.next.pictures);
        let goes_on = pixels(&self.seen, self.shape).eq(observation.iter().map(Frame::pixels));
        let begun = if goes_on { &[] } else { without_copies(observation) };
        let newest = &next[next.len() - 1..];
        let first = self.frames;
        self.frames += begun.len() as u64 + 1;
        let reach = if goes_on { self.reach as usize + 1 } else { begun.len() };
        self.reach = reach.min(self.shape.stack) as u32;
        self.seen.clear();
        if transition.end.is_none() {
            next.iter().for_each(|frame| self.seen.extend_from_slice(frame.pixels()));
        }
        let place = Place { newest: self.frames - 1, reach: self.reach };
        (place, (first..).zip(begun.iter().chain(newest)))
    }
}

/// The pictures that lie after each other in `seen`.
fn pixels(seen: &[u8], shape: PictureShape) -> impl Iterator<Item = &[u8]> {
    seen.chunks_exact(shape.size.bytes())
}

/// A stack without what is the same at its old end more than once.
fn without_copies(stack: &[Frame]) -> &[Frame] {
    let copies = stack.iter().take_while(|frame| frame.pixels() == stack[0].pixels()).count();
    &stack[copies - 1..]
}

/// Refuses a transition whose pictures are not of this shape, or whose next ones are not the
/// observation's with one more.
pub(crate) fn check(transition: &Transition, shape: Option<PictureShape>) -> Result<(), ReplayError> {
    let Transition { observation, next, .. } = transition;
    for (what, Observation { pictures, .. }) in [("observation", observation), ("next observation", next)] {
        let (stack, size) = shape.map_or((0, None), |shape| (shape.stack, Some(shape.size)));
        let other = pictures.iter().find(|frame| Some(frame.size()) != size);
        if other.is_some() || pictures.len() != stack {
            let found = other.or(pictures.first()).map(Frame::size);
            return Err(ReplayError::Pictures {
                what,
                expected: said(stack, size),
                found: said(pictures.len(), found),
            });
        }
    }
    let (stayed, older) = (observation.pictures.iter().skip(1), next.pictures.iter());
    match stayed.zip(older).position(|(stayed, older)| stayed.pixels() != older.pixels()) {
        Some(index) => Err(ReplayError::Stack { index }),
        None => Ok(()),
    }
}

fn said(count: usize, size: Option<turnkey_core::FrameSize>) -> String {
    size.map_or_else(|| format!("{count} pictures"), |size| format!("{count} pictures of {size}"))
}
