//! A form as its readers hand it over: a tree of questions, groups and repeats, lists of choices, and texts in
//! every language. It does not say where it was read from, and nothing is evaluated here.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::expr::{Expression, ParseError};

/// A language of a form, as it names it: `English (en)`, `Українська (uk)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Language(pub String);

impl Language {
    /// The code in parentheses at the end of the name (BCP 47), if there is one.
    pub fn code(&self) -> Option<&str> {
        let inside = self.0.trim_end().strip_suffix(')')?;
        inside.rsplit_once('(').map(|(_, code)| code.trim()).filter(|code| !code.is_empty())
    }

    /// Whether it is written from right to left.
    pub fn is_right_to_left(&self) -> bool {
        let code = self.code().unwrap_or(&self.0).to_ascii_lowercase();
        let primary = code.split(['-', '_']).next().unwrap_or_default();
        matches!(
            primary,
            "ar" | "arc"
                | "ckb"
                | "dv"
                | "fa"
                | "ff-adlm"
                | "he"
                | "iw"
                | "ku-arab"
                | "ps"
                | "sd"
                | "syr"
                | "ug"
                | "ur"
                | "yi"
        ) || self.0.chars().next().is_some_and(|c| matches!(u32::from(c), 0x0590..=0x08ff))
    }
}

/// A text for people, and the values that are put into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The text without what is put into it; never markup, whatever it looks like.
    pub plain: String,
    /// What is put in, in the order of the places.
    pub outputs: Vec<Output>,
}

/// A value that is put into a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Before which byte of the text.
    pub at: usize,
    /// What the value comes from.
    pub formula: Formula,
}

impl Text {
    /// The text with each value as `value` writes it.
    pub fn filled(&self, mut value: impl FnMut(&Formula) -> String) -> String {
        let (mut filled, mut from) = (String::with_capacity(self.plain.len()), 0);
        for output in &self.outputs {
            filled.push_str(self.plain.get(from..output.at).unwrap_or_default());
            filled.push_str(&value(&output.formula));
            from = output.at;
        }
        filled.push_str(self.plain.get(from..).unwrap_or_default());
        filled
    }
}

impl From<String> for Text {
    fn from(plain: String) -> Self {
        Self { plain, outputs: Vec::new() }
    }
}

/// A text for people, in one or many languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// The text where there is none in the language wanted.
    pub fallback: Option<Text>,
    /// With the number of the language in [`Model::languages`]; each language at most once.
    pub translated: Vec<(usize, Text)>,
}

impl Words {
    /// The text in a language: that one's, otherwise the one without a language, otherwise any.
    pub fn in_language(&self, language: Option<usize>) -> Option<&Text> {
        let own = language.and_then(|language| self.own(language));
        own.or(self.fallback.as_ref()).or_else(|| self.translated.first().map(|(_, text)| text))
    }

    /// The text in a language, if it has one of its own.
    pub fn own(&self, language: usize) -> Option<&Text> {
        self.translated.iter().find(|(own, _)| *own == language).map(|(_, text)| text)
    }

    /// Whether there is none in any language.
    pub fn is_empty(&self) -> bool {
        self.fallback.is_none() && self.translated.is_empty()
    }

    /// Gives it a text in a language, or the one without a language.
    pub(crate) fn set(&mut self, language: Option<usize>, text: Text) {
        let Some(language) = language else {
            self.fallback = Some(text);
            return;
        };
        match self.translated.iter_mut().find(|(own, _)| *own == language) {
            Some((_, known)) => *known = text,
            None => self.translated.push((language, text)),
        }
    }

    /// Every text, in whatever language.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.fallback.iter().chain(self.translated.iter().map(|(_, text)| text))
    }
}

/// What stands beside a text: names of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// A picture.
    pub image: Words,
    /// A larger picture of the same.
    pub big_image: Words,
    /// A recording.
    pub audio: Words,
    /// A film.
    pub video: Words,
}

impl Media {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        [&self.image, &self.big_image, &self.audio, &self.video].into_iter().all(Words::is_empty)
    }
}

/// A form that was read.
#[derive(Clone, Debug)]
pub struct Model {
    /// The kind of record it makes: its `form_id`.
    pub id: String,
    /// Its title for people.
    pub title: String,
    /// Its version.
    pub version: String,
    /// Its languages, in the order in which they first stand.
    pub languages: Vec<Language>,
    /// The language shown first, by number.
    pub default_language: Option<usize>,
    /// Name of the root element, in XML.
    pub root: String,
    /// Groups, repeats and questions; the first is the form itself, each stands after the one it is in.
    pub nodes: Vec<Node>,
    /// Lists of choices, and other data that expressions look at, by name.
    pub instances: BTreeMap<String, Instance>,
    /// How an instance is called for people.
    pub instance_name: Option<Formula>,
    /// Texts that expressions ask for by id (`jr:itext`).
    pub texts: BTreeMap<String, Words>,
    /// Settings that are passed on and mean nothing here, by name.
    pub settings: BTreeMap<String, String>,
    /// What was read and has no effect here, for people.
    pub notices: Vec<Notice>,
}

