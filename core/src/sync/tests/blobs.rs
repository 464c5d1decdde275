//! Photos that are absent, damaged, stuck or not wanted.

use crate::id::BlobHash;
use crate::record::testing::scope;
use crate::sync::chunks::BlobFrame;
use crate::sync::frame::{BlobClass, Wants};
use crate::sync::io::{Class, Input};
use crate::sync::testing::{EPOCH, Host, assert_synced, file, in_each_version, join, sync};
use crate::sync::{BlobFailure, Limits, Report, Session, SessionConfig};

fn with_photos(count: u8) -> [Host; 2] {
    let (mut a, b) = (Host::new(31), Host::new(32));
    for n in 0..count {
        a.write_one(31, scope(1), EPOCH, vec![[file(3 * n, 500), file(3 * n + 1, 9_000), file(3 * n + 2, 150_000)]]);
    }
    [a, b]
}

fn failures(host: &Host) -> Vec<(BlobHash, BlobFailure)> {
    let failed = |report: &Report| match report {
        Report::BlobFailed { hash, class: _, failure } => Some((*hash, *failure)),
        _ => None,
    };
    host.reports.iter().filter_map(failed).collect()
}

#[test]
fn more_photos_than_may_be_outstanding_all_arrive() {
    in_each_version(|| {
        let mut hosts = with_photos(80);
        sync(&mut hosts);
        assert_synced(&hosts);
        assert_eq!(hosts[1].contents().1.len(), 240);
    });
}

#[test]
fn thumbnails_come_before_previews_and_previews_before_originals() {
    in_each_version(|| {
        let mut hosts = with_photos(3);
        let mut link = join(&mut hosts);
        let mut order = Vec::new();
        for at in 1.. {
            link.cut_at = Some(at);
            link.run(&mut hosts);
            let done =
                [500, 9_000, 150_000].map(|len| hosts[1].blobs.values().filter(|blob| blob.len() == len).count());
            order.push(done);
            if done == [3, 3, 3] {
                break;
            }
        }
        assert!(order.iter().all(|[small, middle, _]| *middle == 0 || *small == 3));
        assert!(order.iter().all(|[_, middle, large]| *large == 0 || *middle == 3));
    });
}

#[test]
fn an_absent_photo_is_named_and_holds_up_none() {
    in_each_version(|| {
        let mut hosts = with_photos(4);
        let gone = BlobHash::of(&file(5, 150_000));
        hosts[0].blobs.remove(&gone);
        sync(&mut hosts);
        assert_eq!(failures(&hosts[1]), [(gone, BlobFailure::Absent)]);
        assert_eq!(hosts[1].contents().1.len(), 11);
        let rest = hosts[1].rest().expect("it rests");
        assert!(!rest.is_fully_synced);
        assert_eq!((rest.missing_here, rest.missing_there), (1, Some(1)));
        // The next peer has it.
        let [_, b] = hosts;
        let [whole, _] = with_photos(4);
        let mut hosts = [whole, b];
        sync(&mut hosts);
        assert_synced(&hosts);
    });
}

#[test]
fn a_damaged_photo_is_named_and_holds_up_none() {
    in_each_version(|| {
        let mut hosts = with_photos(4);
        let damaged = BlobHash::of(&file(5, 150_000));
        hosts[0].blobs.get_mut(&damaged).expect("it is held")[70_000] ^= 1;
        sync(&mut hosts);
        assert_eq!(failures(&hosts[1]), [(damaged, BlobFailure::ChunkHashes)]);
        assert_eq!(hosts[1].contents().1.len(), 11);
    });
}

#[test]
fn false_descriptions_do_not_keep_a_photo_away() {
    type Lie = fn(u64, crate::merkle::NodeHash) -> Vec<(BlobClass, u64, crate::merkle::NodeHash)>;
    let lies: [(&str, Lie); 5] = [
        ("an original as a thumbnail", |_, _| vec![(BlobClass::Thumbnail, 200, [0xff; 32])]),
        ("one byte less", |bytes, root| vec![(BlobClass::Original, bytes - 1, root)]),
        ("one chunk more", |bytes, root| vec![(BlobClass::Original, bytes + 65_536, root)]),
        ("far longer than may be asked for", |_, _| vec![(BlobClass::Original, 60 << 20, [0; 32])]),
        ("many roots", |bytes, _| (0..200).map(|n| (BlobClass::Original, bytes, [n; 32])).collect()),
    ];
    for (name, lie) in lies {
        in_each_version(|| {
            let mut hosts = with_photos(2);
            let original = file(2, 150_000);
            let hash = BlobHash::of(&original);
            // What the second device hears first is false.
            for (class, bytes, root) in lie(150_000, crate::merkle::chunk_root(&original)) {
                hosts[1].describe(hash, class, bytes, root, scope(1));
            }
            let mut link = join(&mut hosts);
            let limits = Limits { blob_bytes_max: 400_000, ..Limits::default() };
            link.sessions[1] = Session::new(SessionConfig { limits, ..hosts[1].config(31) }, hosts[1].local());
            link.run(&mut hosts);
            assert!(hosts[1].blobs.contains_key(&hash), "{name}");
            assert_eq!(hosts[1].contents().1.len(), 6, "{name}");
        });
    }
}

