//! What entries must keep and what is refused, with entries built byte by byte.

use super::log::follows;
use super::*;
use crate::cbor::Writer;
use crate::cose;
use crate::id::{BlobHash, Epoch, FormHash, NoteHash, ScopeId, StatementId};
use crate::key::SigningKey;

const MISSION: MissionId = MissionId::from_bytes([1; 32]);
const SCOPE: ScopeId = ScopeId::from_bytes([2; 8]);
const EPOCH: Epoch = Epoch::from_bytes([3; 8]);

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn context() -> Context {
    Context {
        clock: Clock {
            wall_ms: -1,
            uptime_ms: u64::MAX,
            boot: [4; 8],
            offset_min: -1_440,
            source: ClockSource::Satellite,
        },
        place: Some(Place {
            lat_e7: -900_000_000,
            lon_e7: 1_800_000_000,
            accuracy_m: 12,
            source: PlaceSource::Registry,
        }),
        post: Some("Ягодин".into()),
        observer: "O. Kovalenko".into(),
        photos: Vec::new(),
    }
}

fn photo(first: u8) -> Photo {
    let rendition =
        Rendition { sha256: BlobHash::from_bytes([9; 32]), bytes: 900, chunks: [8; 32], width: 3, height: 2 };
    Photo {
        sha256: BlobHash::from_bytes([first; 32]),
        bytes: PHOTO_BYTES_MAX,
        chunks: [5; 32],
        media: Media::Heic,
        width: Some(4_000),
        height: None,
        thumbnail: RenditionOrReason::Rendition(rendition),
        preview: RenditionOrReason::Missing(MissingReason::TooManyPixels),
    }
}

fn creating() -> EntryDraft {
    EntryDraft {
        mission: MISSION,
        scope: SCOPE,
        epoch: EPOCH,
        seq: 0,
        position: Position::First { certificate: StatementId::from_bytes([6; 32]), earlier: Vec::new() },
        kind: Kind::Change,
        subject: Subject::Creates { writers: Vec::new() },
        body: Body { content: Content::Change(b"change".to_vec()), context: context() },
        commitment: Some(Commitment { root: [10; 32], form: FormHash::from_bytes([11; 32]) }),
        seen: None,
    }
}

fn saying(kind: Kind, tip: &Tip, record: RecordId) -> EntryDraft {
    let (seq, position) = tip.next();
    EntryDraft {
        seq,
        position,
        kind,
        subject: Subject::Of { record, refs: vec![record.as_entry()] },
        body: Body {
            content: Content::Role { reason: None, text: Some("because\nof this".into()), seed: [12; 16] },
            context: context(),
        },
        commitment: None,
        ..creating()
    }
}

fn signed(draft: EntryDraft) -> VerifiedEntry {
    draft.sign(&key()).expect("a good draft")
}

fn verify(header: &[u8], body: Option<&[u8]>) -> Result<VerifiedEntry, Refused> {
    SignedEntry::new(header, body).verify(MISSION, &mut KeyCache::new())
}

fn code<T>(result: Result<T, Refused>) -> Option<Check> {
    result.err().map(|refused| refused.check)
}

fn seal(payload: &[u8]) -> Vec<u8> {
    cose::sign(Label::Entry, &key(), payload).expect("a key in memory signs")
}

fn head(scope: u8, epoch: u8) -> LogHead {
    let (scope, epoch) = (ScopeId::from_bytes([scope; 8]), Epoch::from_bytes([epoch; 8]));
    LogHead { scope, epoch, seq: 70_000, id: EntryId::from_bytes([13; 32]) }
}

#[test]
fn what_is_signed_is_what_the_verifier_reads() {
    let first = signed(creating());
    let tip = follows(None, &first).expect("the first of its log");
    let mut drafts = vec![("creating", creating())];
    drafts.push((
        "creating for others, lists unsorted",
        EntryDraft {
            position: Position::First {
                certificate: StatementId::from_bytes([6; 32]),
                earlier: vec![head(2, 1), head(1, 9), head(1, 8)],
            },
            subject: Subject::Creates { writers: vec![300, 2, 2] },
            seen: Some(NoteHash::from_bytes([14; 32])),
            body: Body {
                content: Content::Change(vec![0; 262_144]),
                context: Context { photos: vec![photo(2), photo(1)], place: None, post: None, ..context() },
            },
            ..creating()
        },
    ));
    let roles: Vec<Kind> = (2..=8).filter_map(Kind::from_code).collect();
    drafts.extend(roles.into_iter().map(|kind| ("saying", saying(kind, &tip, first.record()))));
    for (name, draft) in drafts {
        let entry = signed(draft.clone());
        let again = verify(entry.header_bytes(), entry.body_bytes()).expect("what was signed verifies");
        assert_eq!(again, entry, "{name}");
        assert_eq!(again.header().encode(), Header::encode(entry.header()));
        let body = again.body().expect("a good body").expect("a body");
        assert_eq!(body.encode(), entry.body_bytes().expect("a body"), "{name}");
        assert_eq!(body.content, draft.body.content, "{name}");
        assert_eq!(again.id(), SignedEntry::new(entry.header_bytes(), None).id());
        assert_eq!(again.log(), LogId::derive(key().public().as_bytes(), SCOPE, EPOCH));
    }
}

