//! The newest pictures, each kept once.

use crate::ReplayError;
use turnkey_core::{Frame, PictureBatch, PictureShape};

/// Pictures that memory grows by. A chunk never moves, so growing copies nothing.
const CHUNK_FRAMES: usize = 256;

/// Which pictures a row sees. Those of its next observation end with `newest`, those of its observation with the one
/// before; neither reach back beyond the episode's first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    /// The next observation's newest picture, counted from the start of the run.
    pub(crate) newest: u64,
    /// The episode's first picture.
    pub(crate) first: u64,
}

impl Sight {
    /// The oldest picture that the row needs.
    fn oldest(self, stack: usize) -> u64 {
        self.newest.saturating_sub(stack as u64).max(self.first)
    }

    /// The picture `back` pictures before the newest of the next observation.
    fn picture(self, back: usize) -> u64 {
        self.newest.saturating_sub(back as u64).max(self.first)
    }
}

/// The pictures of the newest rows.
pub(crate) struct Frames {
    shape: PictureShape,
    capacity: usize,
    pushed: u64,
    /// Shape `[chunk][picture in chunk, height, width, 3]`; a chunk is empty until its first picture comes.
    chunks: Vec<Vec<u8>>,
    /// Of each row's slot.
    sights: Vec<Sight>,
    /// The newest picture and whether its episode goes on, and that episode's first picture.
    open: Option<(Frame, u64)>,
}

impl Frames {
    /// Room for the pictures of `rows` rows in episodes of 32 steps or more: an episode has one picture more than steps.
    /// The oldest rows of shorter episodes are given up sooner.
    pub(crate) fn new(rows: usize, shape: PictureShape) -> Self {
        let capacity = Self::capacity_for(rows, shape);
        let chunks = vec![Vec::new(); capacity.div_ceil(CHUNK_FRAMES)];
        Self { shape, capacity, pushed: 0, chunks, sights: vec![Sight::default(); rows], open: None }
    }

    /// Pictures there is room for beside `rows` rows.
    pub(crate) const fn capacity_for(rows: usize, shape: PictureShape) -> usize {
        rows + rows / 32 + shape.stack + 1
    }

    /// Refuses pictures of another number or size.
    pub(crate) fn check(
        shape: Option<PictureShape>,
        what: &'static str,
        pictures: &[Frame],
    ) -> Result<(), ReplayError> {
        let (stack, size) = shape.map_or((0, None), |shape| (shape.stack, Some(shape.size)));
        if pictures.len() != stack {
            return Err(ReplayError::Stack { what, expected: stack, found: pictures.len() });
        }
        match pictures.iter().map(Frame::size).find(|found| Some(*found) != size) {
            Some(found) => Err(ReplayError::Size { what, expected: size.unwrap_or(found), found }),
            None => Ok(()),
        }
    }

    /// Keeps what the row in `slot` sees, the pictures of its observation and next observation being of the right size.
    /// Gives the pictures that were new, oldest first.
    pub(crate) fn push<'a>(&mut self, slot: usize, now: &'a [Frame], next: &'a [Frame], ended: bool) -> Vec<&'a Frame> {
        let (Some(now), Some(next)) = (now.last(), next.last()) else { return Vec::new() };
        let goes_on = self.open.take().filter(|(newest, _)| newest == now);
        let mut new = Vec::with_capacity(2);
        let first = match goes_on {
            Some((_, first)) => first,
            None => {
                new.push(now);
                self.pushed
            }
        };
        new.push(next);
        new.iter().for_each(|frame| self.keep(frame.pixels()));
        self.sights[slot] = Sight { newest: self.pushed - 1, first };
        self.open = (!ended).then(|| (next.clone(), first));
        new
    }

    fn keep(&mut self, pixels: &[u8]) {
        let (chunk, range) = self.place(self.pushed);
        let frames = CHUNK_FRAMES.min(self.capacity - chunk * CHUNK_FRAMES);
        let chunk = &mut self.chunks[chunk];
        if chunk.is_empty() {
            *chunk = vec![0; frames * self.shape.size.bytes()];
        }
        chunk[range].copy_from_slice(pixels);
        self.pushed += 1;
    }

    fn place(&self, frame: u64) -> (usize, std::ops::Range<usize>) {
        let slot = (frame % self.capacity as u64) as usize;
        let (first, bytes) = (slot % CHUNK_FRAMES, self.shape.size.bytes());
        (slot / CHUNK_FRAMES, first * bytes..(first + 1) * bytes)
    }

    fn pixels(&self, frame: u64) -> &[u8] {
        let (chunk, range) = self.place(frame);
        &self.chunks[chunk][range]
    }

    /// Whether every picture that the row in `slot` needs is still there.
    pub(crate) fn has(&self, slot: usize) -> bool {
        self.sights[slot].oldest(self.shape.stack) + self.capacity as u64 >= self.pushed
    }

    /// Lays what the row in `slot` sees into row `i` of a batch.
    pub(crate) fn lay(&self, slot: usize, batch: &mut PictureBatch, i: usize) {
        let (sight, stack, bytes) = (self.sights[slot], self.shape.stack, self.shape.bytes());
        let pictures = |back: usize| (0..stack).rev().map(move |j| self.pixels(sight.picture(j + back)));
        self.shape.lay_over(pictures(1), &mut batch.observations[i * bytes..(i + 1) * bytes]);
        self.shape.lay_over(pictures(0), &mut batch.next_observations[i * bytes..(i + 1) * bytes]);
    }

    /// Bytes that the pictures take now, room reserved for more included.
    pub(crate) fn bytes(&self) -> usize {
        let sights = self.sights.capacity() * size_of::<Sight>();
        sights + self.chunks.iter().map(Vec::capacity).sum::<usize>()
    }
}
