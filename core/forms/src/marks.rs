//! Marks in the texts of a form: bold, emphasis, headings, colour and line breaks, as ODK shows them.
//!
//! Forms write marks in Markdown (`**bold**`, `_emphasis_`, `# heading`, `[text](address)`) and in a few tags
//! (`<span style="color:red">`, `<b>`, `<br>`, …), and signs as entities (`&nbsp;`). [`Text::runs`] gives a text in runs of
//! one style each; a page shows the styles, a terminal the text alone ([`Text::shown`]). A run is text and never markup: of a
//! tag nothing goes through but its style, and a tag that is not known stays as it was written. Marks in an answer that is
//! put into a text are no marks.

mod entities;
mod tags;

use crate::model::{Formula, Text};

/// Most marks that are open inside each other; what would be deeper is text.
const DEPTH_MAX: usize = 16;
/// What stands for an answer where the neighbours of a mark are looked at: neither a blank nor a letter.
const ANSWER: char = '\u{fffc}';

/// A part of a text in one style.
#[derive(Clone, Debug, PartialEq)]
pub struct Run<'t> {
    /// What is shown.
    pub content: Content<'t>,
    /// How.
    pub style: Style,
}

/// What a run shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Content<'t> {
    /// Text.
    Text(String),
    /// What this comes to.
    Output(&'t Formula),
}

/// How a run is shown. None of it carries meaning that the text has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Bold.
    pub strong: bool,
    /// Italic.
    pub emphasis: bool,
    /// Of a heading: its level, 1 to 6.
    pub heading: Option<u8>,
    /// `#rgb`, `#rrggbb`, or a name of lowercase ASCII letters.
    pub colour: Option<String>,
}

impl Style {
    /// With what a mark around it says, where it says nothing itself.
    fn within(&mut self, outer: &Self) {
        self.strong |= outer.strong;
        self.emphasis |= outer.emphasis;
        self.heading = self.heading.or(outer.heading);
        if self.colour.is_none() {
            self.colour.clone_from(&outer.colour);
        }
    }
}

impl Text {
    /// The text in runs, in order; no two neighbours are texts of the same style.
    pub fn runs(&self) -> Vec<Run<'_>> {
        let mut reader = Reader::new(self);
        while reader.step() {}
        reader.finish()
    }

    /// The text without its marks, with each value as `value` writes it.
    pub fn shown(&self, mut value: impl FnMut(&Formula) -> String) -> String {
        let part = |run: Run<'_>| match run.content {
            Content::Text(text) => text,
            Content::Output(formula) => value(formula),
        };
        self.runs().into_iter().map(part).collect()
    }
}

/// A mark that is open, and the run that holds it as text until it is closed.
struct Open {
    mark: Mark,
    run: usize,
    style: Style,
}

#[derive(PartialEq, Eq)]
enum Mark {
    /// `*` or `_`, once or twice.
    Sign(char, usize),
    Tag(&'static str),
}

struct Reader<'t> {
    text: &'t Text,
    at: usize,
    /// The next of the text's outputs.
    output: usize,
    runs: Vec<Run<'t>>,
    open: Vec<Open>,
    /// The first run of the heading that this line is, and its level.
    heading: Option<(usize, u8)>,
    is_fresh: bool,
}

impl<'t> Reader<'t> {
    fn new(text: &'t Text) -> Self {
        Self { text, at: 0, output: 0, runs: Vec::new(), open: Vec::new(), heading: None, is_fresh: true }
    }