#[test]
fn a_creating_entry_names_its_record_by_its_own_id() {
    let first = signed(creating());
    assert_eq!(first.record().as_entry(), first.id());
    let tip = follows(None, &first).expect("the first of its log");
    assert_eq!(signed(saying(Kind::Receipt, &tip, first.record())).record(), first.record());
}

#[test]
fn header_and_body_verify_apart() {
    let entry = signed(creating());
    let mut header = verify(entry.header_bytes(), None).expect("a withheld body is no fault");
    assert_eq!((header.body_bytes(), header.body()), (None, Ok(None)));
    assert_eq!(code(header.attach_body(b"another")), Some(Check::BodyHash));
    assert_eq!(code(header.attach_body(&vec![0; BODY_BYTES_MAX + 1])), Some(Check::SizeLimit));
    assert_eq!(header.body_bytes(), None);
    header.attach_body(entry.body_bytes().expect("a body")).expect("the body that was signed");
    assert_eq!(header, entry);
    header.remove_body();
    assert_eq!(header.body_bytes(), None);
    assert_eq!(code(verify(entry.header_bytes(), Some(b"another"))), Some(Check::BodyHash));
}

#[test]
fn a_kind_of_a_later_version_is_kept_and_its_body_not_read() {
    let first = signed(creating());
    let tip = follows(None, &first).expect("the first of its log");
    for number in [9, 255] {
        let draft = EntryDraft { kind: Kind::Unknown(number), ..saying(Kind::Receipt, &tip, first.record()) };
        let entry = signed(draft);
        assert_eq!(entry.header().kind, Kind::Unknown(number));
        assert!(entry.body_bytes().is_some());
        assert_eq!(entry.body(), Ok(None));
    }
    let later = Kind::Unknown(9);
    assert_eq!(Body::decode(later, &Raw([(70, item(|w| w.null()))].into()).encode()), Ok(None));
    assert_eq!(code(Body::decode(later, &[0x80])), Some(Check::Shape));
    assert_eq!(code(Body::decode(later, &[0xa1, 0x01])), Some(Check::CborMalformed));
}

#[test]
fn signatures_and_keys_that_are_crafted_are_refused() {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use curve25519_dalek::edwards::CompressedEdwardsY;

    let good = signed(creating()).header_bytes().to_vec();
    let own = *key().public().as_bytes();
    let with_kid = |kid: [u8; 32]| {
        let at = good.windows(32).position(|window| window == own).expect("the kid");
        let mut bytes = good.clone();
        bytes[at..at + 32].copy_from_slice(&kid);
        bytes
    };
    let point = CompressedEdwardsY(own).decompress().expect("a point");
    let mut not_canonical = [0xff; 32];
    (not_canonical[0], not_canonical[31]) = (0xee, 0x7f);
    let mut damaged = good.clone();
    *damaged.last_mut().expect("not empty") ^= 1;
    let rows = [
        ("identity key", with_kid(EIGHT_TORSION[0].compress().0), Check::KeyWeak),
        ("key of small order", with_kid(EIGHT_TORSION[1].compress().0), Check::KeyWeak),
        ("key plus torsion", with_kid((point + EIGHT_TORSION[1]).compress().0), Check::KeyMixedOrder),
        ("other encoding of the key", with_kid(not_canonical), Check::KeyNotCanonical),
        ("another's key", with_kid(*SigningKey::from_seed(&[8; 32]).public().as_bytes()), Check::SignatureInvalid),
        ("S + L", plus_l(&good), Check::SignatureInvalid),
        ("damaged S", damaged, Check::SignatureInvalid),
        ("label of another type", cose::sign(Label::Cut, &key(), b"\xa0").expect("signs"), Check::CoseType),
    ];
    for (name, bytes, wanted) in rows {
        assert_eq!(code(verify(&bytes, None)), Some(wanted), "{name}");
    }
}

