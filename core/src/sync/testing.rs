//! Two sessions joined in memory, each with a host in memory that does what a device does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::frame::{BlobClass, Frame, LogTip, SIBLINGS_MAX, StatementClass, Wants};
use super::io::{
    Action, Admission, BlobState, Census, Class, Commit, Committed, HeldAt, Input, Loaded, LocalChange, Part, Request,
    Span, StoredEntry, WantedBlob,
};
use super::{
    Close, CloseCode, CutKey, Limits, LocalState, LocalTip, Report, RestState, Session, SessionConfig, blobs_digest,
    branches_digest,
};
use crate::check::{Check, Refused};
use crate::entry::{
    Body, Clock, ClockSource, Commitment, Content, Context, EntryDraft, Kind, Media, MissingReason, Photo, Position,
    Rendition, RenditionOrReason, Subject, VerifiedEntry,
};
use crate::id::{BlobHash, EntryId, Epoch, FormHash, LogId, ScopeId, StatementId, StoreId};
use crate::key::{KeyCache, SigningKey};
use crate::merkle::{CHUNK_BYTES, NodeHash, chunk_hashes, chunk_root};
use crate::receipt::{LogHeld, Receipt, ReceiptDraft};
use crate::record::testing::{certificate, charter, key, roster, scope};
use crate::roster::{Certificate, Role, Roster};

/// One device: a key, a roster, entries and blobs.
pub(super) struct Host {
    pub(super) seed: u8,
    pub(super) store: StoreId,
    pub(super) certificate: Option<Certificate>,
    pub(super) roster: Roster,
    pub(super) logs: BTreeMap<LogId, Log>,
    pub(super) blobs: BTreeMap<BlobHash, Vec<u8>>,
    pub(super) partial: BTreeMap<BlobHash, BTreeMap<usize, Vec<u8>>>,
    pub(super) named: BTreeMap<BlobHash, Named>,
    counter: u64,
    last_receipt: Option<Vec<u8>>,
    keys: KeyCache,
    pub(super) reports: Vec<Report>,
    pub(super) closed: Option<Close>,
    /// Refuse entries of keys that no certificate names, as a host must.
    pub(super) is_strict: bool,
    pub(super) commits: usize,
}

#[derive(Clone, Default)]
pub(super) struct Log {
    scope: Option<ScopeId>,
    pub(super) at: BTreeMap<u64, BTreeMap<EntryId, Held>>,
}

#[derive(Clone)]
pub(super) struct Held {
    prev: Option<EntryId>,
    header: Vec<u8>,
    body: Option<Vec<u8>>,
}

#[derive(Clone, Copy)]
pub(super) struct Named {
    class: BlobClass,
    bytes: u64,
    root: NodeHash,
    scope: ScopeId,
}

pub(super) const EPOCH: Epoch = Epoch::from_bytes([1; 8]);

impl Host {
    /// A phone of the observer with this key, certified by party 1.
    pub(super) fn new(seed: u8) -> Self {
        let own = certificate(1, seed, Role::Observer);
        let roster = roster(std::slice::from_ref(&own));
        Self {
            seed,
            store: StoreId::from_bytes([seed; 16]),
            certificate: Some(own),
            roster,
            logs: BTreeMap::new(),
            blobs: BTreeMap::new(),
            partial: BTreeMap::new(),
            named: BTreeMap::new(),
            counter: 0,
            last_receipt: None,
            keys: KeyCache::new(),
            reports: Vec::new(),
            closed: None,
            is_strict: true,
            commits: 0,
        }
    }

    pub(super) fn config(&self, peer: u8) -> SessionConfig {
        SessionConfig {
            mission: charter().mission(),
            charter: Some(charter()),
            certificate: self.certificate.clone(),
            store: self.store,
            peer_transport: [peer; 32],
            wants: Wants::EVERYTHING,
            stay: false,
            limits: Limits::default(),
        }
    }

