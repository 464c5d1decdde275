//! What the device knew when an entry was made: its clock, its place, who held it, the photos taken.
//!
//! Nothing is accepted or refused because of a time or a place; only their ranges are checked.

use super::photo::Photo;
use crate::cbor::{Reader, Writer};
use crate::check::{Check, Policy, Refused};

/// Most photos in one entry.
pub const PHOTOS_MAX: usize = 32;

/// Longest name of a post, in bytes.
pub const POST_BYTES_MAX: usize = 128;

/// Longest name of an observer, in bytes.
pub const OBSERVER_BYTES_MAX: usize = 64;

/// The circumstances of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// When, as the device's clocks showed it.
    pub clock: Clock,
    /// Where, if known.
    pub place: Option<Place>,
    /// The name of the post, if there is one.
    pub post: Option<String>,
    /// The observer's name, as in the certificate.
    pub observer: String,
    /// The photos of this entry, ascending by the hash of the original; in a change only.
    pub photos: Vec<Photo>,
}

impl Context {
    /// Writes the context's map.
    pub fn encode(&self, writer: &mut Writer) {
        let Context { clock, place, post, observer, photos } = self;
        let optional = [place.is_some(), post.is_some(), !photos.is_empty()];
        writer.map(2 + optional.iter().filter(|&&is_there| is_there).count());
        writer.uint(1);
        clock.encode(writer);
        if let Some(place) = place {
            writer.uint(2);
            place.encode(writer);
        }
        if let Some(post) = post {
            writer.uint(3).text(post);
        }
        writer.uint(4).text(observer);
        if !photos.is_empty() {
            writer.uint(5);
            Photo::encode_all(photos, writer);
        }
    }

    /// Reads the context's map.
    ///
    /// # Errors
    /// `shape`, `size-limit`, or an encoding code.
    pub fn decode<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Self, Refused> {
        let (mut clock, mut place, mut post, mut observer, mut photos) = (None, None, None, None, Vec::new());
        let mut fields = reader.map("context")?;
        while let Some(key) = fields.next(reader)? {
            match key {
                1 => clock = Some(Clock::decode(reader)?),
                2 => place = Some(Place::decode(reader)?),
                3 => post = Some(read_name(reader, POST_BYTES_MAX, "post")?),
                4 => observer = Some(read_name(reader, OBSERVER_BYTES_MAX, "observer")?),
                5 => photos = Photo::decode_all(reader)?,
                _ => return Err(shape("context")),
            }
        }
        let (clock, observer) = (clock.ok_or(shape("clock"))?, observer.ok_or(shape("observer"))?);
        Ok(Self { clock, place, post, observer, photos })
    }
}

/// What the device's clocks showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Milliseconds since 1970-01-01T00:00Z.
    pub wall_ms: i64,
    /// Milliseconds since boot.
    pub uptime_ms: u64,
    /// Random for each boot: uptimes compare within one boot only.
    pub boot: [u8; 8],
    /// Local offset from UTC in minutes, -1,440 to 1,440.
    pub offset_min: i16,
    /// Where the wall clock had its time from.
    pub source: ClockSource,
}

/// Where a wall clock has its time from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ClockSource {
    /// The device, perhaps set by hand.
    Device = 0,
    /// A network.
    Network = 1,
    /// A satellite.
    Satellite = 2,
}

impl Clock {
    /// Writes `[wall_ms, uptime_ms, boot, offset_min, source]`.
    pub fn encode(&self, writer: &mut Writer) {
        let Clock { wall_ms, uptime_ms, boot, offset_min, source } = self;
        writer.array(5).int(*wall_ms).uint(*uptime_ms).bytes(boot);
        writer.int(i64::from(*offset_min)).uint(*source as u64);
    }

    pub(crate) fn decode<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Self, Refused> {
        let what = "clock";
        reader.array_exact(5, what)?;
        let (wall_ms, uptime_ms, boot) = (reader.int(what)?, reader.uint(what)?, reader.array_of(what)?);
        let offset_min = reader.int(what)?;
        let source = match reader.uint(what)? {
            0 => ClockSource::Device,
            1 => ClockSource::Network,
            2 => ClockSource::Satellite,
            _ => return Err(shape("clock source")),
        };
        reader.leave();
        let offset_min = within(offset_min, 1_440).ok_or(shape("clock offset"))?;
        Ok(Self { wall_ms, uptime_ms, boot, offset_min, source })
    }
}

/// Where the device was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Latitude in 10^-7 degree, -900,000,000 to 900,000,000.
    pub lat_e7: i32,
    /// Longitude in 10^-7 degree, -1,800,000,000 to 1,800,000,000.
    pub lon_e7: i32,
    /// Radius of uncertainty in metres.
    pub accuracy_m: u64,
    /// How the place is known.
    pub source: PlaceSource,
}

/// How a place is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PlaceSource {
    /// By satellite.
    Satellite = 1,
    /// Placed on the map by hand.
    Hand = 2,
    /// From a registry of posts.
    Registry = 3,
    /// Flagged by the system as mocked.
    Mocked = 4,
}

impl Place {
    /// Writes `[lat_e7, lon_e7, accuracy_m, source]`.
    pub fn encode(&self, writer: &mut Writer) {
        let Place { lat_e7, lon_e7, accuracy_m, source } = self;
        writer.array(4).int(i64::from(*lat_e7)).int(i64::from(*lon_e7)).uint(*accuracy_m).uint(*source as u64);
    }

    pub(crate) fn decode<P: Policy>(reader: &mut Reader<'_, P>) -> Result<Self, Refused> {
        let what = "place";
        reader.array_exact(4, what)?;
        let (lat, lon, accuracy_m) = (reader.int(what)?, reader.int(what)?, reader.uint(what)?);
        let source = match reader.uint(what)? {
            1 => PlaceSource::Satellite,
            2 => PlaceSource::Hand,
            3 => PlaceSource::Registry,
            4 => PlaceSource::Mocked,
            _ => return Err(shape("place source")),
        };
        reader.leave();
        let lat_e7 = within(lat, 900_000_000).ok_or(shape("latitude"))?;
        let lon_e7 = within(lon, 1_800_000_000).ok_or(shape("longitude"))?;
        Ok(Self { lat_e7, lon_e7, accuracy_m, source })
    }
}

/// `value`, if it is not farther than `limit` from zero; `limit` fits `T`.
fn within<T: TryFrom<i64>>(value: i64, limit: i64) -> Option<T> {
    if (-limit..=limit).contains(&value) { T::try_from(value).ok() } else { None }
}

/// A text that says something.
fn read_name<P: Policy>(reader: &mut Reader<'_, P>, bytes_max: usize, what: &'static str) -> Result<String, Refused> {
    let text = reader.text(bytes_max, what)?;
    if text.is_empty() { Err(shape(what)) } else { Ok(text.to_owned()) }
}

const fn shape(what: &'static str) -> Refused {
    Refused { check: Check::Shape, what }
}
