"""News from the library's threads, as a task awaits it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds one piece of news: what nobody took yet is joined with what comes after it. Made on a running loop."""

    def __init__(self, join: Callable[[T, T], T]) -> None:
        self._join = join
        self._loop = asyncio.get_running_loop()
        self._news: list[T] = []
        self._there = asyncio.Event()
        self._is_over = False

    def put(self, news: T) -> None:
        """From any thread; of a loop that ended nobody hears."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._add, news)

    def end(self) -> None:
        """No more news will come; from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end)

    async def take(self) -> T | None:
        """Waits for news; none when it was ended and all was taken."""
        await self._there.wait()
        if not self._is_over:
            self._there.clear()
        return self._news.pop() if self._news else None

    def _end(self) -> None:
        self._is_over = True
        self._there.set()

    def _add(self, news: T) -> None:
        self._news[:] = [self._join(self._news[0], news)] if self._news else [news]
        self._there.set()
