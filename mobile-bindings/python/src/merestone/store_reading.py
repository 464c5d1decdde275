"""Records of a phone's store in the shape in which audits show records."""

from __future__ import annotations

from collections.abc import Sequence

from ._crossing import ClockKind, PersonLine, PlaceKind, PlaceLine, RecordSheet, StepLine
from .answers import lifted
from .evidence import Answer, Entry, Position, Record, Value, device_clock
from .people import Author

CLOCKS = {ClockKind.DEVICE: "device", ClockKind.NETWORK: "network", ClockKind.SATELLITE: "satellite"}
PLACES = {
    PlaceKind.SATELLITE: "satellite",
    PlaceKind.HAND: "by hand",
    PlaceKind.REGISTRY: "registry",
    PlaceKind.MOCKED: "flagged as mocked",
}


def record_of(sheet: RecordSheet, history: Sequence[StepLine]) -> Record:
    """A record with its entries. What only an audit knows (ledger, bounds of time, photos held) is left open."""
    entries = tuple(_entry(sheet.id, step, sheet) for step in history)
    by_id = {entry.id: entry for entry in entries}
    answers = {
        line.key: tuple(Value(lifted(given.value), by_id[given.entry]) for given in line.values if given.entry in by_id)
        for line in sheet.answers
    }
    return Record(sheet.id, sheet.kind, sheet.scope, None, answers, entries)


def _entry(record: str, step: StepLine, sheet: RecordSheet) -> Entry:
    author = _author(step.by)
    return Entry(
        id=step.entry,
        record=record,
        log=None,
        seq=step.seq,
        kind=step.kind,
        standing=step.standing,
        author=author,
        party=author.party,
        observer=author.observer,
        device=author.device,
        leaf=None,
        not_before=None,
        not_after=None,
        device_clock=device_clock(step.wall_ms, step.offset_min),
        device_clock_source=None if step.clock_source is None else CLOCKS[step.clock_source],
        position=_position(step.place),
        post=step.post,
        text=step.text,
        reason=step.reason,
        names=() if step.kind == "change" else tuple(step.refs),
        voided_by=(),
        photos=(),
        not_applied=_not_applied(step, sheet),
    )


def _not_applied(step: StepLine, sheet: RecordSheet) -> dict[str, Answer]:
    applied = {line.entry for line in sheet.standings if line.is_applied}
    if step.entry in applied:
        return {}
    return {change.key: lifted(change.after) for change in step.changes}


def _author(person: PersonLine) -> Author:
    return Author(
        key=person.key,
        party=person.party,
        party_name=person.party_name or None,
        observer=person.observer,
        device=person.device,
        role=person.role or None,
    )


def _position(place: PlaceLine | None) -> Position | None:
    if place is None:
        return None
    return Position(place.lat_e7 / 1e7, place.lon_e7 / 1e7, place.accuracy_m, PLACES[place.source])
