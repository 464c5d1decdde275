//! Classes of statements that came after version 2: who is told of them, and what a program makes of those it does not know.

use crate::id::StatementId;
use crate::roster::{Class as StatementClass, Roster};
use crate::sync::Version;
use crate::sync::frame::Frame;
use crate::sync::io::Class;
use crate::sync::testing::{Alone, Host, assert_synced, join, speak, sync};
use crate::witness::Cosignature;
use crate::witness::testing::{checkpoint, complete};

/// Hosts of a mission whose parties have a witness each; they have no certificate of it, so rosters alone are compared.
fn with_witnesses(host: &mut Host) {
    let mut roster = Roster::new(complete(&[1, 1, 1]));
    for class in StatementClass::ALL {
        for id in host.roster.ids(class) {
            // Those of the other charter do not verify under this one, and are not needed.
            let _ = roster.admit(class, host.roster.bytes(class, id).expect("it is held"));
        }
    }
    host.roster = roster;
}

fn cosignature(size: u64, witness: u8, time: u64) -> Vec<u8> {
    let note = checkpoint(size, [1; 32]);
    let line = Cosignature::make(&note, &crate::record::testing::key(witness), time).expect("it signs").line();
    [note.as_bytes(), line.as_bytes()].concat()
}

#[test]
fn a_phone_carries_cosignatures_between_two_that_never_meet() {
    speak(Version::NEWEST);
    let mut phone = Host::new(31);
    with_witnesses(&mut phone);
    for (seed, cosigned) in [(32, cosignature(7, 61, 9)), (33, cosignature(7, 62, 9)), (34, cosignature(7, 61, 5))] {
        let mut other = Host::new(seed);
        with_witnesses(&mut other);
        other.roster.admit(StatementClass::Note, checkpoint(7, [1; 32]).as_bytes()).expect("a note");
        other.roster.admit(StatementClass::Cosignature, &cosigned).expect("a cosignature");
        let mut hosts = [phone, other];
        sync(&mut hosts);
        assert_synced(&hosts);
        phone = hosts.into_iter().next().expect("two hosts");
    }
    let notes = phone.roster.cosigned_notes();
    let times: Vec<_> = notes[0].cosignatures().map(Cosignature::time).collect();
    assert_eq!((notes.len(), times.len(), times.contains(&5), times.contains(&9)), (1, 2, true, true));
}

#[test]
fn a_peer_of_an_older_version_is_never_told_of_them() {
    for version in [Version::V1, Version::V2] {
        speak(version);
        let mut hosts = [Host::new(31), Host::new(32)];
        hosts.iter_mut().for_each(with_witnesses);
        let cosigned = cosignature(7, 61, 9);
        hosts[0].roster.admit(StatementClass::Cosignature, &cosigned).expect("a cosignature");
        let mut link = join(&mut hosts);
        link.tamper = Some(|class, frame| {
            if class == Class::Control
                && let Ok(said) = Frame::decode(frame)
            {
                let is_later = match said {
                    Frame::StatementIds(class, _) | Frame::Statements(class, _) => class.code() > 6,
                    Frame::Classes(classes) => classes.iter().any(|(code, _)| *code > 6),
                    _ => false,
                };
                assert!(!is_later);
            }
        });
        link.run(&mut hosts);
        assert!(hosts.iter().all(|host| host.rest().is_some_and(|rest| rest.is_fully_synced)), "{version:?}");
        assert!(hosts[1].roster.ids(StatementClass::Cosignature).is_empty());
        let mut alone = Alone::new(Host::new(31), 32);
        alone.hear(Class::Control, Host::new(32).session(31).poll_send(Class::Control).expect("a hello"));
        let frame = Frame::Statements(StatementClass::Cosignature, vec![cosigned]).encode();
        assert!(alone.hear(Class::Control, frame).is_some(), "{version:?}");
    }
    speak(Version::NEWEST);
}

#[test]
fn classes_of_a_later_program_are_passed_over_and_hold_nothing_up() {
    speak(Version::NEWEST);
    let mut hosts = [Host::new(31), Host::new(32)];
    hosts[0].write(31, 3);
    hosts[1].write(32, 2);
    let mut link = join(&mut hosts);
    link.tamper = Some(|class, frame| {
        if class == Class::Control
            && let Ok(Frame::Classes(mut classes)) = Frame::decode(frame)
        {
            classes.push((61, [1; 32]));
            *frame = Frame::Classes(classes).encode();
        }
    });
    link.run(&mut hosts);
    assert_synced(&hosts);

    let mut alone = Alone::new(Host::new(31), 32);
    alone.hear(Class::Control, Host::new(32).session(31).poll_send(Class::Control).expect("a hello"));
    let later = [
        Frame::LaterStatements(61, vec![vec![1, 2, 3], vec![]]),
        Frame::LaterIds(61, vec![StatementId::from_bytes([1; 32])]),
    ];
    for frame in later {
        assert_eq!(alone.hear(Class::Control, frame.encode()), None);
    }
}

#[test]
fn a_class_that_the_peer_does_not_name_is_not_waited_for() {
    speak(Version::NEWEST);
    let [mut host, peer] = [Host::new(31), Host::new(32)];
    let local = host.local().statements;
    with_witnesses(&mut host);
    host.roster.admit(StatementClass::Cosignature, &cosignature(7, 61, 9)).expect("a cosignature");
    let mut alone = Alone::new(host, 32);
    alone.hear(Class::Control, peer.session(31).poll_send(Class::Control).expect("a hello"));
    let nothing = crate::sync::statements_digest(&[]);
    let named = |class: StatementClass| (class.code(), local.get(&class).copied().unwrap_or(nothing));
    let mut known: Vec<_> = StatementClass::ALL.into_iter().filter(|class| class.code() <= 6).map(named).collect();
    known.sort_unstable();
    assert_eq!(alone.hear(Class::Control, Frame::Classes(known).encode()), None);
    let said = alone.said();
    let ids_of =
        |class| said.iter().filter(|frame| matches!(frame, Frame::StatementIds(of, _) if *of == class)).count();
    // Charter and certificates differ here and are told; of what the peer does not know nothing is.
    assert_eq!((ids_of(StatementClass::Certificate), ids_of(StatementClass::Cosignature)), (1, 0), "{said:?}");
}
