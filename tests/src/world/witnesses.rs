//! The parties' witnesses: each a laptop that keeps what it cosigned, asked over a wire or by a stick that takes its time.

use std::collections::{BTreeMap, BTreeSet};

use merestone_core::key::SigningKey;
use merestone_core::witness::{Quorum, Refusal, Watched, decide};

use crate::mission::{Mission, witness_seed};

/// When the first cosignature is made, in seconds since 1970: witnesses state no time before 2025.
const BEGIN_S: u64 = 1_764_576_000;

/// One witness.
pub struct Witness {
    /// Its party, from 0.
    pub party: usize,
    /// Its key.
    pub key: SigningKey,
    /// An answer that is on its way back on a stick.
    pub stick: Option<String>,
    watched: Watched,
}

/// All witnesses of a mission, and what they ever cosigned.
#[derive(Default)]
pub struct Witnesses {
    /// One of each party.
    pub all: Vec<Witness>,
    /// The parties whose witness cosigned a text.
    cosigned: BTreeMap<Vec<u8>, BTreeSet<usize>>,
}

impl Witness {
    /// How many leaves it cosigned last.
    pub fn old(&self) -> u64 {
        self.watched.latest.map_or(0, |latest| latest.size)
    }
}

impl Witnesses {
    /// Those that the charter names.
    ///
    /// # Panics
    /// If the charter names no ledger.
    pub fn of(mission: &Mission) -> Self {
        let charter = mission.charter.charter();
        let ledger = charter.ledger.clone().expect("a mission with witnesses has a ledger");
        let witness = |(party, number): (usize, u8)| Witness {
            party,
            key: SigningKey::from_seed(&witness_seed(number)),
            stick: None,
            watched: Watched { ledger: ledger.clone(), latest: None },
        };
        Self { all: (0..charter.parties.len()).zip(0..).map(witness).collect(), cosigned: BTreeMap::new() }
    }

    /// The witness at `at` answers a request, `now_ms` after the world began.
    ///
    /// # Errors
    /// Why it does not cosign.
    pub fn answer(&mut self, at: usize, request: &[u8], now_ms: u64) -> Result<String, Refusal> {
        let witness = &mut self.all[at];
        let accepted = decide(request, std::slice::from_ref(&witness.watched))?;
        witness.watched.latest = Some(accepted.observed());
        self.cosigned.entry(accepted.checkpoint().text().to_vec()).or_default().insert(witness.party);
        Ok(accepted.cosign(&witness.key, time_s(now_ms)).expect("a witness signs with its own key"))
    }

    /// How many parties' witnesses cosigned a text.
    pub fn parties_of(&self, text: &[u8]) -> usize {
        self.cosigned.get(text).map_or(0, BTreeSet::len)
    }

    /// What so many parties need.
    pub fn quorum(&self) -> Quorum {
        Quorum::of(self.all.len())
    }
}

/// The time by every witness's clock, and by the camp's where it writes a question down.
pub fn time_s(now_ms: u64) -> u64 {
    BEGIN_S + now_ms / 1_000
}
