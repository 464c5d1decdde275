//! Acts 1 to 5: a mission, its people, and their work without a network.

use std::path::Path;

use merestone_core::id::RecordId;
use merestone_node::Answer;
use merestone_node::records::{RecordView, ValueView};

use crate::demo::cast::{Cast, Phone};
use crate::demo::meet::meet;
use crate::demo::mission::{Mission, PARTIES, PASSPHRASE, PlacedKeys, own_fault};
use crate::demo::source::{FormName, Material};
use crate::demo::story::Story;
use crate::demo::teams::{self, Apart, Recorded};
use crate::exit::Failure;
use crate::output::bytes;

/// What is replayed, and whose it is.
pub(super) fn say_material(story: &mut Story, material: &Material) -> Result<(), Failure> {
    story.heading("Merestone: the way of a record from a border post to an auditor")?;
    if material.is_external {
        story.say("Replayed are public records of real events and real people; the observers here only stand in.")?;
    } else {
        story.say("The external fixture set is absent: what is replayed was made up by this project.")?;
    }
    material.credits.iter().try_for_each(|credit| story.say(credit))
}

/// Act 1: three parties and one charter. Gives the keys of the ledger and of its witnesses too.
pub(super) fn found(story: &mut Story, folder: &Path, seed: Option<u64>) -> Result<(Mission, PlacedKeys), Failure> {
    story.heading("1 Three parties found a mission")?;
    let (mission, keys) = Mission::found(folder, seed)?;
    let ([a, b, neutral], seconds) = (PARTIES, story.seconds());
    story.say(&format!("{a}, {b} and a {neutral} signed one charter ({seconds}). Its hash names the mission:"))?;
    story.alone(&mission.charter.mission().to_string())?;
    Ok((mission, keys))
}

/// Act 2: observers, devices, keys.
pub(super) fn enrol(story: &mut Story, out: &Path, mission: &Mission, seed: Option<u64>) -> Result<Cast, Failure> {
    story.heading("2 Observers are enrolled")?;
    let cast = Cast::enrol(&out.join("devices"), mission, seed)?;
    let (observers, devices, keys, seconds) = (cast.observers(), cast.phones.len(), cast.keys(), story.seconds());
    story.say(&format!(
        "{observers} observers on {devices} devices, one of them shared by two: {keys} keys ({seconds})."
    ))?;
    story.say("Each key was certified by its own party, after the six words of its request were compared.")?;
    story.say(&format!("Keys lie in files that cost full effort to guess; all open here with \"{PASSPHRASE}\"."))?;
    Ok(cast)
}

/// Act 3: everybody records.
pub(super) fn record(
    story: &mut Story,
    cast: &Cast,
    mission: &Mission,
    material: &Material,
) -> Result<Recorded, Failure> {
    story.heading("3 Everybody records, without a network")?;
    let recorded = teams::record(cast, mission, material)?;
    let count = |form| recorded.entries.get(&form).copied().unwrap_or_default();
    let (inspections, incidents) = (count(FormName::Inspection), count(FormName::Incident));
    let (counts, patrols, restrictions) =
        (count(FormName::CrossingCount), count(FormName::Patrol), count(FormName::AccessRestriction));
    let (all, seconds) = (recorded.entries.values().sum::<usize>(), story.seconds());
    story.say(&format!(
        "{inspections} inspections, {incidents} incidents, {counts} crossing counts, {patrols} patrols, \
         {restrictions} access restrictions: {all} signed entries, of the five forms that come with the program."
    ))?;
    story
        .say(&format!("Each was on disk before it counted as saved ({seconds}); each names its source and licence."))?;
    story.say("Latin, Cyrillic and Arabic script; precision of place and day; low, best and high counts.")?;
    say_nil_report(story, cast, &recorded)?;
    let Recorded { photos, photo_bytes, without_rendition, .. } = &recorded;
    let none: Vec<String> = without_rendition.iter().map(|(why, count)| format!("{count} {why}")).collect();
    let none = if none.is_empty() { String::new() } else { format!("; no thumbnail: {}", none.join(", ")) };
    story.say(&format!("{photos} photos, {}, kept as the camera wrote them{none}.", bytes(*photo_bytes)))?;
    Ok(recorded)
}

