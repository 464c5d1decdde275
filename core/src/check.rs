//! Every check the verifier makes, each with its stable code; and the switch by which tests prove that each one bites.

use std::fmt;

macro_rules! checks {
    ($($(#[$meta:meta])* $name:ident = $code:literal,)*) => {
        /// One check of the verifier. Its [`code`](Check::code) is stable: it appears in reports,
        /// closes connections and names vectors.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Check { $($(#[$meta])* $name,)* }

        impl Check {
            /// All checks, in the order in which they are declared.
            pub const ALL: &'static [Check] = &[$(Check::$name,)*];

            /// The stable code, as the specs name it.
            pub const fn code(self) -> &'static str {
                match self { $(Check::$name => $code,)* }
            }
        }
    };
}

checks! {
    /// Truncated, or a reserved form.
    CborMalformed = "cbor-malformed",
    /// An argument longer than needed.
    CborNonMinimal = "cbor-non-minimal",
    /// An indefinite length.
    CborIndefinite = "cbor-indefinite",
    /// A floating-point number.
    CborFloat = "cbor-float",
    /// A tag.
    CborTag = "cbor-tag",
    /// A simple value other than false, true and null.
    CborSimple = "cbor-simple",
    /// Map keys out of order.
    CborKeyOrder = "cbor-key-order",
    /// A map key twice.
    CborDuplicateKey = "cbor-duplicate-key",
    /// Nested deeper than 16.
    CborDepth = "cbor-depth",
    /// Bytes after the item.
    CborTrailing = "cbor-trailing",
    /// Text that is not UTF-8.
    TextUtf8 = "text-utf8",
    /// Text that is not in Normalization Form C.
    TextNotNfc = "text-not-nfc",
    /// A control or bidirectional format character.
    TextForbidden = "text-forbidden",
    /// Well-formed, but another type, or a missing or unknown key.
    Shape = "shape",
    /// Larger than its stated maximum.
    SizeLimit = "size-limit",

    /// An algorithm other than Ed25519 (-19).
    CoseAlgorithm = "cose-algorithm",
    /// Something in the unprotected map.
    CoseUnprotected = "cose-unprotected",
    /// The label of another statement type.
    CoseType = "cose-type",
    /// The key bytes are not the canonical encoding of a point.
    KeyNotCanonical = "key-not-canonical",
    /// A point of small order.
    KeyWeak = "key-weak",
    /// A point outside the prime-order subgroup.
    KeyMixedOrder = "key-mixed-order",
    /// The signature does not verify strictly.
    SignatureInvalid = "signature-invalid",

    /// A statement of another mission.
    MissionMismatch = "mission-mismatch",
    /// `record` and `refs` disagree about creation, or a signature role creates.
    HeaderCreate = "header-create",
    /// `refs` not strictly ascending.
    RefsOrder = "refs-order",
    /// `writers` not strictly ascending.
    WritersOrder = "writers-order",
    /// `start.earlier` not strictly ascending.
    EarlierOrder = "earlier-order",

    /// seq 0 without `start`, or with `prev`; a later entry the other way round.
    LogStart = "log-start",
    /// `prev` is not the entry before.
    LogPrev = "log-prev",
    /// The entry before is not held.
    LogGap = "log-gap",
    /// The log is at its limit.
    LogFull = "log-full",
    /// Two entries at one position.
    LogFork = "log-fork",

    /// The body is not the one the header names.
    BodyHash = "body-hash",

    /// Too many bytes, operations, dependencies, actors or predecessors.
    ChangeSize = "change-size",
    /// A compressed chunk.
    ChangeCompressed = "change-compressed",
    /// Not a change chunk.
    ChangeMalformed = "change-malformed",
    /// Bytes after the columns.
    ChangeExtraBytes = "change-extra-bytes",
    /// The actor is not the log's.
    ChangeActor = "change-actor",
    /// Time is not 0.
    ChangeTime = "change-time",
    /// The message is not a seed.
    ChangeSeed = "change-seed",
    /// No operation.
    ChangeEmpty = "change-empty",
    /// An operation on an object other than the root.
    ChangeObject = "change-object",
    /// An operation other than a put.
    ChangeAction = "change-action",
    /// A key that is no name, or keys out of order.
    ChangeKey = "change-key",
    /// Two operations on one key.
    ChangeDuplicateKey = "change-duplicate-key",
    /// A value of another type, or forbidden text.
    ChangeValue = "change-value",
    /// Dependencies not strictly ascending.
    ChangeDepsOrder = "change-deps-order",
    /// Dependencies are not the changes of the entries in `refs`.
    ChangeDepsRefs = "change-deps-refs",
    /// seq is not one above the author's previous change of this record.
    ChangeSeq = "change-seq",
    /// The author's previous change of this record is no dependency.
    ChangeOwnDep = "change-own-dep",
    /// start_op is not one above the dependencies' greatest operation.
    ChangeStartOp = "change-start-op",
    /// A predecessor on another key, or of a change that is no ancestor.
    ChangePred = "change-pred",
    /// Encoding the decoded change again gives other bytes.
    ChangeNotCanonical = "change-not-canonical",

    /// The claims root is not the one the body gives.
    ClaimsMismatch = "claims-mismatch",
    /// A key that the form's leaf table does not name.
    ClaimsUnknownQuestion = "claims-unknown-question",

    /// An entry that is no change commits to no answers.
    DisclosureEntry = "disclosure-entry",
    /// The form definition is not the one the entry names.
    DisclosureForm = "disclosure-form",
    /// A position that the form does not have.
    DisclosurePosition = "disclosure-position",
    /// Leaves or cells out of order, or one twice.
    DisclosureOrder = "disclosure-order",
    /// More or fewer hashes than the opened leaves need, or a node below which nothing is opened.
    DisclosurePath = "disclosure-path",
    /// What is shown is not what was signed.
    DisclosureRoot = "disclosure-root",
    /// A coarse value that the exact one does not give.
    DisclosureCoarse = "disclosure-coarse",

    /// The account of a publication is not signed by the root key of the party it names.
    PublicationSigner = "publication-signer",
    /// A scope of a publication that the charter does not name, or scopes out of order.
    PublicationScope = "publication-scope",
    /// Rules, exceptions, logs or entries of a publication's account out of order, or one twice.
    PublicationOrder = "publication-order",

    /// A party's signature of the charter is missing, foreign or out of order.
    CharterSignatures = "charter-signatures",
    /// Two equal keys in a charter.
    CharterKeys = "charter-keys",
    /// Parties, scopes or forms out of order, or a quorum out of range.
    CharterOrder = "charter-order",
    /// The charter that an amendment builds on is not held.
    AmendmentPredecessor = "amendment-predecessor",
    /// An amendment that changes nothing, or something that stays as it is.
    AmendmentChange = "amendment-change",
    /// The note of an amendment is missing or in excess, before an earlier one's, or not final.
    AmendmentNote = "amendment-note",
    /// Signatures of an amendment by others than those it is about, out of order, or of another amendment.
    AmendmentSignatures = "amendment-signatures",
    /// Fewer parties signed an amendment than it needs, or not those whose keys it brings in.
    AmendmentQuorum = "amendment-quorum",
    /// The certificate is not signed by the root key of the party it names.
    CertificateSigner = "certificate-signer",
    /// The request inside does not prove possession of the key for this mission.
    CertificatePossession = "certificate-possession",
    /// An unknown role.
    CertificateRole = "certificate-role",
    /// A scope that the charter does not name, or scopes out of order.
    CertificateScope = "certificate-scope",
    /// The certificate named at seq 0 is for another key.
    CertificateKey = "certificate-key",
    /// No certificate of the mission names the key.
    KeyNotInRoster = "key-not-in-roster",
    /// The certificate does not grant this scope or kind.
    OutOfRole = "out-of-role",
    /// The cut is not signed by the party that certified the key.
    CutSigner = "cut-signer",
    /// Kept positions out of order.
    CutOrder = "cut-order",
    /// Signatures of a cut of several parties that are fewer than the charter's quorum, foreign or out of order.
    CutQuorum = "cut-quorum",
    /// A key that follows itself, or heads of a succession out of order.
    SuccessionOrder = "succession-order",
    /// No party certified both keys of a succession.
    SuccessionKeys = "succession-keys",
    /// A succession is not signed by the new key, and by the old one or the party.
    SuccessionSignatures = "succession-signatures",
    /// The key that acknowledged a cut has no certificate that lets it, or another one than it names.
    AcknowledgementSigner = "acknowledgement-signer",
    /// What is acknowledged is no held cut of another party alone.
    AcknowledgementCut = "acknowledgement-cut",
    /// No certificate of the mission is for the key that signed an inclusion.
    InclusionSigner = "inclusion-signer",
    /// The leaf is neither a certificate, cut or acknowledgement that is held nor an entry of a key that one ends.
    InclusionLeaf = "inclusion-leaf",
    /// The proof is not one of this ledger, or does not lead from the leaf to the note's root.
    InclusionProof = "inclusion-proof",
    /// The note under a proof is not final.
    InclusionFinal = "inclusion-final",
    /// Fewer parties signed the erasure than the charter's quorum.
    ErasureQuorum = "erasure-quorum",
    /// The receipt's signer holds no certificate of a role that may sign it.
    ReceiptSigner = "receipt-signer",
    /// Too many statements of one signer.
    StatementLimit = "statement-limit",
    /// The checkpoint note is malformed or its signature does not verify.
    CheckpointInvalid = "checkpoint-invalid",
    /// A cosignature statement that is not a note with exactly one good cosignature of a witness.
    CosignatureInvalid = "cosignature-invalid",
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A refusal: which check failed, and on what part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{check}: {what}")]
pub struct Refused {
    /// The check that failed.
    pub check: Check,
    /// The part of the item it failed on, in the spec's words; never a value.
    pub what: &'static str,
}

/// Which checks a verifier makes.
///
/// The product uses [`Full`] and nothing else.
/// Tests bring their own policies, each without one check, to show that some vector depends on it.
pub trait Policy: Copy {
    /// Whether `check` is made.
    fn enforces(self, check: Check) -> bool;

    /// Refuses when `check` is made and `holds` is false.
    ///
    /// # Errors
    /// The refusal that names `check` and `what`.
    #[inline]
    fn require(self, holds: bool, check: Check, what: &'static str) -> Result<(), Refused> {
        if holds || !self.enforces(check) { Ok(()) } else { Err(Refused { check, what }) }
    }
}

/// Every check is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Full;

impl Policy for Full {
    #[inline(always)]
    fn enforces(self, _: Check) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_lower_case_words() {
        let codes: BTreeSet<_> = Check::ALL.iter().map(|check| check.code()).collect();
        assert_eq!(codes.len(), Check::ALL.len());
        for code in codes {
            assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{code}");
        }
    }
}
