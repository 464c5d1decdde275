//! Level B: devices meet over real links, unmodified QUIC in a network in memory, on one thread in a clock that jumps.
//!
//! Everything but the way of a contact is level A's: the people, the disks, what must hold. A [`gather`]ing is one device
//! that answers and one or more that call it, each over a road of its own, which loses, doubles, reorders and damages
//! datagrams, dies, hears one way only, or moves to another address. What is asked of it afterwards stands in `judge`.
//!
//! It does not look into frames: they are encrypted. What a side claims is taken from what it shows to its person.

pub mod dice;

mod call;
mod judge;
mod mortal;
mod plan;
mod scene;
mod strangers;

pub use plan::{CallPlan, Deaf, GatherPlan};

use merestone_core::id::sha256;
use merestone_core::sync::CloseCode;

use super::check::Violation;
use super::model::Model;
use super::senses::Time;
use super::site::Site;
use crate::chance::Chance;
use crate::mission::Mission;
use crate::net::paused;

/// What a gathering takes place in.
pub struct Stage<'a> {
    /// All devices of the world.
    pub sites: &'a mut [Site],
    /// Their mission.
    pub mission: &'a Mission,
    /// What the people remember.
    pub model: &'a mut Model,
    /// Where what people save is drawn from, and the seeds of the network.
    pub chance: &'a mut Chance,
    /// The time of the world; it passes meanwhile.
    pub time: &'a Time,
}

/// What a gathering came to.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Calls that were made.
    pub contacts: u64,
    /// Calls after which both sides said that they hold the same.
    pub synced: u64,
    /// Links that died.
    pub dead_links: u64,
    /// Calls that were refused, with their code.
    pub refusals: u64,
    /// Codes of those that were refused in a conversation, by their place in [`CloseCode::ALL`].
    pub codes: [u64; CloseCode::ALL.len()],
    /// Entries that people saved meanwhile, and were told so, by device.
    pub saved: Vec<usize>,
    /// Entries of which a person was told nothing.
    pub untold: u64,
    /// Live entries that were seen to reach another device while it was connected.
    pub live: u64,
    /// Contacts of which progress was promised, and that made it.
    pub promised: u64,
    /// Addresses changed.
    pub moves: u64,
    /// Callers that belong to nobody.
    pub strangers: u64,
    /// Calls in an older version.
    pub old: u64,
    /// Datagrams that were lost or damaged.
    pub lost: u64,
    /// Bytes on the network.
    pub bytes: u64,
    /// How long it took in the time of the world.
    pub ms: u64,
    /// What was missing for the calls that ended unsynced.
    pub missing: String,
    /// What happened, in words.
    pub story: Vec<String>,
    /// A digest of every datagram's time, way and length, and of the story.
    pub digest: [u8; 32],
}

/// Lets devices gather. All that take part run; what becomes of those that die meanwhile is the caller's matter.
///
/// # Errors
/// The first thing that did not hold.
pub fn gather(stage: Stage<'_>, plan: &GatherPlan) -> Result<Gathered, Box<(Violation, Vec<String>)>> {
    let seed = stage.chance.number();
    dice::with_seed(seed, move || paused().block_on(scene::play(stage, plan)))
}

/// What stands for `before` and then `piece`.
pub fn chain(before: [u8; 32], piece: &[u8]) -> [u8; 32] {
    sha256(&[&before, piece])
}
