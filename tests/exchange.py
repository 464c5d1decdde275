#!/usr/bin/env python3
"""Reads exports of one form with code that nobody here wrote: jsonschema, openpyxl, and Debian's GDAL (ogrinfo).

Usage: exchange.py {json,tables,maps} FOLDER     exit 0 when every line says ok

FOLDER holds export.json, tables/ (CSV), export.xlsx, export.geojson, export.kml, export.gpx.
The CSV is read by Python's own library and is what the others are compared with.
"""

import csv
import json
import pathlib
import subprocess
import sys

SCHEMA = pathlib.Path(__file__).resolve().parent.parent / "core" / "spec" / "export-1.schema.json"
failures = 0


def check(what, holds, why=""):
    global failures
    failures += not holds
    print(("ok    " if holds else "FALLS ") + what + ("" if holds or not why else f": {why}"), flush=True)


def tables(folder):
    """The CSV tables by name, each a list of rows of texts, without the apostrophes that guard formulas."""
    csv.field_size_limit(1 << 30)
    found = {}
    for path in sorted((folder / "tables").iterdir()):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        for row in rows[1:]:
            dangerous = [cell for cell in row if begins_formula(cell)]
            check(f"{path.name}: no cell is a formula", not dangerous, str(dangerous[:1])) if dangerous else None
        found[path.stem] = [[cell[1:] if cell.startswith("'") else cell for cell in row] for row in rows]
    check("tables have headings and rows of one length", all(len({len(r) for r in t}) == 1 for t in found.values()))
    return found


def begins_formula(cell):
    """A text that a spreadsheet may take for a formula; blanks and full-width signs count, a number does not."""
    text = cell.strip()
    return text[:1] in tuple("=+@＝＋－＠") or (text[:1] == "-" and not is_number(text)) or cell[:1] in ("\t", "\r", "\n")


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_json(folder):
    import jsonschema

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    errors = list(jsonschema.Draft202012Validator(schema).iter_errors(document))
    check("export.json is what its schema says", not errors, "; ".join(e.json_path for e in errors[:3]))
    check("export.json has records", len(document["records"]) > 0)
    broken = json.loads(json.dumps(document))
    broken["records"][0]["answers"][0]["values"] = []
    refused = list(jsonschema.Draft202012Validator(schema).iter_errors(broken))
    check("the schema refuses an answer without a value", bool(refused))


def check_tables(folder):
    import openpyxl

    by_csv = list(tables(folder).values())
    workbook = openpyxl.load_workbook(folder / "export.xlsx")
    check("the workbook has a sheet for each table", len(workbook.sheetnames) == len(by_csv), str(workbook.sheetnames))
    by_heading = {tuple(rows[0]): rows for rows in by_csv}
    for sheet in workbook.worksheets:
        rows = [["" if cell.value is None else cell.value for cell in row] for row in sheet.iter_rows()]
        formulas = [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
        check(f"sheet {sheet.title}: no formulas", not formulas, str(formulas[:3]))
        wanted = by_heading.get(tuple(rows[0]))
        check(f"sheet {sheet.title}: the columns of its table", wanted is not None)
        different = [
            (at, a, b)
            for at, (got, want) in enumerate(zip(rows[1:], (wanted or [])[1:]))
            for a, b in zip(got, want)
            if not same(a, b)
        ]
        check(f"sheet {sheet.title}: {len(rows) - 1} rows, the same as in CSV",
              wanted is not None and len(rows) == len(wanted) and not different, str(different[:2]))


def same(cell, text):
    if isinstance(cell, bool):
        return text == str(cell).lower()
    if isinstance(cell, (int, float)):
        return is_number(text) and float(text) == float(cell)
    # A spreadsheet keeps line ends as it likes.
    return str(cell).replace("\r\n", "\n") == text


def check_maps(folder):
    document = json.loads((folder / "export.geojson").read_text(encoding="utf-8"))
    features = document["features"]
    placed = [f for f in features if f["geometry"] is not None]
    check("the GeoJSON has features with and without a place", 0 < len(placed) <= len(features))
    points = sum(f["geometry"]["type"] == "Point" for f in placed)
    counts = {"export.geojson": len(features), "export.kml": len(features), "export.gpx": len(placed)}
    for name, wanted in counts.items():
        run = subprocess.run(["ogrinfo", "-ro", "-al", "-so", str(folder / name)], capture_output=True, text=True)
        said = [line for line in run.stderr.splitlines() if "ERROR" in line or "Warning" in line]
        check(f"ogrinfo opens {name}", run.returncode == 0 and not said, (run.stderr or run.stdout)[:300])
        layers = run.stdout.split("Layer name: ")[1:]
        found = {layer.splitlines()[0]: int(layer.split("Feature Count: ")[1].split()[0]) for layer in layers}
        # Every point of a track stands in a layer of its own too.
        total = sum(count for layer, count in found.items() if not layer.endswith("_points"))
        check(f"{name} has {wanted} features", total == wanted, str(found))
        if name == "export.gpx":
            check(f"{name} has {points} waypoints", found.get("waypoints") == points, str(found))
    for name in counts:
        run = subprocess.run(["ogrinfo", "-ro", "-al", str(folder / name)], capture_output=True, text=True)
        check(f"{name} keeps every record's id",
              all(f["properties"]["merestone/record"] in run.stdout for f in placed), name)


def main():
    what, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    {"json": check_json, "tables": check_tables, "maps": check_maps}[what](folder)
    sys.exit(failures > 0)


main()
