//! Work without a network: records replayed on many devices, and edits of the same records by two teams.

use std::collections::BTreeMap;

use merestone_core::entry::{MissingReason, RenditionOrReason};
use merestone_core::id::{EntryId, RecordId};
use merestone_core::key::PublicKey;
use merestone_node::Answer;
use merestone_node::capture::PhotoSource;
use merestone_node::draft::{Draft, DraftSubject};

use super::cast::{Cast, LEADER_A, LEADER_B, LOST, Phone};
use super::mission::{Mission, own_fault};
use super::source::{FormName, Material, Observation, Photo};
use crate::exit::Failure;

/// What was recorded.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    /// Entries by kind of observation.
    pub(super) entries: BTreeMap<FormName, usize>,
    pub(super) photos: usize,
    /// Bytes of the photos' originals.
    pub(super) photo_bytes: u64,
    /// Photos without a picture to show, by reason.
    pub(super) without_rendition: BTreeMap<&'static str, usize>,
    /// Inspections of the two team leaders: the records that both teams will edit.
    pub(super) shared: Vec<RecordId>,
    /// Patrols, each with the place of its device in the cast.
    pub(super) patrols: Vec<(usize, RecordId)>,
}

/// Work of one device: observer, observation, photos; in the order in which it is done.
type Task<'a> = (PublicKey, &'a Observation, Vec<&'a Photo>);

/// Replays everything, each device on its own.
///
/// # Errors
/// If an entry cannot be saved.
pub(super) fn record(cast: &Cast, mission: &Mission, material: &Material) -> Result<Recorded, Failure> {
    let tasks = share(cast, material);
    let done = std::thread::scope(|scope| {
        let begun: Vec<_> = cast
            .phones
            .iter()
            .zip(&tasks)
            .map(|(phone, tasks)| scope.spawn(move || work(phone, mission, tasks)))
            .collect();
        begun.into_iter().map(|done| done.join().unwrap_or_else(|_| Err(own_fault("a device")))).collect::<Vec<_>>()
    });
    let mut recorded = Recorded::default();
    for (at, done) in done.into_iter().enumerate() {
        let Recorded { entries, photos, photo_bytes, without_rendition, shared, patrols } = done?;
        recorded.patrols.extend(patrols.into_iter().map(|(_, record)| (at, record)));
        entries.into_iter().for_each(|(form, count)| *recorded.entries.entry(form).or_default() += count);
        without_rendition
            .into_iter()
            .for_each(|(why, count)| *recorded.without_rendition.entry(why).or_default() += count);
        recorded.photos += photos;
        recorded.photo_bytes += photo_bytes;
        if at == LEADER_A || at == LEADER_B {
            recorded.shared.extend(shared);
        }
    }
    recorded.shared.sort_unstable();
    Ok(recorded)
}

/// Who replays what. Inspections go to the team leaders and four others, the rest to everybody else.
fn share<'a>(cast: &Cast, material: &'a Material) -> Vec<Vec<Task<'a>>> {
    const INSPECTORS: [usize; 6] = [LEADER_A, LEADER_B, 3, 6, 8, 9];
    const OTHERS: [usize; 7] = [2, 3, 4, 5, 6, LOST, 8];
    const COUNTERS: [usize; 4] = [2, 4, 5, LOST];
    const PATROLS: [usize; 2] = [3, 6];
    const TURNED_BACK: [usize; 2] = [8, 9];
    let mut tasks: Vec<Vec<Task<'a>>> = cast.phones.iter().map(|_| Vec::new()).collect();
    let mut give = |at: usize, turn: usize, observation: &'a Observation, photos: Vec<&'a Photo>| {
        let observers = &cast.phones[at].observers;
        tasks[at].push((observers[turn % observers.len()], observation, photos));
    };
    let inspections = material.inspections.len().max(1);
    for (turn, observation) in material.inspections.iter().enumerate() {
        let photos = material.photos.iter().skip(turn).step_by(inspections).collect();
        give(INSPECTORS[turn % INSPECTORS.len()], turn, observation, photos);
    }
    for (turn, observation) in material.incidents.iter().enumerate() {
        give(OTHERS[turn % OTHERS.len()], turn / OTHERS.len(), observation, Vec::new());
    }
    for (turn, observation) in material.counts.iter().enumerate() {
        give(COUNTERS[turn % COUNTERS.len()], turn / COUNTERS.len(), observation, Vec::new());
    }
    for (turn, observation) in material.patrols.iter().enumerate() {
        give(PATROLS[turn % PATROLS.len()], turn / PATROLS.len(), observation, Vec::new());
    }
    for (turn, observation) in material.restrictions.iter().enumerate() {
        give(TURNED_BACK[turn % TURNED_BACK.len()], turn / TURNED_BACK.len(), observation, Vec::new());
    }
    for tasks in &mut tasks {
        tasks.sort_by(|(_, a, _), (_, b, _)| a.day().cmp(b.day()));
    }
    tasks
}

