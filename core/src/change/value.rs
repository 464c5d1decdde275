//! The scalar values of an answer.

use crate::cbor::Writer;

/// Longest text of one answer, in bytes.
pub const TEXT_BYTES_MAX: usize = 65_536;

/// The value of one answer. There is nothing else in a record: no floats, no bytes, no nested objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value<'a> {
    /// Asked and left blank.
    Null,
    /// No or yes.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text as `spec/entry.md` wants it, line feeds allowed, at most [`TEXT_BYTES_MAX`] bytes.
    Text(&'a str),
}

impl Value<'_> {
    /// Appends the value as one CBOR item.
    pub fn write(self, writer: &mut Writer) {
        match self {
            Value::Null => writer.null(),
            Value::Bool(value) => writer.bool(value),
            Value::Int(value) => writer.int(value),
            Value::Text(value) => writer.text(value),
        };
    }
}

impl From<Value<'_>> for automerge::ScalarValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Boolean(value),
            Value::Int(value) => Self::Int(value),
            Value::Text(value) => Self::Str(value.into()),
        }
    }
}
