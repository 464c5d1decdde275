//! What an amendment may say and who must sign it; and that the same statements, in whatever order, are the same charter.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::check::Full;
use crate::checkpoint::Checkpoint;
use crate::id::StatementId;
use crate::record::testing::{key, request_for, scope};
use crate::roster::{
    Admitted, Certificate, Charter, Class, CompleteCharter, Cut, CutDraft, CutReason, MakeError, PartyNumber,
    ProposedCut, Role, Roster,
};
use crate::witness::testing::complete;
use crate::witness::{Confirmation, Cosignature, CosignedNote, Witnesses};

/// Three parties with the roots 1 to 3 and the witnesses 61 to 63.
fn founded() -> CompleteCharter {
    complete(&[1, 1, 1])
}

fn party(number: u8, root: u8, witness: Option<u8>) -> Party {
    let witnesses = witness.iter().map(|seed| *key(*seed).public()).collect();
    Party { number: PartyNumber(number.into()), name: format!("Party {number}"), root: *key(root).public(), witnesses }
}

fn new_scope(n: u8) -> Scope {
    Scope { id: scope(n), name: format!("Scope {n}") }
}

fn checkpoint(charter: &Charter, ledger: u8, size: u64) -> Checkpoint {
    let ledger_of = charter.ledger.as_ref().expect("a ledger");
    Checkpoint::make(ledger_of, &key(ledger), size, &[7; 32]).expect("the ledger signs")
}

fn cosigned(checkpoint: Checkpoint, charter: &Charter, witnesses: &[u8]) -> CosignedNote {
    let mut note = CosignedNote::new(checkpoint);
    for seed in witnesses {
        let line = Cosignature::make(note.checkpoint(), &key(*seed), 9).expect("it signs").line();
        note.add(line.as_bytes(), &Witnesses::of(charter).expect("a ledger")).expect("a line");
    }
    note
}

/// The note of size 5, confirmed by all three.
fn anchor() -> Vec<u8> {
    let charter = founded();
    cosigned(checkpoint(charter.charter(), 50, 5), charter.charter(), &[61, 62, 63]).encode()
}

fn amendment(charter: &CompleteCharter, changes: &Changes, signers: &[u8]) -> Result<Amendment, MakeError> {
    let mut proposed = ProposedAmendment::begin(charter, &key(signers[0]), changes)?;
    for seed in &signers[1..] {
        proposed.sign(&key(*seed))?;
    }
    Ok(proposed.complete()?)
}

fn joins() -> Changes {
    Changes {
        parties: vec![party(4, 4, Some(64))],
        scopes: vec![new_scope(3)],
        note: Some(anchor()),
        ..Changes::default()
    }
}

#[test]
fn an_amendment_needs_as_many_parties_as_finality_and_whoever_it_brings_in() {
    let founded = founded();
    let made = amendment(&founded, &joins(), &[1, 2, 3, 4]).expect("all three, and the one that joins");
    let read = Amendment::verify(made.as_bytes(), &Arc::new(founded.clone())).expect("the same");
    assert_eq!((read.id(), read.signers()), (made.id(), &BTreeSet::from([1, 2, 3].map(PartyNumber))));
    let amended = read.amended();
    assert_eq!((amended.mission(), amended.charter().parties.len()), (founded.mission(), 4));
    assert!(amended.charter().has_scope(scope(3)) && amended.id() != founded.id());

    let code = |changes: &Changes, signers: &[u8]| match amendment(&founded, changes, signers) {
        Err(MakeError::Refused(refused)) => Some(refused.check),
        _ => None,
    };
    assert_eq!(code(&joins(), &[1, 2, 4]), Some(Check::AmendmentQuorum), "two of three");
    assert_eq!(code(&joins(), &[1, 2, 3]), Some(Check::AmendmentQuorum), "without whoever joins");
    assert_eq!(code(&joins(), &[1, 9]), Some(Check::AmendmentSignatures), "a stranger");
    let replaced = Changes {
        parties: vec![Party { witnesses: vec![*key(61).public()], ..party(1, 5, None) }],
        ..Changes::default()
    };
    assert_eq!(code(&replaced, &[2, 3, 5]), Some(Check::AmendmentQuorum), "without the old root");
    assert_eq!(code(&replaced, &[1, 2, 3]), Some(Check::AmendmentQuorum), "without the new root");
    assert_eq!(code(&replaced, &[2, 1, 3, 5]), None);
}