/// The same signature with S + L in the place of S.
fn plus_l(header: &[u8]) -> Vec<u8> {
    const L_LOW: [u8; 16] =
        [0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14];
    let mut l = [0; 32];
    l[..16].copy_from_slice(&L_LOW);
    l[31] = 0x10;
    let mut bytes = header.to_vec();
    let at = bytes.len() - 32;
    let mut carry = 0;
    for (byte, l) in bytes[at..].iter_mut().zip(l) {
        let sum = u16::from(*byte) + u16::from(l) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    bytes
}

/// A header as pairs of key and encoded value, to build what no [`Header`] can hold.
#[derive(Clone)]
struct Raw(std::collections::BTreeMap<u64, Vec<u8>>);

impl Raw {
    fn creating() -> Self {
        let id = |byte: u8| item(|w| w.bytes(&[byte; 32]));
        let start = item(|w| w.array(2).bytes(&[6; 32]).array(0));
        let pairs = [
            (1, item(|w| w.bytes(MISSION.as_bytes()))),
            (2, item(|w| w.bytes(SCOPE.as_bytes()))),
            (3, item(|w| w.bytes(EPOCH.as_bytes()))),
            (4, item(|w| w.uint(0))),
            (6, start),
            (7, item(|w| w.uint(1))),
            (10, id(9)),
            (11, id(10)),
            (12, id(11)),
        ];
        Self(pairs.into())
    }

    fn later() -> Self {
        let id = |byte: u8| item(|w| w.bytes(&[byte; 32]));
        let refs = item(|w| w.array(2).bytes(&[1; 32]).bytes(&[2; 32]));
        Self::creating().without(6).with(4, item(|w| w.uint(1))).with(5, id(5)).with(8, id(8)).with(9, refs)
    }

    fn with(mut self, key: u64, value: Vec<u8>) -> Self {
        self.0.insert(key, value);
        self
    }

    fn without(mut self, key: u64) -> Self {
        self.0.remove(&key);
        self
    }

    fn encode(&self) -> Vec<u8> {
        item(|w| {
            w.map(self.0.len());
            for (key, value) in &self.0 {
                w.uint(*key).raw(value);
            }
            w
        })
    }
}

fn item(write: impl FnOnce(&mut Writer) -> &mut Writer) -> Vec<u8> {
    let mut writer = Writer::new();
    write(&mut writer);
    writer.finish()
}

fn ids(bytes: &[u8]) -> Vec<u8> {
    item(|w| {
        w.array(bytes.len());
        bytes.iter().for_each(|byte| {
            w.bytes(&[*byte; 32]);
        });
        w
    })
}

fn numbers(values: &[u64]) -> Vec<u8> {
    item(|w| {
        w.array(values.len());
        values.iter().for_each(|value| {
            w.uint(*value);
        });
        w
    })
}

fn start(heads: &[LogHead]) -> Vec<u8> {
    item(|w| {
        w.array(2).bytes(&[6; 32]).array(heads.len());
        heads.iter().for_each(|head| head.encode(w));
        w
    })
}

fn many_heads(len: usize) -> Vec<LogHead> {
    let numbered = |at: usize| Epoch::from_bytes((at as u64).to_be_bytes());
    (0..len).map(|at| LogHead { epoch: numbered(at), ..head(1, 0) }).collect()
}

fn many_refs(len: usize) -> Vec<u8> {
    item(|w| {
        w.array(len);
        (0..len as u64).for_each(|at| {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&at.to_be_bytes());
            w.bytes(&id);
        });
        w
    })
}

#[test]
fn headers_at_their_limits_are_accepted() {
    let writers: Vec<u64> = (0..=WRITERS_MAX as u64).map(|at| u64::MAX - 64 + at).collect();
    let full = Raw::creating()
        .with(6, start(&many_heads(EARLIER_MAX)))
        .with(13, ids(&[1])[1..].to_vec())
        .with(14, numbers(&writers[1..]));
    let last = Raw::later().with(4, item(|w| w.uint(LOG_ENTRIES_MAX - 1))).with(9, many_refs(REFS_MAX));
    let first_of_both = Raw::later()
        .without(5)
        .with(4, item(|w| w.uint(0)))
        .with(6, start(&many_heads(EARLIER_MAX)))
        .with(9, many_refs(REFS_MAX));
    for (at, raw) in [Raw::creating(), Raw::later(), full, last, first_of_both].into_iter().enumerate() {
        let bytes = seal(&raw.encode());
        assert_eq!(code(verify(&bytes, None)), None, "header {at}");
        assert!(bytes.len() <= HEADER_BYTES_MAX);
    }
}

