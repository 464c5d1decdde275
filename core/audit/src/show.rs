//! Words and numbers of a report, said the same way in every form of it.

use std::fmt::{self, Write as _};

use merestone_core::audit::charter::CharterInForce;
use merestone_core::audit::custody::ErasureFacts;
use merestone_core::audit::detail::Said;
use merestone_core::audit::ledger::{AsOf, Completeness, LeftOutCounts};
use merestone_core::audit::times::Bounded;
use merestone_core::audit::{Findings, Pass, Place, Report as Facts, Weight, explain};
use merestone_core::bounds::{Bound, Bounds};
use merestone_core::entry::{Clock, ClockSource, Kind, Place as Spot, PlaceSource};
use merestone_core::erasure::ErasureReason;
use merestone_core::id::{LogId, ScopeId};
use merestone_core::roster::PartyNumber;

use crate::folder::printable;

/// Most scopes that are named in one line.
const SCOPES_NAMED: usize = 8;

/// Whether something was left out, in one line.
pub(crate) fn completeness(facts: &Facts) -> String {
    let as_of = match &facts.completeness {
        Completeness::NotAssessed(why) => return format!("completeness not assessed: {why}"),
        Completeness::AsOf(as_of) => as_of,
    };
    let AsOf { size, note: _, tally, newer, scopes, left_out, not_after, beyond, seen_beyond, displaced } =
        as_of.as_ref();
    let is_whole = *left_out == LeftOutCounts::default();
    let mut line = if is_whole { "complete".to_owned() } else { "NOT complete".to_owned() };
    line.push_str(&format!(
        " as of checkpoint {size} ({}) for {}",
        tally.confirmation.code(),
        scopes_named(facts, scopes.as_deref())
    ));
    if !is_whole {
        let LeftOutCounts { entries, logs, statements } = left_out;
        line.push_str(&format!(": {entries} entries, {statements} statements left out, {logs} logs of them whole"));
    }
    if *displaced > 0 {
        line.push_str(&format!("; {displaced} displaced entries of it are not here"));
    }
    if let Some(newer) = newer {
        line.push_str(&format!("; the leaves reach checkpoint {newer}, which is not final"));
    }
    match not_after {
        Some(bound) => line.push_str(&format!("; there {}", end("by", bound))),
        None => line.push_str("; no witness says by when"),
    }
    if *beyond > 0 {
        line.push_str(&format!("; {beyond} entries of the bag are not in it"));
    }
    if *seen_beyond > 0 {
        line.push_str(&format!("; {seen_beyond} entries name checkpoints that the bag's leaves do not reach"));
    }
    line
}

fn scopes_named(facts: &Facts, scopes: Option<&[ScopeId]>) -> String {
    let all = || facts.charter.iter().flat_map(|charter| &charter.scopes).map(|(id, _)| *id).collect();
    let (list, word): (Vec<ScopeId>, &str) =
        scopes.map_or_else(|| (all(), "all scopes"), |some| (some.to_vec(), "scopes"));
    let mut names: Vec<String> = list.iter().take(SCOPES_NAMED).map(|scope| scope_name(facts, *scope)).collect();
    if list.len() > SCOPES_NAMED {
        names.push(format!("{} more", list.len() - SCOPES_NAMED));
    }
    format!("{word}: {}", names.join(", "))
}

/// Findings of one code that are shown as lines; JSON lists more.
const PLACES_SHOWN: usize = 10;

/// The findings as lines: of each code how many, what it means, and the first places.
pub(crate) fn findings(found: &Findings, out: &mut String) -> fmt::Result {
    if found.counts().next().is_none() {
        return writeln!(out, "\nFindings: none");
    }
    writeln!(out, "\nFindings")?;
    let all: Vec<_> = found.iter().collect();
    for (weight, code, count) in found.counts() {
        let times = if count == 1 { String::new() } else { format!(", {count} times") };
        writeln!(out, "  {:<8} {code}{times}", weight.as_str())?;
        if let Some(explanation) = explain(code.as_str()) {
            writeln!(out, "           {}", explanation.meaning)?;
        }
        // Of what every bag has the first places are enough.
        let shown = if weight == Weight::Note && count > PLACES_SHOWN as u64 { 3 } else { PLACES_SHOWN };
        let own = all.iter().filter(|finding| finding.code == code && finding.weight == weight);
        for finding in own.take(shown) {
            writeln!(out, "           · {}: {}", printable(&place(&finding.place)), finding.detail)?;
        }
        if count > shown as u64 {
            writeln!(out, "           · and {} more", count - shown as u64)?;
        }
    }
    Ok(())
}

