//! Opened leaves: the value of each as its position asks, and the hash that it gives (`spec/disclosure.md`, Layout).

use super::Fact;
use crate::cbor::{Kind, Reader, Writer};
use crate::change::{TEXT_BYTES_MAX, Value};
use crate::check::{Check, Policy, Refused};
use crate::entry::{Clock, OBSERVER_BYTES_MAX, POST_BYTES_MAX, Photo, Place};
use crate::form::{FormDefinition, STANDARD_LEAVES, Shape, is_question, is_row};
use crate::merkle::{NodeHash, leaf_hash, node_hash};

/// One leaf that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened<'a> {
    /// Its position.
    pub position: u32,
    /// The question or repeat that the form has there; `None` for a [`Fact`] of the standard block.
    pub name: Option<&'a str>,
    /// What the entry says there; `None`: the entry does not say it.
    pub said: Option<Said<'a>>,
    /// Whether nothing of it is closed: false of a repeat of which the entry writes cells that are not shown.
    pub is_whole: bool,
}

/// What an entry says at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// Latitude and longitude in tenths of a degree, rounded towards minus infinity.
    CoarsePlace([i64; 2]),
    /// The place as the device had it.
    ExactPlace(Place),
    /// Local days since 1970-01-01.
    Day(i64),
    /// The clocks as the device had them.
    ExactTime(Clock),
    /// The name of the post.
    Post(&'a str),
    /// The name of the observer.
    Observer(&'a str),
    /// The photos.
    Photos(Vec<Photo>),
    /// The answer to a question.
    Answer(Value<'a>),
    /// The cells of a repeat that are shown, ascending; the entry writes at least one, and perhaps more.
    Cells(Vec<ShownCell<'a>>),
}

/// One cell of a repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShownCell<'a> {
    /// The row's id.
    pub row: &'a str,
    /// The question.
    pub question: &'a str,
    /// The answer.
    pub value: Value<'a>,
}

/// Opened leaves, and the hash of each with its position.
pub(super) type Read<'a> = (Vec<Opened<'a>>, Vec<(u32, NodeHash)>);

/// Reads the array of leaves under a form.
///
/// # Errors
/// `shape`, `size-limit`, an encoding code, `disclosure-position`, `disclosure-order` or `disclosure-path`.
pub(super) fn read<'a, P: Policy>(
    bytes: &'a [u8],
    definition: &'a FormDefinition,
    policy: P,
) -> Result<Read<'a>, Refused> {
    let mut reader = Reader::with(bytes, policy);
    let len = reader.array(super::OPENED_MAX, "leaves")?;
    let (mut opened, mut hashes) = (Vec::<Opened<'a>>::with_capacity(len), Vec::with_capacity(len));
    for _ in 0..len {
        let (leaf, hash) = leaf(&mut reader, definition, opened.last().map(|last| last.position))?;
        hashes.push((leaf.position, hash));
        opened.push(leaf);
    }
    reader.leave();
    reader.finish("leaves")?;
    Ok((opened, hashes))
}

/// What the form has at a position.
enum Slot<'a> {
    Standard(Fact),
    Question(&'a str),
    Repeat(&'a str),
}

fn leaf<'a, P: Policy>(
    reader: &mut Reader<'a, P>,
    definition: &'a FormDefinition,
    last: Option<u32>,
) -> Result<(Opened<'a>, NodeHash), Refused> {
    let start = reader.position();
    let len = reader.array(usize::MAX, "leaf")?;
    if !matches!(len, 2 | 3) {
        return Err(shape("leaf"));
    }
    let position = reader.uint("position")?;
    let _: [u8; 16] = reader.array_of("salt")?;
    let (position, slot) = slot_at(definition, position)?;
    reader.policy().require(last.is_none_or(|last| last < position), Check::DisclosureOrder, "leaves")?;
    if len == 2 {
        reader.leave();
        let (name, said) = absent(slot)?;
        return Ok((Opened { position, name, said, is_whole: true }, leaf_hash(reader.since(start))));
    }
    let opening = reader.since(start);
    let mut is_whole = true;
    let (name, said, hash) = match slot {
        Slot::Standard(fact) => (None, standard(reader, fact)?, leaf_hash(reader.since(start))),
        Slot::Question(name) => (Some(name), Said::Answer(answer(reader)?), leaf_hash(reader.since(start))),
        Slot::Repeat(name) => {
            let mut shown = ShownTree { cells: Vec::new(), is_whole: true };
            let root = tree(reader, &mut shown)?;
            is_whole = shown.is_whole;
            // What was hashed has the root in the place of the tree.
            let mut content = Writer::with_capacity(opening.len() + 34);
            content.raw(opening).bytes(&root);
            (Some(name), Said::Cells(shown.cells), leaf_hash(&content.finish()))
        }
    };
    reader.leave();
    Ok((Opened { position, name, said: Some(said), is_whole }, hash))
}

