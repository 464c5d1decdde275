//! A form as one HTML page that can be filled: the form as data, and a small script that follows the same rules.
//!
//! Nothing of the form becomes markup: its texts are in a JSON text, and the script puts them into the page as text. The
//! page's policy lets no other script run, and loads nothing. What the script cannot do is said on the page.

mod data;

use std::collections::BTreeSet;

use data_encoding::BASE64;
use merestone_core::id::sha256;

use crate::form::Form;
use crate::model::{Instance, Media, Node};

const STYLE: &str = include_str!("render/page.css");
const SCRIPT: &str = concat!(
    include_str!("render/pattern.js"),
    include_str!("render/expr.js"),
    include_str!("render/field.js"),
    include_str!("render/form.js"),
    include_str!("render/words.js"),
    include_str!("render/choices.js"),
    include_str!("render/page.js"),
);

/// The functions that need more than a page has.
const NOT_HERE: &[&str] = &["digest", "geofence", "jr:itext"];

impl Form {
    /// The page.
    pub fn page(&self) -> String {
        let data = data::of(self, &self.not_on_a_page());
        let (style, script) = (hash(STYLE), hash(SCRIPT));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data: blob:; \
             base-uri 'none'; form-action 'none'"
        );
        let title = escaped(&self.model().title);
        format!(
            "<!doctype html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <noscript>This page needs its own script to ask the questions.</noscript>\n\
             <main id=\"form\"></main>\n<script type=\"application/json\" id=\"data\">{data}</script>\n\
             <script>{SCRIPT}</script>\n</body>\n</html>\n"
        )
    }

    /// What the page leaves out: functions by their names, and `media` and `randomize`.
    fn not_on_a_page(&self) -> Vec<&'static str> {
        let mut called = BTreeSet::new();
        self.model().formulas().for_each(|formula| formula.expression.calls(&mut called));
        let mut missing: Vec<_> = called.into_iter().filter(|name| NOT_HERE.contains(name)).collect();
        missing.extend(self.has_media().then_some("media"));
        let is_shuffled = |node: &Node| node.choices().is_some_and(|choices| choices.randomize.is_some());
        missing.extend(self.model().nodes.iter().any(is_shuffled).then_some("randomize"));
        missing
    }

    /// Whether a question or a choice shows more than text.
    fn has_media(&self) -> bool {
        let of_choices = self.model().instances.values().any(|instance| match instance {
            Instance::List(items) => items.iter().any(|item| item.media.is_some()),
            Instance::Table(_) | Instance::Tree(_) | Instance::Absent { .. } | Instance::LastSaved => false,
        });
        of_choices || self.model().nodes.iter().any(|node| node.media != Media::default())
    }
}

fn hash(text: &str) -> String {
    BASE64.encode(&sha256(&[text.as_bytes()]))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NamedFile;

    #[test]
    fn hostile_texts_do_not_become_markup() {
        let hostile = "</script><script>alert(1)</script><img src=x onerror=alert(1)>";
        let survey = format!(
            "| survey |\n| | type | name | label | hint |\n| | text | a | {hostile} | {hostile} |\n\
             | settings |\n| | form_id | form_title | version |\n| | f | {hostile} | 1 |\n"
        );
        let page = Form::read_tables(&survey).expect("a form").page();
        assert_eq!(page.matches("<script").count(), 2, "the data and the script of the page");
        assert!(!page.contains("<img"), "{page}");
        assert!(page.contains("&lt;/script&gt;&lt;script&gt;"));
    }

    #[test]
    fn a_page_says_what_it_cannot_work_out_and_is_the_same_every_time() {
        let survey = "| survey |\n| | type | name | label | calculation |\n| | text | a | A | |\n\
                      | | calculate | b | | digest(${a}, 'SHA-256') |\n\
                      | settings |\n| | form_id | form_title | version |\n| | f | F | 1 |\n";
        let read = || Form::read(NamedFile { name: "f.md", bytes: survey.as_bytes() }, &[]).expect("a form");
        assert!(read().page().contains("\"missing\":[\"digest\"]"));
        assert_eq!(read().page(), read().page());
    }

    #[test]
    fn a_page_says_that_pictures_chance_and_files_are_not_on_it() {
        let read = |choice: &str, parameters: &str| {
            let survey = format!(
                "| survey |\n| | type | name | label | parameters |\n| | select_one c | a | A | {parameters} |\n\
                 | choices |\n| | list_name | name | label | media::image |\n| | c | x | X | {choice} |\n\
                 | settings |\n| | form_id | form_title | version |\n| | f | F | 1 |\n"
            );
            Form::read_tables(&survey).expect("a form").page()
        };
        assert!(read("", "").contains("\"missing\":[]"));
        assert!(read("x.jpg", "").contains("\"missing\":[\"media\"]"));
        assert!(read("", "randomize=true").contains("\"missing\":[\"randomize\"]"));
    }
}
