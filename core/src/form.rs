//! Names of answers, and the form definition that gives each its place in the claims.
//!
//! How questions look and what they ask is the business of `merestone-forms`; here a form is its signed leaf table
//! (`spec/claims.md` §Leaf table).

use std::collections::HashMap;

use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::id::FormHash;
use crate::text;

/// Longest name of a question or a repeat, in bytes.
pub const NAME_BYTES_MAX: usize = 64;
/// Longest title of a form, in bytes.
pub const TITLE_BYTES_MAX: usize = 256;
/// Longest version of a form, in bytes.
pub const VERSION_BYTES_MAX: usize = 64;
/// Most leaves of a form.
pub const LEAVES_MAX: usize = 4_096;
/// Longest form definition, in bytes: the most leaves with the longest names, and room for the rest.
pub const DEFINITION_BYTES_MAX: usize = 294_912;
/// Positions before the form's own leaves.
pub const STANDARD_LEAVES: u32 = 8;

/// The parts of the name under which a record keeps an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key<'a> {
    /// `question`.
    Answer {
        /// The question's name.
        question: &'a str,
    },
    /// `repeat/row/question`.
    Cell {
        /// The repeat's name.
        repeat: &'a str,
        /// The row's id, 16 lowercase hex digits.
        row: &'a str,
        /// The question's name.
        question: &'a str,
    },
}

impl<'a> Key<'a> {
    /// Takes a key apart; `None` if it is no name.
    pub fn parse(key: &'a str) -> Option<Self> {
        let Some((repeat, rest)) = key.split_once('/') else {
            return is_question(key).then_some(Self::Answer { question: key });
        };
        let (row, question) = rest.split_once('/')?;
        let valid = is_question(repeat) && is_row(row) && is_question(question);
        valid.then_some(Self::Cell { repeat, row, question })
    }
}

/// Whether `name` names a question or a repeat: `[A-Za-z_][A-Za-z0-9_.-]{0,63}`.
pub fn is_question(name: &str) -> bool {
    let Some((first, rest)) = name.as_bytes().split_first() else { return false };
    name.len() <= NAME_BYTES_MAX
        && (first.is_ascii_alphabetic() || *first == b'_')
        && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// Whether `id` names a row: 16 lowercase hex digits.
pub(crate) fn is_row(id: &str) -> bool {
    id.len() == 16 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What a form asks, as far as claims need it.
///
/// One that was decoded is valid; one that was built is checked by [`encode`](Self::encode).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormDefinition {
    /// The kind of record it fills, a question name: `inspection`, `incident`, …
    pub kind: String,
    /// Its title, at most [`TITLE_BYTES_MAX`] bytes.
    pub title: String,
    /// Its version, at most [`VERSION_BYTES_MAX`] bytes.
    pub version: String,
    /// Its questions and repeats, in order; 1 to [`LEAVES_MAX`], with different names.
    pub leaves: Vec<Leaf>,
    /// SHA-256 of the document it was made from.
    pub source: Option<[u8; 32]>,
    /// The positions of what a publication must disclose, ascending: of these leaves and of the standard block but for
    /// the reserved position. Empty in definitions that say nothing of publications.
    pub must: Vec<u32>,
}

/// One question outside repeats, or one repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its name.
    pub name: String,
    /// What is under the name.
    pub shape: Shape,
}

/// What is under a leaf's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One answer.
    Answer,
    /// Rows of answers.
    Repeat,
}

