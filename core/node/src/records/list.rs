//! Lists and searches: an index that follows the entries lazily, so that no save waits for it.

use merestone_core::form::{Key, Shape};
use merestone_core::id::{RecordId, ScopeId};
use merestone_core::record::{HeldEntry, Judged, View};
use merestone_core::roster::Roster;
use merestone_store::{Batch, Filter, IndexRow, PageKey, RowPage, STALE_MAX};

use super::author::Author;
use crate::device::{AccessError, Device};
use merestone_forms::Answer;

/// Which records to show. The default shows all that are not withdrawn and all that are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Only this scope.
    pub scope: Option<ScopeId>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only records that hold every word of this, the last perhaps only begun. Case, accents and vowel signs do not matter.
    pub text: Option<String>,
    /// Only records in this state.
    pub state: Option<RecordState>,
    /// Only records with a conflict (`true`) or without (`false`).
    pub has_conflict: Option<bool>,
    /// Only withdrawn records (`true`) or others (`false`).
    pub is_withdrawn: Option<bool>,
    /// Only records whose newest change says that it was made at or after this time, milliseconds since 1970.
    /// It is what devices' clocks said, and shown as such.
    pub since_ms: Option<i64>,
}

/// How much of a record is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordState {
    /// Everything that is held.
    Whole,
    /// Some of it: entries are held, set aside or waiting; see the record's standings.
    Partial,
    /// Nothing: what decides about it is not here.
    Unreadable,
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordLine {
    /// The record.
    pub id: RecordId,
    /// Its scope.
    pub scope: ScopeId,
    /// Its kind; empty while its form is not held.
    pub kind: String,
    /// The first text of the form that is answered.
    pub title: String,
    /// Who created it; empty while that is not known.
    pub observer: String,
    /// How much of it is applied.
    pub state: RecordState,
    /// Whether some answer has several values.
    pub has_conflict: bool,
    /// Whether it is withdrawn.
    pub is_withdrawn: bool,
    /// Number of held entries.
    pub entries: usize,
    /// Number of photo rows.
    pub photos: usize,
    /// What the newest applied change says of its time, milliseconds since 1970, but not later than it was indexed here.
    pub updated_ms: i64,
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPage {
    /// The lines, newest first; of a search, those indexed last first.
    pub lines: Vec<RecordLine>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<PageKey>,
    /// So many records changed at once that some of them are not in the list yet: ask again, or [`Device::catch_up`].
    /// On a full disk those that changed since it was full are not in it either.
    pub is_behind: bool,
}

/// Records indexed before a list is shown, about 100 ms of work on a phone; more are left for [`Device::catch_up`].
const RECORDS_BEFORE_LIST: usize = 500;

/// Records in one commit of the index: its words fit the write-ahead log's usual size.
const RECORDS_IN_BATCH: usize = 256;

/// Bytes of one record's words: longer texts are found by their beginning.
const WORDS_BYTES_MAX: usize = 512 * 1024;

const CONFLICT: u32 = 1;
const WITHDRAWN: u32 = 1 << 1;
const PARTIAL: u32 = 1 << 2;
const UNREADABLE: u32 = 1 << 3;

impl Device {
    /// One page of records: all, or those that a filter or a search leaves.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub fn list(
        &self,
        filter: &RecordFilter,
        after: Option<PageKey>,
        lines_max: usize,
    ) -> Result<RecordPage, AccessError> {
        let is_behind = match self.index(RECORDS_BEFORE_LIST) {
            Ok(is_current) => !is_current,
            // The index cannot follow on a full disk, and what it has is what a person then needs to see.
            Err(AccessError::Full) => true,
            Err(error) => return Err(error),
        };
        let rows = store_filter(filter);
        let page = match filter.text.as_deref().filter(|text| !text.trim().is_empty()) {
            Some(text) => self.store.search(text, &rows, after, lines_max)?,
            None => self.store.rows(&rows, after, lines_max)?,
        };
        Ok(lines(page, filter, is_behind))
    }

    /// Brings the index up to date with everything that is held: after much arrived, in the background.
    ///
    /// # Errors
    /// If the store cannot be used; what was indexed before stays.
    pub fn catch_up(&self) -> Result<(), AccessError> {
        while !self.index(usize::MAX)? {}
        Ok(())
    }

    /// Indexes up to `records_max` records, roughly; says whether the index is up to date.
    fn index(&self, records_max: usize) -> Result<bool, AccessError> {
        let mut done = 0;
        while done < records_max {
            let Some(stale) = self.store.stale_records(records_max.min(STALE_MAX))? else { return Ok(true) };
            done += stale.records.len();
            let mut batch = Batch::new();
            for (count, record) in stale.records.iter().enumerate() {
                if count > 0 && count % RECORDS_IN_BATCH == 0 {
                    batch.refetchable();
                    self.store.commit(std::mem::take(&mut batch))?;
                }
                match self.index_row(*record)? {
                    Some(row) => batch.index(row),
                    None => batch.drop_index(*record),
                };
            }
            batch.indexed(stale.through).refetchable();
            self.store.commit(batch)?;
        }
        Ok(self.store.stale_records(1)?.is_none())
    }

    fn index_row(&self, record: RecordId) -> Result<Option<IndexRow>, AccessError> {
        let held = self.held(record)?;
        if held.is_empty() {
            return Ok(None);
        }
        let now_ms = self.now().wall_ms;
        Ok(Some(self.judged(record, &held, |judged, roster| row(judged, &held, roster, now_ms))))
    }
}

