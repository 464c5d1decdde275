//! Closed on purpose, and lost.

use std::time::{Duration, Instant};

use merestone_link::{Class, CloseInfo, ConnectError, LinkError, LinkLimits, Loss, close_code};
use tokio::time::timeout;

use crate::{address, pair, relayed, until, within};

const LOST: LinkError = LinkError::Lost { cause: Loss::TimedOut };

fn impatient() -> LinkLimits {
    LinkLimits { idle: Duration::from_millis(600), keep_alive: Duration::from_millis(100), ..LinkLimits::default() }
}

#[tokio::test]
async fn a_cut_link_is_lost_on_both_sides_within_the_idle_time() {
    let (phone, camp, relay) = within(relayed(impatient())).await;
    phone.send(Class::Control, b"hello".to_vec()).await.unwrap();
    within(camp.recv()).await.unwrap();
    relay.cut();
    let started = Instant::now();
    phone.send(Class::Control, b"is anybody there".to_vec()).await.unwrap();
    let (at_phone, at_camp) = within(async { tokio::join!(phone.recv(), camp.recv()) }).await;
    assert_eq!((at_phone, at_camp), (Err(LOST), Err(LOST)));
    assert!(started.elapsed() < 10 * impatient().idle, "{:?}", started.elapsed());
    assert_eq!(phone.close_info(), Some(CloseInfo::Lost { cause: Loss::TimedOut }));
    assert_eq!(phone.send(Class::Control, Vec::new()).await, Err(LOST));
}

#[tokio::test]
async fn a_sender_that_waits_for_room_hears_that_the_link_is_lost() {
    let (phone, _camp, relay) = within(relayed(impatient())).await;
    relay.cut();
    let lost = within(async {
        loop {
            if let Err(error) = phone.send(Class::Originals, vec![0; 200_000]).await {
                break error;
            }
        }
    });
    assert_eq!(lost.await, LOST);
}

#[tokio::test]
async fn a_link_cut_for_less_than_the_idle_time_goes_on() {
    let (phone, camp, relay) = within(relayed(LinkLimits::default())).await;
    relay.cut();
    phone.send(Class::Entries, b"sent into the void".to_vec()).await.unwrap();
    let sent = phone.stats().udp_sent.datagrams;
    until(|| phone.stats().udp_sent.datagrams > sent).await;
    relay.mend();
    assert_eq!(within(camp.recv()).await, Ok((Class::Entries, b"sent into the void".to_vec())));
}

#[tokio::test]
async fn a_link_with_nothing_to_say_stays_open() {
    let pair = within(pair(impatient())).await;
    let quiet = timeout(2 * impatient().idle, pair.camp.recv()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    assert_eq!((pair.phone.close_info(), pair.camp.close_info()), (None, None));
}

#[tokio::test]
async fn both_sides_know_who_closed_and_why() {
    let pair = within(pair(LinkLimits::default())).await;
    let code = close_code::SESSION_FROM + 7;
    pair.phone.close(code, "another mission");
    pair.phone.close(close_code::DONE, "a second close changes nothing");
    let reason = || "another mission".to_owned();
    assert_eq!(within(pair.phone.closed()).await, CloseInfo::Here { code, reason: reason() });
    assert_eq!(within(pair.camp.closed()).await, CloseInfo::ByPeer { code, reason: reason() });
    let refused = Err(LinkError::ClosedByPeer { code, reason: reason() });
    assert_eq!(pair.camp.send(Class::Control, Vec::new()).await, refused);
    assert_eq!(pair.camp.recv().await.map(|_| ()), refused);
    assert_eq!(pair.phone.recv().await, Err(LinkError::ClosedHere { code, reason: reason() }));
}

#[tokio::test]
async fn a_frame_that_arrived_whole_is_returned_after_the_link_ended() {
    let pair = within(pair(LinkLimits::default())).await;
    let before = pair.camp.stats().udp_received.bytes;
    pair.phone.send(Class::Control, b"first".to_vec()).await.unwrap();
    until(|| pair.phone.stats().class(Class::Control).frames_sent == 1).await;
    until(|| pair.camp.stats().udp_received.bytes > before + 5).await;
    // A photo on its way shows that what was sent before it is there.
    pair.phone.send(Class::Originals, vec![0; 9_000]).await.unwrap();
    until(|| pair.camp.stats().udp_received.bytes > before + 8_000).await;
    pair.phone.close(close_code::DONE, "");
    within(pair.camp.closed()).await;
    assert_eq!(pair.camp.recv().await, Ok((Class::Control, b"first".to_vec())));
}

#[tokio::test]
async fn dropping_the_last_handle_closes_the_link() {
    let pair = within(pair(LinkLimits::default())).await;
    let clone = pair.phone.clone();
    clone.send(Class::Control, b"hello".to_vec()).await.unwrap();
    drop(pair.phone);
    assert_eq!(within(pair.camp.recv()).await, Ok((Class::Control, b"hello".to_vec())));
    assert_eq!(pair.camp.close_info(), None, "one handle is left");
    drop(clone);
    let done = CloseInfo::ByPeer { code: close_code::DONE, reason: String::new() };
    assert_eq!(within(pair.camp.closed()).await, done);
}

#[tokio::test]
async fn connections_outlive_their_endpoint_handles() {
    let pair = within(pair(LinkLimits::default())).await;
    drop((pair.phone_endpoint, pair.camp_endpoint));
    pair.phone.send(Class::Control, b"still here".to_vec()).await.unwrap();
    assert_eq!(within(pair.camp.recv()).await, Ok((Class::Control, b"still here".to_vec())));
}

#[tokio::test]
async fn closing_an_endpoint_closes_its_links_and_takes_no_more() {
    let pair = within(pair(LinkLimits::default())).await;
    let code = close_code::SESSION_FROM;
    pair.camp_endpoint.close(code, "camp is moving");
    let reason = || "camp is moving".to_owned();
    assert_eq!(within(pair.phone.closed()).await, CloseInfo::ByPeer { code, reason: reason() });
    assert_eq!(within(pair.camp.closed()).await, CloseInfo::Here { code, reason: reason() });
    assert!(within(pair.camp_endpoint.accept()).await.is_none());
    let call = pair.camp_endpoint.connect(address(&pair.phone_endpoint), None).await;
    assert_eq!(call.unwrap_err(), ConnectError::EndpointClosed);
    within(pair.camp_endpoint.wait_idle()).await;
}
