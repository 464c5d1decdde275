//! The charter in force in `report.json`, written and read.

use merestone_core::audit::charter::{AmendmentShown, CharterInForce};
use merestone_core::id::{CharterId, StatementId};
use merestone_core::roster::PartyNumber;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct InForce {
    id: String,
    /// How many led to it.
    amendments: u64,
    frozen: bool,
    /// Every amendment of the bag, in force or not.
    held: Vec<Amendment>,
}

#[derive(Serialize, Deserialize)]
struct Amendment {
    amendment: String,
    predecessor: String,
    charter: String,
    parties: Vec<u64>,
    instead: Vec<String>,
    needed: u64,
}

impl InForce {
    pub(super) fn of(charter: &CharterInForce) -> Self {
        let CharterInForce { id, amendments, is_frozen, held } = charter;
        let held = held.iter().map(Amendment::of).collect();
        Self { id: id.to_string(), amendments: *amendments, frozen: *is_frozen, held }
    }

    /// What the report says; `None` if an id is none.
    pub(crate) fn read(&self) -> Option<CharterInForce> {
        let Self { id, amendments, frozen, held } = self;
        let held = held.iter().map(Amendment::read).collect::<Option<_>>()?;
        Some(CharterInForce { id: CharterId::from_hex(id)?, amendments: *amendments, is_frozen: *frozen, held })
    }
}

impl Amendment {
    fn of(shown: &AmendmentShown) -> Self {
        let AmendmentShown { id, predecessor, charter, parties, instead, needed } = shown;
        Self {
            amendment: id.to_string(),
            predecessor: predecessor.to_string(),
            charter: charter.to_string(),
            parties: parties.iter().map(|party| party.0).collect(),
            instead: instead.iter().map(ToString::to_string).collect(),
            needed: *needed,
        }
    }

    fn read(&self) -> Option<AmendmentShown> {
        let Self { amendment, predecessor, charter, parties, instead, needed } = self;
        Some(AmendmentShown {
            id: StatementId::from_hex(amendment)?,
            predecessor: CharterId::from_hex(predecessor)?,
            charter: CharterId::from_hex(charter)?,
            parties: parties.iter().map(|party| PartyNumber(*party)).collect(),
            instead: instead.iter().map(|id| CharterId::from_hex(id)).collect::<Option<_>>()?,
            needed: *needed,
        })
    }
}
