//! Peers without a certificate, with another's, with fewer scopes, or with a key that was cut.

use crate::id::{BlobHash, LogId, MissionId};
use crate::record::testing::{certificate, charter, key, request, roster, scope};
use crate::roster::{
    Acknowledgement, Certificate, Changes, Class as StatementClass, Cut, CutDraft, CutReason, Party, ProposedAmendment,
    Role,
};
use crate::sync::frame::{Frame, Hello, HelloV2, LogTip, Shown, Wants};
use crate::sync::io::{Action, Class, Input, LocalChange};
use crate::sync::testing::{Alone, EPOCH, Host, Link, assert_synced, file, in_each_version, join, speak, sync};
use crate::sync::{CloseCode, CutKey, LocalState, LocalTip, Report, Session, SessionConfig, Version};

fn hello_of(host: &Host, edit: impl Fn(&mut Hello)) -> Vec<u8> {
    let bytes = host.session(1).poll_send(Class::Control).expect("a hello");
    let second = match Frame::decode(&bytes) {
        Ok(Frame::HelloV2(hello)) => hello,
        Ok(Frame::Hello(mut hello)) => {
            edit(&mut hello);
            return Frame::Hello(hello).encode();
        }
        _ => panic!("no hello"),
    };
    let HelloV2 { mission, certificate, store, statements: _, ref tips, wants, blobs: _, agreed: _ } = second;
    let (certificate, tips) = (if let Shown::Whole(bytes) = certificate { Some(bytes) } else { None }, tips.clone());
    let mut hello = Hello { version: 2, mission, certificate, store, statements: Vec::new(), tips, wants };
    edit(&mut hello);
    let Hello { version: _, mission, certificate, store, statements: _, tips, wants } = hello;
    let certificate = certificate.map_or(Shown::Nothing, Shown::Whole);
    let (statements, blobs, agreed) = (second.statements, second.blobs, second.agreed);
    Frame::HelloV2(HelloV2 { mission, certificate, store, statements, tips, wants, blobs, agreed }).encode()
}

#[test]
fn a_hello_that_does_not_fit_ends_the_conversation_by_name() {
    speak(Version::V1);
    let foreign = certificate(1, 33, Role::Observer).as_bytes().to_vec();
    let rows: Vec<(&str, Vec<u8>, CloseCode)> = vec![
        ("version", hello_of(&Host::new(32), |hello| hello.version += 1), CloseCode::Version),
        (
            "mission",
            hello_of(&Host::new(32), |hello| hello.mission = MissionId::from_bytes([9; 32])),
            CloseCode::MissionMismatch,
        ),
        (
            "another's certificate",
            hello_of(&Host::new(32), |hello| hello.certificate = Some(foreign.clone())),
            CloseCode::PeerTransportKey,
        ),
        ("no hello", Frame::Ready.encode(), CloseCode::Malformed),
        (
            "too long for a hello",
            hello_of(&Host::new(32), |hello| hello.certificate = Some(vec![0; 4_096])),
            CloseCode::Malformed,
        ),
    ];
    for (name, frame, wanted) in rows {
        let mut alone = Alone::new(Host::new(31), 32);
        let close = alone.hear(Class::Control, frame).expect(name);
        assert_eq!(close.code, wanted, "{name}");
        // After the close it says and does nothing.
        assert_eq!(alone.session.poll_send(Class::Control), None);
        assert!(!alone.session.is_receiving(Class::Control));
    }
}

