//! The header of an entry: what is signed, and stays public when everything else is withheld (`spec/entry.md`, Header).

use super::log::LogHead;
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Policy, Refused};
use crate::id::{DIGEST_BYTES, EntryId, Epoch, FormHash, MissionId, NoteHash, RecordId, ScopeId, StatementId};
use crate::merkle::NodeHash;

/// Largest header, envelope included, in bytes.
pub const HEADER_BYTES_MAX: usize = 32_768;

/// Most entries that one entry names.
pub const REFS_MAX: usize = 256;

/// Most earlier epochs that a log's first entry names.
pub const EARLIER_MAX: usize = 256;

/// Most parties named as writers of a record.
pub const WRITERS_MAX: usize = 64;

/// Most entries in one log; their seq stays below.
pub const LOG_ENTRIES_MAX: u64 = 1 << 20;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Writes answers: carries an Automerge change.
    Change,
    /// Taken notice of; not agreement.
    Receipt,
    /// A comment by the host.
    HostComment,
    /// Agreement.
    Concurrence,
    /// Disagreement, with its reason in words.
    Objection,
    /// A dissenting view.
    Dissent,
    /// An arbiter's decision.
    Ruling,
    /// The signer made the observation together with its author, and answers for what it says.
    CoAuthorship,
    /// A kind (9 to 255) of a later version: stored, chained, forwarded, shown as unknown, never applied.
    Unknown(u8),
}

impl Kind {
    /// Its number in a header.
    pub const fn code(self) -> u8 {
        match self {
            Kind::Change => 1,
            Kind::Receipt => 2,
            Kind::HostComment => 3,
            Kind::Concurrence => 4,
            Kind::Objection => 5,
            Kind::Dissent => 6,
            Kind::Ruling => 7,
            Kind::CoAuthorship => 8,
            Kind::Unknown(code) => code,
        }
    }

    /// The word for it in the spec.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Change => "change",
            Kind::Receipt => "receipt",
            Kind::HostComment => "host-comment",
            Kind::Concurrence => "concurrence",
            Kind::Objection => "objection",
            Kind::Dissent => "dissent",
            Kind::Ruling => "ruling",
            Kind::CoAuthorship => "co-authorship",
            Kind::Unknown(_) => "unknown",
        }
    }

    /// The kind with this number; `None` for 0 and beyond 255.
    pub fn from_code(code: u64) -> Option<Self> {
        match u8::try_from(code).ok()? {
            0 => None,
            1 => Some(Kind::Change),
            2 => Some(Kind::Receipt),
            3 => Some(Kind::HostComment),
            4 => Some(Kind::Concurrence),
            5 => Some(Kind::Objection),
            6 => Some(Kind::Dissent),
            7 => Some(Kind::Ruling),
            8 => Some(Kind::CoAuthorship),
            code => Some(Kind::Unknown(code)),
        }
    }
}

/// What an entry's place in its log rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// The log begins here (seq 0).
    First {
        /// The certificate under which all entries of the log are signed.
        certificate: StatementId,
        /// The last known head of every earlier epoch of the same key, in any scope; ascending by (scope, epoch).
        earlier: Vec<LogHead>,
    },
    /// The log goes on (seq 1 and above).
    Later {
        /// The entry before.
        prev: EntryId,
    },
}

/// The record that an entry is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The entry creates a record, whose id is the entry's.
    Creates {
        /// The numbers of the parties whose observers may write, ascending; empty: the author's party alone.
        writers: Vec<u64>,
    },
    /// The entry is about a record that exists.
    Of {
        /// That record.
        record: RecordId,
        /// The entries of it that this one builds on (a change) or is about (a signature role), ascending.
        refs: Vec<EntryId>,
    },
}

/// What a change entry commits to beyond its body, so that one answer can be shown alone (`spec/claims.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// The root over the claims.
    pub root: NodeHash,
    /// The form definition whose leaf table the claims follow.
    pub form: FormHash,
}

/// The content of a header. On its own it proves nothing; [`VerifiedEntry`](super::VerifiedEntry) holds one that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The mission.
    pub mission: MissionId,

    /// The log, together with the signer's key: its scope.
    pub scope: ScopeId,
    /// The log, together with the signer's key: its epoch.
    pub epoch: Epoch,
    /// The place in the log, from 0.
    pub seq: u64,
    /// What that place rests on.
    pub position: Position,

    /// What the entry is.
    pub kind: Kind,
    /// The record it is about.
    pub subject: Subject,
    /// SHA-256 of the body.
    pub body: [u8; DIGEST_BYTES],
    /// Present in a change, and only there.
    pub commitment: Option<Commitment>,
    /// The newest cosigned checkpoint note the signer held: the entry was not made before it.
    pub seen: Option<NoteHash>,
}

