//! Files out of proportion, and files that are only large: the first are refused or read in bounded work, the others load.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use merestone_forms::model::{Instance, Model, NOTICES_MAX};
use merestone_forms::refused::{FormRefused, Reason};
use merestone_forms::{Filling, Form, NamedFile, Occasion};

/// What is read in bounded work ends in a small part of this in an unoptimized build, and in less than it on a machine with
/// more to do than it can; what is not takes many minutes.
const SOON: Duration = Duration::from_secs(180);

fn read(name: &str, text: &str, beside: &[(&str, &str)]) -> Result<Form, FormRefused> {
    let beside: Vec<NamedFile<'_>> =
        beside.iter().map(|(name, text)| NamedFile { name, bytes: text.as_bytes() }).collect();
    let begun = Instant::now();
    let form = Form::read(NamedFile { name, bytes: text.as_bytes() }, &beside);
    assert!(begun.elapsed() < SOON, "{name} took {:?}", begun.elapsed());
    form
}

fn refused(name: &str, text: &str, beside: &[(&str, &str)]) -> FormRefused {
    read(name, text, beside).err().unwrap_or_else(|| panic!("{name} was read"))
}

fn loaded(name: &str, text: &str, beside: &[(&str, &str)]) -> Form {
    read(name, text, beside).unwrap_or_else(|refused| panic!("{name}: {refused}"))
}

fn xform(primary: &str, model: &str, body: &str) -> String {
    format!(
        "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" \
         xmlns:jr=\"http://openrosa.org/javarosa\"><h:head><h:title>t</h:title><model><instance><d id=\"d\">{primary}</d>\
         </instance>{model}</model></h:head><h:body>{body}</h:body></h:html>"
    )
}

fn many(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut all, number| {
        write!(all, "{}", one(number)).expect("a text can be written to");
        all
    })
}

#[test]
fn sixty_thousand_unknown_elements_are_named_up_to_a_limit() {
    let form = loaded("many.xml", &xform("<a/>", &many(60_000, |_| "<x/>".to_owned()), ""), &[]);
    let notices = &form.model().notices;
    assert_eq!(notices.len(), NOTICES_MAX);
    assert!(notices[0].sheet.ends_with("/model/x"), "{}", notices[0].sheet);
    let last = notices.last().expect("there are some");
    assert!(last.text.contains("more"), "{}", last.text);
    // A refusal says which of them it is.
    let found = refused("many.xml", &xform("<a/>", "", &many(60_000, |_| "<x/>".to_owned())), &[]);
    assert!(found.sheet.ends_with("/h:body/x[1]"), "{}", found.sheet);
    // Columns that nothing is known of, and cells below no heading.
    let heading: String = many(16_000, |number| format!(",u{number}"));
    let form = loaded("wide.csv", &format!("type,name,label{heading}\ntext,q,Q\n"), &[]);
    assert_eq!(form.model().notices.len(), NOTICES_MAX);
    let wide = many(100, |_| format!("text,,{}\n", ",x".repeat(16_000)));
    let form = loaded("wide.csv", &format!("type,name,label\ntext,q,Q\n{}", wide.replace("text,", ",")), &[]);
    assert_eq!(form.model().notices.len(), NOTICES_MAX);
}

#[test]
fn an_item_of_sixty_thousand_columns_is_read_as_it_is() {
    let item = format!("<item>{}</item>", many(60_000, |number| format!("<c{number}>x</c{number}>")));
    let form =
        loaded("wide.xml", &xform("<a/>", &format!("<instance id=\"x\"><root>{item}</root></instance>"), ""), &[]);
    assert!(matches!(form.model().instances["x"], Instance::Table(ref table) if table.columns.len() == 60_000));
}

