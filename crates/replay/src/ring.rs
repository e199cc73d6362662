//! The newest transitions, in memory.

use crate::{
    ReplayError, Widths,
    discarded::Discarded,
    slots::Slots,
    stacks::Stacks,
    track::{Place, Track},
};
use std::ops::Range;
use turnkey_core::{Batch, PictureBatch, PictureShape, Rng, Transition};

/// Rows that memory grows by.
const CHUNK_ROWS: usize = 4096;

/// The newest transitions up to a capacity, each an exact row of its own.
///
/// Memory grows as it fills, up to [`Replay::full_bytes`] and no further: a million rows of 31 observed
/// numbers and 9 of action take 292 MB. Where transitions have pictures, each frame is kept once, in a
/// ring of its own with a twentieth more room than there are rows. An episode of n steps has n + 1 frames, so
/// where episodes are shorter than 20 steps the oldest transitions go before the capacity is reached.
pub struct Replay {
    widths: Widths,
    pushed: u64,
    /// The oldest transition that can be sampled, counted from the start of the run.
    oldest: u64,
    /// Those of the rows kept that are not sampled.
    discarded: Discarded,
    rows: Slots<f32>,
    stacks: Option<Stacks>,
}

impl Replay {
    /// An empty replay with room for `capacity` transitions.
    ///
    /// # Errors
    /// When the capacity is 0, or pictures have no pixel.
    pub fn new(capacity: usize, widths: Widths) -> Result<Self, ReplayError> {
        Self::after(0, capacity, widths)
    }

    /// An empty replay whose next transition is number `pushed` of the run.
    pub(crate) fn after(pushed: u64, capacity: usize, widths: Widths) -> Result<Self, ReplayError> {
        if capacity == 0 {
            return Err(ReplayError::NoCapacity);
        }
        widths.validate()?;
        let rows = Slots::new(capacity, widths.row(), CHUNK_ROWS);
        let stacks = widths.pictures.map(|shape| Stacks::new(capacity, shape));
        Ok(Self { widths, pushed, oldest: pushed, discarded: Discarded::default(), rows, stacks })
    }

    /// Keeps a transition, in place of the oldest one when full.
    ///
    /// # Errors
    /// When a part has the wrong size, a number that is not finite, or other pictures than the replay's;
    /// nothing is then kept.
    pub fn push(&mut self, transition: &Transition) -> Result<(), ReplayError> {
        self.widths.check(transition)?;
        let slot = self.rows.slot(self.pushed);
        self.widths.write(transition, self.rows.get_mut(slot));
        if let Some(stacks) = &mut self.stacks {
            stacks.push(slot, transition);
        }
        self.count_one();
        Ok(())
    }

    /// Counts the transition that was just written, and lets go of those it was written over.
    fn count_one(&mut self) {
        self.pushed += 1;
        self.oldest = self.oldest.max(self.pushed.saturating_sub(self.capacity() as u64));
        if let Some(stacks) = &self.stacks {
            while !stacks.hold(self.rows.slot(self.oldest)) {
                self.oldest += 1;
            }
        }
        if !self.discarded.is_empty() {
            self.discarded.keep(self.oldest..self.pushed);
        }
    }

    /// Takes these transitions, counted from the start of the run, out of what is sampled. They keep their places until they are
    /// written over.
    pub fn discard(&mut self, rows: Range<u64>) {
        self.discarded.add(rows);
        self.discarded.keep(self.oldest..self.pushed);
    }

    /// Puts the next transition back from what a log kept: the numbers of its row and, where it has pictures,
    /// their place. Says whether that can be its place; nothing is put back where not.
    #[must_use]
    pub(crate) fn restore_row(&mut self, numbers: impl Iterator<Item = f32>, place: Option<Place>) -> bool {
        let slot = self.rows.slot(self.pushed);
        if let (Some(stacks), Some(place)) = (&mut self.stacks, place)
            && !stacks.restore_place(slot, place)
        {
            return false;
        }
        self.rows.get_mut(slot).iter_mut().zip(numbers).for_each(|(into, number)| *into = number);
        self.count_one();
        true
    }

