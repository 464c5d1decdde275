//! Actions: values that are set when something happens.

use roxmltree::Node as Xml;

use super::resolve;
use super::source::{Source, attribute};
use super::tree::Tree;
use crate::model::{Formula, Metadata, NodeIndex, NodeKind, Preset as Answer, note};
use crate::refused::{FormRefused, Reason};

/// When an action happens.
#[derive(Clone, Copy, Debug, Default)]
struct Events {
    /// When filling, or a row, begins.
    begins: bool,
    /// When the answer around it changes.
    changes: bool,
}

/// Reads the actions of a form, wherever they stand. They become defaults and triggers; a second one that sets the
/// same question at the same event is named and has no effect.
pub(super) fn read(source: &Source<'_>, root: Xml<'_, '_>, tree: &mut Tree) -> Result<(), FormRefused> {
    const ACTIONS: &[&str] = &["setvalue", "setgeopoint", "recordaudio"];
    for action in root.descendants().filter(|node| ACTIONS.contains(&node.tag_name().name())) {
        let (name, is_instance) =
            (action.tag_name().name(), action.ancestors().any(|a| a.tag_name().name() == "instance"));
        if is_instance {
            continue;
        }
        if name == "recordaudio" {
            note(&mut tree.notices, source.notice(action, "", "nothing is recorded in the background"));
            continue;
        }
        let events = events(source, action, tree);
        let (context, trigger) = around(action, tree);
        let path = attribute(action, "ref").map(|path| resolve(&context, path));
        let Some(target) = path.and_then(|path| tree.at(&path)) else {
            note(&mut tree.notices, source.notice(action, "ref", "the form has no such question"));
            continue;
        };
        match name {
            "setvalue" => set(source, action, tree, target, events, trigger)?,
            _ => place(source, action, tree, target, events, trigger)?,
        }
    }
    Ok(())
}

fn events(source: &Source<'_>, action: Xml<'_, '_>, tree: &mut Tree) -> Events {
    let mut events = Events::default();
    for event in attribute(action, "event").unwrap_or_default().split_whitespace() {
        match event {
            "odk-instance-first-load" | "odk-new-repeat" | "xforms-ready" => events.begins = true,
            "xforms-value-changed" => events.changes = true,
            _ => note(&mut tree.notices, source.notice(action, "event", "nothing happens at this event")),
        }
    }
    events
}

/// The path that an action's own paths start from, and the question whose change it waits for.
fn around(action: Xml<'_, '_>, tree: &Tree) -> (String, Option<NodeIndex>) {
    let mut context = tree.facts[0].path.clone();
    let above: Vec<Xml<'_, '_>> = action.ancestors().skip(1).filter(Xml::is_element).collect();
    for element in above.iter().rev() {
        if let Some(path) = attribute(*element, "ref").or_else(|| attribute(*element, "nodeset")) {
            context = resolve(&context, path);
        }
    }
    let is_control = above.first().is_some_and(|control| attribute(*control, "ref").is_some());
    let trigger =
        tree.at(&context).filter(|node| is_control && matches!(tree.nodes[*node].kind, NodeKind::Question(_)));
    (context, trigger)
}

fn set(
    source: &Source<'_>,
    action: Xml<'_, '_>,
    tree: &mut Tree,
    target: NodeIndex,
    events: Events,
    trigger: Option<NodeIndex>,
) -> Result<(), FormRefused> {
    let formula = match (attribute(action, "value").map(str::trim), action.text().unwrap_or_default().trim()) {
        (Some(""), _) => Formula::parse("''"),
        (Some(value), _) => Formula::parse(value),
        (_, text) if text.contains('\'') => Formula::parse(&format!("\"{}\"", text.replace('"', " "))),
        (_, text) => Formula::parse(&format!("'{text}'")),
    };
    let formula = formula.map_err(|error| source.refused(action, "value", Reason::Expression(error)))?;
    let mut is_second = false;
    if events.begins {
        match &tree.nodes[target].default {
            Some(Answer::Formula(known)) if *known != formula => is_second = true,
            _ => tree.nodes[target].default = Some(Answer::Formula(formula.clone())),
        }
    }
    if let (true, Some(trigger)) = (events.changes, trigger) {
        let changed = path_formula(source, action, tree, trigger)?;
        let node = &mut tree.nodes[target];
        match &node.calculation {
            Some(known) if *known != formula || node.triggers.is_empty() => is_second = true,
            _ => {
                node.calculation = Some(formula);
                node.triggers.push(changed);
            }
        }
    }
    if is_second {
        note(
            &mut tree.notices,
            source.notice(action, "ref", "this is set in another way already: the action has no effect"),
        );
    }
    Ok(())
}

/// A place is taken into a question that nothing asks.
fn place(
    source: &Source<'_>,
    action: Xml<'_, '_>,
    tree: &mut Tree,
    target: NodeIndex,
    events: Events,
    trigger: Option<NodeIndex>,
) -> Result<(), FormRefused> {
    if tree.facts[target].is_asked {
        note(&mut tree.notices, source.notice(action, "ref", "the place is asked for: the action has no effect"));
        return Ok(());
    }
    tree.facts[target].metadata = Some(Metadata::StartPlace);
    if let (true, Some(trigger)) = (events.changes, trigger) {
        let changed = path_formula(source, action, tree, trigger)?;
        tree.nodes[target].triggers.push(changed);
    }
    Ok(())
}

fn path_formula(
    source: &Source<'_>,
    action: Xml<'_, '_>,
    tree: &Tree,
    node: NodeIndex,
) -> Result<Formula, FormRefused> {
    Formula::parse(&tree.facts[node].path).map_err(|error| source.refused(action, "ref", Reason::Expression(error)))
}
