//! A phone that meets others: calling, being found, answering.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use merestone_core::key::PublicKey;
use merestone_node::device::{NoReplica, Observer};
use merestone_node::nearby::NearbySearch;
use merestone_node::replica::Replica;

use super::{Open, Phone};
use crate::answering::Answering;
use crate::error::PhoneError;
use crate::log::{LogLevel, say};
use crate::runtime::{blocking, driven, locked};
use crate::sync::{
    Found, NearbyLine, NearbyListener, SyncListener, SyncOptions, SyncReport, SyncState, SyncTarget, progress_teller,
};
use crate::teller::Teller;

/// Most peers that one search names: more than a mission has at one place.
const FOUND_MAX: usize = 256;

#[uniffi::export]
impl Phone {
    /// Meets one peer, again and again where links break, until both hold the same or it is of no use to try again.
    /// Cancelling it ends the link; what came by then is durable.
    ///
    /// # Errors
    /// `Locked` without the observer's key; `Refused` for a target that is none; `Unreachable` where nobody was met after the
    /// last attempt; `Closed` where the phone was suspended meanwhile.
    pub async fn sync_with(
        &self,
        observer: String,
        target: SyncTarget,
        options: SyncOptions,
        listener: Option<Arc<dyn SyncListener>>,
    ) -> Result<SyncReport, PhoneError> {
        let open = self.open()?;
        let prepared = blocking(move || {
            let replica = open.replica(&open.observer(&observer)?)?;
            let at = target.resolve(open.device.mission())?;
            let meet = options.meet(at, open.link_hint());
            Ok((open, replica, meet, options.retry()))
        });
        let (open, replica, meet, retry) = prepared.await.map_err(|error| self.explain(error))?;
        let met = driven(async move {
            let teller = progress_teller(listener);
            let tell = |state: SyncState| {
                if let Some(teller) = &teller {
                    teller.tell(state);
                }
            };
            let outcome = replica.sync_until_done_showing(meet, retry, |state| tell((&state).into())).await?;
            let report = SyncReport::from(&outcome);
            tell(report.state.clone());
            say(LogLevel::Info, "a meeting ended");
            if open.device.store().is_open() || report.is_fully_synced {
                return Ok(report);
            }
            Err(PhoneError::Closed { is_suspended: true, reason: "the phone was suspended during the meeting".into() })
        });
        met.await.map_err(|error| self.explain(error))
    }

    /// Looks for phones and camps of the mission on the networks that this phone is on, for so many milliseconds.
    ///
    /// # Errors
    /// `Locked` without the observer's key; `Unreachable` where the system lets nobody look.
    pub async fn find_nearby(
        &self,
        observer: String,
        for_ms: u32,
        listener: Option<Arc<dyn NearbyListener>>,
    ) -> Result<Vec<NearbyLine>, PhoneError> {
        let open = self.open()?;
        let prepared = blocking(move || {
            let replica = open.replica(&open.observer(&observer)?)?;
            Ok((open, replica))
        });
        let (open, replica) = prepared.await.map_err(|error| self.explain(error))?;
        driven(async move {
            let teller = listener.and_then(|listener| {
                Teller::start(move |found: Found| found.0.into_iter().for_each(|peer| listener.on_found(peer)))
            });
            let mut search = NearbySearch::begin(&open.device, &replica)?;
            let mut found = Vec::new();
            let until = tokio::time::Instant::now() + Duration::from_millis(for_ms.into());
            while found.len() < FOUND_MAX
                && let Ok(Some(peer)) = tokio::time::timeout_at(until, search.next()).await
            {
                let line = NearbyLine::from(&peer);
                if let Some(teller) = &teller {
                    teller.tell(Found(vec![line.clone()]));
                }
                found.push(line);
            }
            Ok(found)
        })
        .await
    }

    /// Answers every peer that calls `address`, `ADDRESS:PORT` (`0.0.0.0:0` for any), until it is stopped, let go of, or the
    /// phone is suspended. With `is_advertised` others find it by `find_nearby`, where the system lets it speak.
    ///
    /// # Errors
    /// `Locked` without the observer's key; `Refused` for an address that is none; `Unreachable` where it cannot be had.
    pub async fn serve(
        &self,
        observer: String,
        address: String,
        is_advertised: bool,
    ) -> Result<Arc<Answering>, PhoneError> {
        let open = self.open()?;
        let prepared = blocking(move || {
            let observer = open.observer(&observer)?;
            let address: SocketAddr =
                address.parse().map_err(|_| PhoneError::refused("address", "write ADDRESS:PORT, as 0.0.0.0:0"))?;
            Ok((open.replica(&observer)?, open, observer, address))
        });
        let (replica, open, observer, address) = prepared.await.map_err(|error| self.explain(error))?;
        let begun =
            driven(
                async move { Answering::begin(Arc::clone(&open.device), &replica, observer, address, is_advertised) },
            );
        begun.await.map_err(|error| self.explain(error))
    }

    /// Lets meetings go on from another network: to be called when the system says that the phone changed it. `local` is its
    /// new address, if the system told it.
    ///
    /// # Errors
    /// `Refused` for an address that is none; `Unreachable` where a meeting found no socket there: it stays where it was.
    pub async fn network_changed(&self, local: Option<String>) -> Result<(), PhoneError> {
        let open = self.open()?;
        let local = local.map(|local| local.parse::<IpAddr>()).transpose();
        let local = local.map_err(|_| PhoneError::refused("address", "an address is written as numbers"))?;
        driven(async move { Ok(open.device.network_changed(local)?) }).await
    }
}

impl Open {
    /// What carries this phone's store in an observer's name: one for all calls, so that meetings under way pass on to each
    /// other what comes in. The key must be unlocked.
    pub(crate) fn replica(&self, observer: &PublicKey) -> Result<Replica, PhoneError> {
        let now = self.device.observers().into_iter().find(|one| one.key == *observer);
        if let Some(replica) = self.replica_of(observer, now.as_ref()) {
            return Ok(replica);
        }
        // Without the list: beginning may sign, and a keystore may wait for a person.
        let replica = self.device.replica(observer)?;
        if let Some(other) = self.replica_of(observer, now.as_ref()) {
            return Ok(other);
        }
        let mut replicas = locked(&self.replicas);
        // Who fell asleep has emptied the list after closing, or will.
        if !self.device.store().is_open() {
            return Err(NoReplica::Closed.into());
        }
        replicas.extend(now.map(|now| (now, replica.clone())));
        Ok(replica)
    }

    /// The one that is at work for an observer who still is as it was then.
    fn replica_of(&self, observer: &PublicKey, now: Option<&Observer>) -> Option<Replica> {
        let mut replicas = locked(&self.replicas);
        replicas.retain(|(seen, _)| seen.key != *observer || Some(seen) == now.filter(|one| one.is_unlocked));
        replicas.iter().find(|(seen, _)| seen.key == *observer).map(|(_, replica)| replica.clone())
    }

    /// The link as the app says it is.
    fn link_hint(&self) -> Option<crate::provided::LinkHint> {
        let hint = self.connectivity.as_ref()?.hint();
        if hint.is_err() {
            say(LogLevel::Warning, "the app's connectivity provider failed; the link is taken for a free one");
        }
        hint.ok()
    }
}
