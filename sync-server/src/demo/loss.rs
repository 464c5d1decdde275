//! A lost phone: its party cuts the key at what base camp holds, and whoever found it goes on writing.

use merestone_core::key::PublicKey;
use merestone_core::roster::{Class, Cut, CutDraft, CutReason};
use merestone_node::Answer;
use merestone_store::{Store, StoredBody};

use super::cast::Phone;
use super::mission::{Mission, own_fault};
use super::source::FormName;
use crate::exit::Failure;

/// The cut, and what it keeps.
pub(super) struct Loss {
    pub(super) key: PublicKey,
    /// Entries that were signed before and stay in force.
    pub(super) kept: u64,
    pub(super) cut: Cut,
}

/// Cuts the key of a lost phone at what `camp` holds of it, and hands the cut to another phone of the party.
///
/// # Errors
/// If base camp's store cannot be read, or the cut cannot be made.
pub(super) fn cut(
    mission: &Mission,
    party: usize,
    lost: &Phone,
    camp: &Store,
    messenger: &Phone,
) -> Result<Loss, Failure> {
    let key = lost.observers[0];
    let kept = camp.heads_of(key.as_bytes())?;
    let text = Some("Lost on the way back from the posts.");
    let draft = CutDraft { key: key.as_bytes(), kept: &kept, reason: CutReason::Lost, text };
    let cut = mission.office(party).cut(&mission.charter, &draft)?;
    messenger.device.receive(Class::Cut, &[cut.as_bytes().to_vec()])?;
    Ok(Loss { key, kept: kept.iter().map(|head| head.seq + 1).sum(), cut })
}

/// Whoever found the phone writes an incident with it: header and body of a well-signed entry.
///
/// # Errors
/// If the phone does not save it.
pub(super) fn write_on(lost: &Phone, mission: &Mission) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let Phone { device, clock, observers, .. } = lost;
    clock.pass();
    let (form, scope) = mission.form(FormName::Incident);
    let mut draft = device.begin(&observers[0], scope, form)?;
    let answers = [("title", "Something that did not happen"), ("day_from", "2025-05-01"), ("how_known", "seen")];
    draft.answers.extend(answers.map(|(key, answer)| (key.to_owned(), Answer::text(answer))));
    let saved = device.save(&device.keep(draft)?)?;
    let stored = device.store().entry(saved.entry)?.ok_or_else(|| own_fault("the entry of the lost phone"))?;
    match stored.body {
        StoredBody::Held(body) => Ok((stored.header, body)),
        StoredBody::Missing | StoredBody::Erased => Err(own_fault("the entry of the lost phone")),
    }
}
