//! The C functions through which Rust's `std` and the bundled SQLite reach files, in the place of libc's.
//!
//! A program's own symbols win over those of a shared library, so these are found first by everything that is linked in,
//! without the product knowing. Each asks the disk (`calls`) what is to happen; a file outside the world goes straight to the kernel.
//!
//! Only the programs that live worlds include this file; every other one, and all that measures, keeps libc's own functions.
//!
//! They are not complete: what neither `std` nor SQLite calls to change a file (`splice`, `copy_file_range`, a writable mapping)
//! passes unseen. SQLite maps only its index of the write-ahead log, which no power cut keeps.
//! `open` is variadic in C; with three integer arguments both ways of calling put them into the same registers on the
//! 64-bit Linux systems that the World runs on.
#![allow(unsafe_code, reason = "C calls these by their names, with pointers that it vouches for")]

use std::ffi::{CStr, c_char, c_int, c_void};

use libc::{iovec, mode_t, off64_t, size_t, ssize_t};

use merestone_tests::world::disk::calls::{self, Answer, to_c};

/// A C string that the caller vouches for; a null pointer is no path.
///
/// # Safety
/// `path` is null or ends with a zero byte.
unsafe fn text<'a>(path: *const c_char) -> Result<&'a CStr, c_int> {
    if path.is_null() { Err(libc::EFAULT) } else { Ok(unsafe { CStr::from_ptr(path) }) }
}

fn int(answer: Answer) -> c_int {
    // Descriptors and zeros.
    c_int::try_from(to_c(answer)).unwrap_or(-1)
}

fn size(answer: Answer) -> ssize_t {
    ssize_t::try_from(to_c(answer)).unwrap_or(-1)
}

macro_rules! opens {
    ($($name:ident),*) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
            int(unsafe { text(path) }.and_then(|path| calls::open(libc::AT_FDCWD, path, flags, mode)))
        }
    )* };
}
opens!(open, open64);

macro_rules! opens_at {
    ($($name:ident),*) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(folder: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
            int(unsafe { text(path) }.and_then(|path| calls::open(folder, path, flags, mode)))
        }
    )* };
}
opens_at!(openat, openat64);

#[unsafe(no_mangle)]
extern "C" fn close(fd: c_int) -> c_int {
    int(calls::close(fd))
}

/// The bytes at a pointer that the caller vouches for.
///
/// # Safety
/// `bytes` points at `len` bytes, or `len` is 0.
unsafe fn slice<'a>(bytes: *const c_void, len: size_t) -> &'a [u8] {
    if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(bytes.cast(), len) } }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, len: size_t) -> ssize_t {
    size(calls::write(fd, unsafe { slice(bytes, len) }, None))
}

macro_rules! writes_at {
    ($($name:ident),*) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(fd: c_int, bytes: *const c_void, len: size_t, at: off64_t) -> ssize_t {
            size(calls::write(fd, unsafe { slice(bytes, len) }, Some(at)))
        }
    )* };
}
writes_at!(pwrite, pwrite64);

/// As the kernel may do: only the first piece that is not empty is written, and the caller goes on from there.
#[unsafe(no_mangle)]
unsafe extern "C" fn writev(fd: c_int, pieces: *const iovec, count: c_int) -> ssize_t {
    if !calls::is_watched(fd) {
        // SAFETY: handed on as they came.
        let raw = unsafe { libc::syscall(libc::SYS_writev, fd, pieces, count) };
        return ssize_t::try_from(raw).unwrap_or(-1);
    }
    for n in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: the caller vouches for `count` pieces.
        let piece = unsafe { &*pieces.add(n) };
        if piece.iov_len > 0 {
            return size(calls::write(fd, unsafe { slice(piece.iov_base, piece.iov_len) }, None));
        }
    }
    0
}

#[unsafe(no_mangle)]
extern "C" fn fsync(fd: c_int) -> c_int {
    int(calls::flush(fd, false))
}

#[unsafe(no_mangle)]
extern "C" fn fdatasync(fd: c_int) -> c_int {
    int(calls::flush(fd, true))
}

macro_rules! truncates {
    ($($name:ident),*) => { $(
        #[unsafe(no_mangle)]
        extern "C" fn $name(fd: c_int, bytes: off64_t) -> c_int {
            int(calls::truncate(fd, bytes))
        }
    )* };
}
truncates!(ftruncate, ftruncate64);

#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let paths = unsafe { text(from).and_then(|from| Ok((from, text(to)?))) };
    int(paths.and_then(|(from, to)| calls::rename(from, to)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    int(unsafe { text(path) }.and_then(calls::remove))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn rmdir(path: *const c_char) -> c_int {
    int(unsafe { text(path) }.and_then(calls::remove_folder))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn link(from: *const c_char, to: *const c_char) -> c_int {
    let paths = unsafe { text(from).and_then(|from| Ok((from, text(to)?))) };
    int(paths.and_then(|(from, to)| calls::link(libc::AT_FDCWD, from, libc::AT_FDCWD, to, 0)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linkat(
    from_folder: c_int,
    from: *const c_char,
    to_folder: c_int,
    to: *const c_char,
    flags: c_int,
) -> c_int {
    let paths = unsafe { text(from).and_then(|from| Ok((from, text(to)?))) };
    int(paths.and_then(|(from, to)| calls::link(from_folder, from, to_folder, to, flags)))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mkdir(path: *const c_char, mode: mode_t) -> c_int {
    int(unsafe { text(path) }.and_then(|path| calls::make_folder(path, mode)))
}
