//! What the tree may contain, read from `deny.toml`: licences, registries, banned crates, second versions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::breach::{Breach, assert_holds, assert_refused, root};
use crate::graph::{Crate, Graph};

/// The part of `deny.toml` that can be checked without cargo-deny.
#[derive(Default)]
struct Deny {
    licences: Vec<String>,
    /// Crate name, and the licences it may have beyond the list.
    exceptions: Vec<(String, Vec<String>)>,
    banned: Vec<String>,
    /// Crate name and the beginning of the version that may be there a second time.
    second_versions: Vec<(String, String)>,
    registries: Vec<String>,
}

impl Deny {
    fn of_workspace() -> Self {
        let file = fs::read_to_string(root().join("deny.toml")).expect("deny.toml can be read");
        Self::read(&toml::from_str(&file).expect("deny.toml is TOML"))
    }

    fn read(file: &Value) -> Self {
        let named = |entry: &Value| entry["crate"].as_str().expect("names a crate").to_owned();
        let (licences, bans) = (&file["licenses"], &file["bans"]);
        let skips = entries(&bans["skip"]).map(|entry| {
            let named = named(entry);
            let (name, version) = named.split_once(':').expect("a second version is name:version");
            (name.to_owned(), version.to_owned())
        });
        Self {
            licences: texts(&licences["allow"]),
            exceptions: entries(&licences["exceptions"]).map(|entry| (named(entry), texts(&entry["allow"]))).collect(),
            banned: entries(&bans["deny"]).map(named).collect(),
            second_versions: skips.collect(),
            registries: texts(&file["sources"]["allow-registry"]),
        }
    }

    fn allows(&self, of: &Crate) -> bool {
        let mut extra = self.exceptions.iter().filter(|(name, _)| *name == of.name).flat_map(|(_, list)| list);
        let known: Vec<&String> = self.licences.iter().chain(&mut extra).collect();
        satisfied(&of.licence, &|licence| known.iter().any(|one| *one == licence))
    }

    fn foresees(&self, name: &str, version: &str) -> bool {
        self.second_versions.iter().any(|(of, start)| of == name && starts_version(version, start))
    }
}

fn entries(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("deny.toml has a list here").iter()
}

fn texts(value: &Value) -> Vec<String> {
    entries(value).map(|one| one.as_str().expect("deny.toml has a text here").to_owned()).collect()
}

/// Whether `start` ("0.10") is the beginning of `version` ("0.10.4") in whole numbers.
fn starts_version(version: &str, start: &str) -> bool {
    version.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether an SPDX expression can be fulfilled with the licences that `known` accepts.
/// `A/B` is the old way of writing `A OR B`.
pub(crate) fn satisfied(expression: &str, known: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let result = alternatives(&words, &mut at, known);
    result && at == words.len()
}

fn alternatives(words: &[&str], at: &mut usize, known: &dyn Fn(&str) -> bool) -> bool {
    let mut result = conjunction(words, at, known);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        result |= conjunction(words, at, known);
    }
    result
}

fn conjunction(words: &[&str], at: &mut usize, known: &dyn Fn(&str) -> bool) -> bool {
    let mut result = one_licence(words, at, known);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        result &= one_licence(words, at, known);
    }
    result
}

fn one_licence(words: &[&str], at: &mut usize, known: &dyn Fn(&str) -> bool) -> bool {
    let Some(&word) = words.get(*at) else { return false };
    *at += 1;
    if word == "(" {
        let result = alternatives(words, at, known);
        *at += 1;
        return result;
    }
    if words.get(*at) == Some(&"WITH") && *at + 1 < words.len() {
        *at += 2;
        return known(&format!("{word} WITH {}", words[*at - 1]));
    }
    known(word)
}

fn licences_outside_the_list(graph: &Graph, deny: &Deny) -> Vec<Breach> {
    let foreign = graph.crates.values().filter(|of| !deny.allows(of));
    foreign.map(|of| Breach::new(of.title(), format!("licence {:?} is not in deny.toml", of.licence))).collect()
}

fn licences_nobody_has(graph: &Graph, deny: &Deny) -> Vec<Breach> {
    let has = |of: &Crate, licence: &str| of.licence.split([' ', '/', '(', ')']).any(|word| word == licence);
    let mut breaches = Vec::new();
    for licence in &deny.licences {
        if !graph.crates.values().any(|of| has(of, licence)) {
            breaches.push(Breach::new(licence, "is allowed in deny.toml and no crate has it"));
        }
    }
    for (name, _) in &deny.exceptions {
        if !graph.outside().any(|of| of.name == *name) {
            breaches.push(Breach::new(name, "has an exception in deny.toml and is not in the tree"));
        }
    }
    breaches
}

fn crates_from_elsewhere(graph: &Graph, deny: &Deny) -> Vec<Breach> {
    let known: Vec<String> = deny.registries.iter().map(|url| format!("registry+{url}")).collect();
    let foreign = graph.outside().filter(|of| !of.source.as_ref().is_some_and(|source| known.contains(source)));
    foreign.map(|of| Breach::new(of.title(), format!("comes from {:?}", of.source))).collect()
}

