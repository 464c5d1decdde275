//! The receipt: what a store held, durable, when it signed (`spec/sync.md`, Receipt).

use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::cose::{self, Label};
use crate::id::{BlobHash, EntryId, LogId, MissionId, StatementId, StoreId};
use crate::key::{PublicKey, Signer};
use crate::roster::{ByCertified, MakeError, PartyNumber, Role, Roster, present};

/// Largest receipt, in bytes.
pub const RECEIPT_BYTES_MAX: usize = 1_048_000;
/// Most logs of a mission, and so in a receipt.
pub const LOGS_MAX: usize = 65_536;

/// How much of one log a store held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogHeld {
    /// The log.
    pub log: LogId,
    /// Number of entries of its contiguous, verified part.
    pub height: u64,
    /// The last of them.
    pub head: EntryId,
    /// How many of their bodies were neither held nor erased.
    pub missing: u64,
}

/// How much a store held for which its receipt has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Logs.
    pub logs: u64,
    /// Blobs held whole.
    pub blobs: u64,
}

/// What a store states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptDraft {
    /// The store; a restored store is another one.
    pub store: StoreId,
    /// Greater than in every earlier receipt of the store.
    pub counter: u64,
    /// The logs, ascending by id.
    pub logs: Vec<LogHeld>,
    /// The blobs held whole, ascending.
    pub blobs: Vec<BlobHash>,
    /// The signer's certificate.
    pub certificate: StatementId,
    /// What is held and not among the logs and blobs, because a receipt has no room for it.
    pub left_out: LeftOut,
}

const STATEMENT: ByCertified = ByCertified {
    label: Label::Receipt,
    bytes_max: RECEIPT_BYTES_MAX,
    by: Check::ReceiptSigner,
    grants: Role::grants_receipts,
    what: "receipt",
};

/// A receipt whose signer was entitled to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    id: StatementId,
    bytes: Vec<u8>,
    signer: PublicKey,
    party: PartyNumber,
    draft: ReceiptDraft,
}

impl Receipt {
    /// Signs a receipt. Logs and blobs may be in any order.
    ///
    /// # Errors
    /// What [`verify`](Self::verify) would refuse, or if the signer does not sign.
    pub fn make(roster: &Roster, signer: &dyn Signer, mut draft: ReceiptDraft) -> Result<Self, MakeError> {
        draft.logs.sort_by_key(|held| held.log);
        draft.blobs.sort_unstable();
        draft.blobs.dedup();
        let payload = encode(roster.mission(), &draft);
        read(&payload, Full)?;
        let bytes = cose::sign(Label::Receipt, signer, &payload)?;
        Ok(Self::verify(&bytes, roster)?)
    }

    /// Verifies a receipt against the certificates held.
    ///
    /// # Errors
    /// `size-limit`, an encoding or envelope code, `shape`, `mission-mismatch`, `receipt-signer` if the certificate it
    /// names is not held, is for another key or lets its key sign no receipts, `signature-invalid`.
    pub fn verify(bytes: &[u8], roster: &Roster) -> Result<Self, Refused> {
        Self::verify_under(bytes, roster, Full)
    }