    pub(super) fn local(&self) -> LocalState {
        let digest = |class: StatementClass| Some((class, self.roster.digest(class)?));
        let cuts = self.roster.cuts().map(|cut| CutKey { key: *cut.key(), party: cut.party(), statement: cut.id() });
        LocalState {
            statements: StatementClass::ALL.into_iter().filter_map(digest).collect(),
            tips: self.logs.keys().filter_map(|log| self.tip(*log)).collect(),
            cuts: cuts.collect(),
        }
    }

    pub(super) fn session(&self, peer: u8) -> Session {
        Session::new(self.config(peer), self.local())
    }

    /// Signs and keeps `count` entries on top of the main branch of the log of `author` in scope 1.
    pub(super) fn write(&mut self, author: u8, count: u64) -> Vec<VerifiedEntry> {
        (0..count).map(|_| self.write_one(author, scope(1), EPOCH, Vec::new())).collect()
    }

    pub(super) fn write_one(
        &mut self,
        author: u8,
        scope: ScopeId,
        epoch: Epoch,
        files: Vec<[Vec<u8>; 3]>,
    ) -> VerifiedEntry {
        let signer = key(author);
        let log = LogId::derive(signer.public().as_bytes(), scope, epoch);
        let main = self.logs.get(&log).map(Log::main).unwrap_or_default();
        let entry = entry(&signer, scope, epoch, &main, self.seed, &files);
        for file in files.into_iter().flatten().filter(|file| !file.is_empty()) {
            self.blobs.insert(BlobHash::of(&file), file);
        }
        self.keep(&entry);
        entry
    }

