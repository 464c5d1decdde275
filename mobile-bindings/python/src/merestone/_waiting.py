"""Async calls for callers that run no event loop, or run their own, as notebooks do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_starting = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def wait_for(call: Coroutine[Any, Any, T]) -> T:
    """Runs an async call to its end on a thread of this package; Ctrl-C cancels it."""
    future = asyncio.run_coroutine_threadsafe(call, _running())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def _running() -> asyncio.AbstractEventLoop:
    global _loop
    with _starting:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="merestone-loop", daemon=True).start()
        return _loop
