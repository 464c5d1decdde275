//! A host in memory that does what a device does.

use std::collections::{BTreeMap, BTreeSet};

use super::writing::{entry, entry_of};
use crate::check::{Check, Refused};
use crate::entry::{Photo, Position, Rendition, RenditionOrReason, VerifiedEntry};
use crate::id::{BlobHash, EntryId, Epoch, LogId, ScopeId, StatementId, StoreId};
use crate::key::KeyCache;
use crate::merkle::{CHUNK_BYTES, NodeHash, chunk_hashes, leaf_hash, root as merkle_root};
use crate::receipt::{LeftOut, LogHeld, Receipt, ReceiptDraft};
use crate::record::testing::{certificate, charter, key, roster, scope};
use crate::roster::{Certificate, Role, Roster};
use crate::sync::frame::{BlobClass, LogTip, SIBLINGS_MAX, StatementClass, Wants};
use crate::sync::{
    Action, Admission, Agreement, BlobState, Census, Close, Commit, Committed, CutKey, HeldAt, Input, LastAgreement,
    Limits, Loaded, LocalState, LocalTip, Part, Report, Request, RestState, Session, SessionConfig, Span, StoredEntry,
    Version, WantedBlob, blobs_digest, branches_digest,
};

/// One device: a key, a roster, entries and blobs.
pub(in crate::sync) struct Host {
    pub(in crate::sync) seed: u8,
    pub(in crate::sync) version: Version,
    pub(in crate::sync) store: StoreId,
    pub(in crate::sync) certificate: Option<Certificate>,
    pub(in crate::sync) roster: Roster,
    pub(in crate::sync) logs: BTreeMap<LogId, Log>,
    pub(in crate::sync) blobs: BTreeMap<BlobHash, Vec<u8>>,
    pub(in crate::sync) partial: BTreeMap<(BlobHash, NodeHash), BTreeMap<usize, Vec<u8>>>,
    /// Each blob as entries describe it, each description once.
    pub(in crate::sync) named: BTreeMap<BlobHash, Vec<Named>>,
    counter: u64,
    last_receipt: Option<Vec<u8>>,
    receipt: Option<Vec<u8>>,
    keys: KeyCache,
    pub(in crate::sync) reports: Vec<Report>,
    pub(in crate::sync) closed: Option<Close>,
    /// Refuse entries of keys that no certificate names, as a host must.
    pub(in crate::sync) is_strict: bool,
    pub(in crate::sync) commits: usize,
    /// What was agreed, by the peer's transport key, and all tips as they were then.
    pub(in crate::sync) agreements: BTreeMap<u8, (Agreement, BTreeMap<LogId, LogTip>)>,
    /// With whom it talks.
    peer: std::cell::Cell<u8>,
}

#[derive(Clone, Default)]
pub(in crate::sync) struct Log {
    scope: Option<ScopeId>,
    pub(in crate::sync) at: BTreeMap<u64, BTreeMap<EntryId, Held>>,
}

#[derive(Clone)]
pub(in crate::sync) struct Held {
    prev: Option<EntryId>,
    header: Vec<u8>,
    body: Option<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) struct Named {
    class: BlobClass,
    bytes: u64,
    root: NodeHash,
    scope: ScopeId,
}

thread_local! {
    static VERSION: std::cell::Cell<Version> = const { std::cell::Cell::new(Version::NEWEST) };
}

/// Lets hosts made from here on speak this version.
pub(in crate::sync) fn speak(version: Version) {
    VERSION.set(version);
}

/// Runs a test in each version: two builds agree on the newest that both speak.
pub(in crate::sync) fn in_each_version(test: impl Fn()) {
    for version in Version::ALL {
        speak(version);
        test();
    }
}

pub(in crate::sync) const EPOCH: Epoch = Epoch::from_bytes([1; 8]);

impl Host {
    /// A phone of the observer with this key, certified by party 1.
    pub(in crate::sync) fn new(seed: u8) -> Self {
        let own = certificate(1, seed, Role::Observer);
        let roster = roster(std::slice::from_ref(&own));
        Self {
            seed,
            version: VERSION.get(),
            store: StoreId::from_bytes([seed; 16]),
            certificate: Some(own),
            roster,
            logs: BTreeMap::new(),
            blobs: BTreeMap::new(),
            partial: BTreeMap::new(),
            named: BTreeMap::new(),
            counter: 0,
            last_receipt: None,
            receipt: None,
            keys: KeyCache::new(),
            reports: Vec::new(),
            closed: None,
            is_strict: true,
            commits: 0,
            agreements: BTreeMap::new(),
            peer: std::cell::Cell::new(0),
        }
    }

