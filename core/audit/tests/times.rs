//! Between which times entries were signed, along branches of a log and by what names what.

#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]
#![allow(dead_code, reason = "the scene and its helpers are shared with the other tests")]

mod support;

use std::collections::BTreeMap;

use merestone_audit::{Pass, Report};
use merestone_core::audit::ledger::Completeness;
use merestone_core::bounds::Bound;
use merestone_core::change::Value;
use merestone_core::checkpoint::Leaf;
use merestone_core::entry::VerifiedEntry;
use merestone_core::id::{EntryId, NoteHash};
use merestone_core::roster::Role;
use merestone_core::witness::CosignedNote;
use support::{Bag, Mission, Plan, cosignature_leaves, cosigned, everybody, put_leaves, put_note};

const JANUARY: u64 = 1_767_225_700;
const NOVEMBER: u64 = 1_793_491_200;

/// A ledger of a mission of four parties, of which one may lie.
struct Ledger {
    leaves: Vec<Leaf>,
    notes: Vec<CosignedNote>,
}

impl Ledger {
    fn log(&mut self, entries: &[&VerifiedEntry]) {
        let leaf = |entry: &&VerifiedEntry| Leaf::Entry { log: entry.log(), seq: entry.header().seq, id: entry.id() };
        self.leaves.extend(entries.iter().map(leaf));
    }

    /// Signs a note that all witnesses cosign at this time, and logs what they signed.
    fn note(&mut self, mission: &Mission, time: u64) -> NoteHash {
        let note = cosigned(mission.charter.charter(), &self.leaves, &everybody(4), time);
        self.leaves.extend(cosignature_leaves(&note));
        self.notes.push(note);
        self.notes.last().unwrap().hash()
    }

    fn put(&self, bag: &mut Bag) {
        put_leaves(bag, &self.leaves[..self.notes.last().unwrap().checkpoint().size() as usize]);
        self.notes.iter().for_each(|note| put_note(bag, note));
    }
}

fn mission() -> (Mission, Ledger) {
    (Mission::found_by(Plan { parties: 4, witnessed: 4, nonce: 7 }), Ledger { leaves: Vec::new(), notes: Vec::new() })
}

/// The times at both ends of the bounds of every entry.
fn ends(report: &Report) -> BTreeMap<EntryId, (Option<u64>, Option<u64>)> {
    let time = |bound: &Option<Bound>| bound.as_ref().filter(|bound| bound.holds).map(|bound| bound.time);
    let entries = report.facts().records.iter().flat_map(|record| &record.entries);
    entries.map(|entry| (entry.id, (time(&entry.bounds.not_before), time(&entry.bounds.not_after)))).collect()
}

fn count(report: &Report, code: &str) -> u64 {
    report.facts().findings.counts().filter(|(_, found, _)| found.as_str() == code).map(|(_, _, count)| count).sum()
}

#[test]
fn a_sibling_of_a_thief_moves_no_bound_of_an_honest_branch() {
    let (mut mission, mut ledger) = mission();
    let mut anna = mission.enrol(1, 30, "Anna", Role::Observer);
    ledger.leaves.extend([Leaf::Statement(anna.certificate.id()), anna.begun()]);
    anna.create(&mission, &[("note", Value::Text("first"))], Vec::new());
    let mut thief = anna.twin();
    for text in ["second", "third"] {
        anna.create(&mission, &[("note", Value::Text(text))], Vec::new());
    }
    ledger.log(&anna.entries.iter().collect::<Vec<_>>());
    ledger.note(&mission, JANUARY);
    let seen = ledger.note(&mission, NOVEMBER);
    thief.seen = Some(ledger.note(&mission, NOVEMBER + 100));
    assert_ne!(thief.seen, Some(seen));
    thief.create(&mission, &[("note", Value::Text("stolen"))], Vec::new());
    ledger.log(&[&thief.entries[1]]);
    ledger.note(&mission, NOVEMBER + 200);

    let mut entries = [anna.entries.clone(), vec![thief.entries[1].clone()]].concat();
    entries.sort_by_key(|entry| (entry.header().seq, entry.id()));
    let mut bag = Bag::of(&mission, &[], &[]);
    bag.put_log(anna.log(), &entries);
    ledger.put(&mut bag);
    for pass in [Pass::Fast, Pass::Full] {
        let report = bag.audit(pass);
        assert_eq!(count(&report, "bounds-contradict"), 0, "{}", report.to_text());
        let bounded = report.facts().counts.bounded;
        assert_eq!((bounded.both, bounded.not_after, bounded.open), (1, 3, 0), "{pass:?}");
        if pass == Pass::Full {
            let ends = ends(&report);
            assert_eq!(ends[&anna.entries[2].id()], (None, Some(JANUARY)));
            assert_eq!(ends[&thief.entries[1].id()], (Some(NOVEMBER), Some(NOVEMBER + 200)));
        }
    }
}

#[test]
fn what_names_what_tightens_bounds_within_a_record() {
    let (mut mission, mut ledger) = mission();
    let mut anna = mission.enrol(1, 30, "Anna", Role::Observer);
    let mut boris = mission.enrol(2, 31, "Boris", Role::Observer);
    ledger.leaves.extend([anna.certificate.id(), boris.certificate.id()].map(Leaf::Statement));
    ledger.note(&mission, JANUARY);
    anna.seen = Some(ledger.note(&mission, JANUARY + 100));
    let made = anna.create(&mission, &[("note", Value::Text("not logged yet"))], Vec::new());
    let edit = boris.edit(&mission, &made, &[("note", Value::Text("on top, and logged"))]);
    boris.create(&mission, &[("note", Value::Text("another record, after it"))], Vec::new());
    ledger.leaves.push(boris.begun());
    ledger.log(&[&boris.entries[0], &boris.entries[1]]);
    ledger.note(&mission, NOVEMBER);
    let mut bag = Bag::of(&mission, &[&anna, &boris], &[]);
    ledger.put(&mut bag);
    let report = bag.audit(Pass::Full);
    let found = ends(&report);
    assert_eq!(found[&made.id], (Some(JANUARY), Some(NOVEMBER)), "named by what was logged in November");
    assert_eq!(found[&edit.id], (Some(JANUARY), Some(NOVEMBER)), "names what saw the checkpoint of January");
    let Completeness::AsOf(as_of) = &report.facts().completeness else { panic!("{}", report.to_text()) };
    assert_eq!(
        (as_of.not_after.as_ref().map(|bound| bound.time), as_of.beyond, as_of.seen_beyond),
        (Some(NOVEMBER), 1, 0)
    );
    assert!(report.to_text().contains("1 entries of the bag are not in it"));

    // The leaves go no further than what Anna saw: older evidence says that it is older.
    ledger.notes.truncate(1);
    let mut bag = Bag::of(&mission, &[&anna, &boris], &[]);
    ledger.put(&mut bag);
    let report = bag.audit(Pass::Full);
    let Completeness::AsOf(as_of) = &report.facts().completeness else { panic!("{}", report.to_text()) };
    assert_eq!(
        (as_of.not_after.as_ref().map(|bound| bound.time), as_of.beyond, as_of.seen_beyond),
        (Some(JANUARY), 3, 1)
    );
}
