//! Filling against the engine of ODK Web Forms (npm, @getodk/xforms-engine): after the same answers, in the same order,
//! the same questions are asked, with the same values, choices and violations.
//!
//! Our side fills a form by chance and writes down each step; the engine takes the same steps. A workbook is read here as
//! it is, and there as the XForm that pyxform makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use merestone_forms::filling::{Filling, Occasion, Place, RowId, Screen, Wrong};
use merestone_forms::model::{NodeIndex, NodeKind, QuestionKind};
use merestone_forms::{Form, NamedFile};
use serde_json::{Value, json};

use crate::filled::{Chance, typed};
use crate::{common, expressions, skip};

/// When the forms are filled, in milliseconds since 1970-01-01 UTC.
const NOW_MS: i64 = 1_777_888_800_000;
const STEPS: usize = 60;
/// Which forms are filled, with how many steps; and what differs: name of the form, the question's reference without the
/// numbers of rows, what, after how many steps, and the first of those. The reason, a line that begins with `#`, stands
/// before those that it is the reason of.
const TABLE: &str = "tests/conformance/expected/engine.txt";

/// What a question shows: its value, what is wrong with it, its choices.
type Shown = (String, String, String);

/// Chances that the forms are filled by.
const SEEDS: std::ops::Range<u64> = 1..3;

/// A form as it is filled here, and the steps taken.
struct Filled {
    name: String,
    filling: Filling,
    chance: Chance,
    steps: Vec<Value>,
    states: Vec<BTreeMap<String, Shown>>,
    metadata: Vec<String>,
}

impl Filled {
    fn new(source: &Source, seed: u64) -> Self {
        let filling = Filling::begin(Arc::clone(&source.ours), Occasion { now_ms: NOW_MS, ..Occasion::default() });
        let mut filled = Self {
            name: source.name.clone(),
            filling,
            chance: Chance(seed),
            steps: vec![],
            states: vec![],
            metadata: vec![],
        };
        filled.metadata = Refs::of(&filled.filling).metadata;
        filled.states.push(filled.shown());
        for _ in 0..STEPS {
            if let Some(step) = filled.step() {
                filled.steps.push(step);
                filled.states.push(filled.shown());
            }
        }
        filled
    }

    /// One step by chance, as the engine is told of it.
    fn step(&mut self) -> Option<Value> {
        let screens = self.filling.screens();
        let refs = Refs::of(&self.filling);
        match screens.get(self.chance.below(screens.len()))? {
            Screen::Question(place) => {
                let NodeKind::Question(kind) = self.filling.node(*place).kind.clone() else { return None };
                let text = typed(&self.filling, *place, &kind, &mut self.chance);
                let key = self.filling.key(*place)?;
                let is_closed = self.filling.is_read_only(*place)
                    || matches!(
                        kind,
                        QuestionKind::Note | QuestionKind::Image | QuestionKind::Audio | QuestionKind::Video
                    )
                    || matches!(kind, QuestionKind::File | QuestionKind::Rank(_));
                if is_closed || self.filling.answer_typed(&key, &text).is_err() {
                    return None;
                }
                Some(json!(["answer", refs.questions.get(&key)?, self.filling.value(*place)]))
            }
            Screen::Add { repeat, within } => {
                let name = self.filling.form().name(*repeat).to_owned();
                self.filling.add_row(&name, *within).ok()?;
                Some(json!(["add", refs.repeats.get(&(*repeat, *within))?]))
            }
            Screen::Row { place, id, .. } if self.chance.below(4) == 0 => {
                let name = self.filling.form().name(place.node()).to_owned();
                let (within, index) = refs.rows.get(&(place.node(), *id))?;
                self.filling.withdraw_row(&name, *id).ok()?;
                Some(json!(["remove", refs.repeats.get(&(place.node(), *within))?, index]))
            }
            _ => None,
        }
    }

    fn shown(&self) -> BTreeMap<String, Shown> {
        let of = |key: &String| {
            let place = self.filling.place(key)?;
            self.filling.is_relevant(place).then(|| self.shows(place))
        };
        let refs = Refs::of(&self.filling);
        refs.questions.iter().filter_map(|(key, name)| Some((name.clone(), of(key)?))).collect()
    }

    fn shows(&self, place: Place) -> Shown {
        let violation = match self.filling.problem(place).map(|problem| problem.wrong) {
            None => "",
            Some(Wrong::Missing) => "required",
            Some(Wrong::Constraint) => "constraint",
            Some(_) => "other",
        };
        let choices: Vec<String> = self.filling.offered(place).into_iter().map(|choice| choice.name).collect();
        (self.filling.value(place).to_owned(), violation.to_owned(), choices.join(" "))
    }
}

