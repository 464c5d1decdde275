"""States of logs, and the tree in which two sides find those that differ (sync.md, Tips and Tree)."""

from dataclasses import dataclass
from typing import Any

from . import cbor
from .entry import LOG_ENTRIES_MAX
from .fields import ascends, hash32, row, uint
from .hashing import sha256
from .refusal import need

LISTED_MAX = 8
_SHOWN = 16
_NONE = bytes(32)


@dataclass(frozen=True)
class Tip:
    """A log up to its height; `branches` is null or the hash of what is beside its main branch."""

    log: bytes
    height: int
    head: bytes
    branches: bytes | None

    @property
    def data(self) -> bytes:
        return cbor.encode([self.log, self.height, self.head, self.branches])


def tip(value: Any) -> Tip:
    """One tip of a frame."""
    return Tip(*row(hash32, lambda height: uint(height, 1, LOG_ENTRIES_MAX), hash32, _or_null)(value))


def _or_null(value: Any) -> bytes | None:
    return None if value is None else hash32(value)


def steps(log: bytes) -> bytes:
    """The log id in steps of four bits."""
    return bytes(half for byte in log for half in (byte >> 4, byte & 15))


def below(tips: list[Tip], prefix: bytes) -> list[Tip]:
    """The tips below a prefix, ascending."""
    return sorted((one for one in tips if steps(one.log).startswith(prefix)), key=lambda one: one.log)


def digest(tips: list[Tip], prefix: bytes = b"") -> bytes:
    """The digest of what is below the prefix; of the empty one it is the root of the scope."""
    found = below(tips, prefix)
    if not found:
        return _NONE
    if len(found) <= LISTED_MAX:
        return sha256(b"\x00", *(one.data for one in found))
    return sha256(b"\x01", *(digest(found, prefix + bytes([step])) for step in range(16)))


def flat_digest(tips: list[Tip]) -> bytes:
    """The digest of version 1, over all tips of the scope."""
    return sha256(*(one.data for one in below(tips, b"")))


@dataclass(frozen=True)
class Node:
    """What a side shows of a prefix: the digests of its children, or its tips."""

    prefix: bytes
    children: dict[int, bytes] | None
    tips: list[Tip]

    def is_of(self, tips: list[Tip]) -> bool:
        """Whether this is what a side shows that has these tips."""
        if self.children is None:
            return self.tips == below(tips, self.prefix)
        of = {step: digest(tips, self.prefix + bytes([step])) for step in range(16)}
        return self.children == {step: one[:_SHOWN] for step, one in of.items() if one != _NONE}


def node(value: Any) -> Node:
    """One node of a frame."""
    need(type(value) is list and len(value) == 2)
    prefix, shown = value
    need(type(prefix) is bytes and len(prefix) <= 64 and all(step < 16 for step in prefix))
    if type(shown) is bytes:
        need(len(shown) >= 2)
        mask = int.from_bytes(shown[:2], "big")
        announced = [step for step in range(16) if mask >> step & 1]
        need(len(announced) > 0 and len(shown) == 2 + _SHOWN * len(announced))
        of = {step: shown[2 + _SHOWN * at : 2 + _SHOWN * (at + 1)] for at, step in enumerate(announced)}
        return Node(prefix, of, [])
    need(type(shown) is list and len(shown) > 0)
    need(len(shown) <= 8_192, "size-limit")
    tips = [tip(one) for one in shown]
    need(ascends(one.log for one in tips))
    need(all(steps(one.log).startswith(prefix) for one in tips))
    return Node(prefix, None, tips)
