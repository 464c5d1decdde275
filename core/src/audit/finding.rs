//! Findings: what an audit has to say, each with a stable [`Code`], a weight and a place (`spec/bundle.md`, Verdict).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

pub(super) use super::code::{BagCode, Code, Verdict, Weight};
use crate::check::Refused;
use crate::id::{EntryId, LogId, RecordId, StatementId};

/// Most findings of one code that are kept with their places; all are counted.
///
/// A bag in which every entry has the same fault fills a page with it, not the memory of the machine.
pub const PLACES_MAX: usize = 1_000;

/// What a finding is about, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The log.
    pub log: Option<LogId>,
    /// The position in it.
    pub seq: Option<u64>,
    /// The entry.
    pub entry: Option<EntryId>,
    /// The record.
    pub record: Option<RecordId>,
    /// The statement.
    pub statement: Option<StatementId>,
    /// The leaf of the ledger, counted from 0.
    pub leaf: Option<u64>,
    /// The file, below the bag's folder, with `/`.
    pub file: Option<String>,
}

impl Place {
    /// The bag as a whole.
    pub fn bag() -> Self {
        Self::default()
    }

    /// A file of the bag.
    pub fn file(path: &str) -> Self {
        Self { file: Some(path.to_owned()), ..Self::default() }
    }

    /// A statement and its file.
    pub fn statement(id: StatementId, path: &str) -> Self {
        Self { statement: Some(id), ..Self::file(path) }
    }

    /// An entry at its position.
    pub fn entry(log: LogId, seq: u64, entry: EntryId) -> Self {
        Self { log: Some(log), seq: Some(seq), entry: Some(entry), ..Self::default() }
    }
}

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it does to the verdict.
    pub weight: Weight,
    /// What it is.
    pub code: Code,
    /// What it is about.
    pub place: Place,
    /// What exactly, in the project's own words: never an answer, a name or a place of somebody.
    pub detail: Cow<'static, str>,
}

/// Everything found. Adding and merging in any order gives the same: of each code the lowest places are kept.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    shelves: BTreeMap<(Weight, Code), Shelf>,
}

#[derive(Clone, Debug, Default)]
struct Shelf {
    count: u64,
    kept: BTreeSet<(Place, Cow<'static, str>)>,
}

impl Findings {
    /// Nothing found.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a finding of its usual weight.
    pub fn add(&mut self, code: impl Into<Code>, place: Place, detail: impl Into<Cow<'static, str>>) {
        let code = code.into();
        self.add_as(code.weight(), code, place, detail);
    }

    /// Adds a finding that weighs less than usual.
    pub fn add_as(
        &mut self,
        weight: Weight,
        code: impl Into<Code>,
        place: Place,
        detail: impl Into<Cow<'static, str>>,
    ) {
        let shelf = self.shelves.entry((weight, code.into())).or_default();
        shelf.count += 1;
        shelf.keep(place, detail.into());
    }

    /// Adds a failed check.
    pub fn refused(&mut self, refused: Refused, place: Place) {
        self.add(refused.check, place, refused.what);
    }

    /// Takes over all findings of `other`.
    pub fn merge(&mut self, other: Findings) {
        for (key, shelf) in other.shelves {
            let own = self.shelves.entry(key).or_default();
            own.count += shelf.count;
            shelf.kept.into_iter().for_each(|(place, detail)| own.keep(place, detail));
        }
    }

    /// How many there are of each weight and code, the heaviest first.
    pub fn counts(&self) -> impl Iterator<Item = (Weight, Code, u64)> {
        self.shelves.iter().map(|(&(weight, code), shelf)| (weight, code, shelf.count))
    }

    /// How many there are of a code, whatever their weight.
    pub fn count(&self, code: impl Into<Code>) -> u64 {
        let code = code.into();
        self.counts().filter(|(_, of, _)| *of == code).map(|(_, _, count)| count).sum()
    }

    /// The findings kept with their places, the heaviest first, then by code and place.
    pub fn iter(&self) -> impl Iterator<Item = Finding> {
        self.shelves.iter().flat_map(|(&(weight, code), shelf)| {
            let kept = shelf.kept.iter();
            kept.map(move |(place, detail)| Finding { weight, code, place: place.clone(), detail: detail.clone() })
        })
    }

    /// What the findings add up to.
    pub fn verdict(&self) -> Verdict {
        match self.shelves.keys().map(|(weight, _)| weight).min() {
            Some(Weight::Failure) => Verdict::Failed,
            Some(Weight::Doubt) => Verdict::Indeterminate,
            Some(Weight::Note) | None => Verdict::Passed,
        }
    }
}

impl Shelf {
    fn keep(&mut self, place: Place, detail: Cow<'static, str>) {
        self.kept.insert((place, detail));
        if self.kept.len() > PLACES_MAX {
            self.kept.pop_last();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Check;

    fn place(n: u64) -> Place {
        Place { seq: Some(n), ..Place::default() }
    }

    #[test]
    fn the_heaviest_finding_decides() {
        let mut findings = Findings::new();
        assert_eq!(findings.verdict(), Verdict::Passed);
        findings.add(BagCode::SetAsideByCut, place(1), "cut");
        assert_eq!(findings.verdict(), Verdict::Passed);
        findings.add(BagCode::BodyMissing, place(1), "body");
        assert_eq!(findings.verdict(), Verdict::Indeterminate);
        findings.add(Check::SignatureInvalid, place(1), "signature");
        assert_eq!(findings.verdict(), Verdict::Failed);
    }

    #[test]
    fn any_order_and_grouping_gives_the_same_and_bounds_what_is_kept() {
        let many = PLACES_MAX as u64 + 200;
        let (mut up, mut down, mut part) = (Findings::new(), Findings::new(), Findings::new());
        for n in 0..many {
            up.add(Check::LogGap, place(n), "prev");
            let other = many - 1 - n;
            if other.is_multiple_of(2) { &mut down } else { &mut part }.add(Check::LogGap, place(other), "prev");
        }
        down.merge(part);
        assert_eq!(up.count(Check::LogGap), many);
        assert_eq!(down.count(Check::LogGap), many);
        assert!(up.iter().eq(down.iter()));
        assert_eq!(up.iter().count(), PLACES_MAX);
        assert_eq!(up.iter().next().map(|finding| finding.place), Some(place(0)));
    }
}
