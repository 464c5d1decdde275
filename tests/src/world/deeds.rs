//! What people do on a device: save, correct, settle a conflict, attach a photo, go on with what was interrupted.

use std::collections::BTreeMap;

use merestone_core::id::{BlobHash, EntryId, RecordId};
use merestone_node::capture::{BeginError, PhotoError, PhotoSource, SaveError};
use merestone_node::device::{AccessError, PenError};
use merestone_node::draft::{Draft, DraftError, DraftSubject};
use merestone_node::{Answer, Device};

use super::model::{Attempt, Model};
use super::site::Site;
use crate::chance::Chance;
use crate::mission::Mission;
use crate::outpost;
use crate::saving::TOKEN;

/// How many of the newest records people correct: few, so that they meet in one.
const EDITED: usize = 12;

/// What became of a deed.
#[derive(Debug)]
pub enum Done {
    /// The person was told that it is saved.
    Saved,
    /// The product said that this cannot be done, and why, as it may.
    Refused(&'static str),
    /// The storage failed.
    Storage(String),
    /// The product refused for a reason that there was not.
    Wrong(String),
}

/// Saves something new, or a correction, with a photo now and then.
pub fn save(site: &mut Site, mission: &Mission, model: &mut Model, chance: &mut Chance) -> Done {
    let Some(up) = &site.up else { return Done::Refused("off") };
    let device = &up.device;
    let edited = if chance.once_in(2) { pick_record(model, chance) } else { None };
    if let Some(record) = edited.filter(|_| chance.once_in(3)) {
        // One answer and nothing else, so that two people may correct two answers of one record.
        return correct(site, model, record, &format!("t{:02}", 1 + chance.below(5)));
    }
    let word = model.word();
    let mut answers = BTreeMap::from([(TOKEN.to_owned(), word.clone())]);
    for n in 0..1 + chance.below(3) {
        answers.insert(format!("t{:02}", 1 + chance.below(5)), format!("{word}-{n}"));
    }
    let photo = chance.once_in(7).then(|| photo(chance));
    let photos: Vec<BlobHash> = photo.iter().map(|bytes| BlobHash::of(bytes)).collect();
    let everybody = chance.once_in(2);
    let anew = || device.begin(&site.key, mission.scope(), outpost::form());
    let begun = match edited.map(|record| device.begin_edit(&site.key, record)) {
        // It is not held here, or not as something to correct: the person begins another.
        None | Some(Err(BeginError::NotEditable { .. })) => anew(),
        Some(begun) => begun,
    };
    let draft = match begun {
        Ok(draft) => draft,
        Err(BeginError::NotEditable { .. }) => return Done::Refused("nothing of the record is applied here"),
        Err(BeginError::Access(error)) => return Done::Storage(error.to_string()),
        Err(error) => return Done::Wrong(error.to_string()),
    };
    model.begin(&word, attempt(site, answers.clone(), seen(&draft), photos));
    let kept = keep(device, draft, answers, photo.as_deref(), everybody);
    match kept {
        Ok(draft) => finish(site, model, &word, &draft),
        Err(done) => done,
    }
}

/// Corrects one answer of a record.
pub fn correct(site: &mut Site, model: &mut Model, record: RecordId, question: &str) -> Done {
    let Some(up) = &site.up else { return Done::Refused("off") };
    let draft = match up.device.begin_edit(&site.key, record) {
        Ok(draft) => draft,
        Err(BeginError::NotEditable { .. }) => return Done::Refused("nothing of the record is applied here"),
        Err(BeginError::Access(error)) => return Done::Storage(error.to_string()),
        Err(error) => return Done::Wrong(error.to_string()),
    };
    let word = model.word();
    let answers = BTreeMap::from([(question.to_owned(), word.clone())]);
    model.begin(&word, attempt(site, answers.clone(), seen(&draft), Vec::new()));
    match keep(&up.device, draft, answers, None, false) {
        Ok(draft) => finish(site, model, &word, &draft),
        Err(done) => done,
    }
}

/// Settles a conflict where the device shows one.
pub fn settle(site: &mut Site, model: &mut Model, chance: &mut Chance) -> Done {
    let Some(up) = &site.up else { return Done::Refused("off") };
    let Some(record) = pick_record(model, chance) else { return Done::Refused("no record") };
    let view = match up.device.record(record) {
        Ok(Some(view)) => view,
        Ok(None) => return Done::Refused("not held"),
        Err(error) => return Done::Storage(error.to_string()),
    };
    let Some(key) = view.conflicts().next().map(|answer| answer.key.clone()) else {
        return Done::Refused("no conflict");
    };
    let word = model.word();
    let answers = BTreeMap::from([(key.clone(), word.clone())]);
    model.begin(&word, attempt(site, answers, view.heads.clone(), Vec::new()));
    let saved = up.device.resolve(&site.key, record, &key, Answer::text(&word));
    told(site, model, &word, saved)
}

/// Goes on with the drafts that a kill left behind: saves each, once.
pub fn go_on(site: &mut Site, model: &mut Model) -> Vec<Done> {
    let Some(up) = &site.up else { return Vec::new() };
    let drafts = match up.device.drafts(Some(&site.key)) {
        Ok(drafts) => drafts,
        Err(error) => return vec![Done::Storage(error.to_string())],
    };
    let mut all = Vec::new();
    for draft in drafts {
        let texts = draft.answers.values().filter_map(|answer| match answer {
            Answer::Text(text) => text.split('-').next(),
            _ => None,
        });
        let Some(word) = texts.into_iter().find(|word| model.attempts.contains_key(*word)).map(str::to_owned) else {
            continue;
        };
        all.push(finish(site, model, &word, &draft));
    }
    all
}

fn attempt(site: &Site, answers: BTreeMap<String, String>, seen: Vec<EntryId>, photos: Vec<BlobHash>) -> Attempt {
    Attempt { key: *site.key.as_bytes(), site: site.number, answers, seen, photos, told: None }
}

/// What the screen shows when a draft begins.
fn seen(draft: &Draft) -> Vec<EntryId> {
    match &draft.subject {
        DraftSubject::New { .. } => Vec::new(),
        DraftSubject::Edit { base, .. } => base.clone(),
    }
}

fn keep(
    device: &Device,
    mut draft: Draft,
    answers: BTreeMap<String, String>,
    photo: Option<&[u8]>,
    everybody: bool,
) -> Result<Draft, Done> {
    if let DraftSubject::New { writers } = &mut draft.subject
        && everybody
    {
        *writers = vec![1, 2, 3];
    }
    draft.answers.extend(answers.into_iter().map(|(key, text)| (key, Answer::text(&text))));
    let draft = device.keep(draft).map_err(of_draft)?;
    let Some(photo) = photo else { return Ok(draft) };
    match device.attach(draft.id, PhotoSource::Bytes(photo), None, None) {
        Ok(attached) => Ok(attached.draft),
        Err(PhotoError::Draft(error)) => Err(of_draft(error)),
        Err(error) => Err(Done::Wrong(error.to_string())),
    }
}

fn of_draft(error: DraftError) -> Done {
    match error {
        DraftError::Access(error) => Done::Storage(error.to_string()),
        error => Done::Wrong(error.to_string()),
    }
}

fn finish(site: &mut Site, model: &mut Model, word: &str, draft: &Draft) -> Done {
    let Some(up) = &site.up else { return Done::Refused("off") };
    let saved = up.device.save(draft);
    if let Some(attempt) = model.attempts.get_mut(word) {
        // What the person sees in the draft: a kill may have come before the photo was attached.
        attempt.photos = draft.photos.iter().map(|photo| photo.photo.sha256).collect();
    }
    told(site, model, word, saved)
}

fn told(
    site: &mut Site,
    model: &mut Model,
    word: &str,
    saved: Result<merestone_node::capture::Saved, SaveError>,
) -> Done {
    match saved {
        Ok(saved) => {
            model.tell(word, saved.entry, saved.record);
            let photos = model.attempts.get(word).map(|attempt| attempt.photos.clone()).unwrap_or_default();
            site.duty.saved.insert(saved.entry, photos);
            if let Some(up) = &site.up {
                // The phone passes on what its person wrote.
                let _ = up.replica.notify();
            }
            Done::Saved
        }
        Err(error) => refused(error),
    }
}

fn refused(error: SaveError) -> Done {
    match error {
        SaveError::NothingChanged => Done::Refused("nothing changed"),
        SaveError::NotEditable { .. } => Done::Refused("not editable"),
        SaveError::NotAWriter { .. } => Done::Refused("not a writer"),
        SaveError::Pen(PenError::Cut { .. }) => Done::Refused("cut"),
        SaveError::Pen(PenError::WornOut { .. }) => Done::Refused("worn out"),
        SaveError::Pen(PenError::Access(error)) => of_access(&error),
        error => Done::Wrong(error.to_string()),
    }
}

fn of_access(error: &AccessError) -> Done {
    Done::Storage(error.to_string())
}

/// One of the newest records of which a person was told.
pub fn pick_record(model: &Model, chance: &mut Chance) -> Option<RecordId> {
    let mut records: Vec<(u64, RecordId)> = Vec::new();
    for (word, attempt) in &model.attempts {
        if let Some((_, record)) = attempt.told {
            let number = word.trim_start_matches('w').parse().unwrap_or(0);
            records.push((number, record));
        }
    }
    records.sort_unstable_by(|one, other| other.cmp(one));
    records.truncate(EDITED);
    chance.pick(&records).map(|(_, record)| *record)
}

/// A photo of a few chunks that no other is like. It is one of the project's, with comments that make it new and long.
fn photo(chance: &mut Chance) -> Vec<u8> {
    let mut bytes = crate::saving::photo(chance).expect("the project's photos can be read");
    for _ in 0..chance.below(6) {
        // A JPEG comment of 40,000 bytes that do not compress.
        let mut comment = vec![0xff, 0xfe, 0x9c, 0x42];
        while comment.len() < 40_002 {
            comment.extend(chance.number().to_be_bytes());
        }
        comment.truncate(40_004);
        bytes.splice(2..2, comment);
    }
    bytes
}
