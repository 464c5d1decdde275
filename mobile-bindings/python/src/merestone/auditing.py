"""Judging a bag: one folder and a mission id in, a verdict out, offline.

The rules are those of ``merestone-audit``; this module only hands its results on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from . import gaps as missing
from ._crossing import AuditOptions, AuditReport, audit_bag, explain_code, typed
from ._waiting import wait_for
from .contents import Entries, Findings, Records
from .errors import Refused
from .people import Copy, Log, Person, Roll
from .report import Charter, Checkpoint, Completeness, Erasure, Finding, Scope, Verdict, Weight


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a finding means and what to do about it."""

    code: str
    weight: Weight
    """What it usually weighs."""
    means: str
    does: str
    """What to do about it."""

    def __str__(self) -> str:
        return f"{self.code} ({self.weight})\n{self.means}\n{self.does}"


def audit(path: str | PathLike[str], mission: str, *, is_fast: bool = False, records_max: int = 1_000) -> Audit:
    """Judges the bag in the folder ``path`` for the mission asked for.

    Whatever is in the folder, this ends with a verdict; only a path that holds no bag raises.
    It opens no connection and writes nothing into the bag.

    Args:
        path: the folder that holds ``bagit.txt``.
        mission: the mission's id, 64 hex digits. Never take it from the bag: whoever forged a bag would forge that
            too. Ask two parties that do not trust each other.
        is_fast: leaves out what entries say and photos; `Audit.records` and `Audit.entries` then refuse.
        records_max: how many records ``report.json`` lists; `Audit.records` gives all of them in any case.

    Raises:
        NotThere: nothing is there.
        Refused: ``path`` holds no bag, or ``mission`` is no id.
        Storage: the folder cannot be read.
    """
    return wait_for(audit_async(path, mission, is_fast=is_fast, records_max=records_max))


async def audit_async(
    path: str | PathLike[str], mission: str, *, is_fast: bool = False, records_max: int = 1_000
) -> Audit:
    """As `audit`, for callers that run an event loop. Cancelled, the audit ends by itself and its result is dropped."""
    options = AuditOptions(is_fast=is_fast, records_max=records_max)
    with typed():
        return Audit(await audit_bag(fspath(path), mission, options), Path(path))


def explain(code: str) -> Explanation:
    """What the finding of this code means and what to do about it.

    Raises:
        KeyError: no finding has this code.
    """
    line = explain_code(code)
    if line is None:
        raise KeyError(code)
    return Explanation(line.code, Weight(line.weight), line.means, line.does)


@dataclass(frozen=True, slots=True)
class Cut:
    """A key that its party ended."""

    person: Person
    entries_covered: int
    """Entries of its logs in the bag that are set aside."""


