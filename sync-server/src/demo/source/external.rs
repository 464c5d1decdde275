//! The external fixture set: public records of real events, and photos that phones took.
//!
//! What a source does not say is not made up: a registry of posts names no queue, so none is answered.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use merestone_core::entry::PlaceSource;
use merestone_node::Answer;

use super::table::rows;
use super::{FormName, Material, Observation, Photo, SourceError, answers, location, place};

const UCDP: &str = "UCDP Georeferenced Event Dataset (Sundberg & Melander 2013; Davies, Pettersson & Öberg 2023)";
const IOM: &str = "IOM Missing Migrants Project";
const BTS: &str = "US Bureau of Transportation Statistics, Border Crossing Entry Data";
const HDX: &str = "Ukraine: Border Crossings, OCHA Ukraine on HDX, multiple sources";

pub(super) fn read(fixtures: &Path) -> Result<Material, SourceError> {
    let posts = posts(&fixtures.join("maps/ukraine-border-crossings.csv"))?;
    let mut incidents = ucdp(&fixtures.join("events/ucdp-ged-ukraine.csv"), &posts)?;
    let own = super::own::read();
    incidents.extend(iom(&fixtures.join("events/iom-gdidata-iom_mmp.csv"))?);
    Ok(Material {
        credits: vec![
            format!("posts      {HDX}: CC BY"),
            format!("incidents  {}: CC BY 4.0", UCDP.split(" (").next().unwrap_or(UCDP)),
            format!("incidents  {IOM}: CC BY 4.0"),
            format!("counts     {BTS}: public domain"),
            "patrols    and access restrictions: made up by this project, no public set has them; CC0-1.0".to_owned(),
            "photos     exif-samples CC BY-SA 4.0, mapillary_tools BSD-2, others MIT; see their captions".to_owned(),
        ],
        inspections: posts.iter().enumerate().map(|(index, post)| post.inspection(index)).collect(),
        incidents,
        counts: counts(&fixtures.join("events/bts-border-crossing-entry.csv"))?,
        patrols: own.patrols,
        restrictions: own.restrictions,
        photos: photos(&fixtures.join("photos"))?,
        is_external: true,
    })
}

struct Post {
    name: String,
    local: String,
    neighbour: String,
    lat_e7: i64,
    lon_e7: i64,
}

/// In the languages of the mission, written by this project.
const REMARKS: [&str; 3] = [
    "Replayed from a public registry of posts, which does not say what the post does; later answers are made up for show.",
    "Відтворено з відкритого переліку пунктів, який не каже, як пункт працює; пізніші відповіді вигадані для показу.",
    "أعيد من سجل عام للمعابر لا يذكر حال المعبر؛ والأجوبة اللاحقة مختلقة للعرض.",
];

impl Post {
    fn inspection(&self, index: usize) -> Observation {
        const ACCURACY_M: u64 = 50;
        Observation {
            form: FormName::Inspection,
            answers: answers([
                ("post", Answer::text(&self.name)),
                ("post_local", Answer::text(&self.local)),
                ("neighbour", Answer::text(&self.neighbour)),
                ("location", location(self.lat_e7, self.lon_e7, ACCURACY_M)),
                // The day of the registry: its sheet is named after it.
                ("day", Answer::text("2022-06-09")),
                ("status", Answer::text("unknown")),
                ("how_known", Answer::text("published")),
                ("remarks", Answer::text(REMARKS[index % REMARKS.len()])),
                ("source", Answer::text(HDX)),
                ("licence", Answer::text("CC BY")),
            ]),
            place: place(self.lat_e7, self.lon_e7, ACCURACY_M, PlaceSource::Registry),
            post: self.name.clone(),
        }
    }
}

fn posts(path: &Path) -> Result<Vec<Post>, SourceError> {
    rows(path)?
        .into_iter()
        .map(|row| {
            Ok(Post {
                name: row.get("Name - English")?.to_owned(),
                local: row.get("Name - Ukrainian")?.to_owned(),
                neighbour: row.get("Country")?.to_owned(),
                lat_e7: row.degrees("Lat")?,
                lon_e7: row.degrees("Long")?,
            })
        })
        .collect()
}

/// One in twenty events, in the order of the file: every precision of place and day is among them.
fn ucdp(path: &Path, posts: &[Post]) -> Result<Vec<Observation>, SourceError> {
    let mut observations = Vec::new();
    // The first row holds HXL tags, not an event.
    for row in rows(path)?.into_iter().skip(1).step_by(20) {
        let (lat_e7, lon_e7) = (row.degrees("latitude")?, row.degrees("longitude")?);
        let precision = row.number("where_prec")?;
        observations.push(Observation {
            form: FormName::Incident,
            answers: answers([
                ("title", Answer::text(&format!("{}: {}", row.get("conflict_name")?, row.get("dyad_name")?))),
                ("place", Answer::text(row.get("where_coordinates")?)),
                ("location", location(lat_e7, lon_e7, radius_m(precision))),
                ("place_precision", Answer::Int(precision)),
                ("day_from", Answer::text(row.day("date_start")?)),
                ("day_to", Answer::text(row.day("date_end")?)),
                ("day_precision", Answer::Int(row.number("date_prec")?)),
                ("how_known", Answer::text("published")),
                ("side_a", Answer::text(row.get("side_a")?)),
                ("side_b", Answer::text(row.get("side_b")?)),
                ("casualties_low", Answer::Int(row.number("low")?)),
                ("casualties_best", Answer::Int(row.number("best")?)),
                ("casualties_high", Answer::Int(row.number("high")?)),
                ("description", Answer::text(row.get("where_description")?)),
                ("source", Answer::text(UCDP)),
                ("licence", Answer::text("CC BY 4.0")),
                ("source_record", Answer::text(row.get("id")?)),
            ]),
            place: place(lat_e7, lon_e7, radius_m(precision), PlaceSource::Hand),
            post: nearest(posts, lat_e7, lon_e7),
        });
    }
    Ok(observations)
}