    /// Signs and keeps entries whose bodies are near the limit and do not compress.
    pub(super) fn write_large(&mut self, author: u8, epoch: Epoch, count: u64) {
        for _ in 0..count {
            let signer = key(author);
            let log = LogId::derive(signer.public().as_bytes(), scope(1), epoch);
            let main = self.logs.get(&log).map(Log::main).unwrap_or_default();
            let mut state = u64::from_be_bytes(*epoch.as_bytes()) + 77 * main.len() as u64 + 1;
            let noise = (0..380_000).map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            });
            let entry = entry_of(&signer, scope(1), epoch, &main, self.seed, &[], noise.collect());
            self.keep(&entry);
        }
    }

    pub(super) fn keep(&mut self, entry: &VerifiedEntry) -> bool {
        let log = self.logs.entry(entry.log()).or_default();
        log.scope = Some(entry.header().scope);
        let prev = match entry.header().position {
            Position::First { .. } => None,
            Position::Later { prev } => Some(prev),
        };
        let body = entry.body_bytes().map(<[u8]>::to_vec);
        let siblings = log.at.entry(entry.header().seq).or_default();
        siblings.insert(entry.id(), Held { prev, header: entry.header_bytes().to_vec(), body });
        while siblings.len() > SIBLINGS_MAX {
            siblings.pop_last();
        }
        let before = self.named.len();
        if let Ok(Some(body)) = entry.body() {
            for photo in &body.context.photos {
                self.name(photo, entry.header().scope);
            }
        }
        self.named.len() > before
    }

    fn name(&mut self, photo: &Photo, scope: ScopeId) {
        let mut name = |hash, class, bytes, root| self.named.insert(hash, Named { class, bytes, root, scope });
        name(photo.sha256, BlobClass::Original, photo.bytes, photo.chunks);
        for (rendition, class) in [(&photo.thumbnail, BlobClass::Thumbnail), (&photo.preview, BlobClass::Preview)] {
            if let RenditionOrReason::Rendition(Rendition { sha256, bytes, chunks, .. }) = rendition {
                name(*sha256, class, *bytes, *chunks);
            }
        }
    }

    pub(super) fn tip(&self, id: LogId) -> Option<LocalTip> {
        let log = self.logs.get(&id)?;
        let main = log.main();
        let on_main: BTreeSet<_> = main.iter().collect();
        let is_forked = log.at.values().any(|siblings| siblings.len() > 1);
        let mut off: Vec<_> =
            log.at.values().flat_map(BTreeMap::keys).filter(|id| !on_main.contains(id)).copied().collect();
        off.sort_unstable();
        let branches = is_forked.then(|| branches_digest(&off));
        let tip = LogTip { log: id, height: main.len() as u64, head: *main.last()?, branches };
        Some(LocalTip { tip, scope: log.scope?, urgency: 0 })
    }

    /// Everything that two devices have in common after they synced.
    pub(super) fn contents(&self) -> (BTreeSet<EntryId>, BTreeSet<BlobHash>, Vec<StatementId>) {
        let entries = self.logs.values().flat_map(|log| log.at.values()).flat_map(BTreeMap::keys).copied().collect();
        let statements = StatementClass::ALL.into_iter().flat_map(|class| self.roster.ids(class)).collect();
        (entries, self.blobs.keys().copied().collect(), statements)
    }

    pub(super) fn rest(&self) -> Option<RestState> {
        let rest = |report: &Report| if let Report::Rest(state) = report { Some(*state) } else { None };
        self.reports.iter().rev().find_map(rest)
    }

    /// Does one action; the answer, if it has one.
    pub(super) fn act(&mut self, action: Action) -> Option<Input> {
        match action {
            Action::Load { token, request } => Some(Input::Loaded { token, loaded: self.load(request) }),
            Action::Verify { token, batch } => Some(Input::Verified { token, batch: batch.verify(&mut self.keys) }),
            Action::Admit { token, class, statements } => {
                Some(Input::Admitted { token, admission: Some(self.admit(class, &statements)) })
            }
            Action::Commit { token, commit } => {
                self.commits += 1;
                Some(Input::Committed { token, committed: self.commit(commit) })
            }
            Action::SignReceipt { token } => Some(Input::ReceiptSigned { token, receipt: self.sign_receipt() }),
            Action::Report(report) => {
                self.reports.push(report);
                None
            }
            Action::Close(close) => {
                self.closed = Some(close);
                None
            }
        }
    }

    fn load(&mut self, request: Request) -> Loaded {
        match request {
            Request::StatementIds(class) => Loaded::StatementIds(self.roster.ids(class)),
            Request::Statements { class, ids, bytes_max: _ } => {
                // One at a time, the least that a host may give.
                Loaded::Statements(
                    ids.first().map(|id| self.roster.bytes(class, *id).map(<[u8]>::to_vec)).into_iter().collect(),
                )
            }
            Request::Enrolment { transport } => {
                let names = |certificate: &&Certificate| *certificate.request().transport() == transport;
                let certificates = self.roster.certificates().filter(names).map(|c| c.as_bytes().to_vec()).collect();
                Loaded::Enrolment { charter: Some(charter().as_bytes().to_vec()), certificates }
            }
            Request::Ids(logs) => Loaded::Ids(logs.into_iter().map(|(log, seqs)| self.ids(log, &seqs)).collect()),
            Request::Branches { log, from, positions_max } => {
                let log = &self.logs[&log];
                let main = log.main();
                let is_off = |seq: u64, id: &EntryId| main.get(seq as usize) != Some(id);
                let all = log.at.range(from..).flat_map(|(seq, ids)| ids.keys().map(|id| (*seq, *id)));
                let mut entries: Vec<_> = all.filter(|(seq, id)| is_off(*seq, id)).collect();
                let next = entries.get(positions_max).map(|(seq, _)| *seq);
                entries.retain(|(seq, _)| next.is_none_or(|next| *seq < next));
                Loaded::Branches { entries, next }
            }
            Request::Entries { spans, entries_max, bytes_max: _ } => self.entries(spans, entries_max),
            Request::Wanted { class, scopes, after, blobs_max } => {
                let is_wanted = |(hash, named): &(&BlobHash, &Named)| {
                    named.class == class && scopes.contains(&named.scope) && !self.blobs.contains_key(hash)
                };
                let above = self.named.iter().filter(|(hash, _)| after.is_none_or(|after| **hash > after));
                let wanted = above.filter(is_wanted).take(blobs_max).map(|(hash, named)| WantedBlob {
                    hash: *hash,
                    bytes: named.bytes,
                    root: named.root,
                    have: self.have(hash, named.bytes),
                });
                Loaded::Wanted(wanted.collect())
            }
            Request::ChunkHashes { hash, scopes } => {
                let is_for_peer = self.named.get(&hash).is_some_and(|named| scopes.contains(&named.scope));
                let file = self.blobs.get(&hash).filter(|_| is_for_peer);
                Loaded::ChunkHashes(file.map(|file| chunk_hashes(file)))
            }
            Request::Chunk { hash, index } => {
                let file = self.blobs.get(&hash);
                Loaded::Chunk(file.and_then(|file| file.chunks(CHUNK_BYTES).nth(index as usize)).map(<[u8]>::to_vec))
            }
            Request::Census { scopes, classes } => {
                let counts =
                    |(_, named): &(&BlobHash, &Named)| scopes.contains(&named.scope) && classes.contains(&named.class);
                let (held, missing): (Vec<BlobHash>, Vec<BlobHash>) = self
                    .named
                    .iter()
                    .filter(counts)
                    .map(|(hash, _)| *hash)
                    .partition(|hash| self.blobs.contains_key(hash));
                Loaded::Census(Census { digest: blobs_digest(&held), missing: missing.len() as u64 })
            }
        }
    }

    fn ids(&self, log: LogId, seqs: &[u64]) -> Vec<HeldAt> {
        let log = &self.logs[&log];
        let main = log.main();
        let all = |seq: &u64| log.at.get(seq).map(|ids| ids.keys().copied().collect()).unwrap_or_default();
        seqs.iter().map(|seq| HeldAt { main: main.get(*seq as usize).copied(), all: all(seq) }).collect()
    }

    fn entries(&self, mut spans: Vec<Span>, entries_max: usize) -> Loaded {
        let mut entries = Vec::new();
        while let Some(Span { log: id, from, until, part }) = spans.first().copied() {
            let log = &self.logs[&id];
            let main = log.main();
            for (seq, siblings) in log.at.range(from..until) {
                if entries.len() >= entries_max {
                    spans[0].from = *seq;
                    return Loaded::Entries { entries, rest: spans };
                }
                for (entry, held) in siblings {
                    let is_main = main.get(*seq as usize) == Some(entry);
                    if part == Part::Both || is_main == (part == Part::Main) {
                        entries.push(StoredEntry { log: id, header: held.header.clone(), body: held.body.clone() });
                    }
                }
            }
            spans.remove(0);
        }
        Loaded::Entries { entries, rest: Vec::new() }
    }

    fn have(&self, hash: &BlobHash, bytes: u64) -> Vec<u8> {
        let Some(chunks) = self.partial.get(hash) else { return Vec::new() };
        let mut bits = vec![0; (bytes as usize).div_ceil(CHUNK_BYTES).div_ceil(8)];
        chunks.keys().for_each(|at| bits[at / 8] |= 0x80 >> (at % 8));
        bits
    }

    fn admit(&mut self, class: StatementClass, statements: &[Vec<u8>]) -> Admission {
        let mut admission = Admission::default();
        let cuts_before: BTreeSet<_> = self.roster.cuts().map(|cut| cut.id()).collect();
        for statement in statements {
            if let Err(refused) = self.roster.admit(class, statement) {
                admission.refused.push((StatementId::of(statement), refused));
            }
        }
        let new = self.roster.cuts().filter(|cut| !cuts_before.contains(&cut.id()));
        admission.cuts = new.map(|cut| CutKey { key: *cut.key(), party: cut.party(), statement: cut.id() }).collect();
        admission
    }

    fn commit(&mut self, commit: Commit) -> Committed {
        match commit {
            Commit::Entries(entries) => {
                let is_known =
                    |entry: &VerifiedEntry| self.roster.certificates_of(entry.key().as_bytes()).next().is_some();
                if self.is_strict && !entries.iter().all(is_known) {
                    return Committed::EntriesRefused(Refused { check: Check::KeyNotInRoster, what: "key" });
                }
                let wants_blobs = entries.iter().fold(false, |wants, entry| self.keep(entry) | wants);
                let logs: BTreeSet<_> = entries.iter().map(VerifiedEntry::log).collect();
                Committed::Entries { tips: logs.into_iter().filter_map(|log| self.tip(log)).collect(), wants_blobs }
            }
            Commit::ChunkHashes { .. } => Committed::ChunkHashes,
            Commit::Chunk { hash, index, bytes } => {
                let chunks = self.partial.entry(hash).or_default();
                chunks.insert(index as usize, bytes);
                let file: Vec<u8> = chunks.values().flatten().copied().collect();
                if file.len() as u64 != self.named[&hash].bytes {
                    return Committed::Chunk(BlobState::Partial);
                }
                self.partial.remove(&hash);
                if BlobHash::of(&file) != hash {
                    return Committed::Chunk(BlobState::Damaged);
                }
                self.blobs.insert(hash, file);
                Committed::Chunk(BlobState::Whole)
            }
        }
    }

    fn sign_receipt(&mut self) -> Option<Vec<u8>> {
        let held = |log: &LogId| {
            let tip = self.tip(*log)?.tip;
            Some(LogHeld { log: *log, height: tip.height, head: tip.head, missing: 0 })
        };
        let draft = ReceiptDraft {
            store: self.store,
            counter: 0,
            logs: self.logs.keys().filter_map(held).collect(),
            blobs: self.blobs.keys().copied().collect(),
            certificate: self.certificate.as_ref()?.id(),
        };
        let state = format!("{draft:?}").into_bytes();
        if self.last_receipt.replace(state.clone()) == Some(state) {
            return None;
        }
        self.counter += 1;
        let receipt =
            Receipt::make(&self.roster, &key(self.seed), ReceiptDraft { counter: self.counter, ..draft }).ok()?;
        self.roster.admit(StatementClass::Receipt, receipt.as_bytes()).ok()?;
        Some(receipt.as_bytes().to_vec())
    }
}

