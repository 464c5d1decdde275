//! Evidence to measure with, the same in each run: inspections of 30 answers, by eight certified observers of three parties.

use merestone_core::change::{Basis, Change, Put, compose};
use merestone_core::claims::Claims;
use merestone_core::entry::{
    Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, Photo, Place, PlaceSource, Position,
    Subject, VerifiedEntry,
};
use merestone_core::form::LeafTable;
use merestone_core::id::{Actor, EntryId, Epoch, FormHash, MissionId, ScopeId, StatementId, sha256};
use merestone_core::key::{Signer, SigningKey};
use merestone_core::roster::{CERTIFICATE_SCOPES_MAX, Certificate, Class, EnrolmentRequest, RequestDraft, Role};
use merestone_forms::Form;
use merestone_node::office::PartyOffice;
use merestone_node::{Answer, Device};
use merestone_store::Batch;

use crate::mission::{self, Mission};

/// Answers of one inspection.
const ANSWERS: u64 = 30;

/// Entries in one commit, as they come in from a peer.
pub const BATCH: usize = 512;

/// Observers who took the inspections of a [`Crew`].
const OBSERVERS: u8 = 8;

const WORDS: [&str; 24] = [
    "post",
    "north",
    "vehicle",
    "truck",
    "closed",
    "open",
    "queue",
    "quiet",
    "heard",
    "burst",
    "river",
    "bridge",
    "officer",
    "fence",
    "lamp",
    "customs",
    "міст",
    "черга",
    "вантажівка",
    "тихо",
    "جسر",
    "حدود",
    "شاحنة",
    "هادئ",
];

/// The form of an inspection of 30 answers.
pub fn document() -> String {
    let mut rows = String::new();
    for question in 0..ANSWERS {
        let kind = if matches!(question % 5, 0 | 4) { "integer" } else { "text" };
        rows.push_str(&format!("| | {kind} | q{question:02} | Question {question} | |\n"));
    }
    format!(
        "| survey |\n| | type | name | label::English (en) | required |\n{rows}\
         | settings |\n| | form_id | form_title | version |\n| | inspection | Inspection of 30 answers | 1 |\n"
    )
}

/// Scopes of the mission: as many as one certificate may grant, so that one camp serves them all.
pub const SCOPES: usize = CERTIFICATE_SCOPES_MAX;

/// The mission in which everything here happens. What says nothing of scopes happens in the first.
pub fn found() -> Mission {
    let names: Vec<String> = (1..=SCOPES).map(|number| format!("Sector {number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Mission::found_wide(&[&document()], &names)
}

/// The answers of inspection `number`: counts, words, flags, short notes, coordinates.
pub fn answers(number: u64) -> Vec<(String, Answer)> {
    let mut draw = Draw(sha256(&[b"answers", &number.to_be_bytes()]), 0);
    let mut answers = Vec::new();
    for question in 0..ANSWERS {
        let answer = match question % 5 {
            0 => Answer::Int(draw.below(200).cast_signed()),
            1 => Answer::Text(draw.word().to_owned()),
            2 => Answer::Bool(draw.below(2) == 1),
            // One answer finds this inspection and no other.
            3 if question == 3 => Answer::Text(format!("{} {} visit{number}", draw.word(), draw.word())),
            3 => Answer::Text(format!("{} {} {}", draw.word(), draw.word(), draw.word())),
            _ => Answer::Int(draw.below(1_800_000_000).cast_signed() - 900_000_000),
        };
        answers.push((format!("q{question:02}"), answer));
    }
    answers
}

/// Small numbers out of a seed.
struct Draw([u8; 32], usize);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        if self.1 == self.0.len() {
            *self = Self(sha256(&[&self.0]), 0);
        }
        let bytes = &self.0[self.1..self.1 + 4];
        self.1 += 4;
        bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)) % end
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len() as u64) as usize]
    }
}

/// One log in which inspections are written, without a store.
pub struct Author<'a> {
    signer: &'a dyn Signer,
    observer: String,
    mission: MissionId,
    scope: ScopeId,
    epoch: Epoch,
    certificate: StatementId,
    actor: Actor,
    form: FormHash,
    table: LeafTable,
    head: Option<(u64, EntryId)>,
}

impl<'a> Author<'a> {
    /// A new log of a certified key.
    pub fn new(mission: &Mission, signer: &'a dyn Signer, certificate: StatementId, observer: &str) -> Self {
        Self::new_in(mission, mission.scope(), signer, certificate, observer)
    }

    /// [`new`](Self::new) in this scope.
    pub fn new_in(
        mission: &Mission,
        scope: ScopeId,
        signer: &'a dyn Signer,
        certificate: StatementId,
        observer: &str,
    ) -> Self {
        let definition = Form::read_tables(&document()).expect("the form above").definition();
        let key = signer.public();
        let epoch = Epoch::from_bytes(*sha256(&[b"epoch", key.as_bytes()]).first_chunk().expect("32 bytes hold eight"));
        Self {
            signer,
            observer: observer.to_owned(),
            mission: mission.id(),
            scope,
            epoch,
            certificate,
            actor: Actor::derive(mission.id(), key.as_bytes(), scope, epoch),
            form: mission::form_hash(&document()),
            table: LeafTable::new(&definition),
            head: None,
        }
    }

    /// Inspection `number`, composed and not signed: the next entry of the log.
    pub fn draft(&self, number: u64) -> EntryDraft {
        self.draft_with(number, Vec::new())
    }

