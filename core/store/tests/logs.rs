//! Positions: prefixes, gaps, forks, and bodies that come late or go.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use std::fs;

use common::{Author, Home, commit, flip};
use merestone_core::entry::VerifiedEntry;
use merestone_core::id::{EntryId, RecordId, sha256};
use merestone_store::{AsideReason, Batch, LogTip, ReadError, SIBLINGS_MAX, Store, StoredBody};

fn tip(store: &Store, entry: &VerifiedEntry) -> LogTip {
    store.tip(entry.log()).unwrap().unwrap()
}

fn sorted(entries: &[&VerifiedEntry]) -> Vec<EntryId> {
    let mut ids: Vec<_> = entries.iter().map(|entry| entry.id()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn a_tip_counts_only_what_is_held_without_a_gap_whatever_the_order() {
    let (_home, store) = Home::new();
    let mut author = Author::new(1);
    let entries: Vec<_> = (0..5).map(|n| author.create(&format!("{n}"))).collect();
    let steps = [(2, 0, 3), (0, 1, 3), (4, 1, 5), (1, 3, 5), (3, 5, 5)];
    for (at, height, top) in steps {
        let committed = commit(&store, [entries[at].clone()]);
        let tip = tip(&store, &entries[0]);
        assert_eq!((tip.height, tip.top), (height, top), "after entry {at}");
        assert_eq!(committed.tips, [tip]);
    }
    assert_eq!(tip(&store, &entries[0]).head, Some(entries[4].id()));
    let page = store.log_entries(entries[0].log(), 1, 2).unwrap();
    assert_eq!(page.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2]);
    assert!(store.log_entries(entries[0].log(), 5, 10).unwrap().is_empty());
}

#[test]
fn of_what_a_peer_sends_nothing_is_kept_above_a_gap_unless_the_log_is_forked_below() {
    let from_peer = |store: &Store, entries: &[&VerifiedEntry]| {
        let mut batch = Batch::new();
        batch.connected();
        entries.iter().for_each(|entry| _ = batch.entry((*entry).clone()));
        store.commit(batch).unwrap().unconnected
    };
    let (_home, store) = Home::new();
    let mut author = Author::new(1);
    let entries: Vec<_> = (0..4).map(|n| author.create(&format!("{n}"))).collect();
    let [zero, one, two, three] = &entries[..] else { panic!("four entries") };
    assert_eq!(from_peer(&store, &[two]), [two.id()]);
    assert_eq!(store.counts().unwrap().logs, 0, "not even the log is noted");
    assert!(from_peer(&store, &[zero, one]).is_empty());
    assert_eq!(from_peer(&store, &[three]), [three.id()]);
    assert_eq!((tip(&store, zero).height, tip(&store, zero).top), (2, 2));
    assert!(from_peer(&store, &[zero, two, three]).is_empty());
    assert_eq!(tip(&store, zero).height, 4);

    // Of the fork's siblings some may not be kept, so what stands above it need not connect, and is in the tip.
    let (_home, store) = Home::new();
    let mut author = Author::new(2);
    let trunk = author.create("trunk");
    let branches = ["a", "b", "c"].map(|name| {
        author.back_to(&trunk);
        [author.create(name), author.create(name)]
    });
    let [[a, _], [b, _], [_, above]] = &branches;
    assert!(from_peer(&store, &[&trunk, a, b]).is_empty());
    let before = tip(&store, &trunk).branches;
    assert!(from_peer(&store, &[above]).is_empty());
    assert_ne!(tip(&store, &trunk).branches, before);
}

#[test]
fn bodies_that_are_missing_are_named_by_position_page_by_page_and_scope_by_scope() {
    let (_home, store) = Home::new();
    let entries: Vec<_> = (1..3)
        .flat_map(|author| {
            let mut author = Author::new(author);
            (0..5).map(move |n| author.create(&format!("{n}"))).collect::<Vec<_>>()
        })
        .collect();
    let mut batch = Batch::new();
    for entry in &entries {
        let is_bare = entry.header().seq % 2 == 1;
        let signed =
            merestone_core::entry::SignedEntry::new(entry.header_bytes(), entry.body_bytes().filter(|_| !is_bare));
        let mut keys = merestone_core::key::KeyCache::new();
        batch.entry(signed.verify(entry.header().mission, &mut keys).unwrap());
    }
    store.commit(batch).unwrap();
    let scopes = [entries[0].header().scope];
    let places: Vec<_> =
        entries.iter().map(|entry| (entry.log(), entry.header().seq)).filter(|(_, seq)| seq % 2 == 1).collect();
    assert_eq!(store.missing_bodies_in(&scopes, None, 10).unwrap(), places);
    let mut paged = Vec::new();
    while let [place] = store.missing_bodies_in(&scopes, paged.last().copied(), 1).unwrap()[..] {
        paged.push(place);
    }
    assert_eq!(paged, places);
    assert_eq!(store.missing_bodies_in(&[], None, 10).unwrap(), []);
    let other = merestone_core::id::ScopeId::from_bytes([0xee; 8]);
    assert_eq!(store.missing_bodies_in(&[other], None, 10).unwrap(), []);
}

/// A trunk of two entries, and two branches of two on top of its first.
fn forked() -> Vec<VerifiedEntry> {
    let mut author = Author::new(1);
    let trunk = author.create("trunk");
    let mut all = vec![trunk.clone()];
    for branch in ["a", "b"] {
        author.back_to(&trunk);
        all.push(author.create(branch));
        all.push(author.create(branch));
    }
    all
}

#[test]
fn both_branches_of_a_fork_are_kept_and_the_lower_id_leads_in_any_order() {
    let entries = forked();
    let (a, b) = (&entries[1..3], &entries[3..5]);
    let (main, beside) = if a[0].id() < b[0].id() { (a, b) } else { (b, a) };
    let mut orders = vec![entries.clone(), entries.iter().rev().cloned().collect::<Vec<_>>()];
    orders.push([0, 3, 1, 4, 2].map(|at| entries[at].clone()).to_vec());
    for order in orders {
        for size in [1, 5] {
            let (_home, store) = Home::new();
            order.chunks(size).for_each(|part| drop(commit(&store, part.to_vec())));
            let tip = tip(&store, &entries[0]);
            assert_eq!((tip.height, tip.head), (3, Some(main[1].id())));
            let ids = sorted(&[&beside[0], &beside[1]]);
            let parts: Vec<&[u8]> = ids.iter().map(|id| id.as_bytes().as_slice()).collect();
            assert_eq!(tip.branches, Some(sha256(&parts)));
            assert_eq!(store.log_entries(entries[0].log(), 0, 2).unwrap().len(), 3, "siblings share a page");
            let probed = store.ids_at(entries[0].log(), &[1, 7]).unwrap();
            assert_eq!(probed, [(1, sorted(&[&a[0], &b[0]])), (7, Vec::new())]);
        }
    }
}

#[test]
fn of_many_siblings_the_lowest_are_kept_in_any_order_and_the_rest_named() {
    let mut siblings: Vec<_> = (0..7).map(|n| Author::new(1).create(&format!("sibling {n}"))).collect();
    let mut lowest = sorted(&siblings.iter().collect::<Vec<_>>());
    let rest = lowest.split_off(SIBLINGS_MAX);
    for _ in 0..2 {
        let (_home, store) = Home::new();
        let mut named = Vec::new();
        for sibling in &siblings {
            named.extend(commit(&store, [sibling.clone()]).not_kept);
        }
        named.sort_unstable();
        assert_eq!(named, rest);
        assert_eq!(store.ids_at(siblings[0].log(), &[0]).unwrap(), [(0, lowest.clone())]);
        assert_eq!(tip(&store, &siblings[0]).head, Some(lowest[0]));
        siblings.reverse();
    }
}

#[test]
fn a_body_may_come_after_its_header_and_only_the_right_one() {
    let (_home, store) = Home::new();
    let whole = Author::new(1).create("body");
    let mut header = whole.clone();
    header.remove_body();
    commit(&store, [header]);
    assert_eq!(store.missing_bodies(10).unwrap(), [(whole.log(), 0, whole.id())]);
    assert_eq!(store.missing_body_counts().unwrap(), [(whole.log(), 1)]);
    let mut batch = Batch::new();
    batch.body(EntryId::from_bytes([0; 32]), b"of nobody".to_vec());
    assert_eq!(store.commit(batch).unwrap().refused_bodies.len(), 1);
    let mut batch = Batch::new();
    batch.body(whole.id(), whole.body_bytes().unwrap().to_vec());
    store.commit(batch).unwrap();
    assert!(store.missing_bodies(10).unwrap().is_empty());
    assert_eq!(store.entry(whole.id()).unwrap().unwrap().body.bytes(), whole.body_bytes());
}

#[test]
fn an_erased_body_is_gone_from_the_disk_and_does_not_come_back() {
    let (home, store) = Home::new();
    let mut author = Author::new(1);
    let long = format!("{} secret", "padding ".repeat(2_000));
    let entries = [author.create("a short secret"), author.create(&long), author.create("kept")];
    commit(&store, entries.clone());
    let mut batch = Batch::new();
    batch.erase_body(entries[0].id()).erase_body(entries[1].id());
    assert!(store.commit(batch).unwrap().log_emptied);
    for file in ["store.db", "store.db-wal"] {
        let bytes = fs::read(home.path().join(file)).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"secret"), "{file}");
    }
    let again = commit(&store, entries.clone());
    assert_eq!(again.refused_bodies, [entries[0].id(), entries[1].id()]);
    assert_eq!(store.entry(entries[0].id()).unwrap().unwrap().body, StoredBody::Erased);
    assert_eq!(store.entry(entries[2].id()).unwrap().unwrap().body.bytes(), entries[2].body_bytes());
    assert!(store.missing_bodies(10).unwrap().is_empty());
    assert_eq!(tip(&store, &entries[0]).height, 3);
}

