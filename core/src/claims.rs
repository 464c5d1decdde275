//! Commitments to single facts, so that one answer can be shown alone while the signature still checks.
//!
//! Claims are a pure function of the form's leaf table, the change and the context (`spec/claims.md`).
//! They never decide whether an entry is applied.

use crate::cbor::Writer;
use crate::change::{Change, Put};
use crate::entry::{Clock, Context, Photo, Place};
use crate::form::{Key, LeafTable, STANDARD_LEAVES};
use crate::id::sha256;
use crate::merkle::{self, NodeHash};

/// The cell of a tenth of a degree in which `place` lies: latitude and longitude rounded towards minus infinity.
pub(crate) fn coarse_place(place: &Place) -> [i64; 2] {
    [place.lat_e7, place.lon_e7].map(|e7| i64::from(e7.div_euclid(1_000_000)))
}

/// The local day that `clock` shows, in days since 1970-01-01.
pub(crate) fn local_day(clock: &Clock) -> i64 {
    // In 128 bits, because a stranger may have signed any number; the quotient always fits 64.
    let local_ms = i128::from(clock.wall_ms) + 60_000 * i128::from(clock.offset_min);
    local_ms.div_euclid(86_400_000) as i64
}

/// The claims of one entry: the root that the header states, and what is needed to open single leaves.
#[derive(Clone, Debug)]
pub struct Claims {
    root: NodeHash,
    leaves: Leaves,
    /// The cells of each repeat that is written, with its position.
    groups: Vec<(u32, Leaves)>,
    homes: Vec<Option<Home>>,
}

/// Where a put has its leaf.
#[derive(Clone, Copy, Debug)]
struct Home {
    position: u32,
    /// Group and index within it, for a cell of a repeat.
    cell: Option<(usize, usize)>,
}

/// Leaves of one tree, their contents one behind the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaves {
    written: Writer,
    /// Where each content ends.
    ends: Vec<usize>,
    hashes: Vec<NodeHash>,
}

/// One leaf, opened: its content and the way to its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Position of the leaf.
    pub index: u64,
    /// Number of leaves.
    pub size: u64,
    /// The CBOR array that was hashed: position, salt, and the value unless it is absent;
    /// for a cell of a repeat: row, question, salt, value.
    pub content: Vec<u8>,
    /// The hashes beside the way up.
    pub path: Vec<NodeHash>,
}

impl Opening {
    /// The root it leads to; `None` if the path has the wrong length.
    pub fn root(&self) -> Option<NodeHash> {
        merkle::root_from_inclusion(&merkle::leaf_hash(&self.content), self.index, self.size, &self.path)
    }
}

impl Claims {
    /// Computes the claims of an entry.
    pub fn compute(table: &LeafTable, change: &Change<'_>, context: &Context) -> Self {
        let seed = change.seed();
        let mut values: Vec<Option<Written<'_>>> = vec![None; table.leaves() as usize];
        let mut groups: Vec<(u32, Leaves)> = Vec::new();
        let mut homes = Vec::with_capacity(change.puts().len());
        for put in change.puts() {
            let home = Key::parse(put.key).and_then(|key| Some((key, table.position(key)?)));
            let Some((key, position)) = home else {
                homes.push(None);
                continue;
            };
            let value = &mut values[position as usize];
            let Key::Cell { row, question, .. } = key else {
                *value = Some(Written::Answer(put));
                homes.push(Some(Home { position, cell: None }));
                continue;
            };
            let group = match *value {
                Some(Written::Group(group)) => group,
                _ => {
                    groups.push((position, Leaves::default()));
                    groups.len() - 1
                }
            };
            *value = Some(Written::Group(group));
            let cells = &mut groups[group].1;
            cells.push(|out| cell(out, seed, position, row, question, put));
            homes.push(Some(Home { position, cell: Some((group, cells.hashes.len() - 1)) }));
        }
        let mut leaves = Leaves::with_capacity(values.len());
        standard_block(seed, context, &mut leaves);
        for (position, value) in (STANDARD_LEAVES..).zip(&values[STANDARD_LEAVES as usize..]) {
            match value {
                None => leaves.absent(seed, position),
                Some(Written::Answer(put)) => leaves.fact(seed, position, |out| put.value.write(out)),
                Some(Written::Group(group)) => {
                    let root = merkle::root(&groups[*group].1.hashes);
                    leaves.fact(seed, position, |out| _ = out.bytes(&root));
                }
            }
        }
        Self { root: merkle::root(&leaves.hashes), leaves, groups, homes }
    }