fn row(judged: &Judged<'_>, held: &[HeldEntry], roster: &Roster, now_ms: i64) -> IndexRow {
    let view = View::of(judged);
    let creation = held.iter().find(|held| held.id() == judged.record().as_entry());
    let newest = judged.applied().last();
    let form = newest.and_then(|newest| newest.held.entry().header().commitment).map(|commitment| commitment.form);
    let definition = form.and_then(|form| roster.form(form));
    let times = judged.applied().iter().filter_map(|applied| applied.held.body());
    let updated = times.map(|body| body.context.clock.wall_ms).max().unwrap_or(0).min(now_ms);

    let is_withdrawn = view.values("withdrawn").iter().any(|value| Answer::from(value.value) == Answer::Bool(true));
    let is_whole = judged.standings().values().all(|standing| standing.is_applied());
    let mut flags = 0;
    flags |= if view.conflicts().next().is_some() { CONFLICT } else { 0 };
    flags |= if is_withdrawn { WITHDRAWN } else { 0 };
    flags |= match (judged.applied().is_empty(), is_whole) {
        (true, _) => UNREADABLE,
        (false, true) => 0,
        (false, false) => PARTIAL,
    };
    let observer = creation.map(|creation| Author::of(creation, roster).name()).unwrap_or_default();
    let leaves = definition.map_or(&[][..], |definition| &definition.leaves);
    let answers = leaves.iter().filter(|leaf| leaf.shape == Shape::Answer);
    let title = answers.flat_map(|leaf| view.values(&leaf.name)).find_map(|value| words_of(value.value.into()));
    let photos = view.keys().filter(|(key, _)| is_photo(key)).count();
    let status = Status { entries: judged.standings().len(), photos, observer: observer.clone() };
    IndexRow {
        record: judged.record(),
        scope: creation.or(held.first()).map_or(ScopeId::from_bytes([0; 8]), |held| held.entry().header().scope),
        kind: definition.map(|definition| definition.kind.clone()).unwrap_or_default(),
        flags,
        updated,
        title: title.unwrap_or_default().lines().next().unwrap_or_default().to_owned(),
        status: status.encode(),
        text: words(&view, &observer),
    }
}