impl Log {
    /// The contiguous main branch: the lowest id at each position that follows what is before.
    pub(super) fn main(&self) -> Vec<EntryId> {
        let mut main: Vec<EntryId> = Vec::new();
        while let Some(siblings) = self.at.get(&(main.len() as u64)) {
            let Some((id, _)) = siblings.iter().find(|(_, held)| held.prev == main.last().copied()) else { break };
            main.push(*id);
        }
        main
    }
}

/// A signed entry after the last of `chain`; `salt` makes two devices with one key write different ones.
pub(super) fn entry(
    signer: &SigningKey,
    scope: ScopeId,
    epoch: Epoch,
    chain: &[EntryId],
    salt: u8,
    files: &[[Vec<u8>; 3]],
) -> VerifiedEntry {
    let text = format!("{} {salt} {}", chain.len(), "field ".repeat(20));
    entry_of(signer, scope, epoch, chain, salt, files, text.into_bytes())
}

fn entry_of(
    signer: &SigningKey,
    scope: ScopeId,
    epoch: Epoch,
    chain: &[EntryId],
    salt: u8,
    files: &[[Vec<u8>; 3]],
    content: Vec<u8>,
) -> VerifiedEntry {
    let position = match chain.last() {
        Some(prev) => Position::Later { prev: *prev },
        None => Position::First { certificate: StatementId::from_bytes([6; 32]), earlier: Vec::new() },
    };
    let seq = chain.len() as u64;
    let clock = Clock { wall_ms: 1, uptime_ms: seq, boot: [salt; 8], offset_min: 0, source: ClockSource::Device };
    let photos = files.iter().map(photo).collect();
    let context = Context { clock, place: None, post: None, observer: "O. Kovalenko".into(), photos };
    let draft = EntryDraft {
        mission: charter().mission(),
        scope,
        epoch,
        seq,
        position,
        kind: Kind::Change,
        subject: Subject::Creates { writers: Vec::new() },
        body: Body { content: Content::Change(content), context },
        commitment: Some(Commitment { root: [10; 32], form: FormHash::from_bytes([11; 32]) }),
        seen: None,
    };
    draft.sign(signer).expect("a good draft")
}

