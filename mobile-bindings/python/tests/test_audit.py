"""An auditor's side: what a bag says is what `merestone-audit` says of it."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import PROGRAMS, Demo

import merestone
from merestone.gaps import CODES
from merestone.tables import frame as frame_of

OTHER_MISSION = "0f" * 32


@pytest.fixture(scope="module")
def audit(demo: Demo) -> merestone.Audit:
    return merestone.audit(demo.bag, demo.mission)


def test_the_verdict_and_the_report_are_those_of_the_command(audit: merestone.Audit, demo: Demo) -> None:
    report = (demo.folder / "report" / "report.json").read_text(encoding="utf-8")
    assert audit.verdict is merestone.Verdict.PASSED
    assert audit.json() == report, "the same bytes"
    assert audit.completeness.is_complete
    assert audit.completeness.words in audit.text()
    assert audit.mission == demo.mission
    assert audit.html().lower().startswith("<!doctype html>")


def test_every_record_is_read_as_the_report_shows_it_though_the_report_keeps_few(demo: Demo) -> None:
    few = merestone.audit(demo.bag, demo.mission, records_max=2)
    shown = demo.report()["records"]
    assert len(few.facts["records"]) == 2
    records = list(few.records)
    assert [record.id for record in records] == [record["record"] for record in shown]
    assert len(few.records) == len(shown)
    for record, wanted in zip(records, shown, strict=True):
        assert record.kind == wanted["kind"]
        assert record.scope_name == wanted["scope_name"]
        values = {key: [(value.value, value.entry.id) for value in values] for key, values in record.answers.items()}
        assert values == {
            line["key"]: [(given["value"], given["entry"]) for given in line["values"]] for line in wanted["answers"]
        }
        assert [entry.standing for entry in record.entries] == [entry["standing"] for entry in wanted["entries"]]


def test_every_value_names_who_signed_it(audit: merestone.Audit) -> None:
    by_key = {person.key: person for person in audit.people}
    for record in audit.records:
        for values in record.answers.values():
            for value in values:
                assert value.author is not None
                person = by_key[value.author.key]
                assert (person.observer, person.device) == (value.entry.observer, value.entry.device)
                assert value.entry.log in person.logs
    assert sum(person.entries for person in audit.signers) == sum(1 for _ in audit.entries)


def test_a_conflict_is_shown_whole_and_nothing_chooses(audit: merestone.Audit) -> None:
    conflicting = [record for record in audit.records if record.conflicts]
    assert len(conflicting) == 1, "the demonstration leaves one open"
    (key,) = conflicting[0].conflicts
    with pytest.raises(merestone.Conflict) as raised:
        conflicting[0][key]
    answers = [value.value for value in raised.value.values]
    assert len(answers) == len(set(answers)) == 2
    assert set(answers) < {"closed", "open", "restricted"}
    frame = audit.records.to_dataframe()
    assert set(frame.loc[frame["record"] == conflicting[0].id, f"answer.{key}"].item()) == set(answers)


def test_times_places_custody_and_cuts_are_there(audit: merestone.Audit) -> None:
    entries = list(audit.entries)
    assert all(entry.not_after is not None and entry.not_after.holds for entry in entries)
    assert any(entry.position is not None and entry.position.accuracy_m > 0 for entry in entries)
    assert all(entry.device_clock is not None and entry.device_clock.utcoffset() is not None for entry in entries)
    assert {cut.person.device for cut in audit.cuts} == {"B3 phone"}
    logs = {log.id for log in audit.logs}
    assert {copy.log for copy in audit.custody} <= logs
    assert audit.checkpoints[-1].confirmation == "final"


def test_tables_have_a_row_for_each(audit: merestone.Audit) -> None:
    counts = audit.facts["counts"]
    records, entries = audit.records.to_dataframe(), audit.entries.to_dataframe()
    assert (len(records), len(entries)) == (counts["records"], counts["entries"])
    assert str(entries["not_after"].dtype) == "datetime64[us, UTC]"
    answers = audit.records.answers_to_dataframe()
    assert len(answers) == sum(len(values) for record in audit.records for values in record.answers.values())
    assert answers["is_conflict"].sum() == 2
    incidents = audit.records.to_dataframe("incident")
    assert set(incidents["kind"]) == {"incident"}
    assert incidents["answer.day_from"].notna().all()
    assert list(audit.findings.to_dataframe().columns) == [
        "weight", "code", "detail", "log", "seq", "entry", "record", "statement", "leaf", "file",
    ]  # fmt: skip
    assert audit.records.to_dataframe("no such kind").empty


def test_a_table_changes_no_value() -> None:
    largest, smallest = 2**63 - 1, -(2**63) + 1
    rows: list[dict[str, Any]] = [
        {"number": largest, "yes": True, "any": 1, "text": "=1+1"},
        {"number": None},
        {"number": smallest, "any": "1"},
    ]
    frame = frame_of(rows, ("number", "yes", "any", "text"))
    assert [None if pd.isna(value) else value for value in frame["number"]] == [largest, None, smallest]
    assert [None if pd.isna(value) else value for value in frame["yes"]] == [True, None, None]
    assert frame["any"].tolist() == [1, None, "1"]
    assert frame["text"].tolist() == ["=1+1", None, None]
    assert frame_of([], ("number",)).empty


def test_one_record_is_found_by_its_id_and_by_its_place(audit: merestone.Audit) -> None:
    first, last = audit.records[0], audit.records[-1]
    assert audit.records[first.id] == first
    assert audit.records[len(audit.records) - 1] == last
    with pytest.raises(KeyError):
        audit.records["f" * 64]
    with pytest.raises(IndexError):
        audit.records[len(audit.records)]
    with pytest.raises(merestone.Refused):
        audit.records["nonsense"]


def test_forgeries_fail_with_the_codes_of_the_command(demo: Demo) -> None:
    found = {}
    for forged in sorted(demo.forged.iterdir()):
        judged = merestone.audit(forged, demo.mission)
        found[forged.name] = (str(judged.verdict), {finding.code for finding in judged.findings})
        assert len(list(judged.records)) == len(judged.records), "what can be read is shown nonetheless"
    expected = {
        "flipped-byte": ("FAILED", "body-hash"),
        "tail-removed": ("FAILED", "receipt-missing-tail"),
        "middle-removed": ("FAILED", "log-gap"),
        "photo-swapped": ("FAILED", "photo-mismatch"),
        "entry-after-cut": ("PASSED", "set-aside-by-cut"),
        "stranger": ("FAILED", "key-not-in-roster"),
    }
    assert {name: verdict for name, (verdict, _) in found.items()} == {
        name: verdict for name, (verdict, _) in expected.items()
    }
    for name, (_, code) in expected.items():
        assert code in found[name][1], name


def test_what_is_missing_is_a_gap_and_what_is_wrong_is_not(demo: Demo) -> None:
    kinds = merestone.GapKind
    removed = merestone.audit(demo.forged / "middle-removed", demo.mission)
    assert kinds.ENTRIES in {gap.kind for gap in removed.gaps}
    assert all(gap.finding is None or gap.finding.code in CODES for gap in removed.gaps)
    flipped = merestone.audit(demo.forged / "flipped-byte", demo.mission)
    assert "body-hash" not in {gap.finding.code for gap in flipped.gaps if gap.finding}
    whole = merestone.audit(demo.bag, demo.mission)
    assert [gap.words for gap in whole.gaps] == whole.facts["not_checked"], "of a whole bag only what nothing tells"


def test_a_bag_without_a_photo_names_it(demo: Demo, tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    shutil.copytree(demo.bag, bag)
    photo = next(
        photo.original
        for entry in merestone.audit(bag, demo.mission).entries
        for photo in entry.photos
        if (bag / "data" / "photos" / photo.original).is_file()
    )
    (bag / "data" / "photos" / photo).unlink()
    judged = merestone.audit(bag, demo.mission)
    states = {shown.original: shown.state for entry in judged.entries for shown in entry.photos}
    assert states[photo] == "missing"
    assert merestone.GapKind.PHOTOS in {gap.kind for gap in judged.gaps}


def test_codes_of_gaps_are_codes_and_every_code_is_explained(demo: Demo) -> None:
    for code in CODES:
        assert merestone.explain(code).code == code
    with pytest.raises(KeyError):
        merestone.explain("no-such-code")
    judged = merestone.audit(demo.forged / "stranger", demo.mission)
    for finding in judged.findings:
        assert merestone.explain(finding.code).means


@pytest.mark.parametrize(
    ("path", "mission", "error"),
    [
        ("absent", OTHER_MISSION, merestone.NotThere),
        ("file", OTHER_MISSION, merestone.Refused),
        ("empty", OTHER_MISSION, merestone.Refused),
        ("empty", "12", merestone.Refused),
        ("empty", "", merestone.Refused),
        ("null\0byte", OTHER_MISSION, merestone.MerestoneError),
        ("\ud800", OTHER_MISSION, merestone.Refused),
        ("x" * 100_000, OTHER_MISSION, merestone.MerestoneError),
    ],
)
def test_what_is_no_bag_is_said_in_a_typed_error(
    path: str, mission: str, error: type[Exception], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"PK")
    (tmp_path / "empty").mkdir()
    with pytest.raises(error) as raised:
        merestone.audit(f"{tmp_path}/{path}", mission)
    assert str(raised.value)


def test_a_bag_of_another_mission_fails_and_shows_nothing(demo: Demo) -> None:
    judged = merestone.audit(demo.bag, OTHER_MISSION)
    assert judged.verdict is merestone.Verdict.FAILED
    assert judged.charter is None
    assert judged.people == ()
    with pytest.raises(merestone.Refused):
        _ = judged.records


def test_the_fast_pass_shows_no_records_and_says_why(demo: Demo) -> None:
    judged = merestone.audit(demo.bag, demo.mission, is_fast=True)
    assert judged.verdict is merestone.Verdict.PASSED
    assert judged.is_fast
    with pytest.raises(merestone.Refused, match="fast pass") as raised:
        _ = judged.entries
    assert raised.value.code == "not-judged"


def test_a_bag_that_changed_since_is_not_shown_as_what_was_judged(demo: Demo, tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    shutil.copytree(demo.bag, bag)
    judged = merestone.audit(bag, demo.mission)
    for log in (bag / "data" / "logs").iterdir():
        log.write_bytes(b"")
    with pytest.raises(merestone.Refused) as raised:
        list(judged.records)
    assert raised.value.code == "changed"


def test_reports_are_written_as_the_command_writes_them(audit: merestone.Audit, demo: Demo, tmp_path: Path) -> None:
    audit.write_report(tmp_path / "ours")
    theirs = tmp_path / "theirs"
    command = [str(PROGRAMS / "merestone-audit"), str(demo.bag), "--mission", demo.mission, "--report", str(theirs)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    for name in ("report.html", "report.json", "report.txt"):
        assert (tmp_path / "ours" / name).read_bytes() == (theirs / name).read_bytes(), name


async def test_an_event_loop_goes_on_while_a_bag_is_judged(demo: Demo) -> None:
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.005)

    beating = asyncio.create_task(beat())
    judged = await merestone.audit_async(demo.bag, demo.mission)
    beating.cancel()
    assert judged.verdict is merestone.Verdict.PASSED
    assert beats > 3


async def test_the_plain_call_works_where_a_loop_runs_as_in_a_notebook(demo: Demo) -> None:
    assert merestone.audit(demo.bag, demo.mission, is_fast=True).verdict is merestone.Verdict.PASSED


async def test_a_cancelled_audit_is_dropped_and_the_next_one_works(demo: Demo) -> None:
    task = asyncio.create_task(merestone.audit_async(demo.bag, demo.mission))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await merestone.audit_async(demo.bag, demo.mission)).verdict is merestone.Verdict.PASSED


def test_without_pandas_everything_but_tables_works(demo: Demo) -> None:
    script = """
import sys
sys.modules["pandas"] = None
import merestone
audit = merestone.audit(sys.argv[1], sys.argv[2])
print(len(list(audit.records)))
try:
    audit.records.to_dataframe()
except ImportError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, demo.bag, demo.mission], check=True, capture_output=True, text=True
    )
    count, said = done.stdout.splitlines()
    assert int(count) == len(demo.report()["records"])
    assert "pip install pandas" in said


def test_a_program_that_ends_right_after_a_call_ends_well(demo: Demo) -> None:
    script = """
import sys, merestone
list(merestone.audit(sys.argv[1], sys.argv[2]).records)
"""
    for _ in range(10):
        done = subprocess.run([sys.executable, "-c", script, demo.bag, demo.mission], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


def test_names_with_formulas_and_other_scripts_stay_texts(audit: merestone.Audit) -> None:
    frame: pd.DataFrame = audit.records.to_dataframe()
    answers = [frame[column].dropna() for column in frame.columns if column.startswith("answer.")]
    values: list[Any] = [value for column in answers for value in column if not str(value).isascii()]
    assert values, "the demonstration has answers in three scripts"
    assert json.loads(frame.to_json(date_format="iso"))["record"]
