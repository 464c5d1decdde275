//! Devices at work in a process of their own, which do what they are told and say what it cost.
//!
//! ```text
//! --site FOLDER…              opens the devices in the folders; answers {"ready": …}
//! --impatient-site FOLDER…    … which notice in half a second that a peer is gone
//! ```
//!
//! Then one order a line on standard input, and one line of JSON for each on standard output:
//!
//! ```text
//! serve                       the first device answers peers: {"address", "key"}
//! meet ADDRESS KEY            every device meets this peer once, all at the same time: one object a device
//! gather ADDRESS KEY          … and stays until it holds the same: others may bring the peer what both miss
//! pull ADDRESS KEY BYTES      the first device meets this peer, cuts the link once that many bytes of photos are durable, and
//!                             says how many bytes of photos had arrived: {"arrived", "is_over"}
//! pull ADDRESS KEY            … and says after each step how many are, until all are
//! live ADDRESS KEY COUNT GAP  saves one inspection after the other while connected, GAP ms apart at most
//! edit COUNT, add COUNT       saves edits of inspections, or new ones, while apart
//! sent                        once no peer is connected: bytes of photos sent to the last one
//! usage                       processor time so far and the most memory
//! holding                     what the first device holds, as counts and digests
//! index                       works out the lists that a person sees
//! checkpoint                  takes everything into the ledger and signs a note
//! ```

use std::ffi::OsString;
use std::io::{self, BufRead as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use merestone_core::id::sha256;
use merestone_core::key::PublicKey;
use merestone_core::roster::Role;
use merestone_link::{LinkLimits, PeerKey};
use merestone_node::Device;
use merestone_node::device::System;
use merestone_node::replica::{Camp, Meet, Replica, Serving};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{SITE, acts};
use crate::corpus;
use crate::mission::{self, Mission};

/// One device and what works in it.
pub(super) struct Member {
    pub(super) device: Arc<Device>,
    pub(super) observer: PublicKey,
    pub(super) replica: Replica,
    camp: Option<Camp>,
}

/// A peer to meet.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) key: PeerKey,
}

impl Peer {
    pub(super) fn meet(self) -> Meet {
        Meet::new(self.address, self.key)
    }

    pub(super) fn stay(self) -> Meet {
        Meet { stay: true, ..self.meet() }
    }
}

/// Works until its input ends.
pub(super) fn main(folders: &[OsString], limits: &LinkLimits) -> ExitCode {
    // Whoever measures may be killed, and nobody would end this process then.
    if set_parent_process_death_signal(Some(Signal::KILL)).is_err() {
        return ExitCode::FAILURE;
    }
    let mission = corpus::found();
    let runtime = Runtime::new().expect("a system with threads");
    let _entered = runtime.enter();
    let members: Vec<Member> = folders.iter().map(|folder| Member::open(&mission, Path::new(folder), limits)).collect();
    let mut serving = None;
    say(&json!({ "ready": members.len() }));
    for order in io::stdin().lock().lines() {
        let Ok(order) = order else { break };
        let words: Vec<&str> = order.split(' ').collect();
        let Some(answer) = obey(&runtime, &mission, &members, &mut serving, &words) else {
            // Nobody may be there to read it.
            let _ = writeln!(io::stderr(), "{SITE}: no such order: {order}");
            return ExitCode::FAILURE;
        };
        say(&answer);
    }
    ExitCode::SUCCESS
}

fn obey(
    runtime: &Runtime,
    mission: &Mission,
    members: &[Member],
    serving: &mut Option<Serving>,
    words: &[&str],
) -> Option<Value> {
    let first = members.first()?;
    Some(match words {
        ["serve"] => {
            let new = first.serve();
            let key = first.replica.transport_key();
            let answer = json!({ "address": new.address().to_string(), "key": hex(key.as_bytes()) });
            *serving = Some(new);
            answer
        }
        ["meet", address, key] => runtime.block_on(acts::meet(members, peer(address, key)?)),
        ["gather", address, key] => runtime.block_on(acts::gather(members, peer(address, key)?)),
        ["pull", address, key] => runtime.block_on(acts::pull(first, peer(address, key)?, &say)),
        ["pull", address, key, bytes] => {
            runtime.block_on(acts::pull_until(first, peer(address, key)?, bytes.parse().ok()?))
        }
        ["live", address, key, count, gap] => {
            let (count, gap_ms) = (count.parse().ok()?, gap.parse().ok()?);
            runtime.block_on(acts::live(mission, first, peer(address, key)?, count, gap_ms))
        }
        ["edit", count] => acts::edit(first, count.parse().ok()?),
        ["add", count] => acts::add(mission, first, count.parse().ok()?),
        ["sent"] => runtime.block_on(acts::sent(serving.as_ref()?)),
        ["usage"] => usage(),
        ["holding"] => acts::holding(first),
        ["index"] => acts::index(first),
        ["checkpoint"] => acts::checkpoint(first.camp.as_ref()?),
        _ => return None,
    })
}

impl Member {
    fn open(mission: &Mission, folder: &Path, limits: &LinkLimits) -> Self {
        let system = System::real(120).expect("a system with a clock");
        let device =
            merestone_node::Device::open(&merestone_node::device::Home::new(folder), mission::store_key(), system);
        let device = Arc::new(device.expect("a device that was made for this"));
        let observer = device.observers().first().expect("one observer each").key;
        device.unlock(&mission::vault(&device), &observer).expect("everybody's passphrase here");
        let replica = device.replica_with(&observer, limits.clone()).expect("the key is unlocked");
        let roster = device.authority().roster();
        let is_camp = roster.certificates_of(observer.as_bytes()).any(|held| held.role() == Role::Camp);
        drop(roster);
        let camp = is_camp.then(|| mission.camp_around(replica.clone()));
        Self { device, observer, replica, camp }
    }

    fn serve(&self) -> Serving {
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let endpoint = self.replica.bind(here).expect("a loopback");
        self.replica.serve(endpoint).expect("an endpoint of its own")
    }
}

fn usage() -> Value {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|text| text.split_whitespace().next()).and_then(|text| text.parse::<f64>().ok());
    json!({ "cpu_s": cpu_s(), "memory_mb": kib.unwrap_or(f64::NAN) * 1024.0 / 1e6 })
}

/// Processor time of this process, all threads, user and system.
pub(super) fn cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn peer(address: &str, key: &str) -> Option<Peer> {
    let bytes = (0..key.len() / 2).map(|at| u8::from_str_radix(key.get(at * 2..at * 2 + 2)?, 16).ok());
    let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    Some(Peer { address: address.parse().ok()?, key: PeerKey::from_bytes(bytes.try_into().ok()?) })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A short name of a set of hashes.
pub(super) fn digest(parts: impl Iterator<Item = Vec<u8>>) -> String {
    let all: Vec<u8> = parts.flatten().collect();
    hex(&sha256(&[&all]))
}

fn say(answer: &Value) {
    let mut out = io::stdout().lock();
    // Whoever does not read any more has ended this process already.
    let _ = writeln!(out, "{answer}");
    let _ = out.flush();
}
