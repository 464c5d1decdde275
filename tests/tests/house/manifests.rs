//! What the manifests say: reasons for dependencies, lints, profiles.

use crate::breach::{Breach, assert_holds, assert_refused, root};
use crate::graph::Graph;
use crate::sources::{Source, read};

/// Dependencies of the workspace without a comment on their line or above their group.
/// A group ends at an empty line or at the next comment.
fn dependencies_without_a_reason(manifest: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let (mut inside, mut reason) = (false, false);
    for (line, text) in manifest.lines() {
        let text = text.trim();
        if text.starts_with('[') {
            inside = text == "[workspace.dependencies]";
            reason = false;
        } else if text.is_empty() {
            reason = false;
        } else if let Some(comment) = text.strip_prefix('#') {
            reason = comment.trim().len() >= 10;
        } else if inside && text.contains('=') && !reason && !text.contains("\" #") && !text.contains("} #") {
            let name = text.split('=').next().unwrap_or(text).trim();
            breaches
                .push(Breach::new(manifest.place(line), format!("{name} has no reason: a comment above it or on it")));
        }
    }
    breaches
}

fn crates_without_the_lints(manifests: &[Source]) -> Vec<Breach> {
    let inherits = |manifest: &Source| {
        let mut lines = manifest.text.lines().map(str::trim).skip_while(|line| *line != "[lints]");
        lines.next().is_some() && lines.next() == Some("workspace = true")
    };
    let without = manifests.iter().filter(|manifest| !inherits(manifest));
    without
        .map(|manifest| Breach::new(&manifest.path, "does not inherit the lints: [lints] workspace = true"))
        .collect()
}

/// A panic reaches an app as an internal error only while builds unwind.
fn aborting_profiles(manifests: &[Source]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for manifest in manifests {
        for (line, text) in manifest.lines() {
            let bare: String = text.split('#').next().unwrap_or_default().split_whitespace().collect();
            if bare.contains(concat!("panic=", "\"abort\"")) || bare.contains(concat!("panic=", "'abort'")) {
                breaches.push(Breach::new(manifest.place(line), "aborts on a panic: the app must be told instead"));
            }
        }
    }
    breaches
}

/// What every profile for phones must say, and why.
const MOBILE: &[(&str, &str, &str)] = &[
    ("panic", "unwind", "a panic would end the app"),
    ("strip", "none", "the generator would find no interface in the library"),
];

/// Every profile for phones says it itself: what it inherits from may change for other reasons.
fn mobile_profiles_left_to_chance(manifest: &Source) -> Vec<Breach> {
    let table: toml::Table = toml::from_str(&manifest.text).expect("a manifest is TOML");
    let profiles = table.get("profile").and_then(toml::Value::as_table);
    let mobile = profiles.into_iter().flatten().filter(|(name, _)| name.starts_with("mobile"));
    let mut breaches = Vec::new();
    for (name, profile) in mobile {
        for (key, value, consequence) in MOBILE {
            if profile.get(key).and_then(toml::Value::as_str) != Some(value) {
                let what = format!("must say {key} = \"{value}\": else {consequence}");
                breaches.push(Breach::new(format!("{}: profile.{name}", manifest.path), what));
            }
        }
    }
    breaches
}

fn manifests_of_members() -> Vec<Source> {
    Graph::of_workspace().members().map(|of| read(&root(), &format!("{}/Cargo.toml", of.folder))).collect()
}

#[test]
fn every_workspace_dependency_has_its_reason() {
    let manifest = read(&root(), "Cargo.toml");
    assert!(manifest.text.contains("[workspace.dependencies]"), "the rule looks at the right file");
    assert_holds(dependencies_without_a_reason(&manifest));

    let bad =
        Source::sample("Cargo.toml", "[workspace.dependencies]\n# Every digest.\nsha2 = \"1\"\n\nserde = \"1\"\n");
    assert_refused(dependencies_without_a_reason(&bad), "Cargo.toml:5");
    let on_it = Source::sample("Cargo.toml", "[workspace.dependencies]\nsha2 = \"1\" # every digest\n");
    assert_holds(dependencies_without_a_reason(&on_it));
}

#[test]
fn every_crate_inherits_the_workspace_lints() {
    let manifests = manifests_of_members();
    assert!(manifests.len() >= 10, "the rule looks at every member");
    assert_holds(crates_without_the_lints(&manifests));
    let bad = Source::sample("core/Cargo.toml", "[package]\nname = \"x\"\n[lints.rust]\nunsafe_code = \"allow\"\n");
    assert_refused(crates_without_the_lints(&[bad]), "core/Cargo.toml");
}

#[test]
fn no_profile_aborts_on_a_panic() {
    let mut manifests = manifests_of_members();
    manifests.push(read(&root(), "Cargo.toml"));
    assert_holds(aborting_profiles(&manifests));
    let bad = Source::sample("Cargo.toml", concat!("[profile.release]\npanic = ", "\"abort\"\n"));
    assert_refused(aborting_profiles(&[bad]), "Cargo.toml:2");
}

#[test]
fn every_profile_for_phones_unwinds_and_keeps_its_symbols() {
    let manifest = read(&root(), "Cargo.toml");
    assert!(manifest.text.contains("[profile.mobile]"), "the rule looks at the right file");
    assert_holds(mobile_profiles_left_to_chance(&manifest));
    let check = |text: &str| {
        let bad = Source::sample("Cargo.toml", text);
        assert_refused(mobile_profiles_left_to_chance(&bad), "Cargo.toml: profile.mobile-ios");
    };
    check("[profile.mobile-ios]\ninherits = \"mobile\"\nstrip = \"none\"\n");
    check("[profile.mobile-ios]\npanic = \"abort\"\nstrip = \"none\"\n");
    check("[profile.mobile-ios]\npanic = \"unwind\"\nstrip = \"symbols\"\n");
}
