//! The cut: a key ends at positions, not at a time (`spec/roster.md`, Cut).

use super::agreed::{ProposedCut, is_of_several};
use super::{CompleteCharter, MakeError, PartyNumber, present};
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::cose::{self, Envelope, Label};
use crate::entry::LogHead;
use crate::id::{MissionId, StatementId};
use crate::key::{KEY_BYTES, KeyCache, Signer};

/// Most logs kept by one cut.
pub const KEPT_MAX: usize = 1_024;
/// Longest text of a cut, in bytes.
pub const CUT_TEXT_BYTES_MAX: usize = 1_024;
/// Largest cut, in bytes: its kept positions take at most 63 bytes each, 2,000 hold the rest, and 192 each of 64 signatures.
pub const CUT_BYTES_MAX: usize = 80_384;

/// Why a key was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CutReason {
    /// The device was lost.
    Lost,
    /// The device was stolen.
    Stolen,
    /// The observer left the mission.
    Left,
    /// The observer has another key now.
    Replaced,
    /// The key was misused.
    Misuse,
}

impl CutReason {
    /// Every reason.
    pub const ALL: [CutReason; 5] =
        [CutReason::Lost, CutReason::Stolen, CutReason::Left, CutReason::Replaced, CutReason::Misuse];

    /// Its number in a cut.
    pub const fn code(self) -> u64 {
        match self {
            CutReason::Lost => 1,
            CutReason::Stolen => 2,
            CutReason::Left => 3,
            CutReason::Replaced => 4,
            CutReason::Misuse => 5,
        }
    }

    /// The reason with this number.
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// Who decided a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CutBy {
    /// One party: it acts at and above what final checkpoints held before it.
    Party(PartyNumber),
    /// The charter's quorum of parties, ascending: it acts at any height.
    Quorum(Vec<PartyNumber>),
}

impl CutBy {
    /// The parties that signed, ascending.
    pub fn parties(&self) -> &[PartyNumber] {
        match self {
            CutBy::Party(party) => std::slice::from_ref(party),
            CutBy::Quorum(parties) => parties,
        }
    }
}

/// What a party wants to cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutDraft<'a> {
    /// The key to end.
    pub key: &'a [u8; KEY_BYTES],
    /// The last entries to keep, one for each log at most, in any order; logs not named are covered whole.
    pub kept: &'a [LogHead],
    /// Why.
    pub reason: CutReason,
    /// Why, in words.
    pub text: Option<&'a str>,
}

/// A cut whose signature was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    id: StatementId,
    bytes: Vec<u8>,
    by: CutBy,
    key: [u8; KEY_BYTES],
    kept: Vec<LogHead>,
    reason: CutReason,
    text: Option<String>,
}

impl Cut {
    /// Cuts a key, for the party whose root key `signer` holds.
    ///
    /// # Errors
    /// What [`verify`](Self::verify) would refuse; `cut-order` if a log is named twice; or if the signer does not sign.
    pub fn make(charter: &CompleteCharter, signer: &dyn Signer, draft: &CutDraft<'_>) -> Result<Self, MakeError> {
        let payload = encode(charter.mission(), draft)?;
        let bytes = cose::sign(Label::Cut, signer, &payload)?;
        Ok(Self::verify(&bytes, charter, &mut KeyCache::with_capacity(1))?)
    }

    /// Verifies a cut under the mission's charter.
    ///
    /// Whether its party certified the key is asked by [`Roster::admit`](super::Roster::admit), which holds the
    /// certificates.
    ///
    /// # Errors
    /// One party's: `size-limit`, an encoding or envelope code, a key code, `signature-invalid`, `shape`,
    /// `mission-mismatch`, `cut-signer` or `cut-order`, in this order. Several parties': `size-limit`, an encoding code,
    /// `shape`, `mission-mismatch`, `cut-order`, an envelope code, `signature-invalid` or `cut-quorum`.
    pub fn verify(bytes: &[u8], charter: &CompleteCharter, keys: &mut KeyCache) -> Result<Self, Refused> {
        Self::verify_under(bytes, charter, keys, Full)
    }

