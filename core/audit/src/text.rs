//! The report as lines: verdict, findings, who signed how much, and what none of it says.

use std::fmt::{self, Write as _};

use crate::Report;
use crate::folder::printable;
use crate::show;

mod held;

/// Checkpoints that are shown, the newest first.
const CHECKPOINTS_SHOWN: usize = 5;

pub(crate) fn write(report: &Report) -> String {
    let mut out = String::new();
    all(report, &mut out).expect("a String takes every text");
    out
}

fn all(report: &Report, out: &mut String) -> fmt::Result {
    let facts = &report.facts;
    let name = facts.charter.as_ref().map_or_else(String::new, |charter| format!("  {}", printable(&charter.name)));
    let (complete, charter) = (show::completeness(facts), show::charter(facts));
    writeln!(out, "{}  {} pass; {complete}; {charter}", facts.verdict(), facts.pass.as_str())?;
    writeln!(out, "mission {}{name}", facts.mission)?;
    show::findings(&facts.findings, out)?;
    counts(report, out)?;
    checkpoints(report, out)?;
    held::scopes(report, out)?;
    people(report, out)?;
    list(out, "Checked", &show::checked(facts.pass))?;
    list(out, "Not checked", &show::not_checked(facts))?;
    writeln!(out, "\nTime\n  {}.", show::time_grounds(facts))?;
    list(out, "Signatures", &show::SIGNATURES)
}

fn list(out: &mut String, title: &str, lines: &[&str]) -> fmt::Result {
    writeln!(out, "\n{title}")?;
    lines.iter().try_for_each(|line| writeln!(out, "  {line}"))
}

fn counts(report: &Report, out: &mut String) -> fmt::Result {
    let counts = &report.facts.counts;
    writeln!(out, "\nCounts")?;
    let rows = [
        ("entries", counts.entries),
        ("logs", counts.logs),
        ("records", counts.records),
        ("answers in conflict", counts.conflicts),
        ("bodies not in the bag", counts.bodies_withheld),
        ("erased, headers only", counts.bodies_erased),
        ("covered by a cut", counts.covered),
        ("in the ledger under a checkpoint", counts.in_ledger),
        ("leaves of the ledger", counts.leaves),
        ("photos and renditions", counts.photos),
        ("certificates", counts.certificates),
        ("cuts", counts.cuts),
        ("erasures", counts.erasures),
        ("receipts", counts.receipts),
        ("forms", counts.forms),
        ("files", counts.files),
    ];
    for (name, count) in rows {
        writeln!(out, "  {count:>9}  {name}")?;
    }
    for (standing, count) in &report.facts.standings {
        writeln!(out, "  {count:>9}  entries {standing}")?;
    }
    Ok(())
}

fn checkpoints(report: &Report, out: &mut String) -> fmt::Result {
    let notes = &report.facts.notes;
    if notes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nCheckpoints")?;
    for note in notes.iter().rev().take(CHECKPOINTS_SHOWN) {
        writeln!(out, "  {:>9}  leaves, {}; {}", note.size, note.state.code(), note.tally)?;
        writeln!(out, "             root {}", show::hex(&note.root))?;
    }
    if let Some(more) = notes.len().checked_sub(CHECKPOINTS_SHOWN).filter(|more| *more > 0) {
        writeln!(out, "  and {more} smaller ones")?;
    }
    Ok(())
}

fn people(report: &Report, out: &mut String) -> fmt::Result {
    let facts = &report.facts;
    writeln!(out, "\nWho signed")?;
    let mut party = None;
    for person in &facts.people {
        if party.replace(person.party) != Some(person.party) {
            writeln!(out, "  {}", show::party_name(facts, person.party))?;
        }
        let cut = if person.is_cut { ", key cut" } else { "" };
        let device = printable(&person.device);
        let observer = printable(&person.observer);
        writeln!(
            out,
            "  {:>9}  {observer} on {device} ({}{cut}), receipts {}",
            person.entries,
            person.role.name(),
            person.receipts
        )?;
        if let Some(attestation) = &person.attestation {
            writeln!(out, "             {attestation}")?;
        }
        if let Some(key) = &person.replaces {
            writeln!(out, "             asked to follow key {}", show::hex(key))?;
        }
        for log in facts.logs.iter().filter(|log| person.logs.contains(&log.log)) {
            let scope = log.owner.map_or_else(String::new, |owner| show::scope_name(facts, owner.scope));
            writeln!(out, "             log {}  {scope}, {} entries, height {}", log.log, log.entries, log.height)?;
            if let Some((seq, head)) = log.top {
                writeln!(
                    out,
                    "               head {head} at seq {seq}; {} in the ledger, {} of them final",
                    log.in_ledger, log.in_final
                )?;
            }
            held::copies(report, log, out)?;
        }
    }
    Ok(())
}
