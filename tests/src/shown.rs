//! An inspection on the project's own form with every question answered, and how many bytes it takes to show one of them.

use std::collections::BTreeSet;

use merestone_core::change::{Basis, Change, Put, Value, compose};
use merestone_core::claims::Claims;
use merestone_core::disclosure::{Chosen, SealedDisclosure, make};
use merestone_core::entry::{
    Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, Place, PlaceSource, Position, Subject,
    VerifiedEntry,
};
use merestone_core::form::{FormDefinition, Key, LeafTable};
use merestone_core::id::{Actor, Epoch, MissionId, ScopeId, StatementId};
use merestone_core::key::{KeyCache, SigningKey};
use merestone_forms::model::NodeKind;
use merestone_forms::{Form, standard};

/// Length of every answer, in bytes: a sentence.
pub const ANSWER_BYTES: usize = 100;

/// Rows of every repeat: more photos or vehicles than one visit has.
pub const ROWS: usize = 100;

const MISSION: MissionId = MissionId::from_bytes([1; 32]);
const SCOPE: ScopeId = ScopeId::from_bytes([2; 8]);
const EPOCH: Epoch = Epoch::from_bytes([3; 8]);

/// The inspection.
pub struct Inspection {
    /// The entry that writes all of it.
    pub entry: VerifiedEntry,
    /// The definition of its form.
    pub definition: FormDefinition,
    /// The key of every answer.
    pub keys: Vec<String>,
}

impl Inspection {
    /// Fills the form and signs.
    pub fn new() -> Self {
        let form = Form::read_tables(standard::INSPECTION).expect("a form that the project ships");
        let (definition, keys) = (form.definition(), keys(&form));
        let signer = SigningKey::from_seed(&[4; 32]);
        let actor = Actor::derive(MISSION, signer.public().as_bytes(), SCOPE, EPOCH);
        let text = "x".repeat(ANSWER_BYTES);
        let puts = keys.iter().map(|key| Put { key, value: Value::Text(&text), preds: Vec::new() });
        let chunk = compose(actor, [5; 16], &Basis::creation(), puts.collect()).expect("answers that fit").chunk;
        let context = context();
        let change = Change::decode(&chunk, actor).expect("composed just now");
        let root = Claims::compute(&LeafTable::new(&definition), &change, &context).root();
        let form = definition.hash().expect("a definition that can be signed");
        let draft = EntryDraft {
            mission: MISSION,
            scope: SCOPE,
            epoch: EPOCH,
            seq: 0,
            position: Position::First { certificate: StatementId::from_bytes([6; 32]), earlier: Vec::new() },
            kind: Kind::Change,
            subject: Subject::Creates { writers: Vec::new() },
            body: Body { content: Content::Change(chunk), context },
            commitment: Some(Commitment { root, form }),
            seen: None,
        };
        Self { entry: draft.sign(&signer).expect("a draft that keeps the rules"), definition, keys }
    }

    /// Number of leaves of the form, the standard block included.
    pub fn leaves(&self) -> u32 {
        LeafTable::new(&self.definition).leaves()
    }

    /// The bytes of a disclosure, which opens again.
    pub fn show(&self, chosen: &[Chosen<'_>]) -> usize {
        let bytes = make(&self.entry, &self.definition, chosen).expect("what the entry writes");
        let sealed = SealedDisclosure::read(&bytes, MISSION, &mut KeyCache::new()).expect("an honest header");
        assert!(sealed.open(&self.definition).is_ok(), "made just now");
        bytes.len()
    }

    /// The bytes of the header, which every disclosure holds.
    pub fn header_bytes(&self) -> usize {
        self.entry.header_bytes().len()
    }

    /// For each answer outside repeats, and for each cell, the bytes beside the header when it is shown alone.
    pub fn each_alone(&self) -> (Vec<f64>, Vec<f64>) {
        let (mut answers, mut cells) = (Vec::new(), Vec::new());
        for key in self.keys.iter().filter_map(|key| Key::parse(key)) {
            let beside = (self.show(&[Chosen::Key(key)]) - self.header_bytes()) as f64;
            match key {
                Key::Answer { .. } => answers.push(beside),
                Key::Cell { .. } => cells.push(beside),
            }
        }
        (answers, cells)
    }
}

impl Default for Inspection {
    fn default() -> Self {
        Self::new()
    }
}

/// The key of every question, ascending, with [`ROWS`] rows in every repeat.
fn keys(form: &Form) -> Vec<String> {
    let table = LeafTable::new(&form.definition());
    let mut keys = BTreeSet::new();
    for (index, node) in form.model().nodes.iter().enumerate() {
        let NodeKind::Question(_) = &node.kind else { continue };
        let name = form.name(index);
        let of_question = match form.repeat_of(index) {
            Some(repeat) => (0..ROWS).map(|row| format!("{}/{row:016x}/{name}", form.name(repeat))).collect(),
            None => vec![name.to_owned()],
        };
        keys.extend(of_question);
    }
    let has_leaf = |key: &String| Key::parse(key).is_some_and(|key| table.position(key).is_some());
    keys.into_iter().filter(has_leaf).collect()
}

fn context() -> Context {
    let (boot, source) = ([7; 8], ClockSource::Device);
    let clock = Clock { wall_ms: 1_772_409_600_000, uptime_ms: 5_000, boot, offset_min: 120, source };
    let place = Place { lat_e7: 512_345_678, lon_e7: 305_000_001, accuracy_m: 5, source: PlaceSource::Satellite };
    let (post, observer) = (Some("Ягодин".into()), "O. Ivanova".into());
    Context { clock, place: Some(place), post, observer, photos: Vec::new() }
}
