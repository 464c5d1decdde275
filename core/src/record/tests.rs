//! Small records judged: what is applied, what is not and why, whatever the order of arrival.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use automerge::{ROOT, ReadDoc};

use super::testing::*;
use super::*;
use crate::change::{OpRef, Value};
use crate::check::Check;
use crate::entry::Position;
use crate::erasure::{Erased, ErasureDraft, ErasureReason, ProposedErasure};
use crate::id::Epoch;
use crate::roster::{Certificate, Class, Cut, CutDraft, CutReason, LogIndex, Role};

/// Anna and Ada of party 1, Boris of party 2, Chen of party 3, all observers; Otto of party 3, an arbiter.
const ANNA: u8 = 10;
const ADA: u8 = 11;
const BORIS: u8 = 20;
const CHEN: u8 = 30;
const OTTO: u8 = 31;

fn certificates() -> Vec<Certificate> {
    static CERTIFICATES: LazyLock<Vec<Certificate>> = LazyLock::new(|| {
        let observer = |party, seed| certificate(party, seed, Role::Observer);
        let arbiter = certificate(3, OTTO, Role::Arbiter);
        vec![observer(1, ANNA), observer(1, ADA), observer(2, BORIS), observer(3, CHEN), arbiter]
    });
    CERTIFICATES.clone()
}

fn pen(seed: u8) -> Pen {
    let certificates = certificates();
    let certificate = certificates.iter().find(|c| c.key() == key(seed).public()).expect("certified");
    Pen::new(certificate, seed)
}

fn erasure(record: RecordId, heads: &[&HeldEntry]) -> Vec<u8> {
    let erased = Erased::Heads(heads.iter().map(|held| held.id()).collect());
    let draft = ErasureDraft { record, erased, reason: ErasureReason::Privacy, text: None };
    let mut proposed = ProposedErasure::begin(&charter(), &key(1), draft).expect("a party signs");
    proposed.sign(&charter(), &key(2)).expect("a party signs");
    proposed.encode()
}

/// Party `party` cuts the key of `seed`, keeping its log up to `kept`.
fn cut(party: u8, seed: u8, kept: &[&HeldEntry]) -> Vec<u8> {
    let head = |held: &&HeldEntry| {
        let header = held.entry().header();
        crate::entry::LogHead { scope: header.scope, epoch: header.epoch, seq: header.seq, id: held.id() }
    };
    let kept: Vec<_> = kept.iter().map(head).collect();
    let lost = key(seed);
    let draft = CutDraft { key: lost.public().as_bytes(), kept: &kept, reason: CutReason::Lost, text: None };
    Cut::make(&charter(), &key(party), &draft).expect("a party cuts").as_bytes().to_vec()
}

/// Each key with its values: number, entry and operation.
type Answers = Vec<(String, Vec<(Option<i64>, EntryId, OpRef)>)>;

/// What a record looks like once judged, without the borrowed parts.
#[derive(Debug, PartialEq)]
struct Outcome {
    standings: BTreeMap<EntryId, Standing>,
    applied: Vec<EntryId>,
    forks: Vec<Fork>,
    heads: Vec<EntryId>,
    shown: Answers,
}

/// Judges entries and statements in the order given, and holds view and document against each other.
fn outcome(held: &[HeldEntry], statements: &[(Class, Vec<u8>)]) -> Outcome {
    let mut roster = crate::roster::Roster::new(charter());
    let mut ordered: Vec<_> = statements.iter().collect();
    ordered.sort_by_key(|(class, _)| *class);
    for (class, bytes) in ordered {
        roster.admit(*class, bytes).expect("well formed");
    }
    let mut index = LogIndex::new();
    for held in held {
        let (entry, header) = (held.entry(), held.entry().header());
        let prev = match header.position {
            Position::First { .. } => None,
            Position::Later { prev } => Some(prev),
        };
        index.add(entry.log(), header.seq, entry.id(), prev);
    }
    let coverage = Coverage::derive(&roster, &index);
    let setting =
        Setting { roster: &roster, coverage: &coverage, ledgered: &BTreeSet::new(), is_elsewhere: &|_| false };
    let judged = judge(held[0].entry().record(), held, &setting);
    let view = View::of(&judged);
    assert_eq!(of_document(&judged), of_view(&view), "the document says what the view says");
    let applied: Vec<_> = judged.applied().iter().map(|applied| applied.held.id()).collect();
    for (key, values) in view.keys() {
        let traces = history(&judged, key);
        let shown: BTreeSet<_> = traces.iter().filter(|trace| trace.is_shown).map(|trace| trace.held.id()).collect();
        assert_eq!(shown, values.iter().map(|shown| shown.entry).collect(), "every value can be traced");
    }
    Outcome {
        standings: judged.standings().clone(),
        applied,
        forks: judged.forks().to_vec(),
        heads: judged.heads(),
        shown: of_view(&view),
    }
}