    /// The claims root, header key 11.
    pub fn root(&self) -> NodeHash {
        self.root
    }

    /// The puts, by index, whose key the form does not name: `claims-unknown-question`.
    pub fn unknown_questions(&self) -> impl Iterator<Item = usize> {
        self.homes.iter().enumerate().filter(|(_, home)| home.is_none()).map(|(index, _)| index)
    }

    /// Opens the leaf at `position`; `None` if the form has no such leaf.
    pub fn open(&self, position: u32) -> Option<Opening> {
        self.leaves.open(position as usize)
    }

    /// Opens what the put at `index` of the change wrote: its leaf, and before that, for a cell of a repeat,
    /// the cell inside its group, whose root is the value of the leaf.
    ///
    /// `None` if there is no such put or the form does not name its key.
    pub fn open_put(&self, index: usize) -> Option<Vec<Opening>> {
        let Home { position, cell } = (*self.homes.get(index)?)?;
        let cell = cell.and_then(|(group, at)| self.groups[group].1.open(at));
        Some(cell.into_iter().chain(self.open(position)).collect())
    }

    /// The leaves by position; the value of a repeat is the root over its [`cells`](Self::cells).
    pub(crate) fn leaves(&self) -> &Leaves {
        &self.leaves
    }

    /// The cells that the entry writes of the repeat at `position`, in the order of their keys.
    pub(crate) fn cells(&self, position: u32) -> Option<&Leaves> {
        self.groups.iter().find(|(at, _)| *at == position).map(|(_, cells)| cells)
    }

    /// The index among the [`cells`](Self::cells) of its repeat of what the put at `index` of the change wrote.
    pub(crate) fn cell_of_put(&self, index: usize) -> Option<usize> {
        (*self.homes.get(index)?)?.cell.map(|(_, at)| at)
    }
}

#[derive(Clone, Copy)]
enum Written<'a> {
    Answer(&'a Put<'a>),
    /// Index of a group.
    Group(usize),
}

impl Leaves {
    fn with_capacity(leaves: usize) -> Self {
        Self {
            written: Writer::with_capacity(leaves * USUAL_LEAF_BYTES),
            ends: Vec::with_capacity(leaves),
            hashes: Vec::with_capacity(leaves),
        }
    }

    fn push(&mut self, write: impl FnOnce(&mut Writer)) {
        write(&mut self.written);
        let start = self.ends.last().copied().unwrap_or(0);
        self.hashes.push(merkle::leaf_hash(&self.written.written()[start..]));
        self.ends.push(self.written.written().len());
    }

    /// A leaf whose fact the entry writes.
    fn fact(&mut self, seed: &[u8; 16], position: u32, value: impl FnOnce(&mut Writer)) {
        self.push(|out| {
            out.array(3).uint(u64::from(position)).bytes(&leaf_salt(seed, position));
            value(out);
        });
    }

    /// A leaf whose fact it does not write.
    fn absent(&mut self, seed: &[u8; 16], position: u32) {
        self.push(|out| _ = out.array(2).uint(u64::from(position)).bytes(&leaf_salt(seed, position)));
    }

    fn fact_or_absent(&mut self, seed: &[u8; 16], position: u32, value: Option<impl FnOnce(&mut Writer)>) {
        match value {
            Some(value) => self.fact(seed, position, value),
            None => self.absent(seed, position),
        }
    }

    /// The hashes of the leaves.
    pub(crate) fn hashes(&self) -> &[NodeHash] {
        &self.hashes
    }

    /// The content of the leaf at `index`, which is one of them.
    pub(crate) fn content(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.written.written()[start..self.ends[index]]
    }

