//! Filling a form: answers in, and what follows from them.
//!
//! A [`Filling`] holds the answers of one record under their keys and keeps up to date what depends on them: which questions
//! are asked, what is calculated, how many rows a repeat has. A changed answer works out again only what looks at it.
//!
//! Nothing that a person answered is ever lost here: answers to questions that are not asked any more, rows that are
//! withdrawn and keys that the form does not know stay, and [`Filling::is_asked`] tells them apart.
//! Time and chance come in with the [`Occasion`]. Nothing is stored: [`Filling::take_changes`] says what to store.

mod offer;
mod order;
mod plant;
mod presets;
mod problems;
mod rows;
mod settle;
mod trail;
mod words;
mod work;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use merestone_core::form::Key;
use merestone_core::id::sha256;

use crate::answer::Answer;
use crate::expr::{Documents, EvalError, Moment, NodeId, Surroundings};
use crate::field::{self, Refusal};
use crate::form::Form;
use crate::model::{Metadata, Node, NodeIndex, NodeKind, QuestionKind};

pub use offer::Offered;
pub use order::Screen;
pub use problems::{Problem, Wrong};
pub use rows::RowId;
pub use trail::Event;

/// Most rows of all repeats of one form together.
pub const ROWS_MAX: usize = 10_000;
/// Most groups and questions of all rows together, the form itself included: a few hundred megabytes of a phone.
pub const ANSWERS_MAX: usize = 500_000;

/// What is known when a form is filled, besides its answers.
#[derive(Clone, Debug, Default)]
pub struct Occasion {
    /// The time, in milliseconds since 1970-01-01 UTC.
    pub now_ms: i64,
    /// Minutes east of UTC.
    pub offset_minutes: i32,
    /// Random bytes, from which everything random in the form comes.
    pub seed: [u8; 32],
    /// What the form is told of the device.
    pub device_id: String,
    /// What the form is told of who fills it.
    pub user_name: String,
    /// Their address, where it is known.
    pub email: String,
    /// Their telephone number, where it is known.
    pub phone_number: String,
}

/// A node of the form in one of its rows. It means nothing once that row is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub(crate) row: usize,
    pub(crate) node: NodeIndex,
}

impl Place {
    /// The node's number in the [`Model`](crate::model::Model).
    pub fn node(self) -> NodeIndex {
        self.node
    }
}

/// The answers of one record, and what follows from them.
#[derive(Debug)]
pub struct Filling {
    form: Arc<Form>,
    answers: BTreeMap<String, Answer>,
    changed: BTreeSet<String>,
    occasion: Occasion,
    language: Option<usize>,
    /// How many random numbers were drawn.
    drawn: Cell<u64>,
    /// How many labels of choices are being worked out, each for the one before.
    naming: Cell<u8>,
    documents: Documents,
    rows: Vec<rows::Row>,
    row_ids: HashMap<(NodeIndex, RowId), usize>,
    places: HashMap<NodeId, Place>,
    /// Rows that the answers name and nobody withdrew, by repeat and the row they stand in.
    known: BTreeMap<(NodeIndex, Option<RowId>), BTreeSet<RowId>>,
    /// Expressions that came to nothing, by the place they belong to.
    faults: BTreeMap<(Place, problems::Part), EvalError>,
    /// Repeats of which not all rows are there, in the row they stand in.
    overfull: BTreeSet<Place>,
    /// Dynamic defaults that wait until what they look at is worked out.
    waiting: VecDeque<Place>,
    /// Where this filling's trail is kept.
    trail: Option<String>,
    due: settle::Agenda,
    work: work::Work,
    is_loading: bool,
}

impl Filling {
    /// Begins a new record: with defaults, and with what the device knows by itself.
    pub fn begin(form: Arc<Form>, occasion: Occasion) -> Self {
        let mut filling = Self::empty(form, occasion);
        filling.introduce();
        filling.default_plane(0, 0);
        filling.settle_all();
        filling
    }

    /// Goes on with answers that were given before; they stay as they are, also those that the form does not know.
    pub fn resume(form: Arc<Form>, answers: impl IntoIterator<Item = (String, Answer)>, occasion: Occasion) -> Self {
        let mut filling = Self::empty(form, occasion);
        filling.answers = answers.into_iter().collect();
        filling.is_loading = true;
        filling.load();
        filling.settle_all();
        filling.is_loading = false;
        filling
    }

