//! The C function through which random bytes come from the system, in the place of libc's.
//!
//! A program's own symbols win over those of a shared library, so this one is found first by whichever crate draws. On a
//! thread with a [seed](merestone_tests::world::wire::dice) the bytes follow from it; elsewhere the kernel is asked, as libc would.
//! Programs that must replay include this file; it is no part of the library, so that no other program has it.
#![allow(unsafe_code, reason = "C calls this by its name, with a pointer that it vouches for")]

use std::ffi::{c_uint, c_void};

use libc::{size_t, ssize_t};
use merestone_tests::world::wire::dice;

/// # Safety
/// As in C: `buffer` is `bytes` long.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, bytes: size_t, flags: c_uint) -> ssize_t {
    if !buffer.is_null() && bytes > 0 {
        let mut drawn = vec![0; bytes];
        if dice::draw(&mut drawn) {
            // SAFETY: the caller vouches for the buffer, and the other one is new.
            unsafe { std::ptr::copy_nonoverlapping(drawn.as_ptr(), buffer.cast::<u8>(), bytes) };
            return ssize_t::try_from(bytes).unwrap_or(ssize_t::MAX);
        }
    }
    // SAFETY: the caller's pointer and length.
    let drawn = unsafe { libc::syscall(libc::SYS_getrandom, buffer, bytes, flags) };
    ssize_t::try_from(drawn).unwrap_or(-1)
}