    fn open(&self, index: usize) -> Option<Opening> {
        let path = merkle::inclusion_proof(index as u64, &self.hashes)?;
        let content = self.content(index).to_vec();
        Some(Opening { index: index as u64, size: self.hashes.len() as u64, content, path })
    }
}

/// What most leaves fit in: a position, a salt, a short answer.
const USUAL_LEAF_BYTES: usize = 32;

fn standard_block(seed: &[u8; 16], context: &Context, leaves: &mut Leaves) {
    let Context { clock, place, post, observer, photos } = context;
    let place = place.as_ref();
    let coarse = place.map(coarse_place);
    leaves.fact_or_absent(seed, 0, coarse.map(|[lat, lon]| move |out: &mut Writer| _ = out.array(2).int(lat).int(lon)));
    leaves.fact_or_absent(seed, 1, place.map(|place| |out: &mut Writer| place.encode(out)));
    leaves.fact(seed, 2, |out| _ = out.int(local_day(clock)));
    leaves.fact(seed, 3, |out| clock.encode(out));
    leaves.fact_or_absent(seed, 4, post.as_ref().map(|post| |out: &mut Writer| _ = out.text(post)));
    leaves.fact(seed, 5, |out| _ = out.text(observer));
    leaves.fact_or_absent(seed, 6, (!photos.is_empty()).then_some(|out: &mut Writer| Photo::encode_all(photos, out)));
    leaves.absent(seed, 7);
}

fn cell(out: &mut Writer, seed: &[u8; 16], position: u32, row: &str, question: &str, put: &Put<'_>) {
    let position = position.to_be_bytes();
    let salt = salt(&[SALT, seed, &position, row.as_bytes(), b"/", question.as_bytes()]);
    out.array(4).text(row).text(question).bytes(&salt);
    put.value.write(out);
}

fn leaf_salt(seed: &[u8; 16], position: u32) -> [u8; 16] {
    salt(&[SALT, seed, &position.to_be_bytes()])
}

const SALT: &[u8] = b"merestone/salt/v1";

