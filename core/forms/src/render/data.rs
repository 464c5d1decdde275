//! A form as data for its page.

use crate::form::{Form, Job};
use crate::json::Json;
use crate::marks::{Content, Run, Style};
use crate::model::{Choices, ChoicesFrom, Element, Formula, Instance, Item, Node, NodeKind, Preset, Text, Words};

/// The form, and what of it its page does not do.
pub(super) fn of(form: &Form, missing: &[&str]) -> String {
    let model = form.model();
    let mut json = Json::default();
    json.object(|fields| {
        fields.field("id").string(&model.id);
        fields.field("title").string(&model.title);
        fields.field("version").string(&model.version);
        fields.field("missing").list(missing, |json, name| _ = json.string(name));
        fields.field("notices").list(&model.notices, |json, notice| {
            json.string(&notice.to_string());
        });
        fields.field("languages").list(&model.languages, |json, language| {
            json.object(|fields| {
                fields.field("name").string(&language.0);
                fields.field("code").string(language.code().unwrap_or_default());
                fields.field("rtl").raw(if language.is_right_to_left() { "true" } else { "false" });
            });
        });
        match model.default_language {
            Some(language) => fields.field("language").raw(&language.to_string()),
            None => fields.field("language").raw("null"),
        };
        fields.field("nodes").list(model.nodes.iter().enumerate(), |json, (index, one)| node(json, form, index, one));
        fields.field("jobs").list(ordered(form), |json, job| {
            let kind = match job {
                Job::Relevant(_) => "relevant",
                Job::Calculate(_) => "calculation",
                Job::Count(_) => "count",
            };
            json.raw("[").string(kind).raw(",").raw(&job.node().to_string()).raw("]");
        });
        fields.field("instances").object(|fields| {
            for (name, one) in &model.instances {
                instance(fields.field(name), one, &model.root);
            }
        });
    });
    json.finish()
}

/// The jobs, each after those that it looks at.
fn ordered(form: &Form) -> Vec<Job> {
    let graph = form.graph();
    let mut numbers: Vec<usize> = (0..graph.len()).collect();
    numbers.sort_by_key(|number| (graph.rank(*number), *number));
    numbers.into_iter().map(|number| graph.job(number)).collect()
}

fn node(json: &mut Json, form: &Form, index: usize, node: &Node) {
    json.object(|fields| {
        fields.field("name").string(&node.name);
        fields.field("kind").string(kind(&node.kind));
        fields.field("key").string(form.name(index));
        fields.field("children").list(&node.children, |json, child| _ = json.raw(&child.to_string()));
        for (name, words) in [
            ("label", &node.label),
            ("hint", &node.hint),
            ("guidance", &node.guidance),
            ("requiredMessage", &node.required_message),
            ("constraintMessage", &node.constraint_message),
        ] {
            if !words.is_empty() {
                write_words(fields.field(name), words, write_text);
            }
        }
        for (name, one) in [
            ("relevant", &node.relevant),
            ("required", &node.required),
            ("constraint", &node.constraint),
            ("calculation", &node.calculation),
            ("readOnly", &node.read_only),
        ] {
            if let Some(one) = one {
                formula(fields.field(name), one);
            }
        }
        if node.calculation.as_ref().is_some_and(|formula| formula.expression.is_fleeting()) {
            fields.field("fleeting").raw("true");
        }
        if !matches!(node.kind, NodeKind::Question(_)) || form.is_derived(index) || !form.has_answer(index) {
            fields.field("unkept").raw("true");
        }
        if let NodeKind::Repeat { count: Some(count) } = &node.kind {
            formula(fields.field("count"), count);
        }
        match &node.default {
            Some(Preset::Text(text)) => _ = fields.field("default").string(text),
            Some(Preset::Formula(one)) => formula(fields.field("preset"), one),
            None => {}
        }
        if !node.triggers.is_empty() {
            fields.field("triggers").list(&node.triggers, formula);
        }
        if !node.appearance.is_empty() {
            fields.field("appearance").string(&node.appearance);
        }
        if !node.parameters.is_empty() {
            fields.field("parameters").object(|fields| {
                node.parameters.iter().for_each(|(name, value)| _ = fields.field(name).string(value));
            });
        }
        if let Some(choices) = node.choices() {
            write_choices(fields.field("choices"), form, choices);
        }
    });
}

