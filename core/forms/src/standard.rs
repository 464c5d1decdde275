//! The forms that come with the project.

/// A visit to a border post.
pub const INSPECTION: &str = include_str!("standard/inspection.md");
/// An incident or a violation of a cease-fire, with low, best and high counts.
pub const INCIDENT: &str = include_str!("standard/incident.md");
/// A patrol with the places it visited, which may have nothing to report.
pub const PATROL: &str = include_str!("standard/patrol.md");
/// Access that was denied, delayed, allowed under conditions, or impeded.
pub const ACCESS_RESTRICTION: &str = include_str!("standard/access-restriction.md");
/// A tally of crossings.
pub const CROSSING_COUNT: &str = include_str!("standard/crossing-count.md");
/// A redacted copy of a photo, linked to the original (`core/spec/publication.md`, Redacted photos). Nobody fills it by hand.
pub const REDACTION: &str = include_str!("standard/redaction.md");
/// Those that people fill, each in English, French, Ukrainian and Arabic.
pub const ALL: [&str; 5] = [INSPECTION, INCIDENT, PATROL, ACCESS_RESTRICTION, CROSSING_COUNT];

/// The document of the form of that name: its id.
pub fn named(name: &str) -> Option<&'static str> {
    Some(match name {
        "inspection" => INSPECTION,
        "incident" => INCIDENT,
        "patrol" => PATROL,
        "access-restriction" => ACCESS_RESTRICTION,
        "crossing-count" => CROSSING_COUNT,
        "redaction" => REDACTION,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NamedFile;
    use crate::model::{ChoicesFrom, Instance, Model, Node, NodeKind, QuestionKind, Words};

    fn models() -> Vec<Model> {
        let read = |text: &&str| {
            let file = NamedFile { name: "form.md", bytes: text.as_bytes() };
            Model::read(file, &[]).unwrap_or_else(|refused| panic!("{refused}"))
        };
        ALL.iter().map(read).collect()
    }

    #[test]
    fn each_is_found_by_its_id() {
        for (model, text) in models().iter().zip(ALL) {
            assert_eq!(named(&model.id), Some(text));
        }
        assert_eq!(named("weather"), None);
    }

    #[test]
    fn a_publication_cannot_hide_that_a_photo_was_redacted() {
        let definition = crate::Form::read_tables(REDACTION).expect("a good form").definition();
        let must: Vec<&str> =
            definition.must.iter().map(|at| definition.leaves[*at as usize - 8].name.as_str()).collect();
        assert_eq!((definition.kind.as_str(), must), ("redaction", vec!["of_entry", "of_photo", "method"]));
        assert!(definition.hash().is_ok());
    }

    fn is_in_all(words: &Words, languages: usize) -> bool {
        words.fallback.is_none() && (0..languages).all(|language| words.own(language).is_some())
    }

    /// Whether a person sees it; what a form says about itself has no words.
    fn is_shown(node: &Node) -> bool {
        let is_unseen = matches!(node.kind, NodeKind::Question(QuestionKind::Hidden | QuestionKind::Metadata(_)));
        !is_unseen && node.row > 0
    }

    /// What a person reads of a node, each with its name; the first must be there.
    fn texts(node: &Node) -> [(&'static str, &Words); 4] {
        [
            ("label", &node.label),
            ("hint", &node.hint),
            ("message", &node.constraint_message),
            ("guidance", &node.guidance),
        ]
    }

    #[test]
    fn no_string_is_missing_in_any_language() {
        for model in models() {
            let codes: Vec<_> = model.languages.iter().filter_map(|language| language.code()).collect();
            assert_eq!(codes, ["en", "fr", "uk", "ar"], "{}", model.id);
            assert!(model.languages[3].is_right_to_left() && model.default_language == Some(0));
            assert!(model.notices.is_empty(), "{}: {:?}", model.id, model.notices);
            for node in model.nodes.iter().skip(1) {
                let place = format!("{}:{}", model.id, node.name);
                for (what, words) in texts(node) {
                    let is_shown = what == "label" && is_shown(node);
                    assert!(is_in_all(words, 4) || (words.is_empty() && !is_shown), "{place}: {what}");
                }
                let is_explained = node.constraint.is_none() || !node.constraint_message.is_empty();
                assert!(is_explained, "{place}: a constraint without a message");
            }
            for (list, instance) in &model.instances {
                let Instance::List(items) = instance else { panic!("{}: {list} is a file", model.id) };
                assert!(items.len() > 1, "{}: {list}", model.id);
                for item in items {
                    assert!(is_in_all(&item.label, 4), "{}: {list}/{}", model.id, item.name);
                }
            }
        }
    }

    #[test]
    fn every_list_that_is_asked_is_there_and_every_list_is_asked() {
        for model in models() {
            let mut asked = std::collections::BTreeSet::new();
            for node in &model.nodes {
                let NodeKind::Question(QuestionKind::SelectOne(choices) | QuestionKind::SelectMultiple(choices)) =
                    &node.kind
                else {
                    continue;
                };
                let ChoicesFrom::Instance { name, .. } = &choices.from else { panic!("{}", node.name) };
                asked.insert(name.clone());
            }
            assert_eq!(asked, model.instances.keys().cloned().collect(), "{}", model.id);
        }
    }

    #[test]
    fn ukrainian_and_arabic_use_their_own_script() {
        for model in models() {
            let words = model.nodes.iter().skip(1).flat_map(|node| texts(node).map(|(_, words)| words));
            for words in words.filter(|words| !words.is_empty()) {
                let text = |language: usize| words.in_language(Some(language)).map_or("", |text| &text.plain);
                assert!(text(2).chars().any(|c| ('\u{400}'..='\u{4ff}').contains(&c)), "{}: {}", model.id, text(2));
                assert!(text(3).chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c)), "{}: {}", model.id, text(3));
            }
        }
    }
    /// Every text that people read.
    fn words_of(model: &Model) -> Vec<&Words> {
        let items = model.instances.values().flat_map(|instance| match instance {
            Instance::List(items) => items.iter().map(|item| &item.label).collect(),
            Instance::Table(_) | Instance::Tree(_) | Instance::Absent { .. } | Instance::LastSaved => Vec::new(),
        });
        let nodes = model.nodes.iter().skip(1).flat_map(|node| texts(node).map(|(_, words)| words));
        nodes.chain(items).filter(|words| !words.is_empty()).collect()
    }

    #[test]
    fn every_language_puts_in_the_same_answers() {
        for model in models() {
            for words in words_of(&model) {
                let put_in = |language: usize| {
                    let text = words.own(language).expect("no string is missing");
                    let mut formulas: Vec<&str> = text.outputs.iter().map(|output| &*output.formula.text).collect();
                    formulas.sort_unstable();
                    formulas
                };
                assert!((1..4).all(|language| put_in(language) == put_in(0)), "{}: {words:?}", model.id);
            }
        }
    }

    #[test]
    fn each_language_has_its_own_punctuation() {
        for model in models() {
            for words in words_of(&model) {
                let [french, ukrainian, arabic] =
                    [1, 2, 3].map(|language| words.own(language).map_or("", |text| &text.plain));
                for text in [french, ukrainian] {
                    assert!(!text.contains(['\'', '"']), "a typewriter's sign: {text}");
                }
                for sign in [':', ';', '?', '!', '»'] {
                    let ends: Vec<&str> = french.split(sign).collect();
                    let is_apart = ends[..ends.len() - 1].iter().all(|before| before.ends_with('\u{a0}'));
                    assert!(is_apart, "no fixed blank before {sign}: {french}");
                }
                assert!(french.split('«').skip(1).all(|after| after.starts_with('\u{a0}')), "{french}");
                assert!(!arabic.contains([',', ';', '?', '"']), "a Latin sign: {arabic}");
                for text in [french, ukrainian, arabic] {
                    assert!(!text.contains("  ") && !text.starts_with(' '), "a blank too many: {text}");
                }
            }
        }
    }

    /// The names of a form's questions and choices: what records, exports and other forms' conditions refer to.
    fn names(model: &Model) -> String {
        let mut names = format!("{}\n", model.id);
        for node in model.nodes.iter().skip(1).filter(|node| node.row > 0) {
            names += &format!("  {}\n", node.name);
        }
        for (list, instance) in &model.instances {
            let Instance::List(items) = instance else { continue };
            let items: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
            names += &format!("  [{list}] {}\n", items.join(" "));
        }
        names
    }

    #[test]
    fn names_stay_whatever_becomes_of_their_words() {
        let found: String = models().iter().map(names).collect();
        assert_eq!(found, include_str!("standard/names.txt"), "a record that is filled already has the old names");
    }
}
