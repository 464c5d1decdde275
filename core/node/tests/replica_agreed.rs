//! What two devices agreed on makes their next meeting short, and never hides anything: not after a restart, not from a
//! store that was restored from a copy, not when certificates change.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod replica_support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use merestone_core::id::StoreId;
use merestone_core::roster::{Class as Statements, Role};
use merestone_core::sync::Class;
use merestone_core::sync::frame::{Frame, Shown};
use merestone_node::replica::{Replica, Talk, TalkOptions};
use merestone_store::{Batch, Store, StoreKey, Threads};
use replica_support::{Author, Mission, Site, admit, scope};

/// What one conversation carried.
#[derive(Debug, Default)]
struct Carried {
    bytes: usize,
    frames: usize,
    /// Frames that compare trees.
    nodes: usize,
    /// Hellos that name an agreement.
    agreed: usize,
    /// Certificates that were named and not shown.
    named: usize,
}

impl Carried {
    fn note(&mut self, frame: &[u8]) {
        self.bytes += frame.len() + 4;
        self.frames += 1;
        match Frame::decode(frame) {
            Ok(Frame::Nodes(..)) => self.nodes += 1,
            Ok(Frame::HelloV2(hello)) => {
                self.agreed += usize::from(hello.agreed.is_some());
                self.named += usize::from(matches!(hello.certificate, Shown::Named(_)));
            }
            _ => {}
        }
    }
}

/// One meeting, after which both hold the same.
fn meet(anna: &Site, boris: &Site) -> Carried {
    let carried = hold(anna, boris);
    assert_eq!(anna.holding(), boris.holding());
    carried
}

/// One meeting of two replicas that were opened for it, at the end of which both say that they are fully synced.
fn hold(anna: &Site, boris: &Site) -> Carried {
    let [here, there] = [anna, boris].map(|site| Replica::open(site.setup().inline()));
    let mut one = Talk::begin(&here, there.transport_key(), TalkOptions::default()).unwrap();
    let mut other =
        Talk::begin(&there, here.transport_key(), TalkOptions { stay: true, ..TalkOptions::default() }).unwrap();
    let mut carried = Carried::default();
    while !one.is_over() && !other.is_over() {
        let before = carried.frames;
        for class in Class::ALL {
            while let Some(frame) = one.next_frame(class) {
                if class == Class::Control {
                    carried.note(&frame);
                }
                other.deliver(class, frame);
            }
            while let Some(frame) = other.next_frame(class) {
                if class == Class::Control {
                    carried.note(&frame);
                }
                one.deliver(class, frame);
            }
        }
        assert!(carried.frames > before || one.is_over(), "nothing moves");
    }
    other.closed_by_peer(one.close().expect("the caller closes").code);
    let (one, other) = (one.finish(), other.finish());
    assert!(one.is_fully_synced && other.is_fully_synced, "{one:?} {other:?}");
    carried
}

fn site(mission: &Mission, seed: u8) -> Site {
    Site::on(Threads::Caller, mission, seed, Role::Observer, &[scope(1), scope(2)])
}

/// Two devices that met: each has logs in both scopes, some photos, and is known to the other.
fn met(mission: &Mission) -> (Site, Site) {
    let (mut anna, mut boris) = (site(mission, 10), site(mission, 11));
    for site in [&mut anna, &mut boris] {
        site.write(70, 3);
        site.photograph(70_000);
        let other = Author::new(mission, site.seed, scope(2), site.certificate.id());
        let own = std::mem::replace(&mut site.author, other);
        site.write(5, 3);
        site.author = own;
    }
    meet(&anna, &boris);
    (anna, boris)
}

/// The folder of a device as it lies on the disk now.
fn copy(site: &Site) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy_folder(&site.path(), &dir.path().join("store"));
    dir
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.path().is_dir() {
            copy_folder(&file.path(), &target);
        } else {
            fs::copy(file.path(), target).unwrap();
        }
    }
}

/// The device as the copy has it, perhaps under a new name of its store.
fn restore(of: &Site, dir: tempfile::TempDir, store: Option<StoreId>) -> Site {
    let open = Store::open_with(&dir.path().join("store"), StoreKey::from_bytes([0; 32]), Threads::Caller).unwrap();
    if let Some(store) = store {
        let mut batch = Batch::new();
        batch.renew_store(store);
        open.commit(batch).unwrap();
    }
    // A new epoch: what was signed after the copy was made is not signed again.
    let mut author = Author::new(&of.mission, of.seed, scope(1), of.certificate.id());
    author.renew([77; 8]);
    let (mission, certificate) = (of.mission.clone(), of.certificate.clone());
    Site { seed: of.seed, dir, store: Arc::new(open), mission, certificate, author, role: of.role }
}

