//! The other systems: how each is built, run in its own bench, and read.
//!
//! Their benches lie beside the project (`$MERESTONE_SHARED/peers`, otherwise `../shared/peers`) and are used as they are: this
//! room copies them below `target/peers`, builds them there once, and understands what they print.

mod automerge_repo;
mod comapeo;
mod iroh_blobs;
mod iroh_docs;
mod place;
mod said;
mod samod;

use std::path::{Path, PathBuf};

use merestone_tests::haul::Sample;

pub(crate) use place::Place;

/// One system, as one bench of it runs it.
pub(crate) struct Peer {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    /// Its version, and what it had made durable when it said that it was done.
    pub(crate) durability: &'static str,
    /// Which of our hauls it stands beside.
    pub(crate) beside: &'static str,
    /// Whether one run takes many minutes.
    pub(crate) is_long: bool,
    /// The folder of its bench.
    folder: &'static str,
    build: fn(&Place, &str) -> Result<PathBuf, String>,
    run: fn(&Place, &Path) -> Result<Vec<Sample>, String>,
}

pub(crate) const PEERS: &[Peer] = &[
    Peer {
        name: "comapeo-core",
        durability: "7.1.0, two processes, hypercore files and SQLite, no flush before it says done; bytes without TCP/IP",
        beside: "entries",
        is_long: false,
        folder: "comapeo-core",
        build: comapeo::build,
        run: comapeo::entries,
    },
    Peer {
        name: "iroh-docs",
        durability: "0.101, one process, in memory on both sides",
        beside: "entries",
        is_long: false,
        folder: "iroh-docs-loopback",
        build: place::cargo,
        run: iroh_docs::run,
    },
    Peer {
        name: "samod",
        durability: "0.16, one process, in memory on both sides",
        beside: "entries-1k",
        is_long: false,
        folder: "samod-loopback",
        build: place::cargo,
        run: samod::thousand,
    },
    Peer {
        name: "automerge-repo",
        durability: "2.5, two processes, files without a flush; bytes without TCP/IP",
        beside: "entries-1k",
        is_long: false,
        folder: "automerge-repo",
        build: automerge_repo::build,
        run: automerge_repo::run,
    },
    Peer {
        name: "samod",
        durability: "0.16, one process, in memory on both sides",
        beside: "entries",
        is_long: true,
        folder: "samod-loopback",
        build: place::cargo,
        run: samod::ten_thousand,
    },
    Peer {
        name: "iroh-blobs",
        durability: "0.104, one process, files without a flush of their content",
        beside: "photos",
        is_long: false,
        folder: "iroh-blobs-loopback",
        build: place::cargo,
        run: iroh_blobs::run,
    },
    Peer {
        name: "comapeo-core",
        durability: "7.1.0, two processes, hypercore files, no flush; 50 photos of 2 MB; bytes without TCP/IP",
        beside: "photos",
        is_long: false,
        folder: "comapeo-core",
        build: comapeo::build,
        run: comapeo::photos,
    },
];

impl Peer {
    /// Makes it ready to run; minutes the first time.
    pub(crate) fn build(&self, place: &Place) -> Result<PathBuf, String> {
        (self.build)(place, self.folder)
    }

    /// Runs it once, in a namespace of its own.
    pub(crate) fn run(&self, place: &Place, program: &Path) -> Result<Vec<Sample>, String> {
        (self.run)(place, program)
    }
}
