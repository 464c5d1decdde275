//! The sheet `survey`: rows to a tree of groups, repeats and questions.

use std::collections::{BTreeMap, BTreeSet};

use super::choices::{Lists, add_other, words};
use super::columns::{Line, Table};
use super::parameters;
use super::pending::{Pending, Role};
use super::types::{Plain, RowKind, Select, own_constraint};
use crate::model::{
    Choices, ChoicesFrom, GROUPS_DEPTH_MAX, Instance, Media, Metadata, Node, NodeIndex, NodeKind, Notice, QuestionKind,
    is_name, note,
};
use crate::refused::{FormRefused, Reason};

/// The group that holds what a form says about itself.
const META: &str = "meta";

/// Columns that are read.
const READ: &[&str] = &[
    "appearance",
    "autoplay",
    "calculation",
    "choice_filter",
    "constraint",
    "constraint_message",
    "default",
    "disabled",
    "guidance_hint",
    "hint",
    "label",
    "media::audio",
    "media::big-image",
    "media::image",
    "media::video",
    "name",
    "parameters",
    "read_only",
    "relevant",
    "repeat_count",
    "required",
    "required_message",
    "rows",
    "trigger",
    "type",
];

/// The tree as far as it was read.
pub(super) struct Tree<'l> {
    pub(super) nodes: Vec<Node>,
    /// Expressions that wait until every name is known.
    pub(super) pending: Vec<Pending>,
    pub(super) instances: BTreeMap<String, Instance>,
    pub(super) notices: Vec<Notice>,
    lists: &'l mut Lists,
    /// Groups and repeats that are not ended, the innermost last.
    open: Vec<NodeIndex>,
    /// Names in each group, to find two that are the same.
    names: BTreeSet<(NodeIndex, String)>,
    /// Where the row stands that asks for the times and places of answers, and its parameters.
    audit: Option<(usize, BTreeMap<String, String>)>,
}

/// Reads the sheet.
pub(super) fn read<'l>(table: &Table<'_>, root: &str, lists: &'l mut Lists) -> Result<Tree<'l>, FormRefused> {
    if !table.has("type") {
        return Err(FormRefused::at(&table.sheet.name, table.sheet.heading_row, "type", Reason::MissingColumn));
    }
    let form = Node::new(root, NodeKind::Group, None, 0);
    let (nodes, open) = (vec![form], vec![0]);
    let (pending, instances, notices, names) = (Vec::new(), BTreeMap::new(), Vec::new(), BTreeSet::new());
    let mut tree = Tree { nodes, pending, instances, notices, lists, open, names, audit: None };
    let is_passed_on = |name: &str| ["bind::", "body::", "control::", "instance::"].iter().any(|p| name.starts_with(p));
    table.look(|name| READ.contains(&name) || is_passed_on(name), &mut tree.notices)?;
    for line in table.rows() {
        tree.row(line)?;
    }
    tree.finish(table)?;
    Ok(tree)
}

