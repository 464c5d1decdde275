//! Findings: what an audit has to say, each with a stable code, a weight and a place (`spec/bundle.md`, Verdict).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::check::{Check, Refused};
use crate::id::{EntryId, LogId, RecordId, StatementId};
use crate::publication::PublicationCode;

/// Most findings of one code that are kept with their places; all are counted.
///
/// A bag in which every entry has the same fault fills a page with it, not the memory of the machine.
pub const PLACES_MAX: usize = 1_000;

/// What a finding does to the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Evidence contradicts itself or is not authentic.
    Failure,
    /// Something cannot be decided from this bag.
    Doubt,
    /// True and worth reading.
    Note,
}

impl Weight {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Weight::Failure => "failure",
            Weight::Doubt => "doubt",
            Weight::Note => "note",
        }
    }
}

/// What an audit ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Nothing found that contradicts the evidence.
    Passed,
    /// Evidence contradicts itself or is not authentic.
    Failed,
    /// Something could not be decided.
    Indeterminate,
}

impl Verdict {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Passed => "PASSED",
            Verdict::Failed => "FAILED",
            Verdict::Indeterminate => "INDETERMINATE",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! bag_codes {
    ($($name:ident = $code:literal $weight:ident,)*) => {
        /// What only a whole bag can show; everything else a finding says is a [`Check`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each code is explained in audit::explain, and a test holds that it is")]
        pub enum BagCode { $($name,)* }

        impl BagCode {
            /// Every code.
            pub const ALL: &'static [BagCode] = &[$(BagCode::$name,)*];

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self { $(BagCode::$name => $code,)* }
            }

            const fn weight(self) -> Weight {
                match self { $(BagCode::$name => Weight::$weight,)* }
            }
        }
    };
}

bag_codes! {
    BagUnreadable = "bag-unreadable" Failure,
    BagManifest = "bag-manifest" Failure,
    BagMisnamed = "bag-misnamed" Failure,
    BagVersion = "bag-version" Doubt,
    BagForeignFile = "bag-foreign-file" Note,
    LogMisplaced = "log-misplaced" Failure,
    ReceiptMissingTail = "receipt-missing-tail" Failure,
    ReceiptOtherHead = "receipt-other-head" Failure,
    ReceiptLogAbsent = "receipt-log-absent" Doubt,
    LogForeignScope = "log-foreign-scope" Failure,
    EarlierMissing = "earlier-missing" Doubt,
    CutKeptMissing = "cut-kept-missing" Doubt,
    PhotoMismatch = "photo-mismatch" Failure,
    PhotoMissing = "photo-missing" Doubt,
    PhotoFacts = "photo-facts" Note,
    BodyMissing = "body-missing" Doubt,
    BodyErased = "body-erased" Note,
    ErasedButHeld = "erased-but-held" Note,
    SetAsideByCut = "set-aside-by-cut" Note,
    EntryWaiting = "entry-waiting" Doubt,
    EntryHeld = "entry-held" Note,
    EntryUnappliable = "entry-unappliable" Note,
    RecordFork = "record-fork" Doubt,
    RecordTooLarge = "record-too-large" Doubt,
    FormMissing = "form-missing" Doubt,
    CertificateMissing = "certificate-missing" Doubt,
    CertificateProvisional = "certificate-provisional" Note,
    NoteMalformed = "note-malformed" Failure,
    CosignatureUnknown = "cosignature-unknown" Failure,
    CosignatureOrder = "cosignature-order" Failure,
    BundleMalformed = "bundle-malformed" Failure,
    LedgerRoot = "ledger-root" Failure,
    LedgerSplit = "ledger-split" Failure,
    LedgerOrder = "ledger-order" Failure,
    LedgerScope = "ledger-scope" Failure,
    EntryLeftOut = "entry-left-out" Failure,
    LogLeftOut = "log-left-out" Failure,
    StatementLeftOut = "statement-left-out" Failure,
    LedgerTooLarge = "ledger-too-large" Doubt,
    EntryNotInLedger = "entry-not-in-ledger" Note,
    NoteBeyondLeaves = "note-beyond-leaves" Note,
    SeenUnknown = "seen-unknown" Note,
    CheckpointNotFinal = "checkpoint-not-final" Note,
    WitnessSilent = "witness-silent" Note,
    CompletenessNotAssessed = "completeness-not-assessed" Note,
    BoundsContradict = "bounds-contradict" Doubt,
    ClockJump = "clock-jump" Note,
    ClockOutsideBounds = "clock-outside-bounds" Note,
    EditedAfter = "edited-after-signature" Note,
    ShownEntries = "shown-entries" Doubt,
    ShownLog = "shown-log" Doubt,
    ShownStatement = "shown-statement" Doubt,
    ShownNotCompared = "shown-not-compared" Doubt,
    LedgersNotCompared = "ledgers-not-compared" Doubt,
    LedgersAgree = "ledgers-agree" Note,
    ShownNote = "shown-note" Note,
    ShownScopes = "shown-scopes" Note,
    KindUnknown = "kind-unknown" Note,
    ClockBackwards = "clock-backwards" Note,
    ContextObserver = "context-observer" Note,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A check of the verifier failed.
    Check(Check),
    /// Something that only the bag as a whole shows.
    Bag(BagCode),
    /// Something that only a publication shows.
    Publication(PublicationCode),
}

impl Code {
    /// Every code a finding can have.
    pub fn all() -> impl Iterator<Item = Code> {
        let checks = Check::ALL.iter().copied().map(Code::Check);
        let publication = PublicationCode::ALL.iter().copied().map(Code::Publication);
        checks.chain(BagCode::ALL.iter().copied().map(Code::Bag)).chain(publication)
    }

    /// The stable code, as the specs name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::Check(check) => check.code(),
            Code::Bag(code) => code.code(),
            Code::Publication(code) => code.code(),
        }
    }

    /// Its usual weight; `spec/bundle.md` says when a finding weighs less.
    pub const fn weight(self) -> Weight {
        match self {
            Code::Check(Check::LogFork) => Weight::Doubt,
            // What a key's holder signs about himself fails nobody's bag.
            Code::Check(
                Check::CertificateKey | Check::OutOfRole | Check::ClaimsMismatch | Check::ClaimsUnknownQuestion,
            ) => Weight::Note,
            Code::Check(_) => Weight::Failure,
            Code::Bag(code) => code.weight(),
            Code::Publication(code) => code.weight(),
        }
    }
}

impl From<Check> for Code {
    fn from(check: Check) -> Self {
        Code::Check(check)
    }
}

impl From<BagCode> for Code {
    fn from(code: BagCode) -> Self {
        Code::Bag(code)
    }
}

impl From<PublicationCode> for Code {
    fn from(code: PublicationCode) -> Self {
        Code::Publication(code)
    }
}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Code {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

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
