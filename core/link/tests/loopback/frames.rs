//! Order, limits, pressure and urgency.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use merestone_link::{
    Class, CloseInfo, Connection, LinkError, LinkLimits, PHOTO_FRAME_BYTES_MAX, STREAM_WINDOW_BYTES, Version,
    Violation, close_code,
};
use quinn::ConnectionError;

use crate::{
    accepted, address, endpoint,
    outsider::{Shows, caller, raw_key},
    pair, relayed, until, within,
};

/// A link to us from somebody who writes what he likes.
async fn outsiders_link() -> (quinn::Connection, Connection) {
    let camp = endpoint(2, LinkLimits::default());
    let call = caller(Version::V1.alpn(), Shows::RawKey(raw_key(1))).connect(address(&camp), "peer.invalid").unwrap();
    let (outsider, camp) = tokio::join!(call, accepted(&camp));
    (outsider.unwrap(), camp.unwrap())
}

async fn received_bytes(link: &Connection, bytes: u64) {
    until(|| link.stats().udp_received.bytes >= bytes).await;
}

#[tokio::test]
async fn order_is_kept_within_each_class_whoever_sends() {
    const FRAMES: u8 = 50;
    let pair = within(pair(LinkLimits::default())).await;
    for class in Class::ALL {
        let phone = pair.phone.clone();
        tokio::spawn(async move {
            for number in 0..FRAMES {
                phone.send(class, vec![number; usize::from(number) * 700]).await.unwrap();
            }
        });
    }
    let mut next = [0; Class::ALL.len()];
    for _ in 0..FRAMES as usize * Class::ALL.len() {
        let (class, frame) = within(pair.camp.recv()).await.unwrap();
        let number = &mut next[class as usize];
        assert_eq!(frame, vec![*number; usize::from(*number) * 700], "{class}");
        *number += 1;
    }
    assert_eq!(next, [FRAMES; Class::ALL.len()]);
}

#[tokio::test]
async fn frames_of_the_longest_length_pass_and_longer_ones_are_not_sent() {
    let pair = within(pair(LinkLimits::default())).await;
    for class in Class::ALL {
        let bytes_max = class.frame_bytes_max();
        let refused = within(pair.phone.send(class, vec![0; bytes_max + 1])).await;
        assert_eq!(refused, Err(LinkError::FrameTooLarge { class, bytes: bytes_max + 1, bytes_max }));
        let sending = pair.phone.send(class, vec![7; bytes_max]);
        let (sent, received) = within(async { tokio::join!(sending, pair.camp.recv()) }).await;
        assert_eq!((sent, received), (Ok(()), Ok((class, vec![7; bytes_max]))));
    }
}

#[tokio::test]
async fn a_peer_that_breaks_the_framing_is_told_the_code_of_what_it_broke() {
    let too_large = (PHOTO_FRAME_BYTES_MAX as u32 + 1).to_be_bytes();
    let large = [[5].as_slice(), &too_large].concat();
    let half = [1, 0, 0, 0, 9, b'h', b'a', b'l', b'f'];
    let (class, bytes_max) = (Class::Originals, PHOTO_FRAME_BYTES_MAX);
    let frame_too_large = Violation::FrameTooLarge { class, bytes: bytes_max as u32 + 1, bytes_max };
    let cases: [(&[&[u8]], Violation); 6] = [
        (&[&large], frame_too_large),
        (&[&[0]], Violation::ClassUnknown { byte: 0 }),
        (&[&[6]], Violation::ClassUnknown { byte: 6 }),
        (&[&[2], &[2]], Violation::ClassRepeated { class: Class::Entries }),
        (&[&half], Violation::StreamCut),
        (&[&[]], Violation::StreamCut),
    ];
    for (streams, violation) in cases {
        let (outsider, camp) = within(outsiders_link()).await;
        for bytes in streams {
            let mut stream = outsider.open_uni().await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream.finish().unwrap();
        }
        assert_eq!(within(camp.recv()).await, Err(LinkError::Misbehaved { violation }));
        match within(outsider.closed()).await {
            ConnectionError::ApplicationClosed(close) => {
                assert_eq!(close.error_code.into_inner(), u64::from(violation.code()));
                assert_eq!(close.reason, violation.to_string().as_bytes());
            }
            other => panic!("{violation:?}: {other:?}"),
        }
        let code = violation.code();
        assert!(matches!(camp.close_info(), Some(CloseInfo::Here { code: said, .. }) if said == code));
        assert!(matches!(within(camp.recv()).await, Err(LinkError::ClosedHere { .. })));
    }
}