#[test]
fn refusals_of_the_header() {
    let (creating, later) = (Raw::creating, Raw::later);
    let uint = |value| item(|w| w.uint(value));
    let too_many: Vec<u64> = (0..=WRITERS_MAX as u64).collect();
    let role = || later().with(7, uint(2)).without(11).without(12);
    let rows: Vec<(&str, Raw, Check)> = vec![
        ("another mission", creating().with(1, item(|w| w.bytes(&[99; 32]))), Check::MissionMismatch),
        ("no mission", creating().without(1), Check::Shape),
        ("no scope", creating().without(2), Check::Shape),
        ("no epoch", creating().without(3), Check::Shape),
        ("no seq", creating().without(4), Check::Shape),
        ("no kind", creating().without(7), Check::Shape),
        ("no body", creating().without(10), Check::Shape),
        ("change without claims", creating().without(11), Check::Shape),
        ("change without form", creating().without(12), Check::Shape),
        ("role with claims", later().with(7, uint(2)), Check::Shape),
        ("role with a form", later().with(7, uint(2)).without(11), Check::Shape),
        ("unknown key", creating().with(15, uint(0)), Check::Shape),
        ("scope too short", creating().with(2, item(|w| w.bytes(&[2; 7]))), Check::Shape),
        ("seq as bytes", creating().with(4, item(|w| w.bytes(&[0]))), Check::Shape),
        ("negative seq", creating().with(4, item(|w| w.int(-1))), Check::Shape),
        ("kind 0", creating().with(7, uint(0)), Check::Shape),
        ("kind 256", creating().with(7, uint(256)), Check::Shape),
        ("null record", creating().with(8, item(|w| w.null())), Check::Shape),
        ("start of three", creating().with(6, item(|w| w.array(3).bytes(&[6; 32]).array(0).null())), Check::Shape),
        ("empty refs", later().with(9, ids(&[])), Check::Shape),
        ("empty writers", creating().with(14, ids(&[])), Check::Shape),
        ("writers of another's record", later().with(14, numbers(&[1])), Check::Shape),
        ("record without refs", later().without(9), Check::HeaderCreate),
        ("refs without record", later().without(8), Check::HeaderCreate),
        ("role that creates", role().without(8).without(9), Check::HeaderCreate),
        ("unknown kind that creates", role().with(7, uint(8)).without(8).without(9), Check::HeaderCreate),
        ("refs descending", later().with(9, ids(&[2, 1])), Check::RefsOrder),
        ("refs twice", later().with(9, ids(&[1, 1])), Check::RefsOrder),
        ("writers descending", creating().with(14, numbers(&[2, 1])), Check::WritersOrder),
        ("writers twice", creating().with(14, numbers(&[1, 1])), Check::WritersOrder),
        ("earlier descending", creating().with(6, start(&[head(2, 1), head(1, 2)])), Check::EarlierOrder),
        ("earlier twice", creating().with(6, start(&[head(1, 1), head(1, 1)])), Check::EarlierOrder),
        ("seq 0 without start", creating().without(6), Check::LogStart),
        ("seq 0 with prev", creating().with(5, item(|w| w.bytes(&[5; 32]))), Check::LogStart),
        ("seq 0 with prev for start", later().with(4, uint(0)), Check::LogStart),
        ("seq 1 with start", later().with(6, start(&[])), Check::LogStart),
        ("seq 1 without prev", later().without(5), Check::LogStart),
        ("log full", later().with(4, uint(LOG_ENTRIES_MAX)), Check::LogFull),
        ("too many refs", later().with(9, many_refs(REFS_MAX + 1)), Check::SizeLimit),
        ("too many earlier", creating().with(6, start(&many_heads(EARLIER_MAX + 1))), Check::SizeLimit),
        ("too many writers", creating().with(14, numbers(&too_many)), Check::SizeLimit),
    ];
    for (name, raw, wanted) in rows {
        assert_eq!(code(verify(&seal(&raw.encode()), None)), Some(wanted), "{name}");
    }
}