#[test]
fn tables_whose_rows_share_no_column_are_not_filled_up_with_blank_cells() {
    let md = |file: &str| format!("| survey |\n| | type | name | label |\n| | select_one_from_file {file} | q | Q |\n");
    let features = many(20_000, |number| {
        let comma = if number == 0 { "" } else { "," };
        format!(
            "{comma}{{\"geometry\":{{\"type\":\"Point\",\"coordinates\":[1,2]}},\"properties\":{{\"p{number}\":1}}}}"
        )
    });
    let found = refused("f.md", &md("p.geojson"), &[("p.geojson", &format!("{{\"features\":[{features}]}}"))]);
    assert_eq!(
        (found.sheet.as_str(), found.reason.to_string().as_str()),
        ("p.geojson", "more than 2000000 cells in tables")
    );
    assert!(found.row > 1_000, "{}", found.row);
    let far = format!("{}x\n", ",".repeat(16_000));
    let heading = many(16_000, |number| format!(",c{number}"));
    let found = refused("f.md", &md("t.csv"), &[("t.csv", &format!("name{heading}\n{}", far.repeat(1_000)))]);
    assert_eq!(
        (found.sheet.as_str(), found.reason.to_string().as_str()),
        ("t.csv", "more than 2000000 cells in tables")
    );
    assert_eq!(found.row, 125, "2,000,000 cells are reached there");
    // Elements are no more than there are.
    let items = many(20_000, |number| format!("<item><c{number}>x</c{number}></item>"));
    let form = loaded("t.xml", &xform("<a/>", &format!("<instance id=\"x\"><root>{items}</root></instance>"), ""), &[]);
    assert!(matches!(form.model().instances["x"], Instance::Tree(_)));
}

#[test]
fn a_text_that_is_used_ten_thousand_times_is_not_copied_without_end() {
    let text = "long ".repeat(60_000);
    let itext =
        format!("<itext><translation lang=\"en\"><text id=\"a\"><value>{text}</value></text></translation></itext>");
    let primary = many(10_000, |number| format!("<q{number}/>"));
    let body = many(10_000, |number| format!("<input ref=\"/d/q{number}\"><label ref=\"jr:itext('a')\"/></input>"));
    let found = refused("long.xml", &xform(&primary, &itext, &body), &[]);
    assert_eq!(found.reason.to_string(), "more than 33554432 bytes of texts that are referred to");
    assert!(found.sheet.contains("/h:body/input"), "{}", found.sheet);
    let messages =
        many(10_000, |number| format!("<bind nodeset=\"/d/q{number}\" jr:constraintMsg=\"jr:itext('a')\"/>"));
    assert_eq!(
        refused("long.xml", &xform(&primary, &(itext + &messages), ""), &[]).reason.to_string(),
        "more than 33554432 bytes of texts that are referred to"
    );
}

#[test]
fn more_languages_than_anybody_writes_in_are_refused() {
    let translations = many(10_000, |number| {
        format!("<translation lang=\"l{number}\"><text id=\"a\"><value>x</value></text></translation>")
    });
    let found = refused("babel.xml", &xform("<a/>", &format!("<itext>{translations}</itext>"), ""), &[]);
    assert_eq!(found.reason.to_string(), "more than 256 languages");
    let heading = many(1_000, |number| format!(",label::l{number}"));
    let found = refused("babel.csv", &format!("type,name{heading}\ntext,q,Q\n"), &[]);
    assert_eq!(
        (found.sheet.as_str(), found.row, found.reason.to_string().as_str()),
        ("survey", 1, "more than 256 languages")
    );
}

#[test]
fn fifteen_thousand_controls_find_their_binds() {
    let primary = many(15_000, |number| format!("<q{number}/>"));
    let binds = many(15_000, |number| format!("<bind id=\"b{number}\" nodeset=\"/d/q{number}\"/>"));
    let body = many(15_000, |number| format!("<input bind=\"b{number}\"><label>L</label></input>"));
    // A definition has fewer leaves than this, so only the model can be had.
    let text = xform(&primary, &binds, &body);
    let begun = Instant::now();
    let model = Model::read(NamedFile { name: "binds.xml", bytes: text.as_bytes() }, &[]).expect("they are read");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(model.nodes.iter().filter(|node| !node.label.is_empty()).count(), 15_000);
}

#[test]
fn paths_that_lead_through_a_million_steps_are_followed_once() {
    let long = "/d/..".repeat(100_000);
    let actions = "<setvalue ref=\"a\" event=\"odk-instance-first-load\" value=\"1\"/>".repeat(5_000);
    drop(read("long.xml", &xform("<a/>", &format!("<action ref=\"{long}\">{actions}</action>"), ""), &[]));
    let repeats = "<repeat nodeset=\"a\"/>".repeat(5_000);
    drop(read("long.xml", &xform("<a/>", "", &format!("<group ref=\"{long}\">{repeats}</group>")), &[]));
}

