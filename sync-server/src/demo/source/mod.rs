//! What the demonstration replays: real records of public datasets, or the project's own set when they are absent.

mod external;
mod own;
mod table;

use std::path::{Path, PathBuf};

use merestone_core::entry::{Place, PlaceSource};
use merestone_node::Answer;
use serde::Deserialize;

use crate::exit::{Code, Failure};

/// Which standard form an observation fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FormName {
    /// A visit to a post.
    Inspection,
    /// An incident.
    Incident,
    /// A count of crossings.
    CrossingCount,
    /// A patrol with the places it visited.
    Patrol,
    /// Access that was restricted.
    AccessRestriction,
}

/// One record to replay.
#[derive(Clone, Debug)]
pub(super) struct Observation {
    pub(super) form: FormName,
    pub(super) answers: Vec<(String, Answer)>,
    /// Where it was.
    pub(super) place: Option<Place>,
    /// The post it was recorded at.
    pub(super) post: String,
}

impl Observation {
    /// The day it is about, `YYYY-MM-DD`: the observer's clock is set to it.
    pub(super) fn day(&self) -> &str {
        let is_day = |key: &str| key == "day" || key == "day_from";
        let day = self.answers.iter().find_map(|(key, answer)| match answer {
            Answer::Text(day) if is_day(key) => Some(day.as_str()),
            _ => None,
        });
        day.unwrap_or_default()
    }
}

/// A photo to attach.
#[derive(Clone, Debug)]
pub(super) struct Photo {
    pub(super) bytes: Vec<u8>,
    /// Its name in its set, whose it is, and under which licence; signed as its caption.
    pub(super) credit: String,
}

/// Everything the demonstration replays.
#[derive(Debug)]
pub(super) struct Material {
    /// What it is and whose, for the story.
    pub(super) credits: Vec<String>,
    pub(super) inspections: Vec<Observation>,
    pub(super) incidents: Vec<Observation>,
    pub(super) counts: Vec<Observation>,
    /// Of the project's own set always: no public record says which way a patrol went, or who turned it back.
    pub(super) patrols: Vec<Observation>,
    /// Of the project's own set always.
    pub(super) restrictions: Vec<Observation>,
    pub(super) photos: Vec<Photo>,
    /// Whether this is the external fixture set: real events of real people.
    pub(super) is_external: bool,
}

/// Why material could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    /// A file of the external fixture set.
    #[error("cannot read {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// A file that is not what its name says.
    #[error("{path}, row {row}: not the dataset that was expected")]
    Format { path: PathBuf, row: usize },
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let advice = "mend it, or set MERESTONE_SHARED to a folder without it";
        Self::new(Code::BadInput, format!("{error}; {advice}"))
    }
}

impl Material {
    /// The external fixture set under `shared`, or the project's own when there is none.
    ///
    /// # Errors
    /// If the external set is there but cannot be read.
    pub(super) fn load(shared: &Path) -> Result<Self, SourceError> {
        let fixtures = shared.join("fixtures");
        if ["events", "maps", "photos"].iter().all(|part| fixtures.join(part).is_dir()) {
            external::read(&fixtures)
        } else {
            Ok(own::read())
        }
    }
}

/// Answers by key; empty texts are left out, because the source does not say anything there.
fn answers<const N: usize>(answers: [(&str, Answer); N]) -> Vec<(String, Answer)> {
    let given = answers.into_iter().filter(|(_, answer)| !matches!(answer, Answer::Text(text) if text.is_empty()));
    given.map(|(key, answer)| (key.to_owned(), answer)).collect()
}

/// A place as an answer: `latitude longitude altitude accuracy`, exactly as far as it is known.
fn location(lat_e7: i64, lon_e7: i64, accuracy_m: u64) -> Answer {
    let degrees = |e7: i64| {
        let (sign, e7) = (if e7 < 0 { "-" } else { "" }, e7.unsigned_abs());
        format!("{sign}{}.{:07}", e7 / 10_000_000, e7 % 10_000_000)
    };
    Answer::text(&format!("{} {} 0 {accuracy_m}", degrees(lat_e7), degrees(lon_e7)))
}

/// A place as a context states it; `None` if the coordinates are nowhere on earth.
fn place(lat_e7: i64, lon_e7: i64, accuracy_m: u64, source: PlaceSource) -> Option<Place> {
    let within = |value: i64, limit: i64| i32::try_from(value).ok().filter(|_| (-limit..=limit).contains(&value));
    let (lat_e7, lon_e7) = (within(lat_e7, 900_000_000)?, within(lon_e7, 1_800_000_000)?);
    Some(Place { lat_e7, lon_e7, accuracy_m, source })
}