    fn empty(form: Arc<Form>, occasion: Occasion) -> Self {
        let mut filling = Self {
            documents: form.documents().clone(),
            language: form.model().default_language,
            form,
            occasion,
            answers: BTreeMap::new(),
            changed: BTreeSet::new(),
            drawn: Cell::new(0),
            naming: Cell::new(0),
            rows: Vec::new(),
            row_ids: HashMap::new(),
            places: HashMap::new(),
            known: BTreeMap::new(),
            faults: BTreeMap::new(),
            overfull: BTreeSet::new(),
            waiting: VecDeque::new(),
            trail: None,
            due: settle::Agenda::default(),
            work: work::Work::new(),
            is_loading: false,
        };
        filling.plant_form();
        filling
    }

    /// Answers a question: `question`, or `repeat/rowid/question`.
    ///
    /// # Errors
    /// Why the answer is not taken; nothing has changed then. What the form's constraints say against it is no such
    /// reason: see [`problems`](Self::problems).
    pub fn answer(&mut self, key: &str, answer: Answer) -> Result<(), Refusal> {
        self.work.begin();
        let place = self.answerable(key)?;
        let node = self.node(place);
        let NodeKind::Question(kind) = &node.kind else { return Err(Refusal::Unknown) };
        let answer = field::fit(kind, &node.parameters, answer)?;
        let answer = self.chosen(place, answer)?;
        self.put(place, answer);
        self.settle();
        Ok(())
    }

