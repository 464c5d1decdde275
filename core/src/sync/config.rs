//! What a session is told when it begins: who this side is, who the peer proved to be, and what is held.

use std::collections::{BTreeMap, BTreeSet};

use super::frame::{LogTip, StatementClass, Wants};
use super::io::Census;
use super::tips::LOGS_MAX;
use super::tree::TipTree;
use super::version::Version;
use crate::cbor::Writer;
use crate::id::{LogId, MissionId, ScopeId, StatementId, StoreId, sha256};
use crate::key::KEY_BYTES;
use crate::roster::{Certificate, CompleteCharter, Cut, Included, PartyNumber, Roster};

/// Who takes part, and within which limits.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The version that the link agreed on with the peer.
    pub version: Version,
    /// The mission.
    pub mission: MissionId,
    /// Its charter; `None` on a device that is only joining.
    pub charter: Option<CompleteCharter>,
    /// A certificate whose request names this side's transport key; `None` before enrolment.
    pub certificate: Option<Certificate>,
    /// This side's store.
    pub store: StoreId,
    /// The transport key that the carrier proved the peer to hold.
    pub peer_transport: [u8; KEY_BYTES],
    /// Whether this side connected. It says hello first; the other only to a peer that it has judged, so that a stranger who
    /// calls learns nothing. Where nobody connected, as on a wire between two, both may say that they did.
    pub calls: bool,
    /// What this side wants on this link.
    pub wants: Wants,
    /// Whether the session stays for live changes after both sides rest, or says bye.
    pub stay: bool,
    /// Limits of this side.
    pub limits: Limits,
}

/// Limits of one side; those both sides must agree on are constants of [`frame`](super::frame) and [`wire`](super::wire).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest time without a frame in either direction while something is outstanding, in milliseconds.
    /// After half of it blobs that were asked for are given up and named.
    pub progress_ms: u64,
    /// Most bytes of received chunks that are not durable yet.
    pub chunk_bytes_max: usize,
    /// Most bytes of photos to ask for in the conversation, smaller classes first; a photo that does not fit is left out,
    /// and a smaller one after it may fit. What is left out is missing: the conversation does not end as synced.
    pub blob_bytes_max: u64,
}

impl Default for Limits {
    /// `progress_ms` is 90,000: the longest frame of photo bytes, 256 KiB, takes 33 s at 64 kbit/s, and a
    /// peer on a slow disk may take as long again before it says anything. A peer that is out of range the link loses
    /// before that.
    /// `chunk_bytes_max` is 512 KiB, which is lost when this side is killed, and what a link has under way with it;
    /// chunks are written without a flush, so eight keep the disk busy.
    /// `blob_bytes_max` is without end.
    fn default() -> Self {
        Self { progress_ms: 90_000, chunk_bytes_max: 512 << 10, blob_bytes_max: u64::MAX }
    }
}

/// What this side holds when the session begins.
///
/// The host takes it in one reading of its store, and hands every commit after that reading to
/// [`Input::LocalChange`](super::Input::LocalChange).
#[derive(Clone, Debug, Default)]
pub struct LocalState {
    /// [`statements_digest`] of each class that is not empty.
    pub statements: BTreeMap<StatementClass, [u8; 32]>,
    /// The logs of all scopes that this side's certificate grants; a log whose first entry is not held is left out.
    pub tips: Vec<LocalTip>,
    /// The keys that were cut.
    pub cuts: Vec<CutKey>,
    /// Which blobs are held of the classes this side wants, in the scopes its certificate grants; `None`: not
    /// counted. Version 2 says it in hello, so that two equal sides see at once that they are.
    pub blobs: Option<Census>,
    /// What was last agreed with this peer, if that is remembered.
    pub agreement: Option<LastAgreement>,
}

/// What two sides agreed on: that they hold the same entries ([`Action::Remember`](super::Action::Remember)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The peer's store.
    pub store: StoreId,
    /// The scopes it is about.
    pub scopes: Vec<ScopeId>,
    /// Digest of the tips of these scopes (`spec/sync.md` §Done).
    pub digest: [u8; 32],
    /// The certificate this side showed, which the peer holds since.
    pub certificate: Option<StatementId>,
}

/// An agreement, and what happened here since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastAgreement {
    /// As it was remembered.
    pub agreement: Agreement,
    /// Every log whose tip is another than it was then, in any scope. A log that has no tip any more is named too.
    pub changed: Vec<LogId>,
}

