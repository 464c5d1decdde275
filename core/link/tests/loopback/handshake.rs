//! Who becomes a connection, and who does not.

use std::time::Duration;

use merestone_link::{
    AcceptError, BindError, Class, ConnectError, Endpoint, LinkError, LinkLimits, Version, close_code,
};
use quinn::{ConnectionError, TransportErrorCode};

use crate::{
    ANY_PORT, accepted, address, endpoint, key,
    outsider::{Shows, answerer, caller, raw_key, weak_key},
    pair, within,
};

const HANDSHAKE_FAILURE: u8 = 40;
const NO_APPLICATION_PROTOCOL: u8 = 120;

fn alert(error: &ConnectionError) -> TransportErrorCode {
    match error {
        ConnectionError::ConnectionClosed(close) => close.error_code,
        other => panic!("not closed by the peer's QUIC: {other:?}"),
    }
}

#[tokio::test]
async fn both_sides_learn_each_others_key() {
    let pair = within(pair(LinkLimits::default())).await;
    assert_eq!(pair.phone.peer(), key(2).public());
    assert_eq!(pair.camp.peer(), key(1).public());
    assert_eq!(pair.phone.remote_address(), address(&pair.camp_endpoint));
    assert_eq!(pair.camp.remote_address(), address(&pair.phone_endpoint));
    assert_eq!(pair.phone_endpoint.public_key(), key(1).public());
}

#[tokio::test]
async fn one_endpoint_calls_and_is_called() {
    let (a, b) = (endpoint(1, LinkLimits::default()), endpoint(2, LinkLimits::default()));
    let (a_to_b, at_b) = within(async { tokio::join!(a.connect(address(&b), None), accepted(&b)) }).await;
    let (b_to_a, at_a) = within(async { tokio::join!(b.connect(address(&a), None), accepted(&a)) }).await;
    assert_eq!(a_to_b.unwrap().peer(), at_a.unwrap().peer());
    assert_eq!(b_to_a.unwrap().peer(), at_b.unwrap().peer());
}

#[tokio::test]
async fn another_key_than_the_expected_one_is_refused_and_does_not_learn_ours() {
    let (phone, stranger) = (endpoint(1, LinkLimits::default()), endpoint(2, LinkLimits::default()));
    let expected = Some(key(3).public());
    let (phone, stranger) =
        within(async { tokio::join!(phone.connect(address(&stranger), expected), accepted(&stranger)) }).await;
    assert_eq!(phone.unwrap_err(), ConnectError::WrongKey);
    assert!(matches!(stranger.unwrap_err(), AcceptError::Handshake { .. }));
}

#[tokio::test]
async fn a_caller_without_a_raw_key_is_refused() {
    let camp = endpoint(2, LinkLimits::default());
    let outsider = caller(Version::V1.alpn(), Shows::Nothing);
    let call = outsider.connect(address(&camp), "peer.invalid").unwrap();
    let (outsider, camp) = within(async { tokio::join!(call, accepted(&camp)) }).await;
    assert_eq!(camp.unwrap_err(), AcceptError::NoRawKey);
    assert_eq!(alert(&outsider.unwrap_err()), TransportErrorCode::crypto(HANDSHAKE_FAILURE));
}

#[tokio::test]
async fn a_server_that_has_certificates_only_is_refused() {
    let phone = endpoint(1, LinkLimits::default());
    let outsider = answerer(Version::V1.alpn(), raw_key(9), false);
    let target = outsider.local_addr().unwrap();
    let answering = async { outsider.accept().await.unwrap().await };
    let (phone, _) = within(async { tokio::join!(phone.connect(target, None), answering) }).await;
    assert_eq!(phone.unwrap_err(), ConnectError::NoRawKey);
}

#[tokio::test]
async fn a_server_that_asks_for_no_key_is_refused() {
    let phone = endpoint(1, LinkLimits::default());
    let outsider = answerer(Version::V1.alpn(), raw_key(9), true);
    let target = outsider.local_addr().unwrap();
    let answering = async { outsider.accept().await.unwrap().await };
    let (phone, _) = within(async { tokio::join!(phone.connect(target, None), answering) }).await;
    assert_eq!(phone.unwrap_err(), ConnectError::NoRawKey);
}