/// Something that was understood and has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The sheet, or the element's path in an XForm.
    pub sheet: String,
    /// The row, from 1.
    pub row: usize,
    /// The column's heading.
    pub column: String,
    /// What has no effect, and why.
    pub text: String,
}

/// Longest name of a question, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// Whether something may be called so: a letter or `_`, then letters, digits, `_`, `-`, `.`, with at most one prefix
/// and `:`, and no more than [`NAME_BYTES_MAX`] bytes (XML 1.0 §2.3, and the prefixes of its namespaces).
pub(crate) fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_inner = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '\u{b7}');
        part.starts_with(|c: char| c.is_alphabetic() || c == '_') && part.chars().all(is_inner)
    };
    name.len() <= NAME_BYTES_MAX && name.splitn(2, ':').all(is_part)
}

/// A node's number in [`Model::nodes`].
pub type NodeIndex = usize;

/// A group, a repeat, or a question.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name among its siblings.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// What it stands in; the form itself stands in nothing.
    pub parent: Option<NodeIndex>,
    /// What stands in it, in order.
    pub children: Vec<NodeIndex>,
    /// Its text.
    pub label: Words,
    /// A remark for who answers.
    pub hint: Words,
    /// A longer remark, shown on demand.
    pub guidance: Words,
    /// What stands beside the text.
    pub media: Media,
    /// Whether it is asked.
    pub relevant: Option<Formula>,
    /// Whether it must be answered.
    pub required: Option<Formula>,
    /// What is said when it was not.
    pub required_message: Words,
    /// What an answer must hold to.
    pub constraint: Option<Formula>,
    /// What is said when it does not.
    pub constraint_message: Words,
    /// What its answer is calculated from.
    pub calculation: Option<Formula>,
    /// Whether the calculation is made only when these change; none: whenever something in it changes.
    pub triggers: Vec<Formula>,
    /// Whether people cannot answer it.
    pub read_only: Option<Formula>,
    /// Its answer before anybody gave one.
    pub default: Option<Default>,
    /// How it is shown, as the form says it; passed on.
    pub appearance: String,
    /// Parameters of its type, and what else is passed on, as the form says them.
    pub parameters: BTreeMap<String, String>,
    /// Where it stands in its file, for messages.
    pub row: usize,
}

/// An answer before anybody gave one.
#[derive(Clone, Debug)]
pub enum Default {
    /// This.
    Text(String),
    /// What this comes to when the form, or the row, begins.
    Formula(Formula),
}

/// An expression with its text; two with the same text are equal.
#[derive(Clone, Debug)]
pub struct Formula {
    /// As XPath, with paths instead of `${…}`.
    pub text: String,
    /// As it is evaluated.
    pub expression: Arc<Expression>,
}

impl Formula {
    /// Parses an expression and keeps its text.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(Self { text: text.to_owned(), expression: Arc::new(Expression::parse(text)?) })
    }
}

impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Formula {}

/// What a node is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// Nodes that belong together.
    Group,
    /// A group of which there may be any number of rows.
    Repeat {
        /// How many rows there are; none: as many as people add.
        count: Option<Formula>,
    },
    /// A question.
    Question(QuestionKind),
}

/// What an answer is.
#[derive(Clone, Debug)]
pub enum QuestionKind {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Decimal,
    /// A whole or decimal number between two others.
    Range,
    /// A day.
    Date,
    /// A time of the day.
    Time,
    /// A day and a time.
    DateTime,
    /// One of some choices.
    SelectOne(Choices),
    /// Any of some choices.
    SelectMultiple(Choices),
    /// All of some choices, in an order.
    Rank(Choices),
    /// A place.
    GeoPoint,
    /// Places along a way.
    GeoTrace,
    /// Places around an area.
    GeoShape,
    /// A picture.
    Image,
    /// A recording.
    Audio,
    /// A film.
    Video,
    /// Any file.
    File,
    /// What a code says.
    Barcode,
    /// A text that asks nothing.
    Note,
    /// `OK`, or nothing.
    Acknowledge,
    /// Never shown; calculated, or set from outside.
    Hidden,
    /// Filled by the device.
    Metadata(Metadata),
}

/// What the device knows by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metadata {
    /// When filling began.
    Start,
    /// When filling ended.
    End,
    /// The day on which filling began.
    Today,
    /// Which device.
    DeviceId,
    /// Who fills it.
    UserName,
    /// Their address.
    Email,
    /// The device's telephone number.
    PhoneNumber,
    /// Where filling began; with triggers, where it was when one of them was answered.
    StartPlace,
    /// What names this one filled form among all others.
    InstanceId,
    /// Where and when each question was answered.
    Audit,
}

/// The choices of a question.
#[derive(Clone, Debug)]
pub struct Choices {
    /// The list, a name in [`Model::instances`]; or a path to rows of a repeat.
    pub from: ChoicesFrom,
    /// Which of them are offered; evaluated at each of them.
    pub filter: Option<Formula>,
    /// Whether they come in an order by chance, and the seed of it.
    pub randomize: Option<Option<Formula>>,
}

