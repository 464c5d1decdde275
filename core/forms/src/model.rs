//! A form as its readers hand it over: a tree of questions, groups and repeats, lists of choices, and texts in
//! every language. It does not say where it was read from, and nothing is evaluated here.

use std::collections::BTreeMap;

use crate::expr::Expression;

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

/// A text for people, in one or many languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// The text where there is none in the language wanted.
    pub fallback: Option<String>,
    /// By number of the language in [`Model::languages`].
    pub translated: BTreeMap<usize, String>,
}

impl Words {
    /// The text in a language: that one's, otherwise the one without a language, otherwise any.
    pub fn in_language(&self, language: Option<usize>) -> Option<&str> {
        let own = language.and_then(|language| self.translated.get(&language));
        own.or(self.fallback.as_ref()).or_else(|| self.translated.values().next()).map(String::as_str)
    }

    /// Whether there is none in any language.
    pub fn is_empty(&self) -> bool {
        self.fallback.is_none() && self.translated.is_empty()
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
    /// Parameters of its type, as the form says them.
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

/// An expression with its text.
#[derive(Clone, Debug)]
pub struct Formula {
    /// As XPath, with paths instead of `${…}`.
    pub text: String,
    /// As it is evaluated.
    pub expression: Expression,
}

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
    /// Where filling began.
    StartPlace,
    /// Where and when each question was answered.
    Audit,
}

/// The choices of a question.
#[derive(Clone, Debug)]
pub struct Choices {
    /// The list, a name in [`Model::instances`]; or a path to rows of a repeat.
    pub from: ChoicesFrom,
    /// Which of them are offered.
    pub filter: Option<Formula>,
    /// Whether `other` is offered, with a text of its own.
    pub or_other: bool,
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
        /// The element of an item that is recorded.
        value: String,
        /// The element of an item that is shown.
        label: String,
    },
    /// Rows of a repeat: what they answered to a question.
    Rows(Formula),
}

/// Data that expressions look at.
#[derive(Clone, Debug)]
pub enum Instance {
    /// A list of choices of the form itself.
    List(Vec<Item>),
    /// A file beside the form.
    File {
        /// Its name.
        name: String,
    },
}

/// One choice.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// What is recorded.
    pub name: String,
    /// What is shown.
    pub label: Words,
    /// What stands beside the text.
    pub media: Media,
    /// Further columns, for filters.
    pub columns: Vec<(String, String)>,
    /// Where it stands in its file.
    pub row: usize,
}
