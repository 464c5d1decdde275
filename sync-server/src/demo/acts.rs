//! The story, act by act: each does something real, checks that it came out, and tells it with its figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use merestone_core::audit::Verdict;
use merestone_core::id::RecordId;
use merestone_node::Answer;
use merestone_node::bag::{self, WrittenBag};
use merestone_node::vault::{PartyKeyFile, UnlockCost};
use serde::Serialize;

use super::camp::{BaseCamp, Visit};
use super::cast::{Cast, LEADER_A, LEADER_B, LOST, PARTY_B};
use super::forge::{Forgery, Workshop};
use super::loss::{self, Loss};
use super::meet::meet;
use super::mission::{Mission, PARTIES, PASSPHRASE, own_fault, passphrase};
use super::replay::entropy;
use super::source::{FormName, Material};
use super::story::Story;
use super::teams::{self, Apart, Recorded};
use super::verdict;
use crate::exit::Failure;
use crate::output::bytes;

/// What the story came to, for programs.
#[derive(Debug, Serialize)]
pub(super) struct Played {
    mission: String,
    /// By name, as in `tamper.json`.
    forgeries: BTreeMap<&'static str, Tamper>,
}

/// Plays the whole story into `out`, an empty folder.
///
/// # Errors
/// If something does not come out as it must.
pub(super) async fn play(
    story: &mut Story,
    out: &Path,
    material: &Material,
    seed: Option<u64>,
) -> Result<Played, Failure> {
    say_material(story, material)?;
    let (mission, ledger) = found(story, &out.join("parties"), seed)?;
    let cast = enrol(story, out, &mission, seed)?;
    let recorded = record(story, &cast, &mission, material)?;
    let [a, b] = [&cast.phones[LEADER_A], &cast.phones[LEADER_B]];

    story.heading("4 Two team leaders meet on a road: phone to phone, no server")?;
    let met = meet(a, b).await?;
    let carried = met.progress.entries_sent + met.progress.entries_received;
    let moved = bytes(met.bytes_sent + met.bytes_received);
    story.say(&format!(
        "{carried} entries and their photos, {moved} over QUIC in {}; both hold the same",
        story.seconds()
    ))?;
    part_and_meet(story, &cast, &recorded).await?;

    let camp = come_in(story, out, &cast, &mission, ledger, seed).await?;
    let loss = lose(story, &cast, &mission, &camp).await?;
    let bag = out.join("bag");
    write_bag(story, &bag, camp, &mission).await?;
    let thief = loss::write_on(&cast.phones[LOST], &mission)?;
    let workshop = Workshop {
        bag: &bag,
        out: &out.join("forged"),
        mission: &mission,
        cut: loss.key,
        after_cut: thief,
        clock: cast.phones[LOST].device.now(),
        entropy: &*entropy(seed, "stranger"),
    };
    let forgeries = forge(story, out, &workshop)?;
    where_to_look(story, out, &mission)?;
    Ok(Played { mission: mission.charter.mission().to_string(), forgeries })
}

fn say_material(story: &mut Story, material: &Material) -> Result<(), Failure> {
    story.heading("Merestone: the way of a record from a border post to an auditor")?;
    if material.is_external {
        story.say("Replayed are public records of real events and real people; the observers here only stand in.")?;
    } else {
        story.say("The external fixture set is absent: what is replayed was made up by this project.")?;
    }
    material.credits.iter().try_for_each(|credit| story.say(credit))
}

fn found(
    story: &mut Story,
    folder: &Path,
    seed: Option<u64>,
) -> Result<(Mission, Arc<merestone_core::key::SigningKey>), Failure> {
    story.heading("1 Three parties found a mission")?;
    let ledger =
        PartyKeyFile::make(&folder.join("ledger.key"), &passphrase(), UnlockCost::PHONE, &*entropy(seed, "ledger"))?;
    let mission = Mission::found(folder, *ledger.public(), seed)?;
    let [a, b, neutral] = PARTIES;
    let seconds = story.seconds();
    story.say(&format!("{a}, {b} and the {neutral} signed one charter ({seconds}). Its hash names the mission:"))?;
    story.alone(&mission.charter.mission().to_string())?;
    Ok((mission, Arc::new(ledger)))
}

