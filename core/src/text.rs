//! Text in signed bytes: Normalization Form C, nothing invisible that changes how a line reads.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::check::{Check, Full, Policy, Refused};

/// Whether a text may hold line feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// One line.
    One,
    /// U+000A allowed.
    Many,
}

/// Checks `text` as `spec/entry.md` wants it.
///
/// # Errors
/// `text-forbidden` or `text-not-nfc`.
pub fn check(text: &str, lines: Lines, what: &'static str) -> Result<(), Refused> {
    check_under(text, lines, Full, what)
}

pub(crate) fn check_under<P: Policy>(text: &str, lines: Lines, policy: P, what: &'static str) -> Result<(), Refused> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Ok(());
    }
    policy.require(!text.chars().any(|c| is_forbidden(c, lines)), Check::TextForbidden, what)?;
    let normalized = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => true,
        IsNormalized::No => false,
        IsNormalized::Maybe => text.nfc().eq(text.chars()),
    };
    policy.require(normalized, Check::TextNotNfc, what)
}

/// What a person typed, made fit to sign: NFC, without the invisible characters that signed text must not hold.
///
/// Keyboards for right-to-left scripts insert direction marks that nobody sees;
/// refusing the whole answer for them would lose it, and dropping them changes nothing that a reader can see.
pub fn tidy(typed: &str, lines: Lines) -> Cow<'_, str> {
    if check(typed, lines, "typed text").is_ok() {
        return Cow::Borrowed(typed);
    }
    let line_ends = typed.replace("\r\n", "\n");
    Cow::Owned(line_ends.chars().filter(|&c| !is_forbidden(c, lines)).nfc().collect())
}

fn is_forbidden(c: char, lines: Lines) -> bool {
    match c {
        '\n' => lines == Lines::One,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tidied_text_always_passes_the_check() {
        for typed in ["plain", "e\u{301}tat", "\u{200f}معبر\u{200f}", "a\r\nb\u{7}c", "Їжа\u{2069}"] {
            for lines in [Lines::One, Lines::Many] {
                let tidied = tidy(typed, lines);
                assert_eq!(check(&tidied, lines, "text"), Ok(()), "{typed:?}");
            }
        }
        assert_eq!(tidy("a\r\nb", Lines::Many), "a\nb");
    }
}
