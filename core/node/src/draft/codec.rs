//! How a draft rests in the store: deterministic CBOR, this crate's own affair.

use merestone_core::cbor::{Kind, Reader, Writer};
use merestone_core::change::TEXT_BYTES_MAX;
use merestone_core::check::{Check, Refused};
use merestone_core::entry::{ClockSource, Context, PHOTOS_MAX, REFS_MAX, WRITERS_MAX};
use merestone_core::id::{EntryId, FormHash, RecordId, ScopeId};
use merestone_core::key::PublicKey;
use merestone_store::{DraftId, VALUE_BYTES_MAX};

use super::{Draft, DraftPhoto, DraftSubject};
use crate::clock::ClockReading;
use merestone_forms::Answer;

/// Longest draft, in bytes: what the store keeps for one.
pub(super) const DRAFT_BYTES_MAX: usize = VALUE_BYTES_MAX;

/// As many answers as one change may put.
const ANSWERS_MAX: usize = merestone_core::change::OPS_MAX;
const KEY_BYTES_MAX: usize = 256;

pub(super) fn encode(draft: &Draft) -> Vec<u8> {
    let Draft { id: _, observer, scope, form, subject, answers, confirmed, photos, place: _, post: _, is_import } =
        draft;
    let mut writer = Writer::with_capacity(1_024);
    // A draft of a person is kept as it always was.
    writer.map(if *is_import { 9 } else { 8 });
    writer.uint(1).bytes(observer.as_bytes());
    writer.uint(2).bytes(scope.as_bytes());
    writer.uint(3).bytes(form.as_bytes());
    writer.uint(4);
    match subject {
        DraftSubject::New { writers } => {
            writer.array(1).array(writers.len());
            writers.iter().for_each(|party| _ = writer.uint(*party));
        }
        DraftSubject::Edit { record, base } => {
            writer.array(2).bytes(record.as_bytes()).array(base.len());
            base.iter().for_each(|head| _ = writer.bytes(head.as_bytes()));
        }
    }
    writer.uint(5).array(answers.len());
    for (key, answer) in answers {
        writer.array(2).text(key);
        answer.as_value().write(&mut writer);
    }
    writer.uint(6).array(confirmed.len());
    confirmed.iter().for_each(|key| _ = writer.text(key));
    writer.uint(7).array(photos.len());
    photos.iter().for_each(|photo| _ = writer.text(&photo.row));
    writer.uint(8);
    circumstances(draft).encode(&mut writer);
    if *is_import {
        writer.uint(9).bool(true);
    }
    writer.finish()
}

pub(super) fn decode(id: DraftId, bytes: &[u8]) -> Result<Draft, Refused> {
    let what = "draft";
    let mut reader = Reader::new(bytes);
    let (mut observer, mut scope, mut form, mut subject) = (None, None, None, None);
    let (mut answers, mut confirmed, mut rows, mut context) = (None, None, None, None);
    let mut is_import = false;
    let mut fields = reader.map(what)?;
    while let Some(key) = fields.next(&mut reader)? {
        match key {
            1 => observer = Some(PublicKey::admit(&reader.array_of("observer")?)?),
            2 => scope = Some(ScopeId::from_bytes(reader.array_of("scope")?)),
            3 => form = Some(FormHash::from_bytes(reader.array_of("form")?)),
            4 => subject = Some(read_subject(&mut reader)?),
            5 => answers = Some(list(&mut reader, ANSWERS_MAX, read_answer)?),
            6 => confirmed = Some(list(&mut reader, ANSWERS_MAX, |r| Ok(r.text(KEY_BYTES_MAX, "key")?.to_owned()))?),
            7 => rows = Some(list(&mut reader, PHOTOS_MAX, |r| Ok(r.text(KEY_BYTES_MAX, "row")?.to_owned()))?),
            8 => context = Some(Context::decode(&mut reader)?),
            9 => is_import = reader.bool("is_import")?,
            _ => return Err(shape()),
        }
    }
    reader.finish(what)?;
    let context = context.ok_or(shape())?;
    let rows = rows.ok_or(shape())?;
    if rows.len() != context.photos.len() {
        return Err(shape());
    }
    let photos = rows.into_iter().zip(context.photos).map(|(row, photo)| DraftPhoto { row, photo }).collect();
    Ok(Draft {
        id,
        observer: observer.ok_or(shape())?,
        scope: scope.ok_or(shape())?,
        form: form.ok_or(shape())?,
        subject: subject.ok_or(shape())?,
        answers: answers.ok_or(shape())?.into_iter().collect(),
        confirmed: confirmed.ok_or(shape())?.into_iter().collect(),
        photos,
        place: context.place,
        post: context.post,
        is_import,
    })
}