fn enrol(story: &mut Story, out: &Path, mission: &Mission, seed: Option<u64>) -> Result<Cast, Failure> {
    story.heading("2 Observers are enrolled")?;
    let cast = Cast::enrol(&out.join("devices"), mission, seed)?;
    let (observers, devices, keys) = (cast.observers(), cast.phones.len(), cast.keys());
    let seconds = story.seconds();
    story.say(&format!(
        "{observers} observers on {devices} devices, one device shared by two: {keys} keys, each certified by its own party \
         after six words were compared ({seconds}). Key files carry the full cost of guessing; here their passphrase is \
         \"{PASSPHRASE}\"."
    ))?;
    Ok(cast)
}

fn record(story: &mut Story, cast: &Cast, mission: &Mission, material: &Material) -> Result<Recorded, Failure> {
    story.heading("3 Everybody records, without a network")?;
    let recorded = teams::record(cast, mission, material)?;
    let count = |form| recorded.entries.get(&form).copied().unwrap_or_default();
    let (inspections, incidents, counts) =
        (count(FormName::Inspection), count(FormName::Incident), count(FormName::CrossingCount));
    let all = inspections + incidents + counts;
    let seconds = story.seconds();
    story.say(&format!(
        "{inspections} inspections, {incidents} incidents, {counts} crossing counts: {all} entries, each signed and on disk \
         before it counted as saved ({seconds}). Each carries its source and licence."
    ))?;
    let Recorded { photos, photo_bytes, without_rendition, .. } = &recorded;
    let none: Vec<String> = without_rendition.iter().map(|(why, count)| format!("{count} {why}")).collect();
    let none =
        if none.is_empty() { "all with a thumbnail".to_owned() } else { format!("no thumbnail: {}", none.join(", ")) };
    story.say(&format!("{photos} photos, {}, kept as the camera wrote them; {none}.", bytes(*photo_bytes)))?;
    story.say("Latin, Cyrillic and Arabic script; places and days with their precision; low, best and high counts.")?;
    Ok(recorded)
}

async fn part_and_meet(story: &mut Story, cast: &Cast, recorded: &Recorded) -> Result<(), Failure> {
    story.heading("5 They part, both edit the same posts, and meet again")?;
    let [a, b] = [&cast.phones[LEADER_A], &cast.phones[LEADER_B]];
    let Apart { contested, complemented } = teams::edit_apart(a, b, &recorded.shared)?;
    meet(a, b).await?;
    for record in &complemented {
        if conflicts(a, *record)? > 0 {
            return Err(own_fault("a conflict where different questions were answered"));
        }
    }
    let (first, settled) = contested.split_last().ok_or_else(|| own_fault("the contested records"))?;
    let both = complemented.len();
    story.say(&format!("{both} posts: different questions were answered; merged, nothing to decide."))?;
    story.say(&format!(
        "{} posts: one question, two answers. Both are kept and shown on both phones, such as",
        contested.len()
    ))?;
    show_conflict(story, a, *first)?;
    for record in settled {
        a.clock.pass();
        // He takes the other side's word for it.
        let view = a.device.record(*record)?.ok_or_else(|| own_fault("a shared record"))?;
        let theirs = view.values("status").iter().find(|value| value.author.key == b.observers[0]);
        let theirs = theirs.ok_or_else(|| own_fault("two values in conflict"))?.answer.clone();
        a.device.resolve(&a.observers[0], *record, "status", theirs)?;
    }
    meet(a, b).await?;
    for (record, wanted) in settled.iter().map(|record| (record, 0)).chain([(first, 1)]) {
        for phone in [a, b] {
            if conflicts(phone, *record)? != wanted {
                return Err(own_fault("the conflicts after the decision"));
            }
        }
    }
    let seconds = story.seconds();
    story.say(&format!(
        "State A's leader settled {} of them, each with a signed entry that names what it replaces; the one above is left \
         open for the report ({seconds}).",
        settled.len()
    ))
}