/// Which charter the bag was judged by, in a few words.
pub(crate) fn charter(facts: &Facts) -> String {
    let Some(CharterInForce { id, amendments, is_frozen, held: _ }) = facts.charter.as_ref().map(|it| &it.in_force)
    else {
        return "no charter read".to_owned();
    };
    let in_force = charter_in_force(&id.to_string(), *amendments);
    format!("charter {in_force}{}", if *is_frozen { ", FROZEN by rival amendments" } else { "" })
}

/// A charter's id, and what led to it.
pub(crate) fn charter_in_force(id: &str, amendments: u64) -> String {
    match amendments {
        0 => format!("{id}, as founded"),
        1 => format!("{id}, 1 amendment"),
        more => format!("{id}, {more} amendments"),
    }
}

/// What the verdict does not rest on.
pub(crate) fn not_checked(facts: &Facts) -> Vec<&'static str> {
    let mut list = vec!["time: device clocks are shown and decide nothing"];
    match &facts.completeness {
        Completeness::NotAssessed(_) => list.push("completeness: nothing in the bag shows that nothing was left out"),
        Completeness::AsOf(as_of) => {
            list.push(
                "entries that no camp had logged when the checkpoint was signed: the ledger knows nothing of them",
            );
            if as_of.scopes.is_some() {
                list.push("logs of scopes that the bag does not claim: whether any was left out");
            }
        }
    }
    let pass = facts.pass;
    if pass == Pass::Fast {
        list.extend([
            "what bodies say, changes, claims and records: use the full pass",
            "photos: only whether files are there",
        ]);
    }
    list.push("pixels: photos and thumbnails are compared by hash and never decoded");
    list
}

/// What was checked, by pass.
pub(crate) fn checked(pass: Pass) -> Vec<&'static str> {
    let mut list = vec![
        "fast: charter, certificates, cuts, erasures, receipts and checkpoint notes against the mission id",
        "fast: the ledger's leaves against every checkpoint, and every entry and statement against the leaves, as far as they are there",
        "fast: every entry's canonical form, signature, body hash, place in its chain, and its key's certificate",
        "fast: every log against the receipts, cuts and later logs that name its entries",
        "fast: files against the manifests, which find accidents and prove nothing",
    ];
    if pass == Pass::Full {
        list.extend([
            "full: every body, change and claim, and for every record what is applied and what is not",
            "full: every photo and rendition against the hash, size and chunk root in the entry that names it",
        ]);
    }
    list
}

/// What a signature says, and what it does not.
pub(crate) const SIGNATURES: [&str; 2] = [
    "A valid signature says that the holder of this key signed these bytes, after the entry before it in the log.",
    "It does not say that the content is true, when it was made, that nothing else was seen, or who held the device.",
];

/// Why the parties erased something, in their words.
pub(crate) fn erasure_reason(reason: ErasureReason) -> &'static str {
    match reason {
        ErasureReason::Privacy => "the privacy of a person",
        ErasureReason::Safety => "the safety of a person",
        ErasureReason::Unlawful => "unlawful content",
        ErasureReason::Court => "a court ordered it",
    }
}

/// An erasure in one line.
pub(crate) fn erasure(facts: &Facts, erasure: &ErasureFacts) -> String {
    let ErasureFacts { id: _, record, is_photo, reason, parties } = erasure;
    let by: Vec<String> = parties.iter().map(|party| party_name(facts, *party)).collect();
    let what = if *is_photo { "a photo of record" } else { "record" };
    format!("{what} {record}, by {}, because of {}", by.join(" and "), erasure_reason(*reason))
}

