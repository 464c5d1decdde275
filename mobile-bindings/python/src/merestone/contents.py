"""What lies in a judged bag, read from it while one goes through it, and as tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from . import tables
from ._crossing import AuditReport, asked
from ._waiting import wait_for
from .evidence import Entry, Record
from .people import Roll
from .report import Finding

if TYPE_CHECKING:
    import pandas

PAGE_RECORDS = 256
"""Records that are asked for at once; a page ends earlier where its records are large."""


class Records(Sequence[Record]):
    """The records of a bag, read from it while one goes through them: memory holds a page at a time.

    In the order of their ids. ``records[id]`` reads one, ``records[0]`` walks to it.
    """

    def __init__(self, report: AuditReport, roll: Roll, count: int) -> None:
        self._report = report
        self._roll = roll
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Record]:
        after: str | None = None
        while True:
            page = wait_for(asked(self._report.records(after, PAGE_RECORDS)))
            for shown in page.records:
                yield Record.read(json.loads(shown), self._roll)
            if page.next is None:
                return
            after = page.next

    @overload
    def __getitem__(self, at: int | str) -> Record: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Record]: ...
    def __getitem__(self, at: int | str | slice) -> Record | Sequence[Record]:
        """The record with an id, or the one at a place.

        Raises:
            KeyError: the bag has no entry of this record.
            IndexError: there are not so many.
        """
        if isinstance(at, slice):
            return list(self)[at]
        if isinstance(at, int):
            place = at + len(self) if at < 0 else at
            for number, record in enumerate(self):
                if number == place:
                    return record
            raise IndexError(at)
        shown = wait_for(asked(self._report.record(at)))
        if shown is None:
            raise KeyError(at)
        return Record.read(json.loads(shown), self._roll)

    def of_kind(self, kind: str) -> Iterator[Record]:
        """Those whose form is of this kind: ``incident``, ``inspection`` and so on."""
        return (record for record in self if record.kind == kind)

    def to_dataframe(self, kind: str | None = None) -> pandas.DataFrame:
        """One row a record, its answers as columns ``answer.<name>``; of one kind if that is given.

        Raises:
            ImportError: pandas is not installed.
        """
        records = self if kind is None else self.of_kind(kind)
        return tables.frame(tables.record_rows(records), tables.RECORD_COLUMNS, ("not_before", "not_after"))

    def answers_to_dataframe(self) -> pandas.DataFrame:
        """One row for each value that stands, with who signed it.

        Raises:
            ImportError: pandas is not installed.
        """
        return tables.frame(tables.answer_rows(self), tables.ANSWER_COLUMNS)


class Entries:
    """The entries of a bag, record by record, read from it while one goes through them."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def __iter__(self) -> Iterator[Entry]:
        return (entry for record in self._records for entry in record.entries)

    def to_dataframe(self) -> pandas.DataFrame:
        """One row an entry.

        Raises:
            ImportError: pandas is not installed.
        """
        return tables.frame(tables.entry_rows(self), tables.ENTRY_COLUMNS, ("not_before", "not_after"))


class Findings(tuple[Finding, ...]):
    """What the audit has to say, the heaviest first; of each code and weight at most 1,000, while all are counted."""

    def to_dataframe(self) -> pandas.DataFrame:
        """One row a finding.

        Raises:
            ImportError: pandas is not installed.
        """
        return tables.frame(tables.finding_rows(self), tables.FINDING_COLUMNS)
