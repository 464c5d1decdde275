//! An entry of somebody whom no party knows: well formed, well signed, and by nobody.

use merestone_core::change::{Basis, Change, Put, Value, compose};
use merestone_core::claims::Claims;
use merestone_core::entry::{
    Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, Position, Subject, VerifiedEntry,
};
use merestone_core::form::LeafTable;
use merestone_core::id::{Actor, Epoch, StatementId};
use merestone_core::key::SigningKey;
use merestone_forms::{Form, standard};
use merestone_node::clock::Entropy;

use crate::demo::mission::{Mission, own_fault};
use crate::demo::source::FormName;
use crate::exit::Failure;

/// An incident that never was, by a key that nobody certified.
pub(super) fn entry(mission: &Mission, clock: Clock, entropy: &dyn Entropy) -> Result<VerifiedEntry, Failure> {
    let mut random = [0; 64];
    entropy.fill(&mut random)?;
    let [seed, certificate] = [0, 32].map(|at| std::array::from_fn::<u8, 32, _>(|index| random[at + index]));
    let key = SigningKey::from_seed(&seed);
    let (form, scope) = mission.form(FormName::Incident);
    let (epoch, mission) = (Epoch::from_bytes([7; 8]), mission.charter.mission());
    let actor = Actor::derive(mission, key.public().as_bytes(), scope, epoch);
    let put = |key, value| Put { key, value: Value::Text(value), preds: Vec::new() };
    let puts =
        vec![put("day_from", "2022-06-10"), put("how_known", "seen"), put("title", "Something that did not happen")];
    let fault = || own_fault("the stranger's entry");
    let composed = compose(actor, [9; 16], &Basis::creation(), puts).map_err(|_| fault())?;
    let change = Change::decode(&composed.chunk, actor).map_err(|_| fault())?;
    let context = Context {
        clock: Clock { source: ClockSource::Satellite, ..clock },
        place: None,
        post: None,
        observer: "State A observer 1".to_owned(),
        photos: Vec::new(),
    };
    let table = LeafTable::new(&Form::read_tables(standard::INCIDENT)?.definition());
    let root = Claims::compute(&table, &change, &context).root();
    let draft = EntryDraft {
        mission,
        scope,
        epoch,
        seq: 0,
        position: Position::First { certificate: StatementId::from_bytes(certificate), earlier: Vec::new() },
        kind: Kind::Change,
        subject: Subject::Creates { writers: Vec::new() },
        body: Body { content: Content::Change(composed.chunk.clone()), context },
        commitment: Some(Commitment { root, form }),
        seen: None,
    };
    draft.sign(&key).map_err(|_| fault())
}
