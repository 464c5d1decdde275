//! Writing XML: elements are closed in order, and no text can become markup.

use std::fmt::Write as _;

use crate::guard::for_xml;

/// A document that is being written.
pub(crate) struct XmlWriter {
    out: String,
    open: Vec<String>,
    /// The tag of the innermost element still takes attributes.
    is_in_tag: bool,
}

impl XmlWriter {
    pub(crate) fn new() -> Self {
        Self { out: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), open: Vec::new(), is_in_tag: false }
    }

    /// Begins an element; `name` is one of ours or a question's, which are XML names.
    pub(crate) fn open(&mut self, name: &str) -> &mut Self {
        self.end_tag();
        let _ = write!(self.out, "<{name}");
        self.open.push(name.to_owned());
        self.is_in_tag = true;
        self
    }

    /// An attribute of the element that was begun last.
    pub(crate) fn attribute(&mut self, name: &str, value: &str) -> &mut Self {
        let _ = write!(self.out, " {name}=\"");
        self.escaped(value);
        self.out.push('"');
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        if !text.is_empty() {
            self.end_tag();
            self.escaped(text);
        }
        self
    }

    /// Ends the innermost element.
    pub(crate) fn close(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            if self.is_in_tag {
                self.out.push_str("/>");
                self.is_in_tag = false;
            } else {
                let _ = write!(self.out, "</{name}>");
            }
        }
        self
    }

    /// An element with a text.
    pub(crate) fn leaf(&mut self, name: &str, text: &str) -> &mut Self {
        self.open(name).text(text).close()
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.close();
        }
        self.out.push('\n');
        self.out.into_bytes()
    }

    fn end_tag(&mut self) {
        if self.is_in_tag {
            self.out.push('>');
            self.is_in_tag = false;
        }
    }

    fn escaped(&mut self, text: &str) {
        for c in for_xml(text).chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                // In attributes and at line ends a reader would make a blank or a line feed of these.
                '\t' | '\r' => {
                    let _ = write!(self.out, "&#{};", u32::from(c));
                }
                '\n' if self.is_in_tag => self.out.push_str("&#10;"),
                c => self.out.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_never_becomes_markup_and_comes_back_as_it_was() {
        let text = "a<b>&\"'\r\n\t]]></x>\u{202e}\u{1f600}";
        let mut writer = XmlWriter::new();
        writer.open("x").attribute("y", text).leaf("z", text).leaf("empty", "");
        let bytes = writer.finish();
        let document = std::str::from_utf8(&bytes).unwrap();
        let read = roxmltree::Document::parse(document).unwrap();
        let root = read.root_element();
        assert_eq!(root.attribute("y"), Some(text));
        assert_eq!(root.first_element_child().and_then(|z| z.text()), Some(text));
        assert!(document.contains("<empty/>"));
    }
}