impl FormDefinition {
    /// Reads a definition.
    ///
    /// # Errors
    /// The first rule of `spec/claims.md` §Leaf table that it breaks.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        Self::decode_under(bytes, Full)
    }

    /// Reads a definition under `policy`.
    ///
    /// # Errors
    /// As [`decode`](Self::decode), as far as `policy` makes the checks.
    pub fn decode_under<P: Policy>(bytes: &[u8], policy: P) -> Result<Self, Refused> {
        let what = "form definition";
        policy.require(bytes.len() <= DEFINITION_BYTES_MAX, Check::SizeLimit, what)?;
        let mut reader = Reader::with(bytes, policy);
        let (mut kind, mut title, mut version, mut leaves, mut source) = (None, None, None, None, None);
        let mut must = Vec::new();
        let mut fields = reader.map(what)?;
        while let Some(key) = fields.next(&mut reader)? {
            match key {
                1 => kind = Some(question(&mut reader, "kind of record")?),
                2 => title = Some(reader.text(TITLE_BYTES_MAX, "form title")?.to_owned()),
                3 => version = Some(reader.text(VERSION_BYTES_MAX, "form version")?.to_owned()),
                4 => leaves = Some(read_leaves(&mut reader)?),
                5 => source = Some(reader.array_of("form source")?),
                6 => must = read_must(&mut reader)?,
                _ => return Err(shape(what)),
            }
        }
        reader.finish(what)?;
        let (Some(kind), Some(title), Some(version), Some(leaves)) = (kind, title, version, leaves) else {
            return Err(shape(what));
        };
        let definition = Self { kind, title, version, leaves, source, must };
        policy.require(definition.names_differ(), Check::Shape, "form leaf twice")?;
        policy.require(definition.must_be_leaves(), Check::Shape, "what must be disclosed")?;
        Ok(definition)
    }

    /// Its bytes, whose hash a mission signs.
    ///
    /// # Errors
    /// The rule of `spec/claims.md` §Leaf table that the definition breaks.
    pub fn encode(&self) -> Result<Vec<u8>, Refused> {
        text::check(&self.title, text::Lines::One, "form title")?;
        text::check(&self.version, text::Lines::One, "form version")?;
        let mut writer = Writer::new();
        writer.map(4 + usize::from(self.source.is_some()) + usize::from(!self.must.is_empty()));
        writer.uint(1).text(&self.kind).uint(2).text(&self.title).uint(3).text(&self.version);
        writer.uint(4).array(self.leaves.len());
        for Leaf { name, shape } in &self.leaves {
            let shape = match shape {
                Shape::Answer => 0,
                Shape::Repeat => 1,
            };
            writer.array(2).text(name).uint(shape);
        }
        if let Some(source) = &self.source {
            writer.uint(5).bytes(source);
        }
        if !self.must.is_empty() {
            writer.uint(6).array(self.must.len());
            for &position in &self.must {
                writer.uint(u64::from(position));
            }
        }
        let bytes = writer.finish();
        Self::decode(&bytes)?;
        Ok(bytes)
    }

    /// The hash by which charters and entries name it.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn hash(&self) -> Result<FormHash, Refused> {
        Ok(FormHash::of(&self.encode()?))
    }

    /// Whether each position that must be disclosed is one of a leaf that can say something, once.
    fn must_be_leaves(&self) -> bool {
        let end = STANDARD_LEAVES + self.leaves.len() as u32;
        let is_leaf = |&position: &u32| position < end && position != STANDARD_LEAVES - 1;
        self.must.is_sorted_by(|a, b| a < b) && self.must.iter().all(is_leaf)
    }

    fn names_differ(&self) -> bool {
        let mut names: Vec<&str> = self.leaves.iter().map(|leaf| leaf.name.as_str()).collect();
        names.sort_unstable();
        names.is_sorted_by(|a, b| a < b)
    }
}

fn read_leaves<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Vec<Leaf>, Refused> {
    let what = "form leaves";
    let len = reader.array(LEAVES_MAX, what)?;
    reader.policy().require(len > 0, Check::Shape, what)?;
    let mut leaves = Vec::with_capacity(len);
    for _ in 0..len {
        reader.array_exact(2, what)?;
        let name = question(reader, "name of a form leaf")?;
        let shape = match reader.uint("shape of a form leaf")? {
            0 => Shape::Answer,
            1 => Shape::Repeat,
            _ => return Err(shape(what)),
        };
        reader.leave();
        leaves.push(Leaf { name, shape });
    }
    reader.leave();
    Ok(leaves)
}

fn read_must<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Vec<u32>, Refused> {
    let what = "what must be disclosed";
    let len = reader.array(LEAVES_MAX + STANDARD_LEAVES as usize, what)?;
    if len == 0 {
        return Err(shape(what));
    }
    let position = |position: u64| u32::try_from(position).map_err(|_| shape(what));
    let must = (0..len).map(|_| reader.uint(what).and_then(position)).collect::<Result<_, _>>()?;
    reader.leave();
    Ok(must)
}

fn question<P: Policy>(reader: &mut Reader<'_, P>, what: &'static str) -> Result<String, Refused> {
    let name = reader.text(NAME_BYTES_MAX, what)?;
    reader.policy().require(is_question(name), Check::Shape, what)?;
    Ok(name.to_owned())
}

fn shape(what: &'static str) -> Refused {
    Refused { check: Check::Shape, what }
}

/// Where each name of a form has its leaf. Made once for each form.
#[derive(Clone, Debug)]
pub struct LeafTable {
    positions: HashMap<Box<str>, (u32, Shape)>,
}

impl LeafTable {
    /// The table of `definition`.
    pub fn new(definition: &FormDefinition) -> Self {
        let leaves = definition.leaves.iter().zip(STANDARD_LEAVES..);
        Self { positions: leaves.map(|(leaf, at)| (leaf.name.as_str().into(), (at, leaf.shape))).collect() }
    }

    /// Number of leaves, the standard block included.
    pub fn leaves(&self) -> u32 {
        STANDARD_LEAVES + self.positions.len() as u32
    }

