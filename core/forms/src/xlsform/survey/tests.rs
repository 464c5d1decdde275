//! What the sheet `survey` comes to.

use crate::NamedFile;
use crate::model::{ChoicesFrom, Instance, Metadata, Model, Node, NodeKind, Preset as Answer, QuestionKind};
use crate::refused::FormRefused;

fn read(text: &str) -> Result<Model, FormRefused> {
    Model::read(NamedFile { name: "f.md", bytes: text.as_bytes() }, &[])
}

fn node<'m>(model: &'m Model, name: &str) -> &'m Node {
    model.nodes.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("no {name}"))
}

const FORM: &str = r"
| survey | | | | | | | | | | |
| | type | name | label::en | label | relevant | constraint | calculation | default | parameters | choice_filter | repeat_count | trigger | required |
| | start | start | | | | | | | | | | | |
| | audit | | | | | | | | | | | | |
| | integer | age | How old is ${who}? | Age | | . > 0 | | 18 | | | | | yes |
| | text | who | Who | | | | | ${age} + 1 | | | | | no |
| | begin repeat | kids | Kids | | ${age} > 18 | | | | | | ${age} - 18 | | |
| | text | kid | Kid | | | | | | | | | | |
| | integer | years | Years | | | | | today() | | | | | |
| | end repeat | | | | | | | | | | | | |
| | select_one ${kid} | eldest | Eldest | | | | | | | ${years} > ${age} | | | |
| | select_one l or_other | one | One | | | | | | randomize=true, seed=${age} | f = ${who} | | | |
| | select_multiple l | many | Many | | | | | | | | | | |
| | range | r | R | | | | | | start=1;end=5;step=0.5 | | | | |
| | calculate | c | | | | | once(${age}) | | | | | ${who}, ${age} | |
| | background-geopoint | place | | | | | | | | | | ${who} | |
| | percentage | p | P | | | | | | | | | | |
| | calculate | before | | | | | ${last-saved#age} | | | | | | |
| choices | | | | | | | | | | | | | |
| | list_name | name | label::en | label | f | | | | | | | | |
| | l | a | A | a of ${who} | x | | | | | | | | |
| settings | | | | | | | | | | | | | |
| | form_id | form_title | version | instance_name | | | | | | | | | |
| | my form | Title | 7 | concat(${who}, '!') | | | | | | | | | |
";

#[test]
fn every_column_reaches_its_question() {
    let model = read(FORM).unwrap_or_else(|refused| panic!("{refused}"));
    assert_eq!((model.id.as_str(), model.title.as_str(), model.version.as_str()), ("my_form", "Title", "7"));
    let called = node(&model, "instanceName").calculation.as_ref();
    assert_eq!(called.map(|name| name.text.as_str()), Some("concat(/data/who, '!')"));
    let text = |formula: &Option<crate::model::Formula>| formula.as_ref().map(|formula| formula.text.clone());
    let age = node(&model, "age");
    let label = age.label.own(0).expect("a label in English");
    assert_eq!(label.filled(|formula| formula.text.clone()), "How old is /data/who?");
    assert_eq!(age.label.fallback.as_ref().map(|text| text.plain.as_str()), Some("Age"));
    assert!(matches!(&age.default, Some(Answer::Text(text)) if text == "18"));
    assert_eq!((text(&age.constraint), text(&age.required)), (Some(". > 0".to_owned()), Some("true()".to_owned())));
    assert!(node(&model, "who").required.is_none());
    assert!(matches!(&node(&model, "who").default, Some(Answer::Formula(f)) if f.text == "/data/age + 1"));
    assert!(matches!(&node(&model, "years").default, Some(Answer::Formula(f)) if f.text == "today()"));
    let NodeKind::Repeat { count: Some(count) } = &node(&model, "kids").kind else { panic!("no count") };
    assert_eq!((count.text.as_str(), node(&model, "kids").children.len()), ("/data/age - 18", 2));
    assert_eq!(
        node(&model, "c").triggers.iter().map(|f| f.text.as_str()).collect::<Vec<_>>(),
        ["/data/who", "/data/age"]
    );
    assert!(matches!(node(&model, "place").kind, NodeKind::Question(QuestionKind::Metadata(Metadata::StartPlace))));
    assert_eq!(text(&node(&model, "p").constraint).as_deref(), Some("0 <= . and . <= 100"));
    assert_eq!(node(&model, "r").parameters["step"], "0.5");
    assert_eq!(text(&node(&model, "before").calculation).as_deref(), Some("instance('__last-saved')/data/age"));
    assert!(matches!(model.instances["__last-saved"], Instance::LastSaved));
    assert_eq!(node(&model, "audit").parent, node(&model, "instanceID").parent);
    assert!(matches!(
        node(&model, "instanceID").kind,
        NodeKind::Question(QuestionKind::Metadata(Metadata::InstanceId))
    ));
}

#[test]
fn choices_come_from_lists_and_from_rows() {
    let model = read(FORM).unwrap_or_else(|refused| panic!("{refused}"));
    let eldest = node(&model, "eldest").choices().expect("choices");
    let ChoicesFrom::Nodes { items, value, .. } = &eldest.from else { panic!("rows") };
    assert_eq!((items.text.as_str(), value.text.as_str()), ("/data/kids", "kid"));
    let filter = eldest.filter.as_ref().map(|filter| filter.text.as_str());
    assert_eq!(filter, Some("(./kid != '') and (./years > /data/age)"));
    let one = node(&model, "one").choices().expect("choices");
    assert_eq!(one.filter.as_ref().map(|filter| filter.text.as_str()), Some("f = /data/who"));
    let seed = one.randomize.as_ref().and_then(|seed| seed.as_ref());
    assert_eq!(seed.map(|seed| seed.text.as_str()), Some("/data/age"));
    let other = node(&model, "one_other");
    assert_eq!(other.relevant.as_ref().map(|f| f.text.as_str()), Some("selected(../one, 'other')"));
    let Instance::List(items) = &model.instances["l"] else { panic!("a list") };
    assert_eq!(items.iter().map(|item| item.name.as_str()).collect::<Vec<_>>(), ["a", "other"]);
    assert_eq!((&*items[0].columns[0].0, items[0].columns[0].1.as_str()), ("f", "x"));
    assert_eq!(items[0].label.fallback.as_ref().map(|text| text.outputs.len()), Some(1));
}

#[test]
fn what_is_wrong_is_refused_where_it_stands() {
    let check = |rows: &str, wanted: &str| {
        let form = format!("| survey |\n| | type | name | label | relevant | parameters |\n{rows}\n");
        let refused = read(&form).err().map(|refused| refused.to_string());
        assert_eq!(refused.as_deref(), Some(wanted), "{rows}");
    };
    check("| | texts | a | A |", "survey:3:type: the type `texts` is not supported");
    check("| | text | | A |", "survey:3:name: the cell is empty");
    check("| | | a | A |", "survey:3:type: the cell is empty");
    check(
        "| | text | 1a | A |",
        "survey:3:name: `1a` is no name: a letter or underscore, then letters, digits, `_`, `-` or `.`, at most 255 bytes",
    );
    check("| | text | a | A |\n| | text | a | B |", "survey:4:name: `a` stands here already");
    check("| | begin group | g | G |", "survey:3:type: begin and end do not match");
    check("| | begin group | g | G |\n| | end repeat |", "survey:4:type: begin and end do not match");
    check("| | end group |", "survey:3:type: begin and end do not match");
    check("| | select_one l | a | A |", "survey:3:type: there is no list of choices `l`");
    check("| | text | a | A | ${b} = 1 |", "survey:3:relevant: the form has no `b`");
    check("| | text | a | A ${b} |", "survey:3:label: the form has no `b`");
    check("| | text | a | A | 1 + |", "survey:3:relevant: the expression ends too early, at character 4");
    check("| | text | a | A | foo(1) |", "survey:3:relevant: there is no function `foo`, at character 1");
    check("| | text | a | A | | colour=red |", "survey:3:parameters: the parameter `colour` is not supported here");
    check("| | text | meta | A |", "survey:3:name: `meta` means something else and cannot be a name here");
    check(
        "| | note | | only |\n| | text | a | #REF! |",
        "survey:4:label: the cell shows an error, or a date that is none",
    );
}

#[test]
fn what_has_no_effect_is_named() {
    let form = "| survey |\n| | type | name | label | colour |\n| | text | a | A | red | stray |\n| | | | remark |\n| notes |\n| | x |\n| | y |\n";
    let model = read(form).unwrap_or_else(|refused| panic!("{refused}"));
    let named: Vec<String> =
        model.notices.iter().map(|n| format!("{}:{}:{}: {}", n.sheet, n.row, n.column, n.text)).collect();
    assert_eq!(
        named,
        [
            "notes:6:: this sheet is not used",
            "survey:2:colour: this column is not used",
            "survey:3:E: cells below no heading are not used",
            "survey:4:type: a row without type and name is not used",
        ]
    );
}