fn of_view(view: &View<'_>) -> Answers {
    let of_shown = |shown: &Shown<'_>| {
        let number = if let Value::Int(number) = shown.value { Some(number) } else { None };
        (number, shown.entry, shown.op)
    };
    view.keys().map(|(key, values)| (key.to_owned(), values.iter().map(of_shown).collect())).collect()
}

fn of_document(judged: &Judged<'_>) -> Answers {
    let document = document(judged).expect("Automerge takes what was admitted");
    let makers: BTreeMap<OpRef, EntryId> = judged
        .applied()
        .iter()
        .flat_map(|entry| (0..entry.change.puts().len()).map(|put| (entry.change.op(put), entry.held.id())))
        .collect();
    let values = |key: &str| {
        let values = document.get_all(&ROOT, key).expect("the root is a map").into_iter().map(|(value, id)| {
            let op = OpRef::from_automerge(&id).expect("one of ours");
            (value.as_i64(), makers[&op], op)
        });
        let mut values: Vec<_> = values.collect();
        values.sort_by_key(|(_, entry, _)| *entry);
        values
    };
    document.keys(&ROOT).map(|key| (key.clone(), values(&key))).collect()
}

fn base() -> Vec<(Class, Vec<u8>)> {
    certificates().iter().map(|c| (Class::Certificate, c.as_bytes().to_vec())).collect()
}

/// Judges, with the certificates of all, and wants these standings, in whatever order the entries come.
fn check(name: &str, rows: &[(&HeldEntry, &str)], more: &[(Class, Vec<u8>)]) -> Outcome {
    let statements: Vec<_> = base().into_iter().chain(more.iter().cloned()).collect();
    let held: Vec<HeldEntry> = rows.iter().map(|(held, _)| (*held).clone()).collect();
    let found = outcome(&held, &statements);
    let backwards: Vec<HeldEntry> = held.into_iter().rev().collect();
    assert_eq!(outcome(&backwards, &statements), found, "{name}: the order of arrival decides nothing");
    for (at, (held, wanted)) in rows.iter().enumerate() {
        let standing = found.standings[&held.id()];
        assert_eq!(standing.code(), *wanted, "{name}: entry {at}: {standing:?}");
    }
    found
}

#[test]
fn concurrent_values_stand_until_somebody_resolves_them() {
    let (mut book, mut anna, mut boris) = (Book::default(), pen(ANNA), pen(BORIS));
    let a = book.create(&mut anna, &[1, 2], &[("count", 1), ("note", 5)]);
    let b = book.change(&mut anna, &[&a], &[("count", 2)]);
    let c = book.change(&mut boris, &[&a], &[("count", 3)]);
    let p = "provisional";
    let conflict = check("conflict", &[(&a, p), (&b, p), (&c, p)], &[]);
    assert_eq!(conflict.shown[0].1.len(), 2);
    assert!(conflict.shown[0].1.is_sorted_by_key(|(_, entry, _)| *entry));
    assert_eq!(conflict.heads.len(), 2);
    let d = book.change(&mut boris, &[&b, &c], &[("count", 4)]);
    let resolved = check("resolved", &[(&a, p), (&b, p), (&c, p), (&d, p)], &[]);
    assert_eq!(
        resolved.shown[0].1.iter().map(|(value, entry, _)| (*value, *entry)).collect::<Vec<_>>(),
        [(Some(4), d.id())]
    );
    assert_eq!((resolved.heads, resolved.shown[1].1[0].1), (vec![d.id()], a.id()));
}