    /// The frames that the rows put back need.
    pub(crate) fn frames(&self) -> Range<u64> {
        match &self.stacks {
            Some(stacks) if !self.is_empty() => stacks.from(self.rows.slot(self.oldest)),
            _ => 0..0,
        }
    }

    /// Puts back one of [`Replay::frames`].
    pub(crate) fn restore_frame(&mut self, number: u64, pixels: &[u8]) {
        self.stacks.iter_mut().for_each(|stacks| stacks.put(number, pixels));
    }

    /// Puts back what was seen last, now that its frames are there, so that the next transition can go on from
    /// it; unless the newest one `ended` its episode.
    pub(crate) fn restore_seen(&mut self, ended: bool) {
        if let Some(stacks) = &mut self.stacks
            && let Some(newest) = self.pushed.checked_sub(1)
            && !ended
        {
            stacks.restore_seen(self.rows.slot(newest));
        }
    }

    /// Which frames the next transition adds, where there are pictures.
    pub(crate) fn track(&self) -> Option<&Track> {
        self.stacks.as_ref().map(Stacks::track)
    }

    /// Fills `batch` with rows drawn uniformly, with replacement, of those that are not discarded. Allocates nothing.
    ///
    /// # Errors
    /// When there is nothing to sample, or the batch has other widths or pictures than the replay.
    pub fn sample(&self, batch: &mut Batch, rng: &mut Rng) -> Result<(), ReplayError> {
        if !self.can_be_sampled() {
            return Err(ReplayError::Empty);
        }
        let Widths { observation, action, .. } = self.widths;
        check_batch(batch, self.widths)?;
        for i in 0..batch.size {
            let slot = self.draw(rng);
            let row = self.rows.get(slot);
            let seen = i * observation..(i + 1) * observation;
            batch.observations[seen.clone()].copy_from_slice(&row[self.widths.observation()]);
            batch.next_observations[seen].copy_from_slice(&row[self.widths.next()]);
            batch.actions[i * action..(i + 1) * action].copy_from_slice(&row[self.widths.action()]);
            batch.rewards[i] = row[self.widths.reward()];
            batch.continues[i] = row[self.widths.continues()];
            if let (Some(stacks), Some(pictures)) = (&self.stacks, &mut batch.pictures) {
                stacks.copy(slot, i, pictures);
            }
        }
        Ok(())
    }

    /// The slot of a transition that is not discarded, of which there must be one.
    fn draw(&self, rng: &mut Rng) -> usize {
        loop {
            let slot = self.kept_slot(rng.below(self.len()));
            if self.discarded.is_empty() || !self.discarded.contains(self.number(slot)) {
                return slot;
            }
        }
    }

    /// Which transition of the run lies in a slot of those kept.
    fn number(&self, slot: usize) -> u64 {
        let oldest = self.rows.slot(self.oldest);
        let further = if slot >= oldest { slot - oldest } else { slot + self.capacity() - oldest };
        self.oldest + further as u64
    }

    /// The slot that is number `kept`, from slot 0 on, of those with a transition that can be sampled.
    fn kept_slot(&self, kept: usize) -> usize {
        let (oldest, end) = (self.rows.slot(self.oldest), self.rows.slot(self.oldest) + self.len());
        // Those kept lie from the oldest on, and where they go round from slot 0 on as well.
        match end.saturating_sub(self.capacity()) {
            0 => oldest + kept,
            newest if kept < newest => kept,
            newest => oldest + kept - newest,
        }
    }

    /// Whether there is a transition that is not discarded.
    #[must_use]
    pub fn can_be_sampled(&self) -> bool {
        self.discarded.within(&(self.oldest..self.pushed)) < self.len() as u64
    }

