"""Shapes of single fields, as the tables of core/spec write them; everything else is `shape`."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from . import cbor
from .refusal import Refused, need

INT64 = (-(2**63), 2**63 - 1)

Check = Callable[[Any], Any]


def uint(value: Any, low: int = 0, high: int = 2**64 - 1) -> int:
    """An unsigned integer in a range."""
    need(type(value) is int and low <= value <= high)
    return value


def integer(value: Any, low: int = INT64[0], high: int = INT64[1]) -> int:
    """An integer in a range."""
    need(type(value) is int and low <= value <= high)
    return value


def octets(length: int) -> Check:
    """A byte string of exactly `length` bytes."""

    def check(value: Any) -> bytes:
        need(type(value) is bytes and len(value) == length)
        return value

    return check


hash32 = octets(32)


def any_octets(value: Any) -> bytes:
    """A byte string of any length."""
    need(type(value) is bytes)
    return value


def text(bytes_max: int, multiline: bool = False) -> Check:
    """A text that is not empty and at most so long; over several lines only where it is a note."""

    def check(value: Any) -> str:
        need(type(value) is str)
        cbor.check_text(value, multiline)
        need(value != "")
        need(len(value.encode()) <= bytes_max, "size-limit")
        return value

    return check


def items(item: Check, low: int, high: int) -> Check:
    """An array of `low` to `high` items; more are `size-limit`."""

    def check(value: Any) -> list[Any]:
        need(type(value) is list and len(value) >= low)
        need(len(value) <= high, "size-limit")
        return [item(inner) for inner in value]

    return check


def row(*parts: Check) -> Check:
    """An array of exactly these items."""

    def check(value: Any) -> tuple[Any, ...]:
        need(type(value) is list and len(value) == len(parts))
        return tuple(part(inner) for part, inner in zip(parts, value))

    return check


def fields(value: Any, known: dict[int, Check], required: Iterable[int]) -> dict[int, Any]:
    """A map with no unknown key, judged in the order of its bytes; a missing key comes after the last."""
    need(type(value) is dict)
    found: dict[int, Any] = {}
    for key, inner in value.items():
        if key not in known:
            raise Refused("shape")
        found[key] = known[key](inner)
    need(all(key in found for key in required))
    return found


def ascends(values: Iterable[Any]) -> bool:
    """Whether each is above the one before."""
    listed = list(values)
    return all(a < b for a, b in pairwise(listed))