#[test]
fn what_lacks_something_waits_and_so_does_what_builds_on_it() {
    let (mut book, mut anna, mut ada, mut boris) = (Book::default(), pen(ANNA), pen(ADA), pen(BORIS));
    let a = book.create(&mut anna, &[1, 2], &[("count", 1)]);
    let b = book.change(&mut ada, &[&a], &[("count", 2)]);
    let c = book.change(&mut boris, &[&b], &[("count", 3)]);
    let (p, w) = ("provisional", "waiting");
    check("entry missing", &[(&a, p), (&c, w)], &[]);
    check("body missing", &[(&a, p), (&without_body(&b), w), (&c, w)], &[]);
    check("creation missing", &[(&b, w), (&c, w)], &[]);
    let stranger = HeldEntry::new(b.entry().clone(), None);
    check("beginning of the log missing", &[(&a, p), (&stranger, w), (&c, w)], &[]);
    check("all held", &[(&a, p), (&b, p), (&c, p)], &[]);
}

#[test]
fn out_of_role_entries_are_kept_and_what_builds_on_them_is_held() {
    let (mut book, mut anna, mut ada, mut boris) = (Book::default(), pen(ANNA), pen(ADA), pen(BORIS));
    let p = "provisional";
    let a = book.create(&mut anna, &[], &[("count", 1)]);
    let b = book.change(&mut ada, &[&a], &[("count", 2)]);
    let foreign = book.change(&mut boris, &[&a], &[("count", 3)]);
    let on_top = book.change(&mut ada, &[&b, &foreign], &[("count", 4)]);
    let rows = [(&a, p), (&b, p), (&foreign, "out-of-role"), (&on_top, "held")];
    let found = check("a party that is no writer", &rows, &[]);
    assert_eq!(found.standings[&on_top.id()], Standing::Held(HeldWhy::Ancestor(foreign.id())));

    let mut otto = pen(OTTO);
    let arbiters = book.create(&mut otto, &[1, 3], &[("count", 1)]);
    let above = book.change(&mut anna, &[&arbiters], &[("count", 2)]);
    check("an arbiter creates", &[(&arbiters, "out-of-role"), (&above, "held")], &[]);

    let borrowed = HeldEntry::new(b.entry().clone(), Some(pen(BORIS).certificate));
    let found = check("another key's certificate", &[(&a, p), (&borrowed, "out-of-role")], &[]);
    let Standing::OutOfRole(refused) = found.standings[&b.id()] else { panic!("out of role") };
    assert_eq!(refused.check, Check::CertificateKey);

    let mut south = Pen { scope: scope(2), ..pen(ADA) };
    let elsewhere = book.change(&mut south, &[&a], &[("count", 9)]);
    check("another scope", &[(&a, p), (&elsewhere, "out-of-role")], &[]);
    let ruling = book.role(&mut ada, Kind::Ruling, &[&a]);
    check("an observer rules", &[(&a, p), (&ruling, "out-of-role")], &[]);
}

#[test]
fn a_change_that_does_not_fit_is_unappliable() {
    let (mut book, mut anna, mut ada) = (Book::default(), pen(ANNA), pen(ADA));
    let p = "provisional";
    let a = book.create(&mut anna, &[], &[("count", 1)]);
    let b = book.change(&mut anna, &[&a], &[("count", 2)]);
    type Spoil = fn(&mut crate::change::Basis);
    let rows: [(&str, Spoil, Check); 3] = [
        ("start_op", |basis| basis.start_op += 1, Check::ChangeStartOp),
        ("seq", |basis| basis.seq += 1, Check::ChangeSeq),
        ("deps", |basis| basis.deps.clear(), Check::ChangeDepsRefs),
    ];
    for (name, edit, wanted) in rows {
        let mut anna = anna;
        let refs = [a.id(), b.id()];
        let bad = book.change_with(&mut anna, a.entry().record(), &refs, &[("count", 3)], edit);
        let honest = book.change(&mut ada, &[&b], &[("note", 1)]);
        let above = book.change(&mut ada, &[&honest, &bad], &[("note", 2)]);
        let rows = [(&a, p), (&b, p), (&bad, "unappliable"), (&honest, p), (&above, "held")];
        let found = check(name, &rows, &[]);
        let Standing::Unappliable(refused) = found.standings[&bad.id()] else { panic!("unappliable") };
        assert_eq!(refused.check, wanted, "{name}");
    }
}

