//! Sampling and pushing into a warm replay never allocate.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};
use turnkey_core::{Action, Batch, Observation, Rng, Transition};
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
    let widths = Widths { observation: 31, action: 9, pictures: None };
    let mut replay = Replay::new(1000, widths).unwrap();
    let row = Transition {
        observation: Observation::from(vec![0.5; 31]),
        action: Action(vec![0.1; 9]),
        reward: 1.0,
        next: Observation::from(vec![0.25; 31]),
        end: None,
    };
    replay.push(&row).unwrap();
    let mut batch = Batch::zeros(256, 31, 9);
    let mut rng = Rng::new(1, "test");
    let before = ALLOCATIONS.get();
    for _ in 0..1500 {
        replay.push(&row).unwrap();
    }
    for _ in 0..20 {
        replay.sample(&mut batch, &mut rng).unwrap();
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
    drop(std::hint::black_box(Box::new(7_u8))); // the counter does count
    assert_eq!(ALLOCATIONS.get() - before, 1);
    assert_eq!(batch.next_observations[31 * 255], 0.25);
}
