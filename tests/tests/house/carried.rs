//! Whose code a package carries, and under which licences: the page that travels inside each of them.
//!
//! Where a crate offers Apache-2.0, that is what we take; its text stands once. All other crates bring their own texts.
//! After a change of the tree: `MERESTONE_WRITE_LICENCES=1 cargo test -p merestone-tests --test house carried`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::breach::{Breach, assert_holds, assert_refused, root};
use crate::graph::{Crate, Graph};
use crate::licences::satisfied;

const RENEW: &str = "MERESTONE_WRITE_LICENCES";
const APACHE: &str = "Apache-2.0";

/// A package with the library in it.
struct Package {
    name: &'static str,
    page: &'static str,
    targets: &'static [&'static str],
    /// What is in it and no crate says, beside [`INSIDE_CRATES`].
    beside: &'static [(&'static str, &'static str)],
}

const PACKAGES: &[Package] = &[
    Package {
        name: "Android",
        page: "mobile-bindings/android/licences/LICENCES.txt",
        targets: &["aarch64-linux-android", "armv7-linux-androideabi", "x86_64-linux-android"],
        // What Gradle adds.
        beside: &[
            ("JNA (net.java.dev.jna:jna)", "Apache-2.0 OR LGPL-2.1-or-later; Apache-2.0 is taken"),
            ("Kotlin's library and coroutines (org.jetbrains.kotlin, org.jetbrains.kotlinx)", APACHE),
        ],
    },
    Package {
        name: "Apple's systems",
        page: "mobile-bindings/ios/Sources/Merestone/Resources/LICENCES.txt",
        targets: &["aarch64-apple-ios", "aarch64-apple-ios-sim", "x86_64-apple-ios", "aarch64-apple-darwin"],
        beside: &[],
    },
    Package {
        name: "Python",
        page: "mobile-bindings/python/LICENCES.txt",
        targets: &[
            "x86_64-unknown-linux-gnu",
            "aarch64-unknown-linux-gnu",
            "x86_64-apple-darwin",
            "aarch64-apple-darwin",
        ],
        beside: &[],
    },
];

/// C code inside crates.
const INSIDE_CRATES: &[(&str, &str)] = &[
    ("SQLite (in libsqlite3-sys)", "public domain, https://www.sqlite.org/copyright.html"),
    ("zstd (in zstd-sys)", "BSD-3-Clause; its text is below"),
];
/// Licence texts of C code that lie deeper in a crate than its own.
const DEEPER: &[(&str, &str)] = &[("zstd-sys", "zstd/LICENSE")];
/// Licences that ask for the way to the source, or for nothing, and not for their text.
const WITHOUT_TEXT: &[&str] = &[APACHE, "MPL-2.0", "CC0-1.0"];
/// Crates under MIT whose archive lacks the text, with the first line of the one in their repository.
const TEXT_IN_REPOSITORY: &[(&str, &str)] = &[
    ("automerge", "Copyright (c) 2019-2021 the Automerge contributors"),
    ("hexane", "Copyright (c) 2019-2021 the Automerge contributors"),
];

/// The crates that are compiled for any of these targets: name, version.
fn carried(targets: &[&'static str]) -> BTreeSet<(String, String)> {
    let mut words = vec!["tree", "--offline", "--locked", "-p", "merestone-ffi", "-e", "normal,no-proc-macro"];
    words.extend(["--prefix", "none", "--format", "{p}"]);
    targets.iter().for_each(|target| words.extend(["--target", target]));
    let output = Command::new(env!("CARGO")).args(&words).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("names");
    let named = tree.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
    });
    named.collect()
}

/// A crate's texts that the page must show; none where Apache-2.0 alone is enough.
fn own_texts(of: &Crate, folder: &Path) -> Vec<String> {
    let is_licence = |name: &str| {
        ["LICENSE", "LICENCE", "COPYING", "UNLICENSE", "NOTICE"]
            .iter()
            .any(|start| name.to_uppercase().starts_with(start))
    };
    let is_taken_as_apache = satisfied(&of.licence, &|licence| licence == APACHE);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| is_licence(name) && (!is_taken_as_apache || name.to_uppercase().starts_with("NOTICE")));
    names.extend(DEEPER.iter().filter(|(name, _)| *name == of.name).map(|(_, path)| (*path).to_owned()));
    names.sort();
    let texts = names.iter().filter_map(|name| fs::read_to_string(folder.join(name)).ok());
    let tidy = |text: String| text.replace("\r\n", "\n").lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let found = texts.map(|text| tidy(text).trim().to_owned()).filter(|text| !is_apache(text));
    let known = TEXT_IN_REPOSITORY.iter().filter(|(name, _)| *name == of.name).map(|(_, holder)| mit(holder));
    found.chain(known).collect()
}