#[test]
fn an_erasure_reaches_the_bodies_of_displaced_siblings() {
    let (home, store) = Home::new();
    let mut author = Author::new(1);
    let created = author.create("created");
    commit(&store, [created.clone()]);
    let edit = |text: String| {
        let mut author = Author::new(1);
        author.back_to(&created);
        author.edit(&created, &text)
    };
    // Long ones, and then short ones with lower ids: the pages of the long ones become free.
    let mut long: Vec<_> = (0..12).map(|n| edit(format!("{} secret {n}", "padding ".repeat(2_000)))).collect();
    let mut short: Vec<_> = (0..12).map(|n| edit(format!("secret {n}"))).collect();
    long.sort_by_key(|sibling| std::cmp::Reverse(sibling.id()));
    short.sort_by_key(VerifiedEntry::id);
    let siblings: Vec<_> = long.into_iter().take(SIBLINGS_MAX).chain(short.into_iter().take(SIBLINGS_MAX)).collect();
    for sibling in &siblings {
        commit(&store, [sibling.clone()]);
    }
    let displaced = sorted(&siblings[..SIBLINGS_MAX].iter().collect::<Vec<_>>());
    assert_eq!(store.bodies_aside(created.record()).unwrap(), displaced);
    assert!(store.bodies_aside(RecordId::from_bytes([0; 32])).unwrap().is_empty());

    let mut batch = Batch::new();
    for sibling in &siblings {
        batch.erase_body(sibling.id());
    }
    assert!(store.commit(batch).unwrap().log_emptied);
    for file in ["store.db", "store.db-wal"] {
        let bytes = fs::read(home.path().join(file)).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"secret"), "{file}");
    }
    assert!(store.bodies_aside(created.record()).unwrap().is_empty());
    let counts = store.counts().unwrap();
    assert_eq!((counts.displaced, counts.aside), (4, 0), "that there was a fork is still known, and is no damage");
    assert!(store.aside().unwrap().iter().all(|aside| aside.reason == AsideReason::Displaced));
    assert_eq!(store.entry(created.id()).unwrap().unwrap().body.bytes(), created.body_bytes());
}

