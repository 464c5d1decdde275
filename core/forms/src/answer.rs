//! Answers as an app holds them: owned, and tidied before anything is signed.

use merestone_core::change::Value;
use merestone_core::text::{Lines, tidy};

/// The value of one answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// Asked and left blank.
    Blank,
    /// No or yes.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text, at most 65,536 bytes.
    Text(String),
}

impl Answer {
    /// A text as a person typed it, made fit to sign: composed letters, no invisible direction marks.
    pub fn text(typed: &str) -> Self {
        Self::Text(tidy(typed, Lines::Many).into_owned())
    }

    /// The same value, borrowed.
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Self::Blank => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Text(value) => Value::Text(value),
        }
    }

    /// The same answer, fit to sign.
    pub fn tidied(self) -> Self {
        match self {
            Self::Text(typed) => match tidy(&typed, Lines::Many) {
                std::borrow::Cow::Borrowed(_) => Self::Text(typed),
                std::borrow::Cow::Owned(tidied) => Self::Text(tidied),
            },
            other => other,
        }
    }
}

impl From<Value<'_>> for Answer {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Blank,
            Value::Bool(value) => Self::Bool(value),
            Value::Int(value) => Self::Int(value),
            Value::Text(value) => Self::Text(value.to_owned()),
        }
    }
}

impl From<&str> for Answer {
    fn from(typed: &str) -> Self {
        Self::text(typed)
    }
}

impl From<i64> for Answer {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Answer {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
