//! Data that expressions and questions look at: lists of choices, tables, and elements in any shape.

use std::sync::Arc;

use super::{Media, Words};

/// Data that expressions look at.
#[derive(Clone, Debug)]
pub enum Instance {
    /// A list of choices of the form itself.
    List(Vec<Item>),
    /// Rows of cells: a list of data, or a file of it.
    Table(Table),
    /// Elements in any shape.
    Tree(Element),
    /// A file that was not given.
    Absent {
        /// Its name.
        file: String,
    },
    /// The answers of the form that was saved last.
    LastSaved,
}

/// Rows of cells under named columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows; a row may be shorter than there are columns.
    pub rows: Vec<Vec<String>>,
}

/// An element of an instance in any shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name, with its prefix.
    pub name: String,
    /// Its own text.
    pub text: String,
    /// Its attributes.
    pub attributes: Vec<(String, String)>,
    /// The elements in it.
    pub children: Vec<Element>,
}

/// One choice.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// What is recorded.
    pub name: String,
    /// What is shown.
    pub label: Words,
    /// What stands beside the text.
    pub media: Option<Box<Media>>,
    /// Further columns, for filters, with their headings.
    pub columns: Vec<(Arc<str>, String)>,
    /// Where it stands in its file.
    pub row: usize,
}
