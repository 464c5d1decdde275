//! What of a form is shown, as lines of a screen.

use merestone_forms::filling::{Offered, Place, RowId, Screen};
use merestone_forms::model::{NodeIndex, NodeKind};
use merestone_forms::{Filling, Problem, Refusal, Wrong};
use merestone_node::filling::{is_only_read, is_photo};

use crate::ids::count;
use crate::value::AnswerValue;

/// What a screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ScreenKind {
    /// A question.
    Question,
    /// A text that asks nothing, or a question whose answer the form gives.
    Note,
    /// A group begins: its label stands above what follows.
    Group,
    /// A row of a repeat begins.
    Row,
    /// Another row may be added here.
    AddRow,
}

/// One step of the way through a form.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ScreenLine {
    /// Its place among the screens as things are, from 0.
    pub index: u32,
    /// What it is.
    pub kind: ScreenKind,
    /// The key of the question's answer; of a row its id; where a row may be added, the name of the repeat. Empty for a group.
    pub key: String,
    /// Where a row may be added in a row of another repeat: that row's id.
    pub within: Option<String>,
    /// The name in the form.
    pub name: String,
    /// The type as XLSForm calls it (`select_one`, `date` …); empty for what is no question.
    pub question_type: String,
    /// The text in the language now shown; the name where there is none.
    pub label: String,
    /// A hint.
    pub hint: Option<String>,
    /// More help, shown on demand.
    pub guidance: Option<String>,
    /// The answer; none while nothing is answered.
    pub value: Option<AnswerValue>,
    /// What stands there as text, also where the form calculates it.
    pub shown: String,
    /// The choices that are offered now, in the order in which they are shown.
    pub choices: Vec<ChoiceLine>,
    /// Whether an answer is required as things are.
    pub is_required: bool,
    /// Whether it is only read.
    pub is_read_only: bool,
    /// Whether it asks for a photo.
    pub is_photo: bool,
    /// How the form wants it shown (`minimal`, `multiline` …), as XLSForm calls it.
    pub appearance: String,
    /// Of a row: its number among those shown, from 1.
    pub row_number: Option<u32>,
    /// What the form finds wrong with it.
    pub problem: Option<ProblemLine>,
}

/// A choice that is offered.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ChoiceLine {
    /// What is recorded.
    pub name: String,
    /// What is shown.
    pub label: String,
}

impl From<Offered> for ChoiceLine {
    fn from(offered: Offered) -> Self {
        Self { name: offered.name, label: offered.label }
    }
}

/// One thing to mend before a record is complete.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ProblemLine {
    /// The answer's key; empty where it is the form as a whole.
    pub key: String,
    /// What is wrong, as a name that programs may rely on: `missing`, `constraint`, `answer` …
    pub code: String,
    /// What to tell the person: the form's own words, or else ours.
    pub message: String,
}

impl From<Problem> for ProblemLine {
    fn from(problem: Problem) -> Self {
        let Problem { key, wrong, message } = problem;
        let code = match &wrong {
            Wrong::Unknown => "unknown",
            Wrong::Homeless => "homeless",
            Wrong::Missing => "missing",
            Wrong::Constraint => "constraint",
            Wrong::Answer(Refusal::NoRow) => "no-row",
            Wrong::Answer(_) => "answer",
            Wrong::Expression(_) => "not-worked-out",
            Wrong::Rows => "rows",
            Wrong::Unsettled => "unsettled",
        };
        Self { key, code: code.to_owned(), message: message.unwrap_or_else(|| wrong.to_string()) }
    }
}

/// Up to `lines_max` screens from `from` on.
pub(crate) fn lines(filling: &Filling, from: usize, lines_max: usize) -> Vec<ScreenLine> {
    let screens = filling.screens().into_iter().enumerate();
    screens.skip(from).take(lines_max).map(|(index, screen)| line(filling, index, screen)).collect()
}

/// The screen of the question of a key.
pub(crate) fn of_key(filling: &Filling, screens: &[Screen], key: &str) -> Option<ScreenLine> {
    let place = filling.place(key)?;
    let index = screens.iter().position(|screen| *screen == Screen::Question(place))?;
    Some(line(filling, index, screens[index]))
}

fn line(filling: &Filling, index: usize, screen: Screen) -> ScreenLine {
    let line = match screen {
        Screen::Group(place) => heading(filling, place, ScreenKind::Group),
        Screen::Row { place, id, number } => ScreenLine {
            key: id.to_string(),
            row_number: Some(count(number)),
            ..heading(filling, place, ScreenKind::Row)
        },
        Screen::Question(place) => question(filling, place),
        Screen::Add { repeat, within } => add_row(filling, repeat, within),
    };
    ScreenLine { index: count(index), ..line }
}

fn heading(filling: &Filling, place: Place, kind: ScreenKind) -> ScreenLine {
    let node = filling.node(place);
    ScreenLine {
        index: 0,
        kind,
        key: String::new(),
        within: None,
        name: node.name.clone(),
        question_type: String::new(),
        label: filling.label(place),
        hint: filling.words(&node.hint, place),
        guidance: filling.words(&node.guidance, place),
        value: None,
        shown: String::new(),
        choices: Vec::new(),
        is_required: false,
        is_read_only: true,
        is_photo: false,
        appearance: node.appearance.clone(),
        row_number: None,
        problem: None,
    }
}

fn question(filling: &Filling, place: Place) -> ScreenLine {
    let node = filling.node(place);
    let (key, is_read_only) = (filling.key(place).unwrap_or_default(), is_only_read(filling, place));
    let question_type = match &node.kind {
        NodeKind::Question(kind) => kind.name(),
        NodeKind::Group | NodeKind::Repeat { .. } => "",
    };
    ScreenLine {
        value: filling.given(&key).cloned().map(Into::into),
        shown: filling.value(place).to_owned(),
        choices: filling.offered(place).into_iter().map(Into::into).collect(),
        is_required: filling.is_required(place),
        is_read_only,
        is_photo: is_photo(filling, place),
        problem: filling.problem(place).map(Into::into),
        question_type: question_type.to_owned(),
        key,
        ..heading(filling, place, if is_read_only { ScreenKind::Note } else { ScreenKind::Question })
    }
}

fn add_row(filling: &Filling, repeat: NodeIndex, within: Option<RowId>) -> ScreenLine {
    let name = filling.form().name(repeat).to_owned();
    ScreenLine {
        index: 0,
        kind: ScreenKind::AddRow,
        key: name.clone(),
        within: within.map(|row| row.to_string()),
        name,
        question_type: String::new(),
        label: filling.label_of_repeat(repeat, within),
        hint: None,
        guidance: None,
        value: None,
        shown: String::new(),
        choices: Vec::new(),
        is_required: false,
        is_read_only: false,
        is_photo: false,
        appearance: String::new(),
        row_number: None,
        problem: None,
    }
}
