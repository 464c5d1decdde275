"""The notebook, executed on the demonstration's bag; its figures are those of the audit's own report."""

from __future__ import annotations

import ast
import asyncio
import base64
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import Demo
from field import Inspector, Mission
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from merestone import Answer

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "audit_a_bag.ipynb"


def executed(mission: str, monkeypatch: pytest.MonkeyPatch, bag: Path) -> Any:
    monkeypatch.setenv("MERESTONE_BAG", str(bag))
    monkeypatch.setenv("MERESTONE_MISSION", mission)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, km=KernelManager(kernel_name="python3", transport="ipc")).execute()
    return notebook


def outputs(notebook: Any, tag: str) -> list[Any]:
    cell = next(cell for cell in notebook.cells if tag in cell.metadata.get("tags", ()))
    return list(cell.outputs)


def words(notebook: Any) -> str:
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "".join(output.text for output in shown if output.output_type == "stream")


def results(notebook: Any) -> dict[str, Any]:
    (shown,) = outputs(notebook, "results")
    return dict(ast.literal_eval(shown["data"]["text/plain"]))


def test_it_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


def test_it_says_what_the_report_says_and_draws_every_incident(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, shared: Path
) -> None:
    monkeypatch.setenv("MERESTONE_OUTLINES", str(shared / "maps" / "ne_110m_admin_0_countries.geojson"))
    notebook = executed(demo.mission, monkeypatch, demo.bag)
    report = demo.report()
    answers = [
        {answer["key"]: answer["values"] for answer in record["answers"]}
        for record in report["records"]
        if record["kind"] == "incident"
    ]
    said = results(notebook)
    assert said["verdict"] == report["verdict"]
    assert said["records"] == report["counts"]["records"]
    assert said["entries"] == report["counts"]["entries"]
    assert said["incidents"] == len(answers)
    assert said["drawn_by_day"] == sum(len(answer.get("day_from", ())) == 1 for answer in answers)
    assert said["drawn_on_the_map"] == sum(len(answer.get("location", ())) == 1 for answer in answers)
    assert said["conflicts"] == report["counts"]["conflicts"] == 1
    assert said["findings"] == sum(tally["count"] for tally in report["finding_counts"])
    assert said["signers"] == sum(person["entries"] > 0 for person in report["people"])
    for tag in ("per-day", "map"):
        pictures = [output for output in outputs(notebook, tag) if "image/png" in output.get("data", {})]
        assert len(pictures) == 1, tag
        keep(tag, base64.b64decode(pictures[0]["data"]["image/png"]))
    assert report["completeness"]["words"] in words(notebook)


def test_of_a_bag_with_something_taken_away_it_names_what_is_missing(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = executed(demo.mission, monkeypatch, demo.forged / "middle-removed")
    assert results(notebook)["verdict"] == "FAILED"
    assert "FAILED: evidence contradicts" in words(notebook)
    assert "failure: log-gap, " in words(notebook)
    assert re.search(r"^entries: \d+ \(failure\)", words(notebook), re.MULTILINE)


async def test_what_no_drawing_can_show_is_left_out_of_it_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mission = Mission(tmp_path / "office")
    inspector = await Inspector.enrol("Mallory", mission, tmp_path / "phone")
    form = await inspector.form("incident")
    odd: list[dict[str, Answer]] = [
        {"day_from": "2026-03-02", "location": "48.5 24.5 0 10", "title": "<script>alert(1)</script> $x^2$"},
        {"day_from": "2026-03-03", "location": "91 181", "title": "no such place"},
        {"title": "neither day nor place"},
    ]
    async with inspector.phone as phone:
        for answers in odd:
            await phone.drafts.save_new(inspector.key, inspector.scope, form, answers)
        await phone.bags.write(tmp_path / "bag")
    said = results(await asyncio.to_thread(executed, mission.id, monkeypatch, tmp_path / "bag"))
    assert (said["incidents"], said["drawn_by_day"], said["drawn_on_the_map"]) == (3, 2, 1)


def keep(name: str, picture: bytes) -> None:
    """For people who want to look at what was drawn."""
    folder = os.environ.get("MERESTONE_PICTURES")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(picture)
    assert len(Counter(picture)) > 100, "not an empty picture"
