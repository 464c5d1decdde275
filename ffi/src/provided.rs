//! What the app knows better than the library: the time, the place, what the link costs.

use std::sync::{Arc, Mutex};

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
/// The app is asked only by [`refresh`](Self::refresh), while nothing is locked; a reading in between goes on from the last one
/// by the system's uptime, sleep included where the system counts it. Of one start of the phone no reading is before another
/// that was shown.
pub(crate) struct PhoneClock {
    system: SystemClock,
    provider: Option<Arc<dyn ClockProvider>>,
    shown: Mutex<Shown>,
}

/// What the app's clocks showed.
#[derive(Default)]
struct Shown {
    /// The last reading, and the system's uptime before it was asked for.
    last: Option<(ClockReading, u64)>,
    /// The newest uptime that was shown of a start of the phone.
    newest: Option<([u8; 8], u64)>,
}

impl PhoneClock {
    pub(crate) fn new(offset_min: i16, provider: Option<Arc<dyn ClockProvider>>) -> Result<Self, NoEntropy> {
        Ok(Self { system: SystemClock::new(offset_min)?, provider, shown: Mutex::default() })
    }

    /// Asks the app what the clocks show.
    pub(crate) fn refresh(&self) {
        let Some(provider) = &self.provider else { return };
        let asked_ms = self.system.now().uptime_ms;
        let reading = provider.read().ok().and_then(reading);
        if reading.is_none() {
            say(LogLevel::Warning, "the clock that the app brings gave no reading; the system's is used");
        }
        locked(&self.shown).take(reading.map(|reading| (reading, asked_ms)));
    }
}

impl Clock for PhoneClock {
    fn now(&self) -> ClockReading {
        let system = self.system.now();
        locked(&self.shown).at(system.uptime_ms).unwrap_or(system)
    }
}

impl Shown {
    /// Takes the app's answer. Two calls may ask at once: of one start of the phone the newer uptime counts, whichever answer
    /// came last.
    fn take(&mut self, answer: Option<(ClockReading, u64)>) {
        let is_older = |(new, _): &(ClockReading, u64)| {
            self.last.as_ref().is_some_and(|(last, _)| last.boot == new.boot && new.uptime_ms < last.uptime_ms)
        };
        if !answer.as_ref().is_some_and(is_older) {
            self.last = answer;
        }
    }

    /// What the app's clocks show when the system's uptime is so much; `None` where the app has none.
    fn at(&mut self, system_ms: u64) -> Option<ClockReading> {
        let (reading, asked_ms) = self.last.as_ref()?;
        let since = system_ms.saturating_sub(*asked_ms);
        let went_on_ms = reading.uptime_ms.saturating_add(since);
        let newest = self.newest.filter(|(boot, _)| *boot == reading.boot).map_or(0, |(_, newest_ms)| newest_ms);
        let uptime_ms = went_on_ms.max(newest);
        self.newest = Some((reading.boot, uptime_ms));
        Some(ClockReading { wall_ms: reading.wall_ms.saturating_add_unsigned(since), uptime_ms, ..*reading })
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

    fn reading(boot: u8, uptime_ms: u64) -> ClockReading {
        let wall_ms = 1_764_576_000_000 + uptime_ms.cast_signed();
        ClockReading { wall_ms, uptime_ms, boot: [boot; 8], offset_min: 180, source: ClockSource::Network }
    }

    #[test]
    fn an_answer_that_took_long_is_not_put_over_a_newer_one() {
        let mut shown = Shown::default();
        shown.take(Some((reading(1, 60_000), 1_060_000)));
        // Asked a minute before, answered after it.
        shown.take(Some((reading(1, 10), 1_000_000)));
        assert_eq!(shown.at(1_060_005), Some(reading(1, 60_005)));
        shown.take(Some((reading(2, 10), 1_060_010)));
        assert_eq!(shown.at(1_060_010), Some(reading(2, 10)), "after another start all uptimes are new");
    }

    #[test]
    fn no_uptime_is_before_one_that_was_shown() {
        let mut shown = Shown::default();
        // The app answered after a minute, with what its clocks showed then: until it is asked again that is a minute too much.
        shown.take(Some((reading(1, 60_000), 1_000_000)));
        let early = shown.at(1_060_000).map(|reading| reading.uptime_ms);
        assert_eq!(early, Some(120_000));
        shown.take(Some((reading(1, 60_100), 1_060_100)));
        assert_eq!(shown.at(1_060_100).map(|reading| reading.uptime_ms), early);
        shown.take(None);
        assert_eq!(shown.at(1_060_200), None, "without the app the system's clocks are read");
        shown.take(Some((reading(1, 60_300), 1_060_300)));
        assert_eq!(shown.at(1_060_300).map(|reading| reading.uptime_ms), early);
        assert_eq!(shown.at(1_200_000).map(|reading| reading.uptime_ms), Some(200_000));
    }
}
