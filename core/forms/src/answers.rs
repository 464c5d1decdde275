//! What is missing or wrong in a set of answers.

use merestone_core::change::Value;

use crate::form::{Form, IMPORTED, Question, QuestionKind, WITHDRAWN};

/// One thing to mend before a record is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The answer's key, or the question's name when there is no answer.
    pub key: String,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The form has no such question.
    #[error("the form has no such question")]
    Unknown,
    /// A required question has no answer.
    #[error("an answer is required")]
    Missing,
    /// The answer is of another type.
    #[error("the answer is of another type")]
    Type,
    /// Not a day of the calendar, written `YYYY-MM-DD`.
    #[error("write a day of the calendar as YYYY-MM-DD")]
    Date,
    /// Not one of the choices.
    #[error("not one of the choices")]
    Choice,
    /// Not the hash of a photo.
    #[error("not the hash of a photo")]
    Photo,
}

impl Form {
    /// What is missing or wrong in `answers`, in the order of the answers and then of the questions.
    ///
    /// Problems never keep an observation from being saved: they are shown, and the observer decides.
    pub fn check<'a>(&self, answers: impl IntoIterator<Item = (&'a str, Value<'a>)>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut answered = std::collections::BTreeSet::new();
        for (key, value) in answers {
            let repeat = key.split_once('/').map(|(repeat, _)| repeat);
            if key == WITHDRAWN || key.ends_with("/withdrawn") || repeat == Some(IMPORTED) {
                continue;
            }
            let wrong = match self.question(key) {
                None => Some(Wrong::Unknown),
                Some(question) => {
                    if value != Value::Null {
                        answered.insert(question.name.as_str());
                    }
                    self.wrong(question, value)
                }
            };
            problems.extend(wrong.map(|wrong| Problem { key: key.to_owned(), wrong }));
        }
        let missing = self.questions().iter().filter(|question| question.required && question.repeat.is_none());
        problems.extend(
            missing
                .filter(|question| !answered.contains(question.name.as_str()))
                .map(|question| Problem { key: question.name.clone(), wrong: Wrong::Missing }),
        );
        problems
    }

    fn wrong(&self, question: &Question, value: Value<'_>) -> Option<Wrong> {
        let holds = match (&question.kind, value) {
            (_, Value::Null) => return None,
            (QuestionKind::Text, Value::Text(_)) | (QuestionKind::Integer, Value::Int(_)) => return None,
            (QuestionKind::Date, Value::Text(text)) => (is_day(text), Wrong::Date),
            (QuestionKind::SelectOne(list), Value::Text(text)) => {
                (self.choices(list).iter().any(|choice| choice.name == text), Wrong::Choice)
            }
            (QuestionKind::Image, Value::Text(text)) => {
                (text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), Wrong::Photo)
            }
            _ => (false, Wrong::Type),
        };
        (!holds.0).then_some(holds.1)
    }
}

/// Whether `text` is a day of the Gregorian calendar, `YYYY-MM-DD`.
fn is_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
    if !shaped {
        return false;
    }
    let number = |digits: &[u8]| digits.iter().fold(0u32, |n, b| n * 10 + u32::from(b - b'0'));
    let (year, month, day) = (number(&bytes[..4]), number(&bytes[5..7]), number(&bytes[8..]));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standard;

    #[test]
    fn wrong_and_missing_answers_are_named() {
        let form = Form::read(standard::INSPECTION).expect("a form the project ships");
        let rows: &[(&str, Value<'_>, Option<Wrong>)] = &[
            ("post", Value::Text("Ягодин"), None),
            ("day", Value::Text("2024-02-29"), None),
            ("day", Value::Text("2023-02-29"), Some(Wrong::Date)),
            ("day", Value::Text("2023-2-9"), Some(Wrong::Date)),
            ("status", Value::Text("open"), None),
            ("status", Value::Text("ajar"), Some(Wrong::Choice)),
            ("queue_low", Value::Int(0), None),
            ("queue_low", Value::Null, None),
            ("queue_low", Value::Text("0"), Some(Wrong::Type)),
            ("photos/0123456789abcdef/file", Value::Text("ab"), Some(Wrong::Photo)),
            ("photos/0123456789abcdef/withdrawn", Value::Bool(true), None),
            ("imported/0123456789abcdef/instance", Value::Text("uuid:1"), None),
            ("weather", Value::Text("dry"), Some(Wrong::Unknown)),
        ];
        for (key, value, wrong) in rows {
            let problems = form.check([(*key, *value)]);
            assert_eq!(problems.iter().find(|p| p.key == *key).map(|p| p.wrong), *wrong, "{key} {value:?}");
        }
        let missing = form.check([]);
        assert!(missing.iter().any(|p| p.key == "post" && p.wrong == Wrong::Missing));
    }
}
