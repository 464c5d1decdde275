//! A peer with a certificate that says what is not so, frame after frame, to one who keeps to the rules.

#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

// Its devices have the World's disks.
#[path = "../src/world/disk/exports.rs"]
mod exports;

use std::collections::VecDeque;
use std::fs;

use merestone_core::roster::Role;
use merestone_core::sync::frame::{Frame, Node, NodeContent};
use merestone_core::sync::{Class, CloseCode};
use merestone_node::replica::{Talk, TalkOptions};
use merestone_tests::chance::Chance;
use merestone_tests::mission::Mission;
use merestone_tests::outpost;
use merestone_tests::world::lies::{digest, everywhere, tip};
use merestone_tests::world::senses::{ClockFault, Time};
use merestone_tests::world::site::Site;

/// Frames after which a peer that never comes to an end must have been left.
const FRAMES_MAX: usize = 400;
/// What one such peer may cost, in bytes: what the link may hold for it and what the conversation may.
const BYTES_MAX: u64 = 64 << 20;

#[test]
fn a_tree_that_grows_without_end_is_refused() {
    let mut open = VecDeque::from([Vec::new()]);
    let code = besiege(|chance, mission| {
        let nodes = (0..256).map_while(|_| {
            let prefix: Vec<u8> = open.pop_front()?;
            open.extend((0..16).map(|bits| [&prefix[..], &[bits]].concat()));
            Some(Node { prefix, content: NodeContent::Inner(everywhere(chance)) })
        });
        Frame::Nodes(mission.scope(), nodes.collect())
    });
    assert!(matches!(code, CloseCode::Limit | CloseCode::Malformed), "{code:?}");
}

#[test]
fn logs_that_nobody_asked_about_are_refused() {
    let code = besiege(|chance, _| {
        let mut tips: Vec<_> = (0..8_000).map(|_| tip(chance)).collect();
        tips.sort_unstable_by_key(|tip| tip.log);
        Frame::Kept(tips)
    });
    assert!(matches!(code, CloseCode::Limit | CloseCode::Malformed), "{code:?}");
}

#[test]
fn tips_without_end_are_refused() {
    let code = besiege(|chance, mission| {
        let mut tips: Vec<_> = (0..8_000).map(|_| tip(chance)).collect();
        tips.sort_unstable_by_key(|tip| tip.log);
        Frame::Also { scope: mission.scope(), last: false, tips }
    });
    assert!(matches!(code, CloseCode::Limit | CloseCode::Malformed), "{code:?}");
}

/// Sends one lie after the other to an honest camp; with which code it ends that, and that it took no more than it may.
fn besiege(mut next: impl FnMut(&mut Chance, &Mission) -> Frame) -> CloseCode {
    let mission = outpost::found();
    let time = Time::default();
    let camp = Site::found(&mission, &time, "siege", 0, Role::Camp, ClockFault::Right);
    let phone = Site::found(&mission, &time, "siege", 1, Role::Observer, ClockFault::Right);
    let replicas = [&camp, &phone].map(|site| site.up.as_ref().map(|up| up.replica.clone()).expect("it runs"));
    let begin = |here: usize| {
        Talk::begin(&replicas[here], replicas[1 - here].transport_key(), TalkOptions::default())
            .expect("they begin to talk")
    };
    let (mut honest, mut liar) = (begin(0), begin(1));
    let mut chance = Chance::new(1);

    // A hello of its own program, but for the digest of what it holds.
    let hello = liar.next_frame(Class::Control).expect("a conversation begins with a hello");
    let Ok(Frame::HelloV2(mut hello)) = Frame::decode(&hello) else { panic!("a hello of version 2") };
    hello.tips = vec![(mission.scope(), digest(&mut chance))];
    honest.deliver(Class::Control, Frame::HelloV2(hello).encode());
    let before = resident_bytes();
    for now_ms in 0..FRAMES_MAX as u64 {
        // What the camp says is read and not answered.
        while let Some(said) = Class::ALL.into_iter().find_map(|class| honest.next_frame(class)) {
            drop(said);
        }
        if let Some(close) = honest.close() {
            let grown = resident_bytes().saturating_sub(before);
            assert!(grown <= BYTES_MAX, "{grown} bytes for one peer");
            assert!(!honest.finish().is_fully_synced);
            return close.code;
        }
        honest.deliver(Class::Control, next(&mut chance, &mission).encode());
        honest.wake(now_ms);
    }
    panic!("the camp still listens after {FRAMES_MAX} frames");
}

/// Memory of this process.
fn resident_bytes() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").expect("Linux tells");
    pages.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).map_or(0, |pages| pages * 4_096)
}
