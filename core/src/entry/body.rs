//! The body of an entry: what may be withheld or erased while the header stays (`spec/entry.md`, Body).
//!
//! The change inside is raw bytes here; [`change`](crate::change) judges them.

use super::context::{Context, PHOTOS_MAX};
use super::header::Kind;
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Full, Policy, Refused};
use crate::id::sha256;

/// Largest body, in bytes.
pub const BODY_BYTES_MAX: usize = 393_216;

/// Longest text of a signature role, in bytes.
pub const TEXT_BYTES_MAX: usize = 65_536;

/// The content of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// What was done.
    pub content: Content,
    /// By whom, when and where, as the device had it.
    pub context: Context,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Answers were written: one Automerge change chunk.
    Change(Vec<u8>),
    /// Something was said about entries.
    Role {
        /// Why, as a number of the mission's own list; in an objection, a dissent and a ruling only.
        reason: Option<u64>,
        /// In words; always there in an objection.
        text: Option<String>,
        /// Random, so that nobody guesses the body from its hash.
        seed: [u8; 16],
    },
}

impl Body {
    /// The body's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let Body { content, context } = self;
        let mut writer = Writer::with_capacity(512);
        match content {
            Content::Change(change) => {
                writer.map(2).uint(1).bytes(change).uint(2);
                context.encode(&mut writer);
            }
            Content::Role { reason, text, seed } => {
                writer.map(2 + usize::from(reason.is_some()) + usize::from(text.is_some())).uint(2);
                context.encode(&mut writer);
                if let Some(reason) = reason {
                    writer.uint(3).uint(*reason);
                }
                if let Some(text) = text {
                    writer.uint(4).text(text);
                }
                writer.uint(5).bytes(seed);
            }
        }
        writer.finish()
    }

    /// Decodes the body of an entry of this `kind`; `None` for a kind of a later version, whose body only has to be a map.
    ///
    /// # Errors
    /// An encoding code, `shape` or `size-limit`.
    pub fn decode(kind: Kind, bytes: &[u8]) -> Result<Option<Self>, Refused> {
        Self::decode_under(kind, bytes, Full)
    }

    /// [`decode`](Self::decode) under `policy`.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_under<P: Policy>(kind: Kind, bytes: &[u8], policy: P) -> Result<Option<Self>, Refused> {
        crate::cose::check_encoding(bytes, policy, "body")?;
        let allowed = match kind {
            Kind::Change => Allowed { change: true, photos_max: PHOTOS_MAX, reason: false, text: Text::Never },
            Kind::Receipt | Kind::HostComment | Kind::Concurrence | Kind::CoAuthorship => {
                Allowed { change: false, photos_max: 0, reason: false, text: Text::Maybe }
            }
            Kind::Objection => Allowed { change: false, photos_max: 0, reason: true, text: Text::Always },
            Kind::Dissent | Kind::Ruling => Allowed { change: false, photos_max: 0, reason: true, text: Text::Maybe },
            Kind::Unknown(_) => {
                // A map of any keys and values; its encoding has been checked.
                Reader::with(bytes, policy).map("body")?;
                return Ok(None);
            }
        };
        Fields::decode(bytes, policy)?.judge(allowed).map(Some)
    }

    /// SHA-256 of the body's bytes, as the header names it.
    pub fn hash(bytes: &[u8]) -> [u8; 32] {
        sha256(&[bytes])
    }
}

/// What a kind lets a body hold.
struct Allowed {
    change: bool,
    photos_max: usize,
    reason: bool,
    text: Text,
}

#[derive(PartialEq)]
enum Text {
    Never,
    Maybe,
    Always,
}

struct Fields {
    change: Option<Vec<u8>>,
    context: Context,
    reason: Option<u64>,
    text: Option<String>,
    seed: Option<[u8; 16]>,
}

impl Fields {
    fn decode<P: Policy>(bytes: &[u8], policy: P) -> Result<Self, Refused> {
        let mut reader = Reader::with(bytes, policy);
        let (mut change, mut context, mut reason, mut text, mut seed) = (None, None, None, None, None);
        let mut fields = reader.map("body")?;
        while let Some(key) = fields.next(&mut reader)? {
            match key {
                1 => change = Some(reader.bytes("change")?.to_vec()),
                2 => context = Some(Context::decode(&mut reader)?),
                3 => reason = Some(reader.uint("reason")?),
                4 => text = Some(reader.note(TEXT_BYTES_MAX, "text")?.to_owned()),
                5 => seed = Some(reader.array_of("seed")?),
                _ => return Err(shape("body")),
            }
        }
        reader.finish("body")?;
        Ok(Self { change, context: context.ok_or(shape("context"))?, reason, text, seed })
    }

    fn judge(self, allowed: Allowed) -> Result<Body, Refused> {
        let Fields { change, context, reason, text, seed } = self;
        if text.as_ref().is_some_and(String::is_empty) {
            return Err(shape("text"));
        }
        if context.photos.len() > allowed.photos_max {
            return Err(shape("photos"));
        }
        if reason.is_some() && !allowed.reason {
            return Err(shape("reason"));
        }
        let is_text_missing = text.is_none() && allowed.text == Text::Always;
        let is_text_extra = text.is_some() && allowed.text == Text::Never;
        if is_text_missing || is_text_extra {
            return Err(shape("text"));
        }
        let content = match (change, seed, allowed.change) {
            (Some(change), None, true) => Content::Change(change),
            (None, Some(seed), false) => Content::Role { reason, text, seed },
            _ => return Err(shape("change and seed")),
        };
        Ok(Body { content, context })
    }
}

const fn shape(what: &'static str) -> Refused {
    Refused { check: Check::Shape, what }
}