#[test]
fn the_first_failing_check_is_reported() {
    let twice_wrong = Raw::later().with(1, item(|w| w.bytes(&[99; 32]))).with(9, ids(&[2, 1]));
    assert_eq!(code(verify(&seal(&twice_wrong.encode()), None)), Some(Check::MissionMismatch));
    let unknown_key = twice_wrong.clone().with(15, item(|w| w.uint(0)));
    assert_eq!(code(verify(&seal(&unknown_key.encode()), None)), Some(Check::Shape));

    let spoiled = |bytes: Vec<u8>| {
        let mut bytes = bytes;
        *bytes.last_mut().expect("not empty") ^= 1;
        bytes
    };
    assert_eq!(code(verify(&spoiled(seal(&unknown_key.encode())), None)), Some(Check::SignatureInvalid));
    let float = twice_wrong.with(15, vec![0xf9, 0, 0]);
    assert_eq!(code(verify(&spoiled(seal(&float.encode())), None)), Some(Check::CborFloat));
    let wrong_type = cose::sign(Label::Cut, &key(), &float.encode()).expect("signs");
    assert_eq!(code(verify(&wrong_type, None)), Some(Check::CoseType));
    let large = vec![0xff; HEADER_BYTES_MAX + 1];
    assert_eq!(code(verify(&large, None)), Some(Check::SizeLimit));
}

#[derive(Clone, Copy)]
struct Without(Check);

impl Policy for Without {
    fn enforces(self, check: Check) -> bool {
        check != self.0
    }
}

#[test]
fn each_check_of_an_entry_is_the_only_one_that_refuses_some_entry() {
    let uint = |value| item(|w| w.uint(value));
    let seal = |raw: Raw| seal(&raw.encode());
    let mut damaged = seal(Raw::creating());
    *damaged.last_mut().expect("not empty") ^= 1;
    let creates_as_role = Raw::creating().with(7, uint(2)).without(11).without(12);
    let rows = [
        (Check::SizeLimit, seal(Raw::later().with(9, many_refs(REFS_MAX + 1)))),
        (Check::CborNonMinimal, seal(Raw::creating().with(7, vec![0x18, 0x01]))),
        (Check::CoseType, cose::sign(Label::Cut, &key(), &Raw::creating().encode()).expect("signs")),
        (Check::SignatureInvalid, damaged),
        (Check::MissionMismatch, seal(Raw::creating().with(1, item(|w| w.bytes(&[99; 32]))))),
        (Check::HeaderCreate, seal(Raw::later().without(9))),
        (Check::HeaderCreate, seal(creates_as_role)),
        (Check::RefsOrder, seal(Raw::later().with(9, ids(&[2, 1])))),
        (Check::WritersOrder, seal(Raw::creating().with(14, numbers(&[2, 1])))),
        (Check::EarlierOrder, seal(Raw::creating().with(6, start(&[head(2, 1), head(1, 2)])))),
        (Check::LogStart, seal(Raw::creating().with(4, uint(1)))),
        (Check::LogFull, seal(Raw::later().with(4, uint(LOG_ENTRIES_MAX)))),
    ];
    for (check, header) in rows {
        let entry = SignedEntry::new(&header, None);
        assert_eq!(code(entry.verify(MISSION, &mut KeyCache::new())), Some(check));
        let without = entry.verify_with(MISSION, &mut KeyCache::new(), Without(check));
        assert_eq!(code(without), None, "{check}");
    }
    let entry = signed(creating());
    let swapped = SignedEntry::new(entry.header_bytes(), Some(b"another"));
    assert_eq!(code(swapped.verify_with(MISSION, &mut KeyCache::new(), Without(Check::BodyHash))), None);
}

