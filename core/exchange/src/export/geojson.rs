//! Places as GeoJSON (RFC 7946): one feature for each record, and one for each further place in it.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::NotWritten;
use super::features::{Feature, features};
use crate::geo::{Geometry, Point};
use crate::table::{Cell, Sheet};

/// The feature collection of some tables.
///
/// # Errors
/// If the library refuses a value; none of a table of this room is refused.
pub fn geojson(sheets: &[Sheet]) -> Result<Vec<u8>, NotWritten> {
    serde_json::to_vec(&Collection(sheets)).map_err(|error| NotWritten::new("GeoJSON", error))
}

struct Collection<'a>(&'a [Sheet]);

impl Serialize for Collection<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("type", "FeatureCollection")?;
        map.serialize_entry("features", &Features(self.0))?;
        map.end()
    }
}

struct Features<'a>(&'a [Sheet]);

impl Serialize for Features<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for feature in features(self.0) {
            list.serialize_element(&Shown(&feature))?;
        }
        list.end()
    }
}

struct Shown<'a>(&'a Feature<'a>);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("type", "Feature")?;
        map.serialize_entry("id", &self.0.id)?;
        map.serialize_entry("geometry", &self.0.placed.geometry.as_ref().map(Drawn))?;
        map.serialize_entry("properties", &Properties(self.0))?;
        map.end()
    }
}

struct Properties<'a>(&'a Feature<'a>);

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("merestone/table", self.0.table)?;
        map.serialize_entry("merestone/place_of", &self.0.placed.question)?;
        map.serialize_entry("merestone/place_accuracy_m", &self.0.placed.accuracy_m)?;
        for (name, cell) in self.0.cells() {
            match cell {
                Cell::Empty => map.serialize_entry(name, &())?,
                Cell::Bool(value) => map.serialize_entry(name, value)?,
                Cell::Int(value) => map.serialize_entry(name, value)?,
                Cell::Number(number) => map.serialize_entry(name, &number.parse::<f64>().ok())?,
                Cell::Text(text) => map.serialize_entry(name, text)?,
            }
        }
        map.end()
    }
}

struct Drawn<'a>(&'a Geometry);

impl Serialize for Drawn<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all = |points: &[Point]| points.iter().map(position).collect::<Vec<_>>();
        let mut map = serializer.serialize_map(Some(2))?;
        match self.0 {
            Geometry::Point(point) => {
                map.serialize_entry("type", "Point")?;
                map.serialize_entry("coordinates", &position(point))?;
            }
            Geometry::Line(points) => {
                map.serialize_entry("type", "LineString")?;
                map.serialize_entry("coordinates", &all(points))?;
            }
            Geometry::Area(points) => {
                map.serialize_entry("type", "Polygon")?;
                map.serialize_entry("coordinates", &[all(points)])?;
            }
        }
        map.end()
    }
}

fn position(point: &Point) -> Vec<f64> {
    [Some(point.lon), Some(point.lat), point.altitude].into_iter().flatten().collect()
}