/// The licence's words are those of our own file; who grants it is not.
fn mit(holder: &str) -> String {
    let own = fs::read_to_string(root().join("LICENSE-MIT")).expect("our own licence");
    let (_, words) = own.split_once('\n').expect("the first line names who grants it");
    format!("{holder}\n{}", words.trim_end())
}

fn is_apache(text: &str) -> bool {
    text.contains("Apache License") && text.contains("Version 2.0, January 2004")
}

fn crates_without_a_text(crates: &[&Crate], texts: impl Fn(&Crate) -> Vec<String>) -> Vec<Breach> {
    let enough = |licence: &str| WITHOUT_TEXT.contains(&licence);
    let without = crates.iter().filter(|of| !satisfied(&of.licence, &enough) && texts(of).is_empty());
    without.map(|of| Breach::new(of.title(), format!("has no licence text for {}", of.licence))).collect()
}

fn folder(of: &Crate) -> std::path::PathBuf {
    Path::new("/").join(&of.folder)
}

fn page(package: &Package, crates: &[&Crate]) -> String {
    let mut page = format!("What the library of Merestone for {} is made of, and its licences.\n\n", package.name);
    page.push_str("Merestone itself: MIT OR Apache-2.0.\n\nBeside crates:\n");
    INSIDE_CRATES
        .iter()
        .chain(package.beside)
        .for_each(|(what, licence)| page.push_str(&format!("  {what}: {licence}\n")));
    page.push_str("\nCrates, from https://crates.io/crates/NAME/VERSION, where their source is:\n");
    crates.iter().for_each(|of| page.push_str(&format!("  {} {}: {}\n", of.name, of.version, of.licence)));
    page.push_str("\nWhere Apache-2.0 is offered it is taken; its text is the last one below.\n");
    page.push_str("MPL-2.0 is at https://mozilla.org/MPL/2.0/; no file under it was changed.\n");

    let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for of in crates {
        for text in own_texts(of, &folder(of)) {
            by_text.entry(text).or_default().push(of.title());
        }
    }
    let mut own: Vec<(String, String)> = by_text.into_iter().map(|(text, of)| (of.join(", "), text)).collect();
    own.sort();
    let apache = fs::read_to_string(root().join("LICENSE-APACHE")).expect("our own licence");
    for (of, text) in own.into_iter().chain([("Apache-2.0".to_owned(), apache.trim().to_owned())]) {
        page.push_str(&format!("\n{}\n{of}\n\n{text}\n", "=".repeat(80)));
    }
    page
}

#[test]
fn the_page_of_licences_names_everything_that_a_package_carries() {
    let graph = Graph::of_workspace();
    PACKAGES.iter().for_each(|package| names_everything(package, graph));
}

fn names_everything(package: &Package, graph: &Graph) {
    let carried = carried(package.targets);
    let is_carried = |of: &&Crate| carried.contains(&(of.name.clone(), of.version.clone()));
    let mut crates: Vec<&Crate> = graph.outside().filter(is_carried).collect();
    crates.sort_by_key(|of| of.title());
    assert!(crates.iter().any(|of| of.name == "automerge") && crates.len() > 100, "{} crates", crates.len());
    assert_holds(crates_without_a_text(&crates, |of| own_texts(of, &folder(of))));

    let (now, path) = (page(package, &crates), root().join(package.page));
    if std::env::var_os(RENEW).is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        fs::write(&path, &now).expect("it can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let missing: Vec<&str> = now.lines().filter(|line| !committed.contains(*line)).take(5).collect();
    assert!(
        committed == now,
        "{} is not what the package carries, for instance {missing:?}: \
         {RENEW}=1 cargo test -p merestone-tests --test house carried",
        package.page
    );
}

#[test]
fn a_crate_whose_licence_asks_for_a_text_must_bring_it() {
    let check = |licence: &str, texts: &[&str], expected: bool| {
        let of = Crate {
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            licence: licence.to_owned(),
            ..Crate::default()
        };
        let breaches = crates_without_a_text(&[&of], |_| texts.iter().map(|text| (*text).to_owned()).collect());
        if expected { assert_holds(breaches) } else { assert_refused(breaches, "a 1.0.0") }
    };
    check("MIT OR Apache-2.0", &[], true);
    check("MPL-2.0", &[], true);
    check("MIT", &["Permission is hereby granted"], true);
    check("MIT", &[], false);
    check("Apache-2.0 AND ISC", &[], false);
}
