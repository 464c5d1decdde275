//! Single files that somebody hands over, forged: an exhibit, a fork statement, a publication's account. Every byte of them is
//! signed, hashed or in the one order that it may have, so nothing that was changed is read as if it were not. The lines of
//! witnesses under an exhibit's note are the one exception: a line by nobody's name counts for nothing, and the note is then
//! confirmed by fewer.

#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]

use data_encoding::HEXLOWER;
use merestone_audit::{exhibit, fork};
use merestone_core::cbor::{Reader, Writer};
use merestone_core::id::MissionId;
use merestone_core::publication::SignedAccount;
use merestone_core::roster::CompleteCharter;
use serde_json::Value;

/// What a reader says of a file, if it takes it for the mission.
type Reads = fn(&Vector, &[u8], MissionId) -> Option<Value>;

struct Vector {
    bytes: Vec<u8>,
    mission: MissionId,
    charter: Vec<u8>,
}

impl Vector {
    fn of(path: &str, field: &str) -> Self {
        let path = format!("{}/../../fixtures/vectors/{path}.json", env!("CARGO_MANIFEST_DIR"));
        let vector: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let hex = |name: &str| HEXLOWER.decode(vector[name].as_str().unwrap_or_default().as_bytes()).unwrap();
        let mission = MissionId::from_hex(vector["mission"].as_str().unwrap()).unwrap();
        Self { bytes: hex(field), mission, charter: hex("charter") }
    }
}

fn read(report: String) -> Option<Value> {
    Some(serde_json::from_str(&report).unwrap())
}

/// What is said without how far a note is confirmed.
fn but_for_confirmation(said: &Value) -> Value {
    let mut said = said.clone();
    for field in ["confirmation", "in_words", "not_after"] {
        if let Some(ledger) = said["ledger"].as_object_mut() {
            ledger.remove(field);
        }
    }
    said
}

fn pieces() -> Vec<(&'static str, Vector, Reads)> {
    let of_exhibit: Reads = |_, bytes, mission| read(exhibit(bytes, mission).ok()?.to_json());
    let of_fork: Reads = |_, bytes, mission| read(fork(bytes, mission).ok()?.to_json());
    let of_account: Reads = |vector, bytes, mission| {
        let charter = CompleteCharter::verify(&vector.charter, mission).ok()?;
        SignedAccount::verify(bytes, &charter).ok().map(|account| Value::from(account.id().to_string()))
    };
    let mut pieces = Vec::new();
    for name in ["opened", "header", "no-proof", "one-witness", "two-certificates"] {
        pieces.push((name, Vector::of(&format!("exhibit/valid/{name}"), "exhibit"), of_exhibit));
    }
    for name in ["entries", "certified", "two-certificates"] {
        pieces.push((name, Vector::of(&format!("fork/valid/{name}"), "fork"), of_fork));
    }
    for name in ["every-state", "exception", "two-logs"] {
        pieces.push((name, Vector::of(&format!("publication/valid/{name}"), "account"), of_account));
    }
    pieces
}

/// Every piece is read as it is, and nothing that `forge` makes of it says as much.
fn none_is_read_as_whole(forge: impl Fn(&[u8]) -> Vec<(String, Vec<u8>)>) {
    for (name, vector, reads) in pieces() {
        let whole = reads(&vector, &vector.bytes, vector.mission).unwrap();
        for (how, forged) in forge(&vector.bytes) {
            let Some(said) = reads(&vector, &forged, vector.mission) else { continue };
            assert_eq!(but_for_confirmation(&said), but_for_confirmation(&whole), "{name}, {how}");
            assert_ne!(said["ledger"], whole["ledger"], "{name}, {how}: read as if it were whole");
        }
    }
}

/// Places in so many bytes: the first and the last ones, and some between.
fn places(len: usize) -> impl Iterator<Item = usize> {
    (0..len).filter(move |at| *at < 24 || len - at <= 24 || at % 37 == 0)
}

#[test]
fn a_bit_flipped_anywhere_in_a_piece_is_refused() {
    none_is_read_as_whole(|bytes| {
        let flipped = |at: usize| {
            let mut forged = bytes.to_vec();
            forged[at] ^= 1 << (at % 8);
            (format!("bit {} of byte {at}", at % 8), forged)
        };
        places(bytes.len()).map(flipped).collect()
    });
}

#[test]
fn a_byte_left_out_or_doubled_or_a_piece_cut_short_is_refused() {
    none_is_read_as_whole(|bytes| {
        let left_out = places(bytes.len()).filter(|at| bytes.get(at + 1) != Some(&bytes[*at])).map(|at| {
            let mut forged = bytes.to_vec();
            forged.remove(at);
            (format!("without byte {at}"), forged)
        });
        let short = places(bytes.len()).map(|at| (format!("{at} bytes of it"), bytes[..at].to_vec()));
        let long = [("a byte behind".to_owned(), [bytes, &[0]].concat()), ("twice".to_owned(), bytes.repeat(2))];
        left_out.chain(short).chain(long).collect()
    });
}

#[test]
fn a_piece_of_one_mission_is_none_of_another() {
    for (name, vector, reads) in pieces() {
        assert_eq!(reads(&vector, &vector.bytes, MissionId::from_bytes([6; 32])), None, "{name}");
    }
}