#[test]
fn nothing_is_taken_away_and_no_key_comes_back() {
    let founded = founded();
    let held = |number: usize| founded.charter().parties[number - 1].clone();
    let witness = |number: usize, seed: u8| Party { witnesses: vec![*key(seed).public()], ..held(number) };
    let with = |party: Party| Changes { parties: vec![party], note: Some(anchor()), ..Changes::default() };
    let ledger = |seed: u8, origin: &str| Some(Ledger { origin: origin.into(), key: *key(seed).public() });
    let origin = &founded.charter().ledger.as_ref().expect("a ledger").origin;
    let small = cosigned(checkpoint(founded.charter(), 50, 5), founded.charter(), &[61, 62]).encode();
    let rows = [
        ("nothing", Changes::default(), Some(Check::AmendmentChange)),
        ("the same party", with(held(1)), Some(Check::AmendmentChange)),
        ("another name", with(Party { name: "Other".into(), ..held(1) }), Some(Check::AmendmentChange)),
        ("no witness", with(Party { witnesses: Vec::new(), ..held(1) }), Some(Check::AmendmentChange)),
        ("another's witness", with(witness(1, 62)), Some(Check::CharterKeys)),
        (
            "a scope that is there",
            Changes { scopes: vec![new_scope(1)], ..Changes::default() },
            Some(Check::AmendmentChange),
        ),
        (
            "scopes unsorted",
            Changes { scopes: vec![new_scope(4), new_scope(3)], ..Changes::default() },
            Some(Check::CharterOrder),
        ),
        ("the same quorum", Changes { quorum: Some(1), ..Changes::default() }, Some(Check::AmendmentChange)),
        ("a quorum of four", Changes { quorum: Some(4), ..Changes::default() }, Some(Check::CharterOrder)),
        (
            "another origin",
            Changes { ledger: ledger(51, "other"), note: Some(anchor()), ..Changes::default() },
            Some(Check::AmendmentChange),
        ),
        (
            "a note of nothing",
            Changes { quorum: Some(2), note: Some(anchor()), ..Changes::default() },
            Some(Check::AmendmentNote),
        ),
        ("a note not final", Changes { note: Some(small), ..with(witness(1, 71)) }, Some(Check::AmendmentNote)),
        ("another witness", with(witness(1, 71)), None),
        ("no note", Changes { note: None, ..with(witness(1, 71)) }, Some(Check::AmendmentNote)),
        (
            "another ledger key",
            Changes { ledger: ledger(51, origin), note: Some(anchor()), ..Changes::default() },
            None,
        ),
        ("a quorum", Changes { quorum: Some(2), ..Changes::default() }, None),
    ];
    for (about, changes, wanted) in rows {
        let made = ProposedAmendment::begin(&founded, &key(1), &changes);
        let code = made
            .err()
            .and_then(|error| if let MakeError::Refused(refused) = error { Some(refused.check) } else { None });
        assert_eq!(code, wanted, "{about}");
    }
    // What was replaced stays so, also two amendments later.
    let first = amendment(&founded, &with(witness(1, 71)), &[1, 2, 3]).expect("another witness");
    let back = Changes { parties: vec![witness(2, 61)], note: Some(anchor()), ..Changes::default() };
    let refused = amendment(first.amended(), &back, &[1, 2, 3]).expect_err("the first witness of another party");
    assert_eq!(refused, MakeError::Refused(Refused { check: Check::CharterKeys, what: "key that was replaced" }));
}

#[test]
fn another_quorum_takes_back_nothing_that_was_decided() {
    let founded = founded();
    let more = amendment(&founded, &Changes { quorum: Some(3), ..Changes::default() }, &[1, 2, 3]).expect("enough");
    let issued = certificate(&founded, 1, 30, 1);
    let draft = CutDraft { key: issued.key().as_bytes(), kept: &[], reason: CutReason::Misuse, text: None };
    let mut cut = ProposedCut::begin(&founded, &key(1), &draft).expect("a party signs");
    cut.sign(&founded, &key(2)).expect("a party signs");
    let cut = cut.complete(&founded).expect("two decide");
    let all = [
        (Class::Certificate, issued.as_bytes().to_vec()),
        (Class::Cut, cut.as_bytes().to_vec()),
        (Class::Amendment, more.as_bytes().to_vec()),
    ];
    for order in [[0, 1, 2], [2, 0, 1], [0, 2, 1]] {
        let mut roster = Roster::new(founded.clone());
        order.iter().for_each(|at| _ = roster.admit(all[*at].0, &all[*at].1));
        assert_eq!(roster.charter().charter().quorum, 3);
        assert!(roster.holds(Class::Cut, cut.id()), "in the order {order:?}");
    }
    let parties = |numbers: &[u64]| numbers.iter().map(|number| PartyNumber(*number)).collect::<Vec<_>>();
    assert!(more.amended().erase(&parties(&[3])) && more.amended().cut(&parties(&[1, 3])), "as before");
    assert!(!more.amended().cut(&parties(&[1])), "one party is no agreement");
}

