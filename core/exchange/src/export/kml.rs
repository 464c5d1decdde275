//! Places as KML 2.2 (OGC 07-147r2), for Google Earth and QGIS.

use super::features::{Feature, features, words};
use crate::geo::{Geometry, Point};
use crate::table::Sheet;
use crate::xml::XmlWriter;

/// A document with one placemark for each place; `title` is shown as its name.
pub fn kml(title: &str, sheets: &[Sheet]) -> Vec<u8> {
    let mut xml = XmlWriter::new();
    xml.open("kml").attribute("xmlns", "http://www.opengis.net/kml/2.2").open("Document").leaf("name", title);
    for feature in features(sheets) {
        placemark(&mut xml, &feature);
    }
    xml.finish()
}

fn placemark(xml: &mut XmlWriter, feature: &Feature<'_>) {
    xml.open("Placemark").leaf("name", feature.title());
    if let Some(when) = feature.text("merestone/time").filter(|when| when.contains('T')) {
        xml.open("TimeStamp").leaf("when", when).close();
    }
    xml.open("ExtendedData");
    data(xml, "merestone/id", &feature.id);
    data(xml, "merestone/table", feature.table);
    if let Some(question) = &feature.placed.question {
        data(xml, "merestone/place_of", question);
    }
    if let Some(accuracy_m) = feature.placed.accuracy_m {
        data(xml, "merestone/place_accuracy_m", &accuracy_m.to_string());
    }
    for (name, cell) in feature.cells() {
        if let Some(text) = words(cell) {
            data(xml, name, &text);
        }
    }
    xml.close();
    match &feature.placed.geometry {
        Some(Geometry::Point(point)) => {
            xml.open("Point").leaf("coordinates", &position(point)).close();
        }
        Some(Geometry::Line(points)) => {
            xml.open("LineString").leaf("coordinates", &all(points)).close();
        }
        Some(Geometry::Area(points)) => {
            xml.open("Polygon").open("outerBoundaryIs").open("LinearRing").leaf("coordinates", &all(points));
            xml.close().close().close();
        }
        None => {}
    }
    xml.close();
}

fn data(xml: &mut XmlWriter, name: &str, value: &str) {
    xml.open("Data").attribute("name", name).leaf("value", value).close();
}

fn all(points: &[Point]) -> String {
    points.iter().map(position).collect::<Vec<_>>().join(" ")
}

fn position(point: &Point) -> String {
    match point.altitude {
        Some(altitude) => format!("{},{},{altitude}", point.lon, point.lat),
        None => format!("{},{}", point.lon, point.lat),
    }
}
