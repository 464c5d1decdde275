//! Whether a submission is here already: which record was made of it.
//!
//! A record counts as a submission's if its creating entry says so, an observer of the importing party signed that, and form
//! and scope are those of the import. What others say about an instance id takes nothing from us, and is named.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use merestone_core::id::{RecordId, ScopeId};
use merestone_core::roster::PartyNumber;
use merestone_exchange::import::Known;
use merestone_exchange::{Value, instance_of};
use merestone_forms::IMPORTED;
use merestone_node::records::{RecordFilter, RecordView};
use merestone_node::{Answer, Device};

use super::gather::value;
use crate::exit::Failure;

/// Records looked at in one page of a search.
const PAGE: usize = 500;
/// The path under which the mark keeps the instance id of an edit that was taken over.
const EDIT: &str = "meta/instanceID";

/// Looks for the records of submissions of one party in one scope. The device's list must be [up to date](Device::catch_up).
pub(crate) struct Finder<'d> {
    device: &'d Device,
    party: PartyNumber,
    scope: ScopeId,
    /// Records by the instance id that an export makes of theirs.
    own: OnceCell<HashMap<String, RecordId>>,
    /// Records by what their marks say, of what has no word in it.
    wordless: OnceCell<HashMap<String, Vec<RecordId>>>,
}

/// What is known of an instance id.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The record that counts as the submission's: of several the first that is not withdrawn, by id.
    pub(crate) taken: Option<(RecordId, Known)>,
    /// The record of this mission that was exported under this id.
    pub(crate) own: Option<RecordId>,
    /// Records that say the same id and do not count.
    pub(crate) others: Vec<Other>,
}

/// A record that says an instance id and does not count as the submission's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Other {
    pub(crate) record: RecordId,
    /// `twice`, `other-party`, `other-form` or `other-scope`.
    pub(crate) why: &'static str,
}

impl<'d> Finder<'d> {
    pub(crate) fn new(device: &'d Device, party: PartyNumber, scope: ScopeId) -> Self {
        Self { device, party, scope, own: OnceCell::new(), wordless: OnceCell::new() }
    }

    /// Forgets what was looked up: records were saved since.
    pub(crate) fn renew(&mut self) {
        (self.own, self.wordless) = Default::default();
    }