#[test]
fn a_joining_device_receives_the_charter_and_its_own_certificates_and_nothing_else() {
    in_each_version(|| {
        let mut camp = Host::new(31);
        camp.write(31, 3);
        for seed in [32, 33] {
            let issued = certificate(2, seed, Role::Observer);
            camp.roster.admit(StatementClass::Certificate, issued.as_bytes()).expect("well formed");
        }
        let mut phone = Host::new(32);
        phone.certificate = None;
        phone.roster = roster(&[]);
        let session = Session::new(SessionConfig { charter: None, ..phone.config(31) }, LocalState::default());
        let mut hosts = [camp, phone];
        let mut link = Link::new(hosts[0].session(32), session);
        link.run(&mut hosts);
        assert_eq!(hosts[1].closed.map(|close| close.code), Some(CloseCode::NotEnrolled));
        let names: Vec<_> =
            hosts[1].roster.certificates().map(|certificate| *certificate.request().transport()).collect();
        assert_eq!(names, [[32; 32]]);
        assert!(hosts[1].logs.is_empty());
        // The camp waits for the device to go, and not for ever.
        assert_eq!(hosts[0].closed, None);
        for now_ms in [0, 1, 90_002, 180_004] {
            link.sessions[0].handle(Input::Wake(now_ms));
        }
        link.run(&mut hosts);
        assert_eq!(hosts[0].closed.map(|close| close.code), Some(CloseCode::NotEnrolled));
    });
}

#[test]
fn who_is_called_says_who_it_is_to_members_only() {
    in_each_version(|| {
        let camp = Host::new(31);
        let mut phone = Host::new(32);
        let mut called = camp.called(32);
        assert_eq!(called.poll_send(Class::Control), None, "nothing before the caller's hello");
        called.handle(Input::Frame(Class::Control, phone.session(31).poll_send(Class::Control).expect("a hello")));
        let certificate = |frame: Option<Vec<u8>>| match Frame::decode(&frame.expect("an answer")) {
            Ok(Frame::Hello(hello)) => hello.certificate,
            Ok(Frame::HelloV2(hello)) => match hello.certificate {
                Shown::Whole(certificate) => Some(certificate),
                Shown::Nothing | Shown::Named(_) => None,
            },
            other => panic!("{other:?}"),
        };
        let own = camp.certificate.as_ref().map(|own| own.as_bytes().to_vec());
        assert_eq!(certificate(called.poll_send(Class::Control)), own);

        phone.certificate = None;
        let mut called = camp.called(32);
        called.handle(Input::Frame(Class::Control, phone.session(31).poll_send(Class::Control).expect("a hello")));
        assert_eq!(certificate(called.poll_send(Class::Control)), None, "a stranger is told no name");
    });
}

#[test]
fn a_stranger_that_says_something_now_and_then_is_sent_away_all_the_same() {
    in_each_version(|| {
        let mut phone = Host::new(32);
        phone.certificate = None;
        let mut alone = Alone::new(Host::new(31), 32);
        let hello = phone.session(31).poll_send(Class::Control).expect("a hello");
        assert_eq!(alone.hear(Class::Control, hello), None);
        let closed = (0..10u64).find_map(|minute| {
            alone.hear(Class::Control, Frame::Classes(vec![]).encode());
            alone.session.handle(Input::Wake(minute * 60_000));
            alone.settle().map(|close| (minute, close.code))
        });
        assert_eq!(closed, Some((3, CloseCode::NotEnrolled)));
        let mut silent = Alone::new(Host::new(31), 32);
        silent.session.handle(Input::Wake(0));
        silent.session.handle(Input::Wake(30_001));
        assert_eq!(silent.settle().map(|close| close.code), Some(CloseCode::TooSlow));
    });
}

#[test]
fn more_logs_than_are_told_end_no_conversation() {
    in_each_version(|| {
        let mut hosts = [Host::new(31), Host::new(32)];
        hosts[0].write(31, 2);
        let own = *hosts[0].logs.keys().next().expect("it wrote");
        let tip = hosts[0].tip(own).expect("it wrote").tip;
        let log = |n: u32| LogId::from_bytes(crate::id::sha256(&[&n.to_be_bytes()]));
        let tips = (0..70_000).map(|n| LocalTip { tip: LogTip { log: log(n), ..tip }, scope: scope(1), urgency: 0 });
        let mut session = Session::new(hosts[0].config(32), LocalState { tips: tips.collect(), ..hosts[0].local() });
        let more = LocalTip { tip: LogTip { log: log(70_001), ..tip }, scope: scope(1), urgency: 0 };
        session.handle(Input::Frame(Class::Control, hosts[1].session(31).poll_send(Class::Control).expect("a hello")));
        session.handle(Input::LocalChange(LocalChange { tips: vec![more], ..LocalChange::default() }));
        while let Some(action) = session.poll() {
            assert!(!matches!(action, Action::Close(_)), "{action:?}");
        }
    });
}