    /// [`verify`](Self::verify) under `policy`.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_under<P: Policy>(
        bytes: &[u8],
        charter: &CompleteCharter,
        keys: &mut KeyCache,
        policy: P,
    ) -> Result<Self, Refused> {
        policy.require(bytes.len() <= CUT_BYTES_MAX, Check::SizeLimit, "cut")?;
        if is_of_several(bytes) {
            return ProposedCut::decode_under(bytes, charter, policy)?.complete_under(bytes, charter, policy);
        }
        let envelope = Envelope::decode_under(Label::Cut, bytes, policy)?;
        envelope.check_payload_encoding(policy)?;
        let (signer, payload) = envelope.open_under(keys, policy)?;
        let payload = Payload::read(payload, policy)?;
        policy.require(payload.mission == charter.mission(), Check::MissionMismatch, "cut")?;
        let stranger = Refused { check: Check::CutSigner, what: "signer" };
        let party = charter.party_by_root(signer.as_bytes()).ok_or(stranger)?;
        payload.check(policy)?;
        Ok(Self::new(bytes, CutBy::Party(party), payload))
    }

    /// A cut whose signatures were verified.
    pub(super) fn new(bytes: &[u8], by: CutBy, payload: Payload) -> Self {
        let Payload { mission: _, key, kept, reason, text } = payload;
        Self { id: StatementId::of(bytes), bytes: bytes.to_vec(), by, key, kept, reason, text }
    }

    /// Its id.
    pub fn id(&self) -> StatementId {
        self.id
    }

    /// The bytes as received.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Who decided it.
    pub fn by(&self) -> &CutBy {
        &self.by
    }

    /// Whether it ends `key` in the logs that `party` certified.
    pub fn ends(&self, key: &[u8; KEY_BYTES], party: PartyNumber) -> bool {
        self.key == *key && self.by.parties().contains(&party)
    }

    /// The key it ends.
    pub fn key(&self) -> &[u8; KEY_BYTES] {
        &self.key
    }

    /// The last entries it keeps, ascending by (scope, epoch).
    pub fn kept(&self) -> &[LogHead] {
        &self.kept
    }

    /// Why.
    pub fn reason(&self) -> CutReason {
        self.reason
    }

    /// Why, in words.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }
}

/// The payload that says this, as every reader takes it.
pub(super) fn encode(mission: MissionId, draft: &CutDraft<'_>) -> Result<Vec<u8>, Refused> {
    let CutDraft { key, kept, reason, text } = draft;
    let mut kept = kept.to_vec();
    kept.sort_by_key(LogHead::log);
    let mut writer = Writer::new();
    writer.map(4 + usize::from(text.is_some())).uint(1).bytes(mission.as_bytes()).uint(2).bytes(*key);
    writer.uint(3).array(kept.len());
    for head in &kept {
        head.encode(&mut writer);
    }
    writer.uint(4).uint(reason.code());
    if let Some(text) = text {
        writer.uint(5).text(text);
    }
    let payload = writer.finish();
    Payload::read(&payload, Full)?.check(Full)?;
    Ok(payload)
}

/// What a cut says, whoever signed it.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    pub(super) mission: MissionId,
    pub(super) key: [u8; KEY_BYTES],
    pub(super) kept: Vec<LogHead>,
    pub(super) reason: CutReason,
    pub(super) text: Option<String>,
}

