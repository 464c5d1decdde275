//! Acts 6 to 9: base camp, a lost phone, a bag, and forgeries.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use merestone_core::audit::Verdict;
use merestone_core::audit::ledger::{Completeness, LeftOutCounts};
use merestone_core::key::PublicKey;
use merestone_core::witness::Confirmation;
use merestone_node::bag::{self, WrittenBag};
use serde::Serialize;

use crate::demo::camp::{BaseCamp, Visit};
use crate::demo::cast::{Cast, LEADER_A, LEADER_B, LOST, PARTY_B};
use crate::demo::forge::{Forgery, Workshop};
use crate::demo::loss;
use crate::demo::mission::{Mission, PlacedKeys, own_fault};
use crate::demo::story::Story;
use crate::demo::verdict;
use crate::exit::Failure;
use crate::output::bytes;

/// How often devices that were not fully synced come to base camp again.
const VISITS_AGAIN_MAX: usize = 3;

/// Act 6: everybody comes in over a bad road.
pub(super) async fn come_in(
    story: &mut Story,
    out: &Path,
    cast: &Cast,
    mission: &Mission,
    keys: PlacedKeys,
    seed: Option<u64>,
) -> Result<BaseCamp, Failure> {
    story.heading("6 All devices come to base camp at once, over a road that is cut")?;
    let camp = BaseCamp::open(out, mission, keys, seed).await?;
    // Early, in the middle, and late in what a leader brings.
    let mut bad_roads = BTreeMap::new();
    for (at, parts) in [(LEADER_A, &[20, 4, 3][..]), (LEADER_B, &[10, 3])] {
        let brought = cast.phones[at].device.store().counts()?.blob_bytes;
        bad_roads.insert(at, parts.iter().map(|part| brought / part).collect::<Vec<u64>>());
    }
    let visits = camp.everybody(cast, |_| true, |at| bad_roads.get(&at).cloned().unwrap_or_default()).await?;
    // A photo that camp asked of one device is not asked of another; whose visit ended meanwhile comes again.
    for _ in 0..VISITS_AGAIN_MAX {
        if camp.replica().store().counts()?.blobs_missing == 0 {
            break;
        }
        let is_left = |at: usize| visits.get(at).is_some_and(|visit| !visit.is_fully_synced);
        camp.everybody(cast, is_left, |_| Vec::new()).await?;
    }
    let cuts: u64 = visits.iter().map(|visit| visit.cuts).sum();
    for visit in visits.iter().filter(|visit| visit.cuts > 0) {
        let Visit { name, cuts, links, carried_bytes, lost_bytes, .. } = visit;
        let (carried, lost) = (bytes(*carried_bytes), bytes(*lost_bytes));
        story.say(&format!(
            "{name}: cut {cuts} times, {links} links; {carried} crossed, {lost} were lost and sent again."
        ))?;
    }
    let planned = bad_roads.values().map(Vec::len).sum::<usize>() as u64;
    if cuts < planned {
        return Err(own_fault(&format!("{cuts} cuts of the road where {planned} were planned")));
    }
    let held = camp.replica().store().counts()?;
    if held.blobs_missing > 0 {
        return Err(own_fault("photos are missing at base camp"));
    }
    let (entries, blobs, devices, seconds) = (held.entries, held.blobs, visits.len(), story.seconds());
    story.say(&format!(
        "{cuts} cuts survived: base camp holds all {entries} entries and {blobs} photos and thumbnails"
    ))?;
    story.say(&format!(
        "of {devices} devices ({seconds}). It has no observer's key and can sign nothing in anybody's name."
    ))?;
    Ok(camp)
}