/// The photo of three files: thumbnail, preview, original. An empty preview was not made.
fn photo([thumbnail, preview, original]: &[Vec<u8>; 3]) -> Photo {
    let rendition = |file: &Vec<u8>| match file.len() {
        0 => RenditionOrReason::Missing(MissingReason::NotDecodable),
        bytes => RenditionOrReason::Rendition(Rendition {
            sha256: BlobHash::of(file),
            bytes: bytes as u64,
            chunks: chunk_root(file),
            width: 1,
            height: 1,
        }),
    };
    Photo {
        sha256: BlobHash::of(original),
        bytes: original.len() as u64,
        chunks: chunk_root(original),
        media: Media::Jpeg,
        width: None,
        height: None,
        thumbnail: rendition(thumbnail),
        preview: rendition(preview),
    }
}

/// A file of `bytes` bytes that no other file begins like.
pub(super) fn file(name: u8, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| if at == 0 { name } else { (at * 31 + at / 251) as u8 }).collect()
}

/// A link between two sessions.
pub(super) struct Link {
    pub(super) sessions: [Session; 2],
    /// What is on its way to each.
    wires: [BTreeMap<Class, VecDeque<Vec<u8>>>; 2],
    /// Answers that the host owes.
    answers: [Vec<Input>; 2],
    /// Frames carried, and their bytes.
    pub(super) frames: usize,
    pub(super) bytes: usize,
    /// The link breaks before this frame.
    pub(super) cut_at: Option<usize>,
    /// Most frames that wait on a wire: a slow peer.
    pub(super) window: usize,
    /// The second side acknowledges nothing: its control frames after the greeting are lost.
    pub(super) is_mute: bool,
    pub(super) entry_frames: usize,
    /// What happens to the frames of the first side on their way.
    pub(super) tamper: Option<fn(Class, &mut Vec<u8>)>,
    chance: u64,
    is_shuffled: bool,
}

