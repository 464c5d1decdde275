//! The tags that ODK knows in texts; nothing of one is kept but its style.

use super::Style;

/// Longest tag, in bytes; what is longer is text.
const TAG_BYTES_MAX: usize = 512;

/// A tag.
pub(super) struct Tag {
    /// Its name, in lower case.
    pub(super) name: &'static str,
    /// Its length.
    pub(super) bytes: usize,
    pub(super) is_end: bool,
    /// Whether it breaks the line where it stands, and has nothing inside.
    pub(super) is_break: bool,
    /// Whether it stands on lines of its own.
    pub(super) is_block: bool,
    pub(super) style: Style,
}

/// The tag that `rest` begins with, if it is one of those that are known.
pub(super) fn read(rest: &str) -> Option<Tag> {
    // A tag has no other in it: a text of open brackets is looked through once.
    let end = rest[1..].find(['<', '>'])? + 1;
    let inside = Some(&rest[1..end]).filter(|inside| rest[end..].starts_with('>') && inside.len() < TAG_BYTES_MAX)?;
    let (is_end, inside) = match inside.strip_prefix('/') {
        Some(inside) => (true, inside),
        None => (false, inside),
    };
    let length = inside.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (name, attributes) = inside.split_at(length);
    let is_apart = attributes.is_empty() || attributes.starts_with([' ', '/', '\t', '\n']);
    let (name, style) = known(&name.to_ascii_lowercase()).filter(|_| is_apart)?;
    let is_block = matches!(name, "p" | "div") || style.heading.is_some();
    let style = Style { colour: colour(name, attributes), ..style };
    Some(Tag { name, bytes: end + 1, is_end, is_break: name == "br", is_block, style })
}

fn known(name: &str) -> Option<(&'static str, Style)> {
    let plain = Style::default;
    let heading = |level| Style { heading: Some(level), ..Style::default() };
    Some(match name {
        "span" => ("span", plain()),
        "font" => ("font", plain()),
        "div" => ("div", plain()),
        "p" => ("p", plain()),
        "u" => ("u", plain()),
        "br" => ("br", plain()),
        "b" => ("b", Style { strong: true, ..plain() }),
        "strong" => ("strong", Style { strong: true, ..plain() }),
        "i" => ("i", Style { emphasis: true, ..plain() }),
        "em" => ("em", Style { emphasis: true, ..plain() }),
        "h1" => ("h1", heading(1)),
        "h2" => ("h2", heading(2)),
        "h3" => ("h3", heading(3)),
        "h4" => ("h4", heading(4)),
        "h5" => ("h5", heading(5)),
        "h6" => ("h6", heading(6)),
        _ => return None,
    })
}

/// The colour that a tag's attributes name, if it is one that can only be a colour.
fn colour(name: &str, attributes: &str) -> Option<String> {
    let attributes = attributes.to_ascii_lowercase();
    let value = |attribute: &str| {
        let at = attributes.find(&format!(" {attribute}="))?;
        let value = &attributes[at + attribute.len() + 2..];
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        match quote {
            Some(quote) => value[1..].split(quote).next(),
            None => value.split([' ', '/']).next(),
        }
    };
    let of_style = || {
        value("style")?
            .split(';')
            .find_map(|rule| rule.trim_start().strip_prefix("color")?.trim_start().strip_prefix(':'))
    };
    let colour = if name == "font" { value("color").or_else(of_style) } else { of_style() }?.trim();
    let is_name = (3..=20).contains(&colour.len()) && colour.bytes().all(|b| b.is_ascii_lowercase());
    let digits = colour.strip_prefix('#').unwrap_or_default();
    let is_number = matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    (is_name || is_number).then(|| colour.to_owned())
}