#[test]
fn a_stranger_can_send_nothing() {
    in_each_version(|| {
        let entry = Host::new(33).write(33, 1).remove(0);
        let full = crate::sync::wire::encode_full(&[crate::sync::wire::Outgoing {
            header: entry.header_bytes(),
            body: entry.body_bytes(),
        }]);
        let mut other_party = Host::new(32);
        other_party.certificate = None;
        for (class, frame) in [
            (Class::Entries, full),
            (Class::Control, Frame::StatementIds(StatementClass::Cut, vec![]).encode()),
            (Class::Control, Frame::Probe(LogId::from_bytes([1; 32]), vec![0]).encode()),
            (Class::Control, Frame::Absent(BlobHash::from_bytes([1; 32])).encode()),
        ] {
            let mut alone = Alone::new(Host::new(31), 32);
            assert_eq!(alone.hear(Class::Control, hello_of(&other_party, |_| ())), None);
            let close = alone.hear(class, frame).expect("refused");
            assert_eq!(close.code, CloseCode::NotEnrolled);
            assert!(alone.host.logs.is_empty());
        }
    });
}

fn certified(seed: u8, scopes: &[u8]) -> Host {
    let mut host = Host::new(seed);
    let scopes: Vec<_> = scopes.iter().map(|n| scope(*n)).collect();
    let issued = Certificate::issue(&charter(), &key(1), &request(seed, "Observer"), Role::Observer, &scopes);
    let issued = issued.expect("a party certifies");
    host.roster = roster(std::slice::from_ref(&issued));
    host.certificate = Some(issued);
    host
}

#[test]
fn a_scope_that_is_not_granted_never_travels() {
    in_each_version(|| {
        let mut hosts = [certified(31, &[1, 2]), certified(32, &[2])];
        hosts[0].write(31, 4);
        hosts[0].write_one(31, scope(1), EPOCH, vec![[file(1, 50), vec![], file(2, 90)]]);
        let shared = hosts[0].write_one(31, scope(2), EPOCH, vec![[file(3, 50), vec![], file(4, 90)]]);
        hosts[1].write_one(32, scope(2), EPOCH, vec![]);
        sync(&mut hosts);
        assert!(hosts.iter().all(|host| host.rest().is_some_and(|rest| rest.is_fully_synced)));
        assert_eq!(hosts[1].contents().0.len(), 2);
        assert!(hosts[1].contents().0.contains(&shared.id()));
        assert_eq!(hosts[1].contents().1.len(), 2);
        // Asking for the other log by name gives nothing.
        let log = LogId::derive(key(31).public().as_bytes(), scope(1), EPOCH);
        let mut alone = Alone::new(certified(31, &[1, 2]), 32);
        alone.host.write(31, 4);
        alone.session = alone.host.session(32);
        alone.hear(Class::Control, hello_of(&hosts[1], |_| ()));
        assert_eq!(alone.hear(Class::Control, Frame::Probe(log, vec![0, 3]).encode()), None);
        assert!(alone.said().contains(&Frame::Probed(log, vec![(0, vec![]), (3, vec![])])));
        let close = alone.hear(Class::Control, Frame::Again { log, from: 0, count: 4 }.encode()).expect("refused");
        assert_eq!(close.code, CloseCode::Malformed);
    });
}

/// A phone whose key party 1 cut, and one that knows the cut.
fn cut_phone() -> ([Host; 2], Cut) {
    let (mut knows, mut cut_one) = (Host::new(31), Host::new(32));
    knows.write(31, 3);
    cut_one.write(32, 4);
    cut_one.write_one(32, scope(1), EPOCH, vec![[file(1, 50), vec![], file(2, 70_000)]]);
    let signer = key(32);
    let draft = CutDraft { key: signer.public().as_bytes(), kept: &[], reason: CutReason::Stolen, text: None };
    let cut = Cut::make(&charter(), &key(1), &draft).expect("a party cuts");
    let issued = cut_one.certificate.clone().expect("it is certified");
    for (class, bytes) in [(StatementClass::Certificate, issued.as_bytes()), (StatementClass::Cut, cut.as_bytes())] {
        knows.roster.admit(class, bytes).expect("well formed");
    }
    ([knows, cut_one], cut)
}