#[test]
fn honest_work_keeps_covered_entries_applied() {
    let (mut book, mut anna, mut ada, mut boris) = (Book::default(), pen(ANNA), pen(ADA), pen(BORIS));
    let a = book.create(&mut ada, &[1, 2], &[("count", 1)]);
    let b = book.change(&mut anna, &[&a], &[("count", 2)]);
    let c = book.change(&mut boris, &[&b], &[("count", 3)]);
    let d = book.change(&mut anna, &[&b, &c], &[("count", 4)]);
    let p = "provisional";
    let whole = [(Class::Cut, cut(1, ANNA, &[]))];
    let found = check("built upon", &[(&a, p), (&b, p), (&c, p), (&d, "set-aside")], &whole);
    assert_eq!(found.heads, [c.id()]);
    check("not built upon", &[(&a, p), (&b, "set-aside")], &whole);
    check("kept", &[(&a, p), (&b, p), (&c, p), (&d, "set-aside")], &[(Class::Cut, cut(1, ANNA, &[&b]))]);
}

#[test]
fn forks_are_decided_by_evidence_and_never_by_arrival() {
    let (mut book, mut anna, mut boris, mut chen, otto) =
        (Book::default(), pen(ANNA), pen(BORIS), pen(CHEN), pen(OTTO));
    let a = book.create(&mut anna, &[1, 2, 3], &[("count", 1)]);
    let mut twins: Vec<_> = (0..2).map(|n| book.change(&mut { anna }, &[&a], &[("count", n)])).collect();
    twins.sort_by_key(HeldEntry::id);
    let [low, high] = [&twins[0], &twins[1]];
    let (p, h) = ("provisional", "held");
    let by = |found: Outcome| found.forks[0].by;
    assert_eq!(by(check("lower id", &[(&a, p), (low, p), (high, h)], &[])), ForkRule::LowerId);

    let kept = [(Class::Cut, cut(1, ANNA, &[high]))];
    assert_eq!(by(check("uncovered", &[(&a, p), (low, h), (high, p)], &kept)), ForkRule::Uncovered);

    let b = book.change(&mut boris, &[high], &[("note", 1)]);
    let rows = [(&a, p), (low, h), (high, p), (&b, p)];
    assert_eq!(by(check("a party", &rows, &[])), ForkRule::Parties);

    let notice = book.role(&mut chen, Kind::Receipt, &[low]);
    let own = book.role(&mut pen(ADA), Kind::Receipt, &[low]);
    let rows = [(&a, p), (low, p), (high, h), (&b, h), (&notice, p), (&own, p)];
    assert_eq!(by(check("a party each", &rows, &[])), ForkRule::LowerId);

    let ruling = book.role(&mut { otto }, Kind::Ruling, &[&b]);
    let rows = [(&a, p), (low, h), (high, p), (&b, p), (&notice, "voided"), (&ruling, p)];
    assert_eq!(by(check("a ruling", &rows, &[])), ForkRule::Ruling);

    let mut otto_again = Pen { epoch: Epoch::from_bytes([99; 8]), ..otto };
    let other = book.role(&mut otto_again, Kind::Ruling, &[low]);
    let rows = [(&a, p), (low, h), (high, p), (&b, p), (&notice, "voided"), (&ruling, p), (&other, "voided")];
    assert_eq!(by(check("two rulings", &rows, &[])), ForkRule::Parties);
    let last = book.role(&mut otto_again, Kind::Ruling, &[low, &ruling, &other]);
    let rows = [(&a, p), (low, p), (high, h), (&b, h), (&ruling, "voided"), (&other, p), (&last, p)];
    assert_eq!(by(check("a correcting ruling", &rows, &[])), ForkRule::Ruling);
}