    /// [`verify`](Self::verify) under `policy`.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_under<P: Policy>(bytes: &[u8], roster: &Roster, policy: P) -> Result<Self, Refused> {
        let (signer, payload) = STATEMENT.open(bytes, roster, policy)?;
        let (mission, draft) = read(payload, policy)?;
        policy.require(mission == roster.mission(), Check::MissionMismatch, STATEMENT.what)?;
        let certificate = STATEMENT.certificate(draft.certificate, &signer, roster, policy)?;
        Ok(Self { id: StatementId::of(bytes), bytes: bytes.to_vec(), signer, party: certificate.party(), draft })
    }

    /// Its id.
    pub fn id(&self) -> StatementId {
        self.id
    }

    /// The bytes as received.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key that signed.
    pub fn signer(&self) -> &PublicKey {
        &self.signer
    }

    /// The party that certified the signer.
    pub fn party(&self) -> PartyNumber {
        self.party
    }

    /// The store.
    pub fn store(&self) -> StoreId {
        self.draft.store
    }

    /// Its place among the receipts of the store.
    pub fn counter(&self) -> u64 {
        self.draft.counter
    }

    /// The signer's certificate.
    pub fn certificate(&self) -> StatementId {
        self.draft.certificate
    }

    /// The logs held, ascending.
    pub fn logs(&self) -> &[LogHeld] {
        &self.draft.logs
    }

    /// The blobs held whole, ascending.
    pub fn blobs(&self) -> &[BlobHash] {
        &self.draft.blobs
    }

    /// What the store held that is not listed. An absence from a receipt that leaves something out says nothing.
    pub fn left_out(&self) -> LeftOut {
        self.draft.left_out
    }

    /// How many logs and blobs the store held, with those that are not listed.
    fn totals(&self) -> (u64, u64) {
        let LeftOut { logs, blobs } = self.left_out();
        (logs.saturating_add(self.logs().len() as u64), blobs.saturating_add(self.blobs().len() as u64))
    }

    /// How much of `log` was held.
    pub fn log(&self, log: LogId) -> Option<&LogHeld> {
        let logs = self.logs();
        logs.binary_search_by_key(&log, |held| held.log).ok().map(|at| &logs[at])
    }

    /// Whether the store held the blob whole.
    pub fn holds_blob(&self, blob: BlobHash) -> bool {
        self.blobs().binary_search(&blob).is_ok()
    }

    /// Whether this is a later receipt of the same signer and store that states all that `other` states, or more,
    /// so that nothing is lost when `other` is dropped.
    ///
    /// A later receipt that states less does not: that a store once held more is evidence.
    pub fn covers(&self, other: &Receipt) -> bool {
        let at_least = |earlier: &LogHeld| {
            self.log(earlier.log).is_some_and(|held| {
                held.height > earlier.height || (held.height == earlier.height && held.head == earlier.head)
            })
        };
        let (totals, before) = (self.totals(), other.totals());
        self.signer == other.signer
            && totals.0 >= before.0
            && totals.1 >= before.1
            && self.store() == other.store()
            && self.counter() > other.counter()
            && other.logs().iter().all(at_least)
            && other.blobs().iter().all(|&blob| self.holds_blob(blob))
    }
}

fn encode(mission: MissionId, draft: &ReceiptDraft) -> Vec<u8> {
    let ReceiptDraft { store, counter, logs, blobs, certificate, left_out } = draft;
    let is_whole = *left_out == LeftOut::default();
    let mut writer = Writer::with_capacity(128 + logs.len() * 86 + blobs.len() * 34);
    writer
        .map(if is_whole { 6 } else { 7 })
        .uint(1)
        .bytes(mission.as_bytes())
        .uint(2)
        .bytes(store.as_bytes())
        .uint(3)
        .uint(*counter);
    writer.uint(4).array(logs.len());
    for LogHeld { log, height, head, missing } in logs {
        writer.array(4).bytes(log.as_bytes()).uint(*height).bytes(head.as_bytes()).uint(*missing);
    }
    writer.uint(5).array(blobs.len());
    for blob in blobs {
        writer.bytes(blob.as_bytes());
    }
    writer.uint(6).bytes(certificate.as_bytes());
    if !is_whole {
        writer.uint(7).array(2).uint(left_out.logs).uint(left_out.blobs);
    }
    writer.finish()
}