/// A log this side holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTip {
    /// How far it has come; the height is at least 1.
    pub tip: LogTip,
    /// Its scope.
    pub scope: ScopeId,
    /// Which logs are sent first: lower first, then by id. The host puts logs with incidents low, then the order of arrival.
    pub urgency: u64,
}

/// The logs that a conversation names, of all that are held, each with the key that signs it (`spec/sync.md` §Limits).
///
/// Of more than a mission may have those are left out that are the many of one key: the first log of each key, by id, comes
/// before the second of any, so that nobody crowds out the logs of others by beginning logs without end.
pub fn named_logs(held: impl IntoIterator<Item = ([u8; KEY_BYTES], LocalTip)>) -> Vec<LocalTip> {
    let mut held: Vec<_> = held.into_iter().collect();
    if held.len() <= LOGS_MAX {
        return held.into_iter().map(|(_, tip)| tip).collect();
    }
    held.sort_unstable_by_key(|(key, tip)| (*key, tip.tip.log));
    let of_keys = held.chunk_by(|(one, _), (other, _)| one == other);
    let mut placed: Vec<(usize, LocalTip)> =
        of_keys.flat_map(|logs| logs.iter().map(|(_, tip)| *tip).enumerate()).collect();
    placed.sort_unstable_by_key(|(place, tip)| (*place, tip.tip.log));
    placed.into_iter().take(LOGS_MAX).map(|(_, tip)| tip).collect()
}

/// A key that its party cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutKey {
    /// The key.
    pub key: [u8; KEY_BYTES],
    /// The party that cut it; a cut by another party than the one that certified the key does not count.
    pub party: PartyNumber,
    /// The cut; or of another class a statement that shows what the cut leaves, which the key's holder is told with it.
    pub class: StatementClass,
    /// Its id.
    pub statement: StatementId,
}

impl CutKey {
    /// What every cut ends that `roster` has, those included that wait for the certificate of their key: a peer may be about
    /// to show it.
    pub fn all(roster: &Roster) -> Vec<Self> {
        let waiting = roster.cuts_waiting();
        Self::told(roster, &roster.cuts().chain(&waiting).collect::<Vec<_>>())
    }

    /// What these cuts of a roster end, and what shows what they leave: the amendments in force, which may have brought the root
    /// key that cut; their acknowledgements, the inclusions of these and of entries of the keys, and the certificates of
    /// whoever signed any of it. Each once for each party that cut the key, however many its cuts are.
    pub fn told(roster: &Roster, cuts: &[&Cut]) -> Vec<Self> {
        let mut told: Vec<Self> = cuts.iter().flat_map(|cut| Self::of(cut)).collect();
        if told.is_empty() {
            return told;
        }
        let mut keys: BTreeMap<[u8; KEY_BYTES], BTreeSet<PartyNumber>> = BTreeMap::new();
        told.iter().for_each(|cut| _ = keys.entry(cut.key).or_default().insert(cut.party));
        let mut named: Vec<([u8; KEY_BYTES], StatementClass, StatementId)> = Vec::new();
        for amendment in roster.amendments_in_force() {
            named.extend(keys.keys().map(|key| (*key, StatementClass::Amendment, amendment.id())));
        }
        let mut acknowledged: BTreeMap<StatementId, [u8; KEY_BYTES]> = BTreeMap::new();
        for cut in cuts {
            for said in roster.acknowledgements_of(cut.id()) {
                acknowledged.insert(said.id(), *cut.key());
                named.push((*cut.key(), StatementClass::Acknowledgement, said.id()));
                named.push((*cut.key(), StatementClass::Certificate, said.certificate()));
            }
        }
        for inclusion in roster.inclusions() {
            let key = match inclusion.included() {
                Included::Entry { key, head: _ } => Some(*key).filter(|key| keys.contains_key(key)),
                Included::Statement(id) => acknowledged.get(id).copied(),
            };
            let Some(key) = key else { continue };
            named.push((key, StatementClass::Inclusion, inclusion.id()));
            let signer = roster.certificates_of(inclusion.signer().as_bytes());
            named.extend(signer.map(|held| (key, StatementClass::Certificate, held.id())));
        }
        named.sort_unstable();
        named.dedup();
        for (key, class, statement) in named {
            let parties = keys.get(&key).into_iter().flatten();
            told.extend(parties.map(|&party| Self { key, party, class, statement }));
        }
        told
    }

