//! Over random forms, entries and choices: what is shown is what was written, nothing else is, and no bit can be changed.

use std::collections::{BTreeMap, BTreeSet};

use super::sample::{Answer, Dice, MISSION, Sample, sign};
use super::*;
use crate::cbor::Reader;
use crate::change::Change;
use crate::check::{Check, Full, Policy, Refused};
use crate::claims::Claims;
use crate::entry::{Content, EntryDraft, SignedEntry, VerifiedEntry};
use crate::form::{FormDefinition, Key, LeafTable, Shape};
use crate::key::KeyCache;

fn read<'a, P: Policy>(
    bytes: &'a [u8],
    definition: &'a FormDefinition,
    keys: &mut KeyCache,
    policy: P,
) -> Result<Disclosure<'a>, Refused> {
    SealedDisclosure::read_under(bytes, MISSION, keys, policy)?.open_under(definition, policy)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn any_choice_of_any_entry_shows_what_the_entry_writes_and_no_more() {
    let keys = &mut KeyCache::new();
    for seed in 0..400 {
        let dice = &mut Dice(seed);
        let sample = Sample::new(dice);
        let chosen = sample.draw(dice);
        let bytes = sample.make(&chosen);
        let disclosure = read(&bytes, &sample.definition, keys, Full).expect("it was made");
        assert_eq!(disclosure.entry().id(), sample.entry.id());

        let mut keys_shown = BTreeSet::new();
        for opened in disclosure.opened() {
            let name = opened.name.unwrap_or_default();
            let writes = |key: &str| sample.answers.get(key).map(|answer| answer.value());
            match &opened.said {
                Some(Said::Answer(value)) => {
                    assert_eq!(Some(*value), writes(name));
                    keys_shown.insert(name.to_owned());
                }
                Some(Said::Cells(cells)) => {
                    for cell in cells {
                        let key = format!("{name}/{}/{}", cell.row, cell.question);
                        assert_eq!(Some(cell.value), writes(&key));
                        keys_shown.insert(key);
                    }
                }
                Some(Said::ExactPlace(place)) => assert_eq!(Some(*place), sample.context.place),
                Some(Said::ExactTime(clock)) => assert_eq!(*clock, sample.context.clock),
                Some(Said::Post(post)) => assert_eq!(Some(*post), sample.context.post.as_deref()),
                Some(Said::Observer(observer)) => assert_eq!(*observer, sample.context.observer),
                Some(Said::CoarsePlace(_) | Said::Day(_) | Said::Photos(_)) => {}
                None if opened.name.is_some() => {
                    assert!(sample.answers.keys().all(|key| key.split('/').next() != Some(name)), "seed {seed}");
                }
                None => {}
            }
        }
        let keys_shown: BTreeSet<&str> = keys_shown.iter().map(String::as_str).collect();
        assert_eq!(keys_shown, sample.shown_keys(&chosen), "seed {seed}");
        let again: Vec<_> = chosen.iter().rev().chain(&chosen).copied().collect();
        assert_eq!(sample.make(&again), bytes, "the order of choices decides nothing, seed {seed}");
    }
}

#[test]
fn no_unopened_text_or_salt_and_never_the_seed_is_in_the_bytes() {
    for seed in 1_000..1_400 {
        let dice = &mut Dice(seed);
        let sample = Sample::new(dice);
        let chosen = sample.draw(dice);
        let bytes = sample.make(&chosen);
        assert!(!contains(&bytes, &sample.seed), "the seed, {seed}");
        assert!(!contains(&bytes, data_encoding::HEXLOWER.encode(&sample.seed).as_bytes()), "the seed in hex, {seed}");

        let shown = sample.shown_keys(&chosen);
        for (key, answer) in &sample.answers {
            let is_shown = shown.contains(key.as_str());
            if let Answer::Text(text) = answer {
                assert_eq!(contains(&bytes, text.as_bytes()), is_shown, "{key}, seed {seed}");
            }
        }
        let is_chosen = |fact| chosen.contains(&Chosen::Fact(fact));
        let facts =
            [(sample.context.post.as_deref(), Fact::Post), (Some(sample.context.observer.as_str()), Fact::Observer)];
        for (text, fact) in facts {
            assert!(
                text.is_none_or(|text| contains(&bytes, text.as_bytes()) == is_chosen(fact)),
                "{fact:?}, seed {seed}"
            );
        }
        assert_eq!(contains(&bytes, &sample.context.clock.boot), is_chosen(Fact::ExactTime), "seed {seed}");
        check_salts(&sample, &chosen, &shown, &bytes);
    }
}

