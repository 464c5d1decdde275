//! The sheet `survey`: rows to a tree of groups, repeats and questions.

use std::collections::BTreeMap;

use merestone_core::form::is_question;

use super::choices::{Lists, set, words};
use super::columns::{Line, Table};
use super::formulas::Paths;
use super::settings::Settings;
use super::types::{Plain, RowKind, Select};
use crate::model::{
    Choices, ChoicesFrom, Default as Answer, Formula, Instance, Language, Media, Model, Node, NodeIndex, NodeKind,
    Notice, QuestionKind, Words,
};
use crate::refused::{FormRefused, Reason};

/// Deepest nesting of groups and repeats.
const DEPTH_MAX: usize = 32;

/// What the other sheets said.
pub(super) struct Parts {
    pub(super) lists: Lists,
    pub(super) settings: Settings,
    pub(super) languages: Vec<Language>,
    pub(super) default_language: Option<usize>,
    pub(super) notices: Vec<Notice>,
}

/// Reads the sheet.
pub(super) fn read(table: &Table<'_>, parts: Parts) -> Result<Model, FormRefused> {
    if !table.has("type") {
        return Err(FormRefused::at(&table.sheet.name, table.sheet.heading_row, "type", Reason::MissingColumn));
    }
    let mut tree = Tree::new(&parts.settings.root);
    let mut instances: BTreeMap<String, Instance> = BTreeMap::new();
    for line in table.rows() {
        tree.row(line, &parts.lists, &mut instances)?;
    }
    tree.finish(table)?;
    let notices = unused(table, parts.notices);
    let mut model = Model {
        id: parts.settings.id,
        title: parts.settings.title,
        version: parts.settings.version,
        languages: parts.languages,
        default_language: parts.default_language,
        root: parts.settings.root,
        nodes: tree.nodes,
        instances,
        instance_name: None,
        settings: parts.settings.others,
        notices,
    };
    for (name, items) in parts.lists {
        model.instances.entry(name).or_insert(Instance::List(items));
    }
    let paths = Paths::new(&model.nodes);
    for pending in tree.pending {
        pending.resolve(&paths, &mut model)?;
    }
    if !parts.settings.instance_name.is_empty() {
        let at = |reason| FormRefused::at("settings", parts.settings.row, "instance_name", reason);
        model.instance_name = Some(paths.formula(&parts.settings.instance_name).map_err(at)?);
    }
    Ok(model)
}

/// Columns that nothing above reads are named, once each.
fn unused(table: &Table<'_>, mut notices: Vec<Notice>) -> Vec<Notice> {
    const READ: &[&str] = &[
        "type",
        "name",
        "label",
        "hint",
        "guidance_hint",
        "relevant",
        "required",
        "required_message",
        "constraint",
        "constraint_message",
        "calculation",
        "trigger",
        "read_only",
        "default",
        "appearance",
        "parameters",
        "choice_filter",
        "repeat_count",
        "media::image",
        "media::big-image",
        "media::audio",
        "media::video",
        "disabled",
        "",
    ];
    for column in table.columns.iter().filter(|column| !READ.contains(&column.name.as_str())) {
        let (sheet, row) = (table.sheet.name.clone(), table.sheet.heading_row);
        let text = "this column is not used".to_owned();
        notices.push(Notice { sheet, row, column: column.heading.clone(), text });
    }
    notices
}

/// The tree as far as it was read.
struct Tree {
    nodes: Vec<Node>,
    /// Groups and repeats that are not ended, the innermost last.
    open: Vec<NodeIndex>,
    /// Expressions that wait until every name is known.
    pending: Vec<Pending>,
}

/// An expression and whose it is.
struct Pending {
    node: NodeIndex,
    place: FormRefused,
    text: String,
    role: Role,
}

#[derive(Clone, Copy)]
enum Role {
    Relevant,
    Required,
    Constraint,
    Calculation,
    Trigger,
    ReadOnly,
    Default,
    Filter,
    Seed,
    Count,
    Rows,
}

impl Tree {
    fn new(root: &str) -> Self {
        Self { nodes: vec![Node::new(root, NodeKind::Group, None, 0)], open: vec![0], pending: Vec::new() }
    }