/// The patrol that had nothing to report: saying so, place by place, is a report too.
fn say_nil_report(story: &mut Story, cast: &Cast, recorded: &Recorded) -> Result<(), Failure> {
    for (at, record) in &recorded.patrols {
        let view = view(&cast.phones[*at], *record)?;
        let says = |key: &str, text: &str| view.values(key).iter().any(|value| value.answer == Answer::text(text));
        if !says("nil_report", "yes") {
            continue;
        }
        let observed = view.answers.iter().filter(|answer| answer.key.ends_with("/observed"));
        let (places, quiet) = observed
            .fold((0, 0), |(places, quiet), answer| (places + 1, quiet + usize::from(says(&answer.key, "nothing"))));
        if places == 0 || places != quiet {
            return Err(own_fault("the places of the nil report"));
        }
        return story.say(&format!(
            "One patrol is a nil report: {places} places reached, nothing to report at any, and that is signed too."
        ));
    }
    Err(own_fault("no nil report among the patrols"))
}

/// Act 4: two phones and no server.
pub(super) async fn meet_on_a_road(story: &mut Story, a: &Phone, b: &Phone) -> Result<(), Failure> {
    story.heading("4 Two team leaders meet on a road: phone to phone, no server")?;
    let met = meet(a, b).await?;
    let (there, back) = (met.progress.entries_sent, met.progress.entries_received);
    let (moved, seconds) = (bytes(met.bytes_sent + met.bytes_received), story.seconds());
    story.say(&format!("{there} entries one way and {back} the other, with photos: {moved} over QUIC ({seconds})."))
}

/// Act 5: both edit the same records apart, meet again, and settle what they answered differently.
pub(super) async fn part_and_meet(story: &mut Story, a: &Phone, b: &Phone, shared: &[RecordId]) -> Result<(), Failure> {
    story.heading("5 They part, both edit the same posts, and meet again")?;
    let Apart { contested, complemented } = teams::edit_apart(a, b, shared)?;
    meet(a, b).await?;
    for record in &complemented {
        if view(a, *record)?.conflicts().next().is_some() {
            return Err(own_fault("a conflict where different questions were answered"));
        }
    }
    let (open, settled) = contested.split_last().ok_or_else(|| own_fault("the contested records"))?;
    story
        .say(&format!("{} posts: different questions were answered; merged, nothing to decide.", complemented.len()))?;
    story.say(&format!(
        "{} posts: one question, two answers; both are kept and shown on both phones:",
        contested.len()
    ))?;
    for record in &contested {
        say_conflict(story, a, *record)?;
    }
    for record in settled {
        a.clock.pass();
        // She takes the other side's word for it.
        let theirs =
            view(a, *record)?.values("status").iter().find(|value| value.author.key == b.observers[0]).cloned();
        let theirs = theirs.ok_or_else(|| own_fault("two values in conflict"))?;
        a.device.resolve(&a.observers[0], *record, "status", theirs.answer)?;
    }
    meet(a, b).await?;
    let wanted = settled.iter().map(|record| (record, 0)).chain([(open, 1)]);
    for (record, conflicts) in wanted {
        for phone in [a, b] {
            if view(phone, *record)?.conflicts().count() != conflicts {
                return Err(own_fault("the conflicts after the decision"));
            }
        }
    }
    let (count, seconds) = (settled.len(), story.seconds());
    story.say(&format!("State A's leader settled {count}, each by a signed entry; the last is left open ({seconds})."))
}

fn say_conflict(story: &mut Story, phone: &Phone, record: RecordId) -> Result<(), Failure> {
    let view = view(phone, record)?;
    let [one, other] = view.values("status") else { return Err(own_fault("two values in conflict")) };
    let text = |answer: &Answer| match answer {
        Answer::Text(text) => text.clone(),
        Answer::Blank | Answer::Bool(_) | Answer::Int(_) => String::new(),
    };
    let post = view.values("post").first().map(|value| text(&value.answer)).unwrap_or_default();
    let said = |value: &ValueView| format!("{} ({})", text(&value.answer), value.author.name());
    story.alone(&format!("    {post}: {} | {}", said(one), said(other)))
}

fn view(phone: &Phone, record: RecordId) -> Result<RecordView, Failure> {
    phone.device.record(record)?.ok_or_else(|| own_fault("a shared record"))
}
