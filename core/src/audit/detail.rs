//! What a record says, for a report: its answers, its entries with their standings, its photos.

use super::full::{RecordGrounds, voided_by};
use super::times::Times;
use crate::bounds::Bounds;
use crate::change::{Change, Value};
use crate::entry::{Clock, Content, Context, Kind, Photo, Place as Spot, RenditionOrReason};
use crate::id::{BlobHash, EntryId, LogId, RecordId, ScopeId};
use crate::key::KEY_BYTES;
use crate::record::{HeldEntry, Judged, Standing, View};
use crate::roster::PartyNumber;

/// What a record says, for a report. Only what verified entries say is in it, and nothing that was erased.
#[derive(Clone, Debug)]
pub struct RecordDetail {
    /// The record.
    pub id: RecordId,
    /// Its scope.
    pub scope: Option<ScopeId>,
    /// The kind of its form, if the bag holds the form.
    pub kind: Option<String>,
    /// Its entries, by the position of their logs.
    pub entries: Vec<EntryDetail>,
    /// What stands, ascending by key.
    pub answers: Vec<Answer>,
}

/// An answer that stands; several values are a conflict.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The name of the answer.
    pub key: String,
    /// The values, each with the entry that put it.
    pub values: Vec<(Said, EntryId)>,
}

/// A value of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Asked and left blank.
    Blank,
    /// No or yes.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
}

impl From<Value<'_>> for Said {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Said::Blank,
            Value::Bool(value) => Said::Bool(value),
            Value::Int(value) => Said::Int(value),
            Value::Text(value) => Said::Text(value.to_owned()),
        }
    }
}

/// An entry of a record.
#[derive(Clone, Debug)]
pub struct EntryDetail {
    /// The entry.
    pub id: EntryId,
    /// Its log.
    pub log: LogId,
    /// Its position.
    pub seq: u64,
    /// Who signed it.
    pub key: [u8; KEY_BYTES],
    /// The party that certified the key.
    pub party: Option<PartyNumber>,
    /// The observer's name in the certificate.
    pub observer: Option<String>,
    /// The device's name in the certificate.
    pub device: Option<String>,
    /// Its kind.
    pub kind: Kind,
    /// Its standing.
    pub standing: &'static str,
    /// The place of its leaf in the ledger, counted from 0.
    pub leaf: Option<u64>,
    /// Between which times it was signed.
    pub bounds: Bounds,
    /// What the device knew, if the body is readable and not erased; without the observer and the photos.
    pub clock: Option<Clock>,
    /// Where.
    pub spot: Option<Spot>,
    /// At which post.
    pub post: Option<String>,
    /// What a signature role says in words.
    pub text: Option<String>,
    /// What a signature role gives as its reason.
    pub reason: Option<u64>,
    /// The entries that a signature role is about.
    pub names: Vec<EntryId>,
    /// The later edits that void it.
    pub voided_by: Vec<EntryId>,
    /// The photos.
    pub photos: Vec<PhotoDetail>,
    /// What a change wrote that is not applied, so that it is seen nonetheless.
    pub unapplied: Vec<(String, Said)>,
}

/// A photo of an entry.
#[derive(Clone, Debug)]
pub struct PhotoDetail {
    /// The original.
    pub original: BlobHash,
    /// The thumbnail, if it is in the bag as it was signed.
    pub thumbnail: Option<BlobHash>,
    /// `held`, `missing`, `other bytes` or `erased`.
    pub state: &'static str,
}

