//! What a conversation came to, for people and programs.

use std::io::{self, Write};

use merestone_core::roster::Class;
use merestone_core::sync::frame::BlobClass;
use merestone_core::sync::{BlobFailure, CloseCode};
use merestone_node::replica::{End, MissingByPerson, MissingWork, PeerInfo, Person, SyncOutcome};
use serde::Serialize;

use crate::exit::{Code, Failure};
use crate::output::{self, Report};

/// Whose a device is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct PersonShown {
    observer: String,
    party: String,
    device: String,
}

/// What is missing of one person's work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct MissingShown {
    entries: u64,
    bodies: u64,
    photos: u64,
}

#[derive(Serialize)]
struct MissingOf {
    /// `None` while no certificate says whose it is.
    person: Option<PersonShown>,
    #[serde(flatten)]
    missing: MissingShown,
}

#[derive(Serialize)]
struct RefusedShown {
    class: &'static str,
    id: String,
    reason_code: &'static str,
}

#[derive(Serialize)]
struct FailedShown {
    photo: String,
    class: &'static str,
    code: &'static str,
    why: &'static str,
}

/// What a conversation came to.
#[derive(Serialize)]
pub(crate) struct OutcomeShown {
    fully_synced: bool,
    /// Everything that both sides wanted is on both: only photos that one of them did not want may be missing.
    synced_as_wanted: bool,
    /// Scopes of this device that the peer has no part in: whatever else stands here is not about these.
    scopes_not_shared: Vec<String>,
    peer: Option<PeerShown>,
    end: String,
    end_code: &'static str,
    advice: &'static str,
    entries_received: u64,
    entries_sent: u64,
    photos_received: u64,
    photos_sent: u64,
    /// The small pictures made of photos.
    pictures_received: u64,
    pictures_sent: u64,
    /// Photos and pictures that were not asked for, because `--photo-bytes-max` was reached.
    left_out: u64,
    no_receipt: Option<String>,
    bytes_received: u64,
    bytes_sent: u64,
    missing_here: Vec<MissingOf>,
    photos_missing_unlisted: usize,
    missing_there: Vec<MissingOf>,
    refused: Vec<RefusedShown>,
    failed: Vec<FailedShown>,
}

#[derive(Serialize)]
struct PeerShown {
    #[serde(flatten)]
    person: PersonShown,
    role: &'static str,
    store: String,
    cut: bool,
}

impl PersonShown {
    pub(crate) fn of(person: &Person) -> Self {
        let Person { party, observer, device } = person;
        Self { observer: observer.clone(), party: party.clone(), device: device.clone() }
    }

    pub(crate) fn line(&self) -> String {
        format!("{} ({}, {})", self.observer, self.party, self.device)
    }
}

impl OutcomeShown {
    pub(crate) fn of(outcome: &SyncOutcome) -> Self {
        let progress = &outcome.progress;
        let [thumbnail, preview, original] = &progress.blobs;
        Self {
            fully_synced: outcome.is_fully_synced,
            synced_as_wanted: outcome.is_synced_as_wanted,
            scopes_not_shared: outcome.scopes_not_shared.iter().map(ToString::to_string).collect(),
            peer: outcome.peer.as_ref().map(PeerShown::of),
            end: outcome.end.to_string(),
            end_code: outcome.end.code(),
            advice: outcome.end.advice(),
            entries_received: progress.entries_received,
            entries_sent: progress.entries_sent,
            photos_received: original.received,
            photos_sent: original.sent,
            pictures_received: thumbnail.received + preview.received,
            pictures_sent: thumbnail.sent + preview.sent,
            left_out: progress.blobs.iter().map(|class| class.left_out).sum(),
            no_receipt: outcome.no_receipt.as_ref().map(ToString::to_string),
            bytes_received: outcome.bytes_received,
            bytes_sent: outcome.bytes_sent,
            missing_here: by_person(outcome.missing_here.by_person()),
            photos_missing_unlisted: outcome.missing_here.photos_unlisted,
            missing_there: by_person(outcome.missing_there_by_person()),
            refused: outcome
                .refused
                .iter()
                .map(|refused| RefusedShown {
                    class: class_name(refused.class),
                    id: refused.id.to_string(),
                    reason_code: refused.refused.check.code(),
                })
                .collect(),
            failed: outcome
                .failed
                .iter()
                .map(|failed| FailedShown {
                    photo: failed.hash.to_string(),
                    class: blob_class_name(failed.class),
                    code: failure_code(failed.failure),
                    why: failure_name(failed.failure),
                })
                .collect(),
        }
    }

