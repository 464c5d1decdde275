//! What the app knows better than the library: the time, the place, what the link costs.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use merestone_core::entry::{ClockSource, Place, PlaceSource};
use merestone_node::clock::{Clock, ClockReading, NoEntropy, SystemClock};
use uniffi::UnexpectedUniFFICallbackError;

use crate::log::{LogLevel, say};
use crate::runtime::locked;

/// Something that the app brought did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ProviderError {
    /// It does not know, or threw.
    #[error("{reason}")]
    Failed {
        /// For people.
        reason: String,
    },
}

impl From<UnexpectedUniFFICallbackError> for ProviderError {
    fn from(error: UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { reason: thrown("what the app brought", &error) }
    }
}

/// What is told of something that the app threw and that is none of the errors it may throw: its class, where it names one,
/// and never its text, which may hold what belongs in no log.
pub(crate) fn thrown(who: &str, error: &UnexpectedUniFFICallbackError) -> String {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '$');
    // `ValueError('…')` of Python, `java.io.IOException: …` of Kotlin.
    let class = error.reason.split(['(', ':']).next().unwrap_or_default();
    let is_class = class.len() <= CLASS_BYTES_MAX && ["Error", "Exception"].iter().any(|end| class.ends_with(end));
    match is_class && class.chars().all(is_of_name) {
        true => format!("{who} threw {class}"),
        false => format!("{who} threw what it may not throw"),
    }
}

/// Longest name of a class that is told.
const CLASS_BYTES_MAX: usize = 100;

/// How a time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ClockKind {
    /// The phone's clock, perhaps set by hand.
    Device,
    /// A network's time.
    Network,
    /// A satellite's time.
    Satellite,
}

/// What the phone's clocks show at one moment.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ClockLine {
    /// Milliseconds since 1970, UTC.
    pub wall_ms: i64,
    /// Milliseconds since the phone started, sleep included.
    pub uptime_ms: u64,
    /// Which start of the phone that is: 8 bytes, other ones after each start.
    pub boot: Vec<u8>,
    /// Minutes that the place is ahead of UTC, -1,440 to 1,440.
    pub offset_min: i16,
    /// How `wall_ms` is known.
    pub source: ClockKind,
}

/// Clocks that are better than the system's as a library sees it: the phone's count of starts, the time of a satellite.
///
/// Read before each step that may sign. Where it throws, the system's clock is read; no clock is believed anyway, and what
/// an entry says of its time is shown as what the phone said.
#[uniffi::export(foreign)]
pub trait ClockProvider: Send + Sync {
    /// Reads the clocks.
    fn read(&self) -> Result<ClockLine, ProviderError>;
}

/// How a place is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PlaceKind {
    /// By satellite.
    Satellite,
    /// Placed on the map by hand.
    Hand,
    /// From a registry of posts.
    Registry,
    /// The system says that an app made it up.
    Mocked,
}

/// Where the phone is.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PlaceLine {
    /// Latitude in 10^-7 degree, north positive.
    pub lat_e7: i32,
    /// Longitude in 10^-7 degree, east positive.
    pub lon_e7: i32,
    /// Radius of uncertainty in metres.
    pub accuracy_m: u64,
    /// How it is known.
    pub source: PlaceKind,
}

/// Says where the phone is. Asked once when something is saved; it should answer at once, with the last place it knows.
#[uniffi::export(foreign)]
pub trait LocationProvider: Send + Sync {
    /// The place, or none. Where it throws, what is saved names no place.
    fn locate(&self) -> Result<Option<PlaceLine>, ProviderError>;
}

/// What the link is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LinkHint {
    /// Somebody pays for every megabyte: originals wait unless they are asked for.
    pub is_metered: bool,
    /// A local network is there.
    pub is_wifi: bool,
}

/// Says what the link is like. Where it throws, it is taken for one that costs nothing.
#[uniffi::export(foreign)]
pub trait ConnectivityProvider: Send + Sync {
    /// The link as it is now.
    fn hint(&self) -> Result<LinkHint, ProviderError>;
}

