//! Signs that a text writes as `&name;` or `&#number;`.

/// The names that forms use; any other stays as it was written.
const NAMES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
    ("bull", '•'),
    ("middot", '·'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("copy", '©'),
    ("reg", '®'),
    ("deg", '°'),
    ("plusmn", '±'),
    ("times", '×'),
    ("divide", '÷'),
    ("le", '≤'),
    ("ge", '≥'),
    ("ne", '≠'),
    ("euro", '€'),
    ("rarr", '→'),
    ("larr", '←'),
];
/// Longest name or number, in bytes.
const NAME_BYTES_MAX: usize = 8;

/// The sign that `rest` begins with, and how many bytes write it.
pub(super) fn read(rest: &str) -> Option<(char, usize)> {
    let end = rest.bytes().take(NAME_BYTES_MAX + 2).position(|b| b == b';')?;
    let name = rest.get(1..end)?;
    let numbered = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    let sign = match name.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix(['x', 'X']) {
            Some(digits) => numbered(digits, 16),
            None => numbered(digits, 10),
        }
        .filter(|c| is_visible(*c)),
        None => NAMES.iter().find(|(own, _)| *own == name).map(|(_, sign)| *sign),
    };
    sign.map(|sign| (sign, end + 1))
}

/// Neither a control, nor what turns the direction of the text around it.
fn is_visible(c: char) -> bool {
    let is_direction =
        matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !is_direction && c != '\u{feff}'
}