/// Every text of the record, those in conflict too, and its creator's name. What marks it as imported comes before the
/// answers, so that a submission is found again however long they are.
fn words(view: &View<'_>, observer: &str) -> String {
    let mut words = observer.to_owned();
    let is_mark = |key: &str| key.starts_with("imported/") && key.ends_with("/instance");
    let marks = view.keys().filter(|(key, _)| is_mark(key));
    for (_, values) in marks.chain(view.keys().filter(|(key, _)| !is_photo(key) && !is_mark(key))) {
        for text in values.iter().filter_map(|value| words_of(value.value.into())) {
            if words.len() + text.len() > WORDS_BYTES_MAX {
                return words;
            }
            words.push('\n');
            words.push_str(&text);
        }
    }
    words
}

fn words_of(answer: Answer) -> Option<String> {
    match answer {
        Answer::Text(text) if !text.is_empty() => Some(text),
        Answer::Text(_) | Answer::Blank | Answer::Bool(_) | Answer::Int(_) => None,
    }
}

fn is_photo(key: &str) -> bool {
    matches!(Key::parse(key), Some(Key::Cell { repeat: "photos", row: _, question: "file" }))
}

/// What a list shows and does not filter by, in one text: names hold no tabs.
struct Status {
    entries: usize,
    photos: usize,
    observer: String,
}

impl Status {
    fn encode(&self) -> String {
        let Self { entries, photos, observer } = self;
        format!("{entries}\t{photos}\t{observer}")
    }

    fn decode(text: &str) -> Self {
        let mut parts = text.splitn(3, '\t');
        let mut number = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
        let (entries, photos) = (number(), number());
        Self { entries, photos, observer: parts.next().unwrap_or_default().to_owned() }
    }
}

fn store_filter(filter: &RecordFilter) -> Filter {
    let RecordFilter { scope, kind, text: _, state, has_conflict, is_withdrawn, since_ms: _ } = filter;
    let (mut flags_set, mut flags_clear) = (0, 0);
    for (wanted, flag) in [(has_conflict, CONFLICT), (is_withdrawn, WITHDRAWN)] {
        match wanted {
            Some(true) => flags_set |= flag,
            Some(false) => flags_clear |= flag,
            None => {}
        }
    }
    match state {
        Some(RecordState::Whole) => flags_clear |= PARTIAL | UNREADABLE,
        Some(RecordState::Partial) => flags_set |= PARTIAL,
        Some(RecordState::Unreadable) => flags_set |= UNREADABLE,
        None => {}
    }
    Filter { scope: *scope, kind: kind.clone(), flags_set, flags_clear }
}

fn lines(page: RowPage, filter: &RecordFilter, is_behind: bool) -> RecordPage {
    let is_search = filter.text.is_some();
    let since = filter.since_ms.unwrap_or(i64::MIN);
    let RowPage { rows, next } = page;
    // Without a search rows come newest first: after an older one there is nothing to look for.
    let ends_here = !is_search && rows.last().is_some_and(|row| row.updated < since);
    let lines = rows.into_iter().filter(|row| row.updated >= since).map(line).collect();
    RecordPage { lines, next: next.filter(|_| !ends_here), is_behind }
}

fn line(row: IndexRow) -> RecordLine {
    let IndexRow { record, scope, kind, flags, updated, title, status, text: _ } = row;
    let Status { entries, photos, observer } = Status::decode(&status);
    let state = match (flags & UNREADABLE != 0, flags & PARTIAL != 0) {
        (true, _) => RecordState::Unreadable,
        (false, true) => RecordState::Partial,
        (false, false) => RecordState::Whole,
    };
    RecordLine {
        id: record,
        scope,
        kind,
        title,
        observer,
        state,
        has_conflict: flags & CONFLICT != 0,
        is_withdrawn: flags & WITHDRAWN != 0,
        entries,
        photos,
        updated_ms: updated,
    }
}