impl Tree<'_> {
    fn row(&mut self, line: Line<'_>) -> Result<(), FormRefused> {
        let cell = line.cell("type");
        if matches!(line.cell("disabled").to_lowercase().as_str(), "yes" | "true" | "true()" | "1") {
            note(&mut self.notices, line.notice("disabled", "the row is disabled"));
            return Ok(());
        }
        if cell.is_empty() {
            // Rows with nothing but remarks are in many forms; one with a name has lost its type.
            if !line.cell("name").is_empty() {
                return Err(line.refused("type", Reason::Empty));
            }
            if line.cells().next().is_some() {
                note(&mut self.notices, line.notice("type", "a row without type and name is not used"));
            }
            return Ok(());
        }
        let kind = match RowKind::read(cell) {
            // `end` alone closes what is open; with a name it is the time of the end.
            Some(RowKind::Plain(Plain::Metadata(Metadata::End))) if line.cell("name").is_empty() => {
                return self.close(line, None);
            }
            Some(kind) => kind,
            None => return Err(line.refused("type", Reason::UnknownType(cell.to_owned()))),
        };
        match kind {
            RowKind::EndGroup => self.close(line, Some(false)),
            RowKind::EndRepeat => self.close(line, Some(true)),
            RowKind::BeginGroup => self.begin(line, NodeKind::Group),
            RowKind::BeginRepeat => {
                self.begin(line, NodeKind::Repeat { count: None })?;
                self.wait(line, "repeat_count", Role::Count);
                Ok(())
            }
            RowKind::Data { file } => {
                let name = self.name(line)?;
                self.instances.insert(name.clone(), Instance::Absent { file: format!("{name}.{file}") });
                Ok(())
            }
            RowKind::Plain(plain) => self.plain(line, plain),
            RowKind::SelectFromFile { how, file } => {
                let name = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem).to_owned();
                let is_geojson = file.to_lowercase().ends_with(".geojson");
                self.instances.insert(name.clone(), Instance::Absent { file });
                let usual = if is_geojson { ("id", "title") } else { ("name", "label") };
                self.select(line, how, name, usual)
            }
            RowKind::Select { how, list, or_other } => self.select_list(line, how, &list, or_other),
        }
    }

    fn plain(&mut self, line: Line<'_>, plain: Plain) -> Result<(), FormRefused> {
        if plain == Plain::Metadata(Metadata::Audit) {
            self.audit = Some((line.number(), parameters::read(line)?));
            return Ok(());
        }
        if plain == Plain::Unused {
            note(&mut self.notices, line.notice("type", "nothing is recorded for this type"));
        }
        self.push(line, NodeKind::Question(question(plain)))?;
        if let Some(own) = own_constraint(line.cell("type")).filter(|_| line.cell("constraint").is_empty()) {
            let pending = self.pending(line, "type", own, Role::Constraint);
            self.pending.push(pending);
        }
        if plain == Plain::Calculate && line.cell("calculation").is_empty() && line.cell("default").is_empty() {
            note(&mut self.notices, line.notice("calculation", "there is no calculation"));
        }
        Ok(())
    }

    fn select_list(&mut self, line: Line<'_>, how: Select, list: &str, or_other: bool) -> Result<(), FormRefused> {
        if list.starts_with("${") {
            // Before the filter, which depends on where the choices come from.
            self.pending.push(Pending { node: self.nodes.len(), ..self.pending(line, "type", list, Role::Rows) });
            return self.select(line, how, String::new(), ("name", "label"));
        }
        let Some(items) = self.lists.get_mut(list) else {
            return Err(line.refused("type", Reason::UnknownList(list.to_owned())));
        };
        if or_other {
            add_other(items);
        }
        let spaced = (how != Select::One).then(|| items.iter().find(|item| item.name.contains(' '))).flatten();
        if let Some(item) = spaced {
            let text = format!("the choice of row {} has a space, which separates choices here", item.row);
            note(&mut self.notices, line.notice("type", &text));
        }
        self.select(line, how, list.to_owned(), ("name", "label"))?;
        if or_other { self.other(line) } else { Ok(()) }
    }

    fn select(&mut self, line: Line<'_>, how: Select, name: String, usual: (&str, &str)) -> Result<(), FormRefused> {
        let parameters = parameters::read(line)?;
        let of = |key: &str, usual: &str| parameters.get(key).cloned().unwrap_or_else(|| usual.to_owned());
        let from = ChoicesFrom::Instance { name, value: of("value", usual.0), label: of("label", usual.1) };
        let is_random = parameters.get("randomize").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let choices = Choices { from, filter: None, randomize: is_random.then_some(None) };
        let kind = match how {
            Select::One => QuestionKind::SelectOne(choices),
            Select::Multiple => QuestionKind::SelectMultiple(choices),
            Select::Rank => QuestionKind::Rank(choices),
        };
        self.push(line, NodeKind::Question(kind))?;
        if line.cell("appearance").contains("search(") {
            let text = "`search()` is not carried out: the list is offered as it stands";
            note(&mut self.notices, line.notice("appearance", text));
        }
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
        let kind = NodeKind::Question(QuestionKind::Text);
        let mut node = Node::new(&name, kind, self.open.last().copied(), line.number());
        node.label.set(None, "Specify other.".to_owned().into());
        let chosen = format!("selected(../{}, 'other')", self.nodes[asked].name);
        self.add(line, node)?;
        let pending = self.pending(line, "type", &chosen, Role::Relevant);
        self.pending.push(pending);
        Ok(())
    }

    fn begin(&mut self, line: Line<'_>, kind: NodeKind) -> Result<(), FormRefused> {
        if self.open.len() > GROUPS_DEPTH_MAX {
            return Err(line.refused("type", Reason::TooDeep));
        }
        self.push(line, kind)?;
        self.open.push(self.nodes.len() - 1);
        Ok(())
    }

    /// Ends the innermost group, or repeat, where the row says which.
    fn close(&mut self, line: Line<'_>, repeat: Option<bool>) -> Result<(), FormRefused> {
        let is_repeat = self.open.last().is_some_and(|open| matches!(self.nodes[*open].kind, NodeKind::Repeat { .. }));
        if self.open.len() < 2 || repeat.is_some_and(|repeat| repeat != is_repeat) {
            return Err(line.refused("type", Reason::Nesting));
        }
        self.open.pop();
        Ok(())
    }

    fn finish(&mut self, table: &Table<'_>) -> Result<(), FormRefused> {
        if let [_, .., open] = self.open.as_slice() {
            return Err(FormRefused::at(&table.sheet.name, self.nodes[*open].row, "type", Reason::Nesting));
        }
        if self.nodes.len() < 2 {
            return Err(FormRefused::at(&table.sheet.name, table.sheet.heading_row, "", Reason::MissingSheet));
        }
        Ok(())
    }

    /// What a form says about itself stands in a group of its own, the last (OpenRosa metadata).
    pub(super) fn meta(&mut self, has_instance_id: bool) {
        let audit = self.audit.take().map(|(row, parameters)| ("audit", Metadata::Audit, row, parameters));
        let id = has_instance_id.then(|| ("instanceID", Metadata::InstanceId, 0, BTreeMap::new()));
        let group = self.nodes.len();
        for (name, metadata, row, parameters) in audit.into_iter().chain(id) {
            if self.nodes.len() == group {
                self.nodes.push(Node::new(META, NodeKind::Group, Some(0), 0));
                self.nodes[0].children.push(group);
            }
            let kind = NodeKind::Question(QuestionKind::Metadata(metadata));
            let index = self.nodes.len();
            self.nodes.push(Node { parameters, ..Node::new(name, kind, Some(group), row) });
            self.nodes[group].children.push(index);
        }
    }

    /// A row's node, with everything that does not need other rows.
    fn push(&mut self, line: Line<'_>, kind: NodeKind) -> Result<(), FormRefused> {
        let name = match &kind {
            NodeKind::Question(QuestionKind::Note) if line.cell("name").is_empty() => {
                format!("generated_note_name_{}", line.number())
            }
            _ => self.name(line)?,
        };
        let mut node = Node::new(&name, kind, self.open.last().copied(), line.number());
        node.parameters = parameters::read(line)?;
        let mut media = Media::default();
        for (column, cell) in line.cells() {
            let text = match column.name.as_str() {
                "hint" => &mut node.hint,
                "guidance_hint" => &mut node.guidance,
                "constraint_message" => &mut node.constraint_message,
                "required_message" => &mut node.required_message,
                other => match words(other, &mut node.label, &mut media) {
                    Some(words) => words,
                    None => {
                        if other.contains("::") || matches!(other, "autoplay" | "rows") {
                            node.parameters.insert(column.heading.to_string(), cell.to_owned());
                        }
                        continue;
                    }
                },
            };
            text.set(column.language, cell.to_owned().into());
        }
        node.media = media;
        node.appearance = line.cell("appearance").to_owned();
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
        if !self.names.insert((parent, node.name.clone())) {
            return Err(line.refused("name", Reason::Repeated(node.name)));
        }
        self.nodes[parent].children.push(index);
        self.nodes.push(node);
        Ok(())
    }

    fn name(&self, line: Line<'_>) -> Result<String, FormRefused> {
        match line.cell("name") {
            "" => Err(line.refused("name", Reason::Empty)),
            META if self.open.len() == 1 => Err(line.refused("name", Reason::Reserved(META.to_owned()))),
            name if is_name(name) => Ok(name.to_owned()),
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
        Plain::Calculate | Plain::Hidden | Plain::Unused => QuestionKind::Hidden,
        Plain::Metadata(metadata) => QuestionKind::Metadata(metadata),
    }
}

