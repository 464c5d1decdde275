//! One stretch of a log file, judged on its own: framing, canonical form, signatures, bodies against their hashes.
//!
//! ```text
//! bytes of a log file ──split──▶ stretches ──check_entries──▶ Checked…  (each stretch on any core)
//!                                                    in order ──▶ LogWalk
//! ```

use crate::cbor::{Kind as Item, Reader};
use crate::check::{Check, Refused};
use crate::entry::{BODY_BYTES_MAX, Clock, HEADER_BYTES_MAX, Kind, Position, Seal, SignedEntry, VerifiedEntry};
use crate::id::{EntryId, Epoch, LogId, MissionId, NoteHash, RecordId, ScopeId};
use crate::key::{KEY_BYTES, KeyCache};

use super::Pass;

/// Largest item of a log file: the array's head, a header and a body, each with its length.
pub const ITEM_BYTES_MAX: usize = 1 + 3 + HEADER_BYTES_MAX + 5 + BODY_BYTES_MAX;

/// How far a buffer holds whole items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// The bytes of the whole items; what follows belongs to the next stretch.
    pub bytes: usize,
    /// What is wrong behind them: the rest of the file cannot be told apart into entries.
    pub broken: Option<Refused>,
}

/// Finds the end of the last whole item that begins before `target`.
///
/// `buffer` holds at least `target` + [`ITEM_BYTES_MAX`] bytes, or the file ends with it (`is_last`).
pub fn split(buffer: &[u8], is_last: bool, target: usize) -> Split {
    let mut at = 0;
    while at < target && at < buffer.len() && (is_last || buffer.len() - at >= ITEM_BYTES_MAX) {
        match read_item(&buffer[at..]) {
            Ok((_, bytes)) => at += bytes,
            Err(refused) => return Split { bytes: at, broken: Some(refused) },
        }
    }
    Split { bytes: at, broken: None }
}

/// Reads the item at the start of `bytes`: the entry in it, and how many bytes it takes.
///
/// # Errors
/// An encoding code, `shape` or `size-limit`.
pub fn read_item(bytes: &[u8]) -> Result<(SignedEntry<'_>, usize), Refused> {
    let (header, body, len) = read_parts(bytes)?;
    Ok((SignedEntry::new(header, body), len))
}

type Parts<'a> = (&'a [u8], Option<&'a [u8]>, usize);

fn read_parts(bytes: &[u8]) -> Result<Parts<'_>, Refused> {
    let what = "item of a log file";
    let mut reader = Reader::new(bytes);
    reader.array_exact(2, what)?;
    let header = reader.bytes(what)?;
    let body = match reader.peek(what)? {
        Item::Null => {
            reader.null(what)?;
            None
        }
        _ => Some(reader.bytes(what)?),
    };
    let len = reader.position();
    let fits = header.len() <= HEADER_BYTES_MAX && body.is_none_or(|body| body.len() <= BODY_BYTES_MAX);
    if fits { Ok((header, body, len)) } else { Err(Refused { check: Check::SizeLimit, what }) }
}

/// One item of a log file, judged.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Where in the file it begins.
    pub offset: u64,
    /// What it is, or why it is no entry.
    pub outcome: Result<EntryFacts, Spoilt>,
}

/// What the rest of the audit needs of an authentic entry.
#[derive(Clone, Debug)]
pub struct EntryFacts {
    /// That it verified.
    pub seal: Seal,
    /// Its log.
    pub log: LogId,
    /// Who signed it.
    pub key: [u8; KEY_BYTES],
    /// The log's scope.
    pub scope: ScopeId,
    /// The log's epoch.
    pub epoch: Epoch,
    /// Its position.
    pub seq: u64,
    /// What that rests on.
    pub position: Position,
    /// Its kind.
    pub kind: Kind,
    /// Its record.
    pub record: RecordId,
    /// The checkpoint note it names.
    pub seen: Option<NoteHash>,
    /// Its body.
    pub body: BodyFacts,
}

impl EntryFacts {
    /// Its id.
    pub fn id(&self) -> EntryId {
        self.seal.id()
    }
}

/// A body as far as its header judges it.
#[derive(Clone, Copy, Debug)]
pub enum BodyFacts {
    /// It is the one that was signed. The clock of its context, when that was asked for and can be read.
    Held(Option<Clock>),
    /// It is not there.
    Withheld,
    /// It is not the one that was signed.
    Wrong(Refused),
}

/// Bytes where an entry should be.
#[derive(Clone, Copy, Debug)]
pub struct Spoilt {
    /// The hash of what stands there in place of a header.
    pub id: EntryId,
    /// The position it claims, if that can be read.
    pub seq: Option<u64>,
    /// The check it fails.
    pub refused: Refused,
}

