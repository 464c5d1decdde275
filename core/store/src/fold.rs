//! How texts and searched words are made alike before SQLite's tokenizer sees them.
//!
//! The tokenizer folds case and removes accents of Latin letters.
//! It splits Arabic words at vowel signs and keeps apart letters that people type for each other; that is done here.

/// Most words of a search; more narrow it no further.
const WORDS_MAX: usize = 16;

/// The text as it is indexed.
pub(crate) fn fold(text: &str) -> String {
    text.chars().filter_map(fold_char).collect()
}

fn fold_char(c: char) -> Option<char> {
    match c {
        // Arabic vowel signs, superscript alef, Quranic marks, and the stroke that only widens a word.
        '\u{064b}'..='\u{065f}' | '\u{0670}' | '\u{0610}'..='\u{061a}' | '\u{06d6}'..='\u{06ed}' | '\u{0640}' => None,
        // Alef with madda, with hamza above, below, and wasla.
        '\u{0622}' | '\u{0623}' | '\u{0625}' | '\u{0671}' => Some('\u{0627}'),
        // Alef maksura and Farsi yeh as yeh; Farsi kaf as kaf; teh marbuta as heh.
        '\u{0649}' | '\u{06cc}' => Some('\u{064a}'),
        '\u{06a9}' => Some('\u{0643}'),
        '\u{0629}' => Some('\u{0647}'),
        // Russian yo is mostly typed as ye.
        'ё' => Some('е'),
        'Ё' => Some('Е'),
        other => Some(other),
    }
}

/// The full-text expression for what a person typed: all words, in any order, the last perhaps only begun.
///
/// Each word is quoted, so that nothing of it is read as an operator. `None` when there is no word.
pub(crate) fn query(typed: &str) -> Option<String> {
    let folded = fold(typed);
    let words: Vec<&str> =
        folded.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).take(WORDS_MAX).collect();
    if words.is_empty() {
        return None;
    }
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{}\"", word.replace(['"', '\0'], " "))).collect();
    Some(format!("{} *", quoted.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_people_type_for_each_other_fold_together() {
        let rows = [("مُحَمَّد", "محمد"), ("أحمد", "احمد"), ("ســلام", "سلام"), ("ещё", "еще"), ("Zürich", "Zürich")];
        for (text, folded) in rows {
            assert_eq!(fold(text), folded);
        }
    }

    #[test]
    fn nothing_typed_is_an_operator() {
        let rows = [
            ("bridge", Some("\"bridge\" *")),
            ("a OR b", Some("\"a\" \"OR\" \"b\" *")),
            ("say \"hi\"", Some("\"say\" \" hi \" *")),
            ("NEAR(x) text:*", Some("\"NEAR(x)\" \"text:*\" *")),
            (" - \" ", None),
            ("", None),
        ];
        for (typed, expression) in rows {
            assert_eq!(query(typed).as_deref(), expression, "{typed}");
        }
    }
}
