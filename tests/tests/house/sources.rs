//! What a source file may say, room by room.

use std::fs;
use std::path::Path;

use crate::breach::{Breach, assert_holds, assert_refused, root};

/// One file as a rule sees it.
pub(crate) struct Source {
    /// Below the root of the workspace, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn sample(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Lines with their numbers, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    pub(crate) fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }

    /// Lines without their comments. `://` begins no comment.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().map(|(line, text)| {
            let comment = text.match_indices("//").find(|(at, _)| !text[..*at].ends_with(':'));
            (line, comment.map_or(text, |(at, _)| &text[..at]))
        })
    }

    /// The code before the tests, which stand last in a file or in a file of their own.
    pub(crate) fn product_code(&self) -> impl Iterator<Item = (usize, &str)> {
        let only_tests = self.path.ends_with("/tests.rs") || self.path.contains("/tests/");
        self.code().take_while(move |(_, text)| !only_tests && text.trim() != "#[cfg(test)]")
    }
}

/// Reads one file below `root`.
pub(crate) fn read(root: &Path, path: &str) -> Source {
    let text = fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    Source { path: path.to_owned(), text }
}

/// Every file below `folder` whose name ends in one of `endings`; build output and hidden folders aside.
pub(crate) fn files(folder: &str, endings: &[&str]) -> Vec<Source> {
    let root = root();
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap_or_else(|error| panic!("{folder}: {error}")) {
            let entry = entry.expect("a folder of the workspace can be read");
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let kind = entry.file_type().expect("a file has a type");
            if kind.is_dir() && !["target", "build", "node_modules"].contains(&name.as_str()) && !name.starts_with('.')
            {
                open.push(path);
            } else if kind.is_file() && endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(read(&root, &path));
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// What a room stays away from: whole words and paths, in its product code.
struct Ban {
    folder: &'static str,
    words: &'static [&'static str],
    instead: &'static str,
    /// Holds for the tests inside the room too.
    in_tests: bool,
}

#[rustfmt::skip]
const BANS: &[Ban] = &[
    Ban {
        folder: "core/src",
        words: &[
            "SystemTime", "Instant", "std::fs", "std::net", "std::thread", "std::process", "async",
            "rand", "rand_core", "getrandom", "OsRng", "tokio",
        ],
        instead: "core has no clock, randomness, file, socket, thread or async: take it as an argument; a test that needs it stands in tests/",
        in_tests: true,
    },
    Ban {
        folder: "core/store/src",
        words: &["std::net"],
        instead: "the store has no network",
        in_tests: false,
    },
    Ban {
        folder: "core/media/src",
        words: &["std::fs", "std::net", "SystemTime", "Instant", "async"],
        instead: "a photo is bytes in memory: take what is needed as an argument",
        in_tests: false,
    },
    Ban {
        folder: "core/forms/src",
        words: &["std::fs", "std::net", "std::thread", "SystemTime", "Instant", "async"],
        instead: "a form is bytes in and questions out",
        in_tests: false,
    },
    Ban {
        folder: "core/exchange/src",
        words: &["std::fs", "std::net", "std::thread", "SystemTime", "Instant", "async"],
        instead: "values and bytes in, bytes and values out: whoever calls opens files and asks clocks",
        in_tests: false,
    },
    Ban {
        folder: "core/audit/src",
        words: &["std::net", "SystemTime", "Instant", "async"],
        instead: "the same bag gives the same report on any day and machine",
        in_tests: false,
    },
];

/// Everything but core's own sources: these know the full verifier only.
const PRODUCT: &[&str] = &[
    "core/store/src",
    "core/link/src",
    "core/media/src",
    "core/forms/src",
    "core/exchange/src",
    "core/node/src",
    "core/audit/src",
    "sync-server/src",
    "ffi/src",
    "mobile-bindings/bindgen/src",
];

fn banned_words(sources: &[Source], ban: &Ban) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in sources {
        let code: Vec<(usize, &str)> =
            if ban.in_tests { source.code().collect() } else { source.product_code().collect() };
        let mut texts: Vec<(usize, String)> = code.iter().map(|(line, text)| (*line, (*text).to_owned())).collect();
        texts.extend(imports(&code));
        for word in ban.words {
            let lines = texts.iter().filter(|(_, text)| has_word(text, word)).map(|(line, _)| *line);
            let mut lines: Vec<usize> = lines.collect();
            lines.sort_unstable();
            lines.dedup();
            breaches.extend(
                lines.into_iter().map(|line| Breach::new(source.place(line), format!("names {word}: {}", ban.instead))),
            );
        }
    }
    breaches
}

