//! A record's keys and answers in the words of its form.

use merestone_core::id::FormHash;
use merestone_forms::filling::Place;
use merestone_forms::model::{NodeKind, QuestionKind};
use merestone_forms::{Answer, Filling, Occasion};

use super::RecordView;
use crate::device::{AccessError, Device};

/// The words of a form for the keys and answers of one record.
#[derive(Debug)]
pub struct RecordWords {
    /// `None` while the form's questions are not held: then keys and answers are shown as they are.
    filling: Option<Filling>,
}

impl Device {
    /// The words for a record's keys and answers, in a language of its form by number; `None` is the form's own.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn words(&self, record: &RecordView, language: Option<usize>) -> Result<RecordWords, AccessError> {
        let answers = record.answers.iter().filter_map(|answer| {
            let first = answer.values.first()?;
            Some((answer.key.clone(), first.answer.clone()))
        });
        self.words_of(record.form, answers.collect(), language)
    }

    fn words_of(
        &self,
        form: Option<FormHash>,
        answers: Vec<(String, Answer)>,
        language: Option<usize>,
    ) -> Result<RecordWords, AccessError> {
        let form = form.map(|form| self.questions(form)).transpose()?.flatten();
        let filling = form.map(|form| {
            let mut filling = Filling::resume(form, answers, Occasion::default());
            if language.is_some() {
                filling.set_language(language);
            }
            filling
        });
        Ok(RecordWords { filling })
    }
}

impl RecordWords {
    /// The question's text; the key where the form has none.
    pub fn label(&self, key: &str) -> String {
        self.place(key).map_or_else(|| key.to_owned(), |(filling, place)| filling.label(place))
    }

    /// An answer as people read it: of choices their texts, of what was left blank nothing.
    pub fn shown(&self, key: &str, answer: &Answer) -> String {
        let text = match answer {
            Answer::Blank => return String::new(),
            Answer::Bool(yes) => return if *yes { "true" } else { "false" }.to_owned(),
            Answer::Int(number) => return number.to_string(),
            Answer::Text(text) => text,
        };
        let Some((filling, place)) = self.place(key) else { return text.clone() };
        let offered = filling.offered(place);
        let label = |name: &str| {
            let choice = offered.iter().find(|choice| choice.name == name);
            choice.map_or_else(|| name.to_owned(), |choice| choice.label.clone())
        };
        match filling.node(place).kind {
            NodeKind::Question(QuestionKind::SelectOne(_)) => label(text),
            NodeKind::Question(QuestionKind::SelectMultiple(_) | QuestionKind::Rank(_)) => {
                text.split_whitespace().map(label).collect::<Vec<_>>().join(", ")
            }
            _ => text.clone(),
        }
    }

    fn place(&self, key: &str) -> Option<(&Filling, Place)> {
        let filling = self.filling.as_ref()?;
        Some((filling, filling.place(key)?))
    }
}
