//! XForm: the XML that ODK's tools exchange, to a [`Model`] (ODK XForms specification 1.0).
//!
//! The primary instance gives the tree and the names, the binds what answers must hold to, the body what is asked.
//! The tree keeps the order in which the instance has it. What has no effect here is said in [`Model::notices`].

mod actions;
mod binds;
mod body;
mod choices;
mod itemset;
pub(crate) mod itext;
mod secondary;
pub(crate) mod source;
mod tree;

use std::collections::BTreeMap;

use crate::model::{Element, FORM_NAME_BYTES_MAX, GROUPS_DEPTH_MAX, Model, note};
use crate::refused::{FormRefused, Reason};
use crate::xlsform::as_name;
use itext::Itext;
use source::{Source, attribute, child, elements};
use tree::Tree;

/// Elements of a model that are read here, or by one of the rooms above.
const IN_MODEL: &[&str] =
    &["instance", "bind", "itext", "setvalue", "setgeopoint", "recordaudio", "submission", "action"];

/// Reads a form; `stem` is the file's name without its extension, which names forms without an id.
pub(crate) fn read(bytes: &[u8], stem: &str) -> Result<Model, FormRefused> {
    if bytes.len() > crate::workbook::FILE_BYTES_MAX {
        return Err(FormRefused::whole(Reason::too_much("bytes", crate::workbook::FILE_BYTES_MAX)));
    }
    let text = source::text(bytes).map_err(FormRefused::whole)?;
    let source = Source::parse(&text)?;
    let root = source.document.root_element();
    let missing = |name: &str| source.refused(root, "", Reason::Xml(format!("there is no `{name}`")));
    let head = child(root, "head").ok_or_else(|| missing("head"))?;
    let model = child(head, "model").ok_or_else(|| missing("model"))?;
    let body = child(root, "body").ok_or_else(|| missing("body"))?;
    let mut notices = Vec::new();
    let itext = match child(model, "itext") {
        Some(itext) => Itext::read(&source, itext, &mut notices)?,
        None => Itext::default(),
    };
    for unread in elements(model).filter(|element| !IN_MODEL.contains(&element.tag_name().name())) {
        note(&mut notices, source.notice(unread, "", "this element is not used"));
    }
    let primary = elements(model).find(|element| element.tag_name().name() == "instance");
    let primary = primary.and_then(|instance| elements(instance).next()).ok_or_else(|| missing("instance"))?;
    let repeats = body::repeats(&source, body, &format!("/{}", primary.tag_name().name()))?;
    let mut tree = Tree::read(&source, primary, &repeats, notices)?;
    secondary::read(&source, model, &mut tree)?;
    binds::read(&source, model, &itext, &mut tree)?;
    body::read(&source, body, &itext, &mut tree)?;
    actions::read(&source, root, &mut tree)?;
    let id = attribute(primary, "id").or_else(|| primary.tag_name().namespace()).unwrap_or(stem);
    let title = child(head, "title").and_then(|title| title.text()).unwrap_or(stem).trim().to_owned();
    let mut settings = BTreeMap::from([("form_id".to_owned(), id.to_owned())]);
    if let Some(style) = attribute(body, "class") {
        settings.insert("style".to_owned(), style.to_owned());
    }
    if let Some(submission) = child(model, "submission") {
        settings
            .extend(submission.attributes().map(|own| (format!("submission::{}", own.name()), own.value().to_owned())));
    }
    let not_a_name = || source.refused(primary, "id", Reason::NotAName(id.to_owned()));
    let name = as_name(id).or_else(|| as_name(stem)).ok_or_else(not_a_name)?;
    let version = attribute(primary, "version").unwrap_or_default().to_owned();
    Ok(finish(tree, itext, Model { id: name, title, version, settings, ..empty(source.name(primary)) }))
}

/// Elements of a file in any shape.
///
/// # Errors
/// If it is no XML, declares a document type, or is too deep or too large.
pub(crate) fn tree(bytes: &[u8]) -> Result<Element, FormRefused> {
    let text = source::text(bytes).map_err(FormRefused::whole)?;
    let document = source::parse(&text)?;
    Ok(secondary::element(&text, document.root_element()))
}

fn empty(root: &str) -> Model {
    Model {
        id: String::new(),
        title: String::new(),
        version: String::new(),
        languages: Vec::new(),
        default_language: None,
        root: root.to_owned(),
        nodes: Vec::new(),
        instances: BTreeMap::new(),
        texts: BTreeMap::new(),
        settings: BTreeMap::new(),
        notices: Vec::new(),
    }
}

