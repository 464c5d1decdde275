//! A writer of chunks that can be told to misbehave in every part.

use super::{ME, SEED};
use crate::change::encode::{column, prefixed, signed, unsigned};
use crate::id::sha256;

#[derive(Clone)]
pub(super) struct Forge {
    pub(super) magic: [u8; 4],
    /// Bytes to put over the right checksum.
    pub(super) checksum: Option<[u8; 4]>,
    pub(super) kind: u8,
    pub(super) deps: Vec<[u8; 32]>,
    pub(super) actor: Vec<u8>,
    /// Encoded, so that it may be longer than needed.
    pub(super) seq: Vec<u8>,
    pub(super) start_op: Vec<u8>,
    pub(super) time: Vec<u8>,
    pub(super) message: Vec<u8>,
    pub(super) others: Vec<Vec<u8>>,
    pub(super) columns: Vec<(u32, Vec<u8>)>,
    pub(super) extra: Vec<u8>,
    /// After the chunk.
    pub(super) after: Vec<u8>,
}

impl Forge {
    /// `mood` = "ok" and `wind` = 5, the latter in place of operation 3 of another actor.
    pub(super) fn valid() -> Self {
        let columns = vec![
            (column::KEY, b"\x7e\x04mood\x04wind".to_vec()),
            (column::INSERT, vec![2]),
            (column::ACTION, vec![2, 1]),
            (column::VALUE_META, vec![0x7e, 0x26, 0x14]),
            (column::VALUE, b"ok\x05".to_vec()),
            (column::PRED_COUNT, vec![0x7e, 0, 1]),
            (column::PRED_ACTOR, vec![0x7f, 1]),
            (column::PRED_COUNTER, vec![0x7f, 3]),
        ];
        Self {
            magic: [0x85, 0x6f, 0x4a, 0x83],
            checksum: None,
            kind: 1,
            deps: vec![[1; 32], [2; 32]],
            actor: ME.as_bytes().to_vec(),
            seq: vec![2],
            start_op: vec![4],
            time: vec![0],
            message: data_encoding::HEXLOWER.encode(&SEED).into_bytes(),
            others: vec![vec![0x11; 16]],
            columns,
            extra: Vec::new(),
            after: Vec::new(),
        }
    }

    /// Puts `bytes` in the column, adding or dropping it as needed.
    pub(super) fn column(mut self, spec: u32, bytes: &[u8]) -> Self {
        self.columns.retain(|(known, _)| *known != spec);
        if !bytes.is_empty() {
            self.columns.push((spec, bytes.to_vec()));
            self.columns.sort_by_key(|(spec, _)| *spec);
        }
        self
    }

    /// One put of `value` at `key`, nothing else.
    pub(super) fn one(key: &[u8], meta: u64, value: &[u8]) -> Self {
        let (mut keys, mut metas) = (vec![0x7f], vec![0x7f]);
        prefixed(&mut keys, key);
        unsigned(&mut metas, meta);
        let mut forge = Self::valid();
        forge.others.clear();
        forge
            .column(column::KEY, &keys)
            .column(column::INSERT, &[1])
            .column(column::ACTION, &[0x7f, 1])
            .column(column::VALUE_META, &metas)
            .column(column::VALUE, value)
            .column(column::PRED_COUNT, &[0x7f, 0])
            .column(column::PRED_ACTOR, &[])
            .column(column::PRED_COUNTER, &[])
    }

    /// `ops` nulls at ascending keys.
    pub(super) fn many(ops: usize) -> Self {
        let (mut keys, mut count, mut length) = (Vec::new(), Vec::new(), Vec::new());
        signed(&mut count, ops as i64);
        unsigned(&mut length, ops as u64);
        signed(&mut keys, -(ops as i64));
        (0..ops).for_each(|at| prefixed(&mut keys, format!("q{at:05}").as_bytes()));
        let run = |value: u8| [&count[..], &[value]].concat();
        let forge = Self::one(b"q", 0, &[]).column(column::KEY, &keys).column(column::INSERT, &length);
        forge.column(column::ACTION, &run(1)).column(column::VALUE_META, &run(0)).column(column::PRED_COUNT, &run(0))
    }

    pub(super) fn build(&self) -> Vec<u8> {
        let mut contents = Vec::new();
        unsigned(&mut contents, self.deps.len() as u64);
        contents.extend(self.deps.concat());
        prefixed(&mut contents, &self.actor);
        contents.extend([&self.seq[..], &self.start_op, &self.time].concat());
        prefixed(&mut contents, &self.message);
        unsigned(&mut contents, self.others.len() as u64);
        self.others.iter().for_each(|other| prefixed(&mut contents, other));
        unsigned(&mut contents, self.columns.len() as u64);
        for (spec, bytes) in &self.columns {
            unsigned(&mut contents, u64::from(*spec));
            unsigned(&mut contents, bytes.len() as u64);
        }
        self.columns.iter().for_each(|(_, bytes)| contents.extend(bytes));
        contents.extend(&self.extra);
        let mut chunk = [self.magic, [0; 4]].concat();
        chunk.push(self.kind);
        prefixed(&mut chunk, &contents);
        seal(&mut chunk);
        if let Some(checksum) = self.checksum {
            chunk[4..8].copy_from_slice(&checksum);
        }
        chunk.extend(&self.after);
        chunk
    }
}

/// Writes the checksum that a chunk's bytes ask for.
pub(super) fn seal(chunk: &mut [u8]) {
    let checksum = sha256(&[&chunk[8..]]);
    chunk[4..8].copy_from_slice(&checksum[..4]);
}