fn work(phone: &Phone, mission: &Mission, tasks: &[Task<'_>]) -> Result<Recorded, Failure> {
    let mut recorded = Recorded::default();
    let Phone { device, clock, .. } = phone;
    for (observer, observation, photos) in tasks {
        clock.pass_to(observation.day());
        let (form, scope) = mission.form(observation.form);
        // Every party may write an inspection: posts have two sides.
        let writers = if observation.form == FormName::Inspection { vec![1, 2, 3] } else { Vec::new() };
        let draft = Draft { subject: DraftSubject::New { writers }, ..device.begin(observer, scope, form)? };
        let draft = device.keep(draft)?.id;
        device.put_all(draft, observation.answers.iter().cloned())?;
        for photo in photos {
            let Photo { bytes, credit } = photo;
            let attached = device.attach(draft, PhotoSource::Bytes(bytes), None, Some(credit))?;
            recorded.photos += 1;
            recorded.photo_bytes += bytes.len() as u64;
            let kept = attached.draft.photos.iter().find(|kept| kept.row == attached.row);
            if let Some(RenditionOrReason::Missing(why)) = kept.map(|kept| &kept.photo.thumbnail) {
                *recorded.without_rendition.entry(reason(*why)).or_default() += 1;
            }
        }
        let draft = device.locate(draft, observation.place, Some(&observation.post))?;
        let saved = device.save(&draft)?;
        *recorded.entries.entry(observation.form).or_default() += 1;
        if observation.form == FormName::Inspection {
            recorded.shared.push(saved.record);
        }
        if observation.form == FormName::Patrol {
            recorded.patrols.push((0, saved.record));
        }
    }
    Ok(recorded)
}

fn reason(why: MissingReason) -> &'static str {
    match why {
        MissingReason::NotDecodable => "HEIC or AVIF, not decoded here",
        MissingReason::DamagedPixels => "damaged pixels",
        MissingReason::TooManyPixels => "too many pixels",
        MissingReason::OriginalTooLarge => "original too large",
    }
}

/// Edits one record as its observer sees it now.
///
/// # Errors
/// If the entry cannot be saved.
pub(super) fn edit(phone: &Phone, record: RecordId, answers: &[(&str, Answer)]) -> Result<EntryId, Failure> {
    let Phone { device, clock, observers, .. } = phone;
    clock.pass();
    let draft = device.keep(device.begin_edit(&observers[0], record)?)?;
    let draft = device.put_all(draft.id, answers.iter().map(|(key, answer)| ((*key).to_owned(), answer.clone())))?;
    Ok(device.save(&draft)?.entry)
}

/// What two teams did with the same records while they were apart.
#[derive(Debug)]
pub(super) struct Apart {
    /// Records in which both answered the same question, differently.
    pub(super) contested: Vec<RecordId>,
    /// Records in which they answered different questions.
    pub(super) complemented: Vec<RecordId>,
}

/// Both leaders edit the same records without knowing of each other.
///
/// # Errors
/// If an entry cannot be saved.
pub(super) fn edit_apart(a: &Phone, b: &Phone, shared: &[RecordId]) -> Result<Apart, Failure> {
    const EACH: usize = 3;
    let (contested, rest) = shared.split_at_checked(EACH).ok_or_else(|| own_fault("too few shared records"))?;
    let complemented = rest.get(..EACH).ok_or_else(|| own_fault("too few shared records"))?;
    let text = Answer::text;
    for record in contested {
        let [one, other] = other_states(a, *record)?;
        edit(a, *record, &[("status", text(one))])?;
        edit(b, *record, &[("status", text(other))])?;
    }
    for record in complemented {
        let queue = [("queue_low", Answer::Int(11)), ("queue_best", Answer::Int(14)), ("queue_high", Answer::Int(19))];
        edit(a, *record, &queue)?;
        edit(b, *record, &[("remarks", text("Відповідь для показу. / إجابة للعرض. / An answer for show."))])?;
    }
    Ok(Apart { contested: contested.to_vec(), complemented: complemented.to_vec() })
}

/// Two answers to what a post does that differ from the one that stands and from each other.
fn other_states(phone: &Phone, record: RecordId) -> Result<[&'static str; 2], Failure> {
    let view = phone.device.record(record)?.ok_or_else(|| own_fault("a shared record"))?;
    let stands = |state: &str| view.values("status").iter().any(|value| value.answer == Answer::text(state));
    let mut others = ["open", "restricted", "closed"].into_iter().filter(|state| !stands(state));
    others.next().zip(others.next()).map(|(one, other)| [one, other]).ok_or_else(|| own_fault("the states of a post"))
}
