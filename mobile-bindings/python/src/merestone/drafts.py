"""What the mission asks, and what an observer began to answer."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from types import TracebackType

from . import _crossing as crossing
from ._crossing import (
    Answered,
    AttachedLine,
    DamagedDraftLine,
    DraftLine,
    FormLine,
    InterviewLine,
    PhotoFile,
    ProblemLine,
    SavedLine,
    ScreenLine,
    asked,
)
from ._whole import whole
from .answers import lowered
from .errors import NotThere
from .evidence import Answer


class Forms:
    """The forms of the mission."""

    def __init__(self, phone: crossing.Phone) -> None:
        self._phone = phone

    async def all(self) -> list[FormLine]:
        """Every form of the charter."""
        return await asked(self._phone.forms())

    async def of_kind(self, kind: str) -> FormLine:
        """The form that makes records of this kind: ``inspection``, ``incident`` and so on.

        Raises:
            NotThere: the mission has none.
        """
        for form in await self.all():
            if form.kind == kind:
                return form
        raise NotThere(f"the mission has no form of the kind {kind}")

    async def add(self, path: str | PathLike[str], *beside: str | PathLike[str]) -> str:
        """Takes up the questions of a form that the charter lists, with the files that it names; gives its hash.

        Raises:
            Refused: it cannot be read, or the charter does not list it; a library that was built without the readers of
                Excel files takes no ``.xlsx`` and no ``.xls``.
        """
        return await asked(self._phone.add_form(fspath(path), [fspath(file) for file in beside]))


class Drafts:
    """What was begun and not saved. Every answer is on disk when the call that gave it returns."""

    def __init__(self, phone: crossing.Phone) -> None:
        self._phone = phone

    async def all(self, observer: str | None = None) -> list[DraftLine]:
        """Every draft, or those of one observer."""
        return await whole(lambda first, most: self._phone.drafts(observer, first, most))

    async def damaged(self) -> list[DamagedDraftLine]:
        """Drafts that cannot be read any more."""
        return await asked(self._phone.damaged_drafts())

    async def begin(self, observer: str, scope: str, form: str) -> Interview:
        """Begins a new record; the form by its hash. Whether the observer may save there is looked at by `save`.

        Raises:
            NotThere: no such observer or form is here.
            Refused: with the code ``form-not-asked``, the form's questions are not here; `save_new` works all the same.
        """
        return Interview(await asked(self._phone.begin(observer, scope, form)))

    async def begin_edit(self, observer: str, record: str) -> Interview:
        """Begins to change a record, with its answers filled in; a question whose answers are in conflict stands empty.

        Raises:
            NotThere: no such observer is here.
            Refused: with the code ``not-editable`` there is no such record or it cannot be edited, with
                ``form-not-asked`` its form's questions are not here.
        """
        return Interview(await asked(self._phone.begin_edit(observer, record)))

    async def go_on(self, draft: str) -> Interview:
        """Goes on with what was begun, after a restart too.

        Raises:
            NotThere: there is no such draft.
        """
        return Interview(await asked(self._phone.go_on(draft)))

    async def discard(self, draft: str) -> None:
        """Removes a draft with its photos; again, or after it was saved, it changes nothing.

        Raises:
            Refused: with the code ``saving``, it is being saved.
        """
        await asked(self._phone.discard(draft))

    async def save_new(
        self, observer: str, scope: str, form: str, answers: Mapping[str, Answer], *, once: str | None = None
    ) -> SavedLine:
        """A whole record in one call: works out what follows from the answers, signs and saves it.

        Cancelling takes nothing back: a call that is cancelled may be done whole. Whoever must know gives ``once``, and
        calls again with the same one, now or after a restart: if it was done, the answer is the same and nothing is
        signed again.

        Args:
            observer: whose key signs.
            scope: where it belongs.
            form: its hash.
            answers: by question, as in ``remarks`` or ``vehicles[1]/plate``.
            once: 32 hex digits chosen at random for this record alone (``secrets.token_hex(16)``); without it each call
                saves.

        Raises:
            Refused: with the code ``answer``, an answer is none that its question takes; nothing is saved then.
            NotEnrolled: the observer may not save.
            Locked: the observer's key is not unlocked.
        """
        given = {key: lowered(answer) for key, answer in answers.items()}
        return await asked(self._phone.save_new(observer, scope, form, given, once))


class Interview:
    """A form being answered: ``async with await drafts.begin(…) as interview: …``.

    Leaving it without `save` keeps the draft for `Drafts.go_on`.
    """

    def __init__(self, opened: crossing.Interview) -> None:
        self._interview = opened

    async def __aenter__(self) -> Interview:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asked(self._interview.leave())

    async def info(self) -> InterviewLine:
        """Whose it is, of which form, and how many screens there are."""
        return await asked(self._interview.info())

    async def screens(self, first: int = 0, most: int = 100) -> list[ScreenLine]:
        """What is asked now, from one screen on."""
        return await asked(self._interview.screens(first, most))

    async def find(self, name: str) -> int | None:
        """The place of the screen with this name or key, if it is asked."""
        return await asked(self._interview.find(name))

    async def speak(self, language: int | None) -> None:
        """Shows labels in one of the form's languages, by its place; without one in the form's own texts."""
        await asked(self._interview.set_language(language))

    async def answer(self, key: str, answer: Answer) -> Answered:
        """Answers a question. Raises `Refused` for what is no answer to it."""
        return await asked(self._interview.answer(key, lowered(answer)))

    async def answer_typed(self, key: str, typed: str) -> Answered:
        """Answers a question with what a person typed."""
        return await asked(self._interview.answer_typed(key, typed))

    async def attach(
        self,
        path: str | PathLike[str],
        *,
        question: str | None = None,
        caption: str | None = None,
        preview: str | PathLike[str] | None = None,
        is_app_captured: bool = False,
    ) -> AttachedLine:
        """Attaches a photo by its path, as the camera wrote it.

        Args:
            path: the camera file.
            question: the key of the question it answers; without one it belongs to the record.
            caption: words below it.
            preview: a picture of it, for formats that are not decoded here.
            is_app_captured: whether the program took it itself; from a gallery its location may have been removed.

        Raises:
            NotThere: it cannot be read.
            Refused: it is no photo; one that was there stays.
        """
        photo = PhotoFile(
            path=fspath(path),
            preview_path=None if preview is None else fspath(preview),
            caption=caption,
            key=question,
            is_app_captured=is_app_captured,
        )
        return await asked(self._interview.attach(photo))

    async def detach(self, row: str) -> None:
        """Takes a photo of this draft back."""
        await asked(self._interview.detach(row))

    async def add_row(self, repeat: str, within: str | None = None) -> str:
        """Adds a row of a repeat, and gives its key."""
        return await asked(self._interview.add_row(repeat, within))

    async def withdraw_row(self, key: str) -> None:
        """Withdraws a row."""
        await asked(self._interview.withdraw_row(key))

    async def problems(self) -> list[ProblemLine]:
        """What is missing or contradicts the form. It keeps nothing from being saved: the observer decides."""
        return await asked(self._interview.problems())

    async def save(self) -> SavedLine:
        """Signs and saves; when this returns the entry is durable and the draft is gone. Again it gives the same entry.

        After an error the draft is there as it was.

        Raises:
            Refused: with the code ``nothing-changed``, ``not-editable`` or ``not-a-writer`` there is nothing that this
                observer can change, with ``too-large`` one entry cannot hold it, with ``saving`` it is being saved,
                with ``draft-changed`` it was changed elsewhere meanwhile: it is shown as it is now, and may be saved.
            NotEnrolled: the observer may not save.
            Locked: the observer's key is not unlocked.
        """
        return await asked(self._interview.save())