/// Each path of each grouped `use`, written out, at the line where the statement begins.
fn imports(code: &[(usize, &str)]) -> Vec<(usize, String)> {
    let (mut paths, mut statement) = (Vec::new(), None::<(usize, String)>);
    for (line, text) in code {
        let text = text.trim();
        if statement.is_none() && (text.starts_with("use ") || (text.starts_with("pub") && text.contains(" use "))) {
            statement = Some((*line, String::new()));
        }
        if let Some((start, collected)) = &mut statement {
            collected.push_str(text);
            if text.ends_with(';') {
                let from = collected.find("use ").map_or(0, |at| at + "use ".len());
                let mut expanded = Vec::new();
                expand("", collected[from..].trim_end_matches(';'), &mut expanded);
                paths.extend(expanded.into_iter().map(|path| (*start, path)));
                statement = None;
            }
        }
    }
    paths
}

/// `std::{fs, time::Instant}` is `std::fs` and `std::time::Instant`.
fn expand(before: &str, text: &str, paths: &mut Vec<String>) {
    let Some((head, rest)) = text.split_once('{') else {
        paths.push(format!("{before}{}", text.trim()));
        return;
    };
    let before = format!("{before}{}", head.trim());
    let inner = rest.trim_end().strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut start) = (0_usize, 0);
    for (at, character) in inner.char_indices().chain([(inner.len(), ',')]) {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                if !inner[start..at].trim().is_empty() {
                    expand(&before, inner[start..at].trim(), paths);
                }
                start = (at + 1).min(inner.len());
            }
            _ => {}
        }
    }
}

pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let part_of_a_name = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(part_of_a_name) && !text[at + word.len()..].starts_with(part_of_a_name))
}

/// The verifier takes a policy so that tests can switch one check off; products use the full one.
fn weakened_verifiers(sources: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in sources {
        for (line, text) in source.code() {
            if has_word(text, "verify_with") || (has_word(text, "impl") && has_word(text, "Policy")) {
                breaches.push(Breach::new(source.place(line), "weakens the verifier: only tests/ may choose a policy"));
            }
        }
    }
    breaches
}

fn ignored_tests(sources: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in sources {
        for (line, text) in source.code() {
            let text = text.trim_start();
            if text.starts_with(concat!("#[", "ignore"))
                || (text.starts_with("#[cfg_attr(") && has_word(text, "ignore"))
            {
                breaches.push(Breach::new(
                    source.place(line),
                    "ignores a test: run it, or say with `skip` what is missing",
                ));
            }
        }
    }
    breaches
}

fn files_without_a_page(sources: &[Source]) -> Vec<Breach> {
    let without = sources.iter().filter(|source| !source.text.starts_with("//! "));
    without
        .map(|source| Breach::new(source.place(1), "does not begin with `//! `: what is it for, what does it not do?"))
        .collect()
}

/// `allow` and `expect` attributes without `reason = "…"`.
fn allows_without_a_reason(sources: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in sources {
        let code: Vec<(usize, &str)> = source.code().collect();
        for (at, (line, text)) in code.iter().enumerate() {
            let text = text.trim_start();
            let opens =
                ["#[allow(", "#![allow(", "#[expect(", "#![expect("].iter().any(|start| text.starts_with(start));
            let end =
                code[at..].iter().position(|(_, text)| text.contains(")]")).map_or(code.len(), |more| at + more + 1);
            if opens && !code[at..end].iter().any(|(_, text)| has_word(text, "reason")) {
                breaches.push(Breach::new(source.place(*line), "carries no reason: `reason = \"…\"`"));
            }
        }
    }
    breaches
}

fn anyhow_outside_main(sources: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in sources.iter().filter(|source| !source.path.ends_with("/main.rs")) {
        let named = source.code().filter(|(_, text)| has_word(text, "anyhow"));
        breaches
            .extend(named.map(|(line, _)| Breach::new(source.place(line), "names anyhow: it stands in main.rs only")));
    }
    breaches
}

/// Paths that exist on one person's machine only.
fn paths_of_a_machine(sources: &[Source]) -> Vec<Breach> {
    let homes = [
        concat!("/ho", "me/"),
        concat!("/Use", "rs/"),
        concat!("/ro", "ot/"),
        concat!("/wo", "rk/"),
        concat!("C:", "\\"),
    ];
    let begins_a_path = |before: &str| before.chars().next_back().is_none_or(|last| " \t\"'`(=:<>,".contains(last));
    let mut breaches = Vec::new();
    for source in sources {
        for (line, text) in source.lines() {
            let found = homes.iter().any(|home| text.match_indices(home).any(|(at, _)| begins_a_path(&text[..at])));
            if found {
                breaches.push(Breach::new(source.place(line), "names a path of one machine"));
            }
        }
    }
    breaches
}

fn of_products() -> Vec<Source> {
    PRODUCT.iter().flat_map(|folder| files(folder, &[".rs"])).collect()
}

#[test]
fn rooms_stay_away_from_what_is_not_theirs() {
    for ban in BANS {
        let sources = files(ban.folder, &[".rs"]);
        assert!(!sources.is_empty(), "{} has sources", ban.folder);
        assert_holds(banned_words(&sources, ban));
    }
}

