//! Filling a form with a person, on whatever screen: which answer a typed text is, what follows from answers that were given
//! at once, where back and a jump lead, and where a draft goes on.
//!
//! An app and the terminal ask and show in their own ways; what is decided on the way is decided here.

mod interview;

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::id::{RecordId, ScopeId};
use merestone_core::key::PublicKey;
use merestone_forms::filling::{Offered, Place, Screen};
use merestone_forms::model::{NodeKind, QuestionKind};
use merestone_forms::{Answer, Filling, Form, Refusal, field};

use crate::device::{AccessError, Device};
use crate::draft::{Draft, DraftSubject};
use crate::forms::FillError;

pub use interview::{Interview, InterviewError, OpenInterviewError, is_other_file, is_photo};

/// A typed text is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Whether a row or a record is withdrawn is true or false.
    #[error("answer true or false")]
    NotTrueOrFalse,
    /// The question takes no such text.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Answers that were given at once do not fit the form.
#[derive(Debug, thiserror::Error)]
pub enum WorkOutError {
    /// A question is not asked as the other answers are, or nobody may answer it.
    #[error("{key}: {refusal}")]
    Refused {
        /// Its key.
        key: String,
        /// Why.
        refusal: Refusal,
    },
    /// The draft could not be made ready to be filled.
    #[error(transparent)]
    Fill(#[from] FillError),
}

/// The answer that a typed text is at a key, of the type that the form's question has; nothing typed is an answer left blank.
/// Without the form, and where the form has no such question, it is the text.
///
/// # Errors
/// [`NoAnswer`].
pub fn typed_answer(form: Option<&Form>, key: &str, typed: &str) -> Result<Answer, NoAnswer> {
    if typed.is_empty() {
        return Ok(Answer::Blank);
    }
    // Withdrawing is no question of any form; the record's spec makes it true or false.
    if key == "withdrawn" || key.ends_with("/withdrawn") {
        return typed.parse().map(Answer::Bool).map_err(|_| NoAnswer::NotTrueOrFalse);
    }
    let Some((form, (node, kind))) = form.and_then(|form| Some((form, form.question(key)?))) else {
        return Ok(Answer::text(typed));
    };
    Ok(field::read(kind, &form.model().nodes[node].parameters, typed)?)
}

/// Names for the numbers by which choices were called; a choice that is itself called by a number goes first.
pub fn chosen(filling: &Filling, place: Place, typed: &str, offered: &[Offered]) -> String {
    let name = |word: &str| {
        let is_name = offered.iter().any(|choice| choice.name == word);
        let numbered = word.parse::<usize>().ok().and_then(|number| offered.get(number.checked_sub(1)?));
        match numbered {
            Some(choice) if !is_name => choice.name.clone(),
            _ => word.to_owned(),
        }
    };
    match filling.node(place).kind {
        NodeKind::Question(QuestionKind::SelectOne(_)) => name(typed.trim()),
        NodeKind::Question(QuestionKind::SelectMultiple(_) | QuestionKind::Rank(_)) => {
            typed.split_whitespace().map(name).collect::<Vec<_>>().join(" ")
        }
        _ => typed.to_owned(),
    }
}

/// Whether a question is only read: a note, or one whose answer the form gives.
pub fn is_only_read(filling: &Filling, place: Place) -> bool {
    matches!(filling.node(place).kind, NodeKind::Question(QuestionKind::Note)) || filling.is_read_only(place)
}

/// Where a filling that was left goes on: the first question that has no answer yet, or the beginning.
pub fn first_open(filling: &Filling) -> usize {
    let is_open = |screen: &Screen| match screen {
        Screen::Question(place) => {
            let key = filling.key(*place);
            !is_only_read(filling, *place) && key.is_some_and(|key| filling.given(&key).is_none())
        }
        Screen::Group(_) | Screen::Row { .. } | Screen::Add { .. } => false,
    };
    filling.screens().iter().position(is_open).unwrap_or_default()
}

/// Where back leads from a screen: to the question, or the offer of a row, before it.
pub fn before(filling: &Filling, screens: &[Screen], at: usize) -> usize {
    let is_stop = |screen: &Screen| match screen {
        Screen::Question(place) => !is_only_read(filling, *place),
        Screen::Add { .. } => true,
        Screen::Group(_) | Screen::Row { .. } => false,
    };
    screens[..at.min(screens.len())].iter().rposition(is_stop).unwrap_or_default()
}

/// Where a jump to a name or key leads: the first question or group of that name that is asked now.
pub fn find(filling: &Filling, to: &str) -> Option<usize> {
    let is_it = |screen: &Screen| match screen {
        Screen::Question(place) => filling.node(*place).name == to || filling.key(*place).is_some_and(|key| key == to),
        Screen::Group(place) => filling.node(*place).name == to,
        Screen::Row { .. } | Screen::Add { .. } => false,
    };
    filling.screens().iter().position(is_it)
}

impl Device {
    /// Answers that were given at once, with what follows from them in the form: defaults, calculations, what the device
    /// knows. They may come in any order: one may open the way for another.
    ///
    /// What the form finds wrong with one of them is no reason here; see [`problems`](Self::problems).
    ///
    /// # Errors
    /// [`WorkOutError`].
    pub fn work_out(
        &self,
        draft: &Draft,
        answers: Vec<(String, Answer)>,
    ) -> Result<BTreeMap<String, Answer>, WorkOutError> {
        let Some(mut filling) = self.filling(draft)? else { return Ok(answers.into_iter().collect()) };
        let mut waiting: Vec<&(String, Answer)> = answers.iter().collect();
        loop {
            let before = waiting.len();
            waiting.retain(|(key, answer)| filling.answer(key, answer.clone()).is_err());
            if waiting.is_empty() || waiting.len() == before {
                break;
            }
        }
        let mut refused = BTreeSet::new();
        for (key, answer) in &answers {
            match filling.answer(key, answer.clone()) {
                Ok(()) => {}
                Err(refusal @ (Refusal::NotAsked | Refusal::ReadOnly)) => {
                    return Err(WorkOutError::Refused { key: key.clone(), refusal });
                }
                // What the form does not take is kept as it was given, and named among the problems.
                Err(_) => drop(refused.insert(key.clone())),
            }
        }
        if draft.is_new() {
            filling.finish();
        }
        let mut all: BTreeMap<String, Answer> = filling.take_changes().into_iter().collect();
        for (key, answer) in answers {
            let taken = filling.given(&key).filter(|_| !refused.contains(&key)).cloned();
            all.insert(key, taken.unwrap_or(answer));
        }
        Ok(all)
    }