    /// Transitions that are kept now, those discarded included.
    #[must_use]
    pub fn len(&self) -> usize {
        (self.pushed - self.oldest) as usize
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Transitions ever pushed in the run, those overwritten since included.
    #[must_use]
    pub fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Transitions there is room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.rows.capacity()
    }

    /// The sizes of what is replayed.
    #[must_use]
    pub fn widths(&self) -> Widths {
        self.widths
    }

    /// Bytes that rows and frames take now, room reserved for more included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.rows.bytes() + self.stacks.as_ref().map_or(0, Stacks::bytes)
    }

    /// Bytes that the rows and frames of a full replay take.
    #[must_use]
    pub const fn full_bytes(capacity: usize, widths: Widths) -> usize {
        let rows = capacity * widths.row() * size_of::<f32>();
        match widths.pictures {
            Some(shape) => rows + Stacks::full_bytes(capacity, shape),
            None => rows,
        }
    }
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { widths, pushed, .. } = self;
        write!(f, "Replay {{ {} of {} rows of {widths:?}, {pushed} pushed }}", self.len(), self.capacity())
    }
}

fn check_batch(batch: &Batch, widths: Widths) -> Result<(), ReplayError> {
    let shape = |shape: PictureShape| [shape.size.width, shape.size.height, shape.stack];
    let expected = widths.pictures.map_or([0; 3], shape);
    let pictures = batch.pictures.as_ref();
    let found = pictures.map_or([0; 3], |pictures| shape(pictures.shape));
    let bytes = |of: fn(&PictureBatch) -> &Vec<u8>| pictures.map_or(0, |pictures| of(pictures).len());
    let row = widths.pictures.map_or(0, PictureShape::bytes);
    let size = batch.size;
    for (what, found, expected) in [
        ("observations", batch.observations.len(), size * widths.observation),
        ("actions", batch.actions.len(), size * widths.action),
        ("rewards", batch.rewards.len(), size),
        ("next_observations", batch.next_observations.len(), size * widths.observation),
        ("continues", batch.continues.len(), size),
        ("pictures.shape.size.width", found[0], expected[0]),
        ("pictures.shape.size.height", found[1], expected[1]),
        ("pictures.shape.stack", found[2], expected[2]),
        ("pictures.observations", bytes(|pictures| &pictures.observations), size * row),
        ("pictures.next_observations", bytes(|pictures| &pictures.next_observations), size * row),
    ] {
        if found != expected {
            return Err(ReplayError::Batch { what, expected, found });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use turnkey_core::{Action, End, FrameSize, Observation};

    const WIDTHS: Widths = Widths { observation: 2, action: 1, pictures: None };
    const PICTURES: PictureShape = PictureShape { size: FrameSize { width: 64, height: 64 }, stack: 3 };

    fn transition(number: f32, end: Option<End>) -> Transition {
        Transition {
            observation: Observation::from(vec![number, -number]),
            action: Action(vec![0.5]),
            reward: number,
            next: Observation::from(vec![number + 1.0, 0.0]),
            end,
        }
    }

    #[test]
    fn a_million_transitions_of_the_widest_valve_task_fit_300_megabytes() {
        let bytes = Replay::full_bytes(1_000_000, Widths { observation: 31, action: 9, pictures: None });
        assert_eq!(bytes, 292_000_000);
    }

    #[test]
    fn three_hundred_thousand_frames_of_64_by_64_fit_4_gigabytes() {
        const {
            let widths = Widths { observation: 31, action: 9, pictures: Some(PICTURES) };
            let bytes = Replay::full_bytes(300_000, widths);
            assert!(300_000 * PICTURES.size.bytes() < bytes && bytes < 4_000_000_000);
        }
    }

    #[test]
    fn each_frame_takes_memory_once_whatever_the_stack() {
        let widths = Widths { pictures: Some(PICTURES), ..WIDTHS };
        let mut replay = Replay::new(300_000, widths).unwrap();
        let frame = |number: u64| {
            let pixels: Vec<u8> = (0..PICTURES.size.bytes() as u64).map(|at| (number * at) as u8).collect();
            turnkey_core::Frame::new(turnkey_core::Stamp::default(), PICTURES.size, pixels).unwrap()
        };
        let mut seen = vec![frame(0); PICTURES.stack];
        for number in 1..=2000 {
            let mut row = transition(1.0, None);
            row.observation.pictures = seen.clone();
            seen.remove(0);
            seen.push(frame(number));
            row.next.pictures = seen.clone();
            replay.push(&row).unwrap();
        }
        // 2001 frames and the rows, and what a chunk of each reserves.
        let (frames, reserved) = (2001 * PICTURES.size.bytes(), (16 << 20) + CHUNK_ROWS * (4 * WIDTHS.row() + 16));
        assert!((frames..=frames + reserved).contains(&replay.bytes()), "{} bytes", replay.bytes());
    }

    #[test]
    fn memory_grows_with_what_is_kept_up_to_the_full_bytes() {
        let capacity = 2 * CHUNK_ROWS + 100;
        let mut replay = Replay::new(capacity, WIDTHS).unwrap();
        assert_eq!(replay.bytes(), 0);
        for i in 0..2 * capacity {
            replay.push(&transition(i as f32, None)).unwrap();
            assert!(replay.bytes() <= Replay::full_bytes(replay.len() + CHUNK_ROWS, WIDTHS));
        }
        assert_eq!(replay.bytes(), Replay::full_bytes(capacity, WIDTHS));
        assert_eq!((replay.len(), replay.pushed()), (capacity, 2 * capacity as u64));
    }

    #[test]
    fn only_a_termination_stops_the_bootstrap() {
        for (end, expected) in [(None, 1.0), (Some(End::Truncated), 1.0), (Some(End::Terminated), 0.0)] {
            let mut replay = Replay::new(1, WIDTHS).unwrap();
            replay.push(&transition(3.0, end)).unwrap();
            let mut batch = Batch::zeros(1, 2, 1);
            replay.sample(&mut batch, &mut Rng::new(0, "test")).unwrap();
            assert_eq!(batch.continues, [expected], "{end:?}");
            assert_eq!(batch.next_observations, [4.0, 0.0]);
        }
    }

    #[test]
    fn a_poisoned_transition_is_refused_and_leaves_no_trace() {
        let mut replay = Replay::new(4, WIDTHS).unwrap();
        let mut bad = transition(1.0, None);
        bad.next.numbers[1] = f32::NAN;
        let error = replay.push(&bad).unwrap_err();
        assert!(matches!(error, ReplayError::NotFinite { what: "next observation", index: 1, .. }), "{error}");
        bad = transition(f32::INFINITY, None);
        bad.observation.numbers = vec![0.0; 2];
        assert!(matches!(replay.push(&bad), Err(ReplayError::NotFinite { what: "reward", .. })));
        bad = transition(1.0, None);
        bad.action.0.push(0.0);
        assert!(matches!(replay.push(&bad), Err(ReplayError::Width { what: "action", expected: 1, found: 2 })));
        assert_eq!((replay.len(), replay.pushed()), (0, 0));
        assert!(matches!(replay.sample(&mut Batch::zeros(1, 2, 1), &mut Rng::new(0, "test")), Err(ReplayError::Empty)));
    }

    #[test]
    fn a_batch_of_other_widths_is_refused() {
        let mut replay = Replay::new(4, WIDTHS).unwrap();
        replay.push(&transition(1.0, None)).unwrap();
        let error = replay.sample(&mut Batch::zeros(8, 3, 1), &mut Rng::new(0, "test")).unwrap_err();
        assert!(matches!(error, ReplayError::Batch { what: "observations", expected: 16, found: 24 }), "{error}");
        assert!(matches!(Replay::new(0, WIDTHS), Err(ReplayError::NoCapacity)));
    }
}