/// Who said, with a receipt, to hold a log, and how much of it.
pub(crate) fn copies(facts: &Facts, log: LogId) -> impl Iterator<Item = String> {
    facts.holders.iter().filter(move |copy| copy.log == log).map(|copy| {
        let missing =
            if copy.bodies_missing > 0 { format!(", {} without bodies", copy.bodies_missing) } else { String::new() };
        let (observer, device) = (printable(&copy.observer), printable(&copy.device));
        format!("{observer} on {device} ({}): {} entries{missing}", party_name(facts, copy.party), copy.height)
    })
}

/// Between which times, in one line; empty where nothing is said.
pub(crate) fn bounds(bounds: &Bounds) -> String {
    let ends = [("not before", &bounds.not_before), ("not after", &bounds.not_after)];
    let ends = ends.into_iter().filter_map(|(word, bound)| Some(end(word, bound.as_ref()?)));
    ends.collect::<Vec<_>>().join("; ")
}

/// One end of an interval, and whose witnesses say so.
fn end(word: &str, bound: &Bound) -> String {
    let wall_ms = i64::try_from(bound.time).unwrap_or(i64::MAX).saturating_mul(1_000);
    let clock = Clock { wall_ms, uptime_ms: 0, boot: [0; 8], offset_min: 0, source: ClockSource::Network };
    let parties: Vec<String> = bound.by.iter().map(ToString::to_string).collect();
    let trusting = if bound.holds { "" } else { " trusting" };
    format!("{word} {} by{trusting} witnesses of {}", wall(&clock), parties.join(", "))
}

/// The grounds that there are for times.
pub(crate) fn time_grounds(facts: &Facts) -> String {
    let Bounded { both, not_after, not_before, trusting, open } = facts.counts.bounded;
    let grounds = "order comes from chains and from what entries name";
    if both + not_after + not_before + trusting + open == 0 {
        return format!("no witness's time bounds an entry; {grounds}");
    }
    format!(
        "by witnesses' clocks {both} entries were signed between two times, {not_after} before a time, {not_before} after one; for \
         {trusting} there are times of fewer parties than may lie, and for {open} none; {grounds}"
    )
}

pub(crate) fn scope_name(facts: &Facts, scope: ScopeId) -> String {
    let scopes = facts.charter.iter().flat_map(|charter| &charter.scopes);
    scopes.clone().find(|(id, _)| *id == scope).map_or_else(|| scope.to_string(), |(_, name)| printable(name))
}

pub(crate) fn party_name(facts: &Facts, party: PartyNumber) -> String {
    let parties = facts.charter.iter().flat_map(|charter| &charter.parties);
    parties.clone().find(|(number, _)| *number == party).map_or_else(|| party.to_string(), |(_, name)| printable(name))
}