fn conflicts(phone: &super::cast::Phone, record: RecordId) -> Result<usize, Failure> {
    let view = phone.device.record(record)?.ok_or_else(|| own_fault("a shared record"))?;
    Ok(view.conflicts().count())
}

fn show_conflict(story: &mut Story, phone: &super::cast::Phone, record: RecordId) -> Result<(), Failure> {
    let view = phone.device.record(record)?.ok_or_else(|| own_fault("a shared record"))?;
    let [one, other] = view.values("status") else { return Err(own_fault("two values in conflict")) };
    let text = |answer: &Answer| match answer {
        Answer::Text(text) => text.clone(),
        Answer::Blank | Answer::Bool(_) | Answer::Int(_) => String::new(),
    };
    let post = view.values("post").first().map(|value| text(&value.answer)).unwrap_or_default();
    let said =
        |value: &merestone_node::records::ValueView| format!("{} ({})", text(&value.answer), value.author.name());
    story.say(&format!("  {post}: status {} | {}", said(one), said(other)))
}

async fn come_in(
    story: &mut Story,
    out: &Path,
    cast: &Cast,
    mission: &Mission,
    ledger: Arc<merestone_core::key::SigningKey>,
    seed: Option<u64>,
) -> Result<BaseCamp, Failure> {
    story.heading("6 All devices come to base camp at once, over a road that is cut")?;
    let camp = BaseCamp::open(&out.join("camp"), mission, ledger, seed)?;
    // Early, in the middle, and late in what a leader brings.
    let bad_road = |at: usize| match at {
        LEADER_A => vec![100_000, 400_000, 1_200_000],
        LEADER_B => vec![300_000, 900_000],
        _ => Vec::new(),
    };
    let visits = camp.everybody(cast, |_| true, bad_road).await?;
    let cuts: u64 = visits.iter().map(|visit| visit.cuts).sum();
    for visit in visits.iter().filter(|visit| visit.cuts > 0) {
        let Visit { name, cuts, links, carried_bytes, lost_bytes, photo_bytes_sent, .. } = visit;
        story.say(&format!(
            "{name}: link cut {cuts} times, went on where it was each time ({links} links). Carried {}, of which {} photos \
             sent; {} lost on the road.",
            bytes(*carried_bytes), bytes(*photo_bytes_sent), bytes(*lost_bytes)
        ))?;
    }
    if cuts < 3 {
        return Err(own_fault("the road was not cut"));
    }
    let held = camp.replica().store().counts()?;
    if held.blobs_missing > 0 {
        return Err(own_fault("photos are missing at base camp"));
    }
    let seconds = story.seconds();
    story.say(&format!(
        "Base camp holds {} entries and {} photos and thumbnails, from {} devices ({seconds}); {cuts} cuts, nothing lost.",
        held.entries, held.blobs, visits.len()
    ))?;
    Ok(camp)
}

async fn lose(story: &mut Story, cast: &Cast, mission: &Mission, camp: &BaseCamp) -> Result<Loss, Failure> {
    story.heading("7 A phone is lost, and its key is cut")?;
    let lost = &cast.phones[LOST];
    let loss = loss::cut(mission, PARTY_B, lost, camp.replica().store(), &cast.phones[LEADER_B])?;
    // The cut travels like everything else: with whoever comes by.
    let visits = camp.everybody(cast, |at| at == LEADER_A || at == LEADER_B, |_| Vec::new()).await?;
    if !visits.iter().all(|visit| visit.is_fully_synced) {
        return Err(own_fault("not everybody holds the same"));
    }
    let roster = camp.replica().authority().roster();
    if !roster.cuts().any(|held| held.id() == loss.cut.id()) {
        return Err(own_fault("the cut did not reach base camp"));
    }
    let receipts = roster.receipts().count();
    drop(roster);
    let note = camp.checkpoint()?.or_else(|| camp.replica().authority().roster().newest_note().cloned());
    let note = note.ok_or_else(|| own_fault("no checkpoint"))?;
    story.say(&format!(
        "{}: its {} entries up to the cut stay; whatever it signs from now on is set aside, whoever holds it.",
        lost.name, loss.kept
    ))?;
    story.say(&format!(
        "Base camp signed receipts ({receipts} held) and a checkpoint over {} lines of its ledger ({}).",
        note.size(),
        story.seconds()
    ))?;
    Ok(loss)
}