    pub(in crate::sync) fn config(&self, peer: u8) -> SessionConfig {
        SessionConfig {
            version: self.version,
            mission: charter().mission(),
            charter: Some(charter()),
            certificate: self.certificate.clone(),
            store: self.store,
            peer_transport: [peer; 32],
            calls: true,
            wants: Wants::EVERYTHING,
            stay: false,
            limits: Limits::default(),
        }
    }

    pub(in crate::sync) fn local(&self) -> LocalState {
        let digest = |class: StatementClass| Some((class, self.roster.digest(class)?));
        LocalState {
            statements: StatementClass::ALL.into_iter().filter_map(digest).collect(),
            tips: self.logs.keys().filter_map(|log| self.tip(*log)).collect(),
            cuts: CutKey::all(&self.roster),
            blobs: self.certificate.as_ref().map(|own| self.census(own.scopes(), &BlobClass::ALL)),
            agreement: None,
        }
    }

    fn census(&self, scopes: &[ScopeId], classes: &[BlobClass]) -> Census {
        let counts = |named: &Named| scopes.contains(&named.scope) && classes.contains(&named.class);
        let named = self.named.iter().filter(|(_, named)| named.iter().any(counts)).map(|(hash, _)| *hash);
        let (held, missing): (Vec<BlobHash>, Vec<BlobHash>) = named.partition(|hash| self.blobs.contains_key(hash));
        let missing = missing.len() + self.without_bodies(scopes).count();
        Census { digest: blobs_digest(&held), missing: missing as u64 }
    }