impl RecordDetail {
    pub(super) fn of(
        id: RecordId,
        held: &[HeldEntry],
        judged: &Judged<'_>,
        view: &View<'_>,
        times: &Times<'_>,
        grounds: RecordGrounds<'_>,
    ) -> Self {
        let own = held.iter().filter(|held| held.entry().record() == id);
        let creation = own.clone().find(|held| held.id() == id.as_entry());
        let header = creation.map(|held| held.entry().header());
        let form = header.and_then(|header| header.commitment).and_then(|made| grounds.roster.form(made.form));
        let mut entries: Vec<EntryDetail> = own.map(|held| EntryDetail::of(held, judged, times, grounds)).collect();
        for entry in judged.unapplied() {
            let shown = judged.standing(entry.held.id()) != Some(Standing::Erased);
            if let Some(detail) = entries.iter_mut().find(|detail| shown && detail.id == entry.held.id()) {
                detail.unapplied = puts(&entry.change);
            }
        }
        entries.sort_by_key(|entry| (entry.log, entry.seq, entry.id));
        let answer = |(key, values): (&str, &[crate::record::Shown<'_>])| Answer {
            key: key.to_owned(),
            values: values.iter().map(|shown| (shown.value.into(), shown.entry)).collect(),
        };
        Self {
            id,
            scope: header.map(|header| header.scope),
            kind: form.map(|form| form.kind.clone()),
            entries,
            answers: view.keys().map(answer).collect(),
        }
    }
}

fn puts(change: &Change<'_>) -> Vec<(String, Said)> {
    change.puts().iter().map(|put| (put.key.to_owned(), put.value.into())).collect()
}

impl EntryDetail {
    fn of(held: &HeldEntry, judged: &Judged<'_>, times: &Times<'_>, grounds: RecordGrounds<'_>) -> Self {
        let (entry, header) = (held.entry(), held.entry().header());
        let standing = judged.standing(held.id());
        let certificate = held.certificate().and_then(|id| grounds.roster.certificate(id));
        let certificate = certificate.filter(|certificate| certificate.key() == entry.key());
        let body = held.body().filter(|_| standing != Some(Standing::Erased));
        let (reason, text) = match body.map(|body| &body.content) {
            Some(Content::Role { reason, text, seed: _ }) => (*reason, text.clone()),
            Some(Content::Change(_)) | None => (None, None),
        };
        let leaf = grounds.ledger.place_of(entry.log(), header.seq, entry.id());
        let context: Option<&Context> = body.map(|body| &body.context);
        let photos = context.map_or(&[][..], |context| &context.photos);
        Self {
            id: entry.id(),
            log: entry.log(),
            seq: header.seq,
            key: *entry.key().as_bytes(),
            party: certificate.map(|certificate| certificate.party()),
            observer: certificate.map(|certificate| certificate.request().observer().to_owned()),
            device: certificate.map(|certificate| certificate.request().device().to_owned()),
            kind: header.kind,
            standing: standing.map_or("waiting", Standing::code),
            leaf,
            bounds: times.get(held.id()).into(),
            clock: context.map(|context| context.clock),
            spot: context.and_then(|context| context.place),
            post: context.and_then(|context| context.post.clone()),
            text,
            reason,
            names: if header.kind == Kind::Change { Vec::new() } else { header.refs().to_vec() },
            voided_by: if standing == Some(Standing::Voided) { voided_by(judged, held) } else { Vec::new() },
            photos: photos.iter().map(|photo| PhotoDetail::of(photo, grounds)).collect(),
            unapplied: Vec::new(),
        }
    }
}

impl PhotoDetail {
    fn of(photo: &Photo, grounds: RecordGrounds<'_>) -> Self {
        let is_erased = grounds.roster.is_photo_erased(photo.sha256);
        let right = |blob: BlobHash| grounds.photos.get(&blob).is_some_and(|file| file.is_right);
        let thumbnail = match &photo.thumbnail {
            RenditionOrReason::Rendition(made) if !is_erased && right(made.sha256) => Some(made.sha256),
            RenditionOrReason::Rendition(_) | RenditionOrReason::Missing(_) => None,
        };
        let state = match grounds.photos.get(&photo.sha256) {
            _ if is_erased => "erased",
            None => "missing",
            Some(file) if file.is_right => "held",
            Some(_) => "other bytes",
        };
        Self { original: photo.sha256, thumbnail, state }
    }
}
