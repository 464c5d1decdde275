//! How much a thread has allocated at a time, most of all: an allocator that counts, in this program alone.
//!
//! What C allocates for itself (SQLite's pages, zstd's windows) is not seen.
#![allow(unsafe_code, reason = "an allocator is unsafe by its trait; this one hands everything on and adds up lengths")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Allocated here and not freed here; what other threads free is counted there.
    static LIVE: Cell<i64> = const { Cell::new(0) };
    static MOST: Cell<i64> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn note(bytes: usize, sign: i64) {
    let change = i64::try_from(bytes).unwrap_or(i64::MAX) * sign;
    // A thread that is ending counts no more.
    let _ = LIVE.try_with(|live| {
        live.set(live.get() + change);
        let _ = MOST.try_with(|most| most.set(most.get().max(live.get())));
    });
}

// SAFETY: every call is the system allocator's own, with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 1);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 1);
        // SAFETY: the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(layout.size(), -1);
        // SAFETY: the caller's.
        unsafe { System.dealloc(at, layout) };
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // Both may be there at a time.
        note(bytes, 1);
        note(layout.size(), -1);
        // SAFETY: the caller's.
        unsafe { System.realloc(at, layout, bytes) }
    }
}

/// What this thread holds now; [`most_above`] counts from here on.
pub(crate) fn mark() -> i64 {
    let live = LIVE.get();
    MOST.set(live);
    live
}

/// The most that this thread held above a mark since it was made, in bytes.
pub(crate) fn most_above(mark: i64) -> usize {
    usize::try_from(MOST.get() - mark).unwrap_or(0)
}
