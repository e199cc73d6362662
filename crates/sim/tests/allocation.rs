//! A picture allocates its own pixels and nothing else.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use turnkey_core::{Plant, Stamp, Start};
use turnkey_sim::{CameraConfig, Renderer, Twin, TwinConfig};

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
fn a_picture_allocates_its_pixels_alone() {
    let mut twin = Twin::new(TwinConfig::default()).unwrap();
    let poses = [0.0, 0.5, 1.0].map(|angle| {
        twin.reset(&Start { joints: [-0.3 * angle; 9], valve: angle, seed: 0 }).unwrap();
        twin.poses()
    });
    let CameraConfig { size, supersampling, .. } = CameraConfig::default();
    let camera = CameraConfig::default().camera();
    let mut renderer = Renderer::new(twin.scene().unwrap(), camera, size, supersampling);
    let mut frames = Vec::with_capacity(6);
    frames.extend(poses.iter().map(|poses| renderer.render(poses, Stamp::default())));
    let before = ALLOCATIONS.get();
    frames.extend(poses.iter().map(|poses| renderer.render(poses, Stamp::default())));
    assert_eq!(ALLOCATIONS.get() - before, 3);
    assert!(frames[0] == frames[3] && frames[0] != frames[4]);
}
