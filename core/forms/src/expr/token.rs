//! Expressions cut into tokens, after XPath 1.0 §3.7.

use super::ParseError;
use super::parse::Wrong;

/// One token, and where it begins, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: Lexeme,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lexeme {
    Number(f64),
    Text(String),
    /// A name that stands for an element, function or axis; may hold `:`, and `prefix:*`.
    Name(String),
    Operator(Operator),
    /// `(` `)` `[` `]` `.` `..` `@` `,` `::` `/` `//` `$`.
    Mark(&'static str),
    /// `*` where a name is expected.
    Star,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Div,
    Mod,
    Union,
}

const MARKS: [&str; 12] = ["::", "//", "..", "(", ")", "[", "]", ".", "@", ",", "/", "$"];
const SIGNS: [(&str, Operator); 9] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("+", Operator::Plus),
    ("-", Operator::Minus),
    ("|", Operator::Union),
];

const WORDS: [(&str, Operator); 4] =
    [("or", Operator::Or), ("and", Operator::And), ("div", Operator::Div), ("mod", Operator::Mod)];

/// Cuts `text` into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = next(&text[at..], tokens.last()).map_err(|wrong| ParseError { at, wrong })?;
        tokens.push(Token { at, kind });
        at += length;
    }
    Ok(tokens)
}

fn next(rest: &str, before: Option<&Token>) -> Result<(Lexeme, usize), Wrong> {
    let bytes = rest.as_bytes();
    let first = bytes.first().copied().unwrap_or_default();
    if first == b'"' || first == b'\'' {
        let end = rest[1..].find(char::from(first)).ok_or(Wrong::OpenText)?;
        return Ok((Lexeme::Text(rest[1..=end].to_owned()), end + 2));
    }
    if first.is_ascii_digit() || (first == b'.' && bytes.get(1).is_some_and(u8::is_ascii_digit)) {
        return number(rest);
    }
    if first == b'*' {
        let kind = if is_operand(before) { Lexeme::Operator(Operator::Times) } else { Lexeme::Star };
        return Ok((kind, 1));
    }
    if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
        return Ok((Lexeme::Mark(mark), mark.len()));
    }
    if let Some((sign, operator)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Ok((Lexeme::Operator(*operator), sign.len()));
    }
    if let Some((operator, length)) = word_operator(rest).filter(|_| is_operand(before)) {
        return Ok((Lexeme::Operator(operator), length));
    }
    match name(rest) {
        0 => Err(Wrong::Character(rest.chars().next().unwrap_or_default())),
        length => Ok((Lexeme::Name(rest[..length].to_owned()), length)),
    }
}

/// The operator that is a word at the beginning. A digit may stand right behind it, as browsers take `6 div2`.
fn word_operator(rest: &str) -> Option<(Operator, usize)> {
    WORDS.iter().find_map(|(word, operator)| {
        let behind = rest.strip_prefix(word)?;
        let ends = name(rest) == word.len() || behind.starts_with(|c: char| c.is_ascii_digit());
        ends.then_some((*operator, word.len()))
    })
}

/// Whether what stands before ends an operand, so that `*` and `and` are operators (XPath 1.0 §3.7).
fn is_operand(before: Option<&Token>) -> bool {
    match before.map(|token| &token.kind) {
        None | Some(Lexeme::Operator(_)) => false,
        Some(Lexeme::Mark(mark)) => matches!(*mark, ")" | "]" | "." | ".."),
        Some(_) => true,
    }
}

fn number(rest: &str) -> Result<(Lexeme, usize), Wrong> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(rest);
    if rest[length..].starts_with('.') {
        length += 1 + digits(&rest[length + 1..]);
    }
    // Not XPath 1.0, but every XForms engine writes and reads it.
    if let Some(exponent) = rest[length..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        match digits(&exponent[sign..]) {
            0 => {}
            count => length += 1 + sign + count,
        }
    }
    rest[..length].parse().map(|number| (Lexeme::Number(number), length)).map_err(|_| Wrong::Number)
}

/// Length of the name at the beginning, with at most one prefix.
fn name(rest: &str) -> usize {
    let part = |text: &str| {
        let is_inner = |c: char| is_first(c) || c.is_numeric() || matches!(c, '-' | '.' | '\u{b7}');
        if text.starts_with(is_first) { text.find(|c| !is_inner(c)).unwrap_or(text.len()) } else { 0 }
    };
    let own = part(rest);
    let after = &rest[own..];
    match after.strip_prefix(':') {
        Some(local) if own > 0 && !local.starts_with(':') => match part(local) {
            0 if local.starts_with('*') => own + 2,
            0 => own,
            length => own + 1 + length,
        },
        _ => own,
    }
}

fn is_first(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}