#[test]
fn a_fork_above_is_judged_in_the_winning_branch_only() {
    let (mut book, mut anna, mut boris) = (Book::default(), pen(ANNA), pen(BORIS));
    let a = book.create(&mut anna, &[1, 2], &[("count", 1)]);
    let mut other = anna;
    let low = book.change(&mut anna, &[&a], &[("count", 2)]);
    let high = book.change(&mut other, &[&a], &[("count", 3)]);
    let above: Vec<_> = (0..2).map(|n| book.change(&mut { anna }, &[&low], &[("count", n)])).collect();
    let lost = book.change(&mut other, &[&high], &[("count", 4)]);
    let honest = book.change(&mut boris, &[&above[1]], &[("note", 1)]);
    let (p, h) = ("provisional", "held");
    let rows = [(&a, p), (&low, p), (&high, h), (&above[0], h), (&above[1], p), (&lost, h), (&honest, p)];
    let found = check("fork above fork", &rows, &[]);
    assert_eq!(found.forks.iter().map(|fork| fork.chosen).collect::<Vec<_>>(), [low.id(), above[1].id()]);
    assert_eq!(found.standings[&lost.id()], Standing::Held(HeldWhy::Ancestor(high.id())));
}

#[test]
fn an_author_who_passes_over_his_own_change_loses_the_later_one() {
    let (mut book, mut anna, mut boris) = (Book::default(), pen(ANNA), pen(BORIS));
    let a = book.create(&mut anna, &[1, 2], &[("count", 1)]);
    let b = book.change(&mut boris, &[&a], &[("count", 2)]);
    let again = book.change(&mut anna, &[&b], &[("count", 3)]);
    let c = book.change(&mut boris, &[&b, &again], &[("count", 4)]);
    let p = "provisional";
    let found = check("own change passed over", &[(&a, p), (&b, p), (&again, "unappliable"), (&c, "held")], &[]);
    assert!(found.forks.is_empty());
}

#[test]
fn honest_work_keeps_the_highest_of_many_siblings() {
    for count in [5, 40] {
        let (mut book, mut anna, mut boris, mut chen) = (Book::default(), pen(ANNA), pen(BORIS), pen(CHEN));
        let a = book.create(&mut anna, &[1, 2, 3], &[("count", 1)]);
        let mut siblings: Vec<_> = (0..count).map(|n| book.change(&mut { anna }, &[&a], &[("count", n)])).collect();
        siblings.sort_by_key(HeldEntry::id);
        let last = siblings.last().expect("some").clone();
        let stands = |stays: usize| move |n: usize| if n == stays { "provisional" } else { "held" };
        let judged = |more: &[(&HeldEntry, &str)], stays: usize, by: ForkRule| {
            let mut rows = vec![(&a, "provisional")];
            rows.extend(siblings.iter().enumerate().map(|(n, held)| (held, stands(stays)(n))));
            rows.extend_from_slice(more);
            let found = check("many siblings", &rows, &[]);
            assert_eq!((found.forks[0].chosen, found.forks[0].by), (siblings[stays].id(), by));
            assert_eq!(found.forks[0].others.len(), siblings.len() - 1);
        };
        judged(&[], 0, ForkRule::LowerId);
        let honest = book.change(&mut boris, &[&last], &[("note", 1)]);
        let highest = siblings.len() - 1;
        judged(&[(&honest, "provisional")], highest, ForkRule::Parties);
        let lower = book.change(&mut chen, &[&siblings[4 - 1]], &[("note", 2)]);
        judged(&[(&honest, "held"), (&lower, "provisional")], 3, ForkRule::LowerId);
        let ruling = book.role(&mut pen(OTTO), Kind::Ruling, &[&last]);
        let p = "provisional";
        judged(&[(&honest, "provisional"), (&lower, "held"), (&ruling, "voided")], highest, ForkRule::Ruling);
        let passing_over = book.change(&mut anna, &[&a, &honest], &[("count", 0)]);
        check("own change passed over", &[(&a, p), (&last, p), (&honest, p), (&passing_over, "unappliable")], &[]);
        let merging = book.change(&mut boris, &[&honest, &siblings[0]], &[("count", 0)]);
        let rows = [(&a, p), (&last, p), (&siblings[0], "held"), (&honest, p), (&merging, "unappliable")];
        check("both branches", &rows, &[]);
    }
}

