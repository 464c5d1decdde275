"""Records of a phone: lists, one whole, its history, what is said about it, and who holds copies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING

from . import _crossing as crossing
from . import tables
from ._crossing import (
    CustodyLine,
    HeldAloneLine,
    PixelBoxLine,
    RecordLine,
    RecordQuery,
    RecordSheet,
    RecordsPage,
    RecordStateKind,
    SavedLine,
    SpeechKind,
    SpeechOrder,
    StepLine,
    asked,
)
from ._whole import whole
from .answers import lowered
from .evidence import Answer, Entry, Record
from .store_reading import record_of

if TYPE_CHECKING:
    import pandas

PAGE_LINES = 200
"""Lines that are asked for at once."""


class StoredRecords:
    """What a phone holds: what was saved here, and what came from others."""

    def __init__(self, phone: crossing.Phone) -> None:
        self._phone = phone

    async def page(self, query: RecordQuery, after: str | None = None, most: int = 50) -> RecordsPage:
        """One page of a list, newest change first; of a search, those first that were indexed last.

        While the page says ``is_behind``, more was saved or received than it shows yet: ask again, or `catch_up`.
        """
        return await asked(self._phone.records(query, after, most))

    async def find(
        self,
        *,
        scope: str | None = None,
        kind: str | None = None,
        text: str | None = None,
        state: RecordStateKind | None = None,
        has_conflict: bool | None = None,
        is_withdrawn: bool | None = None,
        since_ms: int | None = None,
    ) -> AsyncIterator[RecordLine]:
        """The lines of the records that fit, the newest first; what is absent leaves none out.

        The list is brought up to date first. What changes meanwhile may be missing or come twice.

        Args:
            scope: of one scope.
            kind: of one kind of form.
            text: that hold every word of this, the last perhaps only begun; case and accents do not matter.
            state: of which all that is here is shown, some of it, or nothing because what decides about it is not here.
            has_conflict: with, or without, answers of which several values stand.
            is_withdrawn: withdrawn, or not.
            since_ms: changed since this time, milliseconds since 1970, by the clocks of devices.
        """
        query = RecordQuery(
            scope=scope,
            kind=kind,
            text=text,
            state=state,
            has_conflict=has_conflict,
            is_withdrawn=is_withdrawn,
            since_ms=since_ms,
        )
        if (await self.page(query, None, 1)).is_behind:
            await self.catch_up()
        after: str | None = None
        while True:
            page = await self.page(query, after, PAGE_LINES)
            for line in page.lines:
                yield line
            after = page.next
            if after is None:
                return

    async def catch_up(self) -> None:
        """Brings lists up to date after much arrived."""
        await asked(self._phone.catch_up())

    async def sheet(self, record: str, language: int | None = None) -> RecordSheet | None:
        """A record with every value and who signed it; none when nothing of it is held.

        Args:
            record: its id.
            language: of questions and choices, by its place in the form; without one in the form's own texts.
        """
        return await asked(self._phone.record(record, language))

    async def history(self, record: str, language: int | None = None) -> list[StepLine]:
        """Every entry of a record, in an order in which each comes behind those that it builds on.

        Args:
            record: its id.
            language: as `sheet` takes it.
        """
        return await whole(lambda first, most: self._phone.history(record, language, first, most))

    async def read(self, record: str) -> Record | None:
        """A record as an audit shows it: values, standings, authors. Bounds of time and ledger are an audit's alone."""
        sheet = await self.sheet(record)
        return None if sheet is None else record_of(sheet, await self.history(record))

    async def all(self, kind: str | None = None) -> AsyncIterator[Record]:
        """Every record as `read` gives it, the newest first, one at a time."""
        async for line in self.find(kind=kind):
            record = await self.read(line.id)
            if record is not None:
                yield record

    async def entries(self) -> AsyncIterator[Entry]:
        """Every entry, record by record."""
        async for record in self.all():
            for entry in record.entries:
                yield entry

    async def to_dataframe(self, kind: str | None = None) -> pandas.DataFrame:
        """One row a record, its answers as columns ``answer.<name>``; raises `ImportError` without pandas."""
        records = [record async for record in self.all(kind)]
        return tables.frame(tables.record_rows(records), tables.RECORD_COLUMNS, ("not_before", "not_after"))

    async def entries_to_dataframe(self) -> pandas.DataFrame:
        """One row an entry; raises `ImportError` without pandas."""
        entries = [entry async for entry in self.entries()]
        return tables.frame(tables.entry_rows(entries), tables.ENTRY_COLUMNS, ("not_before", "not_after"))

    async def resolve(
        self, observer: str, record: str, key: str, answer: Answer, *, once: str | None = None
    ) -> SavedLine:
        """Settles a conflict by a signed entry that names every value that stood; ``once`` as in `Drafts.save_new`.

        Raises:
            Refused: with the code ``not-editable`` or ``not-a-writer``, the observer cannot change the record.
            NotEnrolled: the observer may not save this.
            Locked: the observer's key is not unlocked.
        """
        return await asked(self._phone.resolve(observer, record, key, lowered(answer), once))

    async def withdraw(self, observer: str, record: str, *, once: str | None = None) -> SavedLine:
        """Withdraws a record: it stays, and is shown as withdrawn; ``once`` as in `Drafts.save_new`.

        Raises:
            Refused: with the code ``not-editable`` or ``not-a-writer``, the observer cannot change the record.
            NotEnrolled: the observer may not save this.
            Locked: the observer's key is not unlocked.
        """
        return await asked(self._phone.withdraw(observer, record, once))

    async def say(
        self,
        observer: str,
        record: str,
        kind: SpeechKind,
        *,
        about: Sequence[str] = (),
        text: str | None = None,
        reason: int | None = None,
        once: str | None = None,
    ) -> SavedLine:
        """Says something about a record, or about some of its entries: concurrence, objection, ruling and so on.

        ``once`` is as in `Drafts.save_new`.

        Raises:
            Refused: with the code ``words-needed`` an objection has none, with ``too-long`` it has too many, with
                ``id-taken`` ``once`` was of something else.
            NotThere: nothing of the record is here.
            NotEnrolled: the observer may not save this.
            Locked: the observer's key is not unlocked.
        """
        order = SpeechOrder(record=record, about=list(about), kind=kind, reason=reason, text=text)
        return await asked(self._phone.say(observer, order, once))

    async def restate(self, observer: str, entry: str, *, once: str | None = None) -> SavedLine:
        """Writes again, in one's own name, what an entry said that is set aside; ``once`` as in `Drafts.save_new`.

        Raises:
            NotThere: it is no change of a record that is here.
            Refused: with the code ``applied`` it counts already, with ``unreadable`` it cannot be read.
            NotEnrolled: the observer may not save this.
            Locked: the observer's key is not unlocked.
        """
        return await asked(self._phone.restate(observer, entry, once))

    async def redact(
        self, observer: str, record: str, photo: str, boxes: Sequence[PixelBoxLine], *, once: str | None = None
    ) -> SavedLine:
        """Saves a copy of a photo with boxes blackened, as a new record; the original stays what it was.

        ``once`` is as in `Drafts.save_new`.

        Raises:
            NotThere: the record has no such photo, or its bytes are not held.
            Refused: with the code ``picture``, it is no picture that can be painted over.
            NotEnrolled: the observer may not save this.
            Locked: the observer's key is not unlocked.
        """
        return await asked(self._phone.redact(observer, record, photo, list(boxes), once))

    async def custody(self, entry: str) -> CustodyLine | None:
        """Who else holds an entry, as signed receipts say."""
        return await asked(self._phone.custody(entry))

    async def custody_of(self, record: str) -> list[CustodyLine]:
        """The same of every entry of a record."""
        return await whole(lambda first, most: self._phone.custody_of(record, first, most))

    async def held_alone(self) -> HeldAloneLine:
        """What would be lost with this device, whoever wrote it: to be asked before it is handed in or wiped."""
        return await asked(self._phone.held_alone())

    async def write_exhibit(self, entry: str, questions: Sequence[str], path: str | PathLike[str]) -> None:
        """Writes a file that shows one entry and the answers chosen, to people who have nothing else."""
        await asked(self._phone.write_exhibit(entry, list(questions), fspath(path)))
