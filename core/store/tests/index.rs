//! Lists and searches, and knowing which rows are stale.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

mod common;

use common::{Author, Home, SCOPE, commit};
use merestone_core::id::{RecordId, ScopeId};
use merestone_store::{Batch, Filter, IndexRow, Store};

fn row(n: u8, text: &str) -> IndexRow {
    IndexRow {
        record: RecordId::from_bytes([n; 32]),
        scope: SCOPE,
        kind: if n.is_multiple_of(2) { "inspection".into() } else { "incident".into() },
        flags: u32::from(n),
        updated: i64::from(n) / 2,
        title: format!("record {n}"),
        status: "{}".into(),
        text: text.into(),
    }
}

fn index(store: &Store, rows: impl IntoIterator<Item = IndexRow>) {
    let mut batch = Batch::new();
    for row in rows {
        batch.index(row);
    }
    store.commit(batch).unwrap();
}

fn numbers(rows: &[IndexRow]) -> Vec<u8> {
    rows.iter().map(|row| row.record.as_bytes()[0]).collect()
}

fn found(store: &Store, text: &str) -> Vec<u8> {
    numbers(&store.search(text, &Filter::default(), None, 100).unwrap().rows)
}

#[test]
fn words_are_found_in_every_script_however_they_are_typed() {
    let (_home, store) = Home::new();
    index(
        &store,
        [
            row(1, "Crossing at Świecko, closed to lorries"),
            row(2, "Пункт пропуска Паланка: ещё закрыт"),
            row(3, "معبر رَفَح مغلق أمام الشاحنات"),
            row(4, "Bridge A-12 \"north\""),
        ],
    );
    let rows: [(&str, &[u8]); 14] = [
        ("swiecko", &[1]),
        ("ŚWIECKO lorries", &[1]),
        ("lorries cros", &[1]),
        ("cros lorries", &[]),
        ("паланка", &[2]),
        ("еще ЗАКР", &[2]),
        ("رفح", &[3]),
        ("امام", &[3]),
        ("معبر مغلق", &[3]),
        ("a-12", &[4]),
        ("\"north", &[4]),
        ("closed OR bridge", &[]),
        ("nothing", &[]),
        ("  ", &[]),
    ];
    for (typed, expected) in rows {
        assert_eq!(found(&store, typed), expected, "{typed}");
    }
}

#[test]
fn an_edited_row_is_found_by_its_new_words_only_and_a_dropped_one_not_at_all() {
    let (_home, store) = Home::new();
    index(&store, [row(1, "red"), row(2, "green")]);
    index(&store, [row(1, "blue")]);
    assert_eq!((found(&store, "red"), found(&store, "blue")), (vec![], vec![1]));
    assert_eq!(store.row(RecordId::from_bytes([1; 32])).unwrap().unwrap().title, "record 1");
    let mut batch = Batch::new();
    batch.drop_index(RecordId::from_bytes([1; 32]));
    store.commit(batch).unwrap();
    assert!(found(&store, "blue").is_empty());
    assert_eq!(store.row(RecordId::from_bytes([1; 32])).unwrap(), None);
    assert_eq!(numbers(&store.rows(&Filter::default(), None, 10).unwrap().rows), [2]);
}

#[test]
fn pages_show_each_matching_row_once_newest_first() {
    let (_home, store) = Home::new();
    index(&store, (1..=20).map(|n| row(n, "word")));
    let none = Filter::default();
    let rows = [
        (none.clone(), (1..=20).rev().collect::<Vec<u8>>()),
        (Filter { kind: Some("incident".into()), ..none.clone() }, (1..=20).rev().filter(|n| n % 2 == 1).collect()),
        (Filter { flags_set: 4, flags_clear: 1, ..none.clone() }, vec![20, 14, 12, 6, 4]),
        (Filter { kind: Some("incident".into()), flags_set: 2, ..none.clone() }, vec![19, 15, 11, 7, 3]),
        (Filter { scope: Some(ScopeId::from_bytes([0; 8])), ..none }, vec![]),
    ];
    for (filter, expected) in rows {
        for is_search in [false, true] {
            let (mut shown, mut next) = (Vec::new(), None);
            loop {
                let page = match is_search {
                    false => store.rows(&filter, next, 3).unwrap(),
                    true => store.search("word", &filter, next, 3).unwrap(),
                };
                assert!(page.rows.len() <= 3);
                shown.extend(numbers(&page.rows));
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
            assert_eq!(shown, expected, "{filter:?} {is_search}");
        }
    }
}

#[test]
fn a_record_that_changes_while_it_is_indexed_stays_stale() {
    let (home, store) = Home::new();
    let mut author = Author::new(1);
    let (a, b) = (author.create("a"), author.create("b"));
    commit(&store, [a.clone(), b.clone()]);
    let stale = store.stale_records(100).unwrap().unwrap();
    assert_eq!(stale.records.len(), 2);
    commit(&store, [author.edit(&a, "again")]);
    let mut batch = Batch::new();
    batch.indexed(stale.through);
    store.commit(batch).unwrap();
    drop(store);

    let store = home.open();
    let stale = store.stale_records(100).unwrap().unwrap();
    assert_eq!(stale.records, [a.record()]);
    let mut batch = Batch::new();
    batch.indexed(stale.through).touch(b.record());
    store.commit(batch).unwrap();
    assert_eq!(store.stale_records(100).unwrap().unwrap().records, [b.record()]);
}

#[test]
fn the_whole_index_can_be_built_again() {
    let (_home, store) = Home::new();
    let mut author = Author::new(1);
    let entries: Vec<_> = (0..5).map(|n| author.create(&format!("{n}"))).collect();
    commit(&store, entries.clone());
    let through = store.stale_records(100).unwrap().unwrap().through;
    let mut batch = Batch::new();
    batch.indexed(through);
    store.commit(batch).unwrap();
    assert_eq!(store.stale_records(100).unwrap(), None);
    let mut batch = Batch::new();
    batch.touch_all();
    store.commit(batch).unwrap();
    let mut all = store.stale_records(100).unwrap().unwrap().records;
    all.sort_unstable();
    let mut expected: Vec<_> = entries.iter().map(|entry| entry.record()).collect();
    expected.sort_unstable();
    assert_eq!(all, expected);
}

#[test]
fn records_of_a_key_are_indexed_again_and_no_others() {
    let (_home, store) = Home::new();
    let (mut cut, mut other) = (Author::new(1), Author::new(2));
    let entries: Vec<_> = (0..3).map(|n| cut.create(&format!("{n}"))).collect();
    commit(&store, entries.clone());
    commit(&store, vec![other.create("other")]);
    let through = store.stale_records(100).unwrap().unwrap().through;
    let mut batch = Batch::new();
    batch.indexed(through);
    store.commit(batch).unwrap();
    let mut batch = Batch::new();
    batch.touch_keys([*entries[0].key().as_bytes(), [7; 32]]);
    store.commit(batch).unwrap();
    let mut again = store.stale_records(100).unwrap().unwrap().records;
    again.sort_unstable();
    let mut expected: Vec<_> = entries.iter().map(|entry| entry.record()).collect();
    expected.sort_unstable();
    assert_eq!(again, expected);
}
