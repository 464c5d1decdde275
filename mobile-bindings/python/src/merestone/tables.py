"""Rows for pandas, which is only needed for this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .evidence import Answer, Entry, Record, Value
from .report import Finding

if TYPE_CHECKING:
    import pandas

ANSWER = "answer."
"""What the columns of answers begin with, so that an answer named ``kind`` is not taken for the record's kind."""

Row = Mapping[str, Any]


def frame(rows: Iterable[Row], columns: Iterable[str], times: Iterable[str] = ()) -> pandas.DataFrame:
    """The rows as a ``DataFrame`` with these columns first, also where there are no rows.

    Raises:
        ImportError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError("to_dataframe() needs pandas, which is not installed: pip install pandas") from error
    listed = list(rows)
    first = list(columns)
    further = sorted({name for row in listed for name in row} - set(first))
    made = pandas.DataFrame(
        {name: _column([row.get(name) for row in listed]) for name in [*first, *further]}, index=range(len(listed))
    )
    for name in times:
        # Bounds may hold any time that a calendar has; nanoseconds would end in the year 2262.
        made[name] = pandas.to_datetime(made[name], utc=True).astype("datetime64[us, UTC]")
    return made


def _column(values: list[Any]) -> pandas.Series[Any]:
    """The values of a column, none of them changed: pandas itself makes floats of whole numbers beside gaps."""
    import pandas

    kinds = {type(value) for value in values if value is not None}
    if kinds == {int} and all(value is None or abs(value) < 2**63 for value in values):
        return pandas.Series(pandas.array(values, dtype="Int64"))
    if kinds == {bool}:
        return pandas.Series(pandas.array(values, dtype="boolean"))
    if kinds == {float}:
        return pandas.Series(values, dtype="float64")
    return pandas.Series(values, dtype=object)


RECORD_COLUMNS = (
    "record", "kind", "scope", "scope_name", "observer", "device", "party", "party_name", "standing",
    "not_before", "not_after", "lat", "lon", "accuracy_m", "conflicts", "entries", "photos", "photos_not_held",
)  # fmt: skip


def record_rows(records: Iterable[Record]) -> Iterator[Row]:
    """One row a record: who created it, where and between which times, and its answers as ``answer.<name>``.

    An answer of which several values stand is a tuple of all of them, and is named in ``conflicts``.
    """
    for record in records:
        made = record.creation
        photos = [photo for entry in record.entries for photo in entry.photos]
        yield {
            "record": record.id,
            "kind": record.kind,
            "scope": record.scope,
            "scope_name": record.scope_name,
            **_signed(made),
            **_placed(made),
            "conflicts": record.conflicts,
            "entries": len(record.entries),
            "photos": len(photos),
            "photos_not_held": sum(photo.state != "held" for photo in photos),
            **{ANSWER + key: _told(values) for key, values in record.answers.items()},
        }


ENTRY_COLUMNS = (
    "entry", "record", "log", "seq", "kind", "standing", "observer", "device", "party", "party_name", "role", "key",
    "leaf", "not_before", "not_after", "device_clock", "device_clock_source", "lat", "lon", "accuracy_m",
    "place_source", "post", "reason", "text", "photos", "photos_not_held",
)  # fmt: skip


def entry_rows(entries: Iterable[Entry]) -> Iterator[Row]:
    """One row an entry: what was signed when and by whom, and what it counts for."""
    for entry in entries:
        yield {
            "entry": entry.id,
            "record": entry.record,
            "log": entry.log,
            "seq": entry.seq,
            "kind": entry.kind,
            **_signed(entry),
            "role": None if entry.author is None else entry.author.role,
            "key": None if entry.author is None else entry.author.key,
            "leaf": entry.leaf,
            "device_clock": entry.device_clock,
            "device_clock_source": entry.device_clock_source,
            **_placed(entry),
            "place_source": None if entry.position is None else entry.position.source,
            "post": entry.post,
            "reason": entry.reason,
            "text": entry.text,
            "photos": len(entry.photos),
            "photos_not_held": sum(photo.state != "held" for photo in entry.photos),
        }


ANSWER_COLUMNS = (
    "record", "kind", "key", "value", "is_conflict", "entry", "standing", "observer", "device", "party", "party_name",
)  # fmt: skip


def answer_rows(records: Iterable[Record]) -> Iterator[Row]:
    """One row for each value that stands, with who signed it."""
    for record in records:
        for key, values in record.answers.items():
            for value in values:
                signed = _signed(value.entry)
                yield {
                    "record": record.id,
                    "kind": record.kind,
                    "key": key,
                    "value": value.value,
                    "is_conflict": len(values) > 1,
                    "entry": value.entry.id,
                    **{name: signed[name] for name in ("standing", "observer", "device", "party", "party_name")},
                }


FINDING_COLUMNS = (
    "weight", "code", "detail", "log", "seq", "entry", "record", "statement", "leaf", "file",
)  # fmt: skip


def finding_rows(findings: Iterable[Finding]) -> Iterator[Row]:
    """One row a finding."""
    for finding in findings:
        yield {name: getattr(finding, name) for name in FINDING_COLUMNS} | {"weight": finding.weight.value}


def _told(values: tuple[Value, ...]) -> Answer | tuple[Answer, ...]:
    return values[0].value if len(values) == 1 else tuple(value.value for value in values)


def _signed(entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        names = ("observer", "device", "party", "party_name", "standing", "not_before", "not_after")
        return dict.fromkeys(names)
    return {
        "observer": entry.observer,
        "device": entry.device,
        "party": entry.party,
        "party_name": None if entry.author is None else entry.author.party_name,
        "standing": entry.standing,
        "not_before": None if entry.not_before is None else entry.not_before.time,
        "not_after": None if entry.not_after is None else entry.not_after.time,
    }


def _placed(entry: Entry | None) -> dict[str, Any]:
    position = None if entry is None else entry.position
    if position is None:
        return {"lat": None, "lon": None, "accuracy_m": None}
    return {"lat": position.lat, "lon": position.lon, "accuracy_m": position.accuracy_m}
