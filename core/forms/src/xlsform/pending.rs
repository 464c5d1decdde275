//! Expressions that wait until every name of the form is known.

use super::formulas::{Paths, names};
use crate::model::{ChoicesFrom, Formula, Model, Node, NodeIndex, NodeKind, Preset as Answer, QuestionKind};
use crate::refused::{FormRefused, Reason};

/// An expression and whose it is.
pub(super) struct Pending {
    pub(super) node: NodeIndex,
    pub(super) place: FormRefused,
    pub(super) text: String,
    pub(super) role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Relevant,
    Required,
    Constraint,
    Calculation,
    Trigger,
    ReadOnly,
    Default,
    Filter,
    Seed,
    Count,
    /// The choices are what rows of a repeat answered to this.
    Rows,
}

impl Pending {
    /// Gives the node its expression.
    pub(super) fn resolve(self, paths: &Paths, model: &mut Model) -> Result<(), FormRefused> {
        let Self { node, place, text, role } = self;
        let refused = |reason| FormRefused { reason, ..place.clone() };
        match role {
            Role::Filter => filter(&text, paths, model, node).map_err(refused),
            Role::Rows => rows(&text, paths, model, node).map_err(refused),
            _ => {
                let Some(node) = model.nodes.get_mut(node) else { return Ok(()) };
                single(&text, role, paths, node).map_err(refused)
            }
        }
    }
}

fn single(text: &str, role: Role, paths: &Paths, node: &mut Node) -> Result<(), Reason> {
    let says = match text.to_lowercase().as_str() {
        "yes" | "true" | "true()" => Some(true),
        "no" | "false" | "false()" => Some(false),
        _ => None,
    };
    let text = match (role, says) {
        (Role::Required | Role::ReadOnly | Role::Relevant, Some(true)) => "true()",
        (Role::Required | Role::ReadOnly, Some(false)) => return Ok(()),
        (Role::Relevant, Some(false)) => "false()",
        (Role::Default, _) if !is_formula(text, &node.kind) => {
            node.default = Some(Answer::Text(text.to_owned()));
            return Ok(());
        }
        _ => text,
    };
    let formula = match (role, paths.formula(text)) {
        // A text that is no expression is itself: `Jan - Feb (both)`.
        (Role::Default, Err(Reason::Expression(_))) if !text.contains("${") => {
            node.default = Some(Answer::Text(text.to_owned()));
            return Ok(());
        }
        (_, formula) => formula?,
    };
    match role {
        Role::Relevant => node.relevant = Some(formula),
        Role::Required => node.required = Some(formula),
        Role::Constraint => node.constraint = Some(formula),
        Role::Calculation => node.calculation = Some(formula),
        Role::Trigger => node.triggers.push(formula),
        Role::ReadOnly => node.read_only = Some(formula),
        Role::Default => node.default = Some(Answer::Formula(formula)),
        Role::Count => node.kind = NodeKind::Repeat { count: Some(formula) },
        Role::Seed => {
            if let Some(choices) = node.choices_mut() {
                choices.randomize = Some(Some(formula));
            }
        }
        Role::Filter | Role::Rows => {}
    }
    Ok(())
}

/// Which choices are offered. Where those are rows of a repeat, questions in it mean those of the row.
fn filter(text: &str, paths: &Paths, model: &mut Model, index: NodeIndex) -> Result<(), Reason> {
    let Some(choices) = model.nodes.get_mut(index).and_then(Node::choices_mut) else { return Ok(()) };
    let repeat = match &choices.from {
        ChoicesFrom::Nodes { value, .. } => {
            // The list is `${name}`, and its path from the row was made of it.
            choices_repeat(paths, value.text.rsplit('/').next())
        }
        ChoicesFrom::Instance { .. } => None,
    };
    let own = paths.formula_in_row(text, repeat)?;
    choices.filter = Some(match choices.filter.take() {
        Some(before) => Formula::parse(&format!("({}) and ({})", before.text, own.text)).map_err(Reason::Expression)?,
        None => own,
    });
    Ok(())
}

fn choices_repeat(paths: &Paths, name: Option<&str>) -> Option<NodeIndex> {
    paths.node(name?).and_then(|node| paths.row(node)).map(|(repeat, _)| repeat)
}

/// The choices are rows of a repeat, as far as they answered the question.
fn rows(text: &str, paths: &Paths, model: &mut Model, index: NodeIndex) -> Result<(), Reason> {
    let unknown = || Reason::UnknownReference(text.to_owned());
    let name = names(text).next().ok_or_else(unknown)?;
    let node = paths.node(name.trim()).ok_or_else(|| paths.no_one(name.trim()))?;
    let (repeat, path) = paths.row(node).ok_or_else(unknown)?;
    let parse = |text: &str| Formula::parse(text).map_err(Reason::Expression);
    let from = ChoicesFrom::Nodes { items: parse(paths.of(repeat))?, value: parse(&path)?, label: parse(&path)? };
    let answered = parse(&format!("./{path} != ''"))?;
    if let Some(choices) = model.nodes.get_mut(index).and_then(Node::choices_mut) {
        choices.from = from;
        choices.filter = Some(answered);
    }
    Ok(())
}

/// Whether a default is to be evaluated: it names a question, calls a function, or calculates.
fn is_formula(text: &str, kind: &NodeKind) -> bool {
    if text.contains("${") {
        return true;
    }
    let is_hyphened = matches!(
        kind,
        NodeKind::Question(
            QuestionKind::Date
                | QuestionKind::DateTime
                | QuestionKind::GeoPoint
                | QuestionKind::GeoTrace
                | QuestionKind::GeoShape
        )
    );
    let calls = text.match_indices('(').any(|(at, _)| text[..at].ends_with(|c: char| c.is_ascii_alphanumeric()));
    let is_number = text.parse::<f64>().is_ok();
    let counts = [" + ", " * ", " div ", " mod ", " - "].iter().any(|sign| text.contains(sign));
    calls || (counts && !is_number && !is_hyphened)
}