#[test]
fn who_joins_has_no_say_by_the_quorum_of_before() {
    let founded = founded();
    let two = Changes { quorum: Some(2), ..Changes::default() };
    let two = amendment(&founded, &two, &[1, 2, 3]).expect("enough");
    let joined = Changes { parties: vec![party(4, 4, None), party(5, 5, None)], quorum: Some(4), ..Changes::default() };
    let grown = amendment(two.amended(), &joined, &[1, 2, 3, 4, 5]).expect("enough");
    let parties = |numbers: &[u64]| numbers.iter().map(|number| PartyNumber(*number)).collect::<Vec<_>>();
    let rows: [(&[u64], bool, bool); 6] = [
        (&[4, 5], false, false),
        (&[4], false, false),
        (&[1], true, false),
        (&[1, 4, 5], true, false),
        (&[1, 2], true, true),
        (&[2, 3, 4, 5], true, true),
    ];
    for (signers, erases, cuts) in rows {
        let by = parties(signers);
        assert_eq!((grown.amended().erase(&by), grown.amended().cut(&by)), (erases, cuts), "{signers:?}");
    }
}

#[test]
fn a_party_certifies_with_its_new_root_and_what_it_signed_with_the_old_one_stays() {
    let founded = founded();
    let replaced = Party { witnesses: vec![*key(61).public()], ..party(1, 5, None) };
    let changes = Changes { parties: vec![replaced], ..Changes::default() };
    let made = amendment(&founded, &changes, &[1, 2, 3, 5]).expect("both roots signed");
    let (old, new) = (certificate(&founded, 1, 30, 1), certificate(made.amended(), 5, 31, 1));
    let mut roster = Roster::new(founded);
    roster.admit(Class::Certificate, old.as_bytes()).expect("by the old root");
    assert!(roster.admit(Class::Certificate, new.as_bytes()).is_err());
    assert!(roster.waits(Class::Certificate, new.id()));
    assert_eq!(roster.admit(Class::Amendment, made.as_bytes()), Ok(Admitted::New(made.id())));
    assert_eq!(roster.certificates().map(Certificate::party).collect::<Vec<_>>(), [PartyNumber(1), PartyNumber(1)]);
    assert!(!roster.waits(Class::Certificate, new.id()));
}

#[test]
fn notes_are_judged_by_the_witnesses_of_their_size_on_both_sides_of_a_change() {
    let founded = founded();
    let made = amendment(&founded, &joins(), &[1, 2, 3, 4]).expect("party 4 joins");
    let after = made.amended();
    let confirmed = |charter: &CompleteCharter, size, witnesses: &[u8]| {
        let judge = charter.judging(size);
        let note = cosigned(checkpoint(judge, 50, size), judge, witnesses);
        let read = Witnesses::judging(charter, &note.encode()).expect("a ledger");
        read.tally(&note).confirmation
    };
    let rows = [
        (5, &[61, 62, 63][..], Confirmation::Final),
        (5, &[61, 62, 64], Confirmation::Provisional),
        (6, &[61, 62, 63], Confirmation::Final),
        (6, &[61, 62, 64], Confirmation::Final),
        (6, &[61, 64], Confirmation::Unconfirmed),
    ];
    for (size, witnesses, wanted) in rows {
        assert_eq!(confirmed(after, size, witnesses), wanted, "{size} by {witnesses:?}");
    }
    assert_eq!(after.anchor().map(|anchor| anchor.size), Some(5));
    // The next one cannot go back behind it, nor do without a note.
    let other = Party { witnesses: vec![*key(71).public()], ..founded.charter().parties[0].clone() };
    let next = |note| Changes { parties: vec![other.clone()], note, ..Changes::default() };
    let small = cosigned(checkpoint(founded.charter(), 50, 4), founded.charter(), &[61, 62, 63]).encode();
    for note in [None, Some(small)] {
        let refused = amendment(after, &next(note), &[1, 2, 3]).expect_err("no note, or an earlier one");
        assert!(matches!(refused, MakeError::Refused(Refused { check: Check::AmendmentNote, .. })));
    }
}

