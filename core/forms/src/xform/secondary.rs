//! Secondary instances: data that expressions and itemsets look at.

use roxmltree::Node as Xml;

use super::source::{Source, attribute, elements, name};
use super::tree::Tree;
use crate::instances;
use crate::model::{Element, Instance};
use crate::refused::{FormRefused, Reason};

/// Reads the instances of a model but its first.
pub(super) fn read(source: &Source<'_>, model: Xml<'_, '_>, tree: &mut Tree) -> Result<(), FormRefused> {
    let instances = elements(model).filter(|element| element.tag_name().name() == "instance");
    for element in instances.skip(1) {
        let id = attribute(element, "id").ok_or_else(|| source.refused(element, "id", Reason::Empty))?;
        let inline = elements(element).next().map(|root| self::element(source.document.input_text(), root));
        let instance = match (inline, attribute(element, "src")) {
            (_, Some("jr://instance/last-saved")) => Instance::LastSaved,
            // A converter may put an example of the data where the file's will be.
            (_, Some(src)) => Instance::Absent { file: src.rsplit('/').next().unwrap_or(src).to_owned() },
            (Some(root), None) => instances::instance(root),
            (None, None) => return Err(source.refused(element, "src", Reason::Empty)),
        };
        if tree.instances.insert(id.to_owned(), instance).is_some() {
            return Err(source.refused(element, "id", Reason::Repeated(id.to_owned())));
        }
    }
    Ok(())
}

/// An element with all that is in it; the document was refused where it is too deep.
pub(super) fn element(text: &str, element: Xml<'_, '_>) -> Element {
    let own: String = element.children().filter(Xml::is_text).filter_map(|node| node.text()).collect();
    Element {
        name: name(text, element).to_owned(),
        text: own.trim().to_owned(),
        attributes: element.attributes().map(|own| (own.name().to_owned(), own.value().to_owned())).collect(),
        children: elements(element).map(|child| self::element(text, child)).collect(),
    }
}