    /// How it ended.
    pub(crate) fn end(&self) -> &str {
        &self.end
    }

    /// What was carried, in one line.
    pub(crate) fn carried(&self) -> String {
        format!(
            "received {} entries, {} photos and {} pictures ({}), sent {} entries, {} photos and {} pictures ({})",
            self.entries_received,
            self.photos_received,
            self.pictures_received,
            output::bytes(self.bytes_received),
            self.entries_sent,
            self.photos_sent,
            self.pictures_sent,
            output::bytes(self.bytes_sent),
        )
    }

    /// Why a conversation that ended well came to less than everything.
    fn cause(&self) -> String {
        if self.end_code != "done" {
            return self.end.clone();
        }
        let is_missing = !self.missing_here.is_empty() || self.photos_missing_unlisted > 0;
        let cause = match (self.left_out, is_missing, self.missing_there.is_empty()) {
            (1.., _, _) => "photos and pictures were left for a later sync",
            (0, true, _) => "something is missing here",
            (0, false, false) => "something is missing on the other side",
            (0, false, true) => "the other side parted before both had compared everything",
        };
        cause.to_owned()
    }

    /// What is missing here, one line for each person.
    pub(crate) fn missing_lines(&self) -> Vec<String> {
        self.missing_here.iter().map(MissingOf::line).collect()
    }
}

impl PeerShown {
    fn of(peer: &PeerInfo) -> Self {
        Self {
            person: PersonShown::of(&peer.person),
            role: peer.role.name(),
            store: peer.store.to_string(),
            cut: peer.is_cut,
        }
    }
}

impl MissingOf {
    fn line(&self) -> String {
        let MissingShown { entries, bodies, photos } = &self.missing;
        let counts = [(*entries, "entries"), (*bodies, "bodies"), (*photos, "photos and pictures")];
        let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        let whose = self.person.as_ref().map_or_else(|| "somebody not known here".to_owned(), PersonShown::line);
        format!("of {whose}: {}", counts.collect::<Vec<_>>().join(", "))
    }
}

fn by_person(missing: MissingByPerson) -> Vec<MissingOf> {
    let shown = |(person, work): (Option<Person>, MissingWork)| {
        let MissingWork { entries, bodies, photos } = work;
        MissingOf { person: person.as_ref().map(PersonShown::of), missing: MissingShown { entries, bodies, photos } }
    };
    missing.into_iter().map(shown).collect()
}

/// How a verb that held this conversation ends.
///
/// # Errors
/// If the conversation broke off.
pub(crate) fn end_of(outcome: &SyncOutcome) -> Result<Code, Failure> {
    let code = match &outcome.end {
        End::Done | End::Stopped if outcome.is_fully_synced || outcome.is_synced_as_wanted => return Ok(Code::Done),
        End::Done | End::Stopped => return Ok(Code::Undecided),
        End::Lost { .. } | End::Aborted { .. } | End::Misbehaved { .. } | End::RefusedByLink { .. } => {
            Code::Unreachable
        }
        End::ClosedHere { code, .. } => closed(*code),
        End::ClosedByPeer { code: Some(code), .. } => closed(*code),
        End::ClosedByPeer { code: None, .. } => Code::Unreachable,
        End::Storage(_) => Code::Storage,
    };
    if outcome.is_fully_synced {
        return Ok(Code::Done);
    }
    Err(Failure::new(code, format!("{}; {}", outcome.end, outcome.end.advice())))
}