fn check_salts(sample: &Sample, chosen: &[Chosen<'_>], shown: &BTreeSet<&str>, bytes: &[u8]) {
    let body = sample.entry.body().expect("its own body").expect("a body");
    let Content::Change(chunk) = &body.content else { panic!("a change") };
    let change = Change::decode(chunk, sample.entry.actor()).expect("its own change");
    let table = LeafTable::new(&sample.definition);
    let claims = Claims::compute(&table, &change, &body.context);
    let opened: BTreeSet<u32> = chosen
        .iter()
        .map(|choice| match choice {
            Chosen::Fact(fact) => fact.position(),
            Chosen::Key(key) => table.position(*key).expect("a choice of the form"),
            Chosen::Repeat(repeat) | Chosen::Presence(repeat) => {
                table.position(Key::Cell { repeat, row: "", question: "" }).expect("a choice of the form")
            }
        })
        .collect();
    for position in 0..table.leaves() {
        let content = claims.open(position).expect("a leaf").content;
        let mut reader = Reader::new(&content);
        let salt = reader.array(3, "leaf").and_then(|_| reader.uint("position")).and_then(|_| reader.bytes("salt"));
        assert_eq!(contains(bytes, salt.expect("a leaf")), opened.contains(&position), "salt of {position}");
    }
    for (index, put) in change.puts().iter().enumerate() {
        let Some(Key::Cell { .. }) = Key::parse(put.key) else { continue };
        let content = &claims.open_put(index).expect("a put of the form")[0].content;
        let mut reader = Reader::new(content);
        let names = reader.array(4, "cell").and_then(|_| reader.text(64, "row")).and_then(|_| reader.text(64, "cell"));
        let salt = names.and_then(|_| reader.bytes("salt")).expect("a cell");
        assert_eq!(contains(bytes, salt), shown.contains(put.key), "salt of {}", put.key);
    }
}

#[test]
fn any_single_bit_flipped_is_refused() {
    let keys = &mut KeyCache::new();
    // Small ones, because a signature is judged for each bit; with a cell, so that a tree is among them.
    let small = (2_000..).filter_map(|seed| {
        let dice = &mut Dice(seed);
        let sample = Sample::new(dice);
        let chosen = sample.draw(dice);
        let has_cell = chosen.iter().any(|choice| matches!(choice, Chosen::Key(Key::Cell { .. })));
        let bytes = sample.make(&chosen);
        (has_cell && bytes.len() < sample.entry.header_bytes().len() + 400).then_some((sample, bytes))
    });
    for (sample, good) in small.take(2) {
        let beside = good.len() - sample.entry.header_bytes().len();
        let (front, behind) = (8 * 8, (good.len() - beside + 8) * 8);
        let header = (front..behind).step_by(23);
        for bit in (0..front).chain(header).chain(behind..good.len() * 8) {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bytes, &sample.definition, keys, Full).is_err(), "bit {bit} of {}", good.len());
        }
    }
}

/// Every check but one.
#[derive(Clone, Copy)]
struct Without(Check);

impl Policy for Without {
    fn enforces(self, check: Check) -> bool {
        check != self.0
    }
}