    /// [`draft`](Self::draft) with these photos.
    pub fn draft_with(&self, number: u64, photos: Vec<Photo>) -> EntryDraft {
        let answers = answers(number);
        let puts = answers.iter().map(|(key, answer)| Put { key, value: answer.as_value(), preds: Vec::new() });
        let seed = sha256(&[b"seed", self.signer.public().as_bytes(), &number.to_be_bytes()]);
        let seed = *seed.first_chunk().expect("32 bytes hold sixteen");
        let chunk =
            compose(self.actor, seed, &Basis::creation(), puts.collect()).expect("answers that can be signed").chunk;
        let context = self.context(number, photos);
        let change = Change::decode(&chunk, self.actor).expect("composed just now");
        let root = Claims::compute(&self.table, &change, &context).root();
        let (seq, position) = match self.head {
            None => (0, Position::First { certificate: self.certificate, earlier: Vec::new() }),
            Some((seq, prev)) => (seq + 1, Position::Later { prev }),
        };
        EntryDraft {
            mission: self.mission,
            scope: self.scope,
            epoch: self.epoch,
            seq,
            position,
            kind: Kind::Change,
            subject: Subject::Creates { writers: Vec::new() },
            body: Body { content: Content::Change(chunk), context },
            commitment: Some(Commitment { root, form: self.form }),
            seen: None,
        }
    }

    /// Signs what [`draft`](Self::draft) gave last.
    pub fn sign(&mut self, draft: EntryDraft) -> VerifiedEntry {
        let seq = draft.seq;
        let entry = draft.sign(self.signer).expect("a draft that keeps the rules");
        self.head = Some((seq, entry.id()));
        entry
    }

    fn context(&self, number: u64, photos: Vec<Photo>) -> Context {
        let minutes = number * 7;
        let clock = Clock {
            wall_ms: 1_700_000_000_000 + (minutes * 60_000).cast_signed(),
            uptime_ms: minutes * 60_000,
            boot: [7; 8],
            offset_min: 120,
            source: ClockSource::Device,
        };
        let place = Place {
            lat_e7: 482_345_678 + (number % 1_000) as i32,
            lon_e7: 372_345_678 + (number % 997) as i32,
            accuracy_m: 5,
            source: PlaceSource::Satellite,
        };
        Context { clock, place: Some(place), post: None, observer: self.observer.clone(), photos }
    }
}

/// One of any number of certified observers without devices, the same for the same number.
pub fn stranger(mission: &Mission, number: u64) -> (SigningKey, Certificate) {
    let seed = |of: &[u8]| sha256(&[of, &number.to_be_bytes()]);
    let seeds = [seed(b"stranger"), seed(b"stranger's phone")];
    certified(mission, seeds, &format!("Stranger {number}"), number.to_be_bytes())
}

/// A certified observer; `seeds` are of the key and of the device.
fn certified(mission: &Mission, seeds: [[u8; 32]; 2], observer: &str, nonce: [u8; 8]) -> (SigningKey, Certificate) {
    let [key, transport] = seeds.map(|seed| SigningKey::from_seed(&seed));
    let draft = RequestDraft {
        mission: mission.id(),
        transport: *transport.public().as_bytes(),
        observer,
        device: "Phone",
        nonce,
        attestation: None,
        replaces: None,
    };
    let request = EnrolmentRequest::make(&draft, &key).expect("a request that keeps the rules");
    let office = PartyOffice::new(&mission.roots[usize::from(nonce[7]) % mission.roots.len()]);
    let certificate = office.certify(&mission.charter, &request, Role::Observer, &[mission.scope()]);
    (key, certificate.expect("a party certifies its own"))
}

/// Eight certified observers without devices, and one who has not begun.
pub struct Crew<'a> {
    mission: &'a Mission,
    members: Vec<(SigningKey, Certificate)>,
}

impl<'a> Crew<'a> {
    /// Certifies them; no device knows them yet.
    pub fn certify(mission: &'a Mission) -> Self {
        let member = |number: u8| {
            let seeds = [[100 + number; 32], [200 + number; 32]];
            certified(mission, seeds, &format!("Observer {number}"), [number; 8])
        };
        Self { mission, members: (0..=OBSERVERS).map(member).collect() }
    }

    /// Their certificates.
    pub fn certificates(&self) -> Vec<Vec<u8>> {
        self.members.iter().map(|(_, certificate)| certificate.as_bytes().to_vec()).collect()
    }

    /// The log of the one who has not begun.
    pub fn spare_author(&self) -> Author<'_> {
        self.author(usize::from(OBSERVERS))
    }

    fn author(&self, member: usize) -> Author<'_> {
        let (key, certificate) = &self.members[member];
        Author::new(self.mission, key, certificate.id(), certificate.request().observer())
    }

    /// Makes the crew known to a device.
    pub fn introduce(&self, device: &Device) {
        device.receive(Class::Certificate, &self.certificates()).expect("the store takes certificates");
    }

    /// `entries` inspections, in eight logs of one length each, one log after the other; `entries` is a multiple of eight.
    pub fn inspections(&self, entries: u64) -> Vec<Vec<VerifiedEntry>> {
        let each = entries / u64::from(OBSERVERS);
        std::thread::scope(|scope| {
            let write = |member: usize| {
                move || {
                    let mut author = self.author(member);
                    let first = member as u64 * each;
                    (first..first + each).map(|number| author.sign(author.draft(number))).collect()
                }
            };
            let logs: Vec<_> = (0..usize::from(OBSERVERS)).map(|member| scope.spawn(write(member))).collect();
            logs.into_iter().map(|log| log.join().expect("no author panics")).collect()
        })
    }
}

/// Entries to commit together.
pub fn batch(entries: &[VerifiedEntry]) -> Batch {
    let mut batch = Batch::new();
    entries.iter().for_each(|entry| _ = batch.entry(entry.clone()));
    batch
}
