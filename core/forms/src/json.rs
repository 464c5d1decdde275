//! JSON for pages that carry a form: written by hand, as it goes into a script element.

/// A text of JSON being written.
#[derive(Debug, Default)]
pub(crate) struct Json {
    text: String,
}

impl Json {
    /// The text; it can stand inside a `script` element.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    /// A text. `<` is escaped, so that nothing in it ends the element it stands in or begins another.
    pub(crate) fn string(&mut self, text: &str) -> &mut Self {
        self.text.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => self.text.extend(['\\', c]),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => self.escape(c),
                c if c.is_control() => self.escape(c),
                c => self.text.push(c),
            }
        }
        self.text.push('"');
        self
    }

    /// A number; one that JSON cannot write is null.
    pub(crate) fn number(&mut self, number: f64) -> &mut Self {
        if number.is_finite() { self.raw(&number.to_string()) } else { self.raw("null") }
    }

    /// Null, true, false, or a whole number.
    pub(crate) fn raw(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// A list, each item written by `write`.
    pub(crate) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.text.push('[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            write(self, item);
        }
        self.text.push(']');
        self
    }

    /// An object whose fields `write` adds.
    pub(crate) fn object(&mut self, write: impl FnOnce(&mut Fields<'_>)) -> &mut Self {
        self.text.push('{');
        write(&mut Fields { json: self, is_first: true });
        self.text.push('}');
        self
    }

    fn escape(&mut self, c: char) {
        self.text.push_str(&format!("\\u{:04x}", u32::from(c)));
    }
}

/// The fields of an object.
pub(crate) struct Fields<'j> {
    json: &'j mut Json,
    is_first: bool,
}

impl Fields<'_> {
    /// The value of a field, to be written next.
    pub(crate) fn field(&mut self, name: &str) -> &mut Json {
        if !self.is_first {
            self.json.text.push(',');
        }
        self.is_first = false;
        self.json.string(name);
        self.json.text.push(':');
        self.json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_the_script_it_stands_in() {
        let mut json = Json::default();
        json.object(|fields| {
            fields.field("a").string("</script><!--\u{2028}\"\\\n");
            fields.field("b").list([1.5, f64::NAN], |json, number| _ = json.number(number));
        });
        let wanted = r#"{"a":"\u003c/script\u003e\u003c!--\u2028\"\\\u000a","b":[1.5,null]}"#;
        assert_eq!(json.finish(), wanted);
    }
}
