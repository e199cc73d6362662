//! Memory that fills a chunk at a time and then goes round.

use std::mem::size_of;

/// Slots of one width, used again and again: item `i` of a run lies in slot `i % capacity`.
///
/// A chunk is taken when its first slot is written, and never moves, so growing copies nothing.
pub(crate) struct Slots<T> {
    width: usize,
    capacity: usize,
    /// Slots of a chunk.
    chunk: usize,
    /// Shape `[chunk][slot in chunk * width]`; a chunk is empty until it is written to.
    chunks: Vec<Vec<T>>,
}

impl<T: Copy + Default> Slots<T> {
    pub(crate) fn new(capacity: usize, width: usize, chunk: usize) -> Self {
        Self { width, capacity, chunk, chunks: vec![Vec::new(); capacity.div_ceil(chunk)] }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The slot of item number `item` of the run.
    pub(crate) fn slot(&self, item: u64) -> usize {
        (item % self.capacity as u64) as usize
    }

    /// What was written to `slot`.
    ///
    /// # Panics
    /// When neither it nor one of its chunk was ever written.
    pub(crate) fn get(&self, slot: usize) -> &[T] {
        let first = slot % self.chunk * self.width;
        &self.chunks[slot / self.chunk][first..first + self.width]
    }

    /// `slot`, to be written.
    pub(crate) fn get_mut(&mut self, slot: usize) -> &mut [T] {
        let (number, first) = (slot / self.chunk, slot % self.chunk * self.width);
        let slots = self.chunk.min(self.capacity - number * self.chunk);
        let chunk = &mut self.chunks[number];
        if chunk.is_empty() {
            *chunk = vec![T::default(); slots * self.width];
        }
        &mut chunk[first..first + self.width]
    }

    /// Bytes taken now, those for slots still to come included.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| size_of::<T>() * chunk.capacity()).sum()
    }
}