    fn row(
        &mut self,
        line: Line<'_>,
        lists: &Lists,
        instances: &mut BTreeMap<String, Instance>,
    ) -> Result<(), FormRefused> {
        let cell = line.cell("type");
        if matches!(line.cell("disabled").to_lowercase().as_str(), "yes" | "true" | "true()" | "1") {
            return Ok(());
        }
        if cell.is_empty() {
            // Rows with nothing but remarks are in many forms; one with a name has lost its type.
            return if line.cell("name").is_empty() { Ok(()) } else { Err(line.refused("type", Reason::Empty)) };
        }
        let kind = match RowKind::read(cell) {
            // `end` alone closes a group where one is open without a name, and is the time of the end otherwise.
            Some(RowKind::Plain(Plain::Metadata(crate::model::Metadata::End))) if line.cell("name").is_empty() => {
                RowKind::EndGroup
            }
            Some(kind) => kind,
            None => return Err(line.refused("type", Reason::UnknownType(cell.to_owned()))),
        };
        match kind {
            RowKind::EndGroup | RowKind::EndRepeat => return self.close(line, &kind),
            RowKind::BeginGroup => self.begin(line, NodeKind::Group)?,
            RowKind::BeginRepeat => {
                self.begin(line, NodeKind::Repeat { count: None })?;
                self.wait(line, "repeat_count", Role::Count);
            }
            RowKind::Data { file } => {
                let name = self.name(line)?;
                instances.insert(name.clone(), Instance::File { name: format!("{name}.{file}") });
                return Ok(());
            }
            RowKind::Plain(plain) => self.push(line, NodeKind::Question(question(plain)))?,
            RowKind::SelectFromFile { how, file } => {
                let name = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem).to_owned();
                instances.insert(name.clone(), Instance::File { name: file });
                self.select(line, how, name, false)?;
            }
            RowKind::Select { how, list, or_other } => self.select_list(line, how, &list, or_other, lists)?,
        }
        Ok(())
    }

    fn select_list(
        &mut self,
        line: Line<'_>,
        how: Select,
        list: &str,
        or_other: bool,
        lists: &Lists,
    ) -> Result<(), FormRefused> {
        if list.starts_with("${") {
            self.select(line, how, String::new(), false)?;
            let pending = self.pending(line, "type", list, Role::Rows);
            self.pending.push(pending);
            return Ok(());
        }
        if !lists.contains_key(list) {
            return Err(line.refused("type", Reason::UnknownList(list.to_owned())));
        }
        self.select(line, how, list.to_owned(), or_other)?;
        if or_other { self.other(line) } else { Ok(()) }
    }

    fn select(&mut self, line: Line<'_>, how: Select, name: String, or_other: bool) -> Result<(), FormRefused> {
        let parameters = parameters(line)?;
        let of = |key: &str, usual: &str| parameters.get(key).cloned().unwrap_or_else(|| usual.to_owned());
        let from = ChoicesFrom::Instance { name, value: of("value", "name"), label: of("label", "label") };
        let is_random = parameters.get("randomize").is_some_and(|value| value == "true");
        let choices = Choices { from, filter: None, or_other, randomize: is_random.then_some(None) };
        let kind = match how {
            Select::One => QuestionKind::SelectOne(choices),
            Select::Multiple => QuestionKind::SelectMultiple(choices),
            Select::Rank => QuestionKind::Rank(choices),
        };
        self.push(line, NodeKind::Question(kind))?;
        self.wait(line, "choice_filter", Role::Filter);
        if let Some(seed) = parameters.get("seed").filter(|_| is_random) {
            let pending = self.pending(line, "parameters", seed, Role::Seed);
            self.pending.push(pending);
        }
        Ok(())
    }

    /// The question for a text that stands beside `other`, as every XLSForm converter adds it.
    fn other(&mut self, line: Line<'_>) -> Result<(), FormRefused> {
        let asked = self.nodes.len() - 1;
        let name = format!("{}_other", self.nodes[asked].name);
        let mut node =
            Node::new(&name, NodeKind::Question(QuestionKind::Text), self.open.last().copied(), line.number());
        node.label.fallback = Some("Specify other.".to_owned());
        self.add(line, node)?;
        let chosen = format!("selected(../{}, 'other')", self.nodes[asked].name);
        let pending = self.pending(line, "type", &chosen, Role::Relevant);
        self.pending.push(pending);
        Ok(())
    }

    fn begin(&mut self, line: Line<'_>, kind: NodeKind) -> Result<(), FormRefused> {
        if self.open.len() > DEPTH_MAX {
            return Err(line.refused("type", Reason::TooDeep));
        }
        self.push(line, kind)?;
        self.open.push(self.nodes.len() - 1);
        Ok(())
    }

    fn close(&mut self, line: Line<'_>, kind: &RowKind) -> Result<(), FormRefused> {
        let is_repeat = self.open.last().is_some_and(|open| matches!(self.nodes[*open].kind, NodeKind::Repeat { .. }));
        let fits = self.open.len() > 1 && is_repeat == (*kind == RowKind::EndRepeat);
        if !fits {
            return Err(line.refused("type", Reason::Nesting));
        }
        self.open.pop();
        Ok(())
    }

    fn finish(&self, table: &Table<'_>) -> Result<(), FormRefused> {
        if let [_, .., open] = self.open.as_slice() {
            return Err(FormRefused::at(&table.sheet.name, self.nodes[*open].row, "type", Reason::Nesting));
        }
        if self.nodes.len() < 2 {
            return Err(FormRefused::at(&table.sheet.name, table.sheet.heading_row, "", Reason::MissingSheet));
        }
        Ok(())
    }

    /// A row's node, with everything that does not need other rows.
    fn push(&mut self, line: Line<'_>, kind: NodeKind) -> Result<(), FormRefused> {
        let name = self.name(line)?;
        let mut node = Node::new(&name, kind, self.open.last().copied(), line.number());
        let mut media = Media::default();
        for (column, cell) in line.cells() {
            let text = match column.name.as_str() {
                "hint" => &mut node.hint,
                "guidance_hint" => &mut node.guidance,
                "constraint_message" => &mut node.constraint_message,
                "required_message" => &mut node.required_message,
                other => match words(other, &mut node.label, &mut media) {
                    Some(words) => words,
                    None => continue,
                },
            };
            set(text, column.language, cell);
        }
        node.media = media;
        node.appearance = line.cell("appearance").to_owned();
        node.parameters = parameters(line)?;
        self.add(line, node)?;
        for (column, role) in [
            ("relevant", Role::Relevant),
            ("required", Role::Required),
            ("constraint", Role::Constraint),
            ("calculation", Role::Calculation),
            ("read_only", Role::ReadOnly),
            ("default", Role::Default),
        ] {
            self.wait(line, column, role);
        }
        for trigger in line.cell("trigger").split(',').map(str::trim).filter(|trigger| !trigger.is_empty()) {
            let pending = self.pending(line, "trigger", trigger, Role::Trigger);
            self.pending.push(pending);
        }
        Ok(())
    }

    fn add(&mut self, line: Line<'_>, node: Node) -> Result<(), FormRefused> {
        let (index, parent) = (self.nodes.len(), node.parent.unwrap_or_default());
        let is_twice = self.nodes[parent].children.iter().any(|child| self.nodes[*child].name == node.name);
        if is_twice {
            return Err(line.refused("name", Reason::Repeated(node.name)));
        }
        self.nodes[parent].children.push(index);
        self.nodes.push(node);
        Ok(())
    }

    fn name(&self, line: Line<'_>) -> Result<String, FormRefused> {
        match line.cell("name") {
            "" => Err(line.refused("name", Reason::Empty)),
            name if is_question(name) && !crate::form::is_reserved(name) => Ok(name.to_owned()),
            name => Err(line.refused("name", Reason::NotAName(name.to_owned()))),
        }
    }

    /// Notes an expression of the node that was added last.
    fn wait(&mut self, line: Line<'_>, column: &str, role: Role) {
        let cell = line.cell(column);
        if !cell.is_empty() {
            let pending = self.pending(line, column, cell, role);
            self.pending.push(pending);
        }
    }

    fn pending(&self, line: Line<'_>, column: &str, text: &str, role: Role) -> Pending {
        let place = line.refused(column, Reason::Empty);
        Pending { node: self.nodes.len() - 1, place, text: text.to_owned(), role }
    }
}