/// The clocks of a phone: those that the app brings, or the system's.
///
/// The app is asked only by [`refresh`](Self::refresh), while nothing is locked; a reading in between goes on from the last one.
pub(crate) struct PhoneClock {
    system: SystemClock,
    provider: Option<Arc<dyn ClockProvider>>,
    last: Mutex<Option<(ClockReading, Instant)>>,
}

impl PhoneClock {
    pub(crate) fn new(offset_min: i16, provider: Option<Arc<dyn ClockProvider>>) -> Result<Self, NoEntropy> {
        Ok(Self { system: SystemClock::new(offset_min)?, provider, last: Mutex::default() })
    }

    /// Asks the app what the clocks show.
    pub(crate) fn refresh(&self) {
        let Some(provider) = &self.provider else { return };
        let reading = provider.read().ok().and_then(reading);
        if reading.is_none() {
            say(LogLevel::Warning, "the clock that the app brings gave no reading; the system's is used");
        }
        *locked(&self.last) = reading.map(|reading| (reading, Instant::now()));
    }
}

impl Clock for PhoneClock {
    fn now(&self) -> ClockReading {
        let Some((reading, at)) = *locked(&self.last) else { return self.system.now() };
        let since = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        ClockReading {
            wall_ms: reading.wall_ms.saturating_add_unsigned(since),
            uptime_ms: reading.uptime_ms.saturating_add(since),
            ..reading
        }
    }
}

/// A reading that can be signed; `None` where its boot has no 8 bytes or no place has its offset.
fn reading(line: ClockLine) -> Option<ClockReading> {
    let ClockLine { wall_ms, uptime_ms, boot, offset_min, source } = line;
    let source = match source {
        ClockKind::Device => ClockSource::Device,
        ClockKind::Network => ClockSource::Network,
        ClockKind::Satellite => ClockSource::Satellite,
    };
    let boot = boot.try_into().ok()?;
    (-1_440..=1_440).contains(&offset_min).then_some(ClockReading { wall_ms, uptime_ms, boot, offset_min, source })
}

impl From<ClockSource> for ClockKind {
    fn from(source: ClockSource) -> Self {
        match source {
            ClockSource::Device => Self::Device,
            ClockSource::Network => Self::Network,
            ClockSource::Satellite => Self::Satellite,
        }
    }
}

/// Where the phone is, as the app says; none where it does not know, throws, or names a place that is nowhere on earth.
pub(crate) fn place(provider: Option<&dyn LocationProvider>) -> Option<Place> {
    let line = match provider?.locate() {
        Ok(line) => line?,
        Err(_) => {
            say(LogLevel::Warning, "the app's location provider failed; no place is noted");
            return None;
        }
    };
    let PlaceLine { lat_e7, lon_e7, accuracy_m, source } = line;
    let is_on_earth = lat_e7.unsigned_abs() <= 900_000_000 && lon_e7.unsigned_abs() <= 1_800_000_000;
    let source = match source {
        PlaceKind::Satellite => PlaceSource::Satellite,
        PlaceKind::Hand => PlaceSource::Hand,
        PlaceKind::Registry => PlaceSource::Registry,
        PlaceKind::Mocked => PlaceSource::Mocked,
    };
    is_on_earth.then_some(Place { lat_e7, lon_e7, accuracy_m, source })
}

impl From<Place> for PlaceLine {
    fn from(place: Place) -> Self {
        let Place { lat_e7, lon_e7, accuracy_m, source } = place;
        let source = match source {
            PlaceSource::Satellite => PlaceKind::Satellite,
            PlaceSource::Hand => PlaceKind::Hand,
            PlaceSource::Registry => PlaceKind::Registry,
            PlaceSource::Mocked => PlaceKind::Mocked,
        };
        Self { lat_e7, lon_e7, accuracy_m, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_the_app_threw_the_class_is_told_and_not_the_text() {
        for (reason, wanted) in [
            ("ValueError('Olena')", "the clock threw ValueError"),
            ("java.io.IOException: Olena", "the clock threw java.io.IOException"),
            ("Olena is no class: Error", "the clock threw what it may not throw"),
            ("Olena", "the clock threw what it may not throw"),
            ("", "the clock threw what it may not throw"),
        ] {
            assert_eq!(thrown("the clock", &UnexpectedUniFFICallbackError { reason: reason.into() }), wanted);
        }
    }
}
