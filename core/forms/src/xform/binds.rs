//! Binds: what answers are, and what they must hold to.

use roxmltree::Node as Xml;

use super::itext::Itext;
use super::resolve;
use super::source::{Source, elements};
use super::tree::Tree;
use crate::model::{Formula, Metadata, NAMESPACE, Words, note};
use crate::refused::{FormRefused, Reason};

/// Namespaces of attributes that mean here what they say; another product's `constraint` is not the form's.
const NAMESPACES: [&str; 5] = [
    NAMESPACE,
    "http://openrosa.org/javarosa",
    "http://openrosa.org/xforms",
    "http://www.opendatakit.org/xforms",
    "http://www.w3.org/2002/xforms",
];

/// Reads the binds of a model.
pub(super) fn read(source: &Source<'_>, model: Xml<'_, '_>, itext: &Itext, tree: &mut Tree) -> Result<(), FormRefused> {
    for bind in elements(model).filter(|element| element.tag_name().name() == "bind") {
        let nodeset = bind.attribute("nodeset").ok_or_else(|| source.refused(bind, "nodeset", Reason::Empty))?;
        let path = resolve(&tree.facts[0].path, nodeset);
        match tree.at(&path) {
            Some(index) => one(source, bind, itext, tree, index)?,
            None => note(&mut tree.notices, source.notice(bind, "nodeset", "the form has no such question")),
        }
    }
    Ok(())
}

fn one(
    source: &Source<'_>,
    bind: Xml<'_, '_>,
    itext: &Itext,
    tree: &mut Tree,
    index: usize,
) -> Result<(), FormRefused> {
    let mut preload = None;
    for attribute in bind.attributes() {
        let (name, value) = (attribute.name(), attribute.value().trim());
        if attribute.namespace().is_some_and(|namespace| !NAMESPACES.contains(&namespace)) {
            note(&mut tree.notices, source.notice(bind, name, "it is of a namespace that is not read here"));
            continue;
        }
        let formula = || match value {
            "" => Ok(None),
            value => {
                Formula::parse(value).map(Some).map_err(|error| source.refused(bind, name, Reason::Expression(error)))
            }
        };
        let words = || message(itext, value).map_err(|reason| source.refused(bind, name, reason));
        let node = &mut tree.nodes[index];
        match name {
            "nodeset" | "id" => {}
            "type" => tree.facts[index].kind = value.rsplit(':').next().unwrap_or_default().to_owned(),
            "relevant" => node.relevant = formula()?,
            "required" => node.required = formula()?.filter(|formula| formula.text != "false()"),
            "constraint" => node.constraint = formula()?,
            "calculate" => node.calculation = formula()?,
            "readonly" => node.read_only = formula()?.filter(|formula| formula.text != "false()"),
            "constraintMsg" => node.constraint_message = words()?,
            "requiredMsg" => node.required_message = words()?,
            "preload" => preload = Some(value),
            "preloadParams" => {}
            name => drop(node.parameters.insert(name.to_owned(), value.to_owned())),
        }
    }
    if let Some(preload) = preload {
        let parameter = bind.attributes().find(|attribute| attribute.name() == "preloadParams");
        let parameter = parameter.map_or("", |attribute| attribute.value());
        tree.facts[index].metadata = metadata(preload, parameter);
        if tree.facts[index].metadata.is_none() {
            note(&mut tree.notices, source.notice(bind, "jr:preload", "nothing is recorded for this"));
        }
    }
    Ok(())
}

/// A message: its own text, or one of `itext`.
fn message(itext: &Itext, value: &str) -> Result<Words, Reason> {
    Ok(match itext.by_reference(value)? {
        Some(entry) => entry.words,
        None => {
            let mut words = Words::default();
            words.set(None, value.to_owned().into());
            words
        }
    })
}

fn metadata(preload: &str, parameter: &str) -> Option<Metadata> {
    Some(match (preload, parameter.strip_prefix("uri:").unwrap_or(parameter)) {
        ("timestamp", "start") => Metadata::Start,
        ("timestamp", "end") => Metadata::End,
        ("date", "today") => Metadata::Today,
        ("property", "deviceid") => Metadata::DeviceId,
        ("property", "username") => Metadata::UserName,
        ("property", "email") => Metadata::Email,
        ("property", "phonenumber") => Metadata::PhoneNumber,
        ("uid", _) => Metadata::InstanceId,
        _ => return None,
    })
}