fn finish(tree: Tree, itext: Itext, mut model: Model) -> Model {
    let tree = tree.finish();
    (model.nodes, model.instances, model.notices) = (tree.nodes, tree.instances, tree.notices);
    // Only expressions look for texts by id, and few forms have any that do.
    if model.formulas().any(|formula| formula.text.contains("jr:itext")) {
        model.texts = itext.words().map(|(id, words)| (id.clone(), words.clone())).collect();
    }
    (model.languages, model.default_language) = (itext.languages, itext.default_language);
    model
}

/// Longest path, in bytes, that is looked for: as long as the deepest node's, written twice over.
pub(crate) const PATH_BYTES_MAX: usize = 2 * GROUPS_DEPTH_MAX * (FORM_NAME_BYTES_MAX + 1);

/// The path that an element's `ref` or `nodeset` means, from where it stands; one that is too long leads nowhere.
fn resolve(context: &str, path: &str) -> String {
    let path = path.trim();
    if path.len() > PATH_BYTES_MAX {
        return "…".to_owned();
    }
    let mut steps: Vec<&str> = Vec::new();
    if !path.starts_with('/') {
        steps.extend(context.split('/').filter(|step| !step.is_empty()));
    }
    for step in path.split('/').map(str::trim).filter(|step| !step.is_empty()) {
        match step {
            "." | "current()" => {}
            ".." => drop(steps.pop()),
            step => steps.push(step.rsplit_once(':').map_or(step, |(_, local)| local)),
        }
    }
    steps.iter().map(|step| format!("/{step}")).collect()
}

#[cfg(test)]
mod tests {
    use crate::NamedFile;
    use crate::model::{ChoicesFrom, Instance, Metadata, Model, Node, NodeKind, Preset as Answer, QuestionKind};
    use crate::refused::FormRefused;

    fn form(primary: &str, model: &str, body: &str) -> String {
        format!(
            "<h:html xmlns='http://www.w3.org/2002/xforms' xmlns:h='http://www.w3.org/1999/xhtml' \
             xmlns:jr='http://openrosa.org/javarosa' xmlns:odk='http://www.opendatakit.org/xforms' \
             xmlns:orx='http://openrosa.org/xforms'>\n<h:head><h:title>T</h:title><model>\n<instance><data id='d' version='3'>\
             {primary}<orx:meta><orx:instanceID/><orx:instanceName/></orx:meta></data></instance>\n{model}</model></h:head>\n\
             <h:body>{body}</h:body></h:html>"
        )
    }

    fn read(text: &str) -> Result<Model, FormRefused> {
        Model::read(NamedFile { name: "f.xml", bytes: text.as_bytes() }, &[])
    }