#[test]
fn a_disputed_photo_resumes_where_it_was_cut() {
    in_each_version(|| {
        let mut hosts = with_photos(1);
        let original = file(2, 1_500_000);
        hosts[0].write_one(31, scope(1), EPOCH, vec![[Vec::new(), Vec::new(), original.clone()]]);
        let hash = BlobHash::of(&original);
        hosts[1].describe(hash, BlobClass::Original, 1_000, [9; 32], scope(1));
        let chunks = |hosts: &[Host; 2]| hosts[1].partial.values().map(|chunks| chunks.len()).sum::<usize>();
        let mut link = join(&mut hosts);
        for at in 1.. {
            link.cut_at = Some(at);
            link.run(&mut hosts);
            if chunks(&hosts) > 10 {
                break;
            }
        }
        let before = chunks(&hosts);
        let link = sync(&mut hosts);
        assert!(hosts[1].blobs.contains_key(&hash));
        let received: u64 = link.sessions[1].progress().blobs.iter().map(|blobs| blobs.bytes_received).sum();
        assert!(received <= 1_500_000 - before as u64 * 65_536 + 150_000, "{received} after {before} chunks");
    });
}

#[test]
fn a_chunk_with_another_hash_is_refused() {
    in_each_version(|| {
        let mut hosts = with_photos(1);
        let mut link = join(&mut hosts);
        link.tamper = Some(|class, frame| {
            if class != Class::Blobs(BlobClass::Original) {
                return;
            }
            if let Ok(BlobFrame::Chunk { hash, index: 1, mut bytes }) = BlobFrame::decode(frame) {
                bytes[0] ^= 1;
                *frame = BlobFrame::Chunk { hash, index: 1, bytes }.encode();
            }
        });
        link.run(&mut hosts);
        assert_eq!(failures(&hosts[1]), [(BlobHash::of(&file(2, 150_000)), BlobFailure::Chunk)]);
        assert_eq!(hosts[1].contents().1.len(), 2);
    });
}

#[test]
fn a_photo_that_never_comes_is_given_up_and_the_next_class_asked_for() {
    in_each_version(|| {
        let mut hosts = with_photos(2);
        let mut link = join(&mut hosts);
        // The previews are lost on the way.
        link.tamper = Some(|class, frame| {
            if class == Class::Blobs(BlobClass::Preview) {
                *frame = BlobFrame::Hashes(BlobHash::from_bytes([0; 32]), vec![[0; 32]]).encode();
            }
        });
        link.run(&mut hosts);
        for now_ms in [0, 1, 45_000, 46_000] {
            link.sessions.iter_mut().for_each(|session| session.handle(Input::Wake(now_ms)));
            link.run(&mut hosts);
        }
        let failed: Vec<_> = failures(&hosts[1]).into_iter().map(|(_, failure)| failure).collect();
        assert_eq!(failed, [BlobFailure::Stuck, BlobFailure::Stuck]);
        assert_eq!(hosts[1].contents().1.len(), 4);
    });
}

#[test]
fn a_peer_that_wants_text_only_gets_no_photo_and_is_in_sync() {
    in_each_version(|| {
        let mut hosts = with_photos(3);
        let mut link = join(&mut hosts);
        let config = SessionConfig { wants: Wants::entries_and(&[BlobClass::Thumbnail]), ..hosts[1].config(31) };
        link.sessions[1] = Session::new(config, hosts[1].local());
        link.run(&mut hosts);
        assert_eq!(hosts[1].contents().1.len(), 3);
        assert!(
            hosts
                .iter()
                .all(|host| { host.rest().is_some_and(|rest| rest.is_synced_as_wanted && !rest.is_fully_synced) })
        );
    });
}

#[test]
fn a_photo_of_a_scope_that_is_not_shared_is_absent() {
    in_each_version(|| {
        let mut hosts = with_photos(1);
        let secret = BlobHash::of(&file(2, 150_000));
        let request = crate::sync::frame::Want { hash: secret, class: BlobClass::Original, have: vec![] };
        let mut alone = crate::sync::testing::Alone::new(std::mem::replace(&mut hosts[0], Host::new(31)), 32);
        let certificate = crate::roster::Certificate::issue(
            &crate::record::testing::charter(),
            &crate::record::testing::key(1),
            &crate::record::testing::request(32, "Observer"),
            crate::roster::Role::Observer,
            &[scope(2)],
        )
        .expect("a party certifies");
        hosts[1].certificate = Some(certificate);
        let hello = hosts[1].session(31).poll_send(Class::Control).expect("a hello");
        assert_eq!(alone.hear(Class::Control, hello), None);
        assert_eq!(alone.hear(Class::Control, crate::sync::frame::Frame::Want(vec![request]).encode()), None);
        assert!(alone.said().contains(&crate::sync::frame::Frame::Absent(secret)));
        assert_eq!(alone.session.poll_send(Class::Blobs(BlobClass::Original)), None);
    });
}

#[test]
fn no_more_bytes_of_photos_are_asked_for_than_allowed_and_those_left_out_are_missing() {
    in_each_version(|| {
        for (most, wanted) in [(0, [0, 0, 0]), (2_000, [3, 0, 0]), (11_000, [3, 1, 0]), (190_000, [3, 3, 1])] {
            let mut hosts = with_photos(3);
            let mut link = join(&mut hosts);
            let limits = Limits { blob_bytes_max: most, ..Limits::default() };
            let config = SessionConfig { limits, ..hosts[1].config(31) };
            link.sessions[1] = Session::new(config, hosts[1].local());
            link.run(&mut hosts);
            let came =
                [500, 9_000, 150_000].map(|len| hosts[1].blobs.values().filter(|blob| blob.len() == len).count());
            assert_eq!(came, wanted, "{most}");
            let left_out: u64 = link.sessions[1].progress().blobs.iter().map(|blobs| blobs.left_out).sum();
            assert_eq!(left_out, 9 - came.iter().sum::<usize>() as u64);
            let rest = hosts[1].rest().expect("it rests");
            assert!(!rest.is_synced_as_wanted && !rest.is_fully_synced && rest.missing_here == left_out, "{rest:?}");
            // The next conversation takes the others.
            sync(&mut hosts);
            assert_synced(&hosts);
        }
    });
}