impl Pending {
    fn resolve(self, paths: &Paths, model: &mut Model) -> Result<(), FormRefused> {
        let place = self.place;
        let refused = |reason| FormRefused { reason, ..place.clone() };
        let node = &mut model.nodes[self.node];
        let says = match self.text.to_lowercase().as_str() {
            "yes" | "true" | "true()" => Some(true),
            "no" | "false" | "false()" => Some(false),
            _ => None,
        };
        let text = match (self.role, says) {
            (Role::Required | Role::ReadOnly | Role::Relevant, Some(true)) => "true()",
            (Role::Required | Role::ReadOnly, Some(false)) => return Ok(()),
            (Role::Relevant, Some(false)) => "false()",
            (Role::Default, _) if !is_formula(&self.text) => {
                node.default = Some(Answer::Text(self.text));
                return Ok(());
            }
            _ => self.text.as_str(),
        };
        let formula = paths.formula(text).map_err(refused)?;
        match self.role {
            Role::Relevant => node.relevant = Some(formula),
            Role::Required => node.required = Some(formula),
            Role::Constraint => node.constraint = Some(formula),
            Role::Calculation => node.calculation = Some(formula),
            Role::Trigger => node.triggers.push(formula),
            Role::ReadOnly => node.read_only = Some(formula),
            Role::Default => node.default = Some(Answer::Formula(formula)),
            Role::Count => node.kind = NodeKind::Repeat { count: Some(formula) },
            Role::Filter | Role::Seed | Role::Rows => choose(node, self.role, formula),
        }
        Ok(())
    }
}