class Audit:
    """The result of an audit: the verdict, what it rests on, and everything that the bag says."""

    def __init__(self, report: AuditReport, path: Path) -> None:
        self._report = report
        self.path = path
        """The folder that was judged; records are read from it, so it must stay."""

    def __repr__(self) -> str:
        return f"<Audit {self.verdict} of {str(self.path)!r}: {self.completeness.words}>"

    @cached_property
    def facts(self) -> dict[str, Any]:
        """``report.json`` as it is (``core/spec/bundle.md``, Report), for what has no name here."""
        return dict(json.loads(self.json()))

    @property
    def verdict(self) -> Verdict:
        """What the findings add up to."""
        return Verdict(self._report.verdict())

    @property
    def is_fast(self) -> bool:
        """Whether only the fast pass was made."""
        return bool(self.facts["pass"] == "fast")

    @property
    def mission(self) -> str:
        """The mission that was asked for."""
        return str(self.facts["mission"])

    @property
    def mission_name(self) -> str | None:
        """Its name in the charter, if the charter is that of the mission."""
        name = self.facts["mission_name"]
        return None if name is None else str(name)

    @cached_property
    def charter(self) -> Charter | None:
        """Which charter it was judged by; ``None`` if none was read."""
        shown = self.facts["charter"]
        return None if shown is None else Charter(shown["id"], shown["amendments"], shown["frozen"])

    @cached_property
    def completeness(self) -> Completeness:
        """Whether something was left out, and as of which checkpoint."""
        return Completeness.read(self.facts["completeness"])

    @cached_property
    def findings(self) -> Findings:
        """What the audit has to say, the heaviest first."""
        return Findings(Finding.read(shown) for shown in self.facts["findings"])

    @cached_property
    def finding_counts(self) -> dict[tuple[Weight, str], int]:
        """How many findings there are of each weight and code, also those that are not listed."""
        counts = self.facts["finding_counts"]
        return {(Weight(tally["weight"]), tally["code"]): tally["count"] for tally in counts}

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """Everyone who is certified: who can have signed."""
        return tuple(Person.read(shown) for shown in self.facts["people"])

    @property
    def signers(self) -> tuple[Person, ...]:
        """Those of whom the bag has entries."""
        return tuple(person for person in self.people if person.entries > 0)

    @cached_property
    def logs(self) -> tuple[Log, ...]:
        """Every log that has a file."""
        return tuple(Log.read(shown) for shown in self.facts["logs"])

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        """What the bag holds of each scope of the charter."""
        counts = ("logs", "entries", "bodies_withheld", "bodies_erased", "entries_left_out")
        return tuple(
            Scope(shown["scope"], shown["scope_name"], shown["is_claimed"], *(shown[count] for count in counts))
            for shown in self.facts["scopes"]
        )

    @cached_property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """Every checkpoint of the bag, ascending by size."""
        return tuple(Checkpoint.read(shown) for shown in self.facts["checkpoints"])

    @cached_property
    def custody(self) -> tuple[Copy, ...]:
        """Who said with a receipt to hold which log, and how much of it."""
        return tuple(Copy(**shown) for shown in self.facts["copies"])

    @cached_property
    def erasures(self) -> tuple[Erasure, ...]:
        """What the parties agreed to forget."""
        return tuple(
            Erasure(shown["erasure"], shown["record"], shown["what"], shown["reason"], tuple(shown["parties"]))
            for shown in self.facts["erasures"]
        )

    @cached_property
    def gaps(self) -> tuple[missing.Gap, ...]:
        """What is missing: entries, what they say, photos, logs, the ledger, and what was not assessed at all."""
        return tuple(missing.gaps(self.findings, self.scopes, self.facts["not_checked"]))

    @property
    def forks(self) -> tuple[Finding, ...]:
        """Positions for which one key signed two entries, of a log or of a record."""
        return tuple(finding for finding in self.findings if finding.code in ("log-fork", "record-fork"))

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """Keys that their parties ended, and how many of their entries are set aside."""
        logs = {log.id: log for log in self.logs}
        ended = (person for person in self.people if person.is_cut)
        return tuple(
            Cut(person, sum(logs[log].covered_by_cuts for log in person.logs if log in logs)) for person in ended
        )

    @property
    def records(self) -> Records:
        """Every record, read from the bag one after the other.

        Raises:
            Refused: the fast pass was made, or the charter could not be read: then no record was judged.
        """
        if not self._report.has_records():
            raise Refused(
                "not-judged", "no record was judged: the fast pass leaves them out, as does a bag without its charter"
            )
        return Records(self._report, self._roll, self.facts["counts"]["records"])

    @property
    def entries(self) -> Entries:
        """Every entry, record by record. Raises as `records` does."""
        return Entries(self.records)

    def text(self) -> str:
        """The report as lines to read in a terminal."""
        return str(self._report.text())

    def json(self) -> str:
        """``report.json``: the same bag, mission and pass give the same bytes on any machine."""
        return str(self._report.json())

    def html(self) -> str:
        """The report as one page without any other file."""
        return str(self._report.html())

    def write_report(self, folder: str | PathLike[str]) -> None:
        """Writes ``report.html`` to read, ``report.json`` to keep and compare, and ``report.txt`` into a folder."""
        into = Path(folder)
        into.mkdir(parents=True, exist_ok=True)
        forms: dict[str, Callable[[], str]] = {"html": self.html, "json": self.json, "txt": self.text}
        for ending, written in forms.items():
            (into / f"report.{ending}").write_text(written(), encoding="utf-8", newline="\n")

    @cached_property
    def _roll(self) -> Roll:
        return Roll(self.people, self.logs)
