//! The foreign code, as the generator writes it.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use uniffi_bindgen::bindings::{GenerateOptions, TargetLanguage, generate_with_bindgen_paths};
use uniffi_bindgen::{BindgenPaths, BindgenPathsLayer};

use crate::Language;
use crate::swift_cancel::with_cancellation;

/// Where the crossing's own settings lie: told, so that nobody has to ask Cargo for it.
struct Crossing;

impl BindgenPathsLayer for Crossing {
    fn get_crate_root(&self, crate_name: &str) -> Option<Utf8PathBuf> {
        (crate_name == "merestone_ffi").then(|| Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ffi"))
    }
}

/// The paths by which the generator finds `ffi/uniffi.toml`.
pub(crate) fn paths() -> BindgenPaths {
    let mut paths = BindgenPaths::default();
    paths.add_layer(Crossing);
    paths
}

/// Writes the code of `language` into `out`.
pub(crate) fn generate(library: &Utf8Path, language: Language, out: &Utf8Path) -> Result<(), String> {
    let target = match language {
        Language::Kotlin => TargetLanguage::Kotlin,
        Language::Swift => TargetLanguage::Swift,
        Language::Python => TargetLanguage::Python,
    };
    let options = GenerateOptions {
        languages: vec![target],
        source: library.to_owned(),
        out_dir: out.to_owned(),
        ..GenerateOptions::default()
    };
    generate_with_bindgen_paths(options, paths())
        .map_err(|cause| format!("cannot generate from {library}: {cause:#}"))?;
    match language {
        Language::Swift => finish_swift(&out.join("MerestoneCrossing.swift")),
        Language::Kotlin | Language::Python => Ok(()),
    }
}

fn finish_swift(path: &Utf8Path) -> Result<(), String> {
    let generated = fs::read_to_string(path).map_err(|cause| format!("cannot read {path}: {cause}"))?;
    fs::write(path, with_cancellation(&generated)?).map_err(|cause| format!("cannot write {path}: {cause}"))
}
