"""Meeting other devices and base camps. Whoever is met is proved by keys, and what comes by its own signatures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Any

from . import _crossing as crossing
from ._crossing import (
    CallerLine,
    NearbyLine,
    NearbyListener,
    SyncListener,
    SyncOptions,
    SyncReport,
    SyncState,
    SyncTarget,
    TicketLine,
    asked,
)
from ._mailbox import Mailbox

TARGETS: Any = SyncTarget
"""The generated classes of targets, as a tree that no type checker follows."""


def by_ticket(text: str) -> SyncTarget:
    """Whoever made this ticket; it proves nothing."""
    target: SyncTarget = TARGETS.TICKET(text=text)
    return target


def by_typed(text: str) -> SyncTarget:
    """What a person typed or scanned: a ticket, ``KEY@HOST:PORT`` or ``HOST:PORT``."""
    target: SyncTarget = TARGETS.TYPED(text=text)
    return target


def by_address(address: str, transport_key: str | None = None) -> SyncTarget:
    """Whoever answers at ``host:port``; with a transport key only who holds that key."""
    target: SyncTarget = TARGETS.ADDRESS(address=address, transport_key=transport_key)
    return target


def by_nearby(device: NearbyLine) -> SyncTarget:
    """A device that `Sync.nearby` found."""
    target: SyncTarget = TARGETS.PEER(peer=device)
    return target


class Sync:
    """Meeting others. Cancelling a task that meets ends its link; what arrived before stays."""

    def __init__(self, phone: crossing.Phone) -> None:
        self._phone = phone

    async def meet(
        self,
        observer: str,
        target: SyncTarget,
        *,
        stay: bool = False,
        attempts_max: int | None = None,
        originals: bool | None = None,
        photo_bytes_max: int | None = None,
        on_progress: Callable[[SyncState], None] | None = None,
    ) -> SyncReport:
        """Meets whoever answers at a target, until both hold what either lacked.

        Args:
            observer: whose key meets; it must be unlocked.
            target: a ticket, an address, or somebody found nearby.
            stay: goes on exchanging what is saved, until cancelled or until the other ends it.
            attempts_max: how often a link that broke is made again.
            originals: whether to fetch camera files; by default not over a link that costs.
            photo_bytes_max: at most so many bytes of photos, small pictures first.
            on_progress: told at most ten times a second, on this event loop.

        Raises:
            Unreachable: nobody was met.
            Locked: the key is not unlocked.
        """
        options = SyncOptions(
            stay=stay, attempts_max=attempts_max, originals=originals, photo_bytes_max=photo_bytes_max
        )
        listener = None if on_progress is None else _Progress(on_progress)
        return await asked(self._phone.sync_with(observer, target, options, listener))

    async def nearby(self, observer: str, for_ms: int = 10_000) -> AsyncGenerator[NearbyLine, None]:
        """Devices of the local network, each once, as they are found; ends after ``for_ms``."""
        mailbox: Mailbox[list[NearbyLine]] = Mailbox(lambda earlier, later: earlier + later)
        search = asyncio.ensure_future(asked(self._phone.find_nearby(observer, for_ms, _Finding(mailbox))))
        search.add_done_callback(lambda _: mailbox.put([]))
        told: set[str] = set()
        is_over = False
        try:
            while not is_over:
                seen = await mailbox.take() or []
                is_over = search.done()
                for device in seen + (await search if is_over else []):
                    if device.transport_key not in told:
                        told.add(device.transport_key)
                        yield device
        finally:
            search.cancel()

    async def answer(self, observer: str, address: str = "0.0.0.0:0", *, is_advertised: bool = True) -> Answering:
        """Answers whoever calls, at an address of this machine; port 0 takes one that is free.

        Args:
            observer: whose key answers; it must be unlocked.
            address: where to listen.
            is_advertised: whether the local network is told that Merestone runs here; no name, key or mission is.

        Raises:
            Refused: it is no address.
            Locked: the key is not unlocked.
            Unreachable: it cannot listen there.
        """
        return Answering(await asked(self._phone.serve(observer, address, is_advertised)))

    async def network_changed(self, local: str | None = None) -> None:
        """Says that the machine has another network now, so that links are made again at once.

        Raises:
            Refused: it is no address.
            Unreachable: a meeting found no socket there, and stays where it was.
        """
        await asked(self._phone.network_changed(local))


class Answering:
    """Answering callers: ``async with await phone.sync.answer(…) as answering: …``."""

    def __init__(self, opened: crossing.Answering) -> None:
        self._answering = opened

    async def __aenter__(self) -> Answering:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def address(self) -> str:
        """Where it listens, with the port that it took."""
        return str(self._answering.address())

    @property
    def is_advertised(self) -> bool:
        """Whether devices nearby can find this one; not if it was not asked for, or the system does not let it."""
        return bool(self._answering.is_advertised())

    async def ticket(self, name: str | None = None) -> TicketLine:
        """What another device needs to call, as text and as a QR code; it proves nothing."""
        return await asked(self._answering.ticket(name))

    async def callers(self) -> list[CallerLine]:
        """Who called, in the order of their keys, and how far each is; nobody once it is stopped."""
        return await asked(self._answering.callers())

    async def stop(self) -> None:
        """Ends it; stopping twice changes nothing."""
        await asked(self._answering.stop())


class _Progress(SyncListener):
    def __init__(self, told: Callable[[SyncState], None]) -> None:
        self._told = told
        self._loop = asyncio.get_running_loop()

    def on_progress(self, state: SyncState) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._told, state)


class _Finding(NearbyListener):
    def __init__(self, mailbox: Mailbox[list[NearbyLine]]) -> None:
        self._mailbox = mailbox

    def on_found(self, found: NearbyLine) -> None:
        self._mailbox.put([found])