    fn node<'m>(model: &'m Model, name: &str) -> &'m Node {
        model.nodes.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("no {name}"))
    }

    const MODEL: &str = "<itext><translation lang='English (en)' default='true()'>\
        <text id='q'><value>Name of <output value=' /data/who '/>?</value><value form='guidance'>More</value>\
        <value form='image'>jr://images/a.png</value></text><text id='l-0'><value>One</value></text></translation>\
        <translation lang='ar'><text id='q'><value>الاسم</value></text><text id='l-0'><value>واحد</value></text></translation></itext>\
        <instance id='l'><root><item><itextId>l-0</itextId><name>1</name><f>x</f></item></root></instance>\
        <instance id='towns' src='jr://file-csv/towns.csv'/><instance id='shape'><a b='c'><d>e</d></a></instance>\
        <bind nodeset='/data/who' type='string' required='true()' jr:requiredMsg='please'/>\
        <bind nodeset='/data/kid' relevant=' /data/who != &apos;&apos; '/><bind nodeset='/data/kid/age' type='int' constraint='. &lt; 18' \
        jr:constraintMsg=\"jr:itext('q')\" readonly='false()'/><bind nodeset='/data/sum' calculate='sum(/data/kid/age)'/>\
        <bind nodeset='/data/dev' jr:preload='property' jr:preloadParams='deviceid'/>\
        <bind nodeset='/data/orx:meta/orx:instanceID' jr:preload='uid'/>\
        <bind nodeset='/data/orx:meta/orx:instanceName' calculate='/data/who'/><bind nodeset='/data/gone' type='int'/>\
        <setvalue event='odk-instance-first-load' ref='/data/day' value='today()'/>";
    const PRIMARY: &str = "<who/><kid jr:template=''><age>3</age></kid><kid><age/></kid><sum/><dev/><day/><pick/><many/><set/><photo/><where/><last/>";
    const BODY: &str = "<input ref='/data/who'><label ref=\"jr:itext('q')\"/><hint>h</hint>\
        <setvalue event='xforms-value-changed' ref='/data/set' value='1 + 1'/>\
        <odk:setgeopoint event='xforms-value-changed' ref='/data/where'/></input>\
        <group ref='/data/kid'><label>Kids</label><repeat nodeset='/data/kid' jr:count='/data/n'>\
        <input ref='/data/kid/age'><label>&lt;b&gt;Age&lt;/b&gt;</label></input></repeat></group>\
        <select1 ref='/data/pick' appearance='minimal'><itemset nodeset=\"instance('l')/root/item[f = /data/who]\"><value ref='name'/>\
        <label ref='jr:itext(itextId)'/></itemset></select1>\
        <select ref='/data/many'><item><label>A</label><value>a</value></item></select>\
        <upload ref='/data/photo' mediatype='image/*'/>\
        <select1 ref='/data/last'><itemset nodeset=\"/data/kid[./age != '']\"><value ref='age'/><label ref='age'/></itemset></select1>";

    #[test]
    fn every_part_reaches_its_question() {
        let model = read(&form(PRIMARY, MODEL, BODY)).unwrap_or_else(|refused| panic!("{refused}"));
        assert_eq!((model.title.as_str(), model.id.as_str(), model.version.as_str()), ("T", "d", "3"));
        assert_eq!((model.languages.len(), model.default_language), (2, Some(0)));
        assert!(model.languages[1].is_right_to_left());
        let who = node(&model, "who");
        let label = who.label.in_language(Some(0)).expect("a label");
        assert_eq!(label.filled(|formula| format!("[{}]", formula.text)), "Name of [/data/who]?");
        assert_eq!(who.label.own(1).map(|text| text.plain.as_str()), Some("الاسم"));
        assert_eq!(who.media.image.own(0).map(|text| text.plain.as_str()), Some("a.png"));
        assert_eq!(who.hint.fallback.as_ref().map(|text| text.plain.as_str()), Some("h"));
        assert_eq!(who.required_message.fallback.as_ref().map(|text| text.plain.as_str()), Some("please"));
        let kid = node(&model, "kid");
        assert!(matches!(&kid.kind, NodeKind::Repeat { count: Some(count) } if count.text == "/data/n"));
        assert_eq!(kid.relevant.as_ref().map(|f| f.text.as_str()), Some("/data/who != ''"));
        let age = node(&model, "age");
        assert!(matches!(&age.default, Some(Answer::Text(text)) if text == "3"), "the template's");
        assert_eq!(age.label.fallback.as_ref().map(|text| text.plain.as_str()), Some("<b>Age</b>"));
        assert!(age.read_only.is_none() && age.constraint_message.own(0).is_some());
        assert!(matches!(node(&model, "dev").kind, NodeKind::Question(QuestionKind::Metadata(Metadata::DeviceId))));
        assert!(matches!(node(&model, "photo").kind, NodeKind::Question(QuestionKind::Image)));
        let called = node(&model, "orx:instanceName");
        assert_eq!(called.calculation.as_ref().map(|f| f.text.as_str()), Some("/data/who"));
        let gone: Vec<&str> = model.notices.iter().map(|notice| notice.text.as_str()).collect();
        assert_eq!(
            gone,
            ["the form has no such question", "the file `towns.csv` was not given: nothing is found in it"]
        );
    }

    #[test]
    fn actions_become_defaults_and_triggers() {
        let model = read(&form(PRIMARY, MODEL, BODY)).unwrap_or_else(|refused| panic!("{refused}"));
        assert!(matches!(&node(&model, "day").default, Some(Answer::Formula(f)) if f.text == "today()"));
        let set = node(&model, "set");
        assert_eq!(set.calculation.as_ref().map(|f| f.text.as_str()), Some("1 + 1"));
        assert_eq!(set.triggers.iter().map(|f| f.text.as_str()).collect::<Vec<_>>(), ["/data/who"]);
        let place = node(&model, "where");
        assert!(matches!(place.kind, NodeKind::Question(QuestionKind::Metadata(Metadata::StartPlace))));
        assert_eq!(place.triggers.len(), 1);
    }

    #[test]
    fn itemsets_become_lists_with_their_texts_or_stay_paths() {
        let model = read(&form(PRIMARY, MODEL, BODY)).unwrap_or_else(|refused| panic!("{refused}"));
        let pick = node(&model, "pick").choices().expect("choices");
        assert!(matches!(&pick.from, ChoicesFrom::Instance { name, .. } if name == "l"));
        assert_eq!(pick.filter.as_ref().map(|f| f.text.as_str()), Some("f = /data/who"));
        let Instance::List(items) = &model.instances["l"] else { panic!("a list") };
        assert_eq!((items[0].name.as_str(), items[0].label.own(1).map(|t| t.plain.as_str())), ("1", Some("واحد")));
        assert!(items[0].columns.iter().any(|(name, cell)| **name == *"f" && cell == "x"));
        let many = node(&model, "many").choices().expect("choices");
        let ChoicesFrom::Instance { name, .. } = &many.from else { panic!("a list") };
        assert!(matches!(&model.instances[name], Instance::List(items) if items[0].name == "a"));
        let last = node(&model, "last").choices().expect("choices");
        assert!(
            matches!(&last.from, ChoicesFrom::Nodes { items, value, .. } if items.text == "/data/kid" && value.text == "age")
        );
        assert!(matches!(&model.instances["shape"], Instance::Tree(root) if root.children[0].text == "e"));
        assert!(matches!(&model.instances["towns"], Instance::Absent { file } if file == "towns.csv"));
    }

    #[test]
    fn what_another_product_says_beside_is_not_what_the_form_says() {
        let bind = "<bind nodeset='/data/a' constraint='. > 1' oc:constraint='. > 9' xmlns:oc='http://openclinica.org/xforms'/>";
        let set =
            "<input ref='/data/a'><setvalue event='xforms-value-changed' ref='/data/b' value=''>x</setvalue></input>";
        let model = read(&form("<a/><b>y</b>", bind, set)).expect("it can be used");
        assert_eq!(node(&model, "a").constraint.as_ref().map(|formula| formula.text.as_str()), Some(". > 1"));
        assert_eq!(node(&model, "b").calculation.as_ref().map(|formula| formula.text.as_str()), Some("''"));
        assert_eq!(model.notices[0].column, "constraint");
    }

    #[test]
    fn what_is_wrong_is_refused_where_it_stands() {
        let check = |primary: &str, model: &str, body: &str, wanted: &str| {
            let refused = read(&form(primary, model, body)).err().map(|refused| refused.to_string());
            assert_eq!(refused.as_deref(), Some(wanted), "{primary} {model} {body}");
        };
        check("<a/>", "", "<input ref='/data/b'/>", "/h:html/h:body/input:5:ref: the form has no `/data/b`");
        check("<a/>", "", "<slider ref='/data/a'/>", "/h:html/h:body/slider:5: the element `slider` is not supported");
        check("<a/>", "", "<input/>", "/h:html/h:body/input:5:ref: the cell is empty");
        check("<a/><a/>", "", "", "/h:html/h:head/model/instance/data/a[2]:3: `a` stands here already");
        check("<g><b/></g>", "", "<input ref='/data/g'/>", "/h:html/h:body/input:5:ref: begin and end do not match");
        check(
            "<a/>",
            "<bind nodeset='/data/a'/><bind nodeset='/data/a' relevant='1 +'/>",
            "",
            "/h:html/h:head/model/bind[2]:4:relevant: the expression ends too early, at character 4",
        );
        check(
            "<a/>",
            "",
            "<select1 ref='/data/a'><itemset nodeset=\"instance('x')/root/item\"><value ref='n'/><label ref='n'/></itemset></select1>",
            "/h:html/h:body/select1/itemset:5:nodeset: there is no list of choices `x`",
        );
        let label = "<input ref='/data/a'><label ref=\"jr:itext('none')\"/></input>";
        check("<a/>", "", label, "/h:html/h:body/input/label:5:ref: the form has no `jr:itext('none')`");
        let broken = read("<h:html xmlns:h='x'>\n<a>\n</h:html>").err().map(|refused| refused.to_string());
        assert!(broken.as_deref().is_some_and(|text| text.starts_with("3: not an XForm: ")), "{broken:?}");
        assert_eq!(
            read("<a/>").err().map(|r| r.to_string()).as_deref(),
            Some("/a:1: not an XForm: there is no `head`")
        );
    }
}
