//! Small bags, made through core's own drafts, and the forger's tools.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]

use std::collections::BTreeMap;
use std::path::Path;

use merestone_audit::{Code, Finding, Options, Pass, Report, audit_folder};
use merestone_core::audit::bag::FileHasher;
use merestone_core::cbor::Writer;
use merestone_core::change::{Basis, Change, OpRef, Put, Value, compose};
use merestone_core::claims::Claims;
use merestone_core::entry::{
    Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, LogHead, Media, MissingReason, Photo,
    Position, Rendition, RenditionOrReason, Subject, VerifiedEntry,
};
use merestone_core::erasure::{Erased, ErasureDraft, ErasureReason, ProposedErasure};
use merestone_core::form::{FormDefinition, Leaf, LeafTable, Shape};
use merestone_core::id::{
    Actor, BlobHash, ChangeHash, EntryId, Epoch, FormHash, LogId, MissionId, RecordId, ScopeId, StoreId,
};
use merestone_core::key::SigningKey;
use merestone_core::merkle::chunk_root;
use merestone_core::receipt::{LeftOut, LogHeld, Receipt, ReceiptDraft};
use merestone_core::roster::{
    Certificate, Charter, Class, CompleteCharter, Cut, CutDraft, CutReason, EnrolmentRequest, Party, PartyNumber,
    RequestDraft, Role, Roster, Scope, SignedCharter,
};

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

pub(crate) fn scope() -> ScopeId {
    ScopeId::from_bytes([1; 8])
}

pub(crate) fn form() -> FormDefinition {
    let leaf = |name: &str, shape| Leaf { name: name.into(), shape };
    FormDefinition {
        kind: "inspection".into(),
        title: "Inspection".into(),
        version: "1".into(),
        leaves: vec![
            leaf("post_state", Shape::Answer),
            leaf("count_best", Shape::Answer),
            leaf("note", Shape::Answer),
            leaf("source", Shape::Answer),
            leaf("source_licence", Shape::Answer),
            leaf("photos", Shape::Repeat),
        ],
        source: None,
        must: Vec::new(),
    }
}

pub(crate) struct Mission {
    pub(crate) charter: CompleteCharter,
    pub(crate) form: FormDefinition,
    pub(crate) form_bytes: Vec<u8>,
    pub(crate) roster: Roster,
}

impl Mission {
    pub(crate) fn found() -> Self {
        let form = form();
        let form_bytes = form.encode().unwrap();
        let party = |number: u8, name: &str| Party {
            number: PartyNumber(number.into()),
            name: name.into(),
            root: *key(number).public(),
            witnesses: Vec::new(),
        };
        let charter = Charter {
            name: "Спостереження معبر".into(),
            nonce: [1; 16],
            parties: vec![party(1, "State A"), party(2, "State B"), party(3, "Neutral body")],
            scopes: vec![Scope { id: scope(), name: "North".into() }],
            forms: vec![FormHash::of(&form_bytes)],
            ledger: None,
            quorum: 2,
        };
        let mut signed = SignedCharter::begin(&charter, &key(1)).unwrap();
        signed.sign(&key(2)).unwrap();
        signed.sign(&key(3)).unwrap();
        let charter = signed.complete().unwrap();
        let mut roster = Roster::new(charter.clone());
        roster.admit(Class::Form, &form_bytes).unwrap();
        Self { charter, form, form_bytes, roster }
    }

    pub(crate) fn id(&self) -> MissionId {
        self.charter.mission()
    }

    pub(crate) fn enrol(&mut self, party: u8, seed: u8, observer: &str, role: Role) -> Device {
        let certificate = self.certificate(party, seed, observer, role);
        self.roster.admit(Class::Certificate, certificate.as_bytes()).unwrap();
        Device::new(self.id(), seed, observer, certificate)
    }

    pub(crate) fn certificate(&self, party: u8, seed: u8, observer: &str, role: Role) -> Certificate {
        let device = format!("{observer}'s phone");
        let draft =
            RequestDraft { mission: self.id(), transport: [seed; 32], observer, device: &device, nonce: [seed; 8] };
        let request = EnrolmentRequest::make(&draft, &key(seed)).unwrap();
        Certificate::issue(&self.charter, &key(party), &request, role, &[scope()]).unwrap()
    }

    pub(crate) fn cut(&mut self, party: u8, device: &Device, kept: &[LogHead]) -> Cut {
        let key_bytes = *device.key.public().as_bytes();
        let draft = CutDraft { key: &key_bytes, kept, reason: CutReason::Stolen, text: None };
        let cut = Cut::make(&self.charter, &key(party), &draft).unwrap();
        self.roster.admit(Class::Cut, cut.as_bytes()).unwrap();
        cut
    }