/// Place, post and photos in the form that entries have for them, so that there is one codec for each; the clock and the
/// name in it say nothing.
fn circumstances(draft: &Draft) -> Context {
    let clock = ClockReading { wall_ms: 0, uptime_ms: 0, boot: [0; 8], offset_min: 0, source: ClockSource::Device };
    Context {
        clock,
        place: draft.place,
        post: draft.post.clone(),
        observer: "draft".into(),
        photos: draft.photos.iter().map(|photo| photo.photo.clone()).collect(),
    }
}

fn read_subject(reader: &mut Reader<'_>) -> Result<DraftSubject, Refused> {
    let len = reader.array(2, "subject")?;
    let subject = if len == 1 {
        DraftSubject::New { writers: list(reader, WRITERS_MAX, |r| r.uint("writer"))? }
    } else {
        let record = RecordId::from_bytes(reader.array_of("record")?);
        let base = list(reader, REFS_MAX, |r| Ok(EntryId::from_bytes(r.array_of("head")?)))?;
        DraftSubject::Edit { record, base }
    };
    reader.leave();
    Ok(subject)
}

fn read_answer(reader: &mut Reader<'_>) -> Result<(String, Answer), Refused> {
    reader.array_exact(2, "answer")?;
    let key = reader.text(KEY_BYTES_MAX, "key")?.to_owned();
    let answer = match reader.peek("value")? {
        Kind::Null => {
            reader.null("value")?;
            Answer::Blank
        }
        Kind::Bool => Answer::Bool(reader.bool("value")?),
        Kind::Uint | Kind::Nint => Answer::Int(reader.int("value")?),
        Kind::Text => Answer::Text(reader.note(TEXT_BYTES_MAX, "value")?.to_owned()),
        Kind::Bytes | Kind::Array | Kind::Map => return Err(shape()),
    };
    reader.leave();
    Ok((key, answer))
}

fn list<'a, T>(
    reader: &mut Reader<'a>,
    len_max: usize,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T, Refused>,
) -> Result<Vec<T>, Refused> {
    let len = reader.array(len_max, "draft")?;
    let items = (0..len).map(|_| read(reader)).collect::<Result<_, _>>()?;
    reader.leave();
    Ok(items)
}

const fn shape() -> Refused {
    Refused { check: Check::Shape, what: "draft" }
}

#[cfg(test)]
mod tests {
    use merestone_core::entry::{Place, PlaceSource};
    use merestone_core::key::SigningKey;

    use super::*;

    fn draft(subject: DraftSubject) -> Draft {
        let answers = [
            ("title".to_owned(), Answer::text("Черга на мосту\nдруга лінія")),
            ("count".to_owned(), Answer::Int(-3)),
            ("is_open".to_owned(), Answer::Bool(true)),
            ("photos/0123456789abcdef/caption".to_owned(), Answer::Blank),
        ];
        Draft {
            id: DraftId([4; 16]),
            observer: *SigningKey::from_seed(&[1; 32]).public(),
            scope: ScopeId::from_bytes([2; 8]),
            form: FormHash::from_bytes([3; 32]),
            subject,
            answers: answers.into(),
            confirmed: ["count".to_owned()].into(),
            photos: Vec::new(),
            place: Some(Place { lat_e7: 1, lon_e7: -2, accuracy_m: 3, source: PlaceSource::Hand }),
            post: Some("معبر".into()),
            is_import: false,
        }
    }

    #[test]
    fn a_draft_reads_back_whole_and_a_cut_one_does_not() {
        let base = vec![EntryId::from_bytes([6; 32])];
        for subject in [
            DraftSubject::New { writers: vec![] },
            DraftSubject::New { writers: vec![1, 2] },
            DraftSubject::Edit { record: RecordId::from_bytes([5; 32]), base },
        ] {
            for is_import in [false, true] {
                let draft = Draft { is_import, ..draft(subject.clone()) };
                let bytes = encode(&draft);
                assert_eq!(decode(draft.id, &bytes), Ok(draft));
                assert!((0..bytes.len()).all(|end| decode(DraftId([4; 16]), &bytes[..end]).is_err()));
            }
        }
    }
}