#[test]
fn entries_beyond_the_limit_of_a_record_are_unappliable_for_every_holder() {
    let (mut book, mut anna, mut boris) = (Book::default(), pen(ANNA), pen(BORIS));
    let a = book.create(&mut anna, &[1, 2], &[("count", 1)]);
    let b = book.change(&mut boris, &[&a], &[("count", 2)]);
    let c = book.change(&mut anna, &[&a, &b], &[("count", 3)]);
    let notice = book.role(&mut boris, Kind::Receipt, &[&c]);
    let mut held = [notice.clone(), c.clone(), a.clone(), b.clone()];
    let roster = roster(&certificates());
    let coverage = Coverage::default();
    let setting =
        Setting { roster: &roster, coverage: &coverage, ledgered: &BTreeSet::new(), is_elsewhere: &|_| false };
    for _ in 0..2 {
        for (limit, wanted) in
            [(4, ["provisional"; 4]), (2, ["provisional", "provisional", "unappliable", "unappliable"])]
        {
            let judged = super::judge::judge_first(limit, a.entry().record(), &held, &setting, crate::check::Full);
            let found = [&a, &b, &c, &notice].map(|held| judged.standing(held.id()).map(Standing::code));
            assert_eq!(found, wanted.map(Some), "{limit}");
        }
        held.reverse();
    }
}

#[test]
fn signature_roles_are_voided_by_what_comes_later() {
    let (mut book, mut anna, mut boris, mut chen) = (Book::default(), pen(ANNA), pen(BORIS), pen(CHEN));
    let a = book.create(&mut anna, &[], &[("count", 1)]);
    let objection = book.role(&mut boris, Kind::Objection, &[&a]);
    let answer = book.role(&mut chen, Kind::HostComment, &[&objection]);
    let (p, v) = ("provisional", "voided");
    check("in force", &[(&a, p), (&objection, p), (&answer, p)], &[]);
    let b = book.change(&mut anna, &[&a], &[("count", 2)]);
    check("voided", &[(&a, p), (&objection, v), (&answer, p), (&b, p)], &[]);
    check("covered", &[(&a, p), (&objection, "set-aside"), (&answer, p)], &[(Class::Cut, cut(2, BORIS, &[]))]);
    check("waiting", &[(&a, p), (&answer, "waiting")], &[]);
    let both = book.role(&mut pen(ADA), Kind::CoAuthorship, &[&a]);
    check("together", &[(&a, p), (&both, p)], &[]);
    check("together, before an edit", &[(&a, p), (&both, v), (&b, p)], &[]);
    let later = book.role(&mut pen(ADA), Kind::Unknown(9), &[&a]);
    check("a later version", &[(&a, p), (&later, "unknown-kind")], &[]);
}

#[test]
fn an_erasure_takes_the_history_and_closes_the_record() {
    let (mut book, mut anna, mut ada, mut boris) = (Book::default(), pen(ANNA), pen(ADA), pen(BORIS));
    let a = book.create(&mut anna, &[1, 2], &[("count", 1)]);
    let b = book.change(&mut anna, &[&a], &[("count", 2)]);
    let beside = book.change(&mut ada, &[&a], &[("count", 3)]);
    let above = book.change(&mut boris, &[&b], &[("count", 4)]);
    let own = book.role(&mut ada, Kind::HostComment, &[&b]);
    let objection = book.role(&mut boris, Kind::Objection, &[&b]);
    let erased = [(Class::Erasure, erasure(a.entry().record(), &[&b]))];
    let (e, h) = ("erased", "held");
    let rows = [(&a, e), (&b, e), (&beside, h), (&above, h), (&own, e), (&objection, "voided")];
    let found = check("bodies still held", &rows, &erased);
    assert!(found.applied.is_empty() && found.shown.is_empty());
    assert_eq!(found.standings[&above.id()], Standing::Held(HeldWhy::Restate));
    let [bare_a, bare_b, bare_own] = [&a, &b, &own].map(without_body);
    let rows = [(&bare_a, e), (&bare_b, e), (&beside, h), (&above, h), (&bare_own, e), (&objection, "voided")];
    assert_eq!(check("bodies gone", &rows, &erased), found);
    let p = "provisional";
    check("heads not held", &[(&a, p), (&beside, p)], &erased);
}