impl Link {
    pub(super) fn new(a: Session, b: Session) -> Self {
        Self {
            sessions: [a, b],
            wires: Default::default(),
            answers: Default::default(),
            frames: 0,
            bytes: 0,
            cut_at: None,
            window: 4,
            is_mute: false,
            entry_frames: 0,
            tamper: None,
            chance: 0,
            is_shuffled: false,
        }
    }

    /// Lets answers of the hosts and frames of different classes come in an order that `seed` decides.
    pub(super) fn shuffled(mut self, seed: u64) -> Self {
        (self.chance, self.is_shuffled) = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, true);
        self
    }

    /// Goes on until nothing moves, or both are closed, or the link is cut.
    pub(super) fn run(&mut self, hosts: &mut [Host; 2]) {
        for round in 0.. {
            assert!(round < 1_000_000, "it does not end");
            let mut moves = false;
            for (side, host) in hosts.iter_mut().enumerate() {
                moves |= self.act(side, host);
                moves |= self.send(side);
            }
            for side in 0..2 {
                moves |= self.deliver(side);
                if self.is_cut() {
                    return;
                }
            }
            if !moves {
                return;
            }
        }
    }

    fn is_cut(&self) -> bool {
        self.cut_at.is_some_and(|at| self.frames >= at)
    }

    fn act(&mut self, side: usize, host: &mut Host) -> bool {
        let mut moves = false;
        while let Some(action) = self.sessions[side].poll() {
            self.answers[side].extend(host.act(action));
            moves = true;
        }
        while !self.answers[side].is_empty() {
            let at = if self.is_shuffled { self.chance(self.answers[side].len()) } else { 0 };
            let answer = self.answers[side].remove(at);
            self.sessions[side].handle(answer);
            moves = true;
            if self.is_shuffled {
                break;
            }
        }
        moves
    }

    fn send(&mut self, side: usize) -> bool {
        let mut moves = false;
        for class in Class::ALL {
            while self.wires[1 - side].get(&class).is_none_or(|wire| wire.len() < self.window)
                && let Some(mut frame) = self.sessions[side].poll_send(class)
            {
                if let Some(tamper) = self.tamper.filter(|_| side == 0) {
                    tamper(class, &mut frame);
                }
                assert!(frame.len() <= class.frame_bytes_max());
                self.entry_frames += usize::from(class == Class::Entries);
                let is_kept = || matches!(Frame::decode(&frame), Ok(Frame::Kept(_)));
                if self.is_mute && class == Class::Control && is_kept() {
                    continue;
                }
                self.wires[1 - side].entry(class).or_default().push_back(frame);
                moves = true;
            }
        }
        moves
    }

    fn deliver(&mut self, side: usize) -> bool {
        if !self.sessions[side].is_receiving() {
            return false;
        }
        let ready: Vec<_> =
            self.wires[side].iter().filter(|(_, wire)| !wire.is_empty()).map(|(class, _)| *class).collect();
        if ready.is_empty() || self.is_cut() {
            return false;
        }
        let class = ready[if self.is_shuffled { self.chance(ready.len()) } else { 0 }];
        let frame = self.wires[side].get_mut(&class).and_then(VecDeque::pop_front).expect("it is not empty");
        self.frames += 1;
        self.bytes += frame.len();
        self.sessions[side].handle(Input::Frame(class, frame));
        true
    }

    fn chance(&mut self, below: usize) -> usize {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        (self.chance % below as u64) as usize
    }
}