#[test]
fn a_damaged_entry_is_set_aside_and_missing_until_it_comes_again() {
    let (home, store) = Home::new();
    let mut author = Author::new(1);
    let entries: Vec<_> = (0..5).map(|n| author.create(&format!("text {n}"))).collect();
    commit(&store, entries.clone());
    drop(store);
    let signature = &entries[2].header_bytes()[entries[2].header_bytes().len() - 32..];
    flip(&home, signature);

    let store = home.open();
    assert_eq!(store.entry(entries[2].id()).unwrap(), None);
    let after = tip(&store, &entries[0]);
    assert_eq!((after.height, after.head, after.top), (2, Some(entries[1].id()), 5));
    assert_eq!(store.aside().unwrap()[0].what, "entry");
    assert_eq!(store.aside().unwrap()[0].reason, AsideReason::Damaged);
    assert!(!store.held(&[entries[2].id()]).unwrap().contains(&entries[2].id()));
    commit(&store, [entries[2].clone()]);
    assert_eq!(tip(&store, &entries[0]).height, 5);
    assert_eq!(store.check().unwrap().entries, 5);
}

#[test]
fn an_author_whose_last_entry_is_lost_can_tell() {
    let (home, store) = Home::new();
    let mut author = Author::new(1);
    let entries: Vec<_> = (0..3).map(|n| author.create(&format!("text {n}"))).collect();
    commit(&store, entries.clone());
    drop(store);
    flip(&home, &entries[2].header_bytes()[entries[2].header_bytes().len() - 32..]);
    let store = home.open();
    assert_eq!(store.check().unwrap().entries, 2);
    drop(store);
    let after = tip(&home.open(), &entries[0]);
    assert_eq!((after.height, after.top), (2, 3));
}

