//! The body of `add-checkpoint` (C2SP tlog-witness), the same over HTTP and in a file on a stick.

use data_encoding::BASE64;

use super::cosigned::COSIGNED_NOTE_BYTES_MAX;
use crate::checkpoint::note::{parse_hash, parse_number};
use crate::merkle::NodeHash;

/// Most hashes of the consistency proof in a request.
pub const CONSISTENCY_HASHES_MAX: usize = 63;

/// Largest request, in bytes: the old size, 63 hashes, a note.
pub const REQUEST_BYTES_MAX: usize = COSIGNED_NOTE_BYTES_MAX + 4_096;

/// A request that a witness cosign a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the checkpoint that the witness cosigned last, as far as the sender knows; 0 if none.
    pub old: u64,
    /// The consistency proof from there.
    pub proof: Vec<NodeHash>,
    /// The checkpoint's note, as it came.
    pub note: Vec<u8>,
}

impl AddCheckpoint {
    /// Reads a request.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(body: &[u8]) -> Result<Self, RequestMalformed> {
        let read = || {
            let (head, note) = std::str::from_utf8(body).ok()?.split_once("\n\n")?;
            let mut lines = head.split('\n');
            let old = parse_number(lines.next()?.strip_prefix("old ")?)?;
            let proof: Vec<NodeHash> = lines.map(parse_hash).collect::<Option<_>>()?;
            (proof.len() <= CONSISTENCY_HASHES_MAX).then(|| Self { old, proof, note: note.as_bytes().to_vec() })
        };
        if body.len() <= REQUEST_BYTES_MAX { read() } else { None }.ok_or(RequestMalformed)
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let Self { old, proof, note } = self;
        let mut head = format!("old {old}\n");
        for hash in proof {
            head.push_str(&BASE64.encode(hash));
            head.push('\n');
        }
        head.push('\n');
        [head.as_bytes(), note].concat()
    }
}

/// Bytes that are no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no request to add a checkpoint")]
pub struct RequestMalformed;

/// The size that a witness names in an answer of 409; `None` if it names none.
pub fn parse_conflict(body: &[u8]) -> Option<u64> {
    parse_number(std::str::from_utf8(body).ok()?.strip_suffix('\n')?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_back_and_nothing_else_does() {
        let request = AddCheckpoint { old: 3, proof: vec![[1; 32]; 63], note: b"text\n\nlines\n".to_vec() };
        assert_eq!(AddCheckpoint::parse(&request.encode()), Ok(request.clone()));
        let many = AddCheckpoint { proof: vec![[1; 32]; 64], ..request.clone() };
        assert_eq!(AddCheckpoint::parse(&many.encode()), Err(RequestMalformed));
        let large = AddCheckpoint { note: vec![b'a'; REQUEST_BYTES_MAX], ..request };
        assert_eq!(AddCheckpoint::parse(&large.encode()), Err(RequestMalformed));
        for body in [
            "",
            "old 1\n",
            "old 01\n\nnote\n",
            "old +1\n\nnote\n",
            "old 1 \n\nnote\n",
            "new 1\n\nnote\n",
            "old 1\nAAAA\n\nnote\n",
            "old 1\r\n\r\nnote\n",
        ] {
            assert_eq!(AddCheckpoint::parse(body.as_bytes()), Err(RequestMalformed), "{body}");
        }
    }

    #[test]
    fn a_conflict_names_one_size() {
        assert_eq!(parse_conflict(b"20852014\n"), Some(20_852_014));
        for body in ["", "\n", "1", "01\n", "-1\n", "1\n\n", "18446744073709551616\n"] {
            assert_eq!(parse_conflict(body.as_bytes()), None, "{body}");
        }
    }
}
