//! Regular expressions as forms write them: those of Java and JavaScript, which differ little in what forms use.
//!
//! Most are matched in time linear to the text. One that looks ahead, or back at what it matched, is followed for a
//! bounded number of steps.

use fancy_regex::RegexBuilder;

/// What compiling and matching costs, in steps of an evaluation.
pub(super) const STEPS: usize = 200;
/// Most bytes of a compiled pattern.
const COMPILED_BYTES_MAX: usize = 1 << 20;
/// Most steps back of a pattern that is not matched in linear time: some milliseconds.
const STEPS_BACK_MAX: usize = 100_000;

/// Whether `pattern` occurs in `text`; `None` if it is no pattern, or takes too many steps.
pub(super) fn matches(pattern: &str, text: &str) -> Option<bool> {
    compiled(pattern)?.is_match(text).ok()
}

/// Whether it is a pattern that can be used.
pub(in crate::expr) fn is_pattern(pattern: &str) -> bool {
    compiled(pattern).is_some()
}

fn compiled(pattern: &str) -> Option<fancy_regex::Regex> {
    let mut builder = RegexBuilder::new(&translated(pattern));
    builder.delegate_size_limit(COMPILED_BYTES_MAX).backtrack_limit(STEPS_BACK_MAX).build().ok()
}

/// The same pattern in the language of the library: digits, letters and spaces of `\d`, `\w` are those of ASCII, and
/// what only that library takes for a sign of its own is escaped.
fn translated(pattern: &str) -> String {
    let mut translated = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut is_class = false;
    while let Some(c) = chars.next() {
        match (c, is_class) {
            ('\\', _) => escaped(chars.next(), is_class, &mut chars, &mut translated),
            ('[', false) => {
                is_class = true;
                translated.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    translated.push('^');
                }
                if chars.next_if_eq(&']').is_some() {
                    translated.push_str("\\]");
                }
            }
            (']', true) => {
                is_class = false;
                translated.push(']');
            }
            ('[' | '&' | '~', true) => translated.extend(['\\', c]),
            ('{', false) if !chars.peek().is_some_and(char::is_ascii_digit) => translated.push_str("\\{"),
            _ => translated.push(c),
        }
    }
    translated
}

fn escaped(
    c: Option<char>,
    is_class: bool,
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    translated: &mut String,
) {
    let class = match c {
        Some('d') => "0-9",
        Some('w') => "A-Za-z0-9_",
        Some('D') => "^0-9",
        Some('W') => "^A-Za-z0-9_",
        Some('u') => {
            let digits: String = rest.by_ref().take(4).collect();
            translated.push_str(&format!("\\x{{{digits}}}"));
            return;
        }
        // What stands in braces here is a name or a number.
        Some(c @ ('p' | 'P' | 'x')) if rest.peek() == Some(&'{') => {
            translated.extend(['\\', c]);
            translated.extend(rest.by_ref().take_while(|c| *c != '}'));
            translated.push('}');
            return;
        }
        // Signs that need no escape, and may not have one there.
        Some(c @ ('/' | '"' | '\'' | ' ' | ',' | ':' | ';' | '@' | '%' | '=' | '!' | '_' | '`' | '<' | '>')) => {
            translated.push(c);
            return;
        }
        Some(c) => {
            translated.extend(['\\', c]);
            return;
        }
        None => {
            translated.push('\\');
            return;
        }
    };
    if is_class && !class.starts_with('^') {
        translated.push_str(class);
    } else {
        translated.extend(["[", class, "]"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_forms_mean_what_they_mean_elsewhere() {
        let check = |pattern: &str, text: &str, wanted: Option<bool>| {
            assert_eq!(matches(pattern, text), wanted, "{pattern} {text}");
        };
        check(r"^\d{3}$", "123", Some(true));
        check(r"^\d$", "٣", Some(false));
        check(r"^[\d\-\/]+$", "12-3/4", Some(true));
        check(r"^[\w.]+@[\w.]+$", "a.b@c.org", Some(true));
        check(r"^[^\W]+$", "ab_1", Some(true));
        check(r"^[a[]$", "[", Some(true));
        check(r"^\w+\s\w+$", "a b", Some(true));
        check(r"^(?=.*\d)[a-z\d]+$", "abc1", Some(true));
        check(r"^(?!0)\d+$", "012", Some(false));
        check(r"^(a)\1$", "aa", Some(true));
        check(r"^\u00e9$", "é", Some(true));
        check(r"^{x}$", "{x}", Some(true));
        check(r"^\p{L}+\x{e9}$", "маéé", Some(true));
        check(r"^[\u0400-\u04FF ]+$", "Київ", Some(true));
        check("(", "", None);
        check("[a", "", None);
        check(r"\", "", None);
    }

    #[test]
    fn catastrophic_patterns_end_at_their_bound() {
        let text = "a".repeat(100_000) + "!";
        assert_eq!(matches("^(a+)+$", &text), Some(false));
        assert_eq!(matches(r"^(?=a)(a+)+\1$", &text), None);
        assert_eq!(matches("((a{100}){100}){100}", "a"), None);
    }
}