#[test]
fn two_rivals_act_neither_and_name_who_signed_both() {
    let founded = founded();
    let one = amendment(&founded, &joins(), &[1, 2, 3, 4]).expect("enough");
    let scope_only = Changes { scopes: vec![new_scope(9)], ..Changes::default() };
    let other = amendment(&founded, &scope_only, &[1, 2, 3]).expect("enough");
    let mut roster = Roster::new(founded.clone());
    roster.admit(Class::Amendment, one.as_bytes()).expect("the first");
    let fourth = certificate(one.amended(), 4, 34, 3);
    roster.admit(Class::Certificate, fourth.as_bytes()).expect("the new party certifies");
    assert_eq!((roster.charter().id(), roster.amendments_in_force().len()), (one.amended().id(), 1));

    roster.admit(Class::Amendment, other.as_bytes()).expect("the rival is held too");
    assert_eq!((roster.charter().id(), roster.amendments_in_force().len()), (founded.id(), 0));
    let frozen = roster.frozen().expect("frozen");
    assert_eq!(frozen.signed_both(), BTreeSet::from([1, 2, 3].map(PartyNumber)));
    let ids: BTreeSet<_> = frozen.rivals.iter().map(|rival| rival.id).collect();
    assert_eq!(ids, BTreeSet::from([one.amended().id(), other.amended().id()]));
    assert!(roster.certificates().next().is_none() && roster.waits(Class::Certificate, fourth.id()));
    assert!(
        roster.knows_key(fourth.key().as_bytes()) && roster.certificates_of(fourth.key().as_bytes()).next().is_none()
    );
    let read = Roster::read_charter_file(&roster.charter_file()).expect("what was written");
    assert_eq!(read.frozen(), roster.frozen());
    // Nothing follows a freeze, on either side.
    let later = Changes { scopes: vec![new_scope(8)], ..Changes::default() };
    let later = amendment(one.amended(), &later, &[1, 2, 3]).expect("enough");
    roster.admit(Class::Amendment, later.as_bytes()).expect("it is held");
    assert_eq!(roster.charter().id(), founded.id());
}

#[test]
fn who_signs_another_instead_is_counted_once_and_a_late_signature_revives_nothing() {
    let founded = founded();
    let four = amendment(&founded, &joins(), &[1, 2, 3, 4]).expect("enough");
    let base = four.amended();
    let dropped = Changes { scopes: vec![new_scope(8)], ..Changes::default() };
    // Party 2 signed the first one and then the other; years later 1 and 3 complete the first.
    let dropped = amendment(base, &dropped, &[2, 1, 3]).expect("three of four");
    let instead = Changes { scopes: vec![new_scope(9)], instead: vec![dropped.amended().id()], ..Changes::default() };
    let acts = amendment(base, &instead, &[2, 3, 4]).expect("three of four");
    for order in [[&four, &dropped, &acts], [&acts, &dropped, &four], [&four, &acts, &dropped]] {
        let mut roster = Roster::new(founded.clone());
        for made in order {
            let _ = roster.admit(Class::Amendment, made.as_bytes());
        }
        assert!(roster.frozen().is_none());
        assert_eq!(roster.charter().id(), acts.amended().id());
    }
    // Once something builds on one, nobody puts another in its place in silence.
    let built = Changes { scopes: vec![new_scope(7)], ..Changes::default() };
    let built = amendment(dropped.amended(), &built, &[1, 3, 4]).expect("three of four");
    let mut roster = Roster::new(founded);
    for made in [&four, &dropped, &built, &acts] {
        roster.admit(Class::Amendment, made.as_bytes()).expect("it is held");
    }
    let both = roster.frozen().map(Frozen::signed_both);
    assert_eq!(both, Some(BTreeSet::from([2, 3].map(PartyNumber))));
}

fn certificate(charter: &CompleteCharter, root: u8, seed: u8, of_scope: u8) -> Certificate {
    let request = request_for(charter.mission(), seed, "Observer", "Phone");
    Certificate::issue(charter, &key(root), &request, Role::Observer, &[scope(of_scope)]).expect("a party certifies")
}