fn salt(parts: &[&[u8]]) -> [u8; 16] {
    let digest = sha256(parts);
    let mut salt = [0; 16];
    salt.copy_from_slice(&digest[..16]);
    salt
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Basis, OpRef, Value, compose};
    use crate::entry::{ClockSource, PlaceSource};
    use crate::form::{FormDefinition, Leaf, Shape};
    use crate::id::Actor;

    const ME: Actor = Actor::from_bytes([0x50; 16]);
    const SEED: [u8; 16] = [0xa5; 16];

    /// Positions 8 to 12: two answers, a repeat, an answer and a repeat that nobody gives.
    fn table() -> LeafTable {
        let leaf = |name: &str, shape| Leaf { name: name.into(), shape };
        let leaves = vec![
            leaf("altitude", Shape::Answer),
            leaf("blank", Shape::Answer),
            leaf("photos", Shape::Repeat),
            leaf("unasked", Shape::Answer),
            leaf("vehicles", Shape::Repeat),
        ];
        let (kind, title, version) = ("inspection".into(), String::new(), String::new());
        LeafTable::new(&FormDefinition { kind, title, version, leaves, source: None, must: Vec::new() })
    }

    fn context() -> Context {
        let (boot, source) = ([0; 8], ClockSource::Device);
        let clock = Clock { wall_ms: 1_767_225_599_000, uptime_ms: 5_000, boot, offset_min: 120, source };
        let (lat_e7, lon_e7, source) = (512_345_678, -305_000_001, PlaceSource::Satellite);
        let place = Some(Place { lat_e7, lon_e7, accuracy_m: 12, source });
        Context { clock, place, post: None, observer: "O. Ivanova".into(), photos: Vec::new() }
    }

    fn chunk(puts: &[(&str, Value<'_>)]) -> Vec<u8> {
        let puts = puts.iter().map(|&(key, value)| Put { key, value, preds: Vec::<OpRef>::new() });
        compose(ME, SEED, &Basis::creation(), puts.collect()).unwrap().chunk
    }

    fn claims(chunk: &[u8], context: &Context) -> Claims {
        Claims::compute(&table(), &Change::decode(chunk, ME).unwrap(), context)
    }

    fn answers() -> Vec<u8> {
        chunk(&[
            ("altitude", Value::Int(-70_000)),
            ("blank", Value::Null),
            ("photos/0000000000000000/caption", Value::Text("Ягодин")),
            ("photos/0000000000000000/file", Value::Text("ab")),
            ("photos/ffffffffffffffff/count", Value::Int(3)),
        ])
    }

    fn hex(bytes: &[u8]) -> String {
        data_encoding::HEXLOWER.encode(bytes)
    }

    /// The digits come from a program in another language that was written from `spec/claims.md` alone.
    #[test]
    fn root_and_leaves_are_those_computed_elsewhere() {
        let claims = claims(&answers(), &context());
        assert_eq!(hex(&claims.open(8).unwrap().content), "830850a637c5fdfa364a6b9a169fc658b919683a0001116f");
        assert_eq!(hex(&claims.open(11).unwrap().content), "820b50c556c552a98cf5b9795a9236fcea8f0b");
        let group = "75edfe11fe0f961f196ab12861f09473f1ef666034b0bfc3a08befab3958740a";
        assert!(hex(&claims.open(10).unwrap().content).ends_with(group));
        assert_eq!(hex(&claims.root()), "f5ca7e7bcf13a0f80c511462301e5341f31b97c7b6df8c175fde0bb2063bc004");
        assert_eq!(claims.unknown_questions().count(), 0);
    }

    #[test]
    fn every_leaf_opens_to_the_root_and_every_cell_to_the_value_of_its_leaf() {
        let claims = claims(&answers(), &context());
        for position in 0..13 {
            let opening = claims.open(position).unwrap();
            assert_eq!((opening.index, opening.size), (u64::from(position), 13));
            assert_eq!(opening.root(), Some(claims.root()), "{position}");
        }
        assert_eq!(claims.open(13), None);
        assert_eq!(claims.open_put(0), claims.open(8).map(|leaf| vec![leaf]));
        for put in 2..5 {
            let openings = claims.open_put(put).unwrap();
            assert_eq!((openings.len(), openings[0].size, openings[1].index), (2, 3, 10));
            assert!(openings[1].content.ends_with(&openings[0].root().unwrap()));
        }
        assert_eq!(claims.open_put(5), None);
    }

    #[test]
    fn keys_the_form_does_not_name_have_no_leaf() {
        let puts =
            chunk(&[("altitude", Value::Null), ("altitude/0000000000000000/a", Value::Null), ("photos", Value::Null)]);
        let with = claims(&puts, &context());
        assert_eq!(with.unknown_questions().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(with.open_put(1), None);
        assert_eq!(with.root(), claims(&chunk(&[("altitude", Value::Null)]), &context()).root());
    }

    #[test]
    fn every_fact_of_the_context_moves_the_root() {
        type Edit = fn(&mut Context);
        let edits: [Edit; 6] = [
            |context| context.place = None,
            |context| context.place.as_mut().unwrap().accuracy_m += 1,
            |context| context.clock.uptime_ms += 1,
            |context| context.clock.offset_min = -120,
            |context| context.post = Some("Ягодин".into()),
            |context| context.observer.push('x'),
        ];
        let before = claims(&answers(), &context()).root();
        for (number, edit) in edits.iter().enumerate() {
            let mut context = context();
            edit(&mut context);
            assert_ne!(claims(&answers(), &context).root(), before, "edit {number}");
        }
    }

    #[test]
    fn coarse_values_round_towards_minus_infinity_and_never_overflow() {
        let mut context = context();
        assert_eq!(coarse_place(&context.place.unwrap()), [512, -306]);
        // 23:59:59 in UTC is the next day two hours east of it.
        assert_eq!(local_day(&context.clock), 20_454);
        context.clock.offset_min = 0;
        assert_eq!(local_day(&context.clock), 20_453);
        for (wall_ms, day) in [(-1, -1), (0, 0), (i64::MAX, 106_751_991_167), (i64::MIN, -106_751_991_168)] {
            assert_eq!(local_day(&Clock { wall_ms, ..context.clock }), day);
        }
    }
}
