//! The newest transitions, in memory.

use crate::frames::Frames;
use crate::{ReplayError, Widths};
use turnkey_core::{Batch, Rng, Transition};

/// Rows that memory grows by. A chunk never moves, so growing copies nothing.
const CHUNK_ROWS: usize = 4096;

/// The newest transitions up to a capacity, each an exact row of its own.
///
/// Memory grows as it fills, a chunk of rows at a time, up to [`Replay::full_bytes`] and no further:
/// a million rows of 31 observed numbers and 9 of action take 292 MB.
pub struct Replay {
    widths: Widths,
    capacity: usize,
    pushed: u64,
    len: usize,
    /// Shape `[chunk][row in chunk * row width]`; a chunk is empty until its first row comes.
    chunks: Vec<Vec<f32>>,
    frames: Option<Frames>,
}

impl Replay {
    /// An empty replay with room for `capacity` transitions.
    ///
    /// # Errors
    /// When the capacity is 0.
    pub fn new(capacity: usize, widths: Widths) -> Result<Self, ReplayError> {
        Self::after(0, capacity, widths)
    }

    /// An empty replay whose next transition is number `pushed` of the run.
    pub(crate) fn after(pushed: u64, capacity: usize, widths: Widths) -> Result<Self, ReplayError> {
        if capacity == 0 {
            return Err(ReplayError::NoCapacity);
        }
        let chunks = vec![Vec::new(); capacity.div_ceil(CHUNK_ROWS)];
        let frames = widths.pictures.map(|shape| Frames::new(capacity, shape));
        Ok(Self { widths, capacity, pushed, len: 0, chunks, frames })
    }

    /// Keeps a transition, in place of the oldest one when full.
    ///
    /// # Errors
    /// When a part has the wrong size or a number that is not finite; nothing is then kept.
    pub fn push(&mut self, transition: &Transition) -> Result<(), ReplayError> {
        let widths = self.widths;
        widths.check(transition)?;
        let slot = self.slot(self.pushed);
        widths.write(transition, self.next_row());
        if let Some(frames) = &mut self.frames {
            frames.push(slot, &transition.observation.pictures, &transition.next.pictures, transition.end.is_some());
            self.give_up_blind_rows();
        }
        Ok(())
    }

    /// Fills `batch` with rows drawn uniformly, with replacement. Allocates nothing.
    ///
    /// # Errors
    /// When nothing was pushed yet, or the batch has other widths than the replay.
    pub fn sample(&self, batch: &mut Batch, rng: &mut Rng) -> Result<(), ReplayError> {
        if self.len == 0 {
            return Err(ReplayError::Empty);
        }
        let Widths { observation, action, .. } = self.widths;
        check_batch(batch, self.widths)?;
        for i in 0..batch.size {
            let slot = self.draw(rng);
            let row = self.row(slot);
            if let (Some(frames), Some(pictures)) = (&self.frames, &mut batch.pictures) {
                frames.lay(slot, pictures, i);
            }
            let seen = i * observation..(i + 1) * observation;
            batch.observations[seen.clone()].copy_from_slice(&row[self.widths.observation()]);
            batch.next_observations[seen].copy_from_slice(&row[self.widths.next()]);
            batch.actions[i * action..(i + 1) * action].copy_from_slice(&row[self.widths.action()]);
            batch.rewards[i] = row[self.widths.reward()];
            batch.continues[i] = row[self.widths.continues()];
        }
        Ok(())
    }

    /// Transitions that can be sampled now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing to sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Transitions ever pushed in the run, those overwritten since included.
    #[must_use]
    pub fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Transitions there is room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The sizes of what is replayed.
    #[must_use]
    pub fn widths(&self) -> Widths {
        self.widths
    }

    /// Bytes that the rows take now, room reserved for more included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let rows: usize = self.chunks.iter().map(|chunk| size_of::<f32>() * chunk.capacity()).sum();
        rows + self.frames.as_ref().map_or(0, Frames::bytes)
    }

    /// Bytes that the rows of a full replay take.
    #[must_use]
    pub const fn full_bytes(capacity: usize, widths: Widths) -> usize {
        let rows = capacity * widths.row() * size_of::<f32>();
        match widths.pictures {
            None => rows,
            Some(shape) => {
                let chosen = capacity * size_of::<crate::frames::Sight>();
                rows + chosen + Frames::capacity_for(capacity, shape) * shape.size.bytes()
            }
        }
    }

    /// A row to learn from. Where there are pictures, rows are counted back from the newest, as the oldest may have
    /// lost theirs.
    fn draw(&self, rng: &mut Rng) -> usize {
        let drawn = rng.below(self.len);
        if self.frames.is_some() { self.slot(self.pushed - 1 - drawn as u64) } else { drawn }
    }

    fn slot(&self, row: u64) -> usize {
        (row % self.capacity as u64) as usize
    }

    /// Counts out the oldest rows whose pictures were overwritten.
    fn give_up_blind_rows(&mut self) {
        let Some(frames) = &self.frames else { return };
        while self.len > 0 && !frames.has(self.slot(self.pushed - self.len as u64)) {
            self.len -= 1;
        }
    }

    /// The next transition's row, to be written, counted as pushed.
    pub(crate) fn next_row(&mut self) -> &mut [f32] {
        let slot = self.slot(self.pushed);
        let (chunk, first) = (slot / CHUNK_ROWS, slot % CHUNK_ROWS * self.widths.row());
        let rows = CHUNK_ROWS.min(self.capacity - chunk * CHUNK_ROWS);
        self.pushed += 1;
        self.len = (self.len + 1).min(self.capacity);
        let chunk = &mut self.chunks[chunk];
        if chunk.is_empty() {
            *chunk = vec![0.0; rows * self.widths.row()];
        }
        &mut chunk[first..first + self.widths.row()]
    }

    fn row(&self, slot: usize) -> &[f32] {
        let first = slot % CHUNK_ROWS * self.widths.row();
        &self.chunks[slot / CHUNK_ROWS][first..first + self.widths.row()]
    }
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { widths, capacity, pushed, len, .. } = self;
        write!(f, "Replay {{ {len} of {capacity} rows of {widths:?}, {pushed} pushed }}")
    }
}

fn check_batch(batch: &Batch, widths: Widths) -> Result<(), ReplayError> {
    for (what, found, width) in [
        ("observations", batch.observations.len(), widths.observation),
        ("actions", batch.actions.len(), widths.action),
        ("rewards", batch.rewards.len(), 1),
        ("next_observations", batch.next_observations.len(), widths.observation),
        ("continues", batch.continues.len(), 1),
    ] {
        let expected = batch.size * width;
        if found != expected {
            return Err(ReplayError::Batch { what, expected, found });
        }
    }
    let expected = widths.pictures.map_or(0, |shape| batch.size * shape.bytes());
    let pictures = batch.pictures.as_ref();
    for (what, found) in [
        ("pictures.observations", pictures.map_or(0, |pictures| pictures.observations.len())),
        ("pictures.next_observations", pictures.map_or(0, |pictures| pictures.next_observations.len())),
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
    use turnkey_core::{Action, End, Observation};

    const WIDTHS: Widths = Widths { observation: 2, action: 1, pictures: None };

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
