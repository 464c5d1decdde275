//! What a finding can be: its stable code, and what it does to the verdict (`spec/bundle.md`, Verdict).

use std::fmt;

use crate::check::Check;
use crate::publication::PublicationCode;

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
    SuccessionHeadMissing = "succession-head-missing" Doubt,
    CutKeptMissing = "cut-kept-missing" Doubt,
    PhotoMismatch = "photo-mismatch" Failure,
    PhotoMissing = "photo-missing" Doubt,
    PhotoFacts = "photo-facts" Note,
    BodyMissing = "body-missing" Doubt,
    BodyErased = "body-erased" Note,
    ErasedButHeld = "erased-but-held" Note,
    SetAsideByCut = "set-aside-by-cut" Note,
    CutFinalityUnknown = "cut-finality-unknown" Doubt,
    EntryWaiting = "entry-waiting" Doubt,
    EntryHeld = "entry-held" Note,
    EntryUnappliable = "entry-unappliable" Note,
    RecordFork = "record-fork" Doubt,
    RecordTooLarge = "record-too-large" Doubt,
    FormMissing = "form-missing" Doubt,
    CertificateMissing = "certificate-missing" Doubt,
    AmendmentRivals = "amendment-rivals" Doubt,
    StatementWaits = "statement-waits" Doubt,
    CharterOther = "charter-other" Failure,
    CertificateProvisional = "certificate-provisional" Note,
    NoteMalformed = "note-malformed" Failure,
    CosignatureUnknown = "cosignature-unknown" Failure,
    CosignatureOrder = "cosignature-order" Failure,
    BundleMalformed = "bundle-malformed" Failure,
    LedgerRoot = "ledger-root" Failure,
    LedgerSplit = "ledger-split" Failure,
    LedgerSplitUnshown = "ledger-split-unshown" Doubt,
    LedgerOrder = "ledger-order" Failure,
    LedgerScope = "ledger-scope" Failure,
    EntryLeftOut = "entry-left-out" Failure,
    LogLeftOut = "log-left-out" Failure,
    StatementLeftOut = "statement-left-out" Failure,
    SiblingDisplaced = "sibling-displaced" Doubt,
    EntryDisplaced = "entry-displaced" Note,
    LedgerTooLarge = "ledger-too-large" Doubt,
    LedgerLeftOut = "ledger-left-out" Doubt,
    LedgerCosignatures = "ledger-cosignatures" Note,
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
    ShownCharter = "shown-charter" Doubt,
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
