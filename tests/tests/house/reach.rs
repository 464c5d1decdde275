//! How far apps reach: each public function of `core/node` is called by `ffi`, or has its reason in `COVERAGE.tsv`.

use crate::breach::{Breach, assert_holds, assert_refused, root};
use crate::sources::{Source, files, has_word, read};

const LIST: &str = "mobile-bindings/COVERAGE.tsv";
const REASON_LETTERS_MIN: usize = 20;

/// The public functions of a source file, as `module::Type::name` or `module::name`.
fn functions(source: &Source) -> Vec<String> {
    let module = source.path.trim_start_matches("core/node/src/").trim_end_matches(".rs").trim_end_matches("/mod");
    let module = module.replace('/', "::");
    let mut of_type = None;
    let mut found = Vec::new();
    for (_, line) in source.product_code() {
        if line.starts_with("impl") {
            of_type = implemented(line);
        } else if line.starts_with('}') {
            of_type = None;
        } else if let Some(name) = public_function(line) {
            let owner = of_type.filter(|_| line.starts_with(' ')).map(|of| format!("{of}::")).unwrap_or_default();
            found.push(format!("{module}::{owner}{name}"));
        }
    }
    found
}

/// The type of `impl<T> Trait<T> for Type<T> {`.
fn implemented(line: &str) -> Option<&str> {
    let after = line.strip_prefix("impl")?;
    let generics = if after.starts_with('<') { after.find("> ").map_or(0, |at| at + 1) } else { 0 };
    let named = after[generics..].trim_start();
    let named = named.split_once(" for ").map_or(named, |(_, of)| of);
    named.split(['<', ' ', '{']).next()
}

fn public_function(line: &str) -> Option<&str> {
    let mut rest = line.trim_start().strip_prefix("pub ")?;
    for word in ["const ", "async "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    rest.strip_prefix("fn ")?.split(['(', '<']).next()
}

/// A line of the list: what it speaks of, and `crossing` or a reason.
fn entries(list: &Source) -> Vec<(usize, &str, &str)> {
    let lines = list.lines().filter(|(_, text)| !text.starts_with('#') && !text.is_empty());
    lines
        .map(|(line, text)| (line, text.split_once('\t').unwrap_or((text, ""))))
        .map(|(line, (a, b))| (line, a, b))
        .collect()
}

fn speaks_of(entry: &str, function: &str) -> bool {
    entry.strip_suffix('*').map_or(entry == function, |group| function.starts_with(group))
}

fn functions_without_a_line(functions: &[String], list: &Source) -> Vec<Breach> {
    let entries = entries(list);
    let without = functions.iter().filter(|of| !entries.iter().any(|(_, entry, _)| speaks_of(entry, of)));
    without
        .map(|of| Breach::new(of, format!("has no line in {}: `crossing`, or why no app needs it", list.path)))
        .collect()
}

fn lines_that_are_not_so(functions: &[String], list: &Source, crossing: &[Source]) -> Vec<Breach> {
    let calls = |name: &str| {
        let mut code = crossing.iter().flat_map(Source::code);
        code.any(|(_, line)| has_word(line, name) && !line.contains(&format!("fn {name}")))
    };
    let mut breaches = Vec::new();
    for (line, entry, says) in entries(list) {
        let what = if !functions.iter().any(|of| speaks_of(entry, of)) {
            "speaks of no public function of core/node: remove it"
        } else if says != "crossing" && says.len() < REASON_LETTERS_MIN {
            "gives no reason"
        } else if says == "crossing" && !calls(entry.rsplit("::").next().unwrap_or(entry)) {
            "is not called in ffi: call it, or say why no app needs it"
        } else {
            continue;
        };
        breaches.push(Breach::new(list.place(line), format!("{entry} {what}")));
    }
    breaches
}

#[test]
fn each_function_of_a_device_is_reached_by_apps_or_has_its_reason() {
    let functions: Vec<String> = files("core/node/src", &[".rs"]).iter().flat_map(functions).collect();
    assert!(functions.len() > 200, "the rule finds the functions: {}", functions.len());
    let (list, crossing) = (read(&root(), LIST), files("ffi/src", &[".rs"]));
    assert_holds(functions_without_a_line(&functions, &list));
    assert_holds(lines_that_are_not_so(&functions, &list, &crossing));
}

#[test]
fn a_function_that_nobody_thought_of_is_refused() {
    let source = Source::sample(
        "core/node/src/draft.rs",
        "impl Device {\n    pub fn drafts(&self) {}\n    pub(crate) fn own(&self) {}\n}\npub const fn free() {}\n",
    );
    let functions = functions(&source);
    assert_eq!(functions, ["draft::Device::drafts", "draft::free"]);
    let list = |text: &str| Source::sample(LIST, text);
    let crossing = [Source::sample("ffi/src/phone.rs", "fn free() {}\nlet all = device.drafts();\n")];

    let whole = list("draft::Device::drafts\tcrossing\ndraft::free\tcalled while something is saved\n");
    assert_holds(functions_without_a_line(&functions, &whole));
    assert_holds(lines_that_are_not_so(&functions, &whole, &crossing));
    assert_holds(functions_without_a_line(&functions, &list("draft::*\tno app needs a draft at all\n")));

    assert_refused(functions_without_a_line(&functions, &list("draft::free\tcrossing\n")), "draft::Device::drafts");
    let check = |text: &str| {
        assert_refused(lines_that_are_not_so(&functions, &list(text), &crossing), "mobile-bindings/COVERAGE.tsv:1")
    };
    check("draft::free\tcrossing\n");
    check("draft::free\twhy\n");
    check("draft::gone\tcalled while something is saved\n");
}