    /// What a cut ends: once for each party that signed it.
    pub fn of(cut: &Cut) -> impl Iterator<Item = Self> {
        let party = |&party| Self { key: *cut.key(), party, class: StatementClass::Cut, statement: cut.id() };
        cut.by().parties().iter().map(party)
    }
}

/// Digest of the statements of one class (`spec/sync.md` §Digests).
pub fn statements_digest(ascending: &[StatementId]) -> [u8; 32] {
    let parts: Vec<&[u8]> = ascending.iter().map(|id| id.as_bytes().as_slice()).collect();
    sha256(&parts)
}

/// Digest of the statements of all classes (`spec/sync.md` §Digests): of each that is not empty its number and its
/// [`statements_digest`], ascending by number.
pub fn classes_digest<'a>(classes: impl IntoIterator<Item = (&'a StatementClass, &'a [u8; 32])>) -> [u8; 32] {
    let mut ascending: Vec<_> = classes.into_iter().map(|(class, digest)| (class.code(), digest)).collect();
    ascending.sort_unstable();
    let mut writer = Writer::new();
    for (code, digest) in ascending {
        writer.array(2).uint(code).bytes(digest);
    }
    sha256(&[&writer.finish()])
}

/// Digest of the tips of one scope in version 1 (`spec/sync-1.md` §Digests).
pub fn tips_digest<'a>(ascending: impl IntoIterator<Item = &'a LogTip>) -> [u8; 32] {
    let mut writer = Writer::new();
    for tip in ascending {
        super::frame::encode_tip(tip, &mut writer);
    }
    sha256(&[&writer.finish()])
}

/// The agreed digest (`spec/sync.md` §Digests) of some logs as they are: what [`Agreement::digest`] says of its scopes, if
/// nothing changed since.
pub fn agreed_digest(logs: impl IntoIterator<Item = LocalTip>) -> [u8; 32] {
    let mut trees: BTreeMap<ScopeId, TipTree> = BTreeMap::new();
    for LocalTip { tip, scope, urgency: _ } in logs {
        trees.entry(scope).or_default().set(tip);
    }
    let roots = trees.into_iter().filter_map(|(scope, mut tree)| Some((scope, tree.root()?)));
    roots_digest(&roots.collect::<Vec<_>>())
}

/// The same from the roots of the scopes that are not empty, ascending.
pub(super) fn roots_digest(roots: &[(ScopeId, [u8; 32])]) -> [u8; 32] {
    let parts: Vec<&[u8]> = roots.iter().flat_map(|(scope, root)| [scope.as_bytes().as_slice(), root]).collect();
    sha256(&parts)
}

/// Digest of the entries of a forked log that are kept off its main branch (`spec/sync.md` §Tips).
pub fn branches_digest(ascending: &[crate::id::EntryId]) -> [u8; 32] {
    let parts: Vec<&[u8]> = ascending.iter().map(|id| id.as_bytes().as_slice()).collect();
    sha256(&parts)
}

/// Digest of blobs held whole (`spec/sync.md` §Done).
pub fn blobs_digest(ascending: &[crate::id::BlobHash]) -> [u8; 32] {
    let parts: Vec<&[u8]> = ascending.iter().map(|hash| hash.as_bytes().as_slice()).collect();
    sha256(&parts)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::id::EntryId;

    #[test]
    fn the_many_logs_of_one_key_crowd_out_no_log_of_others() {
        let tip = |key: u8, number: u64| {
            let log = LogId::from_bytes(sha256(&[&[key], &number.to_be_bytes()]));
            let tip = LogTip { log, height: 1, head: EntryId::from_bytes([1; 32]), branches: None };
            ([key; KEY_BYTES], LocalTip { tip, scope: ScopeId::from_bytes([1; 8]), urgency: 0 })
        };
        let honest: Vec<_> = (0..40).flat_map(|key| (0..50).map(move |number| tip(key, number))).collect();
        let many: Vec<_> = (0..LOGS_MAX as u64 + 5_000).map(|number| tip(99, number)).collect();
        let named = named_logs(honest.iter().chain(&many).copied());
        assert_eq!(named.len(), LOGS_MAX);
        let ids: BTreeSet<LogId> = named.iter().map(|tip| tip.tip.log).collect();
        assert!(honest.iter().all(|(_, tip)| ids.contains(&tip.tip.log)));
        // Whoever holds the same names the same, whatever the order.
        let reversed = named_logs(many.iter().chain(&honest).rev().copied());
        assert_eq!(reversed, named);
        assert_eq!(named_logs(honest.iter().copied()).len(), honest.len());
    }
}