#[tokio::test]
async fn a_key_under_which_anybody_can_sign_is_refused() {
    let camp = endpoint(2, LinkLimits::default());
    let forger = caller(Version::V1.alpn(), Shows::RawKey(weak_key()));
    let call = forger.connect(address(&camp), "peer.invalid").unwrap();
    let (_, camp) = within(async { tokio::join!(call, accepted(&camp)) }).await;
    assert!(matches!(camp.unwrap_err(), AcceptError::Handshake { .. }));
}

#[tokio::test]
async fn another_implementation_with_a_raw_key_is_welcome() {
    let camp = endpoint(2, LinkLimits::default());
    let outsider = caller(Version::V1.alpn(), Shows::RawKey(raw_key(1)));
    let call = outsider.connect(address(&camp), "peer.invalid").unwrap();
    let (outsider, camp) = within(async { tokio::join!(call, accepted(&camp)) }).await;
    outsider.unwrap();
    assert_eq!(camp.unwrap().peer(), key(1).public());
}

#[tokio::test]
async fn another_protocol_is_refused_in_both_directions() {
    let ours = endpoint(1, LinkLimits::default());
    let outsider = caller(b"h3", Shows::RawKey(raw_key(9)));
    let call = outsider.connect(address(&ours), "peer.invalid").unwrap();
    let (call, answer) = within(async { tokio::join!(call, accepted(&ours)) }).await;
    assert_eq!(answer.unwrap_err(), AcceptError::NoCommonVersion);
    assert_eq!(alert(&call.unwrap_err()), TransportErrorCode::crypto(NO_APPLICATION_PROTOCOL));

    let outsider = answerer(b"merestone/0", raw_key(9), true);
    let target = outsider.local_addr().unwrap();
    let answering = async { outsider.accept().await.unwrap().await };
    let (call, _) = within(async { tokio::join!(ours.connect(target, None), answering) }).await;
    assert_eq!(call.unwrap_err(), ConnectError::NoCommonVersion);
}

#[tokio::test]
async fn the_newest_version_that_both_speak_is_taken_whoever_is_older() {
    for (phone_max, camp_max) in [(Version::V2, Version::V2), (Version::V1, Version::V2), (Version::V2, Version::V1)] {
        let phone = endpoint(1, LinkLimits { version_max: phone_max, ..LinkLimits::default() });
        let camp = endpoint(2, LinkLimits { version_max: camp_max, ..LinkLimits::default() });
        let (phone, camp) = within(async { tokio::join!(phone.connect(address(&camp), None), accepted(&camp)) }).await;
        let (phone, camp) = (phone.unwrap(), camp.unwrap());
        assert_eq!(phone.version(), phone_max.min(camp_max));
        assert_eq!(camp.version(), phone_max.min(camp_max));
    }
}

#[tokio::test]
async fn connect_succeeds_before_the_server_decides() {
    let pair = within(pair(LinkLimits::default())).await;
    pair.camp.close(close_code::SESSION_FROM, "not on the roster");
    let refused = LinkError::ClosedByPeer { code: close_code::SESSION_FROM, reason: "not on the roster".to_owned() };
    assert_eq!(within(pair.phone.recv()).await.unwrap_err(), refused);
}

#[tokio::test]
async fn a_full_endpoint_says_so_and_has_room_again_later() {
    let limits = LinkLimits { connections_max: 1, ..LinkLimits::default() };
    let (camp, first, second) =
        (endpoint(9, limits), endpoint(1, LinkLimits::default()), endpoint(2, LinkLimits::default()));
    let (camp_key, target) = (Some(camp.public_key()), address(&camp));
    let (places, mut taken) = tokio::sync::mpsc::channel(4);
    tokio::spawn(async move {
        while let Some(incoming) = camp.accept().await {
            places.send(incoming.accept().await.unwrap()).await.unwrap();
        }
    });

    let link = within(first.connect(target, camp_key)).await.unwrap();
    let held = within(taken.recv()).await.unwrap();
    assert_eq!(within(second.connect(target, camp_key)).await.unwrap_err(), ConnectError::Busy);

    link.close(close_code::DONE, "");
    within(held.closed()).await;
    within(async { while second.connect(target, camp_key).await.is_err() {} }).await;
    assert!(held.close_info().is_some(), "the handle may outlive the place");
}

#[tokio::test]
async fn our_own_limit_holds_for_our_own_calls() {
    let limits = LinkLimits { connections_max: 1, ..LinkLimits::default() };
    let pair = within(pair(limits)).await;
    let again = within(pair.phone_endpoint.connect(address(&pair.camp_endpoint), None)).await;
    assert_eq!(again.unwrap_err(), ConnectError::TooManyConnections);
}