    /// The newest draft that an observer, and no import, began for a new record of this kind in a scope, to go on with. It goes on with the version
    /// of the form that it began with.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn begun(&self, observer: &PublicKey, scope: ScopeId, kind: &str) -> Result<Option<Draft>, AccessError> {
        for draft in self.drafts(Some(observer))?.into_iter().rev() {
            let is_theirs = draft.is_new() && draft.scope == scope && !draft.is_import;
            if is_theirs && self.form(draft.form)?.is_some_and(|form| form.kind == kind) {
                return Ok(Some(draft));
            }
        }
        Ok(None)
    }

    /// The newest draft that an observer, and no import, began to change a record, to go on with.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn begun_edit(&self, observer: &PublicKey, record: RecordId) -> Result<Option<Draft>, AccessError> {
        let is_of = |draft: &Draft| {
            !draft.is_import && matches!(draft.subject, DraftSubject::Edit { record: of, .. } if of == record)
        };
        Ok(self.drafts(Some(observer))?.into_iter().rev().find(is_of))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use merestone_forms::{Occasion, standard};

    use super::*;

    #[test]
    fn an_answer_has_the_type_of_its_question() {
        let form = Form::read_tables(standard::INSPECTION).expect("a form the project ships");
        let rows = [
            ("post", "North gate", Ok(Answer::text("North gate"))),
            ("queue_low", "12", Ok(Answer::Int(12))),
            ("queue_low", "", Ok(Answer::Blank)),
            ("withdrawn", "true", Ok(Answer::Bool(true))),
            ("photos/0000000000000001/withdrawn", "false", Ok(Answer::Bool(false))),
            ("queue_low", "twelve", Err("write a whole number, in digits")),
            ("withdrawn", "yes", Err("answer true or false")),
        ];
        for (key, typed, wanted) in rows {
            let answer = typed_answer(Some(&form), key, typed).map_err(|error| error.to_string());
            assert_eq!(answer, wanted.map_err(str::to_owned), "{key} {typed}");
        }
        assert_eq!(
            typed_answer(None, "queue_low", "twelve"),
            Ok(Answer::text("twelve")),
            "not checked without the form"
        );
    }

    #[test]
    fn back_jump_and_going_on_lead_to_questions_that_are_asked() {
        let form = "| survey |\n| | type | name | label | relevant |\n| | note | hello | Hello | |\n\
                    | | integer | cars | Cars | |\n| | text | why | Why | ${cars} > 0 |\n| | select_one l | sure | Sure | |\n\
                    | choices |\n| | list_name | name | label |\n| | l | 2 | Two |\n| | l | yes | Yes |\n";
        let form = Arc::new(Form::read_tables(form).expect("a form of this test"));
        let mut filling = Filling::begin(form, Occasion::default());
        let cars = find(&filling, "cars").expect("it is asked");
        assert_eq!((find(&filling, "why"), first_open(&filling)), (None, cars));
        filling.answer("cars", Answer::Int(3)).expect("a number");
        let why = find(&filling, "why").expect("now it is asked");
        let screens = filling.screens();
        assert_eq!((first_open(&filling), before(&filling, &screens, why)), (why, cars));
        let last = find(&filling, "sure").expect("it is asked");
        assert_eq!(before(&filling, &screens, 99), last, "what is only read after it is no stop");
        assert_eq!(before(&filling, &screens, cars), 0, "a note is no question to go back to");
        let Screen::Question(sure) = screens[last] else { panic!("it is a question") };
        let offered = filling.offered(sure);
        let names = ["1", "2", "yes", "7"].map(|typed| chosen(&filling, sure, typed, &offered));
        assert_eq!(names, ["2", "2", "yes", "7"], "a choice called by a number goes first");
    }
}