impl Payload {
    pub(super) fn read<P: Policy>(payload: &[u8], policy: P) -> Result<Self, Refused> {
        let mut reader = Reader::with(payload, policy);
        let (mut mission, mut cut_key, mut kept, mut reason, mut text) = (None, None, None, None, None);
        let mut fields = reader.map("cut")?;
        while let Some(key) = fields.next(&mut reader)? {
            match key {
                1 => mission = Some(MissionId::from_bytes(reader.array_of("mission")?)),
                2 => cut_key = Some(reader.array_of("key")?),
                3 => kept = Some(LogHead::decode_list(&mut reader, KEPT_MAX, "kept")?),
                4 => reason = CutReason::from_code(reader.uint("reason")?),
                5 => text = Some(reader.note(CUT_TEXT_BYTES_MAX, "text")?.to_owned()),
                _ => return Err(Refused { check: Check::Shape, what: "cut" }),
            }
        }
        reader.finish("cut")?;
        policy.require(text.as_ref().is_none_or(|text| !text.is_empty()), Check::Shape, "text")?;
        Ok(Self {
            mission: present(mission, "mission")?,
            key: present(cut_key, "key")?,
            kept: present(kept, "kept")?,
            reason: present(reason, "reason")?,
            text,
        })
    }

    pub(super) fn check<P: Policy>(&self, policy: P) -> Result<(), Refused> {
        let ascending = self.kept.is_sorted_by(|a, b| a.log() < b.log());
        policy.require(ascending, Check::CutOrder, "kept")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EntryId, Epoch};
    use crate::record::testing::{charter, key, scope};

    fn kept(n: u8, seq: u64) -> LogHead {
        LogHead { scope: scope(1), epoch: Epoch::from_bytes([n; 8]), seq, id: EntryId::from_bytes([n; 32]) }
    }

    #[test]
    fn a_cut_reads_back_with_its_kept_positions_in_order() {
        let rows = [kept(2, 7), kept(1, u64::MAX)];
        let draft = CutDraft { key: &[8; 32], kept: &rows, reason: CutReason::Stolen, text: Some("at the\nferry") };
        let made = Cut::make(&charter(), &key(2), &draft).expect("a party cuts");
        let read = Cut::verify(made.as_bytes(), &charter(), &mut KeyCache::new()).expect("the same");
        assert_eq!(read, made);
        assert_eq!(
            (read.by(), read.reason(), read.text()),
            (&CutBy::Party(PartyNumber(2)), CutReason::Stolen, draft.text)
        );
        assert_eq!(read.kept(), [rows[1], rows[0]]);
    }

    #[test]
    fn the_largest_cut_is_within_its_limit() {
        let rows: Vec<LogHead> = (0..KEPT_MAX as u64)
            .map(|n| LogHead { epoch: Epoch::from_bytes(n.to_be_bytes()), ..kept(1, u64::MAX - n) })
            .collect();
        let text = "x".repeat(CUT_TEXT_BYTES_MAX);
        let draft = CutDraft { key: &[8; 32], kept: &rows, reason: CutReason::Left, text: Some(&text) };
        assert!(Cut::make(&charter(), &key(1), &draft).is_ok());
    }

    #[test]
    fn faulty_cuts_are_refused_by_name() {
        let refused = |signer: u8, kept: &[LogHead], text| {
            let draft = CutDraft { key: &[8; 32], kept, reason: CutReason::Lost, text };
            match Cut::make(&charter(), &key(signer), &draft) {
                Err(MakeError::Refused(refused)) => Some(refused.check),
                _ => None,
            }
        };
        let long = "x".repeat(CUT_TEXT_BYTES_MAX + 1);
        assert_eq!(refused(1, &[], None), None);
        assert_eq!(refused(9, &[], None), Some(Check::CutSigner));
        assert_eq!(refused(1, &[kept(1, 1), kept(1, 2)], None), Some(Check::CutOrder));
        assert_eq!(refused(1, &vec![kept(1, 1); KEPT_MAX + 1], None), Some(Check::SizeLimit));
        assert_eq!(refused(1, &[], Some(&long)), Some(Check::SizeLimit));
        assert_eq!(refused(1, &[], Some("")), Some(Check::Shape));
        assert_eq!(refused(1, &[], Some("a\u{202e}b")), Some(Check::TextForbidden));
    }
}
