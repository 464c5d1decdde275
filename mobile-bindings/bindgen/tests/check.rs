//! The gate before a package takes a library: faults are planted into the real one.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use goblin::elf::{Elf, program_header::PT_LOAD};
// Named so that Cargo builds the library before these tests run.
use merestone_ffi as _;

fn library() -> PathBuf {
    env::current_exe().unwrap().parent().unwrap().join("libmerestone_ffi.so")
}

/// Whether it is taken, and what is said.
fn check(library: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_merestone-bindgen")).arg("check").arg(library).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// What the check says of the library after `plant` changed its bytes.
fn with_fault(plant: impl FnOnce(&mut Vec<u8>)) -> (bool, String) {
    let mut bytes = fs::read(library()).unwrap();
    plant(&mut bytes);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libmerestone_ffi.so");
    fs::write(&path, bytes).unwrap();
    check(&path)
}

#[test]
fn the_library_as_it_is_built_is_taken() {
    let (is_taken, said) = check(&library());
    assert!(is_taken, "{said}");
    assert!(said.contains("pages of 16 KiB"), "{said}");
}

#[test]
fn one_segment_on_smaller_pages_is_refused() {
    let (is_taken, said) = with_fault(|bytes| {
        let elf = Elf::parse(bytes).unwrap();
        let last = elf.program_headers.iter().rposition(|header| header.p_type == PT_LOAD).unwrap();
        // `p_align` is the last eight bytes of a 64-bit program header.
        let end = usize::try_from(elf.header.e_phoff).unwrap() + (last + 1) * usize::from(elf.header.e_phentsize);
        bytes[end - 8..end].copy_from_slice(&4096u64.to_le_bytes());
    });
    assert!(!is_taken && said.contains("aligned to 4096 bytes"), "{said}");
}

#[test]
fn an_exported_function_of_sqlite_is_refused() {
    let (is_taken, said) = with_fault(|bytes| {
        let elf = Elf::parse(bytes).unwrap();
        let (own, foreign) = (b"\0uniffi_merestone_ffi_fn_", b"\0sqlite3_open_v2_renamed_");
        let names = elf.dynamic.as_ref().unwrap().info.strtab;
        let at = bytes[names..].windows(own.len()).position(|window| window == own).unwrap() + names;
        bytes[at..at + foreign.len()].copy_from_slice(foreign);
    });
    assert!(!is_taken && said.contains("sqlite3_open_v2_renamed_"), "{said}");
}

#[test]
fn what_is_no_library_is_refused_in_words() {
    let (is_taken, said) = with_fault(|bytes| bytes.truncate(3));
    assert!(!is_taken && said.contains("is no shared library"), "{said}");
}
