//! System calls as the kernel takes them, past every function that `exports` stands in for.
//!
//! It decides nothing. Unsafe code is needed because the kernel takes pointers; every function here takes slices and
//! C strings instead, so that the rest of the disk is ordinary code.
#![allow(unsafe_code, reason = "the kernel takes pointers and lengths; these functions pair them from slices")]

use std::ffi::CStr;

use libc::{c_int, c_long, mode_t};

use super::calls::Answer;

/// What `fstat` says that matters here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stat {
    pub(super) inode: u64,
    pub(super) bytes: u64,
    pub(super) is_folder: bool,
}

fn answer(raw: c_long) -> Answer {
    // SAFETY: the location of this thread's errno is always valid.
    if raw < 0 { Err(unsafe { *libc::__errno_location() }) } else { Ok(raw) }
}

/// Hands an answer to C: -1 and `errno`, or the number.
pub fn to_c(answer: Answer) -> i64 {
    answer.unwrap_or_else(|errno| {
        // SAFETY: as above.
        unsafe { *libc::__errno_location() = errno };
        -1
    })
}

pub(super) fn open_at(folder: c_int, path: &CStr, flags: c_int, mode: mode_t) -> Answer {
    // SAFETY: `path` ends with a zero byte.
    answer(unsafe { libc::syscall(libc::SYS_openat, folder, path.as_ptr(), flags, mode) })
}

pub(super) fn close(fd: c_int) -> Answer {
    // SAFETY: takes no pointer.
    answer(unsafe { libc::syscall(libc::SYS_close, fd) })
}

pub(super) fn write(fd: c_int, bytes: &[u8]) -> Answer {
    // SAFETY: pointer and length are of one slice.
    answer(unsafe { libc::syscall(libc::SYS_write, fd, bytes.as_ptr(), bytes.len()) })
}

pub(super) fn write_at(fd: c_int, bytes: &[u8], at: i64) -> Answer {
    // SAFETY: pointer and length are of one slice.
    answer(unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes.as_ptr(), bytes.len(), at) })
}

/// Reads what is there, up to the end of the file; the descriptor may be open for writing only, so it is opened again.
pub(super) fn read_at(fd: c_int, bytes: &mut [u8], at: u64) -> usize {
    let own = read_descriptor(fd);
    let (mut done, from) = (0, own.unwrap_or(fd));
    while done < bytes.len() {
        let rest = &mut bytes[done..];
        let offset = i64::try_from(at + done as u64).unwrap_or(i64::MAX);
        // SAFETY: pointer and length are of one slice.
        let read = answer(unsafe { libc::syscall(libc::SYS_pread64, from, rest.as_mut_ptr(), rest.len(), offset) });
        match read.map(usize::try_from) {
            Ok(Ok(0)) | Ok(Err(_)) | Err(_) => break,
            Ok(Ok(read)) => done += read,
        }
    }
    if let Some(own) = own {
        let _ = close(own);
    }
    done
}

/// A second descriptor of the same file that can read; `None` if the first one can.
fn read_descriptor(fd: c_int) -> Option<c_int> {
    // SAFETY: takes no pointer.
    let flags = answer(unsafe { libc::syscall(libc::SYS_fcntl, fd, libc::F_GETFL, 0) }).ok()?;
    if flags & i64::from(libc::O_ACCMODE) != i64::from(libc::O_WRONLY) {
        return None;
    }
    let path = std::ffi::CString::new(format!("/proc/self/fd/{fd}")).ok()?;
    let opened = open_at(libc::AT_FDCWD, &path, libc::O_RDONLY | libc::O_CLOEXEC, 0).ok()?;
    c_int::try_from(opened).ok()
}

/// Where the next `write` goes.
pub(super) fn position(fd: c_int) -> u64 {
    // SAFETY: take no pointers.
    let (flags, at) = unsafe {
        (libc::syscall(libc::SYS_fcntl, fd, libc::F_GETFL, 0), libc::syscall(libc::SYS_lseek, fd, 0, libc::SEEK_CUR))
    };
    if flags & c_long::from(libc::O_APPEND) != 0 {
        return stat(fd).map_or(0, |stat| stat.bytes);
    }
    at.unsigned_abs()
}

pub(super) fn stat(fd: c_int) -> Result<Stat, c_int> {
    // SAFETY: a zeroed stat is valid, and the kernel fills it.
    let (done, found) = unsafe {
        let mut found: libc::stat = std::mem::zeroed();
        let done = libc::syscall(libc::SYS_fstat, fd, &raw mut found);
        (done, found)
    };
    answer(done)?;
    let is_folder = found.st_mode & libc::S_IFMT == libc::S_IFDIR;
    Ok(Stat { inode: found.st_ino, bytes: found.st_size.unsigned_abs(), is_folder })
}

/// The inode at a path that is there.
pub(super) fn inode_at(path: &CStr) -> Option<u64> {
    let opened = open_at(libc::AT_FDCWD, path, libc::O_PATH | libc::O_CLOEXEC | libc::O_NOFOLLOW, 0).ok()?;
    let fd = c_int::try_from(opened).ok()?;
    let found = stat(fd).ok().map(|stat| stat.inode);
    let _ = close(fd);
    found
}

pub(super) fn flush(fd: c_int, data_only: bool) -> Answer {
    let call = if data_only { libc::SYS_fdatasync } else { libc::SYS_fsync };
    // SAFETY: takes no pointer.
    answer(unsafe { libc::syscall(call, fd) })
}

pub(super) fn truncate(fd: c_int, bytes: i64) -> Answer {
    // SAFETY: takes no pointer.
    answer(unsafe { libc::syscall(libc::SYS_ftruncate, fd, bytes) })
}

pub(super) fn rename_at(from_folder: c_int, from: &CStr, to_folder: c_int, to: &CStr) -> Answer {
    // SAFETY: both paths end with a zero byte.
    answer(unsafe { libc::syscall(libc::SYS_renameat2, from_folder, from.as_ptr(), to_folder, to.as_ptr(), 0) })
}

pub(super) fn unlink_at(folder: c_int, path: &CStr, flags: c_int) -> Answer {
    // SAFETY: the path ends with a zero byte.
    answer(unsafe { libc::syscall(libc::SYS_unlinkat, folder, path.as_ptr(), flags) })
}

pub(super) fn link_at(from_folder: c_int, from: &CStr, to_folder: c_int, to: &CStr, flags: c_int) -> Answer {
    // SAFETY: both paths end with a zero byte.
    answer(unsafe { libc::syscall(libc::SYS_linkat, from_folder, from.as_ptr(), to_folder, to.as_ptr(), flags) })
}

pub(super) fn make_folder_at(folder: c_int, path: &CStr, mode: mode_t) -> Answer {
    // SAFETY: the path ends with a zero byte.
    answer(unsafe { libc::syscall(libc::SYS_mkdirat, folder, path.as_ptr(), mode) })
}
