//! What a party or an observer could not sign, ask for or accept.

use merestone_core::check::{Check, Refused};
use merestone_core::roster::{MakeError, ReadTextError};
use merestone_node::enrolment::{AcceptError, RequestError};
use merestone_node::succession::SuccessionError;

use crate::exit::Failure;

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Name(_) => Self::input(&error, "names have 1 to 64 bytes on one line"),
            RequestError::Attestation => Self::input(&error, "give the file as the device's maker made it"),
            RequestError::TooMany => Self::input(&error, "use another device"),
            RequestError::Vault(error) => error.into(),
            RequestError::NoEntropy(error) => error.into(),
            RequestError::Access(error) => error.into(),
        }
    }
}

impl From<AcceptError> for Failure {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Mistyped(_) => Self::input(&error, "scan or copy it again"),
            AcceptError::OtherMission { .. } => Self::input(&error, "it belongs to a device of another mission"),
            AcceptError::OtherKey { .. } => Self::input(&error, "accept it on the device that made the request"),
            AcceptError::NoParty | AcceptError::Refused(_) => Self::input(&error, "ask the officer for another"),
            AcceptError::Access(error) => error.into(),
        }
    }
}

impl From<SuccessionError> for Failure {
    fn from(error: SuccessionError) -> Self {
        match error {
            SuccessionError::Locked { .. } => Self::input(&error, "use the device that has the key"),
            SuccessionError::Refused(_) => {
                Self::input(&error, "both keys must be certified by one party, and sync may bring the certificates")
            }
            SuccessionError::Make(error) => error.into(),
            SuccessionError::Access(error) => error.into(),
        }
    }
}

impl From<ReadTextError> for Failure {
    fn from(error: ReadTextError) -> Self {
        match &error {
            ReadTextError::Mistyped(_) => Self::input(&error, "scan or copy it again"),
            ReadTextError::Refused(_) => Self::input(&error, "ask for another"),
        }
    }
}

impl From<MakeError> for Failure {
    fn from(error: MakeError) -> Self {
        match &error {
            MakeError::Refused(refused) if is_foreign(refused) => {
                Self::input(&error, "is the key a party's? `merestone mission show` prints the keys of the parties")
            }
            MakeError::Refused(_) => Self::input(&error, ""),
            MakeError::Signer(_) => Self::storage(&error, ""),
        }
    }
}

/// Whether a key was to sign for a party and is none of theirs.
fn is_foreign(refused: &Refused) -> bool {
    let by_parties = [
        Check::AmendmentSignatures,
        Check::CertificateSigner,
        Check::CharterSignatures,
        Check::CutQuorum,
        Check::CutSigner,
        Check::ErasureQuorum,
        Check::PublicationSigner,
    ];
    refused.what == "signer" && by_parties.contains(&refused.check)
}
