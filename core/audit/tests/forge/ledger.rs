//! A scene's ledger: its leaves, its checkpoints, and the witnesses that cosigned them.

use merestone_core::checkpoint::Leaf;
use merestone_core::id::StatementId;
use merestone_core::roster::Class;
use merestone_core::witness::CosignedNote;

use crate::chance::Chance;
use crate::scene::Scene;
use crate::support::Bag;
pub(crate) use crate::support::{checkpoint, cosign, cosigned, everybody, put_leaves, put_note};

/// Leaves and notes, as whoever holds the ledger's key and the witnesses' keys could have made them.
#[derive(Clone)]
pub(crate) struct Logbook {
    pub(crate) leaves: Vec<Leaf>,
    /// Ascending by size; the last is of all leaves.
    pub(crate) notes: Vec<CosignedNote>,
}

impl Logbook {
    pub(crate) fn write(scene: &Scene, chance: &mut Chance) -> Self {
        let charter = scene.mission.charter.charter();
        let mut leaves: Vec<Leaf> = [Class::Certificate, Class::Cut, Class::Erasure]
            .into_iter()
            .flat_map(|class| scene.statements(class))
            .map(Leaf::Statement)
            .collect();
        let early = leaves.len();
        for author in &scene.authors {
            leaves.push(author.device.begun());
            // The newest of a log may not have reached the camp yet.
            let logged = author.entries().len() - usize::from(chance.percent(25) && !author.is_forked);
            leaves.extend(author.entries()[..logged].iter().map(|entry| Leaf::Entry {
                log: entry.log(),
                seq: entry.header().seq,
                id: entry.id(),
            }));
        }
        let (size, middle) = (leaves.len(), chance.between(early, leaves.len() - 1));
        let is_final = chance.percent(70);
        let all = scene.mission.plan.witnessed;
        let silent = if is_final { 0 } else { all };
        let notes = vec![
            cosigned(charter, &leaves[..middle], &everybody(all), 1_767_225_700),
            cosigned(charter, &leaves[..size], &everybody(all - silent), 1_767_225_800),
        ];
        Self { leaves, notes }
    }

    /// Puts bundles and notes into a bag, in the place of those it has.
    pub(crate) fn put(&self, bag: &mut Bag) {
        bag.files.retain(|path, _| !path.starts_with("data/ledger/"));
        put_leaves(bag, &self.leaves);
        for note in &self.notes {
            put_note(bag, note);
        }
    }

    /// The place of the leaf of a statement.
    pub(crate) fn has_statement(&self, id: StatementId) -> bool {
        self.leaves.contains(&Leaf::Statement(id))
    }

    /// Whether a checkpoint that everybody cosigned holds the leaf of an entry.
    pub(crate) fn is_final(&self, wanted: merestone_core::id::EntryId) -> bool {
        let cosigned = self.notes.iter().filter(|note| note.cosignatures().next().is_some());
        let size = cosigned.map(|note| note.checkpoint().size()).max().unwrap_or(0);
        let of_wanted = |leaf: &Leaf| matches!(leaf, Leaf::Entry { id, .. } if *id == wanted);
        self.leaves.iter().position(of_wanted).is_some_and(|place| (place as u64) < size)
    }

    pub(crate) fn has_entry(&self, wanted: merestone_core::id::EntryId) -> bool {
        self.leaves.iter().any(|leaf| matches!(leaf, Leaf::Entry { id, .. } if *id == wanted))
    }
}