fn read<P: Policy>(payload: &[u8], policy: P) -> Result<(MissionId, ReceiptDraft), Refused> {
    policy.require(payload.len() <= RECEIPT_BYTES_MAX, Check::SizeLimit, "receipt")?;
    let mut reader = Reader::with(payload, policy);
    let (mut mission, mut store, mut counter, mut logs, mut blobs, mut certificate) =
        (None, None, None, None, None, None);
    let mut left_out = LeftOut::default();
    let mut fields = reader.map("receipt")?;
    while let Some(key) = fields.next(&mut reader)? {
        match key {
            1 => mission = Some(MissionId::from_bytes(reader.array_of("mission")?)),
            2 => store = Some(StoreId::from_bytes(reader.array_of("store")?)),
            3 => counter = Some(reader.uint("counter")?),
            4 => logs = Some(read_logs(&mut reader)?),
            5 => blobs = Some(read_blobs(&mut reader)?),
            6 => certificate = Some(StatementId::from_bytes(reader.array_of("certificate")?)),
            7 => left_out = read_left_out(&mut reader)?,
            _ => return Err(Refused { check: Check::Shape, what: "receipt" }),
        }
    }
    reader.finish("receipt")?;
    let draft = ReceiptDraft {
        store: present(store, "store")?,
        counter: present(counter, "counter")?,
        logs: present(logs, "logs")?,
        blobs: present(blobs, "blobs")?,
        certificate: present(certificate, "certificate")?,
        left_out,
    };
    Ok((present(mission, "mission")?, draft))
}

fn read_left_out<P: Policy>(reader: &mut Reader<'_, P>) -> Result<LeftOut, Refused> {
    reader.array_exact(2, "left out")?;
    let left_out = LeftOut { logs: reader.uint("logs left out")?, blobs: reader.uint("blobs left out")? };
    reader.leave();
    reader.policy().require(left_out != LeftOut::default(), Check::Shape, "left out")?;
    Ok(left_out)
}

fn read_logs<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Vec<LogHeld>, Refused> {
    let len = reader.array(LOGS_MAX, "logs")?;
    let mut logs = Vec::with_capacity(len);
    for _ in 0..len {
        reader.array_exact(4, "log")?;
        let log = LogId::from_bytes(reader.array_of("log id")?);
        let height = reader.uint("height")?;
        let head = EntryId::from_bytes(reader.array_of("head")?);
        let missing = reader.uint("missing")?;
        reader.leave();
        let is_possible = (1..=crate::entry::LOG_ENTRIES_MAX).contains(&height) && missing <= height;
        reader.policy().require(is_possible, Check::Shape, "height")?;
        logs.push(LogHeld { log, height, head, missing });
    }
    reader.leave();
    reader.policy().require(logs.is_sorted_by(|a, b| a.log < b.log), Check::Shape, "logs")?;
    Ok(logs)
}

