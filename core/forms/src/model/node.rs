//! What stands in a form: groups, repeats and questions, what their answers must hold to, and what they offer.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Media, Words};
use crate::expr::{Expression, ParseError};

/// Deepest nesting of groups and repeats.
pub const GROUPS_DEPTH_MAX: usize = 32;
/// Longest name of a question, in bytes.
pub const FORM_NAME_BYTES_MAX: usize = 255;

/// How a bind says that a publication must disclose an answer: `bind::merestone:must-disclose` in a workbook.
pub const MUST_DISCLOSE: &str = "must-disclose";
/// The namespace of what binds say to us, in an XForm.
pub(crate) const NAMESPACE: &str = "urn:merestone:xforms";

/// Whether something may be called so: a letter or `_`, then letters, digits, `_`, `-`, `.`, with at most one prefix
/// and `:`, and no more than [`FORM_NAME_BYTES_MAX`] bytes (XML 1.0 §2.3, and the prefixes of its namespaces).
pub(crate) fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_inner = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '\u{b7}');
        part.starts_with(|c: char| c.is_alphabetic() || c == '_') && part.chars().all(is_inner)
    };
    name.len() <= FORM_NAME_BYTES_MAX && name.splitn(2, ':').all(is_part)
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
    pub default: Option<Preset>,
    /// How it is shown, as the form says it; passed on.
    pub appearance: String,
    /// Parameters of its type, and what else is passed on, as the form says them.
    pub parameters: BTreeMap<String, String>,
    /// Where it stands in its file, for messages.
    pub row: usize,
}

/// An answer before anybody gave one.
#[derive(Clone, Debug)]
pub enum Preset {
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

impl QuestionKind {
    /// The type as XLSForm calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Range => "range",
            Self::Date => "date",
            Self::Time => "time",
            Self::DateTime => "dateTime",
            Self::SelectOne(_) => "select_one",
            Self::SelectMultiple(_) => "select_multiple",
            Self::Rank(_) => "rank",
            Self::GeoPoint => "geopoint",
            Self::GeoTrace => "geotrace",
            Self::GeoShape => "geoshape",
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::File => "file",
            Self::Barcode => "barcode",
            Self::Note => "note",
            Self::Acknowledge => "acknowledge",
            Self::Hidden => "hidden",
            Self::Metadata(metadata) => metadata.name(),
        }
    }
}

impl Metadata {
    /// The type as XLSForm calls it; of the instance id, which is in every form, its name in XForms.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
            Self::Today => "today",
            Self::DeviceId => "deviceid",
            Self::UserName => "username",
            Self::Email => "email",
            Self::PhoneNumber => "phonenumber",
            Self::StartPlace => "start-geopoint",
            Self::Audit => "audit",
            Self::InstanceId => "instanceID",
        }
    }
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

    /// Whether the form says that a publication must disclose its answer: the column or attribute [`MUST_DISCLOSE`].
    pub fn must_be_disclosed(&self) -> bool {
        let name = |key: &str| key.rsplit(':').next().unwrap_or(key).trim().to_ascii_lowercase();
        let marks = self.parameters.iter().filter(|(key, _)| name(key) == MUST_DISCLOSE);
        marks
            .into_iter()
            .any(|(_, said)| matches!(said.trim().to_ascii_lowercase().as_str(), "yes" | "true" | "true()" | "1"))
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

impl Node {
    /// Its expressions, without those inside texts.
    pub fn formulas(&self) -> impl Iterator<Item = &Formula> {
        let own = [&self.relevant, &self.required, &self.constraint, &self.calculation, &self.read_only];
        let default = match &self.default {
            Some(Preset::Formula(formula)) => Some(formula),
            Some(Preset::Text(_)) | None => None,
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