    /// Reads one sign, mark or answer; false at the end.
    fn step(&mut self) -> bool {
        if let Some(output) = self.text.outputs.get(self.output).filter(|output| output.at <= self.at) {
            self.output += 1;
            self.run(Content::Output(&output.formula));
            return true;
        }
        let rest = self.rest();
        let Some(c) = rest.chars().next() else { return false };
        let read = match c {
            '\\' => rest.chars().nth(1).filter(|c| matches!(c, '\\' | '*' | '_' | '#')).map(|c| {
                self.put(c);
                2
            }),
            '&' => entities::read(rest).map(|(c, bytes)| {
                self.put(c);
                bytes
            }),
            '<' => self.tag(rest),
            '[' => link(rest).map(|(text, address, bytes)| {
                format!("{text} ({address})").chars().for_each(|c| self.put(c));
                bytes
            }),
            '*' | '_' => Some(self.signs(c, rest)),
            '#' if self.is_line_start() => self.begin_heading(rest),
            '\n' => Some(self.end_line(rest)),
            _ => None,
        };
        self.at += read.unwrap_or_else(|| {
            self.put(c);
            c.len_utf8()
        });
        true
    }

    /// What comes before the next answer.
    fn rest(&self) -> &'t str {
        let end = self.text.outputs.get(self.output).map_or(self.text.plain.len(), |output| output.at);
        self.text.plain.get(self.at..end).unwrap_or_default()
    }

    fn before(&self) -> char {
        let is_answer = self.output > 0 && self.text.outputs[self.output - 1].at == self.at;
        let last = self.text.plain.get(..self.at).and_then(|text| text.chars().next_back());
        if is_answer { ANSWER } else { last.unwrap_or(' ') }
    }

    fn after(&self, rest: &str) -> char {
        let has_answer = self.output < self.text.outputs.len();
        rest.chars().next().unwrap_or(if has_answer { ANSWER } else { ' ' })
    }

    fn is_line_start(&self) -> bool {
        self.before() == '\n' || self.at == 0 && self.output == 0
    }

    /// `*`, `_` and as many more as stand together: closes what they can close, and opens with the rest.
    fn signs(&mut self, sign: char, rest: &str) -> usize {
        let length = rest.chars().take_while(|c| *c == sign).count();
        let (before, after) = (self.before(), self.after(&rest[length..]));
        let is_within_word = |c: char, width: usize| c.is_alphanumeric() && (sign == '_' || width == 1);
        let mut left = length;
        while left > 0 && !before.is_whitespace() {
            let is_closed = |open: &Open| matches!(open.mark, Mark::Sign(of, width) if of == sign && width <= left);
            let Some(at) = self.open.iter().rposition(is_closed) else { break };
            let Mark::Sign(_, width) = self.open[at].mark else { break };
            // `__` around nothing is two signs and no mark.
            if is_within_word(after, width) || self.open[at].run + 1 == self.runs.len() {
                break;
            }
            self.close(at);
            left -= width;
        }
        while left > 0 {
            let width = left.min(2);
            let opens = !after.is_whitespace() && !is_within_word(before, width) && length <= 3;
            let style = Style { strong: width == 2, emphasis: width == 1, ..Style::default() };
            self.open(&sign.to_string().repeat(width), opens.then_some((Mark::Sign(sign, width), style)));
            left -= width;
        }
        length
    }

    fn tag(&mut self, rest: &str) -> Option<usize> {
        let tag = tags::read(rest)?;
        if tag.is_break {
            self.put('\n');
        } else if tag.is_end {
            let at = self.open.iter().rposition(|open| open.mark == Mark::Tag(tag.name))?;
            self.close(at);
            if tag.is_block {
                self.is_fresh = true;
                self.put('\n');
            }
        } else {
            let is_begun = self.runs.iter().any(|run| !matches!(&run.content, Content::Text(text) if text.is_empty()));
            if tag.is_block && is_begun && !self.ends_line() {
                self.put('\n');
            }
            self.open(&rest[..tag.bytes], Some((Mark::Tag(tag.name), tag.style)));
        }
        Some(tag.bytes)
    }

    fn ends_line(&self) -> bool {
        let last = self.runs.iter().rev().find(|run| run.content != Content::Text(String::new()));
        last.is_some_and(|run| matches!(&run.content, Content::Text(text) if text.ends_with('\n')))
    }

    fn begin_heading(&mut self, rest: &str) -> Option<usize> {
        let level = rest.bytes().take_while(|b| *b == b'#').count();
        let text = rest[level..].trim_start_matches(' ');
        let bytes = rest.len() - text.len();
        if level > 6 || bytes == level {
            return None;
        }
        self.is_fresh = true;
        self.heading = Some((self.runs.len(), u8::try_from(level).ok()?));
        Some(bytes)
    }

    /// A heading ends with its line, marks with their paragraph.
    fn end_line(&mut self, rest: &str) -> usize {
        self.end_heading();
        if rest.starts_with("\n\n") {
            self.open.retain(|open| matches!(open.mark, Mark::Tag(_)));
        }
        self.put('\n');
        1
    }

    fn end_heading(&mut self) {
        if let Some((from, level)) = self.heading.take() {
            let style = Style { heading: Some(level), ..Style::default() };
            self.runs[from..].iter_mut().for_each(|run| run.style.within(&style));
            self.is_fresh = true;
        }
    }

    /// Keeps a mark as text until it is closed; without `open`, for good.
    fn open(&mut self, literal: &str, open: Option<(Mark, Style)>) {
        let Some((mark, style)) = open.filter(|_| self.open.len() < DEPTH_MAX) else {
            literal.chars().for_each(|c| self.put(c));
            return;
        };
        self.open.push(Open { mark, run: self.runs.len(), style });
        self.run(Content::Text(literal.to_owned()));
    }

    fn close(&mut self, at: usize) {
        let Open { run, style, .. } = self.open.swap_remove(at);
        // What was opened inside and not closed is text.
        self.open.truncate(at);
        self.runs[run].content = Content::Text(String::new());
        self.runs[run + 1..].iter_mut().for_each(|inside| inside.style.within(&style));
        self.is_fresh = true;
    }

    fn run(&mut self, content: Content<'t>) {
        self.runs.push(Run { content, style: Style::default() });
        self.is_fresh = true;
    }

    fn put(&mut self, c: char) {
        match self.runs.last_mut() {
            Some(Run { content: Content::Text(text), .. }) if !self.is_fresh => text.push(c),
            _ => {
                self.run(Content::Text(c.to_string()));
                self.is_fresh = false;
            }
        }
    }

    fn finish(mut self) -> Vec<Run<'t>> {
        self.end_heading();
        // Paragraphs are often begun and not ended.
        for open in &self.open {
            if matches!(open.mark, Mark::Tag("p" | "div")) {
                self.runs[open.run].content = Content::Text(String::new());
            }
        }
        let mut joined: Vec<Run<'t>> = Vec::with_capacity(self.runs.len());
        for run in self.runs {
            match (joined.last_mut(), run) {
                (_, Run { content: Content::Text(text), .. }) if text.is_empty() => {}
                (
                    Some(Run { content: Content::Text(text), style }),
                    Run { content: Content::Text(more), style: own },
                ) if *style == own => {
                    text.push_str(&more);
                }
                (_, run) => joined.push(run),
            }
        }
        if let Some(Run { content: Content::Text(text), .. }) = joined.last_mut() {
            text.truncate(text.trim_end_matches('\n').len());
        }
        joined
    }
}