impl Header {
    /// The record named, or `None` if the entry creates one.
    pub fn record(&self) -> Option<RecordId> {
        match &self.subject {
            Subject::Creates { writers: _ } => None,
            Subject::Of { record, refs: _ } => Some(*record),
        }
    }

    /// The entries named; none in an entry that creates a record.
    pub fn refs(&self) -> &[EntryId] {
        match &self.subject {
            Subject::Creates { writers: _ } => &[],
            Subject::Of { record: _, refs } => refs,
        }
    }

    /// The payload of the envelope.
    pub fn encode(&self) -> Vec<u8> {
        let Header { mission, scope, epoch, seq, position, kind, subject, body, commitment, seen } = self;
        let creates_for_others = matches!(subject, Subject::Creates { writers } if !writers.is_empty());
        let subject_fields = match subject {
            Subject::Creates { writers: _ } => usize::from(creates_for_others),
            Subject::Of { record: _, refs: _ } => 2,
        };
        let commitment_fields = if commitment.is_some() { 2 } else { 0 };

        let mut writer = Writer::with_capacity(384);
        writer.map(7 + subject_fields + commitment_fields + usize::from(seen.is_some()));
        writer.uint(1).bytes(mission.as_bytes());
        writer.uint(2).bytes(scope.as_bytes());
        writer.uint(3).bytes(epoch.as_bytes());
        writer.uint(4).uint(*seq);
        match position {
            Position::Later { prev } => {
                writer.uint(5).bytes(prev.as_bytes());
            }
            Position::First { certificate, earlier } => {
                writer.uint(6).array(2).bytes(certificate.as_bytes()).array(earlier.len());
                earlier.iter().for_each(|head| head.encode(&mut writer));
            }
        }
        writer.uint(7).uint(u64::from(kind.code()));
        if let Subject::Of { record, refs } = subject {
            writer.uint(8).bytes(record.as_bytes());
            writer.uint(9).array(refs.len());
            refs.iter().for_each(|id| {
                writer.bytes(id.as_bytes());
            });
        }
        writer.uint(10).bytes(body);
        if let Some(Commitment { root, form }) = commitment {
            writer.uint(11).bytes(root);
            writer.uint(12).bytes(form.as_bytes());
        }
        if let Some(note) = seen {
            writer.uint(13).bytes(note.as_bytes());
        }
        if let Subject::Creates { writers } = subject
            && creates_for_others
        {
            writer.uint(14).array(writers.len());
            writers.iter().for_each(|party| {
                writer.uint(*party);
            });
        }
        writer.finish()
    }

    /// Decodes the payload of an envelope and checks the header rules, and the log rules that need no other entry.
    ///
    /// # Errors
    /// `shape` or `size-limit`, `mission-mismatch`, `header-create`, `refs-order`, `writers-order`, `earlier-order`,
    /// `log-start`, `log-full`, in this order.
    pub(super) fn decode_under<P: Policy>(payload: &[u8], mission: MissionId, policy: P) -> Result<Self, Refused> {
        Fields::decode(payload, policy)?.judge(mission, policy)
    }
}

/// A header that has the right shape, before the rules between its fields were checked.
struct Fields {
    mission: MissionId,
    scope: ScopeId,
    epoch: Epoch,
    seq: u64,
    prev: Option<EntryId>,
    start: Option<(StatementId, Vec<LogHead>)>,
    kind: Kind,
    record: Option<RecordId>,
    refs: Vec<EntryId>,
    body: [u8; DIGEST_BYTES],
    commitment: Option<Commitment>,
    seen: Option<NoteHash>,
    writers: Vec<u64>,
}

