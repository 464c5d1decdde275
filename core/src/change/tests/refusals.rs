//! Each rule that a chunk alone can break, refused under its code.

use automerge::transaction::{CommitOptions, Transactable as _};
use automerge::{AutoCommit, ObjType, ROOT, ScalarValue};

use super::forge::Forge;
use super::{Dice, ME, SEED, Sample, actor};
use crate::change::encode::{column, prefixed, signed, unsigned};
use crate::change::{Change, OPS_MAX, PREDS_MAX};
use crate::check::Check::{self, *};
use crate::check::Policy;

fn forged(change_it: impl FnOnce(&mut Forge)) -> Forge {
    let mut forge = Forge::valid();
    change_it(&mut forge);
    forge
}

fn with(spec: u32, bytes: &[u8]) -> Forge {
    Forge::valid().column(spec, bytes)
}

fn text(text: &[u8]) -> Forge {
    Forge::one(b"q", (text.len() as u64) << 4 | 6, text)
}

fn keys(keys: &[&[u8]]) -> Forge {
    let mut column = Vec::new();
    signed(&mut column, -(keys.len() as i64));
    keys.iter().for_each(|key| prefixed(&mut column, key));
    with(column::KEY, &column)
}

/// As many predecessors as `counts` say, in one run each, of operations 1, 2, 3 … by the other actor.
fn preds(counts: [u64; 2]) -> Forge {
    let (mut group, mut run, total) = (vec![0x7e], Vec::new(), counts.iter().sum::<u64>());
    counts.iter().for_each(|count| unsigned(&mut group, *count));
    signed(&mut run, total as i64);
    run.push(1);
    with(column::PRED_COUNT, &group).column(column::PRED_ACTOR, &run).column(column::PRED_COUNTER, &run)
}

