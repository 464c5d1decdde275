"""Lists of which one call gives a part."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from ._crossing import asked

T = TypeVar("T")

LINES_AT_ONCE = 1_000
"""Lines that are asked for at once: as many as the library gives."""


async def whole(part: Callable[[int, int], Awaitable[list[T]]]) -> list[T]:
    """All lines; ``part`` gives so many from a place on, and fewer only at the end."""
    lines: list[T] = []
    while True:
        more = await asked(part(len(lines), LINES_AT_ONCE))
        lines.extend(more)
        if len(more) < LINES_AT_ONCE:
            return lines
