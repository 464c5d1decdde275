//! What the tests of this room share: the folder of forms that nobody here wrote.

use std::path::{Path, PathBuf};
use std::{env, fs};

use merestone_forms::NamedFile;
use merestone_forms::model::Model;
use merestone_forms::refused::FormRefused;

/// The folder of forms, `forms` in `MERESTONE_SHARED` or beside the project; `None` where there is none.
pub(crate) fn forms() -> Option<PathBuf> {
    let named = env::var_os("MERESTONE_SHARED").filter(|path| !path.is_empty()).map(PathBuf::from);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let main = root.join("../shared");
    let shared = named.unwrap_or(main);
    let forms = shared.join("fixtures/forms");
    forms.is_dir().then_some(forms)
}

/// Every file below a folder, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The files that lie in a form's folder and in `NAME-media` beside it, by name.
pub(crate) fn beside(path: &Path) -> Vec<(String, Vec<u8>)> {
    let folder = path.parent().expect("a file is in a folder");
    let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("fixtures have names in UTF-8");
    let media = folder.join(format!("{stem}-media"));
    let mut beside = Vec::new();
    for place in [folder, media.as_path()].into_iter().filter(|place| place.is_dir()) {
        for entry in fs::read_dir(place).expect("the folder can be read") {
            let other = entry.expect("the folder can be read").path();
            if other.is_file() && other != path {
                let name = other.file_name().and_then(|name| name.to_str()).expect("fixtures have names in UTF-8");
                beside.push((name.to_owned(), fs::read(&other).expect("the file can be read")));
            }
        }
    }
    beside
}

/// Reads a form with the files beside it.
pub(crate) fn read(path: &Path) -> Result<Model, FormRefused> {
    let beside = beside(path);
    let name = path.file_name().and_then(|name| name.to_str()).expect("fixtures have names in UTF-8");
    let bytes = fs::read(path).expect("the file can be read");
    let beside: Vec<NamedFile<'_>> = beside.iter().map(|(name, bytes)| NamedFile { name, bytes }).collect();
    Model::read(NamedFile { name, bytes: &bytes }, &beside)
}

/// The forms that this crate ships and those of its tests.
pub(crate) fn own_forms() -> Vec<PathBuf> {
    ["src/standard", "tests/conformance/forms"].iter().flat_map(|folder| files(Path::new(folder))).collect()
}

/// The folder into which `tests/run` installs the npm packages of these tests, or where they were installed by hand.
pub(crate) fn node_modules() -> Option<PathBuf> {
    let by_hand = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/evaluator/node_modules");
    let by_run = env::var_os("MERESTONE_NODE_MODULES").map(PathBuf::from);
    by_run.into_iter().chain([target().join("tests-run/evaluator/node_modules"), by_hand]).find(|path| path.is_dir())
}

/// The Python that `tests/run` sets up, where it has pyxform.
pub(crate) fn python() -> Option<PathBuf> {
    let by_run = env::var_os("MERESTONE_PYTHON").map(PathBuf::from);
    let found = by_run.into_iter().chain([target().join("tests-run/venv/bin/python")]).find(|path| path.is_file())?;
    let has = std::process::Command::new(&found).args(["-c", "import pyxform"]).output();
    has.is_ok_and(|output| output.status.success()).then_some(found)
}

fn target() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}