/// The fields of a map, with their values as bytes.
fn fields(bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut reader = Reader::new(bytes);
    let mut map = reader.map("piece").unwrap();
    let mut fields = Vec::new();
    while let Some(key) = map.next(&mut reader).unwrap() {
        fields.push((u64::try_from(key).unwrap(), reader.skip("value").unwrap().to_vec()));
    }
    fields
}

fn map(fields: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.map(fields.len());
    fields.iter().for_each(|(key, value)| _ = writer.uint(*key).raw(value));
    writer.finish()
}

/// A list of byte strings under `key`, in another order or number.
fn relisted(bytes: &[u8], key: u64, edit: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let mut fields = fields(bytes);
    let (_, list) = fields.iter_mut().find(|(held, _)| *held == key).unwrap();
    let mut reader = Reader::new(list);
    let count = reader.array(64, "list").unwrap();
    let mut items: Vec<Vec<u8>> = (0..count).map(|_| reader.bytes("item").unwrap().to_vec()).collect();
    edit(&mut items);
    let mut writer = Writer::new();
    writer.array(items.len());
    items.iter().for_each(|item| _ = writer.bytes(item));
    *list = writer.finish();
    map(&fields)
}

#[test]
fn a_fork_statement_of_other_parts_says_what_is_wrong_with_it() {
    let certified = Vector::of("fork/valid/two-certificates", "fork");
    let start = Vector::of("fork/valid/at-the-start", "fork");
    let other = relisted(&start.bytes, 2, |_| {});
    assert_eq!(other, start.bytes, "written again it is the same");
    let entries_of_start = fields(&start.bytes).into_iter().find(|(key, _)| *key == 2).unwrap().1;
    let mut reader = Reader::new(&entries_of_start);
    reader.array_exact(2, "entries").unwrap();
    let stranger = reader.bytes("entry").unwrap().to_vec();
    let without = |key: u64| {
        let mut fields = fields(&certified.bytes);
        fields.retain(|(held, _)| *held != key);
        map(&fields)
    };
    let rows: [(&str, Vec<u8>, &str); 8] = [
        ("entries exchanged", relisted(&certified.bytes, 2, |entries| entries.swap(0, 1)), "fork-order"),
        ("one entry twice", relisted(&certified.bytes, 2, |entries| entries[1] = entries[0].clone()), "fork-order"),
        ("one entry alone", relisted(&certified.bytes, 2, |entries| drop(entries.pop())), "shape"),
        ("certificates exchanged", relisted(&certified.bytes, 4, |shown| shown.swap(0, 1)), "fork-order"),
        ("one certificate twice", relisted(&certified.bytes, 4, |shown| shown[1] = shown[0].clone()), "fork-order"),
        ("certificates without a charter", without(3), "shape"),
        ("a charter without certificates", without(4), "shape"),
        ("no entries", without(2), "shape"),
    ];
    for (how, bytes, code) in rows {
        assert_eq!(fork(&bytes, certified.mission).expect_err(how).code(), code, "{how}");
    }
    // Two entries of two places: whichever order is right, they show no fork.
    for order in [[0, 1], [1, 0]] {
        let forged = relisted(&certified.bytes, 2, |entries| {
            let pair = [entries[0].clone(), stranger.clone()];
            *entries = order.map(|at| pair[at].clone()).to_vec();
        });
        let code = fork(&forged, certified.mission).expect_err("two places").code();
        assert!(["fork-order", "fork-place"].contains(&code), "{code}");
    }
}

#[test]
fn an_exhibit_of_other_parts_is_refused() {
    let two = Vector::of("exhibit/valid/two-certificates", "exhibit");
    let lists: Vec<u64> = fields(&two.bytes)
        .iter()
        .filter(|(_, value)| value[0] >> 5 == 4 && Reader::new(value).array(64, "list").is_ok_and(|count| count == 2))
        .map(|(key, _)| *key)
        .collect();
    let [certificates] = lists[..] else { panic!("one list of two: {lists:?}") };
    let swapped = relisted(&two.bytes, certificates, |shown| shown.swap(0, 1));
    assert_eq!(exhibit(&swapped, two.mission).expect_err("another order").code(), "exhibit-order");
    let doubled = relisted(&two.bytes, certificates, |shown| shown[1] = shown[0].clone());
    assert_eq!(exhibit(&doubled, two.mission).expect_err("one twice").code(), "exhibit-order");
    // A part of another exhibit in the place of its own.
    let (own, other) =
        (Vector::of("exhibit/valid/opened", "exhibit"), Vector::of("exhibit/invalid/leaf-bit", "exhibit"));
    let (whole, parts) = (fields(&own.bytes), fields(&other.bytes));
    let differing: Vec<_> = parts.iter().filter(|part| !whole.contains(part)).collect();
    assert!(!differing.is_empty());
    for (key, value) in differing {
        let mut mixed = whole.clone();
        mixed.retain(|(held, _)| held != key);
        mixed.push((*key, value.clone()));
        mixed.sort_by_key(|(held, _)| *held);
        assert!(exhibit(&map(&mixed), own.mission).is_err(), "part {key} of another");
    }
}