#[test]
fn mutated_bytes_never_panic_under_any_policy_and_are_never_accepted() {
    let dice = &mut Dice(3);
    for round in 0..100 {
        let sample = Sample::new(dice);
        let good = sample.make(&sample.draw(dice));
        let check = Check::ALL[dice.below(Check::ALL.len() as u64) as usize];
        let (strict, loose) = (&mut KeyCache::new(), &mut KeyCache::new());
        for _ in 0..20 {
            let mut bytes = good.clone();
            // Behind the header, where the signature does not end it at once.
            let at = bytes.len() - 1 - dice.below((bytes.len() - sample.entry.header_bytes().len()) as u64) as usize;
            match dice.below(4) {
                0 => bytes[at] = dice.next() as u8,
                1 => bytes.insert(at, dice.next() as u8),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
            if bytes != good {
                assert!(read(&bytes, &sample.definition, strict, Full).is_err(), "round {round}");
                let _ = read(&bytes, &sample.definition, loose, Without(check));
            }
        }
    }
}

#[test]
fn what_cannot_be_disclosed_is_said_by_name() {
    let dice = &mut Dice(4);
    let sample = Sample::new(dice);
    let id = sample.entry.id();
    let observer = [Chosen::Fact(Fact::Observer)];
    let refused = |entry: &VerifiedEntry, definition: &FormDefinition, chosen: &[Chosen<'_>]| {
        make(entry, definition, chosen).expect_err("it cannot be made")
    };
    assert_eq!(refused(&sample.entry, &sample.definition, &[]), NotDisclosed::Nothing);

    let other = FormDefinition { version: "2".into(), ..sample.definition.clone() };
    let wanted = sample.definition.hash().expect("a good definition");
    assert_eq!(refused(&sample.entry, &other, &observer), NotDisclosed::OtherForm { wanted });

    let bare = SignedEntry::new(sample.entry.header_bytes(), None).verify(MISSION, &mut KeyCache::new());
    let bare = bare.expect("an honest header");
    assert_eq!(refused(&bare, &sample.definition, &observer), NotDisclosed::BodyMissing { entry: id });

    let no_leaf = [observer[0], Chosen::Key(Key::Answer { question: "wind" })];
    assert_eq!(refused(&sample.entry, &sample.definition, &no_leaf), NotDisclosed::NoLeaf { index: 1 });
    assert_eq!(
        refused(&sample.entry, &sample.definition, &[Chosen::Repeat("wind")]),
        NotDisclosed::NoLeaf { index: 0 }
    );

    let repeat =
        sample.definition.leaves.iter().find(|leaf| leaf.shape == Shape::Repeat).expect("a form with a repeat");
    let cell = Chosen::Key(Key::Cell { repeat: &repeat.name, row: "ffffffffffffffff", question: "never" });
    assert_eq!(refused(&sample.entry, &sample.definition, &[cell]), NotDisclosed::NotWritten { index: 0 });
}

#[test]
fn an_entry_whose_claims_do_not_fit_its_body_discloses_nothing() {
    let dice = &mut Dice(5);
    let sample = Sample::new(dice);
    let resign = |answers: &BTreeMap<String, Answer>, spoil: fn(&mut EntryDraft)| {
        sign(&sample.definition, answers, &sample.context, sample.seed, spoil)
    };
    let refused = |entry: &VerifiedEntry| {
        make(entry, &sample.definition, &[Chosen::Fact(Fact::Day)]).expect_err("its claims are void")
    };
    let other_root = |draft: &mut EntryDraft| draft.commitment.as_mut().expect("a change commits").root[0] ^= 1;
    let entry = resign(&sample.answers, other_root);
    let void = NotDisclosed::Void { entry: entry.id(), check: Check::ClaimsMismatch };
    assert_eq!(refused(&entry), void);

    let mut answers = sample.answers.clone();
    answers.insert("unknown".into(), Answer::Null);
    let entry = resign(&answers, |_| {});
    let void = NotDisclosed::Void { entry: entry.id(), check: Check::ClaimsUnknownQuestion };
    assert_eq!(refused(&entry), void);

    let entry = resign(&sample.answers, |draft| draft.body.content = Content::Change(b"no change".to_vec()));
    assert!(matches!(refused(&entry), NotDisclosed::Unreadable { .. }));
}