#[tokio::test]
async fn a_peer_that_stops_or_resets_a_stream_is_told_so() {
    let (outsider, camp) = within(outsiders_link()).await;
    camp.send(Class::Control, b"hello".to_vec()).await.unwrap();
    within(outsider.accept_uni()).await.unwrap().stop(0u32.into()).unwrap();
    let stopped = within(async {
        loop {
            if let Err(error) = camp.send(Class::Control, vec![0; 1000]).await {
                break error;
            }
        }
    });
    assert!(matches!(stopped.await, LinkError::ClosedHere { code: close_code::STREAM_CUT, .. }));

    let (outsider, camp) = within(outsiders_link()).await;
    let mut stream = outsider.open_uni().await.unwrap();
    stream.write_all(&[1, 0, 0, 0, 4]).await.unwrap();
    stream.reset(0u32.into()).unwrap();
    assert_eq!(within(camp.recv()).await, Err(LinkError::Misbehaved { violation: Violation::StreamCut }));
}

#[tokio::test]
async fn a_class_that_ends_between_two_frames_leaves_the_others_alone() {
    let (outsider, camp) = within(outsiders_link()).await;
    let mut ends = outsider.open_uni().await.unwrap();
    ends.write_all(&[2, 0, 0, 0, 1, b'a']).await.unwrap();
    ends.finish().unwrap();
    assert_eq!(within(camp.recv()).await, Ok((Class::Entries, b"a".to_vec())));
    let mut goes_on = outsider.open_uni().await.unwrap();
    goes_on.write_all(&[1, 0, 0, 0, 0, 0, 0, 0, 1, b'b']).await.unwrap();
    assert_eq!(within(camp.recv()).await, Ok((Class::Control, Vec::new())));
    assert_eq!(within(camp.recv()).await, Ok((Class::Control, b"b".to_vec())));
}

