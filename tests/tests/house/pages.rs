//! Pages that must keep up with the folders they describe.

use std::fs;

use crate::breach::{Breach, assert_holds, assert_refused, root};
use crate::graph::Graph;
use crate::sources::{Source, read};

/// Each of `names` stands in backticks somewhere on `page`.
fn names_missing_on(page: &Source, names: &[String]) -> Vec<Breach> {
    let missing = names.iter().filter(|name| !page.text.contains(&format!("`{name}")));
    missing.map(|name| Breach::new(name, format!("is not named in {}", page.path))).collect()
}

#[test]
fn the_code_map_names_every_room() {
    let folders: Vec<String> = Graph::of_workspace().members().map(|of| of.folder.clone()).collect();
    let page = read(&root(), "ARCHITECTURE.md");
    assert_holds(names_missing_on(&page, &folders));
    assert_refused(names_missing_on(&page, &["core/attic".to_owned()]), "core/attic");
}

#[test]
fn every_fixture_has_its_line() {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("fixtures")).expect("fixtures can be read") {
        let name = entry.expect("fixtures can be read").file_name().to_string_lossy().into_owned();
        if name != "README.md" && !name.starts_with('.') {
            names.push(name);
        }
    }
    assert_holds(names_missing_on(&read(&root(), "fixtures/README.md"), &names));
    let bad = Source::sample("fixtures/README.md", "| `vectors/` | made by `make.py` |\n");
    assert_refused(names_missing_on(&bad, &["photos".to_owned()]), "photos");
}