/// Judges each entry of a stretch that [`split`] cut off, on its own.
///
/// `offset` is where the stretch begins in its file. The full pass also reads each body's clock.
pub fn check_entries(stretch: &[u8], offset: u64, mission: MissionId, pass: Pass, keys: &mut KeyCache) -> Vec<Checked> {
    let mut checked = Vec::with_capacity(stretch.len() / 512 + 1);
    let mut at = 0;
    while at < stretch.len() {
        // `split` read every item of the stretch before.
        let Ok((header, body, len)) = read_parts(&stretch[at..]) else { break };
        let outcome = check_entry(header, body, mission, pass, keys);
        checked.push(Checked { offset: offset + at as u64, outcome });
        at += len;
    }
    checked
}

fn check_entry(
    header: &[u8],
    body: Option<&[u8]>,
    mission: MissionId,
    pass: Pass,
    keys: &mut KeyCache,
) -> Result<EntryFacts, Spoilt> {
    let mut wrong = None;
    let verified = SignedEntry::new(header, body).verify(mission, keys).or_else(|refused| {
        if body.is_none() {
            return Err(refused);
        }
        // Only the body can be at fault when the header alone verifies.
        let entry = SignedEntry::new(header, None).verify(mission, keys)?;
        wrong = Some(refused);
        Ok(entry)
    });
    let spoilt = |refused| Spoilt { id: EntryId::of(header), seq: claimed_seq(header), refused };
    verified.map(|entry| EntryFacts::of(&entry, wrong, pass)).map_err(spoilt)
}

impl EntryFacts {
    fn of(entry: &VerifiedEntry, wrong: Option<Refused>, pass: Pass) -> Self {
        let header = entry.header();
        let body = match (wrong, entry.body_bytes(), pass) {
            (Some(refused), _, _) => BodyFacts::Wrong(refused),
            (None, None, _) => BodyFacts::Withheld,
            (None, Some(_), Pass::Fast) => BodyFacts::Held(None),
            (None, Some(_), Pass::Full) => BodyFacts::Held(entry.body().ok().flatten().map(|body| body.context.clock)),
        };
        Self {
            seal: entry.seal(),
            log: entry.log(),
            key: *entry.key().as_bytes(),
            scope: header.scope,
            epoch: header.epoch,
            seq: header.seq,
            position: header.position.clone(),
            kind: header.kind,
            record: entry.record(),
            seen: header.seen,
            body,
        }
    }
}

/// The seq in a header that did not verify; it only says where the bytes claim to belong.
fn claimed_seq(header: &[u8]) -> Option<u64> {
    let what = "claimed seq";
    let mut envelope = Reader::new(header);
    envelope.array_exact(4, what).ok()?;
    envelope.bytes(what).ok()?;
    envelope.skip(what).ok()?;
    let mut payload = Reader::new(envelope.bytes(what).ok()?);
    let mut fields = payload.map(what).ok()?;
    while let Some(key) = fields.next(&mut payload).ok()? {
        if key == 4 {
            return payload.uint(what).ok();
        }
        payload.skip(what).ok()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cbor::Writer;

    fn item(header: usize, body: Option<usize>) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.array(2).bytes(&vec![7; header]);
        match body {
            Some(body) => writer.bytes(&vec![8; body]),
            None => writer.null(),
        };
        writer.finish()
    }

    #[test]
    fn a_file_splits_at_items_whatever_the_target() {
        let file: Vec<u8> = [item(300, Some(500)), item(20, None), item(1, Some(0))].concat();
        let whole = split(&file, true, usize::MAX);
        assert_eq!(whole, Split { bytes: file.len(), broken: None });
        assert_eq!(split(&file, true, 1).bytes, item(300, Some(500)).len());
        assert_eq!(split(&file, false, usize::MAX).bytes, 0, "the last item may go on");
        assert_eq!(split(&[], true, 10), Split { bytes: 0, broken: None });
    }

    #[test]
    fn what_is_no_item_ends_the_file_by_name() {
        let good = item(30, None);
        let rows: [(&[u8], Check); 5] = [
            (&[0x00], Check::Shape),
            (&[0x82, 0x41], Check::CborMalformed),
            (&[0x9f, 0xff], Check::CborIndefinite),
            (&item(HEADER_BYTES_MAX + 1, None), Check::SizeLimit),
            (&item(10, Some(BODY_BYTES_MAX + 1)), Check::SizeLimit),
        ];
        for (bad, wanted) in rows {
            let file = [&good, bad].concat();
            let found = split(&file, true, usize::MAX);
            assert_eq!((found.bytes, found.broken.map(|refused| refused.check)), (good.len(), Some(wanted)));
        }
        assert_eq!(item(HEADER_BYTES_MAX, Some(BODY_BYTES_MAX)).len(), ITEM_BYTES_MAX);
    }
}
