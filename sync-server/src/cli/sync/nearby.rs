//! `merestone sync --nearby`: meeting whoever of the mission answers on the local networks.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use merestone_node::Device;
use merestone_node::nearby::{NearbyPeer, NearbySearch};
use merestone_node::place::Resolved;
use merestone_node::replica::{Replica, Retry};
use serde::Serialize;
use tokio::time::timeout;

use super::{Take, meet, watched};
use crate::camp::{self, OutcomeShown};
use crate::exit::{Code, Failure};
use crate::output::{Report, Screen};

/// How long to listen on when somebody was found: answers of one network come within this time.
const MORE: Duration = Duration::from_millis(1_500);

/// Looks for devices, and meets each of them.
///
/// # Errors
/// If nobody was found, or nobody of those could be reached.
pub(super) async fn meet_all(
    screen: Screen,
    device: &Arc<Device>,
    replica: &Replica,
    look_for: Duration,
    take: Take,
    retry: Retry,
) -> Result<Code, Failure> {
    let found = look(device, replica, look_for).await?;
    if found.is_empty() {
        let line = format!("no device of this mission was found nearby within {} s; ", look_for.as_secs());
        return Err(Failure::new(Code::Unreachable, line + "let the other wait with `merestone sync --wait`"));
    }
    let mut report = NearbyMet { found: found.len(), met: Vec::new(), unreachable: Vec::new() };
    let (mut code, mut last) = (Code::Done, None);
    for NearbyPeer { transport, addresses, speaks_ours } in found {
        if !speaks_ours {
            let line =
                "a device of this mission speaks no version of merestone that this one speaks; update the older one";
            report.unreachable.push(line.to_owned());
            last = Some(Failure::new(Code::Unreachable, line));
            continue;
        }
        let at = Resolved { expected: Some(transport), addresses };
        let ended = match watched(device, meet(replica, at, take, retry)).await {
            Ok(outcome) => {
                report.met.push(OutcomeShown::of(&outcome));
                camp::end_of(&outcome)
            }
            Err(failure) => {
                report.unreachable.push(failure.line().to_owned());
                Err(failure)
            }
        };
        match ended {
            Ok(Code::Done) => {}
            Ok(other) => code = other,
            Err(failure) => last = Some(failure),
        }
    }
    if report.met.is_empty() {
        return Err(last.unwrap_or_else(|| Failure::new(Code::Unreachable, "nobody nearby answered")));
    }
    screen.show(&report)?;
    last.map_or(Ok(code), Err)
}

/// Everybody who is found: `look_for` for the first, then [`MORE`].
async fn look(device: &Device, replica: &Replica, look_for: Duration) -> Result<Vec<NearbyPeer>, Failure> {
    let mut search = NearbySearch::begin(device, replica)?;
    let mut found = Vec::new();
    while let Ok(Some(peer)) = timeout(if found.is_empty() { look_for } else { MORE }, search.next()).await {
        found.push(peer);
    }
    Ok(found)
}

/// Whom the device met.
#[derive(Serialize)]
struct NearbyMet {
    found: usize,
    met: Vec<OutcomeShown>,
    /// Why those who were found could not be met, in one line each.
    unreachable: Vec<String>,
}

impl Report for NearbyMet {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "found    {} nearby", self.found)?;
        for outcome in &self.met {
            outcome.human(out)?;
        }
        for line in &self.unreachable {
            writeln!(out, "missed   {line}")?;
        }
        Ok(())
    }
}