/// How the engine names what we name by keys.
#[derive(Default)]
struct Refs {
    questions: BTreeMap<String, String>,
    repeats: BTreeMap<(NodeIndex, Option<RowId>), String>,
    /// The row around each row, and its number among its siblings, from 0.
    rows: BTreeMap<(NodeIndex, RowId), (Option<RowId>, usize)>,
    /// What the device knows by itself, which differs.
    metadata: Vec<String>,
}

impl Refs {
    fn of(filling: &Filling) -> Self {
        let mut refs = Self::default();
        let mut live: BTreeMap<(NodeIndex, Option<RowId>), Vec<RowId>> = BTreeMap::new();
        let mut open: BTreeMap<NodeIndex, RowId> = BTreeMap::new();
        for screen in filling.screens() {
            if let Screen::Row { place, id, .. } = screen {
                let repeat = place.node();
                open.insert(repeat, id);
                let above = filling.node(place).parent.unwrap_or_default();
                let within = filling.form().repeat_of(above).and_then(|outer| open.get(&outer).copied());
                let rows = live.entry((repeat, within)).or_default();
                refs.rows.insert((repeat, id), (within, rows.len()));
                rows.push(id);
            }
        }
        refs.walk(filling, 0, &format!("/{}", filling.form().model().nodes[0].name), None, &live);
        refs
    }

    fn walk(
        &mut self,
        filling: &Filling,
        node: NodeIndex,
        at: &str,
        row: Option<(NodeIndex, RowId)>,
        live: &BTreeMap<(NodeIndex, Option<RowId>), Vec<RowId>>,
    ) {
        let form = filling.form();
        for child in &form.model().nodes[node].children {
            let below = &form.model().nodes[*child];
            let name = format!("{at}/{}", below.name);
            match &below.kind {
                NodeKind::Group => self.walk(filling, *child, &name, row, live),
                NodeKind::Repeat { .. } => {
                    let within = row.map(|(_, id)| id);
                    self.repeats.insert((*child, within), name.clone());
                    for (index, id) in live.get(&(*child, within)).into_iter().flatten().enumerate() {
                        self.walk(filling, *child, &format!("{name}[{}]", index + 1), Some((*child, *id)), live);
                    }
                }
                NodeKind::Question(QuestionKind::Metadata(_)) => self.metadata.push(name),
                NodeKind::Question(_) if name.contains("meta/") => {}
                NodeKind::Question(_) => {
                    let question = form.name(*child);
                    let key = row.map_or_else(
                        || question.to_owned(),
                        |(repeat, id)| format!("{}/{id}/{question}", form.name(repeat)),
                    );
                    self.questions.insert(key, name);
                }
            }
        }
    }
}

/// A form as both sides read it.
struct Source {
    name: String,
    ours: Arc<Form>,
    theirs: String,
    beside: BTreeMap<String, String>,
}

/// XForms that nobody here wrote, with the lists that lie beside them.
fn xforms(forms: &Path) -> Vec<Source> {
    let is_xform = |path: &PathBuf| path.extension().is_some_and(|end| end == "xml");
    let source = |path: PathBuf| {
        let text = fs::read_to_string(&path).ok()?;
        let beside = common::beside(&path);
        let named: Vec<NamedFile<'_>> = beside.iter().map(|(name, bytes)| NamedFile { name, bytes }).collect();
        let name = path.file_name()?.to_str()?.to_owned();
        let ours = Form::read(NamedFile { name: &name, bytes: text.as_bytes() }, &named).ok()?;
        let texts = beside.into_iter().filter_map(|(name, bytes)| Some((name, String::from_utf8(bytes).ok()?)));
        Some(Source { name, ours: Arc::new(ours), theirs: text, beside: texts.collect() })
    };
    common::files(forms).into_iter().filter(is_xform).filter_map(source).collect()
}

/// Workbooks, ours and others', with the XForms that pyxform makes of them.
fn workbooks(python: &Path, files: &[PathBuf]) -> Vec<Source> {
    let output = Command::new(python).arg("tests/conformance/convert.py").args(files).output().expect("Python runs");
    let converted: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_slice(&output.stdout).expect("the script writes JSON");
    let source = |path: &PathBuf| {
        let theirs = converted.get(path.to_str()?)?.get("xform")?.clone();
        let name = path.file_name()?.to_str()?.to_owned();
        let bytes = fs::read(path).ok()?;
        let ours = Form::read(NamedFile { name: &name, bytes: &bytes }, &[]).ok()?;
        Some(Source { name, ours: Arc::new(ours), theirs, beside: BTreeMap::new() })
    };
    files.iter().filter_map(source).collect()
}

/// What the engine shows after each step, of each form.
struct Theirs {
    states: Vec<BTreeMap<String, Shown>>,
    error: Option<String>,
}

