//! Conversations with other devices: base camp that answers many, and one meeting of two.
//!
//! The rules are in `merestone-node` and `merestone-core`. Here a device, a replica of it and an endpoint are put
//! together, and what happens is told.

mod mirror;
mod outcome;
mod sockets;
mod watch;

pub(crate) use mirror::Mirrors;
pub(crate) use outcome::{OutcomeShown, PersonShown, end_of};
pub(crate) use sockets::{PORT, bind, reachable, ticket};
pub(crate) use watch::{Event, Teller, answer, asked_to_stop};

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::sync::Arc;

use merestone_core::roster::Role;
use merestone_node::Device;
use merestone_node::device::{Observer, ObserverState};
use merestone_node::nearby::Advertising;
use merestone_node::replica::Replica;
use tracing_subscriber::EnvFilter;

use crate::exit::{Code, Failure};

/// The runtime that carries conversations.
///
/// # Errors
/// If the system gives no threads.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|_| {
        Failure::new(Code::Storage, "the system gives no threads for the network; end other programs and try again")
    })
}

/// Writes what happens to standard error: warnings, and more if `MERESTONE_LOG` asks for it (`info`, `debug`).
pub(crate) fn log() {
    let wanted = EnvFilter::try_from_env("MERESTONE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let is_coloured = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
    let log = tracing_subscriber::fmt().with_env_filter(wanted).with_writer(io::stderr).with_ansi(is_coloured);
    // Fails only if a log was begun already, which then goes on.
    let _ = log.try_init();
}

/// Says on the local networks that the replica answers; `None` when asked not to, when only this machine could hear
/// it, or when the system lets nobody (base camp answers all the same).
pub(crate) fn advertise(
    device: &Arc<Device>,
    replica: &Replica,
    bound: SocketAddr,
    is_quiet: bool,
) -> Option<Advertising> {
    if is_quiet || bound.ip().is_loopback() {
        return None;
    }
    let begun = Advertising::begin(device, replica, bound);
    begun.inspect_err(|error| tracing::warn!("nobody nearby can find this device by itself: {error}")).ok()
}

/// The key of base camp on a device that holds nobody else's: base camp can write in nobody's name.
///
/// # Errors
/// If the device has no certificate of role *camp*, or is somebody's own.
pub(crate) fn camp_key(device: &Arc<Device>) -> Result<Observer, Failure> {
    let bad = |line: String| Failure::new(Code::BadInput, line);
    let mut camp = None;
    for observer in device.observers() {
        match &observer.state {
            ObserverState::Certified { role: Role::Camp, .. } => camp = Some(observer),
            ObserverState::Requested | ObserverState::Cut { .. } => {}
            ObserverState::Certified {
                role: Role::Observer | Role::Reviewer | Role::Arbiter | Role::Auditor, ..
            } => {
                let line = "holds a key that is not base camp's; base camp gets a folder of its own";
                return Err(bad(format!("{} {line}", device.home().folder.display())));
            }
        }
    }
    camp.ok_or_else(|| {
        bad("base camp has no certificate yet; an officer issues one with `merestone roster certify --role camp`"
            .to_owned())
    })
}