const fn closed(code: CloseCode) -> Code {
    match code {
        CloseCode::Bye => Code::Undecided,
        CloseCode::Busy | CloseCode::TooSlow => Code::Unreachable,
        CloseCode::Storage => Code::Storage,
        CloseCode::Malformed
        | CloseCode::MissionMismatch
        | CloseCode::NotEnrolled
        | CloseCode::PeerTransportKey
        | CloseCode::FrameTooLong
        | CloseCode::RefusedEntry
        | CloseCode::Version
        | CloseCode::Limit => Code::BadInput,
    }
}

const fn class_name(class: Class) -> &'static str {
    match class {
        Class::Charter => "charter",
        Class::Certificate => "certificate",
        Class::Cut => "cut",
        Class::Erasure => "erasure",
        Class::Receipt => "receipt",
        Class::Note => "checkpoint",
        Class::Cosignature => "cosignature",
        Class::Amendment => "amendment",
        Class::Succession => "succession",
        Class::Acknowledgement => "acknowledgement",
        Class::Inclusion => "inclusion",
        Class::Form => "form",
    }
}

const fn blob_class_name(class: BlobClass) -> &'static str {
    match class {
        BlobClass::Thumbnail => "thumbnail",
        BlobClass::Preview => "preview",
        BlobClass::Original => "original",
    }
}

const fn failure_code(failure: BlobFailure) -> &'static str {
    match failure {
        BlobFailure::Absent => "absent",
        BlobFailure::ChunkHashes => "chunk-hashes",
        BlobFailure::Chunk => "chunk",
        BlobFailure::Whole => "whole",
        BlobFailure::Stuck => "stuck",
    }
}

const fn failure_name(failure: BlobFailure) -> &'static str {
    match failure {
        BlobFailure::Absent => "the other side does not hold it",
        BlobFailure::ChunkHashes => "its chunk hashes are not those that were signed",
        BlobFailure::Chunk => "a chunk is not the one that was signed",
        BlobFailure::Whole => "it is not the file that was signed",
        BlobFailure::Stuck => "nothing of it came for too long",
    }
}

impl Report for OutcomeShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(peer) = &self.peer {
            let cut = if peer.cut { " · its key is cut" } else { "" };
            writeln!(out, "met      {} · {}{cut}", peer.person.line(), peer.role)?;
        }
        writeln!(out, "carried  {}", self.carried())?;
        for line in self.missing_lines() {
            writeln!(out, "missing  {line}")?;
        }
        if self.photos_missing_unlisted > 0 {
            writeln!(out, "missing  {} more photos and pictures", self.photos_missing_unlisted)?;
        }
        for of in &self.missing_there {
            writeln!(out, "there is missing {}", of.line())?;
        }
        for refused in &self.refused {
            writeln!(out, "refused  {} {}: {}", refused.class, refused.id, refused.reason_code)?;
        }
        for failed in &self.failed {
            writeln!(out, "failed   {} {}: {}", failed.class, failed.photo, failed.why)?;
        }
        if self.left_out > 0 {
            writeln!(out, "left out {} photos and pictures beyond --photo-bytes-max", self.left_out)?;
        }
        if let Some(why) = &self.no_receipt {
            writeln!(out, "warning  {why}; the other side does not know what is held here")?;
        }
        match (self.fully_synced, self.synced_as_wanted) {
            (true, _) => writeln!(out, "Synced: both sides hold the same, and nothing is missing."),
            (false, true) => writeln!(out, "Synced, without the photos that were not wanted on this link."),
            (false, false) => {
                let cause = self.cause();
                writeln!(out, "Not fully synced ({cause}). What came is kept; the next sync goes on from there.")
            }
        }?;
        match self.scopes_not_shared.as_slice() {
            [] => Ok(()),
            others => writeln!(
                out,
                "This is said of the scopes of both. The other side has no part in {}: nothing was said of these.",
                others.join(", ")
            ),
        }
    }
}
