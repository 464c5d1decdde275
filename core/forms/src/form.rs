//! A form: its questions in order, its lists of choices, and the signed definition made from them.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::form::{FormDefinition, Leaf, Shape, is_question};
use merestone_core::id::sha256;

use crate::sheet::{self, Cells, FormRefused, Reason, Sheet, refused};

/// The column of question and choice texts.
const LABEL: &str = "label::English (en)";
const MISSING: &str = "";

/// A form that was read and can be used.
#[derive(Clone, Debug)]
pub struct Form {
    /// The kind of record it makes.
    pub id: String,
    /// Its title for people.
    pub title: String,
    /// Its version.
    pub version: String,
    questions: Vec<Question>,
    lists: BTreeMap<String, Vec<Choice>>,
    source: [u8; 32],
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its name, unique in the form.
    pub name: String,
    /// The repeat group it stands in.
    pub repeat: Option<String>,
    /// What an answer to it is.
    pub kind: QuestionKind,
    /// Its text for people.
    pub label: String,
    /// Whether it must be answered.
    pub required: bool,
}

/// What an answer to a question is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuestionKind {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// The name of one choice of the list.
    SelectOne(String),
    /// A photo: the SHA-256 of its original, 64 lowercase hex digits.
    Image,
}

/// One choice of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The value that is recorded.
    pub name: String,
    /// Its text for people.
    pub label: String,
}

impl Form {
    /// Reads a form from Markdown tables.
    ///
    /// # Errors
    /// The first thing that is not understood, with its place.
    pub fn read(document: &str) -> Result<Self, FormRefused> {
        let sheets = sheet::read(document)?;
        let find = |name: &str| sheets.iter().find(|sheet| sheet.name == name);
        if let Some(sheet) = sheets.iter().find(|sheet| !["survey", "choices", "settings"].contains(&sheet.name)) {
            return Err(refused(sheet.name, 1, MISSING, Reason::UnknownColumn));
        }
        let lists = find("choices").map_or(Ok(BTreeMap::new()), lists)?;
        let survey = find("survey").ok_or_else(|| refused("survey", 1, MISSING, Reason::MissingSheet))?;
        let questions = questions(survey, &lists)?;
        let settings = find("settings").ok_or_else(|| refused("settings", 1, MISSING, Reason::MissingSheet))?;
        settings.only(&["form_id", "form_title", "version"])?;
        let row = settings.rows().next().ok_or_else(|| refused("settings", 1, MISSING, Reason::MissingSheet))?;
        let form = Self {
            id: name(row, "form_id")?,
            title: row.filled("form_title")?.to_owned(),
            version: row.filled("version")?.to_owned(),
            questions,
            lists,
            source: sha256(&[document.as_bytes()]),
        };
        // Title, version and number of leaves have maxima of their own in the signed definition.
        form.definition().encode().map_err(|_| row.refused("form_title", Reason::TooLarge))?;
        Ok(form)
    }

    /// The questions, in the form's order.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// The choices of a list; empty when there is no such list.
    pub fn choices(&self, list: &str) -> &[Choice] {
        self.lists.get(list).map_or(&[], Vec::as_slice)
    }

    /// The question that an answer's key (`question` or `repeat/rowid/question`) belongs to.
    pub fn question(&self, key: &str) -> Option<&Question> {
        let mut parts = key.split('/');
        let (first, rest) = (parts.next()?, parts.nth(1));
        self.questions.iter().find(|question| match (&question.repeat, rest) {
            (None, None) => question.name == first,
            (Some(repeat), Some(name)) => repeat == first && question.name == name,
            _ => false,
        })
    }

    /// The signed definition: the leaf table has one leaf for each question outside repeats, one for each repeat,
    /// in the form's order, and last `withdrawn`, by which a record is withdrawn, and `imported`, which says where a
    /// record was taken over from.
    pub fn definition(&self) -> FormDefinition {
        let mut seen = BTreeSet::new();
        let mut leaves = Vec::new();
        for question in &self.questions {
            let (name, shape) = match &question.repeat {
                Some(repeat) => (repeat, Shape::Repeat),
                None => (&question.name, Shape::Answer),
            };
            if seen.insert(name) {
                leaves.push(Leaf { name: name.clone(), shape });
            }
        }
        leaves.push(Leaf { name: WITHDRAWN.to_owned(), shape: Shape::Answer });
        leaves.push(Leaf { name: IMPORTED.to_owned(), shape: Shape::Repeat });
        FormDefinition {
            kind: self.id.clone(),
            title: self.title.clone(),
            version: self.version.clone(),
            leaves,
            source: Some(self.source),
        }
    }
}

/// The key by which a record or a row is withdrawn; no question may have this name.
pub(crate) const WITHDRAWN: &str = "withdrawn";

/// The repeat that marks a record as taken over from another system, and keeps what the form has no question for; no
/// question may have this name. Every form has it, so that its cells have a leaf like any answer (`core/spec/exchange.md`).
pub const IMPORTED: &str = "imported";

/// Whether a name means something in every record, so that no question and no repeat may have it.
pub(crate) fn is_reserved(name: &str) -> bool {
    name == WITHDRAWN || name == IMPORTED
}

fn name(row: Cells<'_, '_>, column: &str) -> Result<String, FormRefused> {
    let name = row.filled(column)?;
    if is_question(name) && !is_reserved(name) {
        Ok(name.to_owned())
    } else {
        Err(row.refused(column, Reason::NotAName))
    }
}

