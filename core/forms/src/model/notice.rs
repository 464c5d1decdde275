//! What was understood and has no effect, for people.

use std::fmt;

use crate::refused::write_place;

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

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, &self.sheet, self.row, &self.column)?;
        f.write_str(&self.text)
    }
}

/// Most notices of a form: more than people read, and little memory. The last says that there is more.
pub const NOTICES_MAX: usize = 1_000;

/// Adds a notice, up to [`NOTICES_MAX`].
pub(crate) fn note(notices: &mut Vec<Notice>, notice: Notice) {
    match NOTICES_MAX.saturating_sub(notices.len()) {
        0 => {}
        1 => notices.push(Notice { text: "there is more that has no effect, from here on".to_owned(), ..notice }),
        _ => notices.push(notice),
    }
}