#[test]
fn two_equal_devices_part_after_a_hello_and_a_word_each() {
    let mission = Mission::new(61);
    let (anna, boris) = met(&mission);
    for (one, other) in [(&anna, &boris), (&boris, &anna)] {
        let carried = meet(one, other);
        assert!(carried.bytes <= 1_000 && carried.frames <= 4, "{carried:?}");
        assert_eq!((carried.agreed, carried.named), (2, 2), "{carried:?}");
    }
    // Also when both were closed and opened again.
    let (anna, boris) = (restore(&anna, copy(&anna), None), restore(&boris, copy(&boris), None));
    let carried = meet(&anna, &boris);
    assert!(carried.bytes <= 1_000 && carried.frames <= 4 && carried.agreed == 2, "{carried:?}");
}

#[test]
fn what_changed_on_either_side_since_an_agreement_is_found_without_comparing_trees() {
    let mission = Mission::new(62);
    let (mut anna, mut boris) = met(&mission);
    for (here, there) in [(3, 0), (0, 4), (70, 1), (1, 1)] {
        anna.write(here, 3);
        boris.write(there, 3);
        let carried = meet(&anna, &boris);
        assert_eq!((carried.nodes, carried.agreed), (0, 2), "{carried:?}");
    }
    // What a third device brought in between is no news of this pair's own, and is found like it.
    let mut carla = site(&mission, 12);
    carla.write(9, 3);
    meet(&carla, &boris);
    assert_eq!(meet(&anna, &boris).nodes, 0);
    anna.photograph(90_000);
    meet(&anna, &boris);
}

#[test]
fn a_store_that_was_restored_on_either_side_ends_fully_synced() {
    for is_caller in [true, false] {
        for store in [None, Some(StoreId::from_bytes([99; 16]))] {
            for (before, after) in [(0, 5), (5, 0), (3, 70)] {
                let mission = Mission::new(63);
                let (mut anna, mut boris) = met(&mission);
                boris.write(before, 3);
                meet(&anna, &boris);
                let saved = copy(&boris);
                // The other side remembers a later agreement than the copy, and both went on.
                boris.write(after, 3);
                anna.write(2, 3);
                meet(&anna, &boris);
                let mut restored = restore(&boris, saved, store);
                restored.write(1, 3);
                anna.write(1, 3);
                let (one, other) = if is_caller { (&restored, &anna) } else { (&anna, &restored) };
                meet(one, other);
                let carried = meet(one, other);
                assert!(carried.frames <= 4 && carried.agreed == 2, "{carried:?}");
            }
        }
    }
}

#[test]
fn both_sides_restored_to_an_agreement_of_different_ages_end_fully_synced() {
    let mission = Mission::new(64);
    let (mut anna, mut boris) = met(&mission);
    let old = copy(&anna);
    anna.write(4, 3);
    boris.write(4, 3);
    meet(&anna, &boris);
    let newer = copy(&boris);
    boris.write(4, 3);
    meet(&anna, &boris);
    let (anna, boris) = (restore(&anna, old, None), restore(&boris, newer, None));
    meet(&anna, &boris);
    assert!(meet(&anna, &boris).frames <= 4);
}

#[test]
fn a_wider_certificate_is_shown_and_its_scopes_are_compared_from_the_start() {
    let mission = Mission::new(65);
    let mut anna = site(&mission, 10);
    let mut boris = Site::on(Threads::Caller, &mission, 11, Role::Observer, &[scope(1)]);
    anna.write(5, 3);
    boris.write(5, 3);
    hold(&anna, &boris);
    assert_eq!(hold(&anna, &boris).named, 2);
    anna.author = Author::new(&mission, anna.seed, scope(2), anna.certificate.id());
    anna.write(5, 3);
    let carried = hold(&anna, &boris);
    assert_eq!(
        (carried.nodes, carried.agreed, carried.named),
        (0, 2, 2),
        "what the peer may not see is no change: {carried:?}"
    );
    let wider = mission.certify(boris.seed, Role::Observer, &[scope(1), scope(2)]);
    admit(&boris, Statements::Certificate, wider.as_bytes());
    let carried = meet(&anna, &boris);
    assert_eq!((carried.agreed, carried.named), (2, 1), "{carried:?}");
    let carried = meet(&anna, &boris);
    assert!(carried.frames <= 4 && carried.named == 2, "{carried:?}");
}
