//! A small mission for conversations over real QUIC: keys from seeds, stores in temporary folders, entries from core drafts.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "the helpers of a test may unwrap as its tests may")]

#[path = "../../../link/tests/support/relay.rs"]
pub(crate) mod relay;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use merestone_core::change::{Basis, Put, Value, compose};
use merestone_core::entry::{
    Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, Media, MissingReason, Photo, Position,
    Rendition, RenditionOrReason, Subject, VerifiedEntry,
};
use merestone_core::id::{Actor, BlobHash, EntryId, Epoch, FormHash, MissionId, ScopeId, StatementId, StoreId};
use merestone_core::key::SigningKey;
use merestone_core::merkle::chunk_root;
use merestone_core::roster::{
    Certificate, Charter, Class, CompleteCharter, EnrolmentRequest, Ledger, Party, PartyNumber, RequestDraft, Role,
    Scope, SignedCharter,
};
use merestone_link::{LinkLimits, TransportKey};
use merestone_node::replica::{Meet, ReceiptKey, Replica, Serving, Setup, SyncOutcome};
use merestone_store::{Batch, BlobClaim, BlobClass, Identity, StatementClass, Store, StoreKey, Threads};
use tempfile::TempDir;

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

pub(crate) fn scope(n: u8) -> ScopeId {
    ScopeId::from_bytes([n; 8])
}

/// The seed of the ledger's key.
pub(crate) const LEDGER: u8 = 50;

/// A mission of two parties (root keys of seeds 1 and 2) with two scopes; another `nonce`, another mission.
#[derive(Clone)]
pub(crate) struct Mission {
    pub(crate) charter: CompleteCharter,
}

impl Mission {
    pub(crate) fn new(nonce: u8) -> Self {
        Self::witnessed(nonce, |_| Vec::new())
    }

    /// The same with witnesses, of each party the keys of these seeds.
    pub(crate) fn witnessed(nonce: u8, witnesses: impl Fn(u8) -> Vec<u8>) -> Self {
        let party = |number: u8| Party {
            number: PartyNumber(number.into()),
            name: format!("Party {number}"),
            root: *key(number).public(),
            witnesses: witnesses(number).into_iter().map(|seed| *key(seed).public()).collect(),
        };
        let charter = Charter {
            name: "Test mission".into(),
            nonce: [nonce; 16],
            parties: vec![party(1), party(2)],
            scopes: (1..=2).map(|n| Scope { id: scope(n), name: format!("Scope {n}") }).collect(),
            forms: Vec::new(),
            ledger: Some(Ledger { origin: "example.org/ledger".into(), key: *key(LEDGER).public() }),
            quorum: 2,
        };
        let mut signed = SignedCharter::begin(&charter, &key(1)).unwrap();
        signed.sign(&key(2)).unwrap();
        Self { charter: signed.complete().unwrap() }
    }

    pub(crate) fn id(&self) -> MissionId {
        self.charter.mission()
    }

    /// The certificate of the device with this seed, by party 1, for these scopes.
    pub(crate) fn certify(&self, seed: u8, role: Role, scopes: &[ScopeId]) -> Certificate {
        self.certify_by(1, seed, role, scopes)
    }

    pub(crate) fn certify_by(&self, party: u8, seed: u8, role: Role, scopes: &[ScopeId]) -> Certificate {
        let transport = *transport(seed).public().as_bytes();
        let (observer, device) = (format!("Observer {seed}"), format!("Phone {seed}"));
        let draft = RequestDraft {
            mission: self.id(),
            transport,
            observer: &observer,
            device: &device,
            nonce: [seed; 8],
            attestation: None,
            replaces: None,
        };
        let request = EnrolmentRequest::make(&draft, &key(seed)).unwrap();
        Certificate::issue(&self.charter, &key(party), &request, role, scopes).unwrap()
    }
}

/// The transport key of the device with this seed.
pub(crate) fn transport(seed: u8) -> TransportKey {
    TransportKey::from_seed(&[seed.wrapping_add(100); 32])
}