#[test]
fn a_page_that_is_no_page_any_more_is_reported_and_nothing_is_deleted() {
    let (home, store) = Home::new();
    let mut author = Author::new(1);
    let entries: Vec<_> = (0..200).map(|n| author.create(&format!("text {n}"))).collect();
    commit(&store, entries.clone());
    drop(store);
    let file = home.path().join("store.db");
    let mut bytes = fs::read(&file).unwrap();
    let header = entries[100].header_bytes();
    let at = (0..bytes.len()).find(|&at| bytes[at..].starts_with(header)).unwrap() / 4096 * 4096;
    bytes[at..at + 64].fill(0xff);
    fs::write(&file, &bytes).unwrap();

    let store = home.open();
    assert!(matches!(store.log_entries(entries[0].log(), 0, 1_000), Err(ReadError::Damaged)));
    assert!(!store.check().unwrap().structure.is_empty());
    assert_eq!(store.entry(entries[0].id()).unwrap().unwrap().id, entries[0].id());
    drop(store);
    assert_eq!(fs::read(&file).unwrap().len(), bytes.len());
}

#[test]
fn a_damaged_body_is_set_aside_and_wanted_again() {
    let (home, store) = Home::new();
    let mut author = Author::new(1);
    let entries = [author.create("first words"), author.create("second words")];
    commit(&store, entries.clone());
    drop(store);
    flip(&home, b"second words");
    let store = home.open();
    let census = store.check().unwrap();
    assert_eq!((census.entries, census.aside.len(), census.aside[0].what.as_str()), (2, 1, "body"));
    assert_eq!(store.missing_bodies(10).unwrap(), [(entries[1].log(), 1, entries[1].id())]);
    commit(&store, [entries[1].clone()]);
    assert_eq!(store.entry(entries[1].id()).unwrap().unwrap().body.bytes(), entries[1].body_bytes());
}

#[test]
fn a_row_of_a_log_that_does_not_agree_with_its_entries_is_made_again_and_named() {
    for column in ["head", "height", "branches", "fork"] {
        let (home, store) = Home::new();
        let mut author = Author::new(1);
        let first = author.create("text");
        commit(&store, [first.clone()]);
        for n in 0..70 {
            commit(&store, [author.create(&format!("text {n}"))]);
        }
        if matches!(column, "branches" | "fork") {
            author.back_to(&first);
            commit(&store, [author.create("beside")]);
        }
        let before = tip(&store, &first);
        drop(store);
        let database = rusqlite::Connection::open(home.path().join("store.db")).unwrap();
        let sql = match column {
            "head" | "branches" => format!("UPDATE log SET {column} = CAST(zeroblob(32) AS BLOB)"),
            _ => format!("UPDATE log SET {column} = {column} + 4096"),
        };
        assert_eq!(database.execute(&sql, []).unwrap(), 1);
        drop(database);

        let store = home.open();
        let after = tip(&store, &first);
        assert_eq!(
            (after.height, after.head, after.branches),
            (before.height, before.head, before.branches),
            "{column}"
        );
        assert_eq!(after.top, before.top, "{column}");
        assert_eq!(store.aside().unwrap()[0].what, "log", "{column}");
        let next = author.create("goes on");
        commit(&store, [next]);
        drop(store);
        assert_eq!(home.open().check().unwrap().aside.len(), 1, "{column}: it is mended once");
    }
}
