//! Who takes part, and the rounds in which they take turns.

use std::path::PathBuf;
use std::time::Instant;

use merestone_tests::haul::{HAULS, Haul, Sample};

use crate::peers::{PEERS, Peer, Place};
use crate::say;
use crate::table::{Line, Series};

/// What the person asked for.
pub(crate) struct Options {
    /// Works or systems; none: everything.
    pub(crate) only: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) is_long: bool,
    pub(crate) is_json: bool,
}

/// Our own name in the table.
pub(crate) const OURS: &str = "merestone";

/// What we had made durable when we said that we were done.
const DURABILITY: &str = "two processes, SQLite WAL FULL and flushed files on both sides, signatures verified";

impl Options {
    /// Whether every name is a work or a system.
    pub(crate) fn are_known(&self) -> bool {
        let is_known = |name: &String| {
            name == OURS || HAULS.iter().any(|haul| haul.name == name) || PEERS.iter().any(|peer| peer.name == name)
        };
        self.only.iter().all(is_known)
    }

    fn wants_haul(&self, haul: &Haul) -> bool {
        if self.only.is_empty() {
            return !haul.is_long || self.is_long;
        }
        // Who is set beside something needs it in the same rounds.
        let has_peer = PEERS.iter().any(|peer| peer.beside == haul.name && self.wants_peer(peer));
        let is_ours = self.only.iter().any(|name| name == OURS) && (!haul.is_long || self.is_long);
        has_peer || is_ours || self.only.iter().any(|name| name == haul.name)
    }

    fn wants_peer(&self, peer: &Peer) -> bool {
        let is_named = |name: &String| name == peer.name || name == peer.beside;
        (self.only.is_empty() || self.only.iter().any(is_named)) && (!peer.is_long || self.is_long)
    }
}

/// Everybody who takes part.
pub(crate) struct Contest {
    place: Place,
    hauls: Vec<(&'static Haul, Series)>,
    peers: Vec<Candidate>,
    rounds: usize,
}

struct Candidate {
    peer: &'static Peer,
    /// What to run, or why it cannot be.
    program: Result<PathBuf, String>,
    series: Series,
    /// Why rounds are missing.
    trouble: Option<String>,
}

impl Contest {
    /// Builds what is to be built.
    pub(crate) fn prepare(options: &Options) -> Self {
        let place = Place::find();
        let hauls: Vec<_> = HAULS.iter().filter(|haul| options.wants_haul(haul)).collect();
        let peers = PEERS.iter().filter(|peer| options.wants_peer(peer));
        let peers = peers.map(|peer| {
            say(&format!("building {} for {} (minutes the first time)", peer.name, peer.beside));
            let program = peer.build(&place);
            Candidate { peer, program, series: Series::default(), trouble: None }
        });
        let peers = peers.collect();
        Self {
            place,
            hauls: hauls.into_iter().map(|haul| (haul, Series::default())).collect(),
            peers,
            rounds: options.rounds,
        }
    }

    /// Everybody, one after the other, round after round.
    pub(crate) fn run(mut self) -> Vec<Line> {
        let mut troubles = Vec::new();
        for round in 0..self.rounds {
            for (haul, series) in &mut self.hauls {
                if round >= haul.rounds_max {
                    continue;
                }
                match timed(round, OURS, haul.name, || haul.measure()) {
                    Ok(samples) => series.add(round, &samples),
                    Err(why) => troubles.push(Line::absent(haul.name, OURS, &why)),
                }
                for candidate in self.peers.iter_mut().filter(|candidate| candidate.peer.beside == haul.name) {
                    candidate.take_turn(&self.place, round);
                }
            }
        }
        let mut lines = Vec::new();
        for (haul, ours) in &self.hauls {
            lines.extend(ours.lines(OURS, DURABILITY, None));
            for candidate in self.peers.iter().filter(|candidate| candidate.peer.beside == haul.name) {
                lines.extend(candidate.lines(ours));
            }
        }
        lines.extend(troubles);
        lines
    }
}

impl Candidate {
    fn take_turn(&mut self, place: &Place, round: usize) {
        let Ok(program) = &self.program else { return };
        match timed(round, self.peer.name, self.peer.beside, || self.peer.run(place, program)) {
            Ok(samples) => self.series.add(round, &samples),
            Err(why) => self.trouble = Some(why),
        }
    }

    fn lines(&self, ours: &Series) -> Vec<Line> {
        let Peer { name, durability, beside, .. } = self.peer;
        let mut lines = self.series.lines(name, durability, Some(ours));
        let trouble = self.program.as_ref().err().or(self.trouble.as_ref());
        lines.extend(trouble.map(|why| Line::absent(beside, name, why)));
        lines
    }
}

fn timed(
    round: usize,
    system: &str,
    work: &str,
    measure: impl FnOnce() -> Result<Vec<Sample>, String>,
) -> Result<Vec<Sample>, String> {
    let start = Instant::now();
    let result = measure();
    let said = result.as_ref().err().map(|why| format!(": {why}")).unwrap_or_default();
    say(&format!("round {}: {system} {work}: {:.1} s{said}", round + 1, start.elapsed().as_secs_f64()));
    result
}