#[tokio::test]
async fn one_key_cannot_take_every_place_and_its_newest_connection_is_the_one_that_stays() {
    let limits = LinkLimits { connections_per_peer_max: 2, ..LinkLimits::default() };
    let (camp, phone) = (endpoint(9, limits), endpoint(1, LinkLimits::default()));
    let target = address(&camp);
    let mut links = Vec::new();
    for spoken in [true, false, true] {
        let (link, held) = within(async { tokio::join!(phone.connect(target, None), accepted(&camp)) }).await;
        let (link, held) = (link.unwrap(), held.unwrap());
        if spoken {
            within(link.send(Class::Control, vec![1])).await.unwrap();
            within(held.recv()).await.unwrap();
        }
        links.push((link, held));
    }
    // The one on which nothing was ever said made room.
    match within(links[1].0.recv()).await.unwrap_err() {
        LinkError::ClosedByPeer { code, .. } => assert_eq!(code, close_code::TOO_MANY_FROM_PEER),
        other => panic!("{other:?}"),
    }
    let open = links.iter().map(|(_, held)| held.close_info().is_none()).collect::<Vec<_>>();
    assert_eq!(open, [true, false, true]);
}

#[tokio::test]
async fn under_pressure_a_caller_first_shows_that_it_receives_at_its_address() {
    for (handshakes_unvalidated_max, validated) in [(0, true), (8, false)] {
        let limits = LinkLimits { handshakes_unvalidated_max, ..LinkLimits::default() };
        let (camp, phone) = (endpoint(2, limits), endpoint(1, LinkLimits::default()));
        let answering = async {
            let incoming = camp.accept().await.unwrap();
            (incoming.address_is_validated(), incoming.accept().await)
        };
        let target = address(&camp);
        let (link, (seen, held)) = within(async { tokio::join!(phone.connect(target, None), answering) }).await;
        assert_eq!(seen, validated);
        assert_eq!(held.unwrap().peer(), key(1).public());
        link.unwrap();
    }
}

#[tokio::test]
async fn a_refused_caller_sees_that_we_are_busy() {
    let (camp, phone) = (endpoint(2, LinkLimits::default()), endpoint(1, LinkLimits::default()));
    let target = address(&camp);
    let refusing = async { camp.accept().await.unwrap().refuse() };
    let (call, ()) = within(async { tokio::join!(phone.connect(target, None), refusing) }).await;
    assert_eq!(call.unwrap_err(), ConnectError::Busy);
}

#[tokio::test]
async fn silence_is_no_answer_within_the_handshake_time() {
    let limits = LinkLimits { handshake: Duration::from_millis(50), ..LinkLimits::default() };
    let silent = std::net::UdpSocket::bind(ANY_PORT).unwrap();
    let call = endpoint(1, limits).connect(silent.local_addr().unwrap(), None).await;
    assert_eq!(call.unwrap_err(), ConnectError::NoAnswer);
}

#[tokio::test]
async fn a_port_in_use_is_a_clear_error() {
    let first = endpoint(1, LinkLimits::default());
    match Endpoint::bind(address(&first), &key(2), LinkLimits::default()) {
        Err(BindError::PortInUse { port }) => assert_eq!(port, address(&first).port()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_address_of_another_machine_is_a_clear_error() {
    // TEST-NET-1 (RFC 5737) belongs to nobody.
    let elsewhere = "192.0.2.1:0".parse().unwrap();
    let bound = Endpoint::bind(elsewhere, &key(1), LinkLimits::default());
    assert!(matches!(bound, Err(BindError::AddressNotHere { .. })), "{bound:?}");
}

#[test]
fn binding_outside_a_runtime_is_a_clear_error() {
    let bound = Endpoint::bind(ANY_PORT, &key(1), LinkLimits::default());
    assert!(matches!(bound, Err(BindError::NoRuntime)));
}

#[tokio::test]
async fn an_address_nobody_can_be_at_is_a_clear_error() {
    let phone = endpoint(1, LinkLimits::default());
    for nowhere in ["127.0.0.1:0", "[::1]:4433"] {
        let address = nowhere.parse().unwrap();
        assert_eq!(phone.connect(address, None).await.unwrap_err(), ConnectError::BadAddress { address });
    }
}
