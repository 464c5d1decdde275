//! What apps can call is committed, so that a change of it is seen in review, in each language.
//!
//! After a change that is meant: `MERESTONE_WRITE_SURFACES=1 cargo test -p merestone-bindgen --test surface`.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

// Named so that Cargo builds the library before these tests run.
use merestone_ffi as _;

const RENEW: &str = "MERESTONE_WRITE_SURFACES";

/// The library as Cargo built it for this very test: it lies beside it.
fn library() -> PathBuf {
    let name = format!("{}merestone_ffi{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    let library = env::current_exe().unwrap().parent().unwrap().join(name);
    assert!(library.is_file(), "{} is not there", library.display());
    library
}

fn bindgen(arguments: &[&str], library: &Path) -> Output {
    let (verb, rest) = arguments.split_first().unwrap();
    Command::new(env!("CARGO_BIN_EXE_merestone-bindgen")).arg(verb).arg(library).args(rest).output().unwrap()
}

fn surface(language: &str) -> String {
    let output = bindgen(&["surface", "--language", language], &library());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn generated(language: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = bindgen(&["generate", "--language", language, "--out", folder.path().to_str().unwrap()], &library());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = match language {
        "kotlin" => "org/merestone/crossing/merestone_ffi.kt",
        "swift" => "MerestoneCrossing.swift",
        _ => "merestone_ffi.py",
    };
    fs::read_to_string(folder.path().join(file)).unwrap()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty()).collect()
}

/// The first line that differs, as a person can look for it.
fn first_difference(committed: &str, built: &str) -> String {
    let mut lines = built.lines().map(Some).chain(std::iter::repeat(None));
    let differs = |(at, line): (usize, Option<&str>)| {
        let now = lines.next().flatten();
        (line != now).then(|| format!("line {}: committed {line:?}, built {now:?}", at + 1))
    };
    let ends = std::iter::once(None);
    committed.lines().map(Some).chain(ends).enumerate().find_map(differs).unwrap_or_else(|| "line ends".to_owned())
}

fn check(language: &str, folder: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder).join("surface.txt");
    let built = surface(language);
    if env::var_os(RENEW).is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &built).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == built,
        "mobile-bindings/{folder}/surface.txt is not what the library offers ({}); if the change is meant: \
         {RENEW}=1 cargo test -p merestone-bindgen --test surface, then look at the difference and commit it",
        first_difference(&committed, &built)
    );
}

#[test]
fn the_surface_of_kotlin_is_the_committed_one() {
    check("kotlin", "android");
}

#[test]
fn the_surface_of_swift_is_the_committed_one() {
    check("swift", "ios");
}

#[test]
fn the_surface_of_python_is_the_committed_one() {
    check("python", "python");
}

/// The surface is rendered apart from the generated code: were a name written otherwise there, nobody could use it.
#[test]
fn every_name_of_a_surface_stands_in_the_generated_code() {
    // What only a surface says; everything else is a name, a type or a keyword of the language.
    let ours: BTreeSet<&str> = ["companion", "exception", "error", "static", "union", "raises", "classmethod"]
        .into_iter()
        .chain(["dataclass", "protocol", "struct", "enum", "interface", "throws", "data", "sealed", "dict", "list"])
        .collect();
    for language in ["kotlin", "swift", "python"] {
        let (surface, code) = (surface(language), generated(language));
        let (code, named) = (words(&code), words(&surface));
        // A default's number is written as each language writes its numbers: `1000u`.
        let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
        let is_foreign = |word: &&&str| !ours.contains(**word) && !is_number(word);
        let missing: Vec<&&str> = named.difference(&code).filter(is_foreign).collect();
        assert!(named.len() > 40, "{language}: {} names", named.len());
        assert!(missing.is_empty(), "{language}: {missing:?} are not in the generated code");
    }
}

#[test]
fn a_library_without_a_crossing_is_refused_in_words() {
    let nothing = bindgen(&["surface", "--language", "swift"], Path::new(env!("CARGO_BIN_EXE_merestone-bindgen")));
    assert!(!nothing.status.success());
    let said = String::from_utf8(nothing.stderr).unwrap();
    assert!(said.contains("No UniFFI metadata"), "{said}");
    let absent = bindgen(&["generate", "--language", "kotlin", "--out", "/nowhere"], Path::new("no-library.so"));
    assert!(String::from_utf8(absent.stderr).unwrap().contains("no-library.so"));
}

#[test]
fn the_first_difference_is_named() {
    assert_eq!(first_difference("a\nb\n", "a\nc\n"), r#"line 2: committed Some("b"), built Some("c")"#);
    assert_eq!(first_difference("a\n", "a\nc\n"), r#"line 2: committed None, built Some("c")"#);
    assert_eq!(first_difference("a\nc\n", "a\n"), r#"line 2: committed Some("c"), built None"#);
}