pub(crate) fn kind(kind: Kind) -> String {
    match kind {
        Kind::Change => "change".into(),
        Kind::Receipt => "receipt".into(),
        Kind::HostComment => "host comment".into(),
        Kind::Concurrence => "concurrence".into(),
        Kind::Objection => "objection".into(),
        Kind::Dissent => "dissent".into(),
        Kind::Ruling => "ruling".into(),
        Kind::CoAuthorship => "co-authorship".into(),
        Kind::Unknown(code) => format!("kind {code}"),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// A place in one line: the shortest that still finds it.
pub(crate) fn place(place: &Place) -> String {
    let Place { log, seq, entry, record, statement, leaf, file } = place;
    let mut parts = Vec::new();
    if let Some(entry) = entry {
        parts.push(format!("entry {entry}"));
    }
    if let Some(seq) = seq {
        parts.push(format!("seq {seq}"));
    }
    if let Some(log) = log {
        parts.push(format!("log {log}"));
    }
    if let (Some(record), None) = (record, entry) {
        parts.push(format!("record {record}"));
    }
    if let Some(statement) = statement {
        parts.push(format!("statement {statement}"));
    }
    if let Some(leaf) = leaf {
        parts.push(format!("leaf {leaf}"));
    }
    if let (Some(file), true) = (file, log.is_none() && statement.is_none()) {
        parts.push(file.clone());
    }
    if parts.is_empty() { "the bag".into() } else { parts.join(", ") }
}

/// A value in one line.
pub(crate) fn said(value: &Said) -> String {
    match value {
        Said::Blank => "(asked, left blank)".into(),
        Said::Bool(false) => "no".into(),
        Said::Bool(true) => "yes".into(),
        Said::Int(number) => number.to_string(),
        Said::Text(text) => text.clone(),
    }
}

/// Degrees from units of 10^-7, without floating point.
fn degrees(e7: i32) -> String {
    let (whole, rest) = (e7.unsigned_abs() / 10_000_000, e7.unsigned_abs() % 10_000_000);
    format!("{}{whole}.{rest:07}", if e7 < 0 { "-" } else { "" })
}

pub(crate) fn spot(spot: &Spot) -> String {
    let source = place_source(spot.source);
    format!("{}, {} ± {} m ({source})", degrees(spot.lat_e7), degrees(spot.lon_e7), spot.accuracy_m)
}

pub(crate) fn place_source(source: PlaceSource) -> &'static str {
    match source {
        PlaceSource::Satellite => "satellite",
        PlaceSource::Hand => "by hand",
        PlaceSource::Registry => "registry",
        PlaceSource::Mocked => "flagged as mocked",
    }
}

pub(crate) fn clock_source(source: ClockSource) -> &'static str {
    match source {
        ClockSource::Device => "device",
        ClockSource::Network => "network",
        ClockSource::Satellite => "satellite",
    }
}

/// The time a device's clock showed, in its own offset: proleptic Gregorian, computed here because the report must
/// not depend on the machine's time zone.
pub(crate) fn wall(clock: &Clock) -> String {
    let local_ms = i128::from(clock.wall_ms) + 60_000 * i128::from(clock.offset_min);
    let (days, ms) = (local_ms.div_euclid(86_400_000), local_ms.rem_euclid(86_400_000));
    // Years beyond four digits are shown as what they are: a broken clock.
    if !(-719_162..=2_932_896).contains(&days) {
        return format!("{} ms since 1970", clock.wall_ms);
    }
    let (year, month, day) = civil(days as i64);
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    let offset = clock.offset_min.unsigned_abs();
    let sign = if clock.offset_min < 0 { '-' } else { '+' };
    format!(
        "{year:04}-{month:02}-{day:02} {hours:02}:{minutes:02}:{seconds:02} {sign}{:02}:{:02}",
        offset / 60,
        offset % 60
    )
}

/// Year, month and day of a number of days since 1970-01-01; eras of 400 years from 1 March of year 0.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Whether an answer names where a replayed record was taken from, or on what terms.
pub(crate) fn is_provenance(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or(key).to_ascii_lowercase();
    ["source", "licence", "license", "attribution"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(wall_ms: i64, offset_min: i16) -> String {
        wall(&Clock { wall_ms, uptime_ms: 0, boot: [0; 8], offset_min, source: ClockSource::Device })
    }

    #[test]
    fn device_clocks_are_shown_as_they_were_and_never_panic() {
        assert_eq!(at(0, 0), "1970-01-01 00:00:00 +00:00");
        assert_eq!(at(1_709_164_800_000, 0), "2024-02-29 00:00:00 +00:00");
        assert_eq!(at(1_767_225_599_000, 120), "2026-01-01 01:59:59 +02:00");
        assert_eq!(at(-1_000, -330), "1969-12-31 18:29:59 -05:30");
        assert_eq!(at(253_402_300_799_000, 0), "9999-12-31 23:59:59 +00:00");
        assert_eq!(at(i64::MAX, 1_440), format!("{} ms since 1970", i64::MAX));
        assert_eq!(at(i64::MIN, -1_440), format!("{} ms since 1970", i64::MIN));
    }

    #[test]
    fn degrees_keep_every_digit_and_the_sign() {
        assert_eq!(degrees(-1), "-0.0000001");
        assert_eq!(degrees(512_345_678), "51.2345678");
        assert_eq!(degrees(-1_800_000_000), "-180.0000000");
    }
}
