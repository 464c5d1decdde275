//! Workbooks against the XForms that pyxform, the converter that everybody uses, makes of them: both are read into
//! models, and every difference stands in a table with its reason.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use merestone_forms::NamedFile;
use merestone_forms::model::Model;

use crate::compare::differences;
use crate::{common, skip};

/// The differences: name of the file, which XForm, what differs; and the reason, a line that begins with `#`, before
/// those that it is the reason of.
const TABLE: &str = "tests/conformance/expected/converted.txt";

fn workbooks(forms: &Path) -> Vec<PathBuf> {
    let is_workbook =
        |path: &PathBuf| matches!(path.extension().and_then(|e| e.to_str()), Some("xls" | "xlsx" | "csv"));
    let is_data = |path: &PathBuf| path.parent().is_some_and(|folder| folder.ends_with("media"));
    common::files(forms).into_iter().filter(|path| is_workbook(path) && !is_data(path)).collect()
}

fn of_xform(text: &str, name: &str) -> Result<Model, String> {
    Model::read(NamedFile { name, bytes: text.as_bytes() }, &[]).map_err(|refused| format!("refused: {refused}"))
}

/// Every line of the table but the reasons.
fn lines(table: &str) -> Vec<&str> {
    table.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn compared(name: &str, which: &str, workbook: &Model, xform: Result<Model, String>, found: &mut Vec<String>) {
    match xform {
        // An instance without its groups, which only ODK Tables asked for.
        Ok(_) if workbook.settings.contains_key("flat") => found.push(format!("{name} {which} flattened")),
        Ok(xform) => found.extend(differences(workbook, &xform).iter().map(|line| format!("{name} {which} {line}"))),
        Err(refused) => found.push(format!("{name} {which} {refused}")),
    }
}

fn held(which: &str, mut found: Vec<String>) {
    found = found.into_iter().map(|line| line.replace('\n', " ").trim_end().to_owned()).collect();
    if let Some(path) = env::var_os("MERESTONE_WRITE_TABLES") {
        let file = Path::new(&path).join(format!("converted.{which}.txt"));
        return fs::write(file, found.join("\n") + "\n").expect("the lines can be written");
    }
    let table = fs::read_to_string(TABLE).expect("the table is committed");
    let known: Vec<&str> = lines(&table).into_iter().filter(|line| line.split(' ').nth(1) == Some(which)).collect();
    let new: Vec<&String> = found.iter().filter(|line| !known.contains(&line.as_str())).collect();
    let gone: Vec<&&str> = known.iter().filter(|line| !found.iter().any(|new| new == *line)).collect();
    assert!(new.is_empty() && gone.is_empty(), "without a reason: {new:#?}; no longer so: {gone:#?}");
}

#[test]
fn workbooks_and_the_xforms_beside_them_are_the_same_forms() {
    let Some(forms) = common::forms() else {
        return skip::skip("the folder of forms is absent (MERESTONE_SHARED names the folder it is in)");
    };
    let mut found = Vec::new();
    let beside = workbooks(&forms).into_iter().map(|book| (book.with_extension("expected.xml"), book));
    let pairs: Vec<_> = beside.filter(|(xform, _)| xform.is_file()).collect();
    assert_eq!(pairs.len(), 10);
    for (xform, book) in pairs {
        let name = book.file_name().expect("a file has a name").to_string_lossy().into_owned();
        let model = common::read(&book).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        let text = fs::read_to_string(&xform).expect("the XForm can be read");
        compared(&name, "beside", &model, of_xform(&text, &name), &mut found);
    }
    held("beside", found);
}

#[test]
fn workbooks_are_what_pyxform_makes_of_them() {
    let (Some(forms), Some(python)) = (common::forms(), common::python()) else {
        return skip::skip("the folder of forms, or a Python with pyxform, is absent (tests/run sets it up)");
    };
    held("converted", converted(&python, &forms, &workbooks(&forms)));
}

#[test]
fn forms_of_our_own_are_what_pyxform_makes_of_them() {
    let Some(python) = common::python() else {
        return skip::skip("a Python with pyxform is absent (tests/run sets it up)");
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["tests/conformance/forms", "src/standard"].map(|folder| root.join(folder));
    let is_sheets = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let books: Vec<PathBuf> = folders.iter().flat_map(|folder| common::files(folder)).filter(is_sheets).collect();
    assert!(books.len() >= 5, "{books:?}");
    held(
        "own",
        converted(&python, root, &books).into_iter().map(|line| line.replacen(" converted ", " own ", 1)).collect(),
    );
}

/// What differs between books and what pyxform makes of them.
fn converted(python: &Path, root: &Path, books: &[PathBuf]) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/convert.py");
    let output = Command::new(python).arg(script).args(books).output().expect("Python is there");
    let results: BTreeMap<PathBuf, BTreeMap<String, String>> =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let mut found = Vec::new();
    for book in books {
        let name = book.strip_prefix(root).expect("it is below the folder").to_string_lossy().into_owned();
        match (common::read(book), &results[book]) {
            (Ok(model), result) if result.contains_key("xform") => {
                compared(&name, "converted", &model, of_xform(&result["xform"], &name), &mut found);
            }
            (Ok(_), result) => found.push(format!("{name} converted refused only there: {}", result["error"])),
            (Err(refused), result) if result.contains_key("xform") => {
                found.push(format!("{name} converted refused only here: {refused}"));
            }
            (Err(_), _) => {}
        }
    }
    found
}