    /// The position of the leaf for `key`; `None` if the form does not name it.
    ///
    /// For a cell it is the position of its repeat.
    pub fn position(&self, key: Key<'_>) -> Option<u32> {
        let (name, wanted) = match key {
            Key::Answer { question } => (question, Shape::Answer),
            Key::Cell { repeat, .. } => (repeat, Shape::Repeat),
        };
        self.positions.get(name).filter(|(_, shape)| *shape == wanted).map(|(position, _)| *position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> FormDefinition {
        let leaf = |name: &str, shape| Leaf { name: name.into(), shape };
        FormDefinition {
            kind: "inspection".into(),
            title: "Перевірка посту".into(),
            version: "2026-03".into(),
            leaves: vec![leaf("weather", Shape::Answer), leaf("photos", Shape::Repeat)],
            source: Some([7; 32]),
            must: vec![2, 9],
        }
    }

    #[test]
    fn keys_are_a_question_or_a_cell_and_nothing_else() {
        assert_eq!(Key::parse("q.1-a_"), Some(Key::Answer { question: "q.1-a_" }));
        let cell = Key::Cell { repeat: "photos", row: "0123456789abcdef", question: "file" };
        assert_eq!(Key::parse("photos/0123456789abcdef/file"), Some(cell));
        let longest = "q".repeat(64);
        assert!(Key::parse(&longest).is_some());
        let too_long = "q".repeat(65);
        for bad in [
            "",
            "1q",
            "-q",
            "q q",
            "ä",
            "q/",
            "/q",
            "p/0123456789abcdef",
            "p/0123456789abcdef/",
            "p/0123456789abcdeF/q",
            "p/0123456789abcde/q",
            "p/0123456789abcdef/q/r",
            "p//q",
            &too_long,
        ] {
            assert_eq!(Key::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_definition_reads_back_and_its_leaves_follow_the_standard_block() {
        let definition = definition();
        let bytes = definition.encode().unwrap();
        assert_eq!(FormDefinition::decode(&bytes), Ok(definition.clone()));
        assert_eq!(definition.hash(), Ok(FormHash::of(&bytes)));
        let table = LeafTable::new(&definition);
        assert_eq!(table.leaves(), 10);
        let position = |key| table.position(Key::parse(key).unwrap());
        assert_eq!(position("weather"), Some(8));
        assert_eq!(position("photos/0000000000000000/file"), Some(9));
        assert_eq!(position("photos"), None, "a repeat has no single answer");
        assert_eq!(position("weather/0000000000000000/file"), None);
        assert_eq!(position("wind"), None);
    }

    #[test]
    fn the_largest_definition_fits_its_limit() {
        let name = |at: usize| format!("{at:0>4}{}", "x".repeat(59));
        let leaves = (0..LEAVES_MAX).map(|at| Leaf { name: format!("q{}", name(at)), shape: Shape::Repeat }).collect();
        let largest = FormDefinition {
            kind: "k".repeat(NAME_BYTES_MAX),
            title: "t".repeat(TITLE_BYTES_MAX),
            version: "v".repeat(VERSION_BYTES_MAX),
            leaves,
            source: Some([0; 32]),
            must: (0..LEAVES_MAX as u32 + STANDARD_LEAVES).filter(|&position| position != 7).collect(),
        };
        assert!(largest.encode().unwrap().len() <= DEFINITION_BYTES_MAX);
    }

    #[test]
    fn definitions_that_break_a_rule_are_refused() {
        type Break = fn(&mut FormDefinition);
        let rows: &[(Break, Check)] = &[
            (|form| form.kind = "in spection".into(), Check::Shape),
            (|form| form.kind = "k".repeat(65), Check::SizeLimit),
            (|form| form.title = "t".repeat(257), Check::SizeLimit),
            (|form| form.title = "a\u{202e}b".into(), Check::TextForbidden),
            (|form| form.version = "e\u{301}".into(), Check::TextNotNfc),
            (|form| form.leaves.clear(), Check::Shape),
            (|form| form.leaves[1].name = "weather".into(), Check::Shape),
            (|form| form.leaves[1].name = "a/b".into(), Check::Shape),
            (|form| form.leaves = vec![form.leaves[0].clone(); LEAVES_MAX + 1], Check::SizeLimit),
            (|form| form.must = vec![9, 2], Check::Shape),
            (|form| form.must = vec![2, 2], Check::Shape),
            (|form| form.must = vec![7], Check::Shape),
            (|form| form.must = vec![10], Check::Shape),
        ];
        for (number, (break_it, wanted)) in rows.iter().enumerate() {
            let mut broken = definition();
            break_it(&mut broken);
            assert_eq!(broken.encode().map_err(|refused| refused.check), Err(*wanted), "row {number}");
        }
        for (bytes, wanted) in
            [(&b"\xa0"[..], Check::Shape), (b"\xa1\x07\x01", Check::Shape), (b"", Check::CborMalformed)]
        {
            assert_eq!(FormDefinition::decode(bytes).map_err(|refused| refused.check), Err(wanted));
        }
    }
}
