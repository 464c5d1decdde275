//! Receipts: what this store holds, signed by a key that is good for nothing else here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use merestone_core::id::{BlobHash, StatementId};
use merestone_core::key::{PublicKey, Signer};
use merestone_core::ledger::LedgerProof;
use merestone_core::receipt::{LeftOut, LogHeld, RECEIPT_BYTES_MAX, Receipt, ReceiptDraft};
use merestone_core::roster::{Acknowledgement, Certificate, Class, Included, Inclusion, MakeError, Roster};
use merestone_store::{CommitError, ReadError, Store};

use super::Shared;
use super::hub::Member;

/// A certified key, for receipts and for what the ledger shows: there is no way back to the signer, so whoever holds this can
/// sign no entry.
///
/// ```compile_fail,E0277
/// # fn sign(draft: merestone_core::entry::EntryDraft, key: merestone_node::replica::ReceiptKey) {
/// draft.sign(&key);
/// # }
/// ```
#[derive(Clone)]
pub struct ReceiptKey {
    signer: Arc<dyn Signer + Send + Sync>,
    certificate: StatementId,
}

/// The certificate does not let this key sign receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate lets this key sign no receipts")]
pub struct NotForReceipts;

impl ReceiptKey {
    /// The key of `signer`, certified by `certificate`.
    ///
    /// # Errors
    /// If the certificate is for another key, or of a role that signs no receipts.
    pub fn new(signer: Arc<dyn Signer + Send + Sync>, certificate: &Certificate) -> Result<Self, NotForReceipts> {
        if certificate.key() != signer.public() || !certificate.role().grants_receipts() {
            return Err(NotForReceipts);
        }
        Ok(Self { signer, certificate: certificate.id() })
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        self.signer.public()
    }

    /// Its certificate.
    pub fn certificate(&self) -> StatementId {
        self.certificate
    }

    fn sign(&self, roster: &Roster, draft: ReceiptDraft) -> Result<Receipt, MakeError> {
        Receipt::make(roster, &*self.signer, draft)
    }

    /// Says that this key's holder holds a cut of another party.
    pub(super) fn acknowledge(&self, roster: &Roster, cut: StatementId) -> Result<Acknowledgement, MakeError> {
        Acknowledgement::make(roster, &*self.signer, self.certificate, cut)
    }

    /// Passes on what a final checkpoint of the ledger held.
    pub(super) fn show(
        &self,
        roster: &Roster,
        included: &Included,
        proof: &LedgerProof,
    ) -> Result<Inclusion, MakeError> {
        Inclusion::make(roster, &*self.signer, included, proof)
    }
}

/// Shows the public half.
impl fmt::Debug for ReceiptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReceiptKey").field(self.public()).finish()
    }
}

/// This side gave no receipt, although what it holds is not what its last one says.
#[derive(Debug, thiserror::Error)]
pub enum NoReceipt {
    /// The store cannot say what it holds.
    #[error("no receipt: the store cannot be read")]
    Read(#[source] ReadError),
    /// The key or its certificate signs no receipt now, or what is held does not fit in one.
    #[error("no receipt: it cannot be signed")]
    Sign(#[source] MakeError),
    /// Another receipt is being signed, and its keystore waits for a person.
    #[error("no receipt: another one is being signed")]
    Busy,
    /// This store's counter has come to its end.
    #[error("no receipt: the counter is at its end")]
    Counter,
    /// It was signed, and the store did not keep it.
    #[error("no receipt: it cannot be stored")]
    Commit(#[source] CommitError),
}

impl From<ReadError> for NoReceipt {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<MakeError> for NoReceipt {
    fn from(error: MakeError) -> Self {
        Self::Sign(error)
    }
}

impl From<CommitError> for NoReceipt {
    fn from(error: CommitError) -> Self {
        Self::Commit(error)
    }
}

/// How long a conversation waits for another one's receipt: less than its peer waits for a word.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// A receipt, and the one of the same store before it.
type WithEarlier = (Vec<u8>, Option<Vec<u8>>);

impl Shared {
    /// A receipt over what is durable now, stored; `None` without a key, and when nothing changed since the last one.
    ///
    /// With it comes the one of this store before it.
    pub(super) fn sign_receipt(&self, member: Member) -> Result<Option<WithEarlier>, NoReceipt> {
        let Some(key) = &self.receipts else { return Ok(None) };
        let _one_at_a_time = self.signing.take(WAIT_MAX).ok_or(NoReceipt::Busy)?;
        let store = self.store.identity()?.store;
        let Held { logs, blobs, left_out } = held(&self.store)?;
        let (draft, earlier, roster) = {
            let roster = self.authority.roster();
            // Anybody can write this store's id and the greatest counter: only what this key signed counts.
            let own = roster.receipts().filter(|held| held.store() == store && held.signer() == key.public());
            let last = own.max_by_key(|held| held.counter());
            let is_same = |last: &Receipt| last.logs() == logs && last.blobs() == blobs && last.left_out() == left_out;
            if last.is_some_and(is_same) {
                return Ok(None);
            }
            let counter = last.map_or(0, Receipt::counter).checked_add(1).ok_or(NoReceipt::Counter)?;
            let earlier = last.map(|last| last.as_bytes().to_vec());
            let draft = ReceiptDraft { store, counter, logs, blobs, certificate: key.certificate, left_out };
            (draft, earlier, roster.clone())
        };
        // A keystore may wait for a person: nobody waits for the roster meanwhile.
        let receipt = key.sign(&roster, draft)?;
        let bytes = receipt.as_bytes().to_vec();
        self.take_up(Class::Receipt, std::slice::from_ref(&bytes), Some(member))?;
        Ok(Some((bytes, earlier)))
    }
}

/// Bytes of one log and of one blob in a receipt, at most.
const LOG_BYTES: usize = 86;
const BLOB_BYTES: usize = 34;
/// Envelope, mission, store, counter, certificate.
const FRAME_BYTES: usize = 512;

/// The logs and blobs held, ascending: as many as a receipt has room for, logs first, and how many more there are.
struct Held {
    logs: Vec<LogHeld>,
    blobs: Vec<BlobHash>,
    left_out: LeftOut,
}

fn held(store: &Store) -> Result<Held, ReadError> {
    let missing: std::collections::HashMap<_, _> = store.missing_body_counts()?.into_iter().collect();
    let mut logs = Vec::new();
    for tip in store.each_tip(None) {
        let tip = tip?;
        let Some(head) = tip.head else { continue };
        let missing = missing.get(&tip.log).copied().unwrap_or(0);
        // Planted: the receipt says nothing of bodies that are missing.
        #[cfg(planted)]
        let missing = if merestone_core::planted::is("forget-missing-body") { 0 } else { missing };
        logs.push(LogHeld { log: tip.log, height: tip.height, head, missing });
    }
    let room = RECEIPT_BYTES_MAX - FRAME_BYTES;
    let logs_held = logs.len();
    logs.truncate(room / LOG_BYTES);
    let room = (room - logs.len() * LOG_BYTES) / BLOB_BYTES;
    let (mut blobs, mut after) = (Vec::new(), None);
    let mut blobs_held = 0;
    loop {
        let page = store.whole_blobs(after)?;
        let Some(last) = page.last() else { break };
        after = Some(*last);
        blobs_held += page.len();
        let left = room - blobs.len();
        blobs.extend(page.into_iter().take(left));
    }
    let left_out = LeftOut { logs: (logs_held - logs.len()) as u64, blobs: (blobs_held - blobs.len()) as u64 };
    Ok(Held { logs, blobs, left_out })
}
