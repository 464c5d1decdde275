//! What a device keeps in the store beside the mission's evidence, and how it is written.
//!
//! None of it is signed or sent, so its form is this crate's own affair: deterministic CBOR like everything else,
//! and what cannot be read is as if it were not there.

use merestone_core::cbor::{Reader, Writer};
use merestone_core::check::Refused;
use merestone_core::id::{Epoch, FormHash, ScopeId, StatementId};
use merestone_core::key::PublicKey;

/// The install marker that the store knows.
pub(crate) const INSTALL: &str = "node/install";
/// The observers of this device.
pub(crate) const OBSERVERS: &str = "node/observers";

/// The document that a form was made of.
pub(crate) fn form(hash: FormHash) -> String {
    format!("node/form/{hash}")
}

/// The log in which a key writes in a scope.
pub(crate) fn log(key: &PublicKey, scope: ScopeId) -> String {
    format!("node/log/{key}/{scope}")
}

/// Most observers of one device: a post's whole crew, and room for those who left.
pub(crate) const OBSERVERS_MAX: usize = 64;

/// One observer of this device, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptObserver {
    /// The enrolment request.
    pub(crate) request: Vec<u8>,
    /// The certificate under which the observer signs, once there is one.
    pub(crate) certificate: Option<StatementId>,
}

pub(crate) fn encode_observers(observers: &[KeptObserver]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(observers.len());
    for KeptObserver { request, certificate } in observers {
        writer.array(2).bytes(request);
        match certificate {
            Some(id) => writer.bytes(id.as_bytes()),
            None => writer.null(),
        };
    }
    writer.finish()
}

pub(crate) fn decode_observers(bytes: &[u8]) -> Result<Vec<KeptObserver>, Refused> {
    let mut reader = Reader::new(bytes);
    let len = reader.array(OBSERVERS_MAX, "observers")?;
    let mut observers = Vec::with_capacity(len);
    for _ in 0..len {
        reader.array_exact(2, "observer")?;
        let request = reader.bytes("request")?.to_vec();
        let certificate = match reader.peek("certificate")? {
            merestone_core::cbor::Kind::Null => {
                reader.null("certificate")?;
                None
            }
            _ => Some(StatementId::from_bytes(reader.array_of("certificate")?)),
        };
        reader.leave();
        observers.push(KeptObserver { request, certificate });
    }
    reader.leave();
    reader.finish("observers")?;
    Ok(observers)
}

/// Which log a key writes in, and what ties it to this installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeptLog {
    pub(crate) marker: [u8; 16],
    pub(crate) epoch: Epoch,
    pub(crate) certificate: StatementId,
}

pub(crate) fn encode_log(log: &KeptLog) -> Vec<u8> {
    let KeptLog { marker, epoch, certificate } = log;
    let mut writer = Writer::new();
    writer.array(3).bytes(marker).bytes(epoch.as_bytes()).bytes(certificate.as_bytes());
    writer.finish()
}

pub(crate) fn decode_log(bytes: &[u8]) -> Result<KeptLog, Refused> {
    let mut reader = Reader::new(bytes);
    reader.array_exact(3, "log")?;
    let marker = reader.array_of("marker")?;
    let epoch = Epoch::from_bytes(reader.array_of("epoch")?);
    let certificate = StatementId::from_bytes(reader.array_of("certificate")?);
    reader.leave();
    reader.finish("log")?;
    Ok(KeptLog { marker, epoch, certificate })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_reads_back_and_nothing_else_does() {
        let certificate = Some(StatementId::from_bytes([3; 32]));
        let observers = vec![
            KeptObserver { request: vec![1, 2], certificate: None },
            KeptObserver { request: vec![4], certificate },
        ];
        assert_eq!(decode_observers(&encode_observers(&observers)), Ok(observers));
        let log = KeptLog {
            marker: [1; 16],
            epoch: Epoch::from_bytes([2; 8]),
            certificate: StatementId::from_bytes([3; 32]),
        };
        let bytes = encode_log(&log);
        assert_eq!(decode_log(&bytes), Ok(log));
        assert!((0..bytes.len()).all(|end| decode_log(&bytes[..end]).is_err()));
    }
}