#[test]
fn core_refuses_every_way_to_name_a_clock_a_file_or_a_thread() {
    let check = |text: &str, line: usize| {
        let bad = Source::sample("core/src/x.rs", text);
        assert_refused(banned_words(&[bad], &BANS[0]), &format!("core/src/x.rs:{line}"));
    };
    check("//! X.\nlet now = std::time::SystemTime::now();\n", 2);
    check("use std::time::{Duration, Instant};\n", 1);
    check("use std::{collections::BTreeMap, fs};\n", 1);
    check("use std::{\n    collections::{BTreeMap, BTreeSet},\n    net::{IpAddr, TcpStream},\n};\n", 1);
    check("std::thread::spawn(work);\n", 1);
    check("pub async fn wait() {}\n", 1);
    check("let seed: [u8; 16] = rand::random();\n", 1);
    check("getrandom::fill(&mut seed);\n", 1);
    check("#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n", 3);

    let good = "//! No `std::fs` here, no `Instant`.\nlet instantly = operand; // async would be wrong\nuse std::time::Duration;\n";
    assert_holds(banned_words(&[Source::sample("core/src/x.rs", good)], &BANS[0]));
}

#[test]
fn tests_of_a_room_may_read_a_file_and_its_product_code_may_not() {
    let media = BANS.iter().find(|ban| ban.folder == "core/media/src").expect("media has its ban");
    let good = "//! X.\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
    assert_holds(banned_words(&[Source::sample("core/media/src/x.rs", good)], media));
    let bad = "//! X.\nuse std::fs;\n#[cfg(test)]\nmod tests {}\n";
    assert_refused(banned_words(&[Source::sample("core/media/src/x.rs", bad)], media), "core/media/src/x.rs:2");
}

#[test]
fn products_use_the_full_verifier_only() {
    assert_holds(weakened_verifiers(&of_products()));
    let check = |text: &str| {
        assert_refused(weakened_verifiers(&[Source::sample("core/node/src/x.rs", text)]), "core/node/src/x.rs:1");
    };
    check("let entry = signed.verify_with(&Lenient)?;\n");
    check("impl Policy for Lenient {}\n");
    check("impl<T> merestone_core::Policy for Lenient<T> {}\n");
}

#[test]
fn no_test_is_ignored() {
    assert_holds(ignored_tests(&files("", &[".rs"])));
    let check = |text: &str| assert_refused(ignored_tests(&[Source::sample("tests/x.rs", text)]), "tests/x.rs:2");
    check(concat!("#[test]\n#[", "ignore]\nfn slow() {}\n"));
    check(concat!("#[test]\n#[", "ignore = \"slow\"]\nfn slow() {}\n"));
    check("#[test]\n#[cfg_attr(debug_assertions, ignore)]\nfn slow() {}\n");
}

#[test]
fn every_file_begins_with_its_page() {
    let sources = files("", &[".rs"]);
    assert!(sources.len() >= 10, "the rule looks at every source");
    assert_holds(files_without_a_page(&sources));
    let bad = Source::sample("core/src/x.rs", "use std::fmt;\n//! Late.\n");
    assert_refused(files_without_a_page(&[bad]), "core/src/x.rs:1");
}

#[test]
fn every_allow_carries_a_reason() {
    assert_holds(allows_without_a_reason(&files("", &[".rs"])));
    let bad = Source::sample("x.rs", "fn a() {}\n#[allow(dead_code)]\nfn b() {} // for a reason\n");
    assert_refused(allows_without_a_reason(&[bad]), "x.rs:2");
    let good = Source::sample(
        "x.rs",
        "#[expect(\n    clippy::large_enum_variant,\n    reason = \"few exist\"\n)]\nenum A {}\n",
    );
    assert_holds(allows_without_a_reason(&[good]));
}

#[test]
fn anyhow_stands_in_main_only() {
    assert_holds(anyhow_outside_main(&of_products()));
    let bad = Source::sample("sync-server/src/x.rs", "use anyhow::Context;\n");
    assert_refused(anyhow_outside_main(&[bad]), "sync-server/src/x.rs:1");
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    let endings =
        &[".rs", ".toml", ".md", ".py", ".sh", ".sql", ".html", ".css", ".kt", ".kts", ".swift", ".yml", "/run"];
    let mut sources = files("", endings);
    sources.extend([read(&root(), "tests/run"), read(&root(), ".ci/run")]);
    assert_holds(paths_of_a_machine(&sources));
    let bad = Source::sample("x.md", concat!("fine\nsee `/ho", "me/ana/merestone`\n"));
    assert_refused(paths_of_a_machine(&[bad]), "x.md:2");
    let url = Source::sample("x.md", concat!("https://example.org/ho", "me/page\n"));
    assert_holds(paths_of_a_machine(&[url]));
}
