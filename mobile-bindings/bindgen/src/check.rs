//! What a built library must be before a package takes it: which pages it loads on, and what it shows to a linker.

use camino::Utf8Path;
use goblin::elf::{Elf, program_header::PT_LOAD};

/// Devices with pages of 16 KiB refuse to load a 64-bit library whose segments are aligned to less.
const PAGE_BYTES_MIN: u64 = 16 * 1024;
/// What the crossing itself exports; everything else that is exported could be bound by an app's own code.
const OWN: &[&str] = &["uniffi_", "ffi_merestone_ffi_", "UNIFFI_META_"];

/// Refuses a shared library for Android or Linux that an app could not load, or that shows more than the crossing.
pub(crate) fn check(library: &Utf8Path) -> Result<String, String> {
    let bytes = std::fs::read(library).map_err(|cause| format!("cannot read {library}: {cause}"))?;
    let elf =
        Elf::parse(&bytes).map_err(|cause| format!("{library} is no shared library of Android or Linux: {cause}"))?;
    let faults: Vec<String> = [small_pages(&elf), foreign_symbols(&elf)].into_iter().flatten().collect();
    if !faults.is_empty() {
        return Err(format!("{library}: {}", faults.join("; ")));
    }
    let exported = exported(&elf).count();
    Ok(format!("{library}: pages of {} KiB, {exported} symbols and all our own\n", alignment(&elf) / 1024))
}

fn alignment(elf: &Elf) -> u64 {
    elf.program_headers.iter().filter(|header| header.p_type == PT_LOAD).map(|header| header.p_align).min().unwrap_or(0)
}

/// 32-bit Android has pages of 4 KiB and always will.
fn small_pages(elf: &Elf) -> Option<String> {
    let bytes = alignment(elf);
    let least = if elf.is_64 { PAGE_BYTES_MIN } else { 4096 };
    (bytes < least).then(|| {
        format!(
            "segments are aligned to {bytes} bytes, {least} are needed: link with -Wl,-z,max-page-size={PAGE_BYTES_MIN}"
        )
    })
}

fn exported<'a>(elf: &'a Elf) -> impl Iterator<Item = &'a str> {
    let defined = elf.dynsyms.iter().filter(|symbol| !symbol.is_import() && symbol.st_shndx != 0);
    defined.filter_map(|symbol| elf.dynstrtab.get_at(symbol.st_name)).filter(|name| !name.is_empty())
}

/// An exported `sqlite3_open` of ours would be taken by other code of the app, and theirs by ours.
fn foreign_symbols(elf: &Elf) -> Option<String> {
    let foreign: Vec<&str> = exported(elf).filter(|name| !OWN.iter().any(|own| name.starts_with(own))).collect();
    (!foreign.is_empty()).then(|| {
        format!(
            "{} symbols are exported that are not the crossing's: {}",
            foreign.len(),
            foreign[..foreign.len().min(5)].join(", ")
        )
    })
}
