"""The frames of a conversation, each alone (sync.md, Control frames; sync-1.md for courier bundles)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import cbor
from .entry import LOG_ENTRIES_MAX
from .fields import Check, any_octets, ascends, hash32, items, octets, row, uint
from .refusal import Refused, need
from .tips import node, tip

FRAME_MAX, BLOB_FRAME_MAX, HELLO_MAX = 1_048_576, 262_144, 4_096
IDS_MAX, TIPS_MAX, NODES_MAX, POSITIONS_MAX, AGAIN_MAX, WANTS_MAX = 16_384, 8_192, 1_024, 256, 512, 64
_SCOPES_MAX, _SIBLINGS_MAX, _CHUNKS_MAX = 16, 4, 1_024
CHUNK = 65_536
STATEMENTS, HELLO_1, HELLO = 2, 0, 13


@dataclass(frozen=True)
class Frame:
    """A frame's type and what follows it."""

    type: int
    parts: tuple[Any, ...]


def flag(value: Any) -> bool:
    """A flag."""
    need(type(value) is bool)
    return bool(value)


def ascending(check: Check, low: int, high: int, key: Callable[[Any], Any] = lambda one: one) -> Check:
    """A list that ascends strictly."""

    def checked(value: Any) -> Any:
        listed = items(check, low, high)(value)
        need(ascends(key(one) for one in listed))
        return listed

    return checked


def _between(low: int, high: int) -> Check:
    return lambda value: uint(value, low, high)


def or_null(check: Check) -> Check:
    """Null, or what `check` takes."""
    return lambda value: None if value is None else check(value)


_scope, _seq, _class = octets(8), _between(0, LOG_ENTRIES_MAX - 1), uint
_tips = ascending(tip, 0, TIPS_MAX, key=lambda one: one.log)
_digests = ascending(row(_class, hash32), 0, FRAME_MAX, key=lambda one: one[0])
_roots = ascending(row(_scope, hash32), 0, _SCOPES_MAX, key=lambda one: one[0])
_probed = row(_seq, ascending(hash32, 0, _SIBLINGS_MAX))
_want = row(hash32, _between(2, 4), any_octets)
_positions = ascending(_seq, 1, POSITIONS_MAX)

_CONTROL: dict[int, tuple[Check, ...]] = {
    1: (_class, ascending(hash32, 0, IDS_MAX)),
    2: (_class, items(any_octets, 1, FRAME_MAX)),
    3: (),
    4: (_scope, flag, _tips),
    5: (hash32, _positions),
    6: (hash32, items(_probed, 1, POSITIONS_MAX)),
    7: (items(tip, 0, TIPS_MAX),),
    8: (hash32, _seq, _between(1, AGAIN_MAX)),
    9: (items(_want, 1, WANTS_MAX),),
    10: (hash32,),
    11: (any_octets,),
    12: (hash32, hash32, uint, flag),
    14: (_digests,),
    15: (),
    16: (any_octets,),
    17: (_scope, items(node, 1, NODES_MAX)),
    18: (_scope, flag, _tips),
    19: (_scope,),
    20: (),
    21: (flag, hash32, hash32, uint, any_octets),
    22: (hash32,),
    23: (hash32, _positions),
    24: (hash32, _positions),
}
_HELLO: tuple[Check, ...] = (
    hash32,
    or_null(any_octets),
    octets(16),
    hash32,
    _roots,
    _between(0, 15),
    or_null(row(hash32, uint)),
    or_null(hash32),
)
_HELLO_1: tuple[Check, ...] = (
    _between(1, 1),
    hash32,
    or_null(any_octets),
    octets(16),
    _digests,
    _roots,
    _between(0, 15),
)
_BLOBS: dict[int, tuple[Check, ...]] = {0: (hash32, any_octets), 1: (hash32, _between(0, _CHUNKS_MAX - 1), any_octets)}


def control_frame(data: bytes) -> Frame:
    """A frame of control, in version 3; the hello of version 1 too."""
    need(len(data) <= FRAME_MAX, "size-limit")
    kind, parts = split(data)
    if kind in (HELLO_1, HELLO):
        need(len(data) <= HELLO_MAX)
        return _frame(kind, parts, _HELLO_1 if kind == HELLO_1 else _HELLO)
    if kind not in _CONTROL:
        raise Refused("shape")
    return _frame(kind, parts, _CONTROL[kind])


def statements_frame(data: bytes) -> Frame:
    """The statements of a courier bundle."""
    need(len(data) <= FRAME_MAX, "size-limit")
    kind, parts = split(data)
    need(kind == STATEMENTS)
    return _frame(kind, parts, _CONTROL[kind])


def blob_frame(data: bytes) -> Frame:
    """The leaf hashes of a blob's chunk tree, or one chunk."""
    need(len(data) <= BLOB_FRAME_MAX, "size-limit")
    kind, parts = split(data)
    if kind not in _BLOBS:
        raise Refused("shape")
    frame = _frame(kind, parts, _BLOBS[kind])
    if kind == 0:
        need(len(frame.parts[1]) % 32 == 0 and 0 < len(frame.parts[1]) <= 32 * _CHUNKS_MAX)
    else:
        need(0 < len(frame.parts[2]) <= CHUNK)
    return frame


def split(data: bytes) -> tuple[int, list[Any]]:
    """A frame's type and what follows it, unread."""
    item = cbor.decode(data)
    need(type(item) is list and len(item) > 0)
    return uint(item[0]), item[1:]


def _frame(kind: int, parts: list[Any], checks: tuple[Check, ...]) -> Frame:
    return Frame(kind, tuple(row(*checks)(parts)))