#[test]
fn refusals_of_the_body() {
    let clock = || item(|w| w.array(5).int(0).uint(0).bytes(&[4; 8]).int(0).uint(0));
    let clock_of = |offset, source| item(|w| w.array(5).int(0).uint(0).bytes(&[4; 8]).int(offset).uint(source));
    let place = |lat, lon, source| item(|w| w.array(4).int(lat).int(lon).uint(5).uint(source));
    let base = || Raw([(1, clock()), (4, item(|w| w.text("O")))].into());
    let change = |context: Raw| Raw([(1, item(|w| w.bytes(b"c"))), (2, context.encode())].into());
    let role = || Raw([(2, base().encode()), (5, item(|w| w.bytes(&[0; 16])))].into());
    let text = |text: &str| item(|w| w.text(text));
    let photos = |photos: &[Photo]| {
        item(|w| {
            Photo::encode_all(photos, w);
            w
        })
    };
    let uint = |value| item(|w| w.uint(value));
    let long = "x".repeat(TEXT_BYTES_MAX + 1);
    let all_photos: Vec<Photo> = (0..=PHOTOS_MAX as u8).map(photo).collect();
    let empty_photo = Photo { bytes: 0, ..photo(1) };
    let large_photo = Photo { bytes: PHOTO_BYTES_MAX + 1, ..photo(1) };
    let rendition = |bytes| {
        let made = Rendition { sha256: BlobHash::from_bytes([9; 32]), bytes, chunks: [8; 32], width: 3, height: 2 };
        Photo { preview: RenditionOrReason::Rendition(made), ..photo(1) }
    };
    let of_rendition = |bytes| change(base().with(5, photos(&[rendition(bytes)])));

    let rows: Vec<(&str, Kind, Raw, Option<Check>)> = vec![
        ("least change", Kind::Change, change(base()), None),
        ("all photos", Kind::Change, change(base().with(5, photos(&all_photos[1..]))), None),
        ("place at its limits", Kind::Change, change(base().with(2, place(900_000_000, -1_800_000_000, 4))), None),
        ("least receipt", Kind::Receipt, role(), None),
        ("longest text", Kind::Dissent, role().with(4, text(&long[1..])).with(3, uint(7)), None),
        ("change without change", Kind::Change, change(base()).without(1), Some(Check::Shape)),
        ("change with seed", Kind::Change, change(base()).with(5, item(|w| w.bytes(&[0; 16]))), Some(Check::Shape)),
        ("change with text", Kind::Change, change(base()).with(4, text("x")), Some(Check::Shape)),
        ("change with reason", Kind::Change, change(base()).with(3, uint(1)), Some(Check::Shape)),
        ("no context", Kind::Change, change(base()).without(2), Some(Check::Shape)),
        ("unknown key", Kind::Change, change(base()).with(6, uint(1)), Some(Check::Shape)),
        ("receipt with change", Kind::Receipt, role().with(1, item(|w| w.bytes(b"c"))), Some(Check::Shape)),
        ("receipt without seed", Kind::Receipt, role().without(5), Some(Check::Shape)),
        ("receipt with reason", Kind::Receipt, role().with(3, uint(1)), Some(Check::Shape)),
        (
            "receipt with photos",
            Kind::Receipt,
            role().with(2, base().with(5, photos(&[photo(1)])).encode()),
            Some(Check::Shape),
        ),
        ("objection without text", Kind::Objection, role(), Some(Check::Shape)),
        ("objection with empty text", Kind::Objection, role().with(4, text("")), Some(Check::Shape)),
        ("text too long", Kind::Dissent, role().with(4, text(&long)), Some(Check::SizeLimit)),
        ("tab in a text", Kind::Dissent, role().with(4, text("a\tb")), Some(Check::TextForbidden)),
        ("text not composed", Kind::Dissent, role().with(4, text("e\u{301}")), Some(Check::TextNotNfc)),
        ("no clock", Kind::Change, change(base().without(1)), Some(Check::Shape)),
        ("no observer", Kind::Change, change(base().without(4)), Some(Check::Shape)),
        ("empty observer", Kind::Change, change(base().with(4, text(""))), Some(Check::Shape)),
        ("observer too long", Kind::Change, change(base().with(4, text(&long[..65]))), Some(Check::SizeLimit)),
        ("observer on two lines", Kind::Change, change(base().with(4, text("a\nb"))), Some(Check::TextForbidden)),
        ("empty post", Kind::Change, change(base().with(3, text(""))), Some(Check::Shape)),
        ("post too long", Kind::Change, change(base().with(3, text(&long[..129]))), Some(Check::SizeLimit)),
        ("unknown context key", Kind::Change, change(base().with(6, uint(1))), Some(Check::Shape)),
        ("offset beyond a day", Kind::Change, change(base().with(1, clock_of(1_441, 0))), Some(Check::Shape)),
        ("offset beyond 16 bits", Kind::Change, change(base().with(1, clock_of(65_536, 0))), Some(Check::Shape)),
        ("unknown clock source", Kind::Change, change(base().with(1, clock_of(0, 3))), Some(Check::Shape)),
        ("latitude", Kind::Change, change(base().with(2, place(900_000_001, 0, 1))), Some(Check::Shape)),
        ("longitude", Kind::Change, change(base().with(2, place(0, -1_800_000_001, 1))), Some(Check::Shape)),
        ("latitude beyond 32 bits", Kind::Change, change(base().with(2, place(1 << 32, 0, 1))), Some(Check::Shape)),
        ("place source 0", Kind::Change, change(base().with(2, place(0, 0, 0))), Some(Check::Shape)),
        ("place source 5", Kind::Change, change(base().with(2, place(0, 0, 5))), Some(Check::Shape)),
        ("empty photos", Kind::Change, change(base().with(5, photos(&[]))), Some(Check::Shape)),
        ("photos descending", Kind::Change, change(base().with(5, photos(&[photo(2), photo(1)]))), Some(Check::Shape)),
        ("photo twice", Kind::Change, change(base().with(5, photos(&[photo(1), photo(1)]))), Some(Check::Shape)),
        ("too many photos", Kind::Change, change(base().with(5, photos(&all_photos))), Some(Check::SizeLimit)),
        ("photo of no bytes", Kind::Change, change(base().with(5, photos(&[empty_photo]))), Some(Check::Shape)),
        ("photo too large", Kind::Change, change(base().with(5, photos(&[large_photo]))), Some(Check::Shape)),
        ("largest rendition", Kind::Change, of_rendition(PHOTO_BYTES_MAX), None),
        ("rendition of no bytes", Kind::Change, of_rendition(0), Some(Check::Shape)),
        ("rendition too large", Kind::Change, of_rendition(PHOTO_BYTES_MAX + 1), Some(Check::Shape)),
        ("rendition of all bytes there are", Kind::Change, of_rendition(u64::MAX), Some(Check::Shape)),
    ];
    for (name, kind, raw, wanted) in rows {
        assert_eq!(code(Body::decode(kind, &raw.encode())), wanted, "{name}");
    }
}

