//! Statements that a peer names and does not give.

use std::collections::BTreeMap;

use crate::id::StatementId;
use crate::record::testing::certificate;
use crate::roster::{Class as StatementClass, Role};
use crate::sync::Version;
use crate::sync::frame::Frame;
use crate::sync::io::Class;
use crate::sync::outbox::Outbox;
use crate::sync::statements::Statements;
use crate::sync::testing::{Host, in_each_version, join};

#[test]
fn a_peer_that_names_a_statement_and_withholds_it_is_not_called_synced() {
    in_each_version(|| {
        let mut hosts = [Host::new(31), Host::new(32)];
        let issued = certificate(2, 40, Role::Observer);
        hosts[0].roster.admit(StatementClass::Certificate, issued.as_bytes()).expect("well formed");
        hosts[0].write(31, 2);
        let mut link = join(&mut hosts);
        link.tamper = Some(|class, frame| {
            if class == Class::Control
                && let Ok(Frame::Statements(StatementClass::Certificate, of)) = Frame::decode(frame)
            {
                // What its entries need is given.
                let own = certificate(1, 31, Role::Observer);
                let given = of.into_iter().map(|bytes| if bytes == own.as_bytes() { bytes } else { Vec::new() });
                *frame = Frame::Statements(StatementClass::Certificate, given.collect()).encode();
            }
        });
        link.run(&mut hosts);
        assert_eq!(
            hosts[1].tip(hosts[0].logs.keys().next().copied().expect("a log")).map(|tip| tip.tip.height),
            Some(2)
        );
        let rest = hosts[1].rest().expect("it ends all the same");
        assert!(!rest.is_fully_synced && !rest.is_synced_as_wanted, "{rest:?}");
    });
}

#[test]
fn statements_that_nobody_named_do_not_stand_for_those_that_are_awaited() {
    let (cut, lacked) = (StatementId::from_bytes([1; 32]), StatementId::from_bytes([2; 32]));
    let (mut statements, mut out) = (Statements::new(Version::V2), Outbox::default());
    let digests = [(1, [3; 32]), (2, [4; 32])];
    statements.begin(&BTreeMap::new(), &digests, None, &mut out);
    // Before anything was named, and of a class that lacks one less.
    for _ in 0..3 {
        statements.on_statements(StatementClass::Cut, vec![Vec::new()], &mut out).expect("within the limit");
    }
    for (class, id) in [(StatementClass::Certificate, lacked), (StatementClass::Cut, cut)] {
        statements.on_own_ids(class, Vec::new());
        statements.on_ids(class, vec![id]).expect("in order");
    }
    statements.on_statements(StatementClass::Cut, vec![Vec::new(); 2], &mut out).expect("within the limit");
    statements.drive(&mut out);
    assert!(!statements.is_ready());
    statements.on_statements(StatementClass::Certificate, vec![Vec::new()], &mut out).expect("within the limit");
    statements.drive(&mut out);
    assert!(statements.is_ready() && statements.are_withheld());
}
