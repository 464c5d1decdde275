//! Which kinds of bad luck a world has, and how often each struck.

use std::fmt;
use std::ops::AddAssign;

use merestone_core::sync::{CloseCode, Version};

use crate::chance::Chance;

/// The kinds of bad luck, by name. A world draws a subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Luck {
    /// Links that die after seconds.
    pub short_links: bool,
    /// Processes killed at any storage call.
    pub kills: bool,
    /// Power cuts, which lose what was not flushed.
    pub power_cuts: bool,
    /// Disks that are full.
    pub full_disks: bool,
    /// Storage calls that fail once.
    pub io_errors: bool,
    /// Bits that turn around at rest.
    pub bit_flips: bool,
    /// Wrong clocks.
    pub clocks: bool,
    /// Phones restored from an old backup.
    pub restores: bool,
    /// A device copied, marker and all.
    pub clones: bool,
    /// A key cut.
    pub cuts: bool,
    /// A hostile peer with a certificate.
    pub hostile: bool,
    /// People who save while their phones talk.
    pub busy: bool,
    /// Devices that speak the old version.
    pub old_versions: bool,
    /// Bundles on sticks.
    pub couriers: bool,
    /// Witnesses of the parties, by which checkpoints become final: no bad luck, but cuts then have a ground to stand on.
    pub witnesses: bool,
}

impl Luck {
    /// The names of the kinds.
    pub const KINDS: [&str; 15] = [
        "short-links",
        "kills",
        "power-cuts",
        "full-disks",
        "io-errors",
        "bit-flips",
        "clocks",
        "restores",
        "clones",
        "cuts",
        "hostile",
        "busy",
        "old-versions",
        "couriers",
        "witnesses",
    ];

    /// A subset: each kind in about two worlds of five.
    ///
    /// Old programs know nothing of what is final, so they are not where there are witnesses: they would apply other entries.
    pub fn draw(chance: &mut Chance) -> Self {
        let mut has = || chance.below(5) < 2;
        let drawn = Self {
            short_links: has(),
            kills: has(),
            power_cuts: has(),
            full_disks: has(),
            io_errors: has(),
            bit_flips: has(),
            clocks: has(),
            restores: has(),
            clones: has(),
            cuts: has(),
            hostile: has(),
            busy: has(),
            old_versions: has(),
            couriers: has(),
            witnesses: has(),
        };
        Self { old_versions: drawn.old_versions && !drawn.witnesses, ..drawn }
    }

    /// The newest version that the program of a device speaks: where programs are old, every third has not been updated, and
    /// half of these never.
    pub fn version_of(&self, site: usize) -> Version {
        match site % 6 {
            1 if self.old_versions => Version::V1,
            4 if self.old_versions => Version::V2,
            _ => Version::NEWEST,
        }
    }

    /// Whether it has the kind of this name.
    pub fn has(&self, kind: &str) -> bool {
        let has = [
            self.short_links,
            self.kills,
            self.power_cuts,
            self.full_disks,
            self.io_errors,
            self.bit_flips,
            self.clocks,
            self.restores,
            self.clones,
            self.cuts,
            self.hostile,
            self.busy,
            self.old_versions,
            self.couriers,
            self.witnesses,
        ];
        Self::KINDS.iter().zip(has).any(|(name, has)| has && *name == kind)
    }
}

/// What happened in a world, or in many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Worlds.
    pub seeds: u64,
    /// Hours of phones in which something was saved and a contact was tried.
    pub device_hours: u64,
    /// Hours of phones in which not both happened.
    pub idle_hours: u64,
    /// Contacts tried.
    pub contacts: u64,
    /// Contacts after which both sides held the same.
    pub synced: u64,
    /// Entries saved.
    pub entries: u64,
    /// Entries of which a person was told nothing, because the device died or failed.
    pub untold: u64,
    /// Bytes carried.
    pub bytes: u64,
    /// Storage calls.
    pub calls: u64,
    /// Links that died in the middle.
    pub dead_links: u64,
    /// Processes killed.
    pub kills: u64,
    /// Power cuts.
    pub power_cuts: u64,
    /// Sectors, lengths and names that power cuts undid.
    pub undone: u64,
    /// Disks that were full.
    pub full_disks: u64,
    /// Storage calls that failed once.
    pub io_errors: u64,
    /// Bits turned around.
    pub bit_flips: u64,
    /// Devices restored from a backup.
    pub restores: u64,
    /// Devices cloned.
    pub clones: u64,
    /// Keys cut.
    pub cuts: u64,
    /// Contacts with a hostile peer.
    pub hostile: u64,
    /// Refusals, each with its code.
    pub refusals: u64,
    /// Refusals in a conversation, by the place of their code in [`CloseCode::ALL`].
    pub codes: [u64; CloseCode::ALL.len()],
    /// Contacts in the old version.
    pub old_versions: u64,
    /// Clocks that were wrong.
    pub clocks: u64,
    /// Live entries seen to arrive at a connected device.
    pub live: u64,
    /// Contacts of two good seconds that made progress.
    pub promised: u64,
    /// Addresses changed in mid-session.
    pub moves: u64,
    /// Callers without a certificate.
    pub strangers: u64,
    /// Datagrams lost or damaged.
    pub lost_datagrams: u64,
    /// Bundles carried on a stick.
    pub couriers: u64,
    /// Bags written and audited.
    pub audits: u64,
    /// Newcomers with an empty device.
    pub newcomers: u64,
    /// Answers of witnesses that came to the camp.
    pub cosigned: u64,
    /// Final checkpoints when a world ended.
    pub finals: u64,
    /// Cuts that acted on what was final, because enough parties acknowledged them.
    pub acknowledged: u64,
    /// Entries that a cut left alone because they were final before it.
    pub settled: u64,
    /// Amendments of the charter.
    pub amendments: u64,
    /// Most bytes on the disk of one device when its world ended.
    pub disk_bytes_max: u64,
}

