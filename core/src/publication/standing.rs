//! Which of the answers that are shown of a record stand, as far as the disclosures say (`spec/publication.md`, What a
//! reader works out).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::change::Value as Scalar;
use crate::disclosure::{Disclosure, Said, ShownCell};
use crate::form::Key;
use crate::id::EntryId;

/// Most steps through ancestors in one record. Beyond them no value is taken for replaced: more is shown as standing, and
/// nothing is hidden. An honest record of 6,000 edits in a row takes 18 million.
const STEPS_MAX: u64 = 20_000_000;
/// Most ancestors that are remembered at once: some 30 MB.
const REMEMBERED_MAX: usize = 1_000_000;

/// An answer that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// The entry that gave it.
    pub entry: EntryId,
    /// The answer.
    pub value: Scalar<'a>,
    /// Whether it stands.
    pub stands: bool,
}

/// The answers of a record by name, each with its values, ascending by entry.
pub type Values<'a> = BTreeMap<Key<'a>, Vec<Value<'a>>>;

/// The answers and cells that the disclosures of one record show.
pub fn values<'a>(disclosures: &'a [Disclosure<'a>]) -> Values<'a> {
    let ancestry = Ancestry::of(disclosures);
    let mut values = Values::new();
    for disclosure in disclosures {
        let entry = disclosure.entry().id();
        for (key, value) in answers(disclosure) {
            values.entry(key).or_default().push(Value { entry, value, stands: true });
        }
    }
    let mut below = Below::default();
    for written in values.values_mut().filter(|written| written.len() > 1) {
        let writers: Vec<EntryId> = written.iter().map(|value| value.entry).collect();
        for writer in writers {
            let ancestors = below.of(writer, &ancestry);
            for value in written.iter_mut().filter(|value| ancestors.binary_search(&value.entry).is_ok()) {
                value.stands = false;
            }
        }
    }
    for written in values.values_mut() {
        written.sort_by_key(|value| value.entry);
    }
    values
}

/// The answers and cells that a disclosure shows.
fn answers<'a>(disclosure: &'a Disclosure<'a>) -> Vec<(Key<'a>, Scalar<'a>)> {
    let mut answers = Vec::new();
    for opened in disclosure.opened() {
        match (opened.name, &opened.said) {
            (Some(question), Some(Said::Answer(value))) => answers.push((Key::Answer { question }, *value)),
            (Some(repeat), Some(Said::Cells(cells))) => {
                let cell =
                    |cell: &ShownCell<'a>| (Key::Cell { repeat, row: cell.row, question: cell.question }, cell.value);
                answers.extend(cells.iter().map(cell));
            }
            _ => {}
        }
    }
    answers
}

/// Which disclosed entries each disclosed entry names.
struct Ancestry<'a>(HashMap<EntryId, &'a [EntryId]>);

impl<'a> Ancestry<'a> {
    fn of(disclosures: &'a [Disclosure<'a>]) -> Self {
        let entry = |disclosure: &'a Disclosure<'a>| (disclosure.entry().id(), disclosure.entry().header().refs());
        Self(disclosures.iter().map(entry).collect())
    }
}

/// The ancestors that were worked out, and how much that took.
#[derive(Default)]
struct Below {
    known: HashMap<EntryId, Vec<EntryId>>,
    remembered: usize,
    steps: u64,
}

impl Below {
    /// The disclosed ancestors of an entry, ascending; none once it took too much.
    fn of(&mut self, entry: EntryId, ancestry: &Ancestry<'_>) -> &[EntryId] {
        if self.known.contains_key(&entry) || self.steps >= STEPS_MAX {
            return self.known.get(&entry).map_or(&[], Vec::as_slice);
        }
        let mut found = BTreeSet::new();
        let mut open = vec![entry];
        while let Some(id) = open.pop() {
            self.steps += 1;
            let named = ancestry.0.get(&id).copied().unwrap_or_default();
            open.extend(named.iter().filter(|id| ancestry.0.contains_key(id) && found.insert(**id)));
        }
        if self.remembered + found.len() > REMEMBERED_MAX {
            self.known.clear();
            self.remembered = 0;
        }
        self.remembered += found.len();
        self.known.entry(entry).or_insert_with(|| found.into_iter().collect())
    }
}