/// Syncs two hosts until both part.
pub(super) fn sync(hosts: &mut [Host; 2]) -> Link {
    let mut link = join(hosts);
    link.run(hosts);
    link
}

pub(super) fn join(hosts: &mut [Host; 2]) -> Link {
    for host in hosts.iter_mut() {
        (host.closed, host.reports) = (None, Vec::new());
    }
    Link::new(hosts[0].session(hosts[1].seed), hosts[1].session(hosts[0].seed))
}

/// Two hosts that hold the same, and know it.
pub(super) fn assert_synced(hosts: &[Host; 2]) {
    let [a, b] = hosts;
    let code = |host: &Host| host.closed.map(|close| close.code);
    assert!(code(a) == Some(CloseCode::Bye) || code(b) == Some(CloseCode::Bye), "{:?} {:?}", a.closed, b.closed);
    let ((a_entries, a_blobs, a_statements), (b_entries, b_blobs, b_statements)) = (a.contents(), b.contents());
    assert_eq!(a_entries, b_entries);
    assert_eq!(a_blobs, b_blobs);
    assert_eq!(a_statements, b_statements);
    for host in hosts {
        assert!(host.rest().is_some_and(|rest| rest.is_fully_synced), "{:?} {:?}", host.seed, host.rest());
    }
}

/// What a session does with frames sent by hand, answered by a host.
pub(super) struct Alone {
    pub(super) session: Session,
    pub(super) host: Host,
}

impl Alone {
    pub(super) fn new(host: Host, peer: u8) -> Self {
        Self { session: host.session(peer), host }
    }

    /// Hands over a frame and does what follows; the close, if there is one.
    pub(super) fn hear(&mut self, class: Class, frame: Vec<u8>) -> Option<Close> {
        self.session.handle(Input::Frame(class, frame));
        self.settle()
    }

    pub(super) fn settle(&mut self) -> Option<Close> {
        while let Some(action) = self.session.poll() {
            if let Some(input) = self.host.act(action) {
                self.session.handle(input);
            }
        }
        self.host.closed
    }

    /// Everything it has to say on control.
    pub(super) fn said(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(bytes) = self.session.poll_send(Class::Control) {
            frames.push(Frame::decode(&bytes).expect("its own frame"));
            self.settle();
        }
        frames
    }
}

pub(super) fn change(host: &Host, log: LogId) -> Input {
    Input::LocalChange(LocalChange { tips: host.tip(log).into_iter().collect(), blobs: true, ..LocalChange::default() })
}