#[test]
fn a_peer_whose_key_was_cut_gives_its_evidence_and_receives_the_cut_only() {
    in_each_version(|| {
        let (mut hosts, cut) = cut_phone();
        let third = certificate(2, 40, Role::Observer);
        hosts[0].roster.admit(StatementClass::Certificate, third.as_bytes()).expect("well formed");
        sync(&mut hosts);
        let [knows, cut_one] = &hosts;
        assert_eq!(knows.contents().0.len(), 8);
        assert_eq!(knows.contents().1.len(), 2);
        assert_eq!(cut_one.contents().0.len(), 5);
        assert_eq!(cut_one.roster.cuts().map(Cut::id).collect::<Vec<_>>(), [cut.id()]);
        assert_eq!(cut_one.roster.certificates().count(), 1);
        assert!(hosts.iter().all(|host| host.rest().is_none_or(|rest| !rest.is_fully_synced)));
        let knows_it = |report: &Report| matches!(report, Report::Peer { is_cut: true, .. });
        assert!(hosts[0].reports.iter().any(knows_it));
    });
}

#[test]
fn a_cut_that_waited_for_a_certificate_is_told_to_whoever_brings_it() {
    in_each_version(|| {
        let (mut hosts, _) = cut_phone();
        let third = certificate(1, 40, Role::Observer);
        let draft = CutDraft { key: third.key().as_bytes(), kept: &[], reason: CutReason::Lost, text: None };
        let cut = Cut::make(&charter(), &key(1), &draft).expect("a party cuts");
        hosts[0].roster = roster(&[hosts[0].certificate.clone().expect("certified")]);
        hosts[0].roster.admit(StatementClass::Cut, cut.as_bytes()).expect_err("of a key that nobody here knows");
        hosts[1].roster.admit(StatementClass::Certificate, third.as_bytes()).expect("well formed");
        sync(&mut hosts);
        for host in &hosts {
            assert_eq!(host.roster.cuts().map(Cut::id).collect::<Vec<_>>(), [cut.id()]);
        }
        assert_synced(&hosts);
    });
}

#[test]
fn a_peer_of_whose_key_a_cut_waited_receives_the_cut_only() {
    in_each_version(|| {
        let (mut hosts, cut) = cut_phone();
        hosts[0].roster = roster(&[hosts[0].certificate.clone().expect("certified")]);
        hosts[0].roster.admit(StatementClass::Cut, cut.as_bytes()).expect_err("of a key that nobody here knows");
        sync(&mut hosts);
        let [knows, cut_one] = &hosts;
        assert_eq!(knows.contents().0.len(), 8, "its evidence is heard");
        assert_eq!(cut_one.contents().0.len(), 5, "and it hears nothing");
        assert_eq!(cut_one.roster.cuts().map(Cut::id).collect::<Vec<_>>(), [cut.id()]);
    });
}

#[test]
fn a_peer_whose_key_was_cut_is_told_who_acknowledged_that_and_of_nobody_else() {
    speak(Version::NEWEST);
    let (mut hosts, cut) = cut_phone();
    let camps = [(2, 40), (3, 41)].map(|(party, seed)| certificate(party, seed, Role::Camp));
    for camp in &camps {
        hosts[0].roster.admit(StatementClass::Certificate, camp.as_bytes()).expect("well formed");
    }
    let said =
        Acknowledgement::make(&hosts[0].roster, &key(40), camps[0].id(), cut.id()).expect("another party's camp");
    hosts[0].roster.admit(StatementClass::Acknowledgement, said.as_bytes()).expect("well formed");
    sync(&mut hosts);
    let told = &hosts[1].roster;
    assert!(told.holds(StatementClass::Cut, cut.id()) && told.holds(StatementClass::Acknowledgement, said.id()));
    let known: Vec<_> = camps.iter().map(|camp| told.certificate(camp.id()).is_some()).collect();
    assert_eq!(known, [true, false]);
}