#[test]
fn history_shows_every_answer_and_what_it_replaced() {
    let (mut book, mut anna, mut boris) = (Book::default(), pen(ANNA), pen(BORIS));
    let a = book.create(&mut anna, &[], &[("count", 1)]);
    let foreign = book.change(&mut boris, &[&a], &[("count", 9)]);
    let b = book.change(&mut anna, &[&a], &[("count", 2)]);
    let held = [a.clone(), foreign.clone(), b.clone()];
    let roster = roster(&certificates());
    let coverage = Coverage::default();
    let ledgered = certificates().iter().map(Certificate::id).collect();
    let setting = Setting { roster: &roster, coverage: &coverage, ledgered: &ledgered, is_elsewhere: &|_| false };
    let judged = judge(a.entry().record(), &held, &setting);
    let traces = history(&judged, "count");
    let mut rows: Vec<_> =
        traces.iter().map(|t| (t.value, t.standing.code(), t.replaces.clone(), t.is_shown)).collect();
    rows.sort_by_key(|row| row.0);
    assert_eq!(
        rows,
        [
            (Value::Int(1), "accepted", vec![], false),
            (Value::Int(2), "accepted", vec![a.id()], true),
            (Value::Int(9), "out-of-role", vec![a.id()], false),
        ]
    );
    assert_eq!(judged.earlier(anna.actor()).map(|e| e.map(|e| (e.count, e.last))), Ok(Some((2, b.id()))));
    assert_eq!(judged.earlier(boris.actor()), Err(EpochNeeded { entry: foreign.id() }));
    let view = View::of(&judged);
    let put = view.put("count", Value::Int(3));
    assert_eq!(put.preds, [view.values("count")[0].op]);
    let basis = judged.index().basis(view.heads(), judged.earlier(anna.actor()).expect("applied")).expect("admitted");
    assert_eq!((basis.refs, basis.seq), (vec![b.id()], 3));
}

#[test]
fn an_author_whose_own_change_lost_its_body_needs_a_new_epoch() {
    let (mut book, mut anna) = (Book::default(), pen(ANNA));
    let a = book.create(&mut anna, &[], &[("count", 1)]);
    let b = book.change(&mut anna, &[&a], &[("count", 2)]);
    let held = [a.clone(), without_body(&b)];
    let roster = roster(&certificates());
    let (coverage, ledgered) = (Coverage::default(), Default::default());
    let setting = Setting { roster: &roster, coverage: &coverage, ledgered: &ledgered, is_elsewhere: &|_| false };
    let judged = judge(a.entry().record(), &held, &setting);
    assert_eq!(judged.earlier(anna.actor()), Err(EpochNeeded { entry: b.id() }));
    assert_eq!(judged.actors().count(), 2);
}