impl Tally {
    fn rows(&self) -> [(&'static str, u64); 38] {
        [
            ("worlds", self.seeds),
            ("device-hours", self.device_hours),
            ("idle device-hours", self.idle_hours),
            ("contacts", self.contacts),
            ("synced contacts", self.synced),
            ("entries", self.entries),
            ("saves without answer", self.untold),
            ("megabytes carried", self.bytes / 1_000_000),
            ("storage calls", self.calls),
            ("links dead", self.dead_links),
            ("kills", self.kills),
            ("power cuts", self.power_cuts),
            ("changes undone", self.undone),
            ("disks full", self.full_disks),
            ("I/O errors", self.io_errors),
            ("bits flipped", self.bit_flips),
            ("restores", self.restores),
            ("clones", self.clones),
            ("keys cut", self.cuts),
            ("hostile contacts", self.hostile),
            ("refusals", self.refusals),
            ("old versions", self.old_versions),
            ("wrong clocks", self.clocks),
            ("live entries arrived", self.live),
            ("good contacts judged", self.promised),
            ("addresses changed", self.moves),
            ("strangers", self.strangers),
            ("datagrams lost or damaged", self.lost_datagrams),
            ("bundles carried", self.couriers),
            ("bags audited", self.audits),
            ("newcomers", self.newcomers),
            ("answers of witnesses", self.cosigned),
            ("final checkpoints", self.finals),
            ("cuts acknowledged", self.acknowledged),
            ("entries final before a cut", self.settled),
            ("amendments", self.amendments),
            ("bytes on the fullest disk", self.disk_bytes_max),
            ("faults", self.faults()),
        ]
    }

    /// Counts codes of refusals.
    pub fn count_codes(&mut self, codes: [u64; CloseCode::ALL.len()]) {
        self.codes.iter_mut().zip(codes).for_each(|(sum, more)| *sum += more);
    }

    /// All that went wrong, on purpose.
    pub fn faults(&self) -> u64 {
        self.dead_links
            + self.kills
            + self.power_cuts
            + self.full_disks
            + self.io_errors
            + self.bit_flips
            + self.restores
            + self.clones
            + self.cuts
            + self.hostile
            + self.old_versions
            + self.clocks
            + self.moves
            + self.strangers
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.device_hours += other.device_hours;
        self.idle_hours += other.idle_hours;
        self.contacts += other.contacts;
        self.synced += other.synced;
        self.entries += other.entries;
        self.untold += other.untold;
        self.bytes += other.bytes;
        self.calls += other.calls;
        self.dead_links += other.dead_links;
        self.kills += other.kills;
        self.power_cuts += other.power_cuts;
        self.undone += other.undone;
        self.full_disks += other.full_disks;
        self.io_errors += other.io_errors;
        self.bit_flips += other.bit_flips;
        self.restores += other.restores;
        self.clones += other.clones;
        self.cuts += other.cuts;
        self.hostile += other.hostile;
        self.refusals += other.refusals;
        self.count_codes(other.codes);
        self.old_versions += other.old_versions;
        self.clocks += other.clocks;
        self.live += other.live;
        self.promised += other.promised;
        self.moves += other.moves;
        self.strangers += other.strangers;
        self.lost_datagrams += other.lost_datagrams;
        self.couriers += other.couriers;
        self.audits += other.audits;
        self.newcomers += other.newcomers;
        self.cosigned += other.cosigned;
        self.finals += other.finals;
        self.acknowledged += other.acknowledged;
        self.settled += other.settled;
        self.amendments += other.amendments;
        self.disk_bytes_max = self.disk_bytes_max.max(other.disk_bytes_max);
    }
}

/// One line for each number.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, number) in self.rows() {
            writeln!(f, "{number:>12}  {name}")?;
        }
        for (code, number) in CloseCode::ALL.iter().zip(self.codes).filter(|(_, number)| *number > 0) {
            writeln!(f, "{number:>12}  refused as {}", code.name())?;
        }
        Ok(())
    }
}
