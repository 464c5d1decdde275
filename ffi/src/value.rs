//! The value of an answer, on both sides of the crossing.

use merestone_node::Answer;

/// The value of one answer.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum AnswerValue {
    /// Asked and left blank.
    Blank,
    /// No or yes.
    YesNo {
        /// Yes.
        yes: bool,
    },
    /// A whole number.
    Number {
        /// The number.
        number: i64,
    },
    /// A text.
    Text {
        /// The text; invisible direction marks are taken out when it is saved.
        text: String,
    },
}

impl From<Answer> for AnswerValue {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Blank => Self::Blank,
            Answer::Bool(yes) => Self::YesNo { yes },
            Answer::Int(number) => Self::Number { number },
            Answer::Text(text) => Self::Text { text },
        }
    }
}

impl From<AnswerValue> for Answer {
    fn from(value: AnswerValue) -> Self {
        match value {
            AnswerValue::Blank => Self::Blank,
            AnswerValue::YesNo { yes } => Self::Bool(yes),
            AnswerValue::Number { number } => Self::Int(number),
            AnswerValue::Text { text } => Self::text(&text),
        }
    }
}