/// Every log with its height and head, and every photo.
pub(crate) type Holding = (Vec<(String, u64, Option<EntryId>)>, Vec<BlobHash>);

/// A device: its folder, its store, its observer's log.
pub(crate) struct Site {
    pub(crate) seed: u8,
    pub(crate) dir: TempDir,
    pub(crate) store: Arc<Store>,
    pub(crate) mission: Mission,
    pub(crate) certificate: Certificate,
    pub(crate) author: Author,
    pub(crate) role: Role,
}

impl Site {
    pub(crate) fn new(mission: &Mission, seed: u8, role: Role) -> Self {
        Self::with_scopes(mission, seed, role, &[scope(1), scope(2)])
    }

    pub(crate) fn with_scopes(mission: &Mission, seed: u8, role: Role, scopes: &[ScopeId]) -> Self {
        Self::on(Threads::Own, mission, seed, role, scopes)
    }

    /// A device whose store works on these threads.
    pub(crate) fn on(threads: Threads, mission: &Mission, seed: u8, role: Role, scopes: &[ScopeId]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let identity = Identity { mission: mission.id(), store: StoreId::from_bytes([seed; 16]) };
        let path = dir.path().join("store");
        let store = Store::create_with(&path, StoreKey::from_bytes([0; 32]), identity, threads).unwrap();
        let certificate = mission.certify(seed, role, scopes);
        let mut batch = Batch::new();
        batch.statement(StatementClass::Charter, None, mission.charter.as_bytes().to_vec());
        batch.statement(StatementClass::Certificate, None, certificate.as_bytes().to_vec());
        store.commit(batch).unwrap();
        let author = Author::new(mission, seed, scopes[0], certificate.id());
        Self { seed, dir, store: Arc::new(store), mission: mission.clone(), certificate, author, role }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// A device of role observer or camp that answers with receipts.
    pub(crate) fn replica(&self) -> Replica {
        self.replica_with(LinkLimits::default())
    }

    pub(crate) fn replica_with(&self, limits: LinkLimits) -> Replica {
        Replica::open(self.setup().limits(limits))
    }

    pub(crate) fn setup(&self) -> Setup {
        let setup = Setup::new(Arc::clone(&self.store), transport(self.seed)).unwrap();
        match self.role {
            Role::Auditor => setup,
            _ => setup.receipts(self.receipt_key()),
        }
    }

    pub(crate) fn receipt_key(&self) -> ReceiptKey {
        ReceiptKey::new(Arc::new(key(self.seed)), &self.certificate).unwrap()
    }

    /// Takes up a statement without a conversation.
    pub(crate) fn learn(&self, class: StatementClass, bytes: &[u8]) {
        let mut batch = Batch::new();
        batch.statement(class, None, bytes.to_vec());
        self.store.commit(batch).unwrap();
    }

    /// Writes `records` records of `answers` answers each.
    pub(crate) fn write(&mut self, records: usize, answers: usize) {
        let mut left = records;
        while left > 0 {
            let mut batch = Batch::new();
            for _ in 0..left.min(500) {
                batch.entry(self.author.create(answers, Vec::new()));
            }
            left -= left.min(500);
            self.store.commit(batch).unwrap();
        }
    }

    /// Writes one record with one photo of `bytes` bytes and a thumbnail of 3,000.
    pub(crate) fn photograph(&mut self, bytes: usize) -> BlobHash {
        let seed = self.author.next_seq() as u8 ^ self.seed;
        let (original, thumbnail) = (noise(bytes, seed), noise(3_000, seed ^ 0x55));
        let rendition = Rendition {
            sha256: BlobHash::of(&thumbnail),
            bytes: thumbnail.len() as u64,
            chunks: chunk_root(&thumbnail),
            width: 320,
            height: 240,
        };
        let photo = Photo {
            sha256: BlobHash::of(&original),
            bytes: original.len() as u64,
            chunks: chunk_root(&original),
            media: Media::Jpeg,
            width: None,
            height: None,
            thumbnail: RenditionOrReason::Rendition(rendition),
            preview: RenditionOrReason::Missing(MissingReason::NotDecodable),
        };
        let entry = self.author.create(3, vec![photo]);
        let mut batch = Batch::new();
        for (content, class) in [(&original, BlobClass::Original), (&thumbnail, BlobClass::Thumbnail)] {
            let claim =
                BlobClaim { hash: BlobHash::of(content), bytes: content.len() as u64, chunks: chunk_root(content) };
            batch.blob_name(entry.id(), claim, class).blob(self.store.write_blob(content.as_slice()).unwrap());
        }
        batch.entry(entry);
        self.store.commit(batch).unwrap();
        BlobHash::of(&original)
    }

    /// Everything that two stores have in common when they hold the same.
    pub(crate) fn holding(&self) -> Holding {
        let tips = self.store.tips(None, None).unwrap();
        let tips = tips.iter().map(|tip| (tip.log.to_string(), tip.height, tip.head)).collect();
        (tips, self.store.whole_blobs(None).unwrap())
    }

    /// The certificates of receipts held here.
    pub(crate) fn receipts_from(&self, replica: &Replica) -> Vec<StoreId> {
        let roster = replica.authority().roster();
        let mut stores: Vec<StoreId> = roster.receipts().map(|receipt| receipt.store()).collect();
        stores.sort_unstable();
        stores.dedup();
        stores
    }
}

/// Bytes that do not compress.
pub(crate) fn noise(len: usize, seed: u8) -> Vec<u8> {
    let mut state = u64::from(seed) * 2 + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// One log of one key.
pub(crate) struct Author {
    key: SigningKey,
    mission: MissionId,
    scope: ScopeId,
    epoch: Epoch,
    certificate: StatementId,
    pub(crate) last: Option<(u64, EntryId)>,
    seed: u8,
}

impl Author {
    pub(crate) fn new(mission: &Mission, seed: u8, scope: ScopeId, certificate: StatementId) -> Self {
        let epoch = Epoch::from_bytes([seed; 8]);
        Self { key: key(seed), mission: mission.id(), scope, epoch, certificate, last: None, seed }
    }

    /// From now on in another epoch.
    pub(crate) fn renew(&mut self, epoch: [u8; 8]) {
        (self.epoch, self.last) = (Epoch::from_bytes(epoch), None);
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.last.map_or(0, |(seq, _)| seq + 1)
    }

    /// Creates a record with this many answers.
    pub(crate) fn create(&mut self, answers: usize, photos: Vec<Photo>) -> VerifiedEntry {
        let seq = self.next_seq();
        let actor = Actor::derive(self.mission, self.key.public().as_bytes(), self.scope, self.epoch);
        let names: Vec<String> = (0..answers.max(1)).map(|n| format!("question_{n:02}")).collect();
        let puts = (0_i64..).zip(&names).map(|(n, name)| {
            let value = match n % 3 {
                0 => Value::Int(n * 7 + seq as i64),
                1 => Value::Text(["open", "closed", "unknown", "not seen"][(n as usize + seq as usize) % 4]),
                _ => Value::Bool((n + seq as i64) % 2 == 0),
            };
            Put { key: name, value, preds: Vec::new() }
        });
        let mut change_seed = [self.seed; 16];
        change_seed[..8].copy_from_slice(&seq.to_be_bytes());
        let random: Vec<u8> = merestone_core::id::sha256(&[&change_seed]).to_vec();
        let change_seed: [u8; 16] = random[..16].try_into().unwrap();
        let composed = compose(actor, change_seed, &Basis::creation(), puts.collect()).unwrap();
        self.sign(Kind::Change, Subject::Creates { writers: Vec::new() }, Content::Change(composed.chunk), photos)
    }

    /// Says something about another entry's record, in an entry of this kind.
    pub(crate) fn say(&mut self, kind: Kind, about: &VerifiedEntry) -> VerifiedEntry {
        let subject = Subject::Of { record: about.record(), refs: vec![about.id()] };
        let content = Content::Role { reason: None, text: Some("in words".into()), seed: [self.seed; 16] };
        self.sign(kind, subject, content, Vec::new())
    }

    fn sign(&mut self, kind: Kind, subject: Subject, content: Content, photos: Vec<Photo>) -> VerifiedEntry {
        let (seq, position) = match self.last {
            None => (0, Position::First { certificate: self.certificate, earlier: Vec::new() }),
            Some((seq, prev)) => (seq + 1, Position::Later { prev }),
        };
        let wall_ms = 1_764_576_000_000 + seq as i64 * 60_000;
        let clock =
            Clock { wall_ms, uptime_ms: seq * 60_000, boot: [9; 8], offset_min: 120, source: ClockSource::Device };
        let observer = format!("Observer {}", self.seed);
        let context = Context { clock, place: None, post: None, observer, photos };
        let is_change = kind == Kind::Change;
        let draft = EntryDraft {
            mission: self.mission,
            scope: self.scope,
            epoch: self.epoch,
            seq,
            position,
            kind,
            subject,
            body: Body { content, context },
            commitment: is_change.then_some(Commitment {
                root: merestone_core::id::sha256(&[&seq.to_be_bytes()]),
                form: FormHash::from_bytes([3; 32]),
            }),
            seen: None,
        };
        let entry = draft.sign(&self.key).unwrap();
        self.last = Some((seq, entry.id()));
        entry
    }
}

pub(crate) const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A replica that answers on the loopback interface.
pub(crate) fn serve(replica: &Replica) -> Serving {
    replica.serve(replica.bind(HERE).unwrap()).unwrap()
}

pub(crate) fn meet(serving: &Serving, replica: &Replica) -> Meet {
    Meet::new(serving.address(), replica.transport_key())
}

/// One conversation, to its end.
pub(crate) async fn sync(caller: &Replica, answerer: &Replica) -> SyncOutcome {
    let serving = serve(answerer);
    let outcome = within(caller.sync_with(meet(&serving, answerer)).outcome()).await.unwrap();
    within(serving.stop()).await;
    outcome
}

/// A link that dies by itself once the caller has sent this many bytes over it.
pub(crate) struct ShortLink {
    pub(crate) address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl ShortLink {
    pub(crate) async fn to(target: SocketAddr, bytes: usize) -> Self {
        let relay = relay::Relay::to(target).await.unwrap();
        let (front, back) =
            (tokio::net::UdpSocket::bind(HERE).await.unwrap(), tokio::net::UdpSocket::bind(HERE).await.unwrap());
        back.connect(relay.address()).await.unwrap();
        let address = front.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let (mut left, mut caller) = (bytes, None);
            let (mut out, mut answer) = (vec![0; 65_536], vec![0; 65_536]);
            loop {
                tokio::select! {
                    Ok((len, from)) = front.recv_from(&mut out) => {
                        caller = Some(from);
                        left = left.saturating_sub(len);
                        if left == 0 {
                            relay.cut();
                        }
                        let _ = back.send(&out[..len]).await;
                    }
                    Ok(len) = back.recv(&mut answer) => {
                        if let Some(caller) = caller {
                            let _ = front.send_to(&answer[..len], caller).await;
                        }
                    }
                }
            }
        });
        Self { address, task }
    }
}

impl Drop for ShortLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A test that waits for something that never comes fails instead of hanging.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), future).await.expect("within two minutes")
}

/// Limits under which a cut link is lost soon.
pub(crate) fn impatient() -> LinkLimits {
    let (idle, keep_alive) = (Duration::from_millis(600), Duration::from_millis(100));
    LinkLimits { idle, keep_alive, handshake: Duration::from_secs(2), ..LinkLimits::default() }
}

pub(crate) fn admit(site: &Site, class: Class, bytes: &[u8]) {
    let stored = match class {
        Class::Certificate => StatementClass::Certificate,
        Class::Cut => StatementClass::Cut,
        _ => panic!("not needed here"),
    };
    site.learn(stored, bytes);
}
