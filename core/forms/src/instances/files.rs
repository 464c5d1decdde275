//! Files beside a form: CSV, GeoJSON, and XML.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{Element, Instance, Table};
use crate::reading::NamedFile;
use crate::refused::{FormRefused, Reason};
use crate::workbook::{self, FILE_BYTES_MAX};
use crate::xform;

/// Reads a file; its name says what it is.
pub(super) fn read(file: &NamedFile<'_>) -> Result<Instance, FormRefused> {
    let here = |refused: FormRefused| FormRefused { sheet: file.name.to_owned(), ..refused };
    if file.bytes.len() > FILE_BYTES_MAX {
        return Err(here(FormRefused::whole(Reason::TooLarge)));
    }
    let extension = file.name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("csv") => csv(file.bytes).map(Instance::Table).map_err(here),
        Some("geojson" | "json") => geojson(file.bytes).map(Instance::Table).map_err(here),
        Some("xml") => xform::tree(file.bytes).map(instance).map_err(here),
        _ => Err(here(FormRefused::whole(Reason::UnknownFile))),
    }
}

/// The first row names the columns.
fn csv(bytes: &[u8]) -> Result<Table, FormRefused> {
    let mut rows = workbook::delimited(bytes)?.into_iter();
    let Some(heading) = rows.next() else { return Ok(Table::default()) };
    let dense = |cells: Vec<(usize, String)>| {
        let mut row = Vec::with_capacity(cells.len());
        for (column, text) in cells {
            row.resize(column, String::new());
            row.push(text);
        }
        row
    };
    Ok(Table { columns: dense(heading.cells), rows: rows.map(|row| dense(row.cells)).collect() })
}

/// Each feature is a row: its `geometry` as forms write places, its `id`, and its properties.
fn geojson(bytes: &[u8]) -> Result<Table, FormRefused> {
    let refused = |row: usize, reason| FormRefused::at("", row, "", reason);
    let wrong = |text: &str| Reason::GeoJson(text.to_owned());
    let root: Value = serde_json::from_slice(bytes).map_err(|error| refused(error.line(), wrong("no JSON")))?;
    let features = root.get("features").and_then(Value::as_array);
    let features = features.ok_or_else(|| refused(0, wrong("no collection of features")))?;
    let mut columns: Vec<String> = vec!["geometry".to_owned(), "id".to_owned()];
    let mut at: BTreeMap<String, usize> = columns.iter().cloned().enumerate().map(|(at, name)| (name, at)).collect();
    let mut rows = Vec::with_capacity(features.len());
    for (index, feature) in features.iter().enumerate() {
        let geometry = feature.get("geometry").and_then(places);
        let geometry = geometry.ok_or_else(|| refused(index + 1, wrong("a geometry that forms do not know")))?;
        let mut row = vec![geometry, feature.get("id").map(cell).unwrap_or_default()];
        for (name, value) in feature.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let column = *at.entry(name.clone()).or_insert_with(|| {
                columns.push(name.clone());
                columns.len() - 1
            });
            // An `id` among the properties counts where the feature has none of its own.
            if column >= row.len() {
                row.resize(column + 1, String::new());
            }
            if row[column].is_empty() {
                row[column] = cell(value);
            }
        }
        rows.push(row);
    }
    Ok(Table { columns, rows })
}

/// A point, line or polygon as `latitude longitude altitude accuracy`, joined by `;`.
fn places(geometry: &Value) -> Option<String> {
    let coordinates = geometry.get("coordinates")?.as_array()?;
    let line = |points: &[Value]| points.iter().map(place).collect::<Option<Vec<_>>>().map(|points| points.join("; "));
    match geometry.get("type")?.as_str()? {
        "Point" => place(&Value::Array(coordinates.clone())),
        "LineString" => line(coordinates),
        "Polygon" => line(coordinates.first()?.as_array()?),
        _ => None,
    }
}

fn place(point: &Value) -> Option<String> {
    let numbers: Option<Vec<f64>> = point.as_array()?.iter().map(Value::as_f64).collect();
    match numbers?.as_slice() {
        [longitude, latitude] => Some(format!("{latitude} {longitude} 0 0")),
        [longitude, latitude, altitude, ..] => Some(format!("{latitude} {longitude} {altitude} 0")),
        _ => None,
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Elements as a table where they are one: `item`s beside each other, each with named texts.
pub(crate) fn instance(root: Element) -> Instance {
    let is_cell = |cell: &Element| cell.children.is_empty() && cell.attributes.is_empty();
    let is_item = |item: &Element| {
        let once = item
            .children
            .iter()
            .enumerate()
            .all(|(at, cell)| item.children[..at].iter().all(|before| before.name != cell.name));
        item.name == "item"
            && item.attributes.is_empty()
            && !item.children.is_empty()
            && item.children.iter().all(is_cell)
            && once
    };
    let is_table = root.name == "root" && root.attributes.is_empty() && root.children.iter().all(is_item);
    if !is_table {
        return Instance::Tree(root);
    }
    let mut columns: Vec<String> = Vec::new();
    let mut at: BTreeMap<String, usize> = BTreeMap::new();
    let mut rows = Vec::with_capacity(root.children.len());
    for item in root.children {
        let mut row: Vec<String> = Vec::with_capacity(item.children.len());
        for cell in item.children {
            let column = *at.entry(cell.name).or_insert_with_key(|name| {
                columns.push(name.clone());
                columns.len() - 1
            });
            row.resize(row.len().max(column + 1), String::new());
            row[column] = cell.text;
        }
        rows.push(row);
    }
    Instance::Table(Table { columns, rows })
}