impl Fields {
    fn decode<P: Policy>(payload: &[u8], policy: P) -> Result<Self, Refused> {
        let mut reader = Reader::with(payload, policy);
        let (mut mission, mut scope, mut epoch, mut seq, mut prev, mut start) = (None, None, None, None, None, None);
        let (mut kind, mut record, mut refs, mut body) = (None, None, Vec::new(), None);
        let (mut claims, mut form, mut seen, mut writers) = (None, None, None, Vec::new());
        let mut fields = reader.map("header")?;
        while let Some(key) = fields.next(&mut reader)? {
            match key {
                1 => mission = Some(MissionId::from_bytes(reader.array_of("mission")?)),
                2 => scope = Some(ScopeId::from_bytes(reader.array_of("scope")?)),
                3 => epoch = Some(Epoch::from_bytes(reader.array_of("epoch")?)),
                4 => seq = Some(reader.uint("seq")?),
                5 => prev = Some(EntryId::from_bytes(reader.array_of("prev")?)),
                6 => start = Some(read_start(&mut reader)?),
                7 => kind = Some(Kind::from_code(reader.uint("kind")?).ok_or(shape("kind"))?),
                8 => record = Some(RecordId::from_bytes(reader.array_of("record")?)),
                9 => refs = read_some(&mut reader, REFS_MAX, "refs", |r| r.array_of("refs").map(EntryId::from_bytes))?,
                10 => body = Some(reader.array_of("body")?),
                11 => claims = Some(reader.array_of("claims")?),
                12 => form = Some(FormHash::from_bytes(reader.array_of("form")?)),
                13 => seen = Some(NoteHash::from_bytes(reader.array_of("seen")?)),
                14 => writers = read_some(&mut reader, WRITERS_MAX, "writers", |r| r.uint("writers"))?,
                _ => return Err(shape("header")),
            }
        }
        reader.finish("header")?;

        let kind = kind.ok_or(shape("kind"))?;
        let commitment = match (claims, form) {
            (Some(root), Some(form)) if kind == Kind::Change => Some(Commitment { root, form }),
            (None, None) if kind != Kind::Change => None,
            _ => return Err(shape("claims and form")),
        };
        if record.is_some() && !writers.is_empty() {
            return Err(shape("writers"));
        }
        Ok(Self {
            mission: mission.ok_or(shape("mission"))?,
            scope: scope.ok_or(shape("scope"))?,
            epoch: epoch.ok_or(shape("epoch"))?,
            seq: seq.ok_or(shape("seq"))?,
            prev,
            start,
            kind,
            record,
            refs,
            body: body.ok_or(shape("body"))?,
            commitment,
            seen,
            writers,
        })
    }

    fn judge<P: Policy>(self, expected_mission: MissionId, policy: P) -> Result<Header, Refused> {
        let Fields { mission, scope, epoch, seq, prev, start, kind, record, refs, body, commitment, seen, writers } =
            self;
        policy.require(mission == expected_mission, Check::MissionMismatch, "mission")?;
        policy.require(record.is_none() == refs.is_empty(), Check::HeaderCreate, "record and refs")?;
        policy.require(record.is_some() || kind == Kind::Change, Check::HeaderCreate, "kind")?;
        policy.require(refs.is_sorted_by(|a, b| a < b), Check::RefsOrder, "refs")?;
        policy.require(writers.is_sorted_by(|a, b| a < b), Check::WritersOrder, "writers")?;
        if let Some((_, earlier)) = &start {
            policy.require(earlier.is_sorted_by(|a, b| a.log() < b.log()), Check::EarlierOrder, "earlier")?;
        }
        let is_placed = start.is_some() == (seq == 0) && prev.is_some() == (seq > 0);
        policy.require(is_placed, Check::LogStart, "start and prev")?;
        policy.require(seq < LOG_ENTRIES_MAX, Check::LogFull, "seq")?;

        let position = match (start, prev) {
            (Some((certificate, earlier)), _) => Position::First { certificate, earlier },
            (None, Some(prev)) => Position::Later { prev },
            // Without either there is nothing to represent, whatever the policy.
            (None, None) => return Err(Refused { check: Check::LogStart, what: "start and prev" }),
        };
        let subject = match record {
            Some(record) => Subject::Of { record, refs },
            None => Subject::Creates { writers },
        };
        Ok(Header { mission, scope, epoch, seq, position, kind, subject, body, commitment, seen })
    }
}

fn read_start<P: Policy>(reader: &mut Reader<'_, P>) -> Result<(StatementId, Vec<LogHead>), Refused> {
    reader.array_exact(2, "start")?;
    let certificate = StatementId::from_bytes(reader.array_of("certificate")?);
    let earlier = LogHead::decode_list(reader, EARLIER_MAX, "earlier")?;
    reader.leave();
    Ok((certificate, earlier))
}

/// An array of at least one item.
fn read_some<'a, T, P: Policy>(
    reader: &mut Reader<'a, P>,
    len_max: usize,
    what: &'static str,
    mut item: impl FnMut(&mut Reader<'a, P>) -> Result<T, Refused>,
) -> Result<Vec<T>, Refused> {
    let len = reader.array(len_max, what)?;
    if len == 0 {
        return Err(shape(what));
    }
    let items = (0..len).map(|_| item(reader)).collect::<Result<_, _>>()?;
    reader.leave();
    Ok(items)
}

const fn shape(what: &'static str) -> Refused {
    Refused { check: Check::Shape, what }
}