    pub(crate) fn receipt(&mut self, camp: &Device, counter: u64, devices: &[&Device]) {
        let held = |device: &&Device| LogHeld {
            log: device.log(),
            height: device.entries.len() as u64,
            head: device.entries.last().unwrap().id(),
            missing: 0,
        };
        let draft = ReceiptDraft {
            store: StoreId::from_bytes([9; 16]),
            counter,
            logs: devices.iter().map(held).collect(),
            blobs: Vec::new(),
            certificate: camp.certificate.id(),
            left_out: LeftOut::default(),
        };
        let receipt = Receipt::make(&self.roster, &camp.key, draft).unwrap();
        self.roster.admit(Class::Receipt, receipt.as_bytes()).unwrap();
    }

    pub(crate) fn erase(&mut self, record: RecordId, erased: Erased) {
        let draft = ErasureDraft { record, erased, reason: ErasureReason::Privacy, text: None };
        let mut proposed = ProposedErasure::begin(&self.charter, &key(1), draft).unwrap();
        proposed.sign(&self.charter, &key(2)).unwrap();
        let erasure = proposed.complete(&self.charter).unwrap();
        self.roster.admit(Class::Erasure, erasure.as_bytes()).unwrap();
    }
}

/// A change that others can build on.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) id: EntryId,
    pub(crate) record: RecordId,
    pub(crate) hash: ChangeHash,
    pub(crate) actor: Actor,
    pub(crate) seq: u64,
    pub(crate) start_op: u64,
    pub(crate) keys: Vec<String>,
}

pub(crate) struct Device {
    pub(crate) key: SigningKey,
    pub(crate) certificate: Certificate,
    pub(crate) epoch: Epoch,
    pub(crate) entries: Vec<VerifiedEntry>,
    pub(crate) mission: MissionId,
    pub(crate) observer: String,
    pub(crate) wall_ms: i64,
    seeds: u8,
}

impl Device {
    pub(crate) fn new(mission: MissionId, seed: u8, observer: &str, certificate: Certificate) -> Self {
        Self {
            key: key(seed),
            certificate,
            epoch: Epoch::from_bytes([seed; 8]),
            entries: Vec::new(),
            mission,
            observer: observer.into(),
            wall_ms: 1_767_225_600_000,
            seeds: 0,
        }
    }

    pub(crate) fn log(&self) -> LogId {
        LogId::derive(self.key.public().as_bytes(), scope(), self.epoch)
    }

    pub(crate) fn head(&self, seq: usize) -> LogHead {
        LogHead { scope: scope(), epoch: self.epoch, seq: seq as u64, id: self.entries[seq].id() }
    }

    fn actor(&self) -> Actor {
        Actor::derive(self.mission, self.key.public().as_bytes(), scope(), self.epoch)
    }

    fn context(&mut self, photos: Vec<Photo>) -> Context {
        self.wall_ms += 60_000;
        let clock = Clock {
            wall_ms: self.wall_ms,
            uptime_ms: self.wall_ms as u64 - 1_767_000_000_000,
            boot: [3; 8],
            offset_min: 120,
            source: ClockSource::Device,
        };
        Context { clock, place: None, post: Some("Ягодин".into()), observer: self.observer.clone(), photos }
    }

    fn place(&self) -> (u64, Position) {
        match self.entries.last() {
            None => (0, Position::First { certificate: self.certificate.id(), earlier: Vec::new() }),
            Some(last) => (self.entries.len() as u64, Position::Later { prev: last.id() }),
        }
    }

    pub(crate) fn sign(
        &mut self,
        kind: Kind,
        subject: Subject,
        body: Body,
        commitment: Option<Commitment>,
    ) -> VerifiedEntry {
        let (seq, position) = self.place();
        let draft = EntryDraft {
            mission: self.mission,
            scope: scope(),
            epoch: self.epoch,
            seq,
            position,
            kind,
            subject,
            body,
            commitment,
            seen: None,
        };
        let entry = draft.sign(&self.key).unwrap();
        self.entries.push(entry.clone());
        entry
    }

