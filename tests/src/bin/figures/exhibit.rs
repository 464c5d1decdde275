//! How many bytes it takes to show one entry to somebody who holds nothing but the mission's id. No time is measured.

use merestone_core::checkpoint::{Checkpoint, Leaf};
use merestone_core::entry::{
    Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, Position, Subject, VerifiedEntry,
};
use merestone_core::exhibit::{Exhibit, Parts, Shown, write};
use merestone_core::id::{EntryId, Epoch, LogId, NoteHash, RecordId, sha256};
use merestone_core::key::SigningKey;
use merestone_core::ledger::{Growing, LedgerProof, TileAddress, inclusion_proof};
use merestone_core::merkle::leaf_hash;
use merestone_core::roster::{
    Certificate, CharterFile, CompleteCharter, EnrolmentRequest, MakeError, RequestDraft, Role, Roster, SignedCharter,
};
use merestone_core::witness::{Confirmation, Cosignature, CosignedNote, Witnesses};
use merestone_tests::mission::{LEDGER_SEED, Mission};

use crate::row::{Row, Target};

const LEAVES: u64 = 1_000_000;

/// 4 kB.
const SHOWN_MAX: f64 = 4_000.0;

pub(crate) fn measure() -> Vec<Row> {
    let (charter, roots, witnesses) = found().expect("a charter that keeps the rules");
    let observer = SigningKey::from_seed(&[40; 32]);
    let certificate = certify(&charter, &roots[0], &observer).expect("an observer of the first party");
    let entry = sign(&charter, &certificate, &observer);
    let proof = prove(&charter, &witnesses, &entry);
    let file = CharterFile::of(&Roster::new(charter.clone()));
    let parts = Parts {
        charter: &file,
        certificates: &[&certificate],
        shown: Shown::Header(entry.header_bytes()),
        proof: Some(&proof),
    };
    let bytes = write(parts);
    let exhibit = Exhibit::read(&bytes, charter.mission()).expect("made just now");
    let confirmation = exhibit.logged.map(|logged| logged.tally.confirmation);
    assert_eq!(confirmation, Some(Confirmation::Final), "every witness cosigned");
    let (header, chain) = (entry.header_bytes().len(), charter.as_bytes().len() + certificate.as_bytes().len());
    vec![
        Row::once("exhibit/entry", "B", bytes.len() as f64).target(Target::AtMost(SHOWN_MAX)).note(format!(
            "an edit of two heads: header {header}, charter of three parties and certificate {chain}, proof among 1,000,000 \
             leaves and note with three cosignatures {}",
            proof.encode().len()
        )),
    ]
}

/// The mission of the figures, with a witness of each party.
fn found() -> Result<(CompleteCharter, [SigningKey; 3], [SigningKey; 3]), MakeError> {
    let Mission { roots, charter, .. } = Mission::found();
    let witnesses = [31, 32, 33].map(|seed| SigningKey::from_seed(&[seed; 32]));
    let mut charter = charter.charter().clone();
    for (party, witness) in charter.parties.iter_mut().zip(&witnesses) {
        party.witnesses = vec![*witness.public()];
    }
    let mut signed = SignedCharter::begin(&charter, &roots[0])?;
    for root in &roots[1..] {
        signed.sign(root)?;
    }
    Ok((signed.complete()?, roots, witnesses))
}

fn certify(charter: &CompleteCharter, root: &SigningKey, key: &SigningKey) -> Result<Certificate, MakeError> {
    let draft = RequestDraft {
        mission: charter.mission(),
        transport: *SigningKey::from_seed(&[41; 32]).public().as_bytes(),
        observer: "Олена Коваленко",
        device: "Phone 3",
        nonce: [1; 8],
        attestation: None,
        replaces: None,
    };
    let request = EnrolmentRequest::make(&draft, key)?;
    Certificate::issue(charter, root, &request, Role::Observer, &[charter.charter().scopes[0].id])
}

/// An edit of two heads, with everything that a header can hold but an earlier epoch. Its body travels nowhere.
fn sign(charter: &CompleteCharter, certificate: &Certificate, key: &SigningKey) -> VerifiedEntry {
    let clock =
        Clock { wall_ms: 1_764_576_000_000, uptime_ms: 1, boot: [0; 8], offset_min: 0, source: ClockSource::Device };
    let observer = certificate.request().observer().to_owned();
    let refs = [b"one", b"two"].map(|head| EntryId::from_bytes(sha256(&[head]))).to_vec();
    let draft = EntryDraft {
        mission: charter.mission(),
        scope: charter.charter().scopes[0].id,
        epoch: Epoch::from_bytes([7; 8]),
        seq: 1_000,
        position: Position::Later { prev: EntryId::from_bytes([8; 32]) },
        kind: Kind::Change,
        subject: Subject::Of { record: RecordId::from_bytes([9; 32]), refs },
        body: Body {
            content: Content::Change(vec![0; 100]),
            context: Context { clock, place: None, post: None, observer, photos: Vec::new() },
        },
        commitment: Some(Commitment { root: [4; 32], form: charter.charter().forms[0] }),
        seen: Some(NoteHash::from_bytes([6; 32])),
    };
    draft.sign(key).expect("a draft that keeps the rules")
}

fn prove(charter: &CompleteCharter, witnesses: &[SigningKey], entry: &VerifiedEntry) -> LedgerProof {
    let shown = Leaf::Entry { log: entry.log(), seq: entry.header().seq, id: entry.id() };
    let index = LEAVES / 3;
    let other = |at: u64| Leaf::Entry {
        log: LogId::from_bytes(sha256(&[b"log", &at.to_be_bytes()])),
        seq: at,
        id: EntryId::from_bytes(sha256(&[&at.to_be_bytes()])),
    };
    let (mut grown, mut tiles) = (Growing::new(), Vec::new());
    for at in 0..LEAVES {
        let leaf = if at == index { shown } else { other(at) };
        grown.append(leaf_hash(&leaf.encode()), &mut tiles);
    }
    tiles.extend(grown.partial());
    let read = |address: &TileAddress| {
        tiles.iter().find(|tile| tile.address() == *address).map(|tile| tile.encode()).ok_or("no such tile")
    };
    let path = inclusion_proof(index, LEAVES, read).expect("all tiles are held").expect("a leaf");
    let ledger = charter.charter().ledger.as_ref().expect("the mission has a ledger");
    let note = Checkpoint::make(ledger, &SigningKey::from_seed(&LEDGER_SEED), LEAVES, &grown.root());
    let mut note = CosignedNote::new(note.expect("the ledger signs"));
    let counted = Witnesses::of(charter.charter()).expect("the mission has a ledger");
    for witness in witnesses {
        let line = Cosignature::make(note.checkpoint(), witness, 1_764_576_000).expect("it signs").line();
        note.add(line.as_bytes(), &counted).expect("a line");
    }
    LedgerProof { index, path, note: note.encode() }
}
