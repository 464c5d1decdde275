//! Texts that another program could take for something else: formulas in tables, characters that XML has no way to hold.
//!
//! A cell that begins with `=`, `+`, `-`, `@` or a blank before one of them is a formula to spreadsheets that open a CSV.
//! [`neutralise`] puts an apostrophe in front, which they take for "this is text"; [`restore`] takes it away again. Nothing
//! else is changed, so that every text comes back as it was.
//!
//! Known weakness: a spreadsheet that is told to split a CSV at another character than the comma may begin a cell inside
//! a text. The workbook (`xlsx`) has no such gap; there a text is a text by type.

use std::borrow::Cow;

/// A text for a cell of a CSV.
pub fn neutralise(text: &str) -> Cow<'_, str> {
    if text.starts_with('\'') || is_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text that [`neutralise`] was given.
pub fn restore(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

/// Whether a spreadsheet may take a cell for a formula. Full-width forms count: some input methods and programs fold them.
pub fn is_formula(text: &str) -> bool {
    let begins = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}');
    begins.starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
        || text.starts_with(['\t', '\r', '\n'])
}

/// Whether a name that came from elsewhere is one of a file beside others: no folders, no ways up, nothing hidden.
pub(crate) fn is_plain_name(file: &str) -> bool {
    !file.is_empty() && file.len() <= 255 && !file.starts_with('.') && !file.contains(['/', '\\', ':', '\0'])
}

/// A text with U+FFFD for what XML 1.0 cannot hold.
pub(crate) fn for_xml(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_xml) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_xml(c) { c } else { '\u{fffd}' }).collect())
}

/// Whether XML 1.0 can hold a character.
pub(crate) fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_formula_is_made_a_text_and_comes_back() {
        let rows = [
            ("=HYPERLINK(\"http://x\")", true),
            ("+380501234567", true),
            ("-5", true),
            ("@SUM(A1)", true),
            ("  =1+1", true),
            ("\u{feff}=1", true),
            ("\u{a0}=1", true),
            ("＝1+1", true),
            ("'quoted", true),
            ("''", true),
            ("\n=1", true),
            ("plain", false),
            ("a=b", false),
            ("", false),
            ("5", false),
            ("😀 = ok", false),
        ];
        for (text, is_changed) in rows {
            let cell = neutralise(text);
            assert_eq!(cell != text, is_changed, "{text:?}");
            assert!(!is_formula(&cell), "{cell:?}");
            assert_eq!(restore(&cell), text);
        }
    }

    #[test]
    fn xml_gets_no_character_that_it_forbids() {
        assert_eq!(for_xml("a\u{0}b\u{ffff}c\u{1f600}"), "a\u{fffd}b\u{fffd}c\u{1f600}");
        assert_eq!(for_xml("план"), "план");
    }
}
