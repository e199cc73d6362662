//! Sampling and pushing into a warm replay never allocate.

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};
use support::{Experience, pictures};
use turnkey_core::{Batch, Rng};
use turnkey_replay::{Replay, Widths};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; counting touches a const-initialised
// thread-local without a destructor, which never allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn sampling_into_a_callers_batch_allocates_nothing() {
    let batch = allocates_nothing(Widths { observation: 31, action: 9, pictures: None });
    assert!(batch.next_observations[31 * 255].is_finite());
}

#[test]
fn nor_does_sampling_of_pictures() {
    let batch = allocates_nothing(Widths { observation: 31, action: 9, pictures: Some(pictures(3)) });
    assert!(batch.pictures.unwrap().next_observations.iter().any(|byte| *byte > 0));
}

/// Pushes and samples while counting.
fn allocates_nothing(widths: Widths) -> Batch {
    let mut replay = Replay::new(1000, widths).unwrap();
    let mut experience = Experience::new(widths, 1, [2, 2, 2]);
    let rows: Vec<_> = (0..1500).map(|_| experience.transition()).collect();
    replay.push(&rows[0]).unwrap();
    let mut batch = Batch::zeros(256, widths.observation, widths.action).with_pictures(widths.pictures);
    let mut rng = Rng::new(1, "test");
    let before = ALLOCATIONS.get();
    rows.iter().for_each(|row| replay.push(row).unwrap());
    for _ in 0..20 {
        replay.sample(&mut batch, &mut rng).unwrap();
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
    drop(std::hint::black_box(Box::new(7_u8))); // the counter does count
    assert_eq!(ALLOCATIONS.get() - before, 1);
    batch
}