fn lists(sheet: &Sheet<'_>) -> Result<BTreeMap<String, Vec<Choice>>, FormRefused> {
    sheet.only(&["list_name", "name", LABEL])?;
    let mut lists: BTreeMap<String, Vec<Choice>> = BTreeMap::new();
    for row in sheet.rows() {
        let choice = Choice { name: row.filled("name")?.to_owned(), label: row.filled(LABEL)?.to_owned() };
        let list = lists.entry(row.filled("list_name")?.to_owned()).or_default();
        if list.iter().any(|other| other.name == choice.name) {
            return Err(row.refused("name", Reason::Repeated));
        }
        list.push(choice);
    }
    Ok(lists)
}

fn questions(sheet: &Sheet<'_>, lists: &BTreeMap<String, Vec<Choice>>) -> Result<Vec<Question>, FormRefused> {
    sheet.only(&["type", "name", LABEL, "required"])?;
    let (mut questions, mut repeat) = (Vec::new(), None::<String>);
    let mut names = BTreeSet::new();
    for row in sheet.rows() {
        let kind = match row.filled("type")?.split_once(' ').unwrap_or((row.cell("type"), "")) {
            ("begin_repeat", "") if repeat.is_none() => {
                repeat = Some(unique(row, &mut names)?);
                continue;
            }
            ("end_repeat", "") if repeat.is_some() => {
                repeat = None;
                continue;
            }
            ("begin_repeat" | "end_repeat", _) => return Err(row.refused("type", Reason::Nesting)),
            ("text", "") => QuestionKind::Text,
            ("integer", "") => QuestionKind::Integer,
            ("date", "") => QuestionKind::Date,
            ("image", "") => QuestionKind::Image,
            ("select_one", list) if lists.contains_key(list) => QuestionKind::SelectOne(list.to_owned()),
            ("select_one", list) => return Err(row.refused("type", Reason::UnknownList(list.to_owned()))),
            _ => return Err(row.refused("type", Reason::UnknownType(row.cell("type").to_owned()))),
        };
        let required = match row.cell("required") {
            "" => false,
            "yes" => true,
            _ => return Err(row.refused("required", Reason::NotYes)),
        };
        let label = row.filled(LABEL)?.to_owned();
        questions.push(Question { name: unique(row, &mut names)?, repeat: repeat.clone(), kind, label, required });
    }
    match (repeat, questions.is_empty()) {
        (None, false) => Ok(questions),
        (Some(_), _) => Err(refused(sheet.name, 1, "type", Reason::Nesting)),
        (None, true) => Err(refused(sheet.name, 1, MISSING, Reason::MissingSheet)),
    }
}

fn unique(row: Cells<'_, '_>, names: &mut BTreeSet<String>) -> Result<String, FormRefused> {
    let name = name(row, "name")?;
    if names.insert(name.clone()) { Ok(name) } else { Err(row.refused("name", Reason::Repeated)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standard;
    use merestone_core::form::{Key, LeafTable};

    fn with(survey_row: &str) -> String {
        format!(
            "| survey |\n| | type | name | {LABEL} | required |\n{survey_row}\n| choices |\n| | list_name | name | {LABEL} |\n\
             | | yn | yes | Yes |\n| settings |\n| | form_id | form_title | version |\n| | f | F | 1 |\n"
        )
    }

    #[test]
    fn standard_forms_read_and_fix_a_position_for_every_question() {
        for document in standard::ALL {
            let form = Form::read(document).expect("a form the project ships");
            let definition = form.definition();
            let encoded = definition.encode().expect("a definition that can be signed");
            assert_eq!(FormDefinition::decode(&encoded).as_ref(), Ok(&definition));
            let table = LeafTable::new(&definition);
            let mark = format!("{IMPORTED}/0123456789abcdef/instance");
            assert!(Key::parse(&mark).is_some_and(|key| table.position(key).is_some()), "{}", form.id);
            for question in form.questions() {
                let key = match &question.repeat {
                    Some(repeat) => format!("{repeat}/0123456789abcdef/{}", question.name),
                    None => question.name.clone(),
                };
                let parsed = Key::parse(&key).expect("a name");
                assert!(table.position(parsed).is_some(), "{}: {key}", form.id);
                assert_eq!(form.question(&key), Some(question));
            }
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_place() {
        let rows: &[(&str, Reason)] = &[
            ("| | geopoint | a | A | |", Reason::UnknownType("geopoint".into())),
            ("| | text | 1a | A | |", Reason::NotAName),
            ("| | text | withdrawn | A | |", Reason::NotAName),
            ("| | text | imported | A | |", Reason::NotAName),
            ("| | text | a | | |", Reason::Empty),
            ("| | text | a | A | maybe |", Reason::NotYes),
            ("| | select_one none | a | A | |", Reason::UnknownList("none".into())),
            ("| | end_repeat | | | |", Reason::Nesting),
            ("| | text | a | A | |\n| | text | a | A | |", Reason::Repeated),
            ("| | text | a | \u{202e}A | |", Reason::Text),
        ];
        for (row, reason) in rows {
            let refused = Form::read(&with(row)).expect_err(row);
            assert_eq!((&refused.reason, refused.sheet.as_str()), (reason, "survey"), "{row}");
            assert!(refused.row >= 3 || refused.row == 1, "{refused}");
        }
        assert!(Form::read(&with("| | select_one yn | a | A | yes |")).is_ok());
        assert!(Form::read("not a table").is_err());
        assert!(Form::read("").is_err());
    }
}
