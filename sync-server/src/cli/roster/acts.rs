//! Whether, and from where on, a cut of one party acts on what is final.

use std::collections::BTreeSet;
use std::fmt;

use merestone_core::roster::{Cut, CutBy, Roster, Shown};
use serde::Serialize;

/// Who else holds a cut of one party, and from which leaf of the ledger on it acts on what is final.
#[derive(Serialize)]
pub(in crate::cli) struct ActsShown {
    acknowledged_by: Vec<u64>,
    needed: usize,
    /// Other parties that have a camp, a reviewer or an arbiter, who alone can say so.
    able: usize,
    from_leaf: Option<u64>,
}

impl ActsShown {
    /// Of one cut; `None` of one that several parties agreed to, and where nothing becomes final.
    pub(in crate::cli) fn of(roster: &Roster, in_ledger: &Shown, cut: &Cut) -> Option<Self> {
        let CutBy::Party(of) = cut.by() else { return None };
        let needed = roster.acknowledgements_needed()?;
        let parties: BTreeSet<u64> = roster.acknowledgements_of(cut.id()).map(|held| held.party().0).collect();
        let could = roster.certificates().filter(|held| held.role().grants_acknowledgements());
        let able: BTreeSet<u64> = could.map(|held| held.party().0).filter(|party| *party != of.0).collect();
        let from = in_ledger.acts_from(roster, cut);
        let from_leaf = Some(from).filter(|from| *from != u64::MAX);
        Some(Self { acknowledged_by: parties.into_iter().collect(), needed, able: able.len(), from_leaf })
    }

    /// Whether it acts on nothing that is final, and cannot before another party certifies somebody who can say that it
    /// holds it.
    pub(in crate::cli) fn is_stuck(&self) -> bool {
        self.from_leaf.is_none() && self.able < self.needed
    }
}

/// When it acts, in words.
impl fmt::Display for ActsShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged_by, needed, able, from_leaf } = self;
        let said = acknowledged_by.len();
        match from_leaf {
            Some(leaf) => write!(f, "acts on what the ledger got after leaf {leaf}"),
            None if self.is_stuck() => {
                let must = if *needed == 1 { "one other party".to_owned() } else { format!("{needed} other parties") };
                let can = match able {
                    0 => "none has".to_owned(),
                    1 => "one alone has".to_owned(),
                    able => format!("{able} alone have"),
                };
                write!(f, "{must} must hold it, and {can} a camp, reviewer or arbiter to say so: what is final stays")
            }
            None if said >= *needed => {
                write!(f, "{said} other parties hold it; it acts on what is final once a final checkpoint shows that")
            }
            None => write!(
                f,
                "{said} of {needed} other parties have said that they hold it; until then it acts on nothing that is final"
            ),
        }
    }
}
