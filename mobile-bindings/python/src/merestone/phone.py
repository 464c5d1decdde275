"""One device of a mission, open: what an app on a phone has, for scripts and tests.

Nothing here decides anything; each call is one call of the library.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from os import PathLike, fspath
from types import TracebackType

from . import _crossing as crossing
from ._crossing import (
    Change,
    KeyVault,
    MissionLine,
    PhoneHome,
    PhoneSettings,
    RoomLine,
    StoreSecret,
    SuspendReport,
    asked,
    marker_in,
    typed,
)
from ._mailbox import Mailbox
from .carrying import Bags, Courier, Photos
from .drafts import Drafts, Forms
from .observers import Observers
from .providers import Providers
from .stored import StoredRecords
from .sync import Sync

CLEAR_STORE_KEY = bytes(32)
"""The key that the ``merestone`` program gives its stores. What is stored is in clear, as with any other key."""


class Phone:
    """One installation: its observers, drafts, records and photos, in one folder that one process has open.

    ``async with await Phone.open(folder) as phone: …`` closes it at the end.
    Calls may come from any number of tasks at once; after `close` every call raises `Closed`.
    """

    def __init__(self, opened: crossing.Phone) -> None:
        self._phone = opened
        self._mailboxes: set[Mailbox[Change]] = set()
        self.observers = Observers(opened)
        """Who uses the phone, and their keys."""
        self.forms = Forms(opened)
        """What the mission asks."""
        self.drafts = Drafts(opened)
        """What was begun and not saved."""
        self.records = StoredRecords(opened)
        """What was saved here and what came from others."""
        self.photos = Photos(opened)
        self.sync = Sync(opened)
        """Meeting other devices and base camps."""
        self.courier = Courier(opened)
        """Carrying records on a stick."""
        self.bags = Bags(opened)
        """Handing evidence to auditors."""

    @classmethod
    async def open(
        cls,
        folder: str | PathLike[str],
        *,
        store_key: bytes = CLEAR_STORE_KEY,
        marker: str | PathLike[str] | None = None,
        offset_min: int | None = None,
        providers: Providers | None = None,
    ) -> Phone:
        """Opens the phone of a folder.

        Args:
            folder: where it keeps everything but the marker.
            store_key: 32 bytes for the store's encryption. Taken already and not used yet: what is stored is in clear.
            marker: the file that no backup may copy; in the folder by default, as on machines without such backups.
            offset_min: minutes that the place is ahead of UTC; this machine's own by default.
            providers: clocks, a place and link hints that are better than the system's.

        Raises:
            NotThere: none was made there.
            Storage: another process has it open, or the disk refuses.
        """
        home = _home(folder, store_key, marker)
        return cls(await asked(crossing.open_phone(home, _settings(offset_min, providers))))

    @classmethod
    async def create(
        cls,
        folder: str | PathLike[str],
        charter: bytes,
        *,
        store_key: bytes = CLEAR_STORE_KEY,
        marker: str | PathLike[str] | None = None,
        offset_min: int | None = None,
        providers: Providers | None = None,
    ) -> Phone:
        """Makes the phone of a folder for the mission that a complete charter founds (the bytes of ``charter.cbor``).

        Raises:
            Refused: a phone is there already, or not every party signed the charter.
        """
        home = _home(folder, store_key, marker)
        return cls(await asked(crossing.create_phone(home, _settings(offset_min, providers), charter)))

    async def __aenter__(self) -> Phone:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Forgets the keys, and lets go of every file; closing twice changes nothing.

        Raises:
            Storage: with the fault ``in-use``, a call that hangs keeps the store open after 20 seconds: close it again.
        """
        await asked(self._phone.shut())
        self._end_changes()

    @property
    def is_open(self) -> bool:
        """Whether calls are answered: not closed, wiped or paused."""
        return bool(self._phone.is_open())

    async def mission(self) -> MissionLine:
        """The mission, its parties and its scopes, as the charter says."""
        return await asked(self._phone.mission())

    async def room(self) -> RoomLine:
        """How much room the disk has left."""
        return await asked(self._phone.room())

    async def pause(self, budget_ms: int = 2_000) -> SuspendReport:
        """Ends meetings and closes every file of the store, so that a system may freeze the process.

        What is being saved is saved or not, and calls under way end with `Closed`. Where the budget was too short the
        report says so; pausing again goes on.
        """
        return await asked(self._phone.suspend(budget_ms))

    async def resume(self) -> None:
        """Opens what was paused; keys that were unlocked still are."""
        await asked(self._phone.resume())

    async def wipe(self) -> list[str]:
        """Closes the phone and removes everything: keys first, then the store. Nothing brings it back.

        Gives the names of what lies in the folder and is not the phone's: that stays. What no other device has is lost:
        ask ``records.held_alone()`` before.
        """
        left = await asked(self._phone.wipe())
        self._end_changes()
        return left

    async def changes(self) -> AsyncGenerator[Change, None]:
        """What is no longer as it was shown; first of all that everything may be so, and then what changes from now on.

        It comes at most ten times a second and always the last one; who is slow is told the sum. It lasts across a
        pause, and ends when the phone is closed or wiped.

        Raises:
            Closed: the phone is closed or paused already.
        """
        mailbox: Mailbox[Change] = Mailbox(_joined)
        self._mailboxes.add(mailbox)
        try:
            await asked(self._phone.set_change_listener(_Listening(self._mailboxes)))
            yield Change(records=[], is_everything=True, has_statements=True)
            while (change := await mailbox.take()) is not None:
                yield change
        finally:
            self._mailboxes.discard(mailbox)

    def _end_changes(self) -> None:
        for mailbox in tuple(self._mailboxes):
            mailbox.end()


async def wipe(
    folder: str | PathLike[str], *, marker: str | PathLike[str] | None = None, vault: KeyVault | None = None
) -> list[str]:
    """Removes a phone that is not open, as `Phone.wipe` does; also one whose wiping was interrupted.

    Args:
        folder: where the phone keeps everything but the marker.
        marker: as of `Phone.open`.
        vault: is told to forget the observers' keys.

    Raises:
        Storage: a process has it open.
    """
    return await asked(crossing.wipe_phone(_home(folder, CLEAR_STORE_KEY, marker), vault))


class _Listening(crossing.ChangeListener):
    def __init__(self, mailboxes: set[Mailbox[Change]]) -> None:
        self._mailboxes = mailboxes

    def on_changed(self, change: Change) -> None:
        for mailbox in tuple(self._mailboxes):
            mailbox.put(change)


def _joined(earlier: Change, later: Change) -> Change:
    is_everything = earlier.is_everything or later.is_everything
    records = [] if is_everything else list(dict.fromkeys([*earlier.records, *later.records]))
    return Change(
        records=records,
        is_everything=is_everything,
        has_statements=earlier.has_statements or later.has_statements,
    )


def _home(folder: str | PathLike[str], store_key: bytes, marker: str | PathLike[str] | None) -> PhoneHome:
    path = fspath(folder)
    with typed():
        key = StoreSecret(store_key)
    return PhoneHome(folder=path, marker=marker_in(path) if marker is None else fspath(marker), store_key=key)


def _settings(offset_min: int | None, providers: Providers | None) -> PhoneSettings:
    brought = providers or Providers()
    return PhoneSettings(
        offset_min=_offset_here() if offset_min is None else offset_min,
        clock=brought.clock,
        location=brought.location,
        connectivity=brought.connectivity,
    )


def _offset_here() -> int:
    return (time.localtime().tm_gmtoff or 0) // 60