/// Where choices come from.
#[derive(Clone, Debug)]
pub enum ChoicesFrom {
    /// An instance of the form, and the names of what is recorded and what is shown.
    Instance {
        /// Its name.
        name: String,
        /// The column of an item that is recorded.
        value: String,
        /// The column of an item that is shown.
        label: String,
    },
    /// Whatever nodes an expression finds: rows of a repeat, most often.
    Nodes {
        /// The nodes; each is one choice.
        items: Formula,
        /// The path from a node to what is recorded.
        value: Formula,
        /// The path from a node to what is shown.
        label: Formula,
    },
}

/// Data that expressions look at.
#[derive(Clone, Debug)]
pub enum Instance {
    /// A list of choices of the form itself.
    List(Vec<Item>),
    /// Rows of cells: a list of data, or a file of it.
    Table(Table),
    /// Elements in any shape.
    Tree(Element),
    /// A file that was not given.
    Absent {
        /// Its name.
        file: String,
    },
    /// The answers of the form that was saved last.
    LastSaved,
}

/// Rows of cells under named columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows; a row may be shorter than there are columns.
    pub rows: Vec<Vec<String>>,
}

/// An element of an instance in any shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name, with its prefix.
    pub name: String,
    /// Its own text.
    pub text: String,
    /// Its attributes.
    pub attributes: Vec<(String, String)>,
    /// The elements in it.
    pub children: Vec<Element>,
}

/// One choice.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// What is recorded.
    pub name: String,
    /// What is shown.
    pub label: Words,
    /// What stands beside the text.
    pub media: Option<Box<Media>>,
    /// Further columns, for filters, with their headings.
    pub columns: Vec<(Arc<str>, String)>,
    /// Where it stands in its file.
    pub row: usize,
}

impl Node {
    /// One that has a name and nothing else yet.
    pub(crate) fn new(name: &str, kind: NodeKind, parent: Option<NodeIndex>, row: usize) -> Self {
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

    /// The choices, if it is a question with some.
    pub fn choices(&self) -> Option<&Choices> {
        match &self.kind {
            NodeKind::Question(
                QuestionKind::SelectOne(choices) | QuestionKind::SelectMultiple(choices) | QuestionKind::Rank(choices),
            ) => Some(choices),
            _ => None,
        }
    }

    /// As [`choices`](Self::choices), to fill.
    pub(crate) fn choices_mut(&mut self) -> Option<&mut Choices> {
        match &mut self.kind {
            NodeKind::Question(
                QuestionKind::SelectOne(choices) | QuestionKind::SelectMultiple(choices) | QuestionKind::Rank(choices),
            ) => Some(choices),
            _ => None,
        }
    }
}

impl Model {
    /// Every expression of the form, in no particular order.
    pub fn formulas(&self) -> impl Iterator<Item = &Formula> {
        let texts = self.nodes.iter().flat_map(Node::words).flat_map(Words::texts).chain(self.item_texts());
        let outputs = texts.flat_map(|text| &text.outputs).map(|output| &output.formula);
        self.nodes.iter().flat_map(Node::formulas).chain(&self.instance_name).chain(outputs)
    }

    fn item_texts(&self) -> impl Iterator<Item = &Text> {
        let lists = self.instances.values().filter_map(|instance| match instance {
            Instance::List(items) => Some(items),
            _ => None,
        });
        lists.flatten().flat_map(|item| item.label.texts())
    }
}

impl Node {
    /// Its expressions, without those inside texts.
    pub fn formulas(&self) -> impl Iterator<Item = &Formula> {
        let own = [&self.relevant, &self.required, &self.constraint, &self.calculation, &self.read_only];
        let default = match &self.default {
            Some(Default::Formula(formula)) => Some(formula),
            Some(Default::Text(_)) | None => None,
        };
        let count = match &self.kind {
            NodeKind::Repeat { count } => count.as_ref(),
            NodeKind::Group | NodeKind::Question(_) => None,
        };
        let choices = self.choices();
        let nodes = choices.and_then(|choices| match &choices.from {
            ChoicesFrom::Nodes { items, value, label } => Some([items, value, label]),
            ChoicesFrom::Instance { .. } => None,
        });
        let filter = choices.and_then(|choices| choices.filter.as_ref());
        let seed = choices.and_then(|choices| choices.randomize.as_ref()?.as_ref());
        let singles = default.into_iter().chain(count).chain(filter).chain(seed);
        own.into_iter().flatten().chain(&self.triggers).chain(singles).chain(nodes.into_iter().flatten())
    }

    /// Its texts for people.
    pub fn words(&self) -> impl Iterator<Item = &Words> {
        let media = [&self.media.image, &self.media.big_image, &self.media.audio, &self.media.video];
        let own = [&self.label, &self.hint, &self.guidance, &self.required_message, &self.constraint_message];
        own.into_iter().chain(media)
    }
}