#[tokio::test]
async fn a_peer_that_does_not_read_pushes_back_and_nothing_is_lost() {
    const FRAMES: usize = 32;
    let pair = within(pair(LinkLimits::default())).await;
    let accepted = Arc::new(AtomicUsize::new(0));
    let (phone, count) = (pair.phone.clone(), Arc::clone(&accepted));
    let sending = tokio::spawn(async move {
        for number in 0..FRAMES {
            let frame = vec![number as u8; PHOTO_FRAME_BYTES_MAX];
            phone.send(Class::Originals, frame).await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    received_bytes(&pair.camp, STREAM_WINDOW_BYTES.into()).await;

    // A hundred messages the other way give the sender every chance to go on.
    for _ in 0..100 {
        pair.camp.send(Class::Entries, vec![1; 5_000]).await.unwrap();
        within(pair.phone.recv()).await.unwrap();
    }
    // The window holds so many frames with their headers; then one is being written, and one waits.
    let whole = STREAM_WINDOW_BYTES as usize / (PHOTO_FRAME_BYTES_MAX + 4);
    assert_eq!(accepted.load(Ordering::SeqCst), whole + 2);
    assert_eq!(pair.phone.stats().class(Class::Originals).frames_sent, whole as u64);
    assert!(pair.camp.stats().udp_received.bytes < 2 * u64::from(STREAM_WINDOW_BYTES), "only the window arrived");

    for number in 0..FRAMES {
        let frame = vec![number as u8; PHOTO_FRAME_BYTES_MAX];
        assert_eq!(within(pair.camp.recv()).await, Ok((Class::Originals, frame)));
    }
    within(sending).await.unwrap();
}

#[tokio::test]
async fn text_sent_after_eight_mebibytes_of_photos_arrives_before_them() {
    const FRAMES: usize = 32;
    const TEXT_BYTES: usize = 64 << 10;
    let pair = within(pair(LinkLimits::default())).await;
    let phone = pair.phone.clone();
    tokio::spawn(async move {
        for _ in 0..FRAMES {
            phone.send(Class::Originals, vec![1; PHOTO_FRAME_BYTES_MAX]).await.unwrap();
        }
    });
    // The road is full of photos: their window has arrived, and nobody has read a byte of it.
    received_bytes(&pair.camp, STREAM_WINDOW_BYTES.into()).await;
    pair.phone.send(Class::Control, vec![2; TEXT_BYTES]).await.unwrap();
    // Now it has arrived too, but for the rest of both windows' overhead.
    received_bytes(&pair.camp, u64::from(STREAM_WINDOW_BYTES) + TEXT_BYTES as u64).await;

    let mut photos_before = 0;
    while within(pair.camp.recv()).await.unwrap().0 != Class::Control {
        photos_before += 1;
    }
    assert!(photos_before <= 2, "{photos_before} of {FRAMES} photos came first");
    for _ in photos_before..FRAMES {
        assert_eq!(within(pair.camp.recv()).await.unwrap().0, Class::Originals);
    }
}

#[tokio::test]
async fn text_overtakes_the_photo_that_was_handed_over_before_it() {
    let (phone, camp, relay) = within(relayed(LinkLimits::default())).await;
    // Nothing gets through until both lie in the sender, far more than a first flight of packets.
    relay.cut();
    for (class, bytes) in [(Class::Originals, 200_000), (Class::Control, 100_000)] {
        phone.send(class, vec![0; bytes]).await.unwrap();
        until(|| phone.stats().class(class).frames_sent == 1).await;
    }
    relay.mend();
    assert_eq!(within(camp.recv()).await.unwrap().0, Class::Control);
    assert_eq!(within(camp.recv()).await.unwrap().0, Class::Originals);
}

#[tokio::test]
async fn the_most_urgent_frame_that_is_here_comes_first() {
    let (outsider, camp) = within(outsiders_link()).await;
    for class in [5, 4, 3, 2, 1] {
        let mut stream = outsider.open_uni().await.unwrap();
        stream.write_all(&[class, 0, 0, 0, 1, class]).await.unwrap();
        stream.finish().unwrap();
        // Acknowledged to its end, so it is there.
        assert_eq!(within(stream.stopped()).await, Ok(None));
    }
    for class in Class::ALL {
        assert_eq!(within(camp.recv()).await, Ok((class, vec![class as u8 + 1])));
    }
}

#[tokio::test]
async fn a_send_that_is_given_up_sends_nothing_of_its_frame() {
    let pair = within(pair(LinkLimits::default())).await;
    let photo = |number| vec![number; PHOTO_FRAME_BYTES_MAX];
    // As many as the window holds, one that is being written, and one that waits.
    let taken = (STREAM_WINDOW_BYTES as usize / (PHOTO_FRAME_BYTES_MAX + 4) + 2) as u8;
    for number in 0..taken {
        pair.phone.send(Class::Originals, photo(number)).await.unwrap();
    }
    received_bytes(&pair.camp, STREAM_WINDOW_BYTES.into()).await;
    tokio::select! {
        biased;
        sent = pair.phone.send(Class::Originals, photo(taken)) => panic!("there was room: {sent:?}"),
        () = std::future::ready(()) => {}
    }
    let sending = pair.phone.send(Class::Originals, photo(taken + 1));
    let reading = async {
        for number in (0..taken).chain([taken + 1]) {
            assert_eq!(pair.camp.recv().await, Ok((Class::Originals, photo(number))));
        }
    };
    let (sent, ()) = within(async { tokio::join!(sending, reading) }).await;
    sent.unwrap();
}

#[tokio::test]
async fn a_recv_that_is_given_up_loses_nothing_of_its_frame() {
    let (outsider, camp) = within(outsiders_link()).await;
    let mut stream = outsider.open_uni().await.unwrap();
    for piece in [[1].as_slice(), &[0, 0], &[0, 4, b't'], b"ex"] {
        let before = camp.stats().udp_received.datagrams;
        stream.write_all(piece).await.unwrap();
        until(|| camp.stats().udp_received.datagrams > before).await;
        tokio::select! {
            biased;
            frame = camp.recv() => panic!("not complete: {frame:?}"),
            () = std::future::ready(()) => {}
        }
    }
    stream.write_all(b"t").await.unwrap();
    assert_eq!(within(camp.recv()).await, Ok((Class::Control, b"text".to_vec())));
}

#[tokio::test]
async fn both_sides_count_what_was_carried() {
    let pair = within(pair(LinkLimits::default())).await;
    for bytes in [10, 20, 30_000] {
        pair.phone.send(Class::Previews, vec![0; bytes]).await.unwrap();
        within(pair.camp.recv()).await.unwrap();
    }
    until(|| pair.phone.stats().class(Class::Previews).frames_sent == 3).await;
    let (phone, camp) = (pair.phone.stats(), pair.camp.stats());
    assert_eq!(phone.class(Class::Previews).bytes_sent, 30_030);
    assert_eq!(camp.class(Class::Previews).frames_received, 3);
    assert_eq!(camp.class(Class::Previews).bytes_received, 30_030);
    assert_eq!(phone.class(Class::Control), camp.class(Class::Control));
    assert!(camp.udp_received.bytes > 30_030 && camp.udp_received.bytes <= phone.udp_sent.bytes);
    assert!(camp.udp_received.datagrams > 20 && camp.udp_received.datagrams <= phone.udp_sent.datagrams);
}

/// Sends a short frame to and fro, so often that everything that QUIC wants to say beside it is said.
async fn bytes_of_little(bulk: bool) -> u64 {
    let (phone_endpoint, camp_endpoint) =
        (endpoint(1, LinkLimits { bulk, ..LinkLimits::default() }), endpoint(2, LinkLimits::default()));
    let (phone, camp) = tokio::join!(phone_endpoint.connect(address(&camp_endpoint), None), accepted(&camp_endpoint));
    let (phone, camp) = (phone.unwrap(), camp.unwrap());
    for _ in 0..30 {
        phone.send(Class::Control, vec![7]).await.unwrap();
        within(camp.recv()).await.unwrap();
        camp.send(Class::Control, vec![7]).await.unwrap();
        within(phone.recv()).await.unwrap();
    }
    phone.stats().udp_sent.bytes + camp.stats().udp_sent.bytes
}

#[tokio::test]
async fn a_caller_that_expects_little_spares_both_sides_the_search_for_larger_datagrams() {
    let (little, much) = (bytes_of_little(false).await, bytes_of_little(true).await);
    assert!(little + 4 * 1_200 < much, "{little} and {much} bytes");
}

#[tokio::test]
async fn what_arrived_whole_is_taken_without_waiting_also_after_this_side_closed() {
    let pair = within(pair(LinkLimits::default())).await;
    assert_eq!(pair.camp.try_recv(), None);
    for number in 0..2 {
        pair.phone.send(Class::Originals, vec![number; 60_000]).await.unwrap();
    }
    // With what QUIC puts around it the second may not be here whole.
    received_bytes(&pair.camp, 2 * 60_000).await;
    pair.camp.close(close_code::DONE, "");
    assert_eq!(pair.camp.try_recv(), Some((Class::Originals, vec![0; 60_000])));
    while pair.camp.try_recv().is_some() {}
    assert!(matches!(within(pair.camp.recv()).await, Err(LinkError::ClosedHere { .. })));
}