async fn write_bag(story: &mut Story, path: &Path, camp: BaseCamp, mission: &Mission) -> Result<(), Failure> {
    story.heading("8 A bag for the auditors")?;
    let camp = camp.close().await;
    let replica = camp.replica();
    let written = bag::write(replica.store(), replica.authority(), None, path)?;
    let WrittenBag { logs, entries, photos, files, bytes: size, left_out, .. } = &written;
    if !left_out.is_empty() {
        return Err(own_fault("something was left out of the bag"));
    }
    story.say(&format!(
        "{entries} entries in {logs} logs, {photos} photos and thumbnails: {files} files, {}.",
        bytes(*size)
    ))?;
    let audited = verdict::of(path, mission.charter.mission())?;
    let report = path.with_file_name("report");
    verdict::write(&audited, &report)?;
    let verdict = audited.verdict();
    if verdict != Verdict::Passed {
        return Err(own_fault(&format!("the untouched bag is {verdict}")));
    }
    story.say(&format!("Audited on its own, with nothing but the mission id: {verdict} ({}).", story.seconds()))
}

/// What was found in one forged copy, for `tamper.json`.
#[derive(Debug, Serialize)]
struct Tamper {
    code: &'static str,
    verdict: &'static str,
    at: At,
}

#[derive(Debug, Serialize)]
struct At {
    log: String,
    seq: u64,
    entry: String,
}

fn forge(story: &mut Story, out: &Path, workshop: &Workshop<'_>) -> Result<BTreeMap<&'static str, Tamper>, Failure> {
    story.heading("9 Six forgeries, each with manifests that fit, each audited")?;
    let mut found = BTreeMap::new();
    let forgeries = workshop.forge()?;
    for forgery in &forgeries {
        let Forgery { name, what, path, code, entry, log, seq, .. } = forgery;
        let audited = verdict::of(path, workshop.mission.charter.mission())?;
        let verdict = audited.verdict();
        if !audited.findings().iter().any(|finding| forgery.is_named_by(finding.code, &finding.place)) {
            return Err(own_fault(&format!("{name}: no {code} at entry {entry}")));
        }
        if !forgery.allows(verdict) {
            return Err(own_fault(&format!("{name}: the verdict is {verdict}")));
        }
        let at = At { log: log.to_string(), seq: *seq, entry: entry.to_string() };
        found.insert(*name, Tamper { code: code.as_str(), verdict: verdict.as_str(), at });
        story.say(&format!("{what}"))?;
        story.say(&format!("    {verdict}: {code}"))?;
    }
    let codes: BTreeSet<_> = forgeries.iter().map(|forgery| forgery.code).collect();
    if codes.len() != forgeries.len() {
        return Err(own_fault("two forgeries with one reason code"));
    }
    let path = out.join("tamper.json");
    let json = serde_json::to_string_pretty(&found).map_err(|_| own_fault("tamper.json"))?;
    fs::write(&path, format!("{json}\n")).map_err(|error| Failure::output_file(&path, &error))?;
    Ok(found)
}

fn where_to_look(story: &mut Story, out: &Path, mission: &Mission) -> Result<(), Failure> {
    story.heading(&format!("Where to look ({} in all)", story.seconds_in_all()))?;
    let at = |name: &str| out.join(name).display().to_string();
    story.alone(&format!("  the report        {}", at("report/report.html")))?;
    story.alone(&format!("  what was forged   {}, and the copies in {}", at("tamper.json"), at("forged")))?;
    story.alone(&format!("  one of ten homes  merestone record list --home {}", at("devices/a3-phone")))?;
    story.alone("  to audit the bag on any machine, again and alone:")?;
    story.alone(&format!("    merestone-audit {} \\", at("bag")))?;
    story.alone(&format!("      --mission {}", mission.charter.mission()))?;
    story.say("A signature shows who signed what, and in which order. It does not show that it is true.")
}