fn engine(modules: &Path, forms: &Value) -> Vec<Theirs> {
    let mut node = Command::new("node");
    node.arg("tests/conformance/evaluator/fill.mjs").arg(modules).arg(NOW_MS.to_string()).env("TZ", "UTC");
    let mut child = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    let text = forms.to_string();
    let writing = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("node ends");
    writing.join().expect("it does not panic").expect("node reads all of it");
    let results: Vec<Value> = serde_json::from_slice(&output.stdout).expect("the script writes JSON");
    let states = |states: &Value| serde_json::from_value(states.clone()).expect("questions with what they show");
    let error = |one: &Value| one["error"].as_str().map(str::to_owned);
    results.iter().map(|one| Theirs { states: states(&one["states"]), error: error(one) }).collect()
}

/// Whether two values are the same; numbers of places may be written with more or fewer zeros.
fn same(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.split(' '), b.split(' '));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if expressions::same(a, b) => {}
            _ => return false,
        }
    }
}

/// A reference without the numbers of rows.
fn plain(name: &str) -> String {
    name.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)).collect()
}

/// What differs, after how many steps, and the first of those.
type Differences = BTreeMap<String, (usize, String)>;

fn differences(filled: &Filled, theirs: &Theirs, found: &mut Differences) {
    let mut say = |name: &str, what: &str, case: String| {
        found.entry(format!("{} {} {what}", filled.name, plain(name))).or_insert((0, case)).0 += 1;
    };
    match &theirs.error {
        Some(error) => say("-", "error", error.clone()),
        None => assert_eq!(filled.states.len(), theirs.states.len(), "{}: states after each step", filled.name),
    }
    for (step, (ours, theirs)) in filled.states.iter().zip(&theirs.states).enumerate() {
        let before = step.checked_sub(1).map_or_else(String::new, |index| filled.steps[index].to_string());
        for (name, shown) in ours {
            let Some(other) = theirs.get(name) else {
                say(name, "asked-here", format!("after {before}"));
                continue;
            };
            let all = [("value", &shown.0, &other.0), ("wrong", &shown.1, &other.1), ("choices", &shown.2, &other.2)];
            for (what, a, b) in all.into_iter().filter(|(_, a, b)| !same(a, b)) {
                say(name, what, format!("{a:?} there {b:?} after {before}"));
            }
        }
        let is_ours =
            |name: &&String| ours.contains_key(*name) || filled.metadata.contains(*name) || name.contains("meta/");
        for name in theirs.keys().filter(|name| !is_ours(name)) {
            say(name, "asked-there", format!("after {before}"));
        }
    }
}

#[test]
fn forms_filled_here_are_as_they_are_in_the_engine_of_web_forms() {
    let Some(modules) = common::node_modules().filter(|modules| modules.join("@getodk/xforms-engine").is_dir()) else {
        return skip::skip("npm's @getodk/xforms-engine is absent: forms are filled without a second engine");
    };
    let (forms, python) = (common::forms(), common::python());
    if forms.is_none() {
        skip::skip("the folder of forms is absent (MERESTONE_SHARED names the folder it is in)");
    }
    if python.is_none() {
        skip::skip("PyPI's pyxform is absent: workbooks are filled without a second engine");
    }
    let is_whole = forms.is_some() && python.is_some();
    let mut sources: Vec<Source> = forms.iter().flat_map(|forms| xforms(forms)).collect();
    sources.extend(python.iter().flat_map(|python| workbooks(python, &common::own_forms())));
    let mut found = Differences::new();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for seed in SEEDS {
        let filled: Vec<Filled> = sources.iter().map(|one| Filled::new(one, seed)).collect();
        let asked = sources.iter().zip(&filled);
        let asked =
            asked.map(|(source, one)| json!({"xform": source.theirs, "beside": source.beside, "steps": one.steps}));
        let theirs = engine(&modules, &Value::Array(asked.collect()));
        assert_eq!(theirs.len(), filled.len());
        for (ours, theirs) in filled.iter().zip(&theirs) {
            *taken.entry(ours.name.clone()).or_default() += ours.steps.len();
            differences(ours, theirs, &mut found);
        }
    }
    let forms = taken.iter().map(|(name, steps)| format!("{name} filled in {steps} steps"));
    let differ = found.iter().map(|(what, (times, case))| format!("{what} x{times}: {case}").replace('\n', " "));
    let found: BTreeSet<String> = forms.chain(differ).collect();
    let table = fs::read_to_string(TABLE).expect("the table is committed");
    let known: BTreeSet<&str> = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let new: Vec<&String> = found.iter().filter(|line| !known.contains(line.as_str())).collect();
    let is_here = |line: &&&str| is_whole || line.split(' ').next().is_some_and(|name| taken.contains_key(name));
    let gone: Vec<&&str> = known.iter().filter(is_here).filter(|line| !found.contains(**line)).collect();
    assert!(new.is_empty() && gone.is_empty(), "without a reason in {TABLE}: {new:#?}; no longer so: {gone:#?}");
}