    /// What the device holds under an instance id, for a form of this kind.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn find(&self, instance: &str, kind: &str) -> Result<Found, Failure> {
        let (mut found, mut ours) = (Found::default(), Vec::new());
        // The candidates only hold its words somewhere; which record says it, and where, is looked at.
        for record in self.candidates(instance)? {
            let Some((view, known)) = self.known(record)? else { continue };
            if !known.is_of(instance) {
                continue;
            }
            match self.why_not(&view, kind) {
                None => ours.push((view.is_withdrawn, record, known)),
                Some(why) => found.others.push(Other { record, why }),
            }
        }
        ours.sort_by_key(|(is_withdrawn, id, _)| (*is_withdrawn, *id));
        let mut ours = ours.into_iter();
        found.taken = ours.next().map(|(_, id, known)| (id, known));
        found.others.extend(ours.map(|(_, record, _)| Other { record, why: "twice" }));
        found.others.sort_by_key(|other| other.record);
        if found.taken.is_none() {
            found.own = self.own(instance)?;
        }
        Ok(found)
    }

    /// Records that may say an instance id: the search knows words only, so an id without any is looked for in every mark.
    fn candidates(&self, instance: &str) -> Result<Vec<RecordId>, Failure> {
        if instance.chars().any(|c| c.is_ascii_alphanumeric()) {
            let filter = RecordFilter { text: Some(instance.to_owned()), ..RecordFilter::default() };
            return self.every(&filter);
        }
        let wordless = match self.wordless.get() {
            Some(wordless) => wordless,
            None => {
                let made = self.wordless_marks()?;
                self.wordless.get_or_init(|| made)
            }
        };
        Ok(wordless.get(instance).cloned().unwrap_or_default())
    }

    fn wordless_marks(&self) -> Result<HashMap<String, Vec<RecordId>>, Failure> {
        let mut marks: HashMap<String, Vec<RecordId>> = HashMap::new();
        for record in self.every(&RecordFilter::default())? {
            let Some(view) = self.device.record(record)? else { continue };
            let of_mark = view.answers.iter().filter(|answer| is_of_mark(&answer.key));
            let texts = of_mark.flat_map(|answer| &answer.values).filter_map(|held| match &held.answer {
                Answer::Text(text) if !text.chars().any(|c| c.is_ascii_alphanumeric()) => Some(text.clone()),
                _ => None,
            });
            for text in texts.collect::<BTreeSet<_>>() {
                marks.entry(text).or_default().push(record);
            }
        }
        Ok(marks)
    }

    /// The ids of all records that a filter leaves.
    fn every(&self, filter: &RecordFilter) -> Result<Vec<RecordId>, Failure> {
        let (mut records, mut after) = (Vec::new(), None);
        loop {
            let page = self.device.list(filter, after, PAGE)?;
            records.extend(page.lines.iter().map(|line| line.id));
            let Some(next) = page.next else { return Ok(records) };
            after = Some(next);
        }
    }

    /// A record with what it says of the submission it was made of; none if it was made of none, or is not applied.
    pub(crate) fn known(&self, record: RecordId) -> Result<Option<(RecordView, Known)>, Failure> {
        let Some(view) = self.device.record(record)? else { return Ok(None) };
        let steps = self.device.history(record)?;
        let mut applied = steps.iter().filter(|step| step.standing.is_applied() && !step.changes.is_empty()).peekable();
        if applied.peek().is_none_or(|first| first.entry != record.as_entry()) {
            return Ok(None);
        }
        let entries: Vec<BTreeMap<String, Value>> = applied
            .map(|step| step.changes.iter().map(|change| (change.key.clone(), value(&change.after))).collect())
            .collect();
        let standing = view.answers.iter().map(|answer| {
            let values = answer.values.iter().map(|held| value(&held.answer));
            (answer.key.clone(), values.collect())
        });
        let known = Known::of(&entries, standing.collect());
        Ok(known.map(|known| (view, known)))
    }

    /// Whether an import took over the submission with this id into a record; one that others only say they are edits of was
    /// not.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub(crate) fn was_taken(&self, record: RecordId, instance: &str) -> Result<bool, Failure> {
        let mut marks: BTreeMap<String, Value> = BTreeMap::new();
        for step in self.device.history(record)?.iter().filter(|step| step.standing.is_applied()) {
            let of_mark = step.changes.iter().filter(|change| is_of_mark(&change.key));
            marks.extend(of_mark.map(|change| (change.key.clone(), value(&change.after))));
            let is_text = |key: &str, wanted: &str| matches!(marks.get(key), Some(Value::Text(text)) if text == wanted);
            let is_said = |key: &String| match (key.strip_suffix("/path"), key.ends_with("/instance")) {
                (Some(row), _) => is_text(key, EDIT) && is_text(&format!("{row}/text"), instance),
                (None, is_first) => is_first && is_text(key, instance),
            };
            if marks.keys().any(is_said) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Why a record that says an instance id is not the one that an import of ours made.
    fn why_not(&self, view: &RecordView, kind: &str) -> Option<&'static str> {
        let party = view.creator.as_ref().and_then(|creator| creator.certified.as_ref()).map(|c| c.party);
        if party != Some(self.party) {
            return Some("other-party");
        }
        if view.kind.as_deref() != Some(kind) {
            return Some("other-form");
        }
        (view.scope != self.scope).then_some("other-scope")
    }

    /// The record that was exported under an id that is made of a record's.
    fn own(&self, instance: &str) -> Result<Option<RecordId>, Failure> {
        // Version 8 of a UUID: those of ODK and Kobo are of version 4.
        if instance.len() != 41 || !instance.starts_with("uuid:") || instance.as_bytes().get(19) != Some(&b'8') {
            return Ok(None);
        }
        let own = match self.own.get() {
            Some(own) => own,
            None => {
                let made = self.ids()?;
                self.own.get_or_init(|| made)
            }
        };
        Ok(own.get(instance).copied())
    }

    fn ids(&self) -> Result<HashMap<String, RecordId>, Failure> {
        let records = self.every(&RecordFilter::default())?.into_iter();
        Ok(records.map(|record| (instance_of(&record.to_string()), record)).collect())
    }
}

/// Whether a key is of what marks an import.
fn is_of_mark(key: &str) -> bool {
    key.strip_prefix(IMPORTED).is_some_and(|rest| rest.starts_with('/'))
}
