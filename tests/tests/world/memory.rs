//! What a peer costs in memory, whatever it does: measured over real links in a network in memory, with the peer's own side
//! and the network counted in, since they are on the same thread.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use merestone_core::roster::Role;
use merestone_core::sync;
use merestone_link::{Class, Connection, Endpoint, LinkLimits, MEMORY_PER_PEER_BYTES_MAX, TransportKey};
use merestone_node::replica::{Replica, Talk, TalkOptions};
use merestone_tests::chance::Chance;
use merestone_tests::mission::Mission;
use merestone_tests::net::{Host, Net, Weather, paused};
use merestone_tests::outpost;
use merestone_tests::world::deeds;
use merestone_tests::world::model::Model;
use merestone_tests::world::senses::{ClockFault, Time};
use merestone_tests::world::site::Site;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::counted;

const MIB: usize = 1 << 20;

/// What a conversation may hold for a peer that takes nothing (`core::sync`, Memory): frames of entries and what was read for
/// them, chunks and their hashes, control frames, statements, a receipt.
const SENDING_BYTES_MAX: usize = (2 + 4 + 3 + 4 + 2 + 1 + 1) * MIB;

/// And for one that gives more than is taken: frames of entries that are not durable, those being verified, chunks, statements.
const RECEIVING_BYTES_MAX: usize = (16 * 4 + 4 * sync::VERIFY_MAX + 4 + 4 + 2 + 1) * MIB;

/// How long a peer goes on.
const LASTS: Duration = Duration::from_secs(25);

#[test]
fn a_peer_that_never_reads_costs_no_more_than_is_stated() {
    let (mission, [phone, other]) = two_phones();
    let phone = write(phone, &mission, 160);
    let most = paused().block_on(async {
        let meeting = Meeting::begin(&phone, &other).await;
        let mark = counted::mark();
        let mut talk = Talk::begin(&meeting.caller, meeting.answerer.transport_key(), TalkOptions::default())
            .expect("a conversation begins");
        // It asks for everything as an honest one does, and stops reading when the first photo comes.
        loop {
            for class in sync::Class::ALL {
                while let Some(frame) = talk.next_frame(class) {
                    meeting.link.send(link_class(class), frame).await.expect("the link is there");
                }
            }
            let (class, frame) = meeting.link.recv().await.expect("the phone answers");
            match class {
                Class::Control => talk.deliver(sync::Class::Control, frame),
                Class::Entries => talk.deliver(sync::Class::Entries, frame),
                Class::Thumbnails | Class::Previews | Class::Originals => break,
            }
        }
        sleep(LASTS).await;
        counted::most_above(mark)
    });
    println!("a peer that never reads: {most} bytes at most");
    assert!(most > 256 << 10, "its windows were filled: {most}");
    assert!(most <= MEMORY_PER_PEER_BYTES_MAX + SENDING_BYTES_MAX, "{most}");
}

#[test]
fn a_peer_that_floods_costs_no_more_than_is_stated() {
    let (_mission, [phone, other]) = two_phones();
    // Of each class the longest frames there are, of zeros and of noise; and lists that name nothing anybody holds.
    for (name, byte) in [("zeros", Some(0)), ("noise", None)] {
        for class in Class::ALL {
            let most = paused().block_on(async {
                let meeting = Meeting::begin(&phone, &other).await;
                let mut talk = Talk::begin(&meeting.caller, meeting.answerer.transport_key(), TalkOptions::default())
                    .expect("a conversation begins");
                let hello = talk.next_frame(sync::Class::Control).expect("a conversation begins with a hello");
                meeting.link.send(Class::Control, hello).await.expect("the link is there");
                let mark = counted::mark();
                let _ = timeout(LASTS, flood(&meeting.link, class, byte)).await;
                counted::most_above(mark)
            });
            println!("a flood of {name} on {class}: {most} bytes at most");
            assert!(most <= MEMORY_PER_PEER_BYTES_MAX + RECEIVING_BYTES_MAX, "{name} on {class}: {most}");
        }
    }
}