fn kind(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::Group => "group",
        NodeKind::Repeat { .. } => "repeat",
        NodeKind::Question(question) => question.name(),
    }
}

fn write_choices(json: &mut Json, form: &Form, choices: &Choices) {
    json.object(|fields| {
        match &choices.from {
            ChoicesFrom::Instance { name, value, label } => {
                fields.field("list").string(name);
                fields.field("value").string(value);
                fields.field("label").string(label);
                if let Some(Instance::Absent { file }) = form.model().instances.get(name) {
                    fields.field("absent").string(file);
                }
            }
            ChoicesFrom::Nodes { items, value, label } => {
                formula(fields.field("items"), items);
                formula(fields.field("value"), value);
                formula(fields.field("label"), label);
            }
        }
        if let Some(filter) = &choices.filter {
            formula(fields.field("filter"), filter);
        }
    });
}

fn formula(json: &mut Json, formula: &Formula) {
    formula.expression.write(json);
}

/// `[text without a language, {number of a language: text}]`.
fn write_words(json: &mut Json, words: &Words, write: fn(&mut Json, &Text)) {
    json.raw("[");
    match &words.fallback {
        Some(text) => write(json, text),
        None => _ = json.raw("null"),
    }
    json.raw(",").object(|fields| {
        words.translated.iter().for_each(|(language, text)| write(fields.field(&language.to_string()), text));
    });
    json.raw("]");
}

/// The runs of a text: a text, an expression, or `{of, b, i, h, c}`, either of them bold, italic, of a heading, in a colour.
fn write_text(json: &mut Json, text: &Text) {
    json.list(text.runs(), |json, Run { content, style }| {
        if style == Style::default() {
            return write_content(json, &content);
        }
        json.object(|fields| {
            write_content(fields.field("of"), &content);
            for (mark, is_set) in [("b", style.strong), ("i", style.emphasis)] {
                if is_set {
                    fields.field(mark).raw("1");
                }
            }
            if let Some(level) = style.heading {
                fields.field("h").raw(&level.to_string());
            }
            if let Some(colour) = &style.colour {
                fields.field("c").string(colour);
            }
        });
    });
}

fn write_content(json: &mut Json, content: &Content<'_>) {
    match content {
        Content::Text(text) => _ = json.string(text),
        Content::Output(of) => formula(json, of),
    }
}

/// A text as the form writes it, which is what expressions see: texts and expressions in turn.
fn write_as_written(json: &mut Json, text: &Text) {
    let mut from = 0;
    json.raw("[");
    for output in &text.outputs {
        json.string(text.plain.get(from..output.at).unwrap_or_default()).raw(",");
        formula(json, &output.formula);
        json.raw(",");
        from = output.at;
    }
    json.string(text.plain.get(from..).unwrap_or_default()).raw("]");
}

fn instance(json: &mut Json, instance: &Instance, root: &str) {
    match instance {
        Instance::List(items) => json.list(items, item),
        Instance::Table(table) => json.list(&table.rows, |json, row| {
            json.object(|fields| {
                table.columns.iter().zip(row).for_each(|(column, cell)| _ = fields.field(column).string(cell));
            });
        }),
        Instance::Tree(element) => {
            tree(json, element);
            json
        }
        Instance::Absent { .. } => json.raw("[]"),
        Instance::LastSaved => json.object(|fields| _ = fields.field("$name").string(root)),
    };
}

fn item(json: &mut Json, item: &Item) {
    json.object(|fields| {
        fields.field("name").string(&item.name);
        write_words(fields.field("$label"), &item.label, write_text);
        if item.label.texts().any(|text| text.shown(|_| String::new()) != text.filled(|_| String::new())) {
            write_words(fields.field("$raw"), &item.label, write_as_written);
        }
        for (column, cell) in item.columns.iter().filter(|(column, _)| **column != *"name") {
            fields.field(column).string(cell);
        }
    });
}

fn tree(json: &mut Json, element: &Element) {
    json.object(|fields| {
        fields.field("$name").string(&element.name);
        fields.field("$text").string(&element.text);
        fields.field("$attributes").object(|fields| {
            element.attributes.iter().for_each(|(name, value)| _ = fields.field(name).string(value));
        });
        fields.field("$children").list(&element.children, tree);
    });
}
