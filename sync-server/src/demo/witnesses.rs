//! A witness of each party, asked over HTTP: what they cosigned is final, and nobody can be shown another history.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use merestone_core::checkpoint::Checkpoint;
use merestone_core::key::SigningKey;
use merestone_core::witness::{Confirmation, Tally, Witnesses as Counted};
use merestone_node::replica::Camp;

use super::mission::{Mission, PARTIES, own_fault};
use crate::exit::Failure;
use crate::http::{HttpServer, Url, witness_routes};
use crate::witness::{Begin, Witness, ask};

/// How often everybody is asked until a checkpoint over everything is final: the first round confirms that the ledger lost
/// nothing, the second cosigns what was signed early, the third what came in since.
const ROUNDS_MAX: usize = 4;

/// The witnesses, answering.
pub(super) struct Witnesses {
    answering: Vec<Answering>,
}

struct Answering {
    // Ends with the struct.
    _server: HttpServer,
    url: Url,
    /// Leaves of the checkpoint that it cosigned last.
    old: u64,
}

impl Witnesses {
    /// Lets each party's witness answer on the loopback interface; `keys` are in the order of the parties.
    ///
    /// # Errors
    /// If one cannot keep its state, or there is no port.
    pub(super) async fn begin(folder: &Path, mission: &Mission, keys: Vec<SigningKey>) -> Result<Self, Failure> {
        let ledger = mission.charter.charter().ledger.clone().ok_or_else(|| own_fault("a mission without a ledger"))?;
        let mut answering = Vec::new();
        for (name, key) in PARTIES.iter().zip(keys) {
            let state = folder.join(format!("{}-witness", name.to_lowercase().replace(' ', "-")));
            let witness = Arc::new(Witness::open(key, ledger.clone(), &state, &Begin::New)?);
            let server = HttpServer::begin(([127, 0, 0, 1], 0).into(), witness_routes(witness) as Router).await?;
            let url = Url::read(&format!("http://{}", server.address())).map_err(|why| own_fault(&why))?;
            answering.push(Answering { _server: server, url, old: 0 });
        }
        Ok(Self { answering })
    }

    /// Asks them until a checkpoint over all that the camp holds is final; gives it, and who cosigned.
    ///
    /// # Errors
    /// If a witness refuses, or it does not come to that.
    pub(super) async fn confirm(&mut self, camp: &Arc<Camp>) -> Result<(Checkpoint, Tally), Failure> {
        for _ in 0..ROUNDS_MAX {
            for Answering { url, old, .. } in &mut self.answering {
                ask(camp, url, old).await.map_err(|trouble| own_fault(&format!("a witness: {trouble}")))?;
            }
            if camp.checkpoint()?.is_some() {
                continue;
            }
            let roster = camp.replica().authority().roster();
            let Some(counted) = Counted::of(roster.charter().charter()) else { continue };
            let Some(note) = roster.newest_shown_note() else { continue };
            let tally = counted.tally(&roster.cosigned(note));
            if tally.confirmation == Confirmation::Final && Some(note.size()) == camp.ledger_size() {
                return Ok((note.clone(), tally));
            }
        }
        Err(own_fault("no checkpoint over everything became final"))
    }
}