fn choose(node: &mut Node, role: Role, formula: Formula) {
    let NodeKind::Question(
        QuestionKind::SelectOne(choices) | QuestionKind::SelectMultiple(choices) | QuestionKind::Rank(choices),
    ) = &mut node.kind
    else {
        return;
    };
    match role {
        Role::Filter => choices.filter = Some(formula),
        Role::Seed => choices.randomize = Some(Some(formula)),
        _ => choices.from = ChoicesFrom::Rows(formula),
    }
}

/// Whether a default is to be evaluated: it names a question or calls a function.
fn is_formula(text: &str) -> bool {
    let calls = text.match_indices('(').any(|(at, _)| text[..at].ends_with(|c: char| c.is_ascii_alphanumeric()));
    text.contains("${") || calls
}

fn question(plain: Plain) -> QuestionKind {
    match plain {
        Plain::Text => QuestionKind::Text,
        Plain::Integer => QuestionKind::Integer,
        Plain::Decimal => QuestionKind::Decimal,
        Plain::Range => QuestionKind::Range,
        Plain::Date => QuestionKind::Date,
        Plain::Time => QuestionKind::Time,
        Plain::DateTime => QuestionKind::DateTime,
        Plain::GeoPoint => QuestionKind::GeoPoint,
        Plain::GeoTrace => QuestionKind::GeoTrace,
        Plain::GeoShape => QuestionKind::GeoShape,
        Plain::Image => QuestionKind::Image,
        Plain::Audio => QuestionKind::Audio,
        Plain::Video => QuestionKind::Video,
        Plain::File => QuestionKind::File,
        Plain::Barcode => QuestionKind::Barcode,
        Plain::Note => QuestionKind::Note,
        Plain::Acknowledge => QuestionKind::Acknowledge,
        Plain::Calculate | Plain::Hidden => QuestionKind::Hidden,
        Plain::Metadata(metadata) => QuestionKind::Metadata(metadata),
    }
}

/// `key=value` pairs, separated by spaces, commas or semicolons.
fn parameters(line: Line<'_>) -> Result<BTreeMap<String, String>, FormRefused> {
    const KNOWN: &[&str] = &[
        "randomize",
        "seed",
        "value",
        "label",
        "start",
        "end",
        "step",
        "rows",
        "max-pixels",
        "quality",
        "app",
        "location-priority",
        "location-min-interval",
        "location-max-age",
        "track-changes",
        "identify-user",
        "track-changes-reasons",
        "capture-accuracy",
        "warning-accuracy",
        "unacceptable-accuracy-threshold",
        "allow-mock-accuracy",
        "tick_interval",
        "placeholder",
        "tick_labelset",
        "incremental",
    ];
    let mut parameters = BTreeMap::new();
    let tidy = line.cell("parameters").replace(" =", "=").replace("= ", "=");
    for pair in tidy.split([' ', ',', ';']).filter(|pair| !pair.is_empty()) {
        let unknown = || line.refused("parameters", Reason::UnknownParameter(pair.to_owned()));
        let (key, value) = pair.split_once('=').ok_or_else(unknown)?;
        let key = key.to_lowercase();
        if !KNOWN.contains(&key.as_str()) {
            return Err(unknown());
        }
        parameters.insert(key, value.to_owned());
    }
    Ok(parameters)
}

impl Node {
    fn new(name: &str, kind: NodeKind, parent: Option<NodeIndex>, row: usize) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            parent,
            children: Vec::new(),
            label: Words::default(),
            hint: Words::default(),
            guidance: Words::default(),
            media: Media::default(),
            relevant: None,
            required: None,
            required_message: Words::default(),
            constraint: None,
            constraint_message: Words::default(),
            calculation: None,
            triggers: Vec::new(),
            read_only: None,
            default: None,
            appearance: String::new(),
            parameters: BTreeMap::new(),
            row,
        }
    }
}