#[test]
fn a_peer_whose_key_a_root_cut_that_it_does_not_know_yet_is_told_of_the_amendment_too() {
    speak(Version::NEWEST);
    let (mut hosts, _) = cut_phone();
    let issued = hosts[1].certificate.clone().expect("it is certified");
    let founding = charter();
    let replaced = Party { root: *key(90).public(), ..founding.charter().parties[0].clone() };
    let changes = Changes { parties: vec![replaced], ..Changes::default() };
    let mut proposed = ProposedAmendment::begin(&founding, &key(1), &changes).expect("a party signs");
    for root in [2, 3, 90] {
        proposed.sign(&key(root)).expect("a party signs");
    }
    let amendment = proposed.complete().expect("all signed");
    let draft = CutDraft { key: issued.key().as_bytes(), kept: &[], reason: CutReason::Lost, text: Some("new root") };
    let cut = Cut::make(amendment.amended(), &key(90), &draft).expect("the new root cuts");
    hosts[0].roster = Host::new(31).roster;
    for (class, bytes) in [
        (StatementClass::Amendment, amendment.as_bytes()),
        (StatementClass::Certificate, issued.as_bytes()),
        (StatementClass::Cut, cut.as_bytes()),
    ] {
        hosts[0].roster.admit(class, bytes).expect("well formed");
    }
    sync(&mut hosts);
    assert!(hosts[1].roster.holds(StatementClass::Cut, cut.id()));
}

#[test]
fn many_cuts_of_one_key_cost_no_more_than_they_are() {
    let (mut hosts, _) = cut_phone();
    let camp = certificate(2, 40, Role::Camp);
    hosts[0].roster.admit(StatementClass::Certificate, camp.as_bytes()).expect("well formed");
    for n in 0..60 {
        let (lost, text) = (key(32), format!("once more, {n}"));
        let draft =
            CutDraft { key: lost.public().as_bytes(), kept: &[], reason: CutReason::Lost, text: Some(text.as_str()) };
        let cut = Cut::make(&charter(), &key(1), &draft).expect("a party cuts");
        hosts[0].roster.admit(StatementClass::Cut, cut.as_bytes()).expect("well formed");
        let said =
            Acknowledgement::make(&hosts[0].roster, &key(40), camp.id(), cut.id()).expect("another party's camp");
        hosts[0].roster.admit(StatementClass::Acknowledgement, said.as_bytes()).expect("well formed");
    }
    assert_eq!(CutKey::all(&hosts[0].roster).len(), 61 + 60 + 1, "cuts, acknowledgements and who signed these");
}

#[test]
fn a_peer_whose_key_was_cut_since_they_agreed_still_gives_its_evidence() {
    in_each_version(|| {
        let mut hosts = [Host::new(31), Host::new(32)];
        hosts[0].write(31, 3);
        hosts[1].write(32, 4);
        sync(&mut hosts);
        assert_eq!(hosts[0].contents(), hosts[1].contents());
        hosts[0].write(31, 1);
        hosts[1].write(32, 2);
        let signer = key(32);
        let draft = CutDraft { key: signer.public().as_bytes(), kept: &[], reason: CutReason::Lost, text: None };
        let cut = Cut::make(&charter(), &key(1), &draft).expect("a party cuts");
        hosts[0].roster.admit(StatementClass::Cut, cut.as_bytes()).expect("well formed");
        sync(&mut hosts);
        let [knows, cut_one] = &hosts;
        assert_eq!(knows.contents().0.len(), 10, "what it wrote since is evidence");
        assert_eq!(cut_one.contents().0.len(), 9, "and it hears of nothing new");
        assert_eq!(cut_one.roster.cuts().map(Cut::id).collect::<Vec<_>>(), [cut.id()]);
    });
}

#[test]
fn a_shorter_branch_of_a_key_that_was_cut_is_heard_too() {
    in_each_version(|| {
        let ([mut knows, mut cut_one], _) = cut_phone();
        let (mut copy, shared) = (Host::new(32), cut_one.logs.clone());
        (knows.logs, copy.logs) = (shared.clone(), shared);
        copy.write(32, 5);
        knows.logs.clone_from(&copy.logs);
        cut_one.write(32, 2);
        let evidence = cut_one.contents().0;
        let mut hosts = [knows, cut_one];
        sync(&mut hosts);
        let [knows, cut_one] = &hosts;
        assert!(evidence.iter().all(|entry| knows.contents().0.contains(entry)), "both branches are held");
        assert_eq!(cut_one.contents().0, evidence, "and it hears of nothing new");
    });
}