/// The text and the address of `[text](address)`, and its length.
fn link(rest: &str) -> Option<(&str, &str, usize)> {
    let text_end = rest[1..].find(['[', ']', '\n'])? + 1;
    let after = rest[text_end..].strip_prefix("](")?;
    let end = after.find(['(', ')', '[', ' ', '\n'])?;
    let (text, address) = (&rest[1..text_end], &after[..end]);
    let is_link = after[end..].starts_with(')') && !text.is_empty() && !address.is_empty();
    is_link.then_some((text, address, text_end + end + 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run as `{style}text`.
    fn written(text: &Text) -> String {
        let run = |Run { content, style }: Run<'_>| {
            let content = match content {
                Content::Text(text) => text,
                Content::Output(formula) => format!("${{{}}}", formula.text),
            };
            let Style { strong, emphasis, heading, colour } = style;
            let heading = heading.map_or(String::new(), |level| format!("h{level}"));
            let marks = [
                if strong { "b" } else { "" },
                if emphasis { "i" } else { "" },
                &heading,
                colour.as_deref().unwrap_or_default(),
            ]
            .concat();
            if marks.is_empty() { content } else { format!("{{{marks}:{content}}}") }
        };
        text.runs().into_iter().map(run).collect()
    }

    #[test]
    fn marks_are_styles_and_whatever_is_no_mark_is_text() {
        let rows = [
            ("plain", "plain"),
            ("**bold** and _it_", "{b:bold} and {i:it}"),
            ("__bold__ and *it*", "{b:bold} and {i:it}"),
            ("***both***", "{bi:both}"),
            ("**a *b* c**", "{b:a }{bi:b}{b: c}"),
            ("snake_case_name 2*3*4 a * b * c", "snake_case_name 2*3*4 a * b * c"),
            ("Name *", "Name *"),
            ("* one\n* two", "* one\n* two"),
            ("**open", "**open"),
            ("__", "__"),
            ("____ _____", "____ _____"),
            (r"\*no\* \_no\_ \# \\", "*no* _no_ # \\"),
            ("# Head\ntext", "{h1:Head}\ntext"),
            ("text\n### **Head**", "text\n{bh3:Head}"),
            ("#1 and # 2", "#1 and # 2"),
            ("_over\n\nparagraphs_", "_over\n\nparagraphs_"),
            ("a&nbsp;b &lt;b&gt; &amp;lt; &#1040; &#x202e; &nothing;", "a\u{a0}b <b> &lt; А &#x202e; &nothing;"),
            ("[the list](https://example.org/a)", "the list (https://example.org/a)"),
            ("[1] (see)", "[1] (see)"),
            (r#"<span style="color: red">x</span> y"#, "{red:x} y"),
            (r#"<SPAN STYLE='font-size:9px;COLOR:#0F0'>x</SPAN>"#, "{#0f0:x}"),
            (r#"<font color="blue">x</font>"#, "{blue:x}"),
            (r#"<span style="background-color:red">x</span>"#, "x"),
            (r#"<span style="color:url(x)">x</span>"#, "x"),
            ("<b>x</b><br/><i>y</i>", "{b:x}\n{i:y}"),
            ("<p>one</p><p>two</p>", "one\ntwo"),
            ("<p>one<p>two", "one\ntwo"),
            ("<b>x", "<b>x"),
            ("x</b>", "x</b>"),
            ("a < b > c <3", "a < b > c <3"),
            ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
            (r#"<span onclick="x()" style="color:red;x:y">z</span>"#, "{red:z}"),
            ("**שלום** _مرحبا_", "{b:שלום} {i:مرحبا}"),
        ];
        for (marked, wanted) in rows {
            assert_eq!(written(&Text::from(marked.to_owned())), wanted, "{marked}");
        }
    }

    #[test]
    fn answers_stand_in_the_style_around_them_and_bring_none() {
        let form = "| survey |\n| | type | name | label |\n| | text | a | A |\n\
                    | | note | b | **Of ${a}** _${a}_ <${a}> ${a}**${a}** |\n\
                    | settings |\n| | form_id | form_title | version |\n| | f | F | 1 |\n";
        let form = crate::Form::read_tables(form).expect("a form");
        let note = form.model().nodes.iter().find(|node| node.name == "b").expect("it is there");
        let label = note.label.in_language(None).expect("a label");
        let a = "${ /f/a }";
        let runs = written(label).replace("${/data/a}", a).replace("${/f/a}", a);
        assert_eq!(runs, format!("{{b:Of }}{{b:{a}}} {{i:{a}}} <{a}> {a}{{b:{a}}}"));
        let shown = label.shown(|_| "**x**".to_owned());
        assert_eq!(shown, "Of **x** **x** <**x**> **x****x**");
    }

    #[test]
    fn a_hostile_text_is_read_in_linear_time() {
        for part in ["*a ", "<b>", "[", "[a](", "**", "_a", "<", "&", "# ", "<b>**", "*a*", "<span style=\"color:"] {
            let text = Text::from(part.repeat((1 << 18) / part.len()));
            assert!(text.shown(|_| String::new()).len() <= 1 << 18, "{part}");
        }
    }
}