#[test]
fn refusals_of_a_photo() {
    let good = || {
        let one = item(|w| {
            Photo::encode_all(&[photo(1)], w);
            w
        });
        let mut reader = crate::cbor::Reader::new(&one[1..]);
        let mut fields = reader.map("photo").expect("a map");
        let mut raw = Raw([].into());
        while let Some(key) = fields.next(&mut reader).expect("a key") {
            raw = raw.with(key as u64, reader.skip("value").expect("a value").to_vec());
        }
        raw
    };
    let uint = |value| item(|w| w.uint(value));
    let rows = [
        ("as it was", good(), None),
        ("without its sizes", good().without(5), None),
        ("without a hash", good().without(1), Some(Check::Shape)),
        ("without bytes", good().without(2), Some(Check::Shape)),
        ("without chunks", good().without(3), Some(Check::Shape)),
        ("without media", good().without(4), Some(Check::Shape)),
        ("without thumbnail", good().without(7), Some(Check::Shape)),
        ("without preview", good().without(8), Some(Check::Shape)),
        ("media 0", good().with(4, uint(0)), Some(Check::Shape)),
        ("media 6", good().with(4, uint(6)), Some(Check::Shape)),
        ("reason 0", good().with(7, uint(0)), Some(Check::Shape)),
        ("reason 5", good().with(8, uint(5)), Some(Check::Shape)),
        ("rendition of four", good().with(8, numbers(&[1, 2, 3, 4])), Some(Check::Shape)),
        ("unknown key", good().with(9, uint(5)), Some(Check::Shape)),
    ];
    for (name, photo, wanted) in rows {
        let clock = item(|w| w.array(5).int(0).uint(0).bytes(&[4; 8]).int(0).uint(0));
        let photos = [vec![0x81], photo.encode()].concat();
        let context = Raw([(1, clock), (4, item(|w| w.text("O"))), (5, photos)].into());
        let body = Raw([(1, item(|w| w.bytes(b"c"))), (2, context.encode())].into());
        assert_eq!(code(Body::decode(Kind::Change, &body.encode())), wanted, "{name}");
    }
}

