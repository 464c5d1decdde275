//! What a kind of forgery is, and what the audit must say of it.

use merestone_audit::{Code, Finding, Pass, Place, Verdict, Weight};

use crate::chance::Chance;
use crate::scene::Scene;
use crate::support::Bag;

/// One way to forge a bag.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) by: Forger,
    pub(crate) passes: &'static [Pass],
    /// Forges the bag of this scene at a place of its choice; `None` if the scene has no such place.
    pub(crate) forge: fn(&mut Bag, &Scene, &mut Chance) -> Option<Expected>,
}

/// Kinds whose traces both passes find.
pub(crate) const BOTH: &[Pass] = &[Pass::Fast, Pass::Full];
/// Kinds that only bodies or photos show.
pub(crate) const FULL: &[Pass] = &[Pass::Full];

/// What a forger can sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forger {
    /// Nothing but keys of his own that nobody certified.
    Outsider,
    /// A certified observer's key, his own or stolen.
    Observer,
    /// A party's root key.
    Party,
    /// A base camp's key.
    Camp,
    /// The ledger's key, with witnesses who cosign what it shows them.
    Ledger,
    /// A witness's key.
    Witness,
}

/// The finding that must be there, and nothing heavier beside it.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// `None`: the audit says of it nothing that weighs.
    pub(crate) weight: Option<Weight>,
    /// Any of these.
    codes: Vec<&'static str>,
    place: Place,
    detail: &'static str,
    /// What else it may say, because it follows.
    also: Vec<&'static str>,
    /// Any finding that weighs will do, whatever it is.
    is_open: bool,
}

/// FAILED, by this code at this place; what the place leaves open is not compared.
pub(crate) fn failure(code: &'static str, place: Place) -> Expected {
    Expected::new(Some(Weight::Failure), code, place)
}

/// INDETERMINATE.
pub(crate) fn doubt(code: &'static str, place: Place) -> Expected {
    Expected::new(Some(Weight::Doubt), code, place)
}

/// Said, and no reason to distrust the bag.
pub(crate) fn note(code: &'static str, place: Place) -> Expected {
    Expected::new(Some(Weight::Note), code, place)
}

/// Not worth a finding: it changes nothing that anybody relies on.
pub(crate) fn nothing() -> Expected {
    Expected { codes: Vec::new(), ..Expected::new(None, "", Place::default()) }
}

/// Something, for which no code can be foretold.
pub(crate) fn anything() -> Expected {
    Expected { is_open: true, ..nothing() }
}

impl Expected {
    fn new(weight: Option<Weight>, code: &'static str, place: Place) -> Self {
        Self { weight, codes: vec![code], place, detail: "", also: Vec::new(), is_open: false }
    }

    /// Another code is as right.
    pub(crate) fn or(mut self, code: &'static str) -> Self {
        self.codes.push(code);
        self
    }

    /// What follows from it may be said too.
    pub(crate) fn also(mut self, codes: &[&'static str]) -> Self {
        self.also.extend(codes);
        self
    }

    /// The finding's detail begins so.
    pub(crate) fn saying(mut self, detail: &'static str) -> Self {
        self.detail = detail;
        self
    }

    /// Every code that is named.
    pub(crate) fn named(&self) -> impl Iterator<Item = &'static str> {
        self.codes.iter().chain(&self.also).copied()
    }

    /// What is wrong with what the audit found; `fresh` are the findings that the untouched bag does not have.
    pub(crate) fn compare(&self, before: Verdict, after: Verdict, fresh: &[Finding]) -> Result<(), String> {
        if self.is_open {
            let is_said = fresh.iter().any(|finding| finding.weight != Weight::Note);
            return if is_said { Ok(()) } else { Err(format!("{after}, and nothing is said")) };
        }
        if let Some(weight) = self.weight {
            let is_it = |finding: &&Finding| {
                finding.weight == weight
                    && self.codes.contains(&finding.code.as_str())
                    && is_within(&finding.place, &self.place)
                    && finding.detail.starts_with(self.detail)
            };
            if !fresh.iter().any(|finding| is_it(&finding)) {
                return Err(format!("not found: {:?} {:?} {:?} {}", weight, self.codes, self.place, self.detail));
            }
        }
        let wanted = match (self.weight, before) {
            (Some(Weight::Failure), _) | (_, Verdict::Failed) => Verdict::Failed,
            (Some(Weight::Doubt), _) | (_, Verdict::Indeterminate) => Verdict::Indeterminate,
            (Some(Weight::Note) | None, Verdict::Passed) => Verdict::Passed,
        };
        if after != wanted {
            return Err(format!("{after}, not {wanted}"));
        }
        // Nobody else is accused: what weighs is the expected finding or follows from it.
        let is_weighty = |finding: &&Finding| match self.weight {
            Some(Weight::Failure) => finding.weight == Weight::Failure,
            Some(Weight::Doubt | Weight::Note) | None => finding.weight != Weight::Note,
        };
        let is_stray = |finding: &&Finding| self.named().all(|code| code != finding.code.as_str());
        match fresh.iter().filter(is_weighty).find(is_stray) {
            Some(stray) => Err(format!("said besides: {} {:?}", stray.code, stray.place)),
            None => Ok(()),
        }
    }

    /// Codes that no report knows.
    pub(crate) fn unknown_codes(&self) -> Vec<&'static str> {
        let is_known = |name: &&str| Code::all().any(|code| code.as_str() == *name);
        self.named().filter(|name| !is_known(name)).collect()
    }
}

/// Whether a finding's place has all that is wanted of it.
fn is_within(found: &Place, wanted: &Place) -> bool {
    let Place { log, seq, entry, record, statement, file, leaf } = wanted;
    log.is_none_or(|log| found.log == Some(log))
        && seq.is_none_or(|seq| found.seq == Some(seq))
        && entry.is_none_or(|entry| found.entry == Some(entry))
        && record.is_none_or(|record| found.record == Some(record))
        && statement.is_none_or(|statement| found.statement == Some(statement))
        && leaf.is_none_or(|leaf| found.leaf == Some(leaf))
        && file.as_ref().is_none_or(|file| found.file.as_ref() == Some(file))
}