    pub(crate) fn create(&mut self, mission: &Mission, answers: &[(&str, Value<'_>)], photos: Vec<Photo>) -> Made {
        self.write(mission, None, answers, photos, vec![1, 2])
    }

    pub(crate) fn edit(&mut self, mission: &Mission, on: &Made, answers: &[(&str, Value<'_>)]) -> Made {
        self.write(mission, Some(on), answers, Vec::new(), Vec::new())
    }

    fn write(
        &mut self,
        mission: &Mission,
        on: Option<&Made>,
        answers: &[(&str, Value<'_>)],
        photos: Vec<Photo>,
        writers: Vec<u64>,
    ) -> Made {
        let actor = self.actor();
        let basis = match on {
            None => Basis::creation(),
            Some(on) => Basis {
                refs: vec![on.id],
                deps: vec![on.hash],
                seq: if on.actor == actor { on.seq + 1 } else { 1 },
                start_op: on.start_op + on.keys.len() as u64,
            },
        };
        let preds = |key: &str| -> Vec<OpRef> {
            let Some(on) = on else { return Vec::new() };
            let at = on.keys.iter().position(|known| known == key);
            at.map(|at| OpRef { counter: on.start_op + at as u64, actor: on.actor }).into_iter().collect()
        };
        let puts = answers.iter().map(|&(key, value)| Put { key, value, preds: preds(key) }).collect();
        self.seeds += 1;
        let made = compose(actor, [self.seeds; 16], &basis, puts).unwrap();
        let context = self.context(photos);
        let change = Change::decode(&made.chunk, actor).unwrap();
        let keys = change.puts().iter().map(|put| put.key.to_owned()).collect();
        let root = Claims::compute(&LeafTable::new(&mission.form), &change, &context).root();
        let commitment = Commitment { root, form: FormHash::of(&mission.form_bytes) };
        let subject = match on {
            None => Subject::Creates { writers },
            Some(on) => Subject::Of { record: on.record, refs: basis.refs.clone() },
        };
        let body = Body { content: Content::Change(made.chunk.clone()), context };
        let entry = self.sign(Kind::Change, subject, body, Some(commitment));
        Made {
            id: entry.id(),
            record: entry.record(),
            hash: made.hash,
            actor,
            seq: basis.seq,
            start_op: basis.start_op,
            keys,
        }
    }

    pub(crate) fn object(&mut self, to: &Made, text: &str) -> VerifiedEntry {
        self.seeds += 1;
        let content = Content::Role { reason: Some(1), text: Some(text.into()), seed: [self.seeds; 16] };
        let body = Body { content, context: self.context(Vec::new()) };
        self.sign(Kind::Objection, Subject::Of { record: to.record, refs: vec![to.id] }, body, None)
    }
}

pub(crate) fn photo(original: &[u8], thumbnail: &[u8]) -> Photo {
    Photo {
        sha256: BlobHash::of(original),
        bytes: original.len() as u64,
        chunks: chunk_root(original),
        media: Media::Jpeg,
        width: None,
        height: None,
        thumbnail: RenditionOrReason::Rendition(Rendition {
            sha256: BlobHash::of(thumbnail),
            bytes: thumbnail.len() as u64,
            chunks: chunk_root(thumbnail),
            width: 8,
            height: 8,
        }),
        preview: RenditionOrReason::Missing(MissingReason::NotDecodable),
    }
}

/// The files of a bag, without the manifests, which writing makes.
#[derive(Clone, Default)]
pub(crate) struct Bag {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) mission: Option<MissionId>,
    /// Further lines of `bag-info.txt`.
    pub(crate) info: String,
}

impl Bag {
    pub(crate) fn of(mission: &Mission, devices: &[&Device], blobs: &[&[u8]]) -> Self {
        let mut bag = Bag { mission: Some(mission.id()), ..Bag::default() };
        bag.put("data/charter.cbor", mission.charter.as_bytes());
        let hash = FormHash::of(&mission.form_bytes);
        bag.put(&format!("data/forms/{hash}.cbor"), &mission.form_bytes);
        let classes = [
            (Class::Certificate, "certificate"),
            (Class::Cut, "cut"),
            (Class::Erasure, "erasure"),
            (Class::Receipt, "receipt"),
        ];
        for (class, name) in classes {
            for id in mission.roster.ids(class) {
                let bytes = mission.roster.bytes(class, id).unwrap().to_vec();
                bag.put(&format!("data/statements/{name}/{id}.cbor"), &bytes);
            }
        }
        for device in devices {
            bag.put_log(device.log(), &device.entries);
        }
        for blob in blobs {
            bag.put(&format!("data/photos/{}", BlobHash::of(blob)), blob);
        }
        bag
    }

    pub(crate) fn put(&mut self, path: &str, bytes: &[u8]) {
        self.files.insert(path.to_owned(), bytes.to_vec());
    }

    pub(crate) fn put_log(&mut self, log: LogId, entries: &[VerifiedEntry]) {
        self.put(&log_path(log), &entries.iter().flat_map(item).collect::<Vec<u8>>());
    }

    /// Writes the bag as whoever wants to be believed writes it: with manifests that fit.
    pub(crate) fn write(&self, folder: &Path) {
        let mut files = self.files.clone();
        let (bytes, count) = (files.values().map(Vec::len).sum::<usize>(), files.len());
        let mission = self.mission.unwrap();
        let more = &self.info;
        let info =
            format!("Merestone-Bag-Version: 1\nExternal-Identifier: {mission}\nPayload-Oxum: {bytes}.{count}\n{more}");
        let manifest = manifest(&files);
        let tags: BTreeMap<String, Vec<u8>> = [
            ("bag-info.txt".to_owned(), info.into_bytes()),
            ("bagit.txt".to_owned(), b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_vec()),
            ("manifest-sha256.txt".to_owned(), manifest.into_bytes()),
        ]
        .into();
        let tag_manifest = crate::support::manifest(&tags);
        files.extend(tags);
        files.insert("tagmanifest-sha256.txt".into(), tag_manifest.into_bytes());
        for (path, bytes) in files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }

    pub(crate) fn audit(&self, pass: Pass) -> Report {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        let options = Options { pass, threads: 2, ..Options::default() };
        audit_folder(folder.path(), self.mission.unwrap(), &options).unwrap()
    }
}

fn manifest(files: &BTreeMap<String, Vec<u8>>) -> String {
    let line = |(path, bytes): (&String, &Vec<u8>)| {
        let mut hasher = FileHasher::new();
        hasher.update(bytes);
        let digits: String = hasher.finish().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{digits}  {path}\n")
    };
    files.iter().map(line).collect()
}

pub(crate) fn log_path(log: LogId) -> String {
    format!("data/logs/{log}.cborseq")
}

pub(crate) fn item(entry: &VerifiedEntry) -> Vec<u8> {
    raw_item(entry.header_bytes(), entry.body_bytes())
}

pub(crate) fn raw_item(header: &[u8], body: Option<&[u8]>) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(2).bytes(header);
    match body {
        Some(body) => writer.bytes(body),
        None => writer.null(),
    };
    writer.finish()
}

/// A mission at work: two observers on one record, a stolen phone that was cut, a camp's receipt, a photo.
pub(crate) struct Scene {
    pub(crate) mission: Mission,
    pub(crate) anna: Device,
    pub(crate) boris: Device,
    pub(crate) stolen: Device,
    pub(crate) camp: Device,
    pub(crate) records: Vec<Made>,
    pub(crate) original: Vec<u8>,
    pub(crate) thumbnail: Vec<u8>,
}

impl Scene {
    pub(crate) fn play() -> Self {
        let mut mission = Mission::found();
        let mut anna = mission.enrol(1, 30, "Anna", Role::Observer);
        let mut boris = mission.enrol(2, 31, "Борис", Role::Observer);
        let mut stolen = mission.enrol(1, 32, "ليلى", Role::Observer);
        let camp = mission.enrol(3, 40, "Camp", Role::Camp);
        let (original, thumbnail) = (vec![7; 70_000], tiny_jpeg());
        let file = BlobHash::of(&original).to_string();
        let first = anna.create(
            &mission,
            &[
                ("count_best", Value::Int(3)),
                ("note", Value::Text("Hello\nمعبر مفتوح")),
                ("photos/0000000000000001/file", Value::Text(&file)),
                ("source", Value::Text("Example events")),
                ("source_licence", Value::Text("CC BY 4.0")),
            ],
            vec![photo(&original, &thumbnail)],
        );
        let second = anna.create(&mission, &[("note", Value::Text("Second <b>post</b>"))], Vec::new());
        anna.edit(&mission, &first, &[("count_best", Value::Int(4))]);
        let third = anna.create(&mission, &[("post_state", Value::Text("open"))], Vec::new());
        boris.edit(&mission, &first, &[("count_best", Value::Int(5))]);
        boris.object(&second, "It was closed.");
        let fourth = stolen.create(&mission, &[("note", Value::Null)], Vec::new());
        stolen.create(&mission, &[("count_best", Value::Int(0))], Vec::new());
        mission.receipt(&camp, 1, &[&anna, &boris, &stolen]);
        let kept = [stolen.head(1)];
        mission.cut(1, &stolen, &kept);
        Self { mission, anna, boris, stolen, camp, records: vec![first, second, third, fourth], original, thumbnail }
    }

    pub(crate) fn bag(&self) -> Bag {
        Bag::of(&self.mission, &[&self.anna, &self.boris, &self.stolen], &[&self.original, &self.thumbnail])
    }
}

/// Bytes in the place of a rendition; nobody decodes them.
pub(crate) fn tiny_jpeg() -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0];
    bytes.extend([0x11; 60]);
    bytes.extend([0xff, 0xd9]);
    bytes
}

/// The findings of a code.
pub(crate) fn with_code(report: &Report, code: impl Into<Code>) -> Vec<Finding> {
    let code = code.into();
    report.findings().into_iter().filter(|finding| finding.code == code).collect()
}

/// The codes found that are no notes.
pub(crate) fn serious(report: &Report) -> Vec<&'static str> {
    let mut codes: Vec<&str> = report
        .findings()
        .iter()
        .filter(|finding| finding.weight != merestone_audit::Weight::Note)
        .map(|finding| finding.code.as_str())
        .collect();
    codes.dedup();
    codes
}
