//! Base camp: everybody comes in over a bad road; receipts, and a checkpoint over everything.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use merestone_core::checkpoint::Checkpoint;
use merestone_core::roster::{Class, Role};
use merestone_core::witness::Tally;
use merestone_link::PeerKey;
use merestone_node::Device;
use merestone_node::device::{Home, System};
use merestone_node::replica::{
    Camp, CampKeys, CampOptions, End, LedgerKey, Meet, ReceiptKey, Replica, Serving, SyncOutcome,
};
use merestone_node::vault::{KeyFiles, UnlockCost, Vault as _};
use merestone_store::StoreKey;
use tokio::task::JoinSet;

use super::cast::Cast;
use super::meet::{LOOPBACK, limits};
use super::mission::{Mission, NEUTRAL, PlacedKeys, own_fault, passphrase};
use super::relay::{Cuts, Relay};
use super::replay::{ReplayClock, entropy};
use super::witnesses::Witnesses;
use crate::exit::{Code, Failure};

/// Base camp, answering.
pub(super) struct BaseCamp {
    camp: Arc<Camp>,
    serving: Serving,
    witnesses: Witnesses,
}

/// What became of one device's way to base camp.
#[derive(Debug, Default)]
pub(super) struct Visit {
    pub(super) name: &'static str,
    /// How often the link was cut.
    pub(super) cuts: u64,
    /// How often the device connected.
    pub(super) links: u64,
    /// Bytes that came through the relay, both directions, everything included.
    pub(super) carried_bytes: u64,
    /// Bytes that disappeared in it.
    pub(super) lost_bytes: u64,
    /// Photo bytes that were handed to the link, all attempts together.
    pub(super) photo_bytes_sent: u64,
    /// Photo bytes that came from base camp.
    pub(super) photo_bytes_received: u64,
    pub(super) entries_sent: u64,
    pub(super) entries_received: u64,
    /// Whether both sides held the same in the end. While others still come in, base camp changes under one's feet.
    pub(super) is_fully_synced: bool,
}

/// A device gives up after so many links: a cut road is one thing, a broken program another.
const LINKS_MAX: u64 = 20;

impl BaseCamp {
    /// Makes base camp and the parties' witnesses in `out` and lets them answer. The neutral body runs the camp and certifies
    /// its key.
    ///
    /// # Errors
    /// If they cannot be made.
    pub(super) async fn open(
        out: &Path,
        mission: &Mission,
        keys: PlacedKeys,
        seed: Option<u64>,
    ) -> Result<Self, Failure> {
        const NAME: &str = "Base camp";
        let PlacedKeys { ledger, witnesses } = keys;
        let home = Home::new(&out.join("camp"));
        let system = System::of(Arc::new(ReplayClock::new([0; 8], 120)), entropy(seed, NAME));
        let device = Device::create(&home, StoreKey::from_bytes([0; 32]), mission.charter.as_bytes(), system)?;
        let vault = KeyFiles::with_cost(&home.keys(), passphrase(), UnlockCost::PHONE);
        let enrolment = device.request(&vault, NAME, "Base camp laptop")?;
        let request = mission.office(NEUTRAL).read_request(&mission.charter, &enrolment.text)?.request;
        let certificate = mission.certify(NEUTRAL, &request, Role::Camp)?;
        device.receive(Class::Certificate, &[certificate.as_bytes().to_vec()])?;
        let keys = vault.unlock(&enrolment.key)?;
        let keys = CampKeys {
            transport: keys.transport,
            receipts: ReceiptKey::new(keys.signer, &certificate)?,
            ledger: Some(LedgerKey::new(Arc::new(ledger), mission.charter.charter().ledger.as_ref())?),
        };
        let options = CampOptions { limits: limits(), ..CampOptions::default() };
        let camp = Arc::new(Camp::open(Arc::clone(device.store()), keys, options)?);
        let serving = camp.serve(camp.replica().bind(LOOPBACK)?)?;
        let witnesses = Witnesses::begin(&out.join("parties"), mission, witnesses).await?;
        Ok(Self { camp, serving, witnesses })
    }

