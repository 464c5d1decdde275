//! Commitments to single facts, so that one answer can be shown alone while the signature still checks.
//!
//! Claims are a pure function of the form's leaf table, the change and the context (`spec/claims.md`).
//! They never decide whether an entry is applied.

use crate::cbor::Writer;
use crate::change::{Change, Put};
use crate::form::{Key, LeafTable, STANDARD_LEAVES};
use crate::id::sha256;
use crate::merkle::{self, NodeHash};

/// The facts of the standard block, as the entry's context states them.
#[derive(Clone, Copy, Debug)]
pub struct StandardFacts<'a> {
    /// Where the observer stood, if known.
    pub place: Option<PlaceFact<'a>>,
    /// When, as the device's clock showed it.
    pub clock: ClockFact<'a>,
    /// The post, if any.
    pub post: Option<&'a str>,
    /// The observer's name.
    pub observer: &'a str,
    /// The context's photos array, as encoded there.
    pub photos: Option<&'a [u8]>,
}

/// A place, and the cell it lies in.
#[derive(Clone, Copy, Debug)]
pub struct PlaceFact<'a> {
    /// Latitude in 10^-7 degree.
    pub lat_e7: i64,
    /// Longitude in 10^-7 degree.
    pub lon_e7: i64,
    /// The context's place array, as encoded there.
    pub encoded: &'a [u8],
}

/// A time, and the local day it lies in.
#[derive(Clone, Copy, Debug)]
pub struct ClockFact<'a> {
    /// Milliseconds since 1970-01-01T00:00Z.
    pub wall_ms: i64,
    /// Local offset from UTC in minutes.
    pub offset_min: i64,
    /// The context's clock array, as encoded there.
    pub encoded: &'a [u8],
}

impl PlaceFact<'_> {
    /// The cell of a tenth of a degree: latitude and longitude rounded towards minus infinity.
    pub fn cell(&self) -> [i64; 2] {
        [self.lat_e7.div_euclid(1_000_000), self.lon_e7.div_euclid(1_000_000)]
    }
}

impl ClockFact<'_> {
    /// Local days since 1970-01-01.
    pub fn day(&self) -> i64 {
        // In 128 bits, because the signed numbers of a stranger may be any; the quotient always fits 64.
        let local_ms = i128::from(self.wall_ms) + 60_000 * i128::from(self.offset_min);
        local_ms.div_euclid(86_400_000) as i64
    }
}

/// The claims of one entry: the root that the header states, and what is needed to open single leaves.
#[derive(Clone, Debug)]
pub struct Claims {
    root: NodeHash,
    leaves: Leaves,
    groups: Vec<Leaves>,
    homes: Vec<Option<Home>>,
}

/// Where a put has its leaf.
#[derive(Clone, Copy, Debug)]
struct Home {
    position: u32,
    /// Group and index within it, for a cell of a repeat.
    cell: Option<(usize, usize)>,
}

#[derive(Clone, Debug, Default)]
struct Leaves {
    contents: Vec<Vec<u8>>,
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
    pub fn compute(table: &LeafTable, change: &Change<'_>, facts: &StandardFacts<'_>) -> Self {
        let seed = change.seed();
        let mut values: Vec<Option<Written<'_>>> = vec![None; table.leaves() as usize];
        let mut groups: Vec<Leaves> = Vec::new();
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
                    groups.push(Leaves::default());
                    groups.len() - 1
                }
            };
            *value = Some(Written::Group(group));
            groups[group].push(cell(seed, position, row, question, put));
            homes.push(Some(Home { position, cell: Some((group, groups[group].hashes.len() - 1)) }));
        }
        let mut leaves = Leaves::default();
        standard_block(seed, facts, &mut leaves);
        for (position, value) in (STANDARD_LEAVES..).zip(&values[STANDARD_LEAVES as usize..]) {
            leaves.push(match value {
                None => leaf(seed, position, None::<fn(&mut Writer)>),
                Some(Written::Answer(put)) => leaf(seed, position, Some(|out: &mut Writer| put.value.write(out))),
                Some(Written::Group(group)) => {
                    let root = merkle::root(&groups[*group].hashes);
                    leaf(seed, position, Some(|out: &mut Writer| _ = out.bytes(&root)))
                }
            });
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
        let cell = cell.and_then(|(group, at)| self.groups[group].open(at));
        Some(cell.into_iter().chain(self.open(position)).collect())
    }
}

#[derive(Clone, Copy)]
enum Written<'a> {
    Answer(&'a Put<'a>),
    /// Index of a group.
    Group(usize),
}

impl Leaves {
    fn push(&mut self, content: Vec<u8>) {
        self.hashes.push(merkle::leaf_hash(&content));
        self.contents.push(content);
    }

    fn open(&self, index: usize) -> Option<Opening> {
        let content = self.contents.get(index)?.clone();
        let path = merkle::inclusion_proof(index as u64, &self.hashes)?;
        Some(Opening { index: index as u64, size: self.hashes.len() as u64, content, path })
    }
}

fn standard_block(seed: &[u8; 16], facts: &StandardFacts<'_>, leaves: &mut Leaves) {
    let StandardFacts { place, clock, post, observer, photos } = *facts;
    let cell = place.map(|place| place.cell());
    let day = clock.day();
    leaves.push(leaf(seed, 0, cell.map(|[lat, lon]| move |out: &mut Writer| _ = out.array(2).int(lat).int(lon))));
    leaves.push(leaf(seed, 1, place.map(|place| move |out: &mut Writer| _ = out.raw(place.encoded))));
    leaves.push(leaf(seed, 2, Some(|out: &mut Writer| _ = out.int(day))));
    leaves.push(leaf(seed, 3, Some(|out: &mut Writer| _ = out.raw(clock.encoded))));
    leaves.push(leaf(seed, 4, post.map(|post| move |out: &mut Writer| _ = out.text(post))));
    leaves.push(leaf(seed, 5, Some(|out: &mut Writer| _ = out.text(observer))));
    leaves.push(leaf(seed, 6, photos.map(|photos| move |out: &mut Writer| _ = out.raw(photos))));
    leaves.push(leaf(seed, 7, None::<fn(&mut Writer)>));
}

/// The content of a leaf; without `value` the entry does not write the fact.
fn leaf(seed: &[u8; 16], position: u32, value: Option<impl FnOnce(&mut Writer)>) -> Vec<u8> {
    let mut out = Writer::with_capacity(64);
    out.array(if value.is_some() { 3 } else { 2 });
    out.uint(u64::from(position)).bytes(&salt(&[SALT, seed, &position.to_be_bytes()]));
    if let Some(value) = value {
        value(&mut out);
    }
    out.finish()
}

fn cell(seed: &[u8; 16], position: u32, row: &str, question: &str, put: &Put<'_>) -> Vec<u8> {
    let position = position.to_be_bytes();
    let salt = salt(&[SALT, seed, &position, row.as_bytes(), b"/", question.as_bytes()]);
    let mut out = Writer::with_capacity(64);
    out.array(4).text(row).text(question).bytes(&salt);
    put.value.write(&mut out);
    out.finish()
}

const SALT: &[u8] = b"merestone/salt/v1";

fn salt(parts: &[&[u8]]) -> [u8; 16] {
    let digest = sha256(parts);
    let mut salt = [0; 16];
    salt.copy_from_slice(&digest[..16]);
    salt
}