fn slot_at(definition: &FormDefinition, position: u64) -> Result<(u32, Slot<'_>), Refused> {
    let beyond = Refused { check: Check::DisclosurePosition, what: "position" };
    let position = u32::try_from(position).map_err(|_| beyond)?;
    if let Some(fact) = Fact::ALL.get(position as usize) {
        return Ok((position, Slot::Standard(*fact)));
    }
    let leaf = definition.leaves.get((position - STANDARD_LEAVES) as usize).ok_or(beyond)?;
    let slot = match leaf.shape {
        Shape::Answer => Slot::Question(&leaf.name),
        Shape::Repeat => Slot::Repeat(&leaf.name),
    };
    Ok((position, slot))
}

/// The name of a leaf that is shown as absent.
fn absent<'a>(slot: Slot<'a>) -> Result<(Option<&'a str>, Option<Said<'a>>), Refused> {
    match slot {
        Slot::Question(name) | Slot::Repeat(name) => Ok((Some(name), None)),
        Slot::Standard(Fact::Day | Fact::ExactTime | Fact::Observer) => Err(shape("absent leaf")),
        Slot::Standard(Fact::CoarsePlace | Fact::ExactPlace | Fact::Post | Fact::Photos | Fact::Reserved) => {
            Ok((None, None))
        }
    }
}

fn standard<'a, P: Policy>(reader: &mut Reader<'a, P>, fact: Fact) -> Result<Said<'a>, Refused> {
    Ok(match fact {
        Fact::CoarsePlace => Said::CoarsePlace(coarse_place(reader)?),
        Fact::ExactPlace => Said::ExactPlace(Place::decode(reader)?),
        Fact::Day => Said::Day(reader.int("day")?),
        Fact::ExactTime => Said::ExactTime(Clock::decode(reader)?),
        Fact::Post => Said::Post(name(reader, POST_BYTES_MAX, "post")?),
        Fact::Observer => Said::Observer(name(reader, OBSERVER_BYTES_MAX, "observer")?),
        Fact::Photos => Said::Photos(Photo::decode_all(reader)?),
        Fact::Reserved => return Err(shape("reserved leaf")),
    })
}

fn coarse_place<P: Policy>(reader: &mut Reader<'_, P>) -> Result<[i64; 2], Refused> {
    let what = "coarse place";
    reader.array_exact(2, what)?;
    let (lat, lon) = (reader.int(what)?, reader.int(what)?);
    reader.leave();
    let is_on_earth = (-900..=900).contains(&lat) && (-1_800..=1_800).contains(&lon);
    if is_on_earth { Ok([lat, lon]) } else { Err(shape(what)) }
}

/// A text that says something.
fn name<'a, P: Policy>(reader: &mut Reader<'a, P>, bytes_max: usize, what: &'static str) -> Result<&'a str, Refused> {
    let text = reader.text(bytes_max, what)?;
    if text.is_empty() { Err(shape(what)) } else { Ok(text) }
}

fn answer<'a, P: Policy>(reader: &mut Reader<'a, P>) -> Result<Value<'a>, Refused> {
    let what = "answer";
    match reader.peek(what)? {
        Kind::Null => reader.null(what).map(|()| Value::Null),
        Kind::Bool => reader.bool(what).map(Value::Bool),
        Kind::Uint | Kind::Nint => reader.int(what).map(Value::Int),
        Kind::Text => reader.note(TEXT_BYTES_MAX, what).map(Value::Text),
        Kind::Bytes | Kind::Array | Kind::Map => Err(shape(what)),
    }
}

/// What is shown of a repeat.
struct ShownTree<'a> {
    cells: Vec<ShownCell<'a>>,
    /// Whether no subtree is closed.
    is_whole: bool,
}

/// The hash of a tree or of a part of it; its depth is bounded by the reader's.
fn tree<'a, P: Policy>(reader: &mut Reader<'a, P>, shown: &mut ShownTree<'a>) -> Result<NodeHash, Refused> {
    if reader.peek("tree")? == Kind::Bytes {
        shown.is_whole = false;
        return reader.array_of("tree");
    }
    let start = reader.position();
    let hash = match reader.array(usize::MAX, "tree")? {
        2 => {
            let before = shown.cells.len();
            let (left, right) = (tree(reader, shown)?, tree(reader, shown)?);
            reader.policy().require(shown.cells.len() > before, Check::DisclosurePath, "tree")?;
            node_hash(&left, &right)
        }
        4 => {
            let cell = cell(reader)?;
            let key = |cell: &ShownCell<'a>| (cell.row, cell.question);
            let is_next = shown.cells.last().is_none_or(|last| key(last) < key(&cell));
            reader.policy().require(is_next, Check::DisclosureOrder, "cells")?;
            shown.cells.push(cell);
            leaf_hash(reader.since(start))
        }
        _ => return Err(shape("tree")),
    };
    reader.leave();
    Ok(hash)
}

fn cell<'a, P: Policy>(reader: &mut Reader<'a, P>) -> Result<ShownCell<'a>, Refused> {
    let row = reader.text(usize::MAX, "row")?;
    let question = reader.text(usize::MAX, "question of a cell")?;
    let _: [u8; 16] = reader.array_of("salt")?;
    if !is_row(row) || !is_question(question) {
        return Err(shape("name of a cell"));
    }
    Ok(ShownCell { row, question, value: answer(reader)? })
}

const fn shape(what: &'static str) -> Refused {
    Refused { check: Check::Shape, what }
}