fn banned_crates(graph: &Graph, deny: &Deny) -> Vec<Breach> {
    let found = graph.outside().filter(|of| deny.banned.contains(&of.name));
    found.map(|of| Breach::new(of.title(), "is banned in deny.toml, with the reason")).collect()
}

fn second_versions(graph: &Graph, deny: &Deny) -> Vec<Breach> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for of in graph.outside() {
        versions.entry(&of.name).or_default().insert(&of.version);
    }
    let mut breaches = Vec::new();
    for (name, of) in &versions {
        let unforeseen: Vec<&str> = of.iter().copied().filter(|version| !deny.foresees(name, version)).collect();
        if unforeseen.len() > 1 {
            let list = unforeseen.join(", ");
            let what =
                format!("is there as {list}: agree on one, or give the other its reason in deny.toml [bans] skip");
            breaches.push(Breach::new(*name, what));
        }
    }
    for (name, start) in &deny.second_versions {
        let of = versions.get(name.as_str());
        if !of.is_some_and(|of| of.len() > 1 && of.iter().any(|version| starts_version(version, start))) {
            breaches.push(Breach::new(
                format!("{name}:{start}"),
                "is skipped in deny.toml and no second version: remove it",
            ));
        }
    }
    breaches
}

fn from_registry(name: &str, version: &str, licence: &str, source: &str) -> Crate {
    Crate {
        name: name.to_owned(),
        version: version.to_owned(),
        licence: licence.to_owned(),
        source: Some(source.to_owned()),
        ..Crate::default()
    }
}

fn sample(crates: Vec<Crate>) -> Graph {
    Graph { crates: crates.into_iter().map(|of| (of.title(), of)).collect() }
}

#[test]
fn every_licence_is_on_the_list_and_the_list_holds_no_other() {
    let (graph, deny) = (Graph::of_workspace(), Deny::of_workspace());
    assert_holds(licences_outside_the_list(graph, &deny));
    assert_holds(licences_nobody_has(graph, &deny));

    let deny = Deny { licences: vec!["MIT".to_owned()], ..Deny::default() };
    let bad = sample(vec![from_registry("a", "1.0.0", "MIT AND GPL-3.0-only", "")]);
    assert_refused(licences_outside_the_list(&bad, &deny), "a 1.0.0");
    let unstated = sample(vec![from_registry("a", "1.0.0", "", "")]);
    assert_refused(licences_outside_the_list(&unstated, &deny), "a 1.0.0");
    let none = sample(vec![from_registry("a", "1.0.0", "ISC", "")]);
    assert_refused(licences_nobody_has(&none, &deny), "MIT");
}

#[test]
fn licence_expressions_are_read_as_spdx_means_them() {
    let check = |expression: &str, expected: bool| {
        let known = |licence: &str| ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&licence);
        assert_eq!(satisfied(expression, &known), expected, "{expression}");
    };
    check("MIT", true);
    check("GPL-3.0-only", false);
    check("MIT/Apache-2.0", true);
    check("GPL-3.0-only OR MIT", true);
    check("GPL-3.0-only AND MIT", false);
    check("GPL-3.0-only AND MIT OR ISC", true);
    check("(GPL-3.0-only OR MIT) AND ISC", true);
    check("(GPL-3.0-only OR MIT) AND Zlib", false);
    check("Apache-2.0 WITH LLVM-exception", true);
    check("MIT WITH LLVM-exception", false);
    check("MIT Zlib", false);
    check("", false);
}

#[test]
fn every_crate_comes_from_an_allowed_registry() {
    let deny = Deny::of_workspace();
    assert_holds(crates_from_elsewhere(Graph::of_workspace(), &deny));
    let bad = sample(vec![from_registry("a", "1.0.0", "MIT", "git+https://example.org/a")]);
    assert_refused(crates_from_elsewhere(&bad, &deny), "a 1.0.0");
}

#[test]
fn no_banned_crate_is_in_the_tree() {
    let deny = Deny::of_workspace();
    assert_holds(banned_crates(Graph::of_workspace(), &deny));
    let bad = sample(vec![from_registry("coset", "0.3.8", "Apache-2.0", "")]);
    assert_refused(banned_crates(&bad, &deny), "coset 0.3.8");
}

#[test]
fn every_second_version_has_its_reason_and_every_reason_its_second_version() {
    assert_holds(second_versions(Graph::of_workspace(), &Deny::of_workspace()));

    let twice = || sample(vec![from_registry("a", "1.0.0", "MIT", ""), from_registry("a", "2.0.0", "MIT", "")]);
    let skip = |name: &str, start: &str| Deny {
        second_versions: vec![(name.to_owned(), start.to_owned())],
        ..Deny::default()
    };
    assert_refused(second_versions(&twice(), &Deny::default()), "a");
    assert_holds(second_versions(&twice(), &skip("a", "1")));
    let once = sample(vec![from_registry("a", "2.0.0", "MIT", "")]);
    assert_refused(second_versions(&once, &skip("a", "1")), "a:1");
}
