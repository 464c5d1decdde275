//! Control frames as bytes.

use super::hello::{Hello, HelloV2, Shown};
use super::tree::encode_node;
use super::{Difference, Frame, LogTip, Rest};
use crate::cbor::Writer;
use crate::id::{LogId, ScopeId, StatementId};

impl Frame {
    /// Encodes the frame. The caller keeps to the maxima of this module.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        match self {
            Self::Hello(hello) => encode_hello(hello, &mut w),
            Self::StatementIds(class, ids) => encode_ids(class.code(), ids, &mut w),
            Self::LaterIds(code, ids) => encode_ids(*code, ids, &mut w),
            Self::Statements(class, statements) => encode_statements(class.code(), statements, &mut w),
            Self::LaterStatements(code, statements) => encode_statements(*code, statements, &mut w),
            Self::Ready => {
                w.array(1).uint(3);
            }
            Self::Tips { scope, last, tips } => {
                w.array(4).uint(4).bytes(scope.as_bytes()).bool(*last).array(tips.len());
                tips.iter().for_each(|tip| encode_tip(tip, &mut w));
            }
            Self::Probe(log, seqs) => encode_positions(5, *log, seqs, &mut w),
            Self::Probed(log, found) => {
                w.array(3).uint(6).bytes(log.as_bytes()).array(found.len());
                for (seq, ids) in found {
                    w.array(2).uint(*seq).array(ids.len());
                    for id in ids {
                        w.bytes(id.as_bytes());
                    }
                }
            }
            Self::Kept(tips) => {
                w.array(2).uint(7).array(tips.len());
                tips.iter().for_each(|tip| encode_tip(tip, &mut w));
            }
            Self::Again { log, from, count } => {
                w.array(4).uint(8).bytes(log.as_bytes()).uint(*from).uint(*count);
            }
            Self::Want(wants) => {
                w.array(2).uint(9).array(wants.len());
                for want in wants {
                    w.array(3).bytes(want.hash.as_bytes()).uint(want.class.code()).bytes(&want.have);
                }
            }
            Self::Absent(hash) => {
                w.array(2).uint(10).bytes(hash.as_bytes());
            }
            Self::Receipt(receipt) => {
                w.array(2).uint(11).bytes(receipt);
            }
            Self::Rest(Rest { tips, blobs, missing, heard }) => {
                w.array(5).uint(12).bytes(tips).bytes(blobs).uint(*missing).bool(*heard);
            }
            Self::HelloV2(hello) => encode_hello_v2(hello, &mut w),
            Self::Classes(classes) => {
                w.array(2).uint(14);
                encode_classes(classes.iter().copied(), &mut w);
            }
            Self::Show => {
                w.array(1).uint(15);
            }
            Self::Certificate(certificate) => {
                w.array(2).uint(16).bytes(certificate);
            }
            Self::Nodes(scope, nodes) => {
                w.array(3).uint(17).bytes(scope.as_bytes()).array(nodes.len());
                nodes.iter().for_each(|node| encode_node(node, &mut w));
            }
            Self::Also { scope, last, tips } => {
                w.array(4).uint(18).bytes(scope.as_bytes()).bool(*last).array(tips.len());
                tips.iter().for_each(|tip| encode_tip(tip, &mut w));
            }
            Self::List(scope) => {
                w.array(2).uint(19).bytes(scope.as_bytes());
            }
            Self::Same => {
                w.array(1).uint(20);
            }
            Self::Difference(Difference { own, id, base, size, packed }) => {
                w.array(6).uint(21).bool(*own).bytes(id.as_bytes()).bytes(base.as_bytes()).uint(*size).bytes(packed);
            }
            Self::Whole(id) => {
                w.array(2).uint(22).bytes(id.as_bytes());
            }
            Self::Bodies(log, seqs) => encode_positions(23, *log, seqs, &mut w),
            Self::Bodiless(log, seqs) => encode_positions(24, *log, seqs, &mut w),
        }
        w.finish()
    }
}

fn encode_positions(kind: u64, log: LogId, seqs: &[u64], w: &mut Writer) {
    w.array(3).uint(kind).bytes(log.as_bytes()).array(seqs.len());
    for seq in seqs {
        w.uint(*seq);
    }
}

fn encode_hello(hello: &Hello, w: &mut Writer) {
    w.array(8).uint(0).uint(hello.version).bytes(hello.mission.as_bytes());
    match &hello.certificate {
        Some(certificate) => w.bytes(certificate),
        None => w.null(),
    };
    w.bytes(hello.store.as_bytes());
    encode_classes(hello.statements.iter().map(|(class, digest)| (class.code(), *digest)), w);
    encode_scopes(&hello.tips, w);
    w.uint(u64::from(hello.wants.0));
}

fn encode_hello_v2(hello: &HelloV2, w: &mut Writer) {
    w.array(9).uint(13).bytes(hello.mission.as_bytes());
    match &hello.certificate {
        Shown::Nothing => w.null(),
        Shown::Named(id) => w.bytes(id.as_bytes()),
        Shown::Whole(certificate) => w.bytes(certificate),
    };
    w.bytes(hello.store.as_bytes()).bytes(&hello.statements);
    encode_scopes(&hello.tips, w);
    w.uint(u64::from(hello.wants.0));
    match &hello.blobs {
        Some((digest, missing)) => w.array(2).bytes(digest).uint(*missing),
        None => w.null(),
    };
    match &hello.agreed {
        Some(digest) => w.bytes(digest),
        None => w.null(),
    };
}

fn encode_ids(code: u64, ids: &[StatementId], w: &mut Writer) {
    w.array(3).uint(1).uint(code).array(ids.len());
    for id in ids {
        w.bytes(id.as_bytes());
    }
}

fn encode_statements(code: u64, statements: &[Vec<u8>], w: &mut Writer) {
    w.array(3).uint(2).uint(code).array(statements.len());
    for statement in statements {
        w.bytes(statement);
    }
}

fn encode_classes(classes: impl ExactSizeIterator<Item = (u64, [u8; 32])>, w: &mut Writer) {
    w.array(classes.len());
    for (code, digest) in classes {
        w.array(2).uint(code).bytes(&digest);
    }
}

fn encode_scopes(tips: &[(ScopeId, [u8; 32])], w: &mut Writer) {
    w.array(tips.len());
    for (scope, digest) in tips {
        w.array(2).bytes(scope.as_bytes()).bytes(digest);
    }
}

/// Appends one tip.
pub(crate) fn encode_tip(tip: &LogTip, w: &mut Writer) {
    w.array(4).bytes(tip.log.as_bytes()).uint(tip.height).bytes(tip.head.as_bytes());
    match &tip.branches {
        Some(digest) => w.bytes(digest),
        None => w.null(),
    };
}