/// A radius for the dataset's precision of a place: exact, within 25 km, a district, a province, a line, a country, the sea.
fn radius_m(precision: i64) -> u64 {
    match precision {
        1 => 1_000,
        2 => 25_000,
        3 => 50_000,
        4 | 5 => 100_000,
        _ => 500_000,
    }
}

/// Incidents whose place names go beyond ASCII: Arabic marks first, then one in thirty of the others, newest first.
fn iom(path: &Path) -> Result<Vec<Observation>, SourceError> {
    let mut observations = Vec::new();
    let beyond_ascii = rows(path)?.into_iter().filter(|row| row.get("location").is_ok_and(|text| !text.is_ascii()));
    let (arabic, other): (Vec<_>, Vec<_>) = beyond_ascii.partition(|row| {
        row.get("location").is_ok_and(|text| text.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c)))
    });
    for row in arabic.into_iter().chain(other.into_iter().rev().step_by(30)).take(60) {
        let (lat_e7, lon_e7) = (row.degrees("lat")?, row.degrees("lon")?);
        let dead = row.number("dead")?;
        observations.push(Observation {
            form: FormName::Incident,
            answers: answers([
                ("title", Answer::text(&format!("{}: {}", row.get("type")?, row.get("cause")?))),
                ("place", Answer::text(row.get("location")?)),
                ("location", location(lat_e7, lon_e7, radius_m(2))),
                ("place_precision", Answer::Int(2)),
                ("day_from", Answer::text(row.day("t")?)),
                ("how_known", Answer::text("published")),
                ("casualties_low", Answer::Int(dead)),
                ("casualties_best", Answer::Int(dead)),
                ("description", Answer::text(row.get("route")?)),
                ("source", Answer::text(IOM)),
                ("licence", Answer::text("CC BY 4.0")),
            ]),
            place: place(lat_e7, lon_e7, radius_m(2), PlaceSource::Hand),
            post: row.get("geo")?.to_owned(),
        });
    }
    Ok(observations)
}

/// One in thirty rows; the published figure is the low, the best and the high one.
fn counts(path: &Path) -> Result<Vec<Observation>, SourceError> {
    let mut observations = Vec::new();
    for row in rows(path)?.into_iter().step_by(30) {
        let value = row.number("Value")?;
        let port = row.get("Port Name")?;
        observations.push(Observation {
            form: FormName::CrossingCount,
            answers: answers([
                ("post", Answer::text(&format!("{port}, {} ({})", row.get("State")?, row.get("Port Code")?))),
                ("day_from", Answer::text(&row.month("Date")?)),
                ("direction", Answer::text("in")),
                ("measure", Answer::text(row.get("Measure")?)),
                ("count_low", Answer::Int(value)),
                ("count_best", Answer::Int(value)),
                ("count_high", Answer::Int(value)),
                ("how_known", Answer::text("published")),
                ("source", Answer::text(BTS)),
                ("licence", Answer::text("public domain")),
            ]),
            place: None,
            post: port.to_owned(),
        });
    }
    Ok(observations)
}

/// The phones' photos first, then the eight orientations, then other formats: what a mission's folder looks like.
fn photos(folder: &Path) -> Result<Vec<Photo>, SourceError> {
    let credits = credits(&folder.join("README.md"))?;
    let mut photos = Vec::new();
    for part in ["phones", "orientation", "formats"] {
        for path in files(&folder.join(part))? {
            let bytes = read_file(&path)?;
            let name = path.file_name().map(|name| format!("{part}/{}", name.to_string_lossy())).unwrap_or_default();
            let credit = credits.get(&name).map_or("source and licence: the README of its set", String::as_str);
            let credit = format!("{name}: {credit}; taken elsewhere, not at this post");
            photos.push(Photo { bytes, credit });
        }
    }
    Ok(photos)
}

/// Source and licence of each photo, from the rows `| file | bytes | source | licence | … |` of the set's own README.
fn credits(path: &Path) -> Result<HashMap<String, String>, SourceError> {
    let text = String::from_utf8_lossy(&read_file(path)?).into_owned();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", file, _bytes, source, licence, ..] = cells[..] else { return None };
        Some((file.to_owned(), format!("{source}, {licence}")))
    };
    Ok(text.lines().filter_map(row).collect())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let listed = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>());
    let mut paths = listed.map_err(|source| SourceError::Read { path: folder.to_owned(), source })?;
    paths.retain(|path| path.is_file());
    paths.sort();
    Ok(paths)
}

fn read_file(path: &Path) -> Result<Vec<u8>, SourceError> {
    fs::read(path).map_err(|source| SourceError::Read { path: path.to_owned(), source })
}

fn nearest(posts: &[Post], lat_e7: i64, lon_e7: i64) -> String {
    // Good enough to pick a post: degrees as if the earth were flat, longitude shrunk to two thirds at 48° north.
    let distance = |post: &&Post| {
        let (dy, dx) = ((post.lat_e7 - lat_e7) / 1_000, (post.lon_e7 - lon_e7) * 2 / 3 / 1_000);
        dy * dy + dx * dx
    };
    posts.iter().min_by_key(distance).map_or_else(String::new, |post| post.name.clone())
}