#[test]
fn strangers_who_take_every_place_cost_no_more_than_their_links() {
    let (_mission, [phone, _]) = two_phones();
    let limits = LinkLimits::default();
    let callers = u8::try_from(limits.connections_max).expect("some dozens") + 8;
    let most = paused().block_on(async {
        let (net, hub) = network();
        let replica = replica(&phone);
        let endpoint = replica.bind_over(hub, Some([1; 32]), limits.clone()).expect("an endpoint in memory");
        let _serving = replica.serve(endpoint).expect("it shows its own key");
        let mark = counted::mark();
        let mut strangers = JoinSet::new();
        for number in 1..=callers {
            let host = net.host(SocketAddr::from(([10, 9, 0, number], 4433)));
            let key = TransportKey::from_seed(&[number; 32]);
            let endpoint = Endpoint::over(host, Some([number; 32]), &key, LinkLimits::default()).expect("as above");
            strangers.spawn(async move {
                let Ok(link) = endpoint.connect(HUB.into(), None).await else { return };
                let class = Class::ALL[usize::from(number) % Class::ALL.len()];
                flood(&link, class, Some(number)).await;
            });
        }
        let _ = timeout(LASTS, async { while strangers.join_next().await.is_some() {} }).await;
        counted::most_above(mark)
    });
    println!("{callers} strangers: {most} bytes at most");
    assert!(most <= MEMORY_PER_PEER_BYTES_MAX * limits.connections_max, "{most}");
}

const HUB: ([u8; 4], u16) = ([10, 0, 0, 1], 4433);

/// A link of a certified device with one that answers.
struct Meeting {
    answerer: Replica,
    caller: Replica,
    link: Connection,
    _serving: merestone_node::replica::Serving,
}

impl Meeting {
    async fn begin(answerer: &Site, caller: &Site) -> Self {
        let (net, hub) = network();
        let (answerer, caller) = (replica(answerer), replica(caller));
        let limits = LinkLimits::default();
        let endpoint = answerer.bind_over(hub, Some([1; 32]), limits.clone()).expect("an endpoint in memory");
        let serving = answerer.serve(endpoint).expect("it shows its own key");
        let host = net.host(SocketAddr::from(([10, 0, 0, 2], 4433)));
        let outside = caller.bind_over(host, Some([2; 32]), limits).expect("an endpoint in memory");
        let link = outside.connect(HUB.into(), Some(answerer.transport_key())).await.expect("the phone answers");
        Self { answerer, caller, link, _serving: serving }
    }
}

/// Sends the longest frames of a class until the other side ends it.
async fn flood(link: &Connection, class: Class, byte: Option<u8>) {
    let mut chance = Chance::new(1);
    let mut frame = vec![byte.unwrap_or(0); class.frame_bytes_max()];
    if byte.is_none() {
        frame.chunks_mut(8).for_each(|piece| piece.copy_from_slice(&chance.number().to_be_bytes()[..piece.len()]));
    }
    while link.send(class, frame.clone()).await.is_ok() {}
}

fn network() -> (Net, Arc<Host>) {
    let net = Net::new(1, Weather { bytes_per_s: Some(4_000_000), queue_bytes: 64_000, ..Weather::slow(5_000) });
    let hub = net.host(HUB.into());
    (net, hub)
}

fn two_phones() -> (Mission, [Site; 2]) {
    let mission = outpost::found();
    let phone = |number| Site::found(&mission, &Time::default(), "memory", number, Role::Observer, ClockFault::Right);
    let phones = [phone(1), phone(2)];
    (mission, phones)
}

/// A phone whose person saved so many times, with a photo now and then.
fn write(mut site: Site, mission: &Mission, saves: usize) -> Site {
    let (mut model, mut chance) = (Model::default(), Chance::new(1));
    for _ in 0..saves {
        let _ = deeds::save(&mut site, mission, &mut model, &mut chance);
    }
    site
}

fn replica(site: &Site) -> Replica {
    site.up.as_ref().map(|up| up.replica.clone()).expect("it runs")
}

fn link_class(class: sync::Class) -> Class {
    let at = sync::Class::ALL.iter().position(|of| *of == class).expect("a class is one of all");
    Class::ALL[at]
}