#[cfg(test)]
mod tests {
    use crate::NamedFile;
    use crate::model::{ChoicesFrom, Instance, Metadata, Model, Node, NodeKind, Preset as Answer, QuestionKind};
    use crate::refused::FormRefused;

    fn read(text: &str) -> Result<Model, FormRefused> {
        Model::read(NamedFile { name: "f.md", bytes: text.as_bytes() }, &[])
    }

    fn node<'m>(model: &'m Model, name: &str) -> &'m Node {
        model.nodes.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("no {name}"))
    }

    const FORM: &str = r"
| survey | | | | | | | | | | |
| | type | name | label::en | label | relevant | constraint | calculation | default | parameters | choice_filter | repeat_count | trigger | required |
| | start | start | | | | | | | | | | | |
| | audit | | | | | | | | | | | | |
| | integer | age | How old is ${who}? | Age | | . > 0 | | 18 | | | | | yes |
| | text | who | Who | | | | | ${age} + 1 | | | | | no |
| | begin repeat | kids | Kids | | ${age} > 18 | | | | | | ${age} - 18 | | |
| | text | kid | Kid | | | | | | | | | | |
| | integer | years | Years | | | | | today() | | | | | |
| | end repeat | | | | | | | | | | | | |
| | select_one ${kid} | eldest | Eldest | | | | | | | ${years} > ${age} | | | |
| | select_one l or_other | one | One | | | | | | randomize=true, seed=${age} | f = ${who} | | | |
| | select_multiple l | many | Many | | | | | | | | | | |
| | range | r | R | | | | | | start=1;end=5;step=0.5 | | | | |
| | calculate | c | | | | | once(${age}) | | | | | ${who}, ${age} | |
| | background-geopoint | place | | | | | | | | | | ${who} | |
| | percentage | p | P | | | | | | | | | | |
| | calculate | before | | | | | ${last-saved#age} | | | | | | |
| choices | | | | | | | | | | | | | |
| | list_name | name | label::en | label | f | | | | | | | | |
| | l | a | A | a of ${who} | x | | | | | | | | |
| settings | | | | | | | | | | | | | |
| | form_id | form_title | version | instance_name | | | | | | | | | |
| | my form | Title | 7 | concat(${who}, '!') | | | | | | | | | |
";

    #[test]
    fn every_column_reaches_its_question() {
        let model = read(FORM).unwrap_or_else(|refused| panic!("{refused}"));
        assert_eq!((model.id.as_str(), model.title.as_str(), model.version.as_str()), ("my_form", "Title", "7"));
        assert_eq!(model.instance_name.as_ref().map(|name| name.text.as_str()), Some("concat(/data/who, '!')"));
        let text = |formula: &Option<crate::model::Formula>| formula.as_ref().map(|formula| formula.text.clone());
        let age = node(&model, "age");
        let label = age.label.own(0).expect("a label in English");
        assert_eq!(label.filled(|formula| formula.text.clone()), "How old is /data/who?");
        assert_eq!(age.label.fallback.as_ref().map(|text| text.plain.as_str()), Some("Age"));
        assert!(matches!(&age.default, Some(Answer::Text(text)) if text == "18"));
        assert_eq!((text(&age.constraint), text(&age.required)), (Some(". > 0".to_owned()), Some("true()".to_owned())));
        assert!(node(&model, "who").required.is_none());
        assert!(matches!(&node(&model, "who").default, Some(Answer::Formula(f)) if f.text == "/data/age + 1"));
        assert!(matches!(&node(&model, "years").default, Some(Answer::Formula(f)) if f.text == "today()"));
        let NodeKind::Repeat { count: Some(count) } = &node(&model, "kids").kind else { panic!("no count") };
        assert_eq!((count.text.as_str(), node(&model, "kids").children.len()), ("/data/age - 18", 2));
        assert_eq!(
            node(&model, "c").triggers.iter().map(|f| f.text.as_str()).collect::<Vec<_>>(),
            ["/data/who", "/data/age"]
        );
        assert!(matches!(node(&model, "place").kind, NodeKind::Question(QuestionKind::Metadata(Metadata::StartPlace))));
        assert_eq!(text(&node(&model, "p").constraint).as_deref(), Some("0 <= . and . <= 100"));
        assert_eq!(node(&model, "r").parameters["step"], "0.5");
        assert_eq!(text(&node(&model, "before").calculation).as_deref(), Some("instance('__last-saved')/data/age"));
        assert!(matches!(model.instances["__last-saved"], Instance::LastSaved));
        assert_eq!(node(&model, "audit").parent, node(&model, "instanceID").parent);
        assert!(matches!(
            node(&model, "instanceID").kind,
            NodeKind::Question(QuestionKind::Metadata(Metadata::InstanceId))
        ));
    }

    #[test]
    fn choices_come_from_lists_and_from_rows() {
        let model = read(FORM).unwrap_or_else(|refused| panic!("{refused}"));
        let eldest = node(&model, "eldest").choices().expect("choices");
        let ChoicesFrom::Nodes { items, value, .. } = &eldest.from else { panic!("rows") };
        assert_eq!((items.text.as_str(), value.text.as_str()), ("/data/kids", "kid"));
        let filter = eldest.filter.as_ref().map(|filter| filter.text.as_str());
        assert_eq!(filter, Some("(./kid != '') and (./years > /data/age)"));
        let one = node(&model, "one").choices().expect("choices");
        assert_eq!(one.filter.as_ref().map(|filter| filter.text.as_str()), Some("f = /data/who"));
        let seed = one.randomize.as_ref().and_then(|seed| seed.as_ref());
        assert_eq!(seed.map(|seed| seed.text.as_str()), Some("/data/age"));
        let other = node(&model, "one_other");
        assert_eq!(other.relevant.as_ref().map(|f| f.text.as_str()), Some("selected(../one, 'other')"));
        let Instance::List(items) = &model.instances["l"] else { panic!("a list") };
        assert_eq!(items.iter().map(|item| item.name.as_str()).collect::<Vec<_>>(), ["a", "other"]);
        assert_eq!((&*items[0].columns[0].0, items[0].columns[0].1.as_str()), ("f", "x"));
        assert_eq!(items[0].label.fallback.as_ref().map(|text| text.outputs.len()), Some(1));
    }

    #[test]
    fn what_is_wrong_is_refused_where_it_stands() {
        let check = |rows: &str, wanted: &str| {
            let form = format!("| survey |\n| | type | name | label | relevant | parameters |\n{rows}\n");
            let refused = read(&form).err().map(|refused| refused.to_string());
            assert_eq!(refused.as_deref(), Some(wanted), "{rows}");
        };
        check("| | texts | a | A |", "survey:3:type: the type `texts` is not supported");
        check("| | text | | A |", "survey:3:name: the cell is empty");
        check("| | | a | A |", "survey:3:type: the cell is empty");
        check(
            "| | text | 1a | A |",
            "survey:3:name: `1a` is no name: a letter or underscore, then letters, digits, `_`, `-` or `.`, at most 255 bytes",
        );
        check("| | text | a | A |\n| | text | a | B |", "survey:4:name: `a` stands here already");
        check("| | begin group | g | G |", "survey:3:type: begin and end do not match");
        check("| | begin group | g | G |\n| | end repeat |", "survey:4:type: begin and end do not match");
        check("| | end group |", "survey:3:type: begin and end do not match");
        check("| | select_one l | a | A |", "survey:3:type: there is no list of choices `l`");
        check("| | text | a | A | ${b} = 1 |", "survey:3:relevant: the form has no `b`");
        check("| | text | a | A ${b} |", "survey:3:label: the form has no `b`");
        check("| | text | a | A | 1 + |", "survey:3:relevant: the expression ends too early, at character 4");
        check("| | text | a | A | foo(1) |", "survey:3:relevant: there is no function `foo`, at character 1");
        check("| | text | a | A | | colour=red |", "survey:3:parameters: the parameter `colour` is not supported here");
        check("| | text | meta | A |", "survey:3:name: `meta` means something else and cannot be a name here");
        check(
            "| | note | | only |\n| | text | a | #REF! |",
            "survey:4:label: the cell shows an error, or a date that is none",
        );
    }

    #[test]
    fn what_has_no_effect_is_named() {
        let form = "| survey |\n| | type | name | label | colour |\n| | text | a | A | red | stray |\n| | | | remark |\n| notes |\n| | x |\n| | y |\n";
        let model = read(form).unwrap_or_else(|refused| panic!("{refused}"));
        let named: Vec<String> =
            model.notices.iter().map(|n| format!("{}:{}:{}: {}", n.sheet, n.row, n.column, n.text)).collect();
        assert_eq!(
            named,
            [
                "notes:6:: this sheet is not used",
                "survey:2:colour: this column is not used",
                "survey:3:E: cells below no heading are not used",
                "survey:4:type: a row without type and name is not used",
            ]
        );
    }
}
