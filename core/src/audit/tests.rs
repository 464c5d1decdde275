//! Help for the tests of this folder; whole bags are audited in `core/audit/tests`.

use crate::entry::{Seal, SignedEntry};
use crate::id::MissionId;
use crate::key::KeyCache;

/// The seals of `count` different entries.
pub(super) fn sealed(count: usize) -> Vec<Seal> {
    (0..count).map(|n| seal(n as u64)).collect()
}

fn seal(n: u64) -> Seal {
    use crate::entry::{Body, Clock, ClockSource, Content, Context, EntryDraft, Kind, Position, Subject};
    use crate::id::{EntryId, Epoch, RecordId, ScopeId};

    let clock = Clock { wall_ms: 0, uptime_ms: 0, boot: [0; 8], offset_min: 0, source: ClockSource::Device };
    let context = Context { clock, place: None, post: None, observer: "Anna".into(), photos: Vec::new() };
    let mission = MissionId::from_bytes([1; 32]);
    let draft = EntryDraft {
        mission,
        scope: ScopeId::from_bytes([2; 8]),
        epoch: Epoch::from_bytes([3; 8]),
        seq: n + 1,
        position: Position::Later { prev: EntryId::from_bytes([4; 32]) },
        kind: Kind::Receipt,
        subject: Subject::Of { record: RecordId::from_bytes([5; 32]), refs: vec![EntryId::from_bytes([6; 32])] },
        body: Body { content: Content::Role { reason: None, text: None, seed: [7; 16] }, context },
        commitment: None,
        seen: None,
    };
    let entry = draft.sign(&crate::record::testing::key(9)).expect("well formed");
    let mut keys = KeyCache::new();
    let read = SignedEntry::new(entry.header_bytes(), entry.body_bytes());
    let again = read.reopen(entry.seal(), mission, &mut keys).expect("the same bytes");
    assert_eq!(again, entry, "an entry opened again is the entry");
    assert!(
        SignedEntry::new(entry.body_bytes().expect("a body"), None).reopen(entry.seal(), mission, &mut keys).is_err()
    );
    entry.seal()
}