fn read_blobs<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Vec<BlobHash>, Refused> {
    // The size of the receipt bounds their number.
    let len = reader.array(usize::MAX, "blobs")?;
    let blobs = (0..len).map(|_| reader.array_of("blob").map(BlobHash::from_bytes)).collect::<Result<Vec<_>, _>>()?;
    reader.leave();
    reader.policy().require(blobs.is_sorted_by(|a, b| a < b), Check::Shape, "blobs")?;
    Ok(blobs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::testing::{certificate, key, roster};
    use crate::roster::Role;

    fn held(log: u8, height: u64, head: u8) -> LogHeld {
        let (log, head) = (LogId::from_bytes([log; 32]), EntryId::from_bytes([head; 32]));
        LogHeld { log, height, head, missing: 0 }
    }

    fn draft(counter: u64, logs: &[LogHeld], blobs: &[u8]) -> ReceiptDraft {
        ReceiptDraft {
            store: StoreId::from_bytes([1; 16]),
            counter,
            logs: logs.to_vec(),
            blobs: blobs.iter().map(|&blob| BlobHash::from_bytes([blob; 32])).collect(),
            certificate: certificate(1, 30, Role::Camp).id(),
            left_out: LeftOut::default(),
        }
    }

    fn make(draft: ReceiptDraft) -> Receipt {
        let roster = roster(&[certificate(1, 30, Role::Camp)]);
        Receipt::make(&roster, &key(30), draft).expect("a certified key signs")
    }

    #[test]
    fn a_receipt_reads_back_in_order() {
        let roster = roster(&[certificate(1, 30, Role::Camp)]);
        let receipt = make(draft(1, &[held(2, 5, 9), held(1, 1, 8)], &[4, 3, 4]));
        assert_eq!(Receipt::verify(receipt.as_bytes(), &roster), Ok(receipt.clone()));
        assert_eq!(receipt.logs(), [held(1, 1, 8), held(2, 5, 9)]);
        assert_eq!(receipt.log(LogId::from_bytes([2; 32])), Some(&held(2, 5, 9)));
        let held = [3, 4, 5].map(|blob| receipt.holds_blob(BlobHash::from_bytes([blob; 32])));
        assert_eq!(held, [true, true, false]);
    }

    #[test]
    fn a_receipt_says_how_much_it_leaves_out() {
        let roster = roster(&[certificate(1, 30, Role::Camp)]);
        let left_out = LeftOut { logs: 3, blobs: 40_000 };
        let receipt = make(ReceiptDraft { left_out, ..draft(2, &[held(1, 1, 8)], &[4]) });
        assert_eq!(Receipt::verify(receipt.as_bytes(), &roster).map(|receipt| receipt.left_out()), Ok(left_out));
        assert_eq!(make(draft(1, &[], &[])).left_out(), LeftOut::default());
        // One that lists as much and leaves out less says that less is held.
        let later = make(draft(3, &[held(1, 1, 8)], &[4]));
        assert!(!later.covers(&receipt) && receipt.covers(&make(draft(1, &[held(1, 1, 8)], &[4]))));
    }

    #[test]
    fn only_a_certified_key_of_a_role_that_may_signs_receipts() {
        let code = |certified: &[crate::roster::Certificate], signer: u8, draft: ReceiptDraft| match Receipt::make(
            &roster(certified),
            &key(signer),
            draft,
        ) {
            Err(MakeError::Refused(refused)) => Some(refused.check),
            _ => None,
        };
        let (camp, other) = (certificate(1, 30, Role::Camp), certificate(1, 31, Role::Observer));
        let auditor = certificate(1, 30, Role::Auditor);
        let alone = std::slice::from_ref::<crate::roster::Certificate>;
        assert_eq!(code(alone(&camp), 30, draft(1, &[], &[])), None);
        assert_eq!(code(&[], 30, draft(1, &[], &[])), Some(Check::ReceiptSigner));
        assert_eq!(code(alone(&other), 31, draft(1, &[], &[])), Some(Check::ReceiptSigner));
        assert_eq!(code(&[camp, other], 31, draft(1, &[], &[])), Some(Check::ReceiptSigner));
        let by_auditor = ReceiptDraft { certificate: auditor.id(), ..draft(1, &[], &[]) };
        assert_eq!(code(&[auditor], 30, by_auditor), Some(Check::ReceiptSigner));
    }

    #[test]
    fn impossible_receipts_are_never_signed() {
        let roster = roster(&[certificate(1, 30, Role::Camp)]);
        let missing = LogHeld { missing: 3, ..held(1, 2, 2) };
        for logs in [vec![held(1, 1, 1), held(1, 2, 2)], vec![held(1, 0, 1)], vec![missing]] {
            assert!(Receipt::make(&roster, &key(30), draft(1, &logs, &[])).is_err(), "{logs:?}");
        }
    }

    #[test]
    fn a_later_receipt_covers_an_earlier_one_only_if_nothing_is_lost() {
        let earlier = make(draft(1, &[held(1, 3, 3)], &[7]));
        let other = StoreId::from_bytes([2; 16]);
        let rows = [
            ("more", draft(2, &[held(1, 4, 4), held(2, 1, 1)], &[7, 8]), true),
            ("the same", draft(2, &[held(1, 3, 3)], &[7]), true),
            ("not later", draft(1, &[held(1, 4, 4)], &[7]), false),
            ("lower", draft(2, &[held(1, 2, 2)], &[7]), false),
            ("another head", draft(2, &[held(1, 3, 4)], &[7]), false),
            ("a log gone", draft(2, &[held(2, 9, 9)], &[7]), false),
            ("a photo gone", draft(2, &[held(1, 4, 4)], &[]), false),
            ("another store", ReceiptDraft { store: other, ..draft(2, &[held(1, 3, 3)], &[7]) }, false),
        ];
        for (name, later, wanted) in rows {
            assert_eq!(make(later).covers(&earlier), wanted, "{name}");
        }
    }
}
