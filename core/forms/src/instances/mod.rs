//! Data that forms look at: files beside a form, and how all of it becomes documents for expressions.

mod documents;
pub(crate) mod files;

use std::collections::BTreeSet;

use crate::model::{ChoicesFrom, Instance, Model, Node, Notice, note};
use crate::reading::NamedFile;
use crate::refused::FormRefused;

pub(crate) use files::instance;

/// Puts the files that were given into the instances that need them; a file that was not given is named.
/// `sheet` is where its questions stand.
pub(crate) fn attach(model: &mut Model, sheet: &str, beside: &[NamedFile<'_>]) -> Result<(), FormRefused> {
    pulled(model);
    let Model { nodes, instances, notices, .. } = model;
    let mut cells = files::Cells::default();
    for (name, instance) in instances {
        let Instance::Absent { file } = instance else { continue };
        match beside.iter().find(|given| given.name == file) {
            Some(given) => *instance = files::read(given, &mut cells)?,
            None => {
                let (row, column) = asked_at(nodes, name);
                let sheet = if row > 0 { sheet.to_owned() } else { String::new() };
                let text = format!("the file `{file}` was not given: nothing is found in it");
                note(notices, Notice { sheet, row, column, text });
            }
        }
    }
    Ok(())
}

/// The row and column that first ask for an instance; no row and its own name where none does.
fn asked_at(nodes: &[Node], name: &str) -> (usize, String) {
    let is_chosen_from = |node: &Node| {
        node.choices()
            .is_some_and(|choices| matches!(&choices.from, ChoicesFrom::Instance { name: asked, .. } if asked == name))
    };
    let quoted = [format!("'{name}'"), format!("\"{name}\"")];
    let is_calculated_from = |node: &Node| {
        node.calculation.as_ref().is_some_and(|formula| quoted.iter().any(|name| formula.text.contains(name)))
    };
    let found = nodes.iter().find_map(|node| match node {
        node if is_chosen_from(node) => Some((node.row, "type")),
        node if is_calculated_from(node) => Some((node.row, "calculation")),
        _ => None,
    });
    found.map_or_else(|| (0, name.to_owned()), |(row, column)| (row, column.to_owned()))
}

/// `pulldata('name', …)` needs the file `name.csv`.
fn pulled(model: &mut Model) {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for formula in model.formulas() {
        for (_, after) in
            formula.text.match_indices("pulldata").map(|(at, word)| formula.text.split_at(at + word.len()))
        {
            let inside = after.trim_start().strip_prefix('(').map(str::trim_start).unwrap_or_default();
            let quoted = inside.chars().next().filter(|c| matches!(c, '\'' | '"'));
            if let Some((name, _)) = quoted.and_then(|quote| inside[1..].split_once(quote)) {
                names.insert(name.to_owned());
            }
        }
    }
    for name in names {
        let file = format!("{name}.csv");
        model.instances.entry(name).or_insert(Instance::Absent { file });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Documents, Expression, Focus, Moment, NodeId, Surroundings};

    const FORM: &str = r"
| survey |
| | type | name | label | calculation | choice_filter |
| | select_one_from_file towns.csv | town | Town | | district = 'n' |
| | select_one_from_file posts.geojson | post | Post | | |
| | xml-external | tree | | | |
| | calculate | people | | pulldata('numbers', 'people', 'name', ${town}) | |
| | select_one l | q | Q | | |
| choices |
| | list_name | name | label::en | label::fr | f |
| | l | a | One | Un | x |
";

    fn read(beside: &[(&str, &str)]) -> Model {
        let beside: Vec<NamedFile<'_>> =
            beside.iter().map(|(name, text)| NamedFile { name, bytes: text.as_bytes() }).collect();
        Model::read(NamedFile { name: "f.md", bytes: FORM.as_bytes() }, &beside)
            .unwrap_or_else(|refused| panic!("{refused}"))
    }

    struct Nothing;

    impl Surroundings for Nothing {
        fn now(&self) -> Moment {
            Moment::read("2024-05-06", 0).expect("this is a day")
        }
        fn random(&self) -> u64 {
            0
        }
        fn choice_label(&self, _: NodeId, _: &str) -> Option<String> {
            None
        }
        fn translation(&self, _: &str) -> Option<String> {
            None
        }
    }

    #[test]
    fn files_beside_a_form_are_found_by_expressions() {
        let model = read(&[
            ("towns.csv", "name,label,district\nkyiv,Kyiv,n\nodesa,Odesa,s\n"),
            ("numbers.csv", "name,people\nkyiv,3000000\n"),
            (
                "posts.geojson",
                r#"{"features": [{"id": "p1", "geometry": {"type": "Point", "coordinates": [30.5, 50.4]},
              "properties": {"title": "Post 1", "open": true}}]}"#,
            ),
            ("tree.xml", "<root><item><name>x</name><deep><y>7</y></deep></item></root>"),
        ]);
        assert!(model.notices.is_empty(), "{:?}", model.notices);
        let mut documents = Documents::default();
        let root = documents.add("", "data");
        model.add_instances(&mut documents);
        let check = |text: &str, wanted: &str| {
            let value =
                Expression::parse(text).expect("it can be parsed").evaluate(&documents, &Nothing, Focus::at(root));
            assert_eq!(value.expect("it comes to something").text(&documents), wanted, "{text}");
        };
        check("instance('towns')/root/item[district = 's']/label", "Odesa");
        check("pulldata('numbers', 'people', 'name', 'kyiv')", "3000000");
        check("pulldata('numbers', 'people', 'name', 'lviv')", "");
        check("instance('posts')/root/item[title = 'Post 1']/geometry", "50.4 30.5 0 0");
        check("instance('posts')/root/item/open", "true");
        check("instance('tree')/root/item[name = 'x']/deep/y", "7");
        check("instance('l')/root/item[f = 'x']/label", "One");
        check("instance('l')/root/item/itextId", "l-0");
        check("count(instance('towns')/root/item)", "2");
        assert_eq!((model.translation("l-0", Some(1)), model.translation("l-9", None)), (Some("Un"), None));
    }

    #[test]
    fn files_that_were_not_given_are_named_and_empty() {
        let model = read(&[]);
        let named: Vec<String> = model.notices.iter().map(ToString::to_string).collect();
        let wanted = [
            ("survey:7:calculation:", "numbers.csv"),
            ("survey:5:type:", "posts.geojson"),
            ("survey:4:type:", "towns.csv"),
            ("tree:", "tree.xml"),
        ];
        assert_eq!(
            named,
            wanted.map(|(at, file)| format!("{at} the file `{file}` was not given: nothing is found in it"))
        );
        let mut documents = Documents::default();
        documents.add("", "data");
        model.add_instances(&mut documents);
        assert!(documents.instance("towns").is_some_and(|root| documents.children(root).next().is_none()));
    }

    #[test]
    fn a_form_may_be_a_file_for_each_sheet() {
        let survey = NamedFile { name: "survey.csv", bytes: b"type,name,label\nselect_one l,q,Q\n" };
        let choices = NamedFile { name: "choices.csv", bytes: b"list_name,name,label\nl,a,A\n" };
        let settings = NamedFile { name: "settings.csv", bytes: b"form_id,version\nvisit,2\n" };
        let model = Model::read(survey, &[choices, settings]).unwrap_or_else(|refused| panic!("{refused}"));
        assert_eq!((model.id.as_str(), model.version.as_str(), model.instances.len()), ("visit", "2", 1));
        let refused = Model::read(survey, &[settings]).err().map(|refused| refused.to_string());
        assert_eq!(refused.as_deref(), Some("survey:2:type: there is no list of choices `l`"));
    }
}
