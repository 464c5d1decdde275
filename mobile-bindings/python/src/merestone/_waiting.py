"""Async calls for callers that run no event loop, or run their own, as notebooks do."""

from __future__ import annotations

import asyncio
import atexit
import sys
import threading
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_starting = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None

LEAVING_SECONDS = 2.0
"""How long the end of the program waits for threads of the library: they are in Python for microseconds."""


def wait_for(call: Coroutine[Any, Any, T]) -> T:
    """Runs an async call to its end on a thread of this package; Ctrl-C cancels it."""
    future = asyncio.run_coroutine_threadsafe(call, _running())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def _running() -> asyncio.AbstractEventLoop:
    global _loop, _thread
    with _starting:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            _thread = threading.Thread(target=_loop.run_forever, name="merestone-loop", daemon=True)
            _thread.start()
        return _loop


@atexit.register
def _leave() -> None:
    """Lets threads of the library leave Python before it ends: one that is in it then would abort the process."""
    until = time.monotonic() + LEAVING_SECONDS
    if _loop is not None and _thread is not None:
        _loop.call_soon_threadsafe(_loop.stop)
        _thread.join(LEAVING_SECONDS)
    while _foreign_threads() and time.monotonic() < until:
        time.sleep(0.001)


def _foreign_threads() -> set[int]:
    """Threads that are in Python and that Python did not start."""
    own = {thread.ident for thread in threading.enumerate() if not isinstance(thread, threading._DummyThread)}
    return set(sys._current_frames()) - own
