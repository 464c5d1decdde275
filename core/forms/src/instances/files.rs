//! Files beside a form: CSV, GeoJSON, and XML.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use crate::model::{Element, Instance, Table};
use crate::reading::NamedFile;
use crate::refused::{FormRefused, Reason};
use crate::workbook::{self, FILE_BYTES_MAX};
use crate::xform;

/// Most cells of all tables that lie beside a form, columns times rows, blank ones included: each becomes an element.
pub(crate) const TABLE_CELLS_MAX: usize = 2_000_000;

/// Most cells of a table in an XForm for each that is filled; with more, it stays the elements that it is.
const WIDTH_MAX: usize = 2;

/// Counts the cells of tables.
#[derive(Debug, Default)]
pub(super) struct Cells(usize);

impl Cells {
    /// One more row that is so wide.
    fn row(&mut self, width: usize) -> Result<(), Reason> {
        self.0 = self.0.saturating_add(width.max(1));
        if self.0 > TABLE_CELLS_MAX { Err(Reason::too_much("cells in tables", TABLE_CELLS_MAX)) } else { Ok(()) }
    }
}

/// Reads a file; its name says what it is.
pub(super) fn read(file: &NamedFile<'_>, cells: &mut Cells) -> Result<Instance, FormRefused> {
    let here = |refused: FormRefused| FormRefused { sheet: file.name.to_owned(), ..refused };
    if file.bytes.len() > FILE_BYTES_MAX {
        return Err(here(FormRefused::whole(Reason::too_much("bytes", FILE_BYTES_MAX))));
    }
    let extension = file.name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("csv") => csv(file.bytes, cells).map(Instance::Table).map_err(here),
        Some("geojson" | "json") => geojson(file.bytes, cells).map(Instance::Table).map_err(here),
        Some("xml") => xform::tree(file.bytes).map(instance).map_err(here),
        _ => Err(here(FormRefused::whole(Reason::UnknownFile))),
    }
}

/// The first row names the columns.
fn csv(bytes: &[u8], cells: &mut Cells) -> Result<Table, FormRefused> {
    let mut rows = workbook::delimited(bytes)?.into_iter();
    let Some(heading) = rows.next() else { return Ok(Table::default()) };
    let columns = dense(heading, usize::MAX, cells)?;
    let rows = rows.map(|row| dense(row, columns.len(), cells)).collect::<Result<_, _>>()?;
    Ok(Table { columns, rows })
}

/// A row with its blank cells, as far as there are columns.
fn dense(row: workbook::Row, columns: usize, cells: &mut Cells) -> Result<Vec<String>, FormRefused> {
    let filled: Vec<(usize, String)> = row.cells.into_iter().filter(|(column, _)| *column < columns).collect();
    let width = filled.last().map_or(0, |(column, _)| column + 1);
    cells.row(width).map_err(|reason| FormRefused::at("", row.number, "", reason))?;
    let mut dense = Vec::with_capacity(width);
    for (column, text) in filled {
        dense.resize(column, String::new());
        dense.push(text);
    }
    Ok(dense)
}

/// Each feature is a row: its `geometry` as forms write places, its `id`, and its properties.
fn geojson(bytes: &[u8], cells: &mut Cells) -> Result<Table, FormRefused> {
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
        cells.row(row.len()).map_err(|reason| refused(index + 1, reason))?;
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
    let is_table = root.name == "root" && root.attributes.is_empty() && root.children.iter().all(is_item);
    match if is_table { columns(&root.children) } else { None } {
        Some(columns) => Instance::Table(table(root, columns)),
        None => Instance::Tree(root),
    }
}

/// Whether all that is in an element are named texts, each name once.
fn is_item(item: &Element) -> bool {
    let is_cell = |cell: &Element| cell.children.is_empty() && cell.attributes.is_empty();
    let mut names = HashSet::new();
    item.name == "item"
        && item.attributes.is_empty()
        && !item.children.is_empty()
        && item.children.iter().all(|cell| is_cell(cell) && names.insert(cell.name.as_str()))
}

/// The columns in the order in which they first stand; none where a table would have too many blank cells.
fn columns(items: &[Element]) -> Option<Vec<String>> {
    let mut at: HashMap<&str, usize> = HashMap::new();
    let (mut columns, mut cells, mut filled) = (Vec::new(), 0usize, 0usize);
    for item in items {
        let mut width = 0;
        for cell in &item.children {
            let column = *at.entry(cell.name.as_str()).or_insert_with(|| {
                columns.push(cell.name.clone());
                columns.len() - 1
            });
            width = width.max(column + 1);
        }
        cells = cells.saturating_add(width);
        filled += item.children.len();
    }
    (cells <= TABLE_CELLS_MAX.min(filled * WIDTH_MAX)).then_some(columns)
}

fn table(root: Element, columns: Vec<String>) -> Table {
    let at: HashMap<&str, usize> = columns.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let rows = root.children.into_iter().map(|item| {
        let mut row: Vec<String> = Vec::with_capacity(item.children.len());
        for cell in item.children {
            // Every name is among the columns.
            let column = at.get(cell.name.as_str()).copied().unwrap_or_default();
            row.resize(row.len().max(column + 1), String::new());
            row[column] = cell.text;
        }
        row
    });
    let rows = rows.collect();
    Table { columns, rows }
}