    /// Answers a question with what a person typed; nothing is a question left blank.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn answer_typed(&mut self, key: &str, typed: &str) -> Result<(), Refusal> {
        self.work.begin();
        let place = self.answerable(key)?;
        let node = self.node(place);
        let NodeKind::Question(kind) = &node.kind else { return Err(Refusal::Unknown) };
        let answer = field::read(kind, &node.parameters, typed)?;
        self.answer(key, answer)
    }

    /// Says that filling ends now; what the device knows of that is answered.
    pub fn finish(&mut self) {
        self.work.begin();
        for place in self.everywhere() {
            if matches!(self.node(place).kind, NodeKind::Question(QuestionKind::Metadata(Metadata::End))) {
                let text = self.now().text();
                self.put(place, Answer::Text(text));
            }
        }
        self.settle();
    }

    /// Tells the time; what is worked out from now on sees it.
    pub fn tell_time(&mut self, now_ms: i64) {
        self.occasion.now_ms = now_ms;
    }

    /// Shows texts in a language of the form, by number.
    pub fn set_language(&mut self, language: Option<usize>) {
        self.language = language.filter(|number| *number < self.form.model().languages.len());
    }

    /// The language now shown, by number.
    pub fn language(&self) -> Option<usize> {
        self.language
    }

    /// The answers that changed since this was last asked, to be stored.
    pub fn take_changes(&mut self) -> Vec<(String, Answer)> {
        let changed = std::mem::take(&mut self.changed);
        changed
            .into_iter()
            .filter_map(|key| self.answers.get_key_value(&key).map(|(k, a)| (k.clone(), a.clone())))
            .collect()
    }

    /// The form.
    pub fn form(&self) -> &Arc<Form> {
        &self.form
    }

    /// Every answer, by key, asked or not.
    pub fn answers(&self) -> &BTreeMap<String, Answer> {
        &self.answers
    }

    /// The answer of one question.
    pub fn given(&self, key: &str) -> Option<&Answer> {
        self.answers.get(key)
    }

    /// What stands at a place, as expressions see it: also what is calculated and kept in no record.
    pub fn value(&self, place: Place) -> &str {
        self.element(place).map_or("", |element| self.documents.own_text(element))
    }

    /// What is calculated and kept in no record, by key, as far as it is asked and comes to something.
    pub fn derived(&self) -> Vec<(String, String)> {
        let places =
            self.everywhere().into_iter().filter(|place| self.form.is_derived(place.node) && self.is_relevant(*place));
        let derived = places.filter_map(|place| Some((self.key(place)?, self.value(place).to_owned())));
        derived.filter(|(_, value)| !value.is_empty()).collect()
    }

    /// Whether the question of a key is asked as things are: it and all it stands in is relevant, and its row is one.
    pub fn is_asked(&self, key: &str) -> bool {
        self.place(key).is_some_and(|place| self.is_relevant(place))
    }

    /// Whether a place is asked as things are.
    pub fn is_relevant(&self, place: Place) -> bool {
        self.element(place).is_some_and(|element| self.documents.is_asked(element))
    }

    /// The place that a key names; `None` if the form has none, or its row is none.
    pub fn place(&self, key: &str) -> Option<Place> {
        let node = self.form.names().question(key)?;
        let row = match Key::parse(key)? {
            Key::Answer { .. } => 0,
            Key::Cell { row, .. } => self.row_of(self.form.names().plane(node), RowId::parse(row)?)?,
        };
        Some(Place { row, node })
    }

    /// The key of a question's answer; `None` for groups, repeats, and rows that are gone.
    pub fn key(&self, place: Place) -> Option<String> {
        self.element(place)?;
        if !matches!(self.node(place).kind, NodeKind::Question(_)) {
            return None;
        }
        let name = self.form.names().name(place.node);
        Some(match place.row {
            0 => name.to_owned(),
            row => self.cell(self.rows[row].repeat, self.rows[row].id, name),
        })
    }

    /// The node at a place.
    pub fn node(&self, place: Place) -> &Node {
        &self.form.model().nodes[place.node]
    }

    /// Whether everything that follows was worked out; otherwise the form asks for more work than is done for one answer,
    /// and the rest is done with the next ones.
    pub fn is_settled(&self) -> bool {
        self.due.is_empty() && self.waiting.is_empty()
    }

    /// The place of a key, if people may answer it now.
    fn answerable(&self, key: &str) -> Result<Place, Refusal> {
        let place = match self.place(key) {
            Some(place) => place,
            None if self.form.names().question(key).is_some() => return Err(Refusal::NoRow),
            None => return Err(Refusal::Unknown),
        };
        let node = self.node(place);
        match &node.kind {
            NodeKind::Question(QuestionKind::Note | QuestionKind::Metadata(_)) => return Err(Refusal::NotAsked),
            NodeKind::Question(QuestionKind::Hidden) if node.calculation.is_some() => return Err(Refusal::NotAsked),
            NodeKind::Question(_) | NodeKind::Group | NodeKind::Repeat { .. } => {}
        }
        if self.is_closed(place) { Err(Refusal::ReadOnly) } else { Ok(place) }
    }

    /// Whether the form says that people cannot change it.
    pub fn is_read_only(&self, place: Place) -> bool {
        self.work.begin();
        self.is_closed(place)
    }

    fn is_closed(&self, place: Place) -> bool {
        let Some(element) = self.element(place) else { return true };
        let elements: Vec<NodeId> = self.documents.ancestors(element).collect();
        elements.into_iter().filter_map(|element| self.places.get(&element)).any(|place| {
            let formula = self.node(*place).read_only.as_ref();
            formula.is_some_and(|formula| self.evaluate(formula, *place).is_ok_and(|value| value.bool()))
        })
    }

    /// Puts an answer where it belongs, and notes what looks at it.
    fn put(&mut self, place: Place, answer: Answer) {
        let Some(key) = self.key(place) else { return };
        let text = answer_text(&answer);
        self.keep(key, answer);
        self.write(place, &text);
    }

    /// Keeps an answer under its key.
    fn keep(&mut self, key: String, answer: Answer) {
        if self.answers.get(&key) != Some(&answer) {
            self.changed.insert(key.clone());
            self.answers.insert(key, answer);
        }
    }

    fn cell(&self, repeat: NodeIndex, row: RowId, question: &str) -> String {
        format!("{}/{row}/{question}", self.form.names().name(repeat))
    }

    fn now(&self) -> Moment {
        let now = Moment::from_unix(self.occasion.now_ms as f64, self.occasion.offset_minutes);
        // A clock outside the years that dates have is no clock; 1970 is the sign of it everywhere.
        now.or_else(|| Moment::from_unix(0.0, 0)).expect("1970 is a year")
    }

    fn draw(&self) -> u64 {
        let count = self.drawn.get();
        self.drawn.set(count + 1);
        let hash = sha256(&[b"merestone/filling/random/v1", &self.occasion.seed, &count.to_be_bytes()]);
        u64::from_be_bytes(*hash.first_chunk().expect("32 bytes hold eight"))
    }
}

/// What a person would have typed for an answer; nothing for a blank.
fn answer_text(answer: &Answer) -> String {
    match answer {
        Answer::Blank => String::new(),
        Answer::Bool(yes) => yes.to_string(),
        Answer::Int(number) => number.to_string(),
        Answer::Text(text) => text.clone(),
    }
}

impl Surroundings for Filling {
    fn now(&self) -> Moment {
        Self::now(self)
    }

    fn random(&self) -> u64 {
        self.draw()
    }

    fn choice_label(&self, question: NodeId, name: &str) -> Option<String> {
        self.label_of_choice(*self.places.get(&question)?, name)
    }

    fn translation(&self, id: &str) -> Option<String> {
        self.form.model().translation(id, self.language).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests;