/// Statements on both sides of amendments and of a freeze.
fn universe() -> Vec<(Class, Vec<u8>)> {
    let founded = founded();
    let one = amendment(&founded, &joins(), &[1, 2, 3, 4]).expect("enough");
    let five = Changes { parties: vec![party(5, 5, None)], quorum: Some(3), ..Changes::default() };
    let two = amendment(one.amended(), &five, &[1, 2, 4, 5]).expect("enough");
    let again = amendment(one.amended(), &five, &[1, 2, 3, 4, 5]).expect("the same, signed by more");
    let stead = Changes { scopes: vec![new_scope(8)], instead: vec![two.amended().id()], ..Changes::default() };
    let stead = amendment(one.amended(), &stead, &[2, 3, 4]).expect("three take theirs back, or signed nothing");
    let three = Changes { scopes: vec![new_scope(7)], ..Changes::default() };
    let three = amendment(two.amended(), &three, &[1, 3, 4, 5]).expect("enough");
    let rival = Changes { scopes: vec![new_scope(9)], ..Changes::default() };
    let rival = amendment(&founded, &rival, &[1, 2, 3]).expect("enough");
    let mut all: Vec<_> =
        [&one, &again, &two, &three, &stead, &rival].map(|made| (Class::Amendment, made.as_bytes().to_vec())).into();

    let fourth = certificate(one.amended(), 4, 34, 3);
    let certificates = [
        certificate(&founded, 1, 30, 1),
        certificate(one.amended(), 2, 31, 3),
        certificate(two.amended(), 5, 35, 1),
        certificate(three.amended(), 5, 36, 7),
        certificate(rival.amended(), 1, 37, 9),
    ];
    all.extend(certificates.iter().chain([&fourth]).map(|made| (Class::Certificate, made.as_bytes().to_vec())));
    let draft = CutDraft { key: fourth.key().as_bytes(), kept: &[], reason: CutReason::Lost, text: None };
    let cut = Cut::make(one.amended(), &key(4), &draft).expect("its own key");
    all.push((Class::Cut, cut.as_bytes().to_vec()));
    let after = one.amended().charter();
    for size in [5, 6] {
        let note = cosigned(checkpoint(after, 50, size), after, &[61, 62, 64]);
        all.push((Class::Note, note.checkpoint().as_bytes().to_vec()));
        all.extend(note.statements().map(|statement| (Class::Cosignature, statement)));
    }
    all
}

/// What is in force, what holds, what waits, what is final.
fn outcome(roster: &Roster) -> (CharterId, bool, Vec<Vec<StatementId>>, Vec<StatementId>, Vec<Confirmation>) {
    let holds = Class::ALL.into_iter().map(|class| roster.ids(class)).collect();
    let waits = roster.waiting().map(|(_, id, _, _)| id).collect();
    let notes = roster.cosigned_notes();
    let confirmed = notes.iter().filter_map(|note| {
        let witnesses = Witnesses::judging(roster.charter(), &note.encode())?;
        Some(witnesses.tally(note).confirmation)
    });
    (roster.charter().id(), roster.frozen().is_some(), holds, waits, confirmed.collect())
}

fn admitted<'a>(statements: impl IntoIterator<Item = &'a (Class, Vec<u8>)>) -> Roster {
    let mut roster = Roster::new(founded());
    for (class, bytes) in statements {
        let _ = roster.admit_under(*class, bytes, Full);
    }
    roster
}

#[test]
fn the_same_statements_are_the_same_charter_whenever_the_amendments_come() {
    let all = universe();
    let amendments = all.iter().filter(|(class, _)| *class == Class::Amendment).count();
    let mut state = 7_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut seen = BTreeSet::new();
    for round in 0..120 {
        let part: Vec<_> = all.iter().filter(|_| round == 0 || random(3) != 0).cloned().collect();
        let wanted = outcome(&admitted(&part));
        // Classes keep their order among themselves, as peers exchange them; amendments come whenever they come.
        let (mut early, mut late): (Vec<_>, Vec<_>) =
            part.into_iter().partition(|(class, _)| *class == Class::Amendment);
        for at in (1..early.len()).rev() {
            early.swap(at, random(at + 1));
        }
        for statement in early {
            late.insert(random(late.len() + 1), statement);
        }
        assert_eq!(outcome(&admitted(&late)), wanted, "round {round}");
        // And what came already changes nothing.
        assert_eq!(outcome(&admitted(late.iter().chain(&late))), wanted, "round {round}, twice");
        seen.insert((wanted.0, wanted.1));
    }
    assert!(amendments == 6 && seen.len() >= 5, "{seen:?}");
}
