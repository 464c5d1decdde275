//! Why a submission is not taken over. No message holds an answer.

use merestone_core::change::TEXT_BYTES_MAX;

use super::csv::Orphan;
use super::submission::INSTANCE_ID_BYTES_MAX;

/// Why a submission is not taken over; nothing of it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportRefused {
    /// The file is larger than an instance may be.
    #[error("the file has {bytes} bytes, an instance at most {bytes_max}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The file is not text.
    #[error("the file is not UTF-8")]
    NotUtf8,
    /// The file is no XML that is read here; a document type declaration, which can hold entities, is not.
    #[error("the file is not XML that is read here: {reason} at {row}:{column}")]
    NotXml {
        /// What is wrong.
        reason: &'static str,
        /// The row, from 1.
        row: u32,
        /// The column, from 1.
        column: u32,
    },
    /// It is encrypted: only the holder of the form's key can read it.
    #[error("the submission is encrypted; decrypt it with the form's key first")]
    Encrypted,
    /// It is of another form.
    #[error("the submission is of another form than {wanted}")]
    OtherForm {
        /// The form it was read with.
        wanted: String,
    },
    /// It has no instance id, so that nobody could tell whether it was taken over before.
    #[error("the submission has no instance id")]
    NoInstance,
    /// Its instance id is empty, longer than 256 bytes, or holds characters that do not belong into an id.
    #[error("the instance id has more than {INSTANCE_ID_BYTES_MAX} bytes, or blanks or characters that no id has")]
    BadInstance,
    /// Elements stand deeper in each other than any form goes.
    #[error("elements are nested deeper than {depth_max}")]
    TooDeep {
        /// The limit.
        depth_max: usize,
    },
    /// An element has more attributes than those of instances have.
    #[error("an element has more than {attributes_max} attributes")]
    TooManyAttributes {
        /// The limit.
        attributes_max: usize,
    },
    /// It declares more namespaces than instances do.
    #[error("more than {namespaces_max} namespaces are declared")]
    TooManyNamespaces {
        /// The limit.
        namespaces_max: usize,
    },
    /// It has more elements and texts than instances have.
    #[error("the file has more than {nodes_max} elements and texts")]
    TooManyNodes {
        /// The limit.
        nodes_max: u32,
    },
    /// It has more answers, files, and texts that the form does not ask, than one record can take at once.
    #[error("the submission has more than {answers_max} answers, files and texts that the form does not ask together")]
    TooMany {
        /// The limit.
        answers_max: usize,
    },
    /// A question stands twice outside a repeat.
    #[error("{path} is answered twice")]
    Twice {
        /// The element or the column.
        path: String,
    },
    /// Where an answer should stand there are elements, or the other way round.
    #[error("{path} is not of the form's shape")]
    Shape {
        /// The element.
        path: String,
    },
    /// A text is longer than an answer may be.
    #[error("{key} has {bytes} bytes, an answer at most {TEXT_BYTES_MAX}")]
    TooLong {
        /// The answer.
        key: String,
        /// Its length.
        bytes: usize,
    },
    /// A text holds characters that cannot be signed, or is not composed (NFC): it could not be stored exactly.
    #[error("{key} holds control or direction characters, or is not composed (NFC)")]
    Untidy {
        /// The answer.
        key: String,
    },
    /// It was exported while several values stood at a question: none of them is the answer.
    #[error("values stand side by side at {key}; settle every conflict where it was exported, and export again")]
    Conflict {
        /// The first such answer.
        key: String,
    },
    /// A row of a repeat names a parent that is not there.
    #[error("row {row} of table {table} names a parent that is not there")]
    NoParent {
        /// The table.
        table: String,
        /// The row, counted from 1 with the heading.
        row: u64,
    },
}

impl From<Orphan> for ImportRefused {
    fn from(Orphan { table, row }: Orphan) -> Self {
        Self::NoParent { table, row }
    }
}

impl ImportRefused {
    /// A word for it that does not change.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "instance-too-large",
            Self::NotUtf8 => "not-utf8",
            Self::NotXml { .. } => "not-xml",
            Self::Encrypted => "encrypted",
            Self::OtherForm { .. } => "other-form",
            Self::NoInstance => "no-instance-id",
            Self::BadInstance => "bad-instance-id",
            Self::TooDeep { .. } => "too-deep",
            Self::TooManyAttributes { .. } => "too-many-attributes",
            Self::TooManyNamespaces { .. } => "too-many-namespaces",
            Self::TooManyNodes { .. } => "too-many-nodes",
            Self::TooMany { .. } => "too-many-answers",
            Self::Twice { .. } => "answered-twice",
            Self::Shape { .. } => "other-shape",
            Self::TooLong { .. } => "answer-too-long",
            Self::Untidy { .. } => "text-not-exact",
            Self::Conflict { .. } => "conflict",
            Self::NoParent { .. } => "row-without-parent",
        }
    }
}