#[test]
fn a_cut_that_arrives_in_the_middle_stops_what_is_sent() {
    in_each_version(|| {
        let (mut hosts, cut) = cut_phone();
        hosts[0].roster =
            roster(&[hosts[0].certificate.clone(), hosts[1].certificate.clone()].map(|c| c.expect("certified")));
        hosts[0].write(31, 4_000);
        let mut link = join(&mut hosts);
        link.window = 1;
        for at in 1.. {
            link.cut_at = Some(at);
            link.run(&mut hosts);
            if hosts[1].contents().0.len() > 300 {
                break;
            }
        }
        hosts[0].roster.admit(StatementClass::Cut, cut.as_bytes()).expect("well formed");
        let key = CutKey::of(&cut).next().expect("a party cut it");
        link.sessions[0].handle(Input::LocalChange(LocalChange { cuts: vec![key], ..LocalChange::default() }));
        link.cut_at = None;
        link.run(&mut hosts);
        assert!(hosts[1].contents().0.len() < 3_000);
        assert_eq!(hosts[1].roster.cuts().count(), 1);
        assert!(hosts[0].contents().0.is_superset(&hosts[1].contents().0));
    });
}

#[test]
fn statements_travel_before_the_entries_they_judge() {
    in_each_version(|| {
        // The writer's certificate is known to the sender only.
        let mut hosts = [Host::new(31), Host::new(32)];
        let third = certificate(2, 40, Role::Observer);
        hosts[0].roster.admit(StatementClass::Certificate, third.as_bytes()).expect("well formed");
        hosts[0].write(40, 3);
        for seed in 0..20 {
            let mut pair = [Host::new(31), Host::new(32)];
            pair[0].roster = hosts[0].roster.clone();
            pair[0].logs = hosts[0].logs.clone();
            let mut link = join(&mut pair).shuffled(seed);
            link.run(&mut pair);
            assert_synced(&pair);
        }
    });
}

#[test]
fn a_refused_statement_is_reported_and_the_conversation_goes_on() {
    in_each_version(|| {
        let mut hosts = [Host::new(31), Host::new(32)];
        hosts[0].write(31, 2);
        let mut link = join(&mut hosts);
        let mut cut_at = 0;
        while hosts[0].reports.is_empty() || hosts[1].reports.is_empty() {
            cut_at += 1;
            link.cut_at = Some(cut_at);
            link.run(&mut hosts);
        }
        let junk = Frame::Statements(StatementClass::Erasure, vec![vec![1, 2, 3]]).encode();
        link.sessions[0].handle(Input::Frame(Class::Control, junk));
        link.cut_at = None;
        link.run(&mut hosts);
        assert!(hosts[0].reports.iter().any(|report| matches!(report, Report::StatementRefused { .. })));
        assert_synced(&hosts);
    });
}

#[test]
fn an_auditor_receives_what_it_wants_and_is_sent_no_photo() {
    in_each_version(|| {
        let mut hosts = [Host::new(31), Host::new(32)];
        let auditor = certificate(1, 32, Role::Auditor);
        hosts[1].roster = roster(std::slice::from_ref(&auditor));
        hosts[1].certificate = Some(auditor);
        hosts[0].write_one(31, scope(1), EPOCH, vec![[file(1, 50), vec![], file(2, 90)]]);
        let mut link = join(&mut hosts);
        let config = SessionConfig { wants: Wants::entries_and(&[]), ..hosts[1].config(31) };
        link.sessions[1] = Session::new(config, hosts[1].local());
        link.run(&mut hosts);
        assert_eq!((hosts[1].contents().0.len(), hosts[1].contents().1.len()), (1, 0));
        // It signs no receipt.
        assert_eq!(hosts[0].roster.receipts().count(), 1);
    });
}
