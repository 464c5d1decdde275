//! What each scope lacks and why, and who said to hold a copy: as lines.

use std::fmt::{self, Write as _};

use merestone_core::audit::custody::ScopeFacts;
use merestone_core::audit::logs::LogSummary;

use crate::Report;
use crate::show;

/// Erasures that are shown.
const ERASURES_SHOWN: usize = 20;

/// What was withheld and erased, per scope, and why.
pub(super) fn scopes(report: &Report, out: &mut String) -> fmt::Result {
    let facts = &report.facts;
    if facts.by_scope.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nScopes")?;
    for ScopeFacts { scope, is_claimed, logs, entries, withheld, erased, left_out } in &facts.by_scope {
        let name = show::scope_name(facts, *scope);
        if !is_claimed && *logs == 0 {
            writeln!(out, "  {name}: not claimed by this bag")?;
            continue;
        }
        write!(out, "  {name}: {entries} entries in {logs} logs, {withheld} bodies not there")?;
        if *erased > 0 {
            write!(out, ", {erased} of them erased by the parties")?;
        }
        if *left_out > 0 {
            write!(out, ", {left_out} entries left out")?;
        }
        writeln!(out)?;
    }
    for erasure in facts.erasures.iter().take(ERASURES_SHOWN) {
        writeln!(out, "  erased: {}", show::erasure(facts, erasure))?;
    }
    if let Some(more) = facts.erasures.len().checked_sub(ERASURES_SHOWN).filter(|more| *more > 0) {
        writeln!(out, "  and {more} more erasures")?;
    }
    Ok(())
}

/// Who said to hold a copy of a log, by receipts.
pub(super) fn copies(report: &Report, log: &LogSummary, out: &mut String) -> fmt::Result {
    for copy in show::copies(&report.facts, log.log) {
        writeln!(out, "               held by {copy}")?;
    }
    Ok(())
}