#[test]
fn calculations_that_all_look_at_everything_are_refused_where_they_become_too_many() {
    for formula in ["count(//*)", "sum(//*)", "count(//*/following-sibling::*/preceding-sibling::*)"] {
        let rows = many(3_000, |number| format!("calculate,c{number},,{formula}\n"));
        let found = refused("dense.csv", &format!("type,name,label,calculation\n{rows}"), &[]);
        assert_eq!((found.sheet.as_str(), found.column.as_str()), ("survey", "calculation"), "{formula}");
        assert!(found.row > 1 && matches!(found.reason, Reason::TooMuch { .. }), "{formula}: {found}");
    }
    // A form of 500 questions may well count all that was answered.
    let rows = many(500, |number| format!("text,q{number},Q,\n"));
    let rows = format!("begin_group,g,G,\n{rows}end_group,,,\n");
    let counts = many(100, |number| format!("calculate,c{number},,count-non-empty(//g/*[. != '{number}'])\n"));
    loaded("f.csv", &format!("type,name,label,calculation\n{rows}{counts}"), &[]);
}

#[test]
fn twenty_thousand_choices_in_two_megabytes_load() {
    let label = "A choice with a label of some fifty letters, as is ";
    let rows = many(20_000, |number| format!(",l{},c{number},{label}{number},{}\n", number / 100, number % 7));
    let survey = many(500, |number| format!(",select_one l{},q{number},Q {number},f = '1'\n", number % 200));
    let text = format!("survey\n,type,name,label,choice_filter\n{survey}choices\n,list_name,name,label,f\n{rows}");
    assert!(text.len() > 1_400_000, "{}", text.len());
    let form = loaded("choices.csv", &text, &[]);
    let items = form.model().instances.values().map(|instance| match instance {
        Instance::List(items) => items.len(),
        Instance::Table(_) | Instance::Tree(_) | Instance::Absent { .. } | Instance::LastSaved => 0,
    });
    assert_eq!(items.sum::<usize>(), 20_000);
}

#[test]
fn a_questionnaire_of_a_megabyte_and_a_half_in_four_languages_loads() {
    const LANGUAGES: [&str; 4] = ["English (en)", "Français (fr)", "Українська (uk)", "العربية (ar)"];
    let (questions, text) =
        (1_400, "A question as long as they are in a deployed questionnaire, with all that it explains");
    let itext = LANGUAGES.map(|language| {
        let texts = many(questions, |number| {
            let (own, hint) = (format!("/d/q{number}:label"), format!("/d/q{number}:hint"));
            format!("<text id=\"{own}\"><value>{text} {number}</value></text><text id=\"{hint}\"><value>{text}</value></text>")
        });
        format!("<translation lang=\"{language}\">{texts}</translation>")
    });
    let primary = many(questions, |number| format!("<q{number}/>"));
    let binds = many(questions, |number| {
        let relevant = format!("/d/q{} != ''", number.saturating_sub(1));
        let relevant = if number > 0 { format!("relevant=\"{relevant}\"") } else { String::new() };
        format!("<bind nodeset=\"/d/q{number}\" type=\"string\" {relevant} constraint=\"string-length(.) &lt; 90\"/>")
    });
    let body = many(questions, |number| {
        format!(
            "<input ref=\"/d/q{number}\"><label ref=\"jr:itext('/d/q{number}:label')\"/>\
             <hint ref=\"jr:itext('/d/q{number}:hint')\"/></input>"
        )
    });
    let text = xform(&primary, &format!("<itext>{}</itext>{binds}", itext.concat()), &body);
    assert!(text.len() > 1_500_000, "{}", text.len());
    let form = loaded("questionnaire.xml", &text, &[]);
    assert_eq!((form.model().nodes.len(), form.model().languages.len()), (questions + 1, 4));
    assert!(form.model().nodes[questions].hint.own(3).is_some());
}

#[test]
fn a_table_of_fifty_thousand_rows_beside_a_form_is_found_by_expressions() {
    let columns = many(8, |number| format!(",c{number}"));
    let rows = many(50_000, |number| format!("n{number},Label {number}{}\n", many(8, |at| format!(",v{at}"))));
    let survey = "| survey |\n| | type | name | label | calculation |\n\
                  | | text | key | Key | |\n| | calculate | found | | pulldata('t', 'label', 'name', ${key}) |\n";
    let form = loaded("f.md", survey, &[("t.csv", &format!("name,label{columns}\n{rows}"))]);
    let mut filling = Filling::begin(Arc::new(form), Occasion::default());
    filling.answer_typed("key", "n49999").expect("it is a text");
    let found = filling.place("found").expect("it is in the form");
    assert_eq!(filling.value(found), "Label 49999");
}
