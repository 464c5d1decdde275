//! A body taken apart into what it says, and put together again.

use super::shape;
use crate::cbor::{Reader, Writer};
use crate::change::{self, Change};
use crate::id::Actor;

/// A body of a change and a context, and nothing else.
pub(super) struct Said<'a> {
    pub(super) change: Change<'a>,
    pub(super) context: Context<'a>,
}

/// What the context of a body holds.
#[derive(Default)]
pub(super) struct Context<'a> {
    pub(super) wall_ms: i64,
    pub(super) uptime_ms: i64,
    pub(super) boot: [u8; 8],
    /// Offset and source of the clock: two items.
    pub(super) clock: &'a [u8],
    pub(super) place: Option<Place<'a>>,
    pub(super) post: Option<&'a [u8]>,
    pub(super) observer: &'a [u8],
    pub(super) photos: Option<&'a [u8]>,
}

pub(super) struct Place<'a> {
    pub(super) lat_e7: i64,
    pub(super) lon_e7: i64,
    /// Accuracy and source: two items.
    pub(super) rest: &'a [u8],
}

impl<'a> Said<'a> {
    /// What `body` says; `None` if it is no such body, and is sent as it is.
    pub(super) fn of(body: &'a [u8], actor: Actor) -> Option<Self> {
        let mut reader = Reader::new(body);
        let mut fields = reader.map("body").ok()?;
        let (mut chunk, mut context) = (None, None);
        while let Some(field) = fields.next(&mut reader).ok()? {
            match field {
                1 => chunk = reader.bytes("change").ok(),
                2 => context = Context::read(&mut reader),
                _ => return None,
            }
        }
        reader.finish("body").ok()?;
        let (chunk, context) = (chunk?, context?);
        Some(Self { change: Change::decode(chunk, actor).ok()?, context })
    }
}

impl<'a> Context<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let what = "context";
        let mut context = Self::default();
        let mut seen = 0_u8;
        let mut fields = reader.map(what).ok()?;
        while let Some(field) = fields.next(reader).ok()? {
            match field {
                1 => {
                    reader.array_exact(5, what).ok()?;
                    (context.wall_ms, context.uptime_ms) = (reader.int(what).ok()?, reader.int(what).ok()?);
                    context.boot = reader.array_of(what).ok()?;
                    context.clock = two(reader)?;
                    reader.leave();
                }
                2 => {
                    reader.array_exact(4, what).ok()?;
                    let (lat_e7, lon_e7) = (reader.int(what).ok()?, reader.int(what).ok()?);
                    context.place = Some(Place { lat_e7, lon_e7, rest: two(reader)? });
                    reader.leave();
                }
                3 => context.post = Some(reader.skip(what).ok()?),
                4 => context.observer = reader.skip(what).ok()?,
                5 => context.photos = Some(reader.skip(what).ok()?),
                _ => return None,
            }
            seen |= 1 << field;
        }
        (seen & 0b1_0010 == 0b1_0010).then_some(context)
    }

    /// The bits of its shape.
    pub(super) fn shape(&self) -> u64 {
        let bit = |is: bool, bit| if is { bit } else { 0 };
        bit(self.place.is_some(), shape::PLACE)
            | bit(self.post.is_some(), shape::POST)
            | bit(self.photos.is_some(), shape::PHOTOS)
    }

    /// The body of this context and `chunk`.
    pub(super) fn write_with(&self, chunk: &[u8]) -> Vec<u8> {
        let Self { wall_ms, uptime_ms, boot, clock, place, post, observer, photos } = self;
        let mut writer = Writer::with_capacity(chunk.len() + 128);
        writer.map(2).uint(1).bytes(chunk).uint(2);
        writer.map(2 + usize::from(place.is_some()) + usize::from(post.is_some()) + usize::from(photos.is_some()));
        writer.uint(1).array(5).int(*wall_ms).int(*uptime_ms).bytes(boot).raw(clock);
        if let Some(Place { lat_e7, lon_e7, rest }) = place {
            writer.uint(2).array(4).int(*lat_e7).int(*lon_e7).raw(rest);
        }
        if let Some(post) = post {
            writer.uint(3).raw(post);
        }
        writer.uint(4).raw(observer);
        if let Some(photos) = photos {
            writer.uint(5).raw(photos);
        }
        writer.finish()
    }
}

/// Two items, as bytes.
pub(super) fn two<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let start = reader.position();
    reader.skip("context").ok()?;
    reader.skip("context").ok()?;
    Some(reader.since(start))
}

/// The actors a change names besides its own, ascending.
pub(super) fn other_actors(change: &Change<'_>) -> Vec<Actor> {
    let preds = change.puts().iter().flat_map(|put: &change::Put<'_>| &put.preds);
    let mut others: Vec<Actor> = preds.map(|pred| pred.actor).filter(|actor| *actor != change.actor()).collect();
    others.sort_unstable();
    others.dedup();
    others
}