    /// Every device comes in at once, each over its own road; `cuts` says how bad the road of a device is.
    ///
    /// # Errors
    /// If one of them cannot agree with base camp in the end.
    pub(super) async fn everybody(
        &self,
        cast: &Cast,
        is_coming: impl Fn(usize) -> bool,
        cuts: impl Fn(usize) -> Vec<u64>,
    ) -> Result<Vec<Visit>, Failure> {
        let (address, key) = (self.serving.address(), self.camp.replica().transport_key());
        let mut visits = JoinSet::new();
        for (at, phone) in cast.phones.iter().enumerate().filter(|(at, _)| is_coming(*at)) {
            // Longer than a link may be silent: the phone has to connect again.
            let cuts = Cuts { after_bytes: cuts(at), pause: limits().idle + Duration::from_millis(300) };
            let (name, replica) = (phone.name, phone.replica()?);
            visits.spawn(async move { (at, visit(name, replica, address, key, cuts).await) });
        }
        let mut done = Vec::new();
        while let Some(visit) = visits.join_next().await {
            let (at, visit) = visit.map_err(|_| own_fault("a visit to base camp"))?;
            done.push((at, visit?));
        }
        done.sort_by_key(|(at, _)| *at);
        Ok(done.into_iter().map(|(_, visit)| visit).collect())
    }

    /// Takes everything into the ledger and signs a checkpoint over it, which the witnesses of the parties make final.
    ///
    /// # Errors
    /// If the ledger cannot be continued, or a witness refuses.
    pub(super) async fn confirm(&mut self) -> Result<(Checkpoint, Tally), Failure> {
        self.witnesses.confirm(&self.camp).await
    }

    /// What base camp holds.
    pub(super) fn replica(&self) -> &Replica {
        self.camp.replica()
    }

    /// Says good-bye to everybody.
    pub(super) async fn close(self) -> Arc<Camp> {
        self.serving.stop().await;
        self.camp
    }
}

/// Comes in over a road that is cut, and goes on where it was cut, until nothing is left to say.
async fn visit(
    name: &'static str,
    replica: Replica,
    camp: SocketAddr,
    key: PeerKey,
    cuts: Cuts,
) -> Result<Visit, Failure> {
    let relay = Relay::to(camp, cuts).await.map_err(|_| no_socket())?;
    let mut visit = Visit { name, ..Visit::default() };
    loop {
        visit.links += 1;
        match replica.sync_with(Meet::new(relay.address(), key)).outcome().await {
            Ok(outcome) => {
                visit.add(&outcome);
                if outcome.is_fully_synced || matches!(outcome.end, End::Done) {
                    break;
                }
                if !outcome.end.is_worth_retrying() {
                    return Err(own_fault(&format!("{name} at base camp: {}", outcome.end)));
                }
            }
            Err(error) if error.is_worth_retrying() => {}
            Err(error) => return Err(error.into()),
        }
        if visit.links == LINKS_MAX {
            return Err(own_fault(&format!("{name} gave up on the way to base camp")));
        }
    }
    (visit.cuts, visit.carried_bytes, visit.lost_bytes) = (relay.cuts(), relay.bytes(), relay.lost());
    Ok(visit)
}

impl Visit {
    fn add(&mut self, outcome: &SyncOutcome) {
        self.entries_sent += outcome.progress.entries_sent;
        self.entries_received += outcome.progress.entries_received;
        for blobs in &outcome.progress.blobs {
            self.photo_bytes_sent += blobs.bytes_sent;
            self.photo_bytes_received += blobs.bytes_received;
        }
        self.is_fully_synced = outcome.is_fully_synced;
    }
}

fn no_socket() -> Failure {
    Failure::new(Code::Unreachable, "no UDP socket on 127.0.0.1; the demonstration needs the loopback interface")
}