/// Each row of the table in `spec/entry.md` §Change that needs no other change, broken in every way there is.
fn rows() -> Vec<(&'static str, Forge, Check)> {
    let mut rows = vec![
        ("too long", text(&[b'x'; 262_144]), ChangeSize),
        ("too many operations", Forge::many(OPS_MAX + 1), ChangeSize),
        ("a bomb of operations", with(column::ACTION, b"\x80\x80\x80\x80\x80\x80\x80\x80\xc0\x00\x01"), ChangeSize),
        ("a bomb of nulls", with(column::ACTION, b"\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ChangeSize),
        ("too many dependencies", forged(|forge| forge.deps = vec![[1; 32]; 257]), ChangeSize),
        ("too many actors", forged(|forge| forge.others = vec![vec![1; 16]; 257]), ChangeSize),
        ("too many predecessors", preds([1, PREDS_MAX as u64]), ChangeSize),
        ("a bomb of predecessors", preds([u64::MAX >> 1, 1]), ChangeSize),
        ("compressed", forged(|forge| forge.kind = 2), ChangeCompressed),
        ("a document", forged(|forge| forge.kind = 0), ChangeMalformed),
        ("a bundle", forged(|forge| forge.kind = 3), ChangeMalformed),
        ("magic", forged(|forge| forge.magic[3] ^= 1), ChangeMalformed),
        ("checksum", forged(|forge| forge.checksum = Some([0; 4])), ChangeMalformed),
        ("after the chunk", forged(|forge| forge.after = vec![0]), ChangeMalformed),
        ("overlong seq", forged(|forge| forge.seq = vec![0x82, 0]), ChangeMalformed),
        ("overlong time", forged(|forge| forge.time = vec![0x80, 0]), ChangeMalformed),
        ("seq beyond 64 bits", forged(|forge| forge.seq = [&[0xff; 9][..], &[2]].concat()), ChangeMalformed),
        ("start_op 0", forged(|forge| forge.start_op = vec![0]), ChangeStartOp),
        ("counters beyond 32 bits", forged(|forge| forge.start_op = vec![0xfe, 0xff, 0xff, 0xff, 15]), ChangeStartOp),
        ("short actor", forged(|forge| _ = forge.actor.pop()), ChangeActor),
        ("short other actor", forged(|forge| _ = forge.others[0].pop()), ChangeMalformed),
        ("unknown column", with(0x65, &[2, 1]), ChangeMalformed),
        ("compressed column", forged(|forge| forge.columns[0].0 |= 8), ChangeMalformed),
        ("columns out of order", forged(|forge| forge.columns.swap(0, 1)), ChangeMalformed),
        ("column twice", forged(|forge| forge.columns.insert(1, forge.columns[0].clone())), ChangeMalformed),
        ("keys too few", with(column::KEY, b"\x7f\x04mood"), ChangeMalformed),
        ("keys too many", with(column::KEY, b"\x7d\x04mood\x04wind\x04zero"), ChangeMalformed),
        ("a bomb of keys", with(column::KEY, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x01q"), ChangeMalformed),
        ("inserts too few", with(column::INSERT, &[1]), ChangeMalformed),
        ("inserts too many", with(column::INSERT, &[3]), ChangeMalformed),
        ("no inserts", with(column::INSERT, &[]), ChangeNotCanonical),
        ("null action", with(column::ACTION, &[0, 2]), ChangeAction),
        ("no actions, yet keys", with(column::ACTION, &[]), ChangeMalformed),
        ("no values", with(column::VALUE_META, &[]), ChangeMalformed),
        ("null value", with(column::VALUE_META, &[0, 2]), ChangeMalformed),
        ("value bytes too few", with(column::VALUE, b"ok"), ChangeMalformed),
        ("value bytes too many", with(column::VALUE, b"ok\x05\x05"), ChangeMalformed),
        ("value length beyond all", Forge::one(b"q", !15 | 6, b"x"), ChangeMalformed),
        ("overlong int", Forge::one(b"q", 0x24, &[0x85, 0]), ChangeMalformed),
        ("int with bytes after it", Forge::one(b"q", 0x24, &[5, 5]), ChangeMalformed),
        ("int without bytes", Forge::one(b"q", 0x04, &[]), ChangeMalformed),
        ("no predecessor counts", with(column::PRED_COUNT, &[]), ChangeMalformed),
        ("predecessors without actor", with(column::PRED_ACTOR, &[]), ChangeMalformed),
        ("predecessors without counter", with(column::PRED_COUNTER, &[]), ChangeMalformed),
        ("null predecessor actor", with(column::PRED_ACTOR, &[0, 1]), ChangeMalformed),
        ("predecessor actor out of range", with(column::PRED_ACTOR, &[0x7f, 2]), ChangeMalformed),
        ("predecessor counter 0", with(column::PRED_COUNTER, &[0x7f, 0]), ChangeMalformed),
        ("predecessor counter below 0", with(column::PRED_COUNTER, &[0x7f, 0x7f]), ChangeMalformed),
        ("predecessor counter large", with(column::PRED_COUNTER, &[0x7f, 0x80, 0x80, 0x80, 0x80, 16]), ChangeMalformed),
        ("object column too long", with(column::OBJECT_COUNTER, &[3, 1]), ChangeMalformed),
        ("author", forged(|forge| forge.extra = b"\x01\x02me".to_vec()), ChangeExtraBytes),
        ("extra bytes", forged(|forge| forge.extra = vec![0]), ChangeExtraBytes),
        ("another's actor", forged(|forge| forge.actor = vec![9; 16]), ChangeActor),
        ("time", forged(|forge| forge.time = vec![1]), ChangeTime),
        ("time below 0", forged(|forge| forge.time = vec![0x7f]), ChangeTime),
        ("no message", forged(|forge| forge.message.clear()), ChangeSeed),
        ("upper case", forged(|forge| forge.message.make_ascii_uppercase()), ChangeSeed),
        ("short seed", forged(|forge| _ = forge.message.pop()), ChangeSeed),
        ("another message", forged(|forge| forge.message = vec![b'z'; 32]), ChangeSeed),
        ("message not text", forged(|forge| forge.message = vec![0xff; 32]), ChangeMalformed),
        ("no operation", forged(|forge| forge.columns.clear()), ChangeEmpty),
        ("in an object", with(column::OBJECT_ACTOR, &[2, 0]).column(column::OBJECT_COUNTER, &[2, 1]), ChangeObject),
        ("half an object", with(column::OBJECT_ACTOR, &[2, 0]), ChangeObject),
        ("insert", with(column::INSERT, &[1, 1]), ChangeAction),
        ("expand", with(column::EXPAND, &[0, 1, 1]), ChangeAction),
        ("mark", with(column::MARK_NAME, b"\x7f\x04bold\x00\x01"), ChangeAction),
        ("element", with(column::KEY_COUNTER, &[0x7f, 0, 0, 1]), ChangeKey),
        ("element of an actor", with(column::KEY_ACTOR, &[2, 0]).column(column::KEY_COUNTER, &[2, 1]), ChangeKey),
        ("no keys", with(column::KEY, &[]), ChangeKey),
        ("key not text", keys(&[b"mood\xff", b"wind"]), ChangeKey),
        ("no name", keys(&[b"mood and so on", b"wind"]), ChangeKey),
        ("descending keys", keys(&[b"wind", b"mood"]), ChangeKey),
        ("one key twice", keys(&[b"wind", b"wind"]), ChangeDuplicateKey),
        ("control character", text(b"a\x07b"), ChangeValue),
        ("bidirectional override", text("a\u{202e}b".as_bytes()), ChangeValue),
        ("not normalized", text("e\u{301}".as_bytes()), ChangeValue),
        ("not text", text(b"\xff"), ChangeValue),
        ("long text", text(&[b'x'; 65_537]), ChangeValue),
        ("dependencies descending", forged(|forge| forge.deps.reverse()), ChangeDepsOrder),
        ("dependency twice", forged(|forge| forge.deps[1] = forge.deps[0]), ChangeDepsOrder),
        ("predecessors descending", preds([0, 2]).column(column::PRED_COUNTER, &[0x7e, 4, 0x7f]), ChangePred),
        ("predecessor twice", preds([0, 2]).column(column::PRED_COUNTER, &[0x7e, 4, 0]), ChangePred),
        ("unused actor", forged(|forge| forge.others.push(vec![0x22; 16])), ChangeNotCanonical),
        ("own actor as another", forged(|forge| forge.others[0] = ME.as_bytes().to_vec()), ChangeNotCanonical),
        ("null run of nothing", with(column::ACTION, &[0, 0, 2, 1]), ChangeMalformed),
        ("split run", with(column::ACTION, &[1, 1, 1, 1]), ChangeNotCanonical),
        ("literals in place of a run", with(column::ACTION, &[0x7e, 1, 1]), ChangeNotCanonical),
        ("column of nulls", with(column::OBJECT_ACTOR, &[0, 2]), ChangeNotCanonical),
        ("column of false", with(column::EXPAND, &[2]), ChangeNotCanonical),
        ("column of nothing", forged(|forge| forge.columns.push((column::MARK_NAME, vec![]))), ChangeNotCanonical),
        ("inserts in pieces", with(column::INSERT, &[1, 0, 1]), ChangeNotCanonical),
        ("true with a length", Forge::one(b"q", 0x12, &[]), ChangeMalformed),
    ];
    rows.extend([0, 2, 3, 4, 5, 6, 7, 8].map(|action| ("action", with(column::ACTION, &[2, action]), ChangeAction)));
    rows.extend(
        [3, 5, 7, 8, 9, 10, 15].map(|code| ("type of value", Forge::one(b"q", 0x80 | code, &[0; 8]), ChangeValue)),
    );
    rows
}

#[test]
fn what_is_forged_to_be_valid_is_accepted() {
    let chunk = Forge::valid().build();
    let change = Change::decode(&chunk, ME).unwrap();
    assert_eq!((change.seq(), change.start_op(), change.max_op()), (2, 4, 5));
    assert_eq!(change.seed(), &SEED);
    for chunk in [Forge::many(OPS_MAX).build(), text(&[b'x'; 65_536]).build(), text(b"two\nlines").build()] {
        Change::decode(&chunk, ME).unwrap();
    }
    let chunk = preds([1, PREDS_MAX as u64 - 1]).build();
    assert!(Change::decode(&chunk, ME).unwrap().resolves());
}

#[test]
fn every_broken_rule_is_refused_under_its_code() {
    for (name, forge, wanted) in rows() {
        let refused = Change::decode(&forge.build(), ME).expect_err(name);
        assert_eq!(refused.check, wanted, "{name}: {refused}");
    }
}

#[test]
fn every_prefix_of_a_chunk_is_refused() {
    let chunk = Forge::valid().build();
    for len in 0..chunk.len() {
        assert_eq!(Change::decode(&chunk[..len], ME).map_err(|refused| refused.check), Err(ChangeMalformed), "{len}");
    }
}

/// Every check but one.
#[derive(Clone, Copy)]
pub(super) struct Without(pub(super) Check);

impl Policy for Without {
    fn enforces(self, check: Check) -> bool {
        check != self.0
    }
}

#[test]
fn without_a_check_something_it_refused_passes_or_fails_elsewhere() {
    let rows = rows();
    let mut checks: std::collections::BTreeSet<Check> = rows.iter().map(|(_, _, check)| *check).collect();
    // The range of start_op holds under every policy; what it decides between changes is shown in `rules`.
    checks.remove(&ChangeStartOp);
    for check in checks {
        let differs = rows.iter().filter(|(_, _, wanted)| *wanted == check).any(|(_, forge, _)| {
            Change::decode_under(&forge.build(), ME, Without(check)).map_err(|refused| refused.check) != Err(check)
        });
        assert!(differs, "{check} decides nothing");
    }
}

#[test]
fn reading_under_any_policy_never_panics() {
    let mut dice = Dice::new(1);
    for check in Check::ALL {
        for _ in 0..40 {
            let mut chunk = Sample::new(&mut dice).compose();
            let at = dice.below(chunk.len() as u64) as usize;
            chunk[at] = dice.next() as u8;
            let _ = Change::decode_under(&chunk, ME, Without(*check)).map(|change| change.to_automerge());
        }
    }
}

fn last_change(doc: &mut AutoCommit) -> automerge::Change {
    let message = data_encoding::HEXLOWER.encode(&SEED);
    doc.commit_with(CommitOptions::default().with_message(message).with_time(0));
    doc.get_last_local_change().expect("a change was committed")
}

#[test]
#[allow(clippy::disallowed_methods, reason = "transactions make here what the reader must refuse")]
fn what_automerge_itself_can_make_beyond_puts_is_refused() {
    type Edit = fn(&mut AutoCommit);
    let rows: [(&str, Edit, Check); 10] = [
        ("delete", |doc| doc.delete(ROOT, "count").unwrap(), ChangeAction),
        ("increment", |doc| doc.increment(ROOT, "count", 2).unwrap(), ChangeAction),
        ("map", |doc| _ = doc.put_object(ROOT, "map", ObjType::Map).unwrap(), ChangeAction),
        ("list", |doc| _ = doc.put_object(ROOT, "list", ObjType::List).unwrap(), ChangeAction),
        ("text", |doc| _ = doc.put_object(ROOT, "text", ObjType::Text).unwrap(), ChangeAction),
        ("in a map", |doc| put_inside(doc, ObjType::Map), ChangeObject),
        ("in a list", |doc| put_inside(doc, ObjType::List), ChangeObject),
        ("mark", mark_text, ChangeObject),
        ("counter", |doc| doc.put(ROOT, "count", ScalarValue::counter(1)).unwrap(), ChangeValue),
        ("nothing", |doc| _ = doc.empty_change(CommitOptions::default().with_time(0)), ChangeSeed),
    ];
    for (name, edit, wanted) in rows {
        let mut doc = AutoCommit::new().with_actor(ME.into());
        doc.put(ROOT, "count", ScalarValue::counter(1)).unwrap();
        last_change(&mut doc);
        edit(&mut doc);
        let change = last_change(&mut doc);
        assert_eq!(Change::decode(change.raw_bytes(), ME).map_err(|refused| refused.check), Err(wanted), "{name}");
    }
}

fn put_inside(doc: &mut AutoCommit, kind: ObjType) {
    let object = doc.put_object(ROOT, "object", kind).unwrap();
    last_change(doc);
    match kind {
        ObjType::List => doc.insert(object, 0, "x").unwrap(),
        _ => doc.put(object, "key", "x").unwrap(),
    }
}

fn mark_text(doc: &mut AutoCommit) {
    let text = doc.put_object(ROOT, "note", ObjType::Text).unwrap();
    doc.splice_text(&text, 0, 0, "some words").unwrap();
    last_change(doc);
    let mark = automerge::marks::Mark::new("bold".into(), true, 0, 4);
    doc.mark(&text, mark, automerge::marks::ExpandMark::Both).unwrap();
}

#[test]
#[allow(clippy::disallowed_methods, reason = "transactions make here what the reader must refuse")]
fn authors_and_compressed_chunks_are_refused() {
    let author = automerge::Author::from(&b"somebody"[..]).into_owned();
    let mut doc = AutoCommit::new().with_actor(ME.into()).with_author(Some(author));
    doc.put(ROOT, "q", "x").unwrap();
    let change = last_change(&mut doc);
    assert_eq!(Change::decode(change.raw_bytes(), ME).map_err(|refused| refused.check), Err(ChangeExtraBytes));

    let mut doc = AutoCommit::new().with_actor(ME.into());
    doc.put(ROOT, "q", "x".repeat(1_000)).unwrap();
    let mut change = last_change(&mut doc);
    assert_eq!(Change::decode(&change.bytes(), ME).map_err(|refused| refused.check), Err(ChangeCompressed));
    assert!(Change::decode(change.raw_bytes(), ME).is_ok());
    assert_eq!(Change::decode(change.raw_bytes(), actor(1)).map_err(|refused| refused.check), Err(ChangeActor));
}