    /// Positions in logs of `scopes` at which an entry is held without its body.
    pub(in crate::sync) fn without_bodies<'a>(
        &'a self,
        scopes: &'a [ScopeId],
    ) -> impl Iterator<Item = (LogId, u64)> + 'a {
        let of_scope = |(_, log): &(&LogId, &Log)| log.scope.is_some_and(|scope| scopes.contains(&scope));
        self.logs.iter().filter(of_scope).flat_map(|(id, log)| {
            let lacks =
                |(_, siblings): &(&u64, &BTreeMap<EntryId, Held>)| siblings.values().any(|held| held.body.is_none());
            log.at.iter().filter(lacks).map(|(seq, _)| (*id, *seq))
        })
    }

    /// Loses the bodies at these positions, as a disk does.
    pub(in crate::sync) fn lose_bodies(&mut self, log: LogId, seqs: impl IntoIterator<Item = u64>) {
        let log = self.logs.get_mut(&log).expect("it is held");
        for seq in seqs {
            log.at.get_mut(&seq).expect("it is held").values_mut().for_each(|held| held.body = None);
        }
    }

    fn tips(&self) -> BTreeMap<LogId, LogTip> {
        self.logs.keys().filter_map(|log| Some((*log, self.tip(*log)?.tip))).collect()
    }

    /// What was agreed with a peer, and what changed since.
    pub(in crate::sync) fn last_agreement(&self, peer: u8) -> Option<LastAgreement> {
        let (agreement, then) = self.agreements.get(&peer)?;
        let now = self.tips();
        let is_changed = |log: &&LogId| then.get(log) != now.get(log);
        let all: BTreeSet<&LogId> = then.keys().chain(now.keys()).collect();
        Some(LastAgreement {
            agreement: agreement.clone(),
            changed: all.into_iter().filter(is_changed).copied().collect(),
        })
    }

    pub(in crate::sync) fn session(&self, peer: u8) -> Session {
        self.peer.set(peer);
        Session::new(self.config(peer), LocalState { agreement: self.last_agreement(peer), ..self.local() })
    }

    /// A session with a peer that called.
    pub(in crate::sync) fn called(&self, peer: u8) -> Session {
        self.peer.set(peer);
        let config = SessionConfig { calls: false, ..self.config(peer) };
        Session::new(config, LocalState { agreement: self.last_agreement(peer), ..self.local() })
    }

    /// Signs and keeps `count` entries on top of the main branch of the log of `author` in scope 1.
    pub(in crate::sync) fn write(&mut self, author: u8, count: u64) -> Vec<VerifiedEntry> {
        (0..count).map(|_| self.write_one(author, scope(1), EPOCH, Vec::new())).collect()
    }

    pub(in crate::sync) fn write_one(
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
    pub(in crate::sync) fn write_large(&mut self, author: u8, epoch: Epoch, count: u64) {
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

    pub(in crate::sync) fn keep(&mut self, entry: &VerifiedEntry) -> bool {
        let log = self.logs.entry(entry.log()).or_default();
        log.scope = Some(entry.header().scope);
        let prev = match entry.header().position {
            Position::First { .. } => None,
            Position::Later { prev } => Some(prev),
        };
        let body = entry.body_bytes().map(<[u8]>::to_vec);
        let siblings = log.at.entry(entry.header().seq).or_default();
        let body = body.or_else(|| siblings.get(&entry.id())?.body.clone());
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
        let mut name = |hash, class, bytes, root| self.describe(hash, class, bytes, root, scope);
        name(photo.sha256, BlobClass::Original, photo.bytes, photo.chunks);
        for (rendition, class) in [(&photo.thumbnail, BlobClass::Thumbnail), (&photo.preview, BlobClass::Preview)] {
            if let RenditionOrReason::Rendition(Rendition { sha256, bytes, chunks, .. }) = rendition {
                name(*sha256, class, *bytes, *chunks);
            }
        }
    }

    /// Takes down what some entry of `scope` says about a blob.
    pub(in crate::sync) fn describe(
        &mut self,
        hash: BlobHash,
        class: BlobClass,
        bytes: u64,
        root: NodeHash,
        scope: ScopeId,
    ) {
        let (named, described) = (self.named.entry(hash).or_default(), Named { class, bytes, root, scope });
        if !named.contains(&described) {
            named.push(described);
        }
    }

    pub(in crate::sync) fn tip(&self, id: LogId) -> Option<LocalTip> {
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
    pub(in crate::sync) fn contents(&self) -> (BTreeSet<EntryId>, BTreeSet<BlobHash>, Vec<StatementId>) {
        let entries = self.logs.values().flat_map(|log| log.at.values()).flat_map(BTreeMap::keys).copied().collect();
        let statements = StatementClass::ALL.into_iter().flat_map(|class| self.roster.ids(class)).collect();
        (entries, self.blobs.keys().copied().collect(), statements)
    }

    pub(in crate::sync) fn rest(&self) -> Option<RestState> {
        let rest = |report: &Report| if let Report::Rest(state) = report { Some(*state) } else { None };
        self.reports.iter().rev().find_map(rest)
    }

    /// Does one action; the answer, if it has one.
    pub(in crate::sync) fn act(&mut self, action: Action) -> Option<Input> {
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
            Action::SignReceipt { token } => {
                let earlier = self.receipt.clone();
                self.receipt = self.sign_receipt().or(self.receipt.take());
                let receipt = self.receipt.clone().filter(|_| self.receipt != earlier);
                Some(Input::ReceiptSigned { token, receipt, earlier })
            }
            Action::Remember(Some(agreement)) => {
                self.agreements.insert(self.peer.get(), (agreement, self.tips()));
                None
            }
            Action::Remember(None) => {
                self.agreements.remove(&self.peer.get());
                None
            }
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
                    ids.first().map(|id| self.roster.kept_bytes(class, *id).map(<[u8]>::to_vec)).into_iter().collect(),
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
            Request::MissingBodies { scopes, after, positions_max } => {
                let all = self.without_bodies(&scopes).filter(|place| after.is_none_or(|after| *place > after));
                Loaded::MissingBodies(all.take(positions_max).collect())
            }
            Request::Wanted { class, scopes, after, blobs_max } => {
                let above = self.named.iter().filter(|(hash, _)| after.is_none_or(|after| **hash > after));
                let missing = above.filter(|(hash, _)| !self.blobs.contains_key(hash));
                let of_class = |named: &&Named| named.class == class && scopes.contains(&named.scope);
                let wanted = missing.filter_map(|(hash, named)| Some((hash, named, named.iter().find(of_class)?)));
                let wanted = wanted.take(blobs_max).map(|(hash, all, named)| self.wanted(*hash, *named, all.len() > 1));
                Loaded::Wanted(wanted.collect())
            }
            Request::Described { class, hash, root, chunks, scopes } => {
                let is_it = |named: &&Named| {
                    let is_so = named.class == class && named.root == root;
                    is_so && named.bytes.div_ceil(CHUNK_BYTES as u64) == chunks as u64 && scopes.contains(&named.scope)
                };
                let found = self.named.get(&hash).and_then(|named| named.iter().find(is_it));
                let found = found.filter(|_| !self.blobs.contains_key(&hash));
                Loaded::Described(found.map(|named| Box::new(self.wanted(hash, *named, true))))
            }
            Request::ChunkHashes { hash, scopes } => {
                let is_for_peer =
                    self.named.get(&hash).is_some_and(|named| named.iter().any(|named| scopes.contains(&named.scope)));
                let file = self.blobs.get(&hash).filter(|_| is_for_peer);
                Loaded::ChunkHashes(file.map(|file| chunk_hashes(file)))
            }
            Request::Chunk { hash, index } => {
                let file = self.blobs.get(&hash);
                Loaded::Chunk(file.and_then(|file| file.chunks(CHUNK_BYTES).nth(index as usize)).map(<[u8]>::to_vec))
            }
            Request::Census { scopes, classes } => Loaded::Census(self.census(&scopes, &classes)),
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
                        let (header, body) = (held.header.clone(), held.body.clone());
                        entries.push(StoredEntry { log: id, seq: *seq, header, body });
                    }
                }
            }
            spans.remove(0);
        }
        Loaded::Entries { entries, rest: Vec::new() }
    }

    fn wanted(
        &self,
        hash: BlobHash,
        Named { class: _, bytes, root, scope: _ }: Named,
        is_disputed: bool,
    ) -> WantedBlob {
        WantedBlob { hash, bytes, root, have: self.have(hash, root, bytes), is_disputed }
    }

    fn have(&self, hash: BlobHash, root: NodeHash, bytes: u64) -> Vec<u8> {
        let Some(chunks) = self.partial.get(&(hash, root)) else { return Vec::new() };
        let mut bits = vec![0; (bytes as usize).div_ceil(CHUNK_BYTES).div_ceil(8)];
        chunks.keys().for_each(|at| bits[at / 8] |= 0x80 >> (at % 8));
        bits
    }

    fn admit(&mut self, class: StatementClass, statements: &[Vec<u8>]) -> Admission {
        let mut admission = Admission::default();
        let cuts_before: BTreeSet<_> = self.roster.cuts().map(|cut| cut.id()).collect();
        let waited: Vec<_> = self.roster.waiting().map(|(class, id, ..)| (class, id)).collect();
        for statement in statements {
            let id = class.id_of(statement);
            if let Err(refused) = self.roster.admit(class, statement)
                && !self.roster.waits(class, id)
            {
                admission.refused.push((id, refused));
            }
        }
        let new: Vec<_> = self.roster.cuts().filter(|cut| !cuts_before.contains(&cut.id())).collect();
        admission.cuts = CutKey::told(&self.roster, &new);
        admission.let_in = waited.into_iter().filter(|(class, id)| self.roster.holds(*class, *id)).collect();
        admission
    }

    fn commit(&mut self, commit: Commit) -> Committed {
        match commit {
            Commit::Entries(entries) => {
                let is_known = |entry: &VerifiedEntry| self.roster.knows_key(entry.key().as_bytes());
                if self.is_strict && !entries.iter().all(is_known) {
                    return Committed::EntriesRefused(Refused { check: Check::KeyNotInRoster, what: "key" });
                }
                let wants_blobs = entries.iter().fold(false, |wants, entry| self.keep(entry) | wants);
                let logs: BTreeSet<_> = entries.iter().map(VerifiedEntry::log).collect();
                Committed::Entries { tips: logs.into_iter().filter_map(|log| self.tip(log)).collect(), wants_blobs }
            }
            Commit::ChunkHashes { .. } => Committed::ChunkHashes,
            Commit::Chunk { hash, root, index, bytes } => {
                let chunks = self.partial.entry((hash, root)).or_default();
                chunks.insert(index as usize, bytes);
                let leaves: Vec<NodeHash> = chunks.values().map(|chunk| leaf_hash(chunk)).collect();
                if merkle_root(&leaves) != root {
                    return Committed::Chunk(BlobState::Partial);
                }
                let file: Vec<u8> = chunks.values().flatten().copied().collect();
                self.partial.remove(&(hash, root));
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
            let missing = self.without_bodies(self.certificate.as_ref()?.scopes()).filter(|(of, _)| of == log).count();
            Some(LogHeld { log: *log, height: tip.height, head: tip.head, missing: missing as u64 })
        };
        let draft = ReceiptDraft {
            store: self.store,
            counter: 0,
            logs: self.logs.keys().filter_map(held).collect(),
            blobs: self.blobs.keys().copied().collect(),
            certificate: self.certificate.as_ref()?.id(),
            left_out: LeftOut::default(),
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
    pub(in crate::sync) fn main(&self) -> Vec<EntryId> {
        let mut main: Vec<EntryId> = Vec::new();
        while let Some(siblings) = self.at.get(&(main.len() as u64)) {
            let Some((id, _)) = siblings.iter().find(|(_, held)| held.prev == main.last().copied()) else { break };
            main.push(*id);
        }
        main
    }
}