/// A small generator of random numbers; every failing history is made again from its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// A history with forks, cuts, strangers to the record, spoiled changes, things missing, and now and then an erasure.
fn random_history(dice: &mut Dice) -> (Vec<HeldEntry>, Vec<(Class, Vec<u8>)>) {
    let mut book = Book::default();
    let mut pens: Vec<(Pen, Option<HeldEntry>)> = [ANNA, ADA, BORIS, CHEN].map(|seed| (pen(seed), None)).into();
    let writers: &[u64] = if dice.one_in(2) { &[1, 2, 3] } else { &[1, 2] };
    let created = book.create(&mut pens[0].0, writers, &[("a", 0), ("b", 0)]);
    pens[0].1 = Some(created.clone());
    let mut changes = vec![created.clone()];
    let mut held = vec![created.clone()];
    let mut otto = pen(OTTO);
    for step in 0..12 + dice.below(20) {
        if dice.one_in(6) {
            let named = &held[dice.below(held.len())].clone();
            held.push(book.role(&mut otto, if dice.one_in(2) { Kind::Ruling } else { Kind::Receipt }, &[named]));
            continue;
        }
        let at = dice.below(pens.len());
        if dice.one_in(5) {
            let copy = pens[at].clone();
            pens.push(copy);
        }
        let mut refs: Vec<EntryId> = (0..=dice.below(2)).map(|_| changes[dice.below(changes.len())].id()).collect();
        if !dice.one_in(8) {
            refs.extend(pens[at].1.iter().map(HeldEntry::id));
        }
        let one = [("a", step as i64)];
        let puts: &[(&str, i64)] = [&one[..], &[("b", 1), ("a", 2)], &[("c", 3)]][dice.below(3)];
        let spoil = u64::from(dice.one_in(12));
        let edit = |basis: &mut crate::change::Basis| basis.start_op += spoil;
        let made = book.change_with(&mut pens[at].0, created.entry().record(), &refs, puts, edit);
        pens[at].1 = Some(made.clone());
        changes.push(made.clone());
        held.push(made);
    }
    let mut statements = base();
    if dice.one_in(2) {
        let kept = &changes[dice.below(changes.len())];
        let author = [(1, ANNA), (1, ADA), (2, BORIS), (3, CHEN)]
            .into_iter()
            .find(|(_, seed)| kept.entry().key() == key(*seed).public())
            .expect("one of ours");
        statements.push((Class::Cut, cut(author.0, author.1, &[kept])));
    }
    if dice.one_in(8) {
        let head = &changes[dice.below(changes.len())];
        statements.push((Class::Erasure, erasure(created.entry().record(), &[head])));
    }
    if dice.one_in(3) {
        held.remove(dice.below(held.len()));
    }
    if dice.one_in(3) {
        let at = dice.below(held.len());
        held[at] = without_body(&held[at]);
    }
    if dice.one_in(4) {
        statements.remove(dice.below(4));
        statements.retain(|(class, _)| *class == Class::Certificate);
    }
    (held, statements)
}

#[test]
fn any_order_of_arrival_gives_the_same_record() {
    let (mut forks, mut seen) = (0, BTreeSet::new());
    for seed in 0..150 {
        let mut dice = Dice(seed);
        let (mut held, mut statements) = random_history(&mut dice);
        let found = outcome(&held, &statements);
        assert_eq!(found.standings.len(), held.len());
        check_invariants(&held, &found, seed);
        forks += found.forks.len();
        seen.extend(found.standings.values().map(|standing| standing.code()));
        for _ in 0..3 {
            dice.shuffle(&mut held);
            dice.shuffle(&mut statements);
            assert_eq!(outcome(&held, &statements), found, "seed {seed}");
        }
    }
    assert!(forks > 50, "the histories fork: {forks}");
    let wanted = ["erased", "held", "out-of-role", "provisional", "set-aside", "unappliable", "voided", "waiting"];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), wanted, "the histories meet every standing but two");
}

/// Whatever the history: what is applied stands on what is applied, and no actor is in two places at once.
fn check_invariants(held: &[HeldEntry], found: &Outcome, seed: u64) {
    let applied: BTreeSet<_> = found.applied.iter().collect();
    let mut seats = BTreeSet::new();
    for held in held.iter().filter(|held| applied.contains(&held.id())) {
        let refs = held.entry().header().refs();
        assert!(refs.iter().all(|named| applied.contains(named)), "seed {seed}");
        let change = crate::change::Change::decode(held.chunk().expect("a change"), held.actor).expect("applied");
        assert!(seats.insert((change.actor(), change.seq())), "seed {seed}");
    }
}
