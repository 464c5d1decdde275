//! Making a disclosure from an entry whose body is held. No key is needed: everything was signed with the header.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Fact, VERSION, path};
use crate::cbor::Writer;
use crate::change::Change;
use crate::check::{Check, Refused};
use crate::claims::{Claims, Leaves};
use crate::entry::{Content, VerifiedEntry};
use crate::form::{FormDefinition, Key, LeafTable};
use crate::id::{DIGEST_BYTES, EntryId, FormHash};
use crate::merkle;

/// Something to show of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chosen<'a> {
    /// A fact of the standard block, or that the entry does not have it.
    Fact(Fact),
    /// The answer to a question, or that the entry does not write it; or one cell of a repeat, which it must write.
    Key(Key<'a>),
    /// Every cell that the entry writes of the repeat with this name, or that it writes none.
    Repeat(&'a str),
    /// Whether the entry writes any cell of the repeat with this name, and no cell.
    Presence(&'a str),
}

/// No disclosure was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDisclosed {
    /// The entry is no change.
    #[error("entry {entry} is no change and commits to no answers")]
    NoClaims {
        /// The entry.
        entry: EntryId,
    },
    /// The body is withheld, erased or not there yet.
    #[error("the body of entry {entry} is not held")]
    BodyMissing {
        /// The entry.
        entry: EntryId,
    },
    /// The definition given is another.
    #[error("the definition is not that of form {wanted}")]
    OtherForm {
        /// The form that the entry names.
        wanted: FormHash,
    },
    /// The signer signed a malformed body or change.
    #[error("the body of entry {entry} cannot be read")]
    Unreadable {
        /// The entry.
        entry: EntryId,
        /// The rule that it breaks.
        #[source]
        source: Refused,
    },
    /// The claims do not fit the body, so that nothing of the entry can be disclosed.
    #[error("nothing of entry {entry} can be disclosed: {check}")]
    Void {
        /// The entry.
        entry: EntryId,
        /// `claims-mismatch` or `claims-unknown-question`.
        check: Check,
    },
    /// Nothing was chosen.
    #[error("nothing was chosen")]
    Nothing,
    /// The form has no such question or repeat.
    #[error("the form has no leaf for choice {index}")]
    NoLeaf {
        /// Which choice, from 0.
        index: usize,
    },
    /// The entry does not write the cell; that it does not cannot be shown of a cell.
    #[error("the entry does not write the cell of choice {index}")]
    NotWritten {
        /// Which choice, from 0.
        index: usize,
    },
}

/// The disclosure of what is `chosen` of `entry`, in any order; the same choice of the same entry gives the same bytes.
///
/// # Errors
/// If the body is not held or its claims are void, `definition` is not the one the entry names, or a choice is none of
/// the form's.
pub fn make(
    entry: &VerifiedEntry,
    definition: &FormDefinition,
    chosen: &[Chosen<'_>],
) -> Result<Vec<u8>, NotDisclosed> {
    let id = entry.id();
    let unreadable = |source| NotDisclosed::Unreadable { entry: id, source };
    let commitment = entry.header().commitment.ok_or(NotDisclosed::NoClaims { entry: id })?;
    if definition.hash() != Ok(commitment.form) {
        return Err(NotDisclosed::OtherForm { wanted: commitment.form });
    }
    let body = entry.body().map_err(unreadable)?.ok_or(NotDisclosed::BodyMissing { entry: id })?;
    let Content::Change(chunk) = &body.content else { return Err(NotDisclosed::NoClaims { entry: id }) };
    let change = Change::decode(chunk, entry.actor()).map_err(unreadable)?;
    let table = LeafTable::new(definition);
    let claims = Claims::compute(&table, &change, &body.context);
    let void = |check| Err(NotDisclosed::Void { entry: id, check });
    if claims.unknown_questions().next().is_some() {
        return void(Check::ClaimsUnknownQuestion);
    }
    if claims.root() != commitment.root {
        return void(Check::ClaimsMismatch);
    }
    let picked = pick(&table, &change, &claims, chosen)?;
    Ok(encode(entry.header_bytes(), &claims, &picked))
}

/// The positions to open, each with the cells of it, by index, if it is a repeat.
type Picked = BTreeMap<u32, BTreeSet<usize>>;

fn pick(
    table: &LeafTable,
    change: &Change<'_>,
    claims: &Claims,
    chosen: &[Chosen<'_>],
) -> Result<Picked, NotDisclosed> {
    let mut picked = Picked::new();
    for (index, choice) in chosen.iter().enumerate() {
        let position = position(table, choice).ok_or(NotDisclosed::NoLeaf { index })?;
        let cells = picked.entry(position).or_default();
        match choice {
            Chosen::Fact(_) | Chosen::Key(Key::Answer { .. }) | Chosen::Presence(_) => {}
            Chosen::Repeat(_) => cells.extend(0..claims.cells(position).map_or(0, |all| all.hashes().len())),
            Chosen::Key(key @ Key::Cell { .. }) => {
                let put = change.puts().iter().position(|put| Key::parse(put.key) == Some(*key));
                let cell = put.and_then(|put| claims.cell_of_put(put));
                cells.insert(cell.ok_or(NotDisclosed::NotWritten { index })?);
            }
        }
    }
    if picked.is_empty() { Err(NotDisclosed::Nothing) } else { Ok(picked) }
}

fn position(table: &LeafTable, choice: &Chosen<'_>) -> Option<u32> {
    match choice {
        Chosen::Fact(fact) => Some(fact.position()),
        Chosen::Key(key) => table.position(*key),
        // The position of any cell is that of its repeat.
        Chosen::Repeat(repeat) | Chosen::Presence(repeat) => {
            table.position(Key::Cell { repeat, row: "", question: "" })
        }
    }
}

fn encode(header: &[u8], claims: &Claims, picked: &Picked) -> Vec<u8> {
    let positions: Vec<u32> = picked.keys().copied().collect();
    let path = path::beside(claims.leaves().hashes(), &positions);
    let mut out = Writer::with_capacity(header.len() + 512);
    out.map(if path.is_empty() { 3 } else { 4 });
    out.uint(1).uint(VERSION).uint(2).bytes(header).uint(3).array(picked.len());
    for (&position, cells) in picked {
        let content = claims.leaves().content(position as usize);
        match claims.cells(position) {
            None => _ = out.raw(content),
            Some(all) => {
                // The tree stands where its root, a byte string with a head of two bytes, was hashed.
                out.raw(&content[..content.len() - 2 - DIGEST_BYTES]);
                write_tree(&mut out, all, 0..all.hashes().len() as u64, cells);
            }
        }
    }
    if !path.is_empty() {
        out.uint(4).array(path.len());
        for hash in &path {
            out.bytes(hash);
        }
    }
    out.finish()
}

fn write_tree(out: &mut Writer, all: &Leaves, range: Range<u64>, opened: &BTreeSet<usize>) {
    let (start, end) = (range.start as usize, range.end as usize);
    if opened.range(start..end).next().is_none() {
        out.bytes(&merkle::root(&all.hashes()[start..end]));
    } else if end - start == 1 {
        out.raw(all.content(start));
    } else {
        let (left, right) = merkle::split(&range);
        out.array(2);
        write_tree(out, all, left, opened);
        write_tree(out, all, right, opened);
    }
}
