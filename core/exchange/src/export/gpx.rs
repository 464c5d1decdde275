//! Places as GPX 1.1, for receivers: points as waypoints, ways and areas as tracks. What has no place is not in it.

use super::features::{Feature, features, words};
use crate::geo::{Geometry, Point};
use crate::record::Record;
use crate::table::Sheet;
use crate::time::utc;
use crate::xml::XmlWriter;

/// What GPX has no element for stands in elements of this namespace.
const NAMESPACE: &str = "urn:merestone:export:1";

/// A document of all places; `records` are those the tables were made of.
pub fn gpx(title: &str, sheets: &[Sheet], records: &[Record]) -> Vec<u8> {
    let times: std::collections::HashMap<&str, String> = records
        .iter()
        .filter_map(|record| Some((record.record.as_str(), record.made.as_ref().and_then(utc)?)))
        .collect();
    let time = |feature: &Feature<'_>| times.get(feature.text("merestone/record")?).map(String::as_str);
    let mut xml = XmlWriter::new();
    xml.open("gpx").attribute("xmlns", "http://www.topografix.com/GPX/1/1").attribute("xmlns:merestone", NAMESPACE);
    xml.attribute("version", "1.1").attribute("creator", "Merestone");
    xml.open("metadata").leaf("name", title).close();
    // The schema wants all waypoints before the first track.
    for feature in features(sheets) {
        if let Some(Geometry::Point(point)) = &feature.placed.geometry {
            open_point(&mut xml, "wpt", point);
            if let Some(time) = time(&feature) {
                xml.leaf("time", time);
            }
            described(&mut xml, &feature);
            xml.close();
        }
    }
    for feature in features(sheets) {
        if let Some(Geometry::Line(points) | Geometry::Area(points)) = &feature.placed.geometry {
            xml.open("trk");
            described(&mut xml, &feature);
            xml.open("trkseg");
            for point in points {
                open_point(&mut xml, "trkpt", point);
                xml.close();
            }
            xml.close().close();
        }
    }
    xml.finish()
}

fn open_point(xml: &mut XmlWriter, element: &str, point: &Point) {
    xml.open(element).attribute("lat", &point.lat.to_string()).attribute("lon", &point.lon.to_string());
    if let Some(altitude) = point.altitude {
        xml.leaf("ele", &altitude.to_string());
    }
}

fn described(xml: &mut XmlWriter, feature: &Feature<'_>) {
    xml.leaf("name", feature.title()).leaf("src", &feature.id).leaf("type", feature.table);
    xml.open("extensions");
    let accuracy_m = feature.placed.accuracy_m.map(|metres| metres.to_string());
    for (name, value) in [("place_of", feature.placed.question.as_deref()), ("place_accuracy_m", accuracy_m.as_deref())]
    {
        if let Some(value) = value {
            xml.leaf(&format!("merestone:{name}"), value);
        }
    }
    for (name, cell) in feature.cells() {
        if let Some(text) = words(cell) {
            xml.open("merestone:cell").attribute("name", name).text(&text).close();
        }
    }
    xml.close();
}
