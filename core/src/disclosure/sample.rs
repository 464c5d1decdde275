//! Random forms and entries under them, and choices of what to show, for tests.

use std::collections::{BTreeMap, BTreeSet};

use super::{Chosen, Fact, make};
use crate::change::{Basis, Change, Put, Value, compose};
use crate::claims::Claims;
use crate::entry::{
    Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, Place, PlaceSource, Position, Subject,
    VerifiedEntry,
};
use crate::form::{FormDefinition, Key, Leaf, LeafTable, Shape};
use crate::id::{Actor, Epoch, MissionId, ScopeId, StatementId};
use crate::key::SigningKey;

pub(super) const MISSION: MissionId = MissionId::from_bytes([1; 32]);
const SCOPE: ScopeId = ScopeId::from_bytes([2; 8]);
const EPOCH: Epoch = Epoch::from_bytes([3; 8]);

/// SplitMix64: the same draws for the same seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// A value that owns its text.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
}

impl Answer {
    fn draw(dice: &mut Dice) -> Self {
        match dice.below(5) {
            0 => Self::Null,
            1 => Self::Bool(dice.one_in(2)),
            2 => Self::Int(dice.next() as i64 >> dice.below(64)),
            // Unlike every other text, so that finding it anywhere means that it leaked.
            _ => Self::Text(format!("Ж{:016x}{}", dice.next(), "\nx".repeat(dice.below(9) as usize))),
        }
    }

    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Text(text) => Value::Text(text),
        }
    }
}

/// An entry with all that its writer knew.
pub(super) struct Sample {
    pub(super) definition: FormDefinition,
    pub(super) answers: BTreeMap<String, Answer>,
    pub(super) context: Context,
    pub(super) seed: [u8; 16],
    pub(super) entry: VerifiedEntry,
}

impl Sample {
    pub(super) fn new(dice: &mut Dice) -> Self {
        let leaves = 1 + dice.below(40);
        let shape = |dice: &mut Dice| if dice.one_in(4) { Shape::Repeat } else { Shape::Answer };
        let definition = FormDefinition {
            kind: "inspection".into(),
            title: "Form".into(),
            version: "1".into(),
            leaves: (0..leaves).map(|at| Leaf { name: format!("q{at}"), shape: shape(dice) }).collect(),
            source: None,
            must: Vec::new(),
        };
        // At least one answer: a change that writes nothing is none.
        let mut answers = BTreeMap::new();
        while answers.is_empty() {
            for Leaf { name, shape } in &definition.leaves {
                let cells = match shape {
                    _ if dice.one_in(3) => 0,
                    Shape::Repeat => dice.below(9),
                    Shape::Answer => {
                        answers.insert(name.clone(), Answer::draw(dice));
                        0
                    }
                };
                for at in 0..cells {
                    let row = dice.below(3);
                    answers.insert(format!("{name}/{row:016x}/c{at}"), Answer::draw(dice));
                }
            }
        }
        let mut seed = [0; 16];
        seed.fill_with(|| dice.next() as u8);
        let context = context(dice);
        let entry = sign(&definition, &answers, &context, seed, |_| {});
        Self { definition, answers, context, seed, entry }
    }

    /// Everything that can be chosen on its own.
    fn choices(&self) -> Vec<Chosen<'_>> {
        let facts = Fact::ALL.map(Chosen::Fact);
        let leaves = self.definition.leaves.iter().flat_map(|leaf| match leaf.shape {
            Shape::Answer => vec![Chosen::Key(Key::Answer { question: &leaf.name })],
            Shape::Repeat => vec![Chosen::Repeat(&leaf.name), Chosen::Presence(&leaf.name)],
        });
        let keys = self.answers.keys().filter_map(|key| Key::parse(key)).map(Chosen::Key);
        facts.into_iter().chain(leaves).chain(keys).collect()
    }

    pub(super) fn draw(&self, dice: &mut Dice) -> Vec<Chosen<'_>> {
        let all = self.choices();
        let rarity = 1 + dice.below(8);
        let mut chosen: Vec<_> = all.iter().filter(|_| dice.one_in(rarity)).copied().collect();
        if chosen.is_empty() {
            chosen.push(all[dice.below(all.len() as u64) as usize]);
        }
        chosen
    }

    pub(super) fn make(&self, chosen: &[Chosen<'_>]) -> Vec<u8> {
        make(&self.entry, &self.definition, chosen).expect("an honest entry and choices of its form")
    }

    /// The keys of the answers that `chosen` shows.
    pub(super) fn shown_keys(&self, chosen: &[Chosen<'_>]) -> BTreeSet<&str> {
        let is_shown = |key: Key<'_>| match key {
            Key::Answer { .. } => chosen.contains(&Chosen::Key(key)),
            Key::Cell { repeat, .. } => chosen.contains(&Chosen::Key(key)) || chosen.contains(&Chosen::Repeat(repeat)),
        };
        self.answers.keys().map(String::as_str).filter(|key| Key::parse(key).is_some_and(is_shown)).collect()
    }
}

fn context(dice: &mut Dice) -> Context {
    let degrees = |dice: &mut Dice, max: i64| (dice.below(2 * max as u64 + 1) as i64 - max) as i32;
    let place = Place {
        lat_e7: degrees(dice, 900_000_000),
        lon_e7: degrees(dice, 1_800_000_000),
        accuracy_m: dice.below(100),
        source: PlaceSource::Satellite,
    };
    let clock = Clock {
        wall_ms: dice.next() as i64,
        uptime_ms: dice.next(),
        boot: dice.next().to_be_bytes(),
        offset_min: dice.below(2_881) as i16 - 1_440,
        source: ClockSource::Device,
    };
    let (place, post) = ((!dice.one_in(3)).then_some(place), format!("Post {:016x}", dice.next()));
    let post = (!dice.one_in(3)).then_some(post);
    Context { clock, place, post, observer: format!("Observer {:016x}", dice.next()), photos: Vec::new() }
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

/// An entry that writes `answers`; `spoil` changes the draft before it is signed.
pub(super) fn sign(
    definition: &FormDefinition,
    answers: &BTreeMap<String, Answer>,
    context: &Context,
    seed: [u8; 16],
    spoil: impl FnOnce(&mut EntryDraft),
) -> VerifiedEntry {
    let actor = Actor::derive(MISSION, key().public().as_bytes(), SCOPE, EPOCH);
    let puts = answers.iter().map(|(key, answer)| Put { key, value: answer.value(), preds: Vec::new() }).collect();
    let chunk = compose(actor, seed, &Basis::creation(), puts).expect("answers that a change can hold").chunk;
    let change = Change::decode(&chunk, actor).expect("it was composed");
    let root = Claims::compute(&LeafTable::new(definition), &change, context).root();
    let form = definition.hash().expect("a good definition");
    let mut draft = EntryDraft {
        mission: MISSION,
        scope: SCOPE,
        epoch: EPOCH,
        seq: 0,
        position: Position::First { certificate: StatementId::from_bytes([6; 32]), earlier: Vec::new() },
        kind: Kind::Change,
        subject: Subject::Creates { writers: Vec::new() },
        body: Body { content: Content::Change(chunk), context: context.clone() },
        commitment: Some(Commitment { root, form }),
        seen: None,
    };
    spoil(&mut draft);
    draft.sign(&key()).expect("a good draft")
}