#[test]
fn nothing_that_a_verifier_refuses_is_signed() {
    let first = signed(creating());
    let tip = follows(None, &first).expect("the first of its log");
    let receipt = || saying(Kind::Receipt, &tip, first.record());
    let change = |context: Context| Body { content: Content::Change(Vec::new()), context };
    let rows = [
        ("first in the middle", EntryDraft { seq: 4, ..creating() }, Check::LogStart),
        ("beyond the log", EntryDraft { seq: LOG_ENTRIES_MAX, ..receipt() }, Check::LogFull),
        ("role that creates", EntryDraft { subject: creating().subject, ..receipt() }, Check::HeaderCreate),
        ("change without claims", EntryDraft { commitment: None, ..creating() }, Check::Shape),
        ("role with a change", EntryDraft { body: creating().body, ..receipt() }, Check::Shape),
        ("known kind as unknown", EntryDraft { kind: Kind::Unknown(0), ..receipt() }, Check::Shape),
        (
            "forbidden text",
            EntryDraft { body: change(Context { observer: "\u{202e}O".into(), ..context() }), ..creating() },
            Check::TextForbidden,
        ),
        (
            "body too large",
            EntryDraft {
                body: Body { content: Content::Change(vec![0; BODY_BYTES_MAX]), context: context() },
                ..creating()
            },
            Check::SizeLimit,
        ),
    ];
    for (name, draft, wanted) in rows {
        let check = match draft.sign(&key()) {
            Err(DraftRefused::Rule(refused)) => Some(refused.check),
            Err(DraftRefused::Signer(_)) | Ok(_) => None,
        };
        assert_eq!(check, Some(wanted), "{name}");
    }
}

#[test]
fn a_log_goes_on_from_its_head_only() {
    let first = signed(creating());
    let tip = follows(None, &first).expect("the first of its log");
    assert_eq!(tip, Tip { log: first.log(), height: 1, head: first.id() });
    let receipt = || saying(Kind::Receipt, &tip, first.record());
    let second = signed(receipt());
    let after = follows(Some(&tip), &second).expect("the next");
    assert_eq!((after.height, after.head), (2, second.id()));
    assert_eq!(follows(Some(&after), &second), Ok(after), "the head again changes nothing");

    let sibling = signed(EntryDraft { seen: Some(NoteHash::from_bytes([1; 32])), ..receipt() });
    let third = signed(saying(Kind::Receipt, &after, first.record()));
    let misled = signed(EntryDraft { position: Position::Later { prev: sibling.id() }, ..third_draft(&after, &first) });
    let second_start = signed(EntryDraft { seen: Some(NoteHash::from_bytes([1; 32])), ..creating() });
    let other_log = signed(EntryDraft { epoch: Epoch::from_bytes([9; 8]), ..third_draft(&after, &first) });
    let rows = [
        ("not from its start", None, &second, Check::LogGap),
        ("one is missing", Some(&tip), &third, Check::LogGap),
        ("position taken", Some(&after), &sibling, Check::LogFork),
        ("two starts", Some(&after), &second_start, Check::LogFork),
        ("another entry before", Some(&after), &misled, Check::LogPrev),
        ("another log", Some(&after), &other_log, Check::LogPrev),
    ];
    for (name, previous, entry, wanted) in rows {
        assert_eq!(code(follows(previous, entry)), Some(wanted), "{name}");
        let without = code(log::follows_under(previous, entry, Without(wanted)));
        assert_ne!(without, Some(wanted), "{name}");
    }
}

fn third_draft(after: &Tip, first: &VerifiedEntry) -> EntryDraft {
    saying(Kind::Receipt, after, first.record())
}

#[test]
fn no_byte_of_an_entry_can_change_unnoticed() {
    let entry = signed(creating());
    let mut keys = KeyCache::new();
    let (header, body) = (entry.header_bytes().to_vec(), entry.body_bytes().expect("a body").to_vec());
    for at in 0..header.len() {
        let mut changed = header.clone();
        changed[at] ^= 1;
        assert!(SignedEntry::new(&changed, None).verify(MISSION, &mut keys).is_err(), "header byte {at}");
        assert!(SignedEntry::new(&header[..at], None).verify(MISSION, &mut keys).is_err(), "header cut to {at}");
    }
    for at in 0..body.len() {
        let mut changed = body.clone();
        changed[at] ^= 1;
        assert_eq!(code(verify(&header, Some(&changed))), Some(Check::BodyHash), "body byte {at}");
    }
}

#[test]
fn debug_shows_nothing_of_the_content() {
    let entry = signed(creating());
    let shown = format!("{entry:?} {:?}", SignedEntry::new(entry.header_bytes(), entry.body_bytes()));
    assert!(!shown.contains("Kovalenko"), "{shown}");
    assert!(shown.contains(&entry.id().to_string()));
}
