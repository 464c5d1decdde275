//! The C functions through which random bytes come from the system, in the place of libc's.
//!
//! A program's own symbols win over those of a shared library, so these are found first by whichever crate draws: `std` and
//! most others call `getrandom`, and ring asks the kernel through `syscall`. On a thread with a
//! [seed](merestone_tests::world::wire::dice) the bytes follow from it; everything else goes to libc's own `syscall`.
//! Programs that must replay include this file; it is no part of the library, so that no other program has it.
//!
//! `syscall` is variadic in C; with six integer arguments both ways of calling put them into the same registers on the 64-bit
//! Linux systems that the World runs on.
#![allow(unsafe_code, reason = "C calls these by their names, with pointers that it vouches for")]

use std::ffi::{c_long, c_uint, c_void};
use std::mem::transmute;
use std::sync::atomic::{AtomicPtr, Ordering};

use libc::{size_t, ssize_t};
use merestone_tests::world::wire::dice;

type Syscall = unsafe extern "C" fn(c_long, c_long, c_long, c_long, c_long, c_long, c_long) -> c_long;

/// Libc's own, once it was looked for.
static SYSCALL: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

fn libc_syscall() -> Syscall {
    let mut found = SYSCALL.load(Ordering::Relaxed);
    if found.is_null() {
        // SAFETY: the name ends with a zero byte.
        found = unsafe { libc::dlsym(libc::RTLD_NEXT, c"syscall".as_ptr()) };
        assert!(!found.is_null(), "libc has a syscall");
        SYSCALL.store(found, Ordering::Relaxed);
    }
    // SAFETY: that is its type, but for being variadic.
    unsafe { transmute::<*mut c_void, Syscall>(found) }
}

/// # Safety
/// As in C: `buffer` is `bytes` long.
unsafe fn draw(buffer: *mut c_void, bytes: size_t) -> bool {
    if buffer.is_null() || bytes == 0 {
        return false;
    }
    let mut drawn = vec![0; bytes];
    let is_seeded = dice::draw(&mut drawn);
    if is_seeded {
        // SAFETY: the caller vouches for the buffer, and the other one is new.
        unsafe { std::ptr::copy_nonoverlapping(drawn.as_ptr(), buffer.cast::<u8>(), bytes) };
    }
    is_seeded
}

/// # Safety
/// As in C: `buffer` is `bytes` long.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, bytes: size_t, flags: c_uint) -> ssize_t {
    // SAFETY: the caller's pointer and length.
    if unsafe { draw(buffer, bytes) } {
        return ssize_t::try_from(bytes).unwrap_or(ssize_t::MAX);
    }
    let (at, length) = (buffer as c_long, bytes.cast_signed() as c_long);
    // SAFETY: as above.
    let drawn = unsafe { libc_syscall()(libc::SYS_getrandom, at, length, c_long::from(flags), 0, 0, 0) };
    ssize_t::try_from(drawn).unwrap_or(-1)
}

/// # Safety
/// As in C: what the kernel asks of the call with this number.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    // SAFETY: the arguments of `getrandom` are its buffer and its length.
    if number == libc::SYS_getrandom && unsafe { draw(a as *mut c_void, b.cast_unsigned() as size_t) } {
        return b;
    }
    // SAFETY: the caller's arguments.
    unsafe { libc_syscall()(number, a, b, c, d, e, f) }
}