/// Act 7: a key is cut. Gives the key.
pub(super) async fn lose(
    story: &mut Story,
    cast: &Cast,
    mission: &Mission,
    camp: &mut BaseCamp,
) -> Result<PublicKey, Failure> {
    story.heading("7 A phone is lost, and its key is cut")?;
    let (lost, messenger) = (&cast.phones[LOST], &cast.phones[LEADER_B]);
    let loss = loss::cut(mission, PARTY_B, lost, camp.replica().store(), messenger)?;
    // The cut travels like everything else: with whoever comes by.
    let visits = camp.everybody(cast, |at| at == LEADER_A || at == LEADER_B, |_| Vec::new()).await?;
    if !visits.iter().all(|visit| visit.is_fully_synced) {
        return Err(own_fault("not everybody holds the same"));
    }
    if !camp.replica().authority().roster().cuts().any(|held| held.id() == loss.cut.id()) {
        return Err(own_fault("the cut did not reach base camp"));
    }
    let (note, tally) = camp.confirm().await?;
    let receipts = camp.replica().authority().roster().receipts().count();
    let (lines, signed, parties) = (note.size(), tally.signed.len(), tally.quorum.parties);
    let (name, kept, seconds) = (lost.name, loss.kept, story.seconds());
    story.say(&format!(
        "{name}: its {kept} entries up to the cut stay; what it signs from now on is set aside by everybody."
    ))?;
    story.say(&format!(
        "{receipts} receipts say who holds what; base camp signed a checkpoint over {lines} facts ({seconds})."
    ))?;
    story.say(&format!(
        "{}: witnesses of {signed} of {parties} parties cosigned it, and will cosign no other history.",
        tally.confirmation.code()
    ))?;
    Ok(loss.key)
}

/// Act 8: a bag, and what the audit says of it.
pub(super) async fn write_bag(
    story: &mut Story,
    path: &Path,
    camp: BaseCamp,
    mission: &Mission,
) -> Result<(), Failure> {
    story.heading("8 A bag for the auditors")?;
    let camp = camp.close().await;
    let written = bag::write(camp.replica().store(), camp.replica().authority(), None, path)?;
    let WrittenBag { logs, entries, photos, files, bytes: size, left_out, .. } = &written;
    if !left_out.is_empty() {
        return Err(own_fault("something was left out of the bag"));
    }
    let size = bytes(*size);
    story.say(&format!("{entries} entries in {logs} logs, {photos} photos and thumbnails: {files} files, {size}."))?;
    let audited = verdict::of(path, mission.charter.mission())?;
    verdict::write(&audited, &path.with_file_name("report"))?;
    let verdict = audited.verdict();
    if verdict != Verdict::Passed {
        return Err(own_fault(&format!("the untouched bag is {verdict}")));
    }
    let Completeness::AsOf(as_of) = &audited.facts().completeness else {
        return Err(own_fault("a bag that is not complete as of a checkpoint"));
    };
    let (leaves, word) = (as_of.size, as_of.tally.confirmation);
    if word != Confirmation::Final || as_of.left_out != LeftOutCounts::default() {
        return Err(own_fault(&format!("a bag that is complete as of a checkpoint that is {}", word.code())));
    }
    let (word, seconds) = (word.code(), story.seconds());
    story.say(&format!(
        "Audited with the mission id alone: {verdict}, complete as of checkpoint {leaves} ({word}) ({seconds})."
    ))?;
    let records = &audited.facts().records;
    let kinds: BTreeSet<&str> = records.iter().filter_map(|record| record.kind.as_deref()).collect();
    if kinds.len() != mission.forms() {
        return Err(own_fault("a form without a record in the bag"));
    }
    story.say(&format!("The report shows records of all {} forms, each answer with who signed it.", kinds.len()))
}

/// What was found in one forged copy, for `tamper.json`.
#[derive(Debug, Serialize)]
pub(super) struct Tamper {
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

/// Act 9: six forged copies, each audited.
pub(super) fn forge(
    story: &mut Story,
    out: &Path,
    workshop: &Workshop<'_>,
) -> Result<BTreeMap<&'static str, Tamper>, Failure> {
    story.heading("9 Six forged copies, each with manifests that fit again; what the audit found")?;
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
        story.alone(&format!("  {what:<55} {:<7} {code}", verdict.as_str()))?;
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

/// Where everything lies, and how to do the audit again.
pub(super) fn where_to_look(story: &mut Story, out: &Path, mission: &Mission) -> Result<(), Failure> {
    story.heading(&format!("Where to look ({} in all)", story.seconds_in_all()))?;
    let at = |name: &str| out.join(name).display().to_string();
    story.alone(&format!("  the report      {}", at("report/report.html")))?;
    story.alone(&format!("  the forgeries   {}, copies in {}", at("tamper.json"), at("forged")))?;
    story.alone(&format!("  one device      merestone record list --home {}", at("devices/a3-phone")))?;
    story.alone("  to audit the bag on any machine, again and alone:")?;
    story.alone(&format!("    merestone-audit {} \\", at("bag")))?;
    story.alone(&format!("      --mission {}", mission.charter.mission()))?;
    story.say("A signature shows who signed what, and in which order. It does not show that it is true.")
}
