//! Telling how the mirrors of base camp stand; what they do is `merestone-node`'s.

use std::io::{self, Write};
use std::sync::Arc;

use merestone_node::Device;
use merestone_node::mirror::{Mirror, MirrorState, OtherCamp};
use merestone_node::replica::{Replica, SyncProgress};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::outcome::PersonShown;
use crate::exit::Failure;
use crate::output::{Report, Screen};
use merestone_node::place::{Place, Resolved};

/// The conversations that base camp keeps with other camps.
pub(crate) struct Mirrors {
    mirrors: Vec<Mirror>,
    // Ends with the struct.
    _telling: JoinSet<()>,
}

impl Mirrors {
    /// Begins one for each place, and tells what happens.
    ///
    /// # Errors
    /// If a ticket is another mission's, or a host's name is not known.
    pub(crate) fn begin(
        screen: Screen,
        device: &Arc<Device>,
        replica: &Replica,
        places: &[Place],
    ) -> Result<Self, Failure> {
        let (mut mirrors, mut telling) = (Vec::new(), JoinSet::new());
        for place in places {
            let Resolved { expected, addresses } = place.resolve(device.mission())?;
            let camp = addresses.first().map(ToString::to_string).unwrap_or_default();
            let mirror = Mirror::begin(device, replica, OtherCamp { addresses, expected });
            telling.spawn(tell(screen, camp, mirror.state()));
            mirrors.push(mirror);
        }
        Ok(Self { mirrors, _telling: telling })
    }

    /// Says good-bye to every camp.
    pub(crate) async fn stop(self) {
        for mirror in self.mirrors {
            mirror.stop().await;
        }
    }
}

/// What is said of a mirror, once each time it changes.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
struct MirrorShown {
    event: &'static str,
    camp: String,
    state: &'static str,
    who: Option<PersonShown>,
    entries_received: u64,
    entries_sent: u64,
    code: Option<&'static str>,
    why: Option<String>,
    advice: Option<&'static str>,
    again_in_s: Option<u64>,
}

async fn tell(screen: Screen, camp: String, mut states: watch::Receiver<MirrorState>) {
    let mut last = MirrorShown::default();
    loop {
        let state = states.borrow_and_update().clone();
        if let Some(shown) = MirrorShown::of(&camp, &state).filter(|shown| *shown != last) {
            // Whoever reads the output has gone; the camp goes on, and ends for its own reasons.
            let _ = screen.show(&shown);
            last = shown;
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

impl MirrorShown {
    fn of(camp: &str, state: &MirrorState) -> Option<Self> {
        let shown = Self { event: "mirror", camp: camp.to_owned(), ..Self::default() };
        match state {
            MirrorState::Calling => None,
            // Numbers grow all the time; what is said is that everything is there, and how much came.
            MirrorState::Talking(talk) => {
                let SyncProgress { peer, progress, is_fully_synced } = &**talk;
                let who = peer.as_ref().map(|peer| PersonShown::of(&peer.person));
                if !is_fully_synced {
                    return Some(Self { state: "talking", who, ..shown });
                }
                let (entries_received, entries_sent) = (progress.entries_received, progress.entries_sent);
                Some(Self { state: "synced", who, entries_received, entries_sent, ..shown })
            }
            MirrorState::Waiting { code, why, advice, wait } => Some(Self {
                state: "waiting",
                code: Some(code),
                why: Some(why.clone()),
                advice: Some(advice),
                again_in_s: Some(wait.as_secs()),
                ..shown
            }),
        }
    }
}

impl Report for MirrorShown {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let who = self.who.as_ref().map_or_else(|| "another camp".to_owned(), PersonShown::line);
        match (&self.why, self.again_in_s) {
            (Some(why), Some(seconds)) => {
                let advice = self.advice.unwrap_or_default();
                writeln!(out, "mirror     {}: {why}; again in {seconds} s; if it stays so: {advice}", self.camp)
            }
            (Some(_) | None, _) => {
                let (received, sent) = (self.entries_received, self.entries_sent);
                writeln!(out, "mirror     {who} at {}: {}, {received} entries came, {sent} went", self.camp, self.state)
            }
        }
    }
}
