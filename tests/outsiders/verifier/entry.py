"""An entry alone: header, body, and all that they show without other entries (entry.md)."""

from dataclasses import dataclass
from typing import Any

from . import cbor
from .change import Change, decode_change
from .context import context
from .cose import open_envelope
from .fields import Check, any_octets, ascends, fields, hash32, items, octets, row, text, uint
from .hashing import sha256, sha256_16
from .refusal import Refused, need

HEADER_MAX, BODY_MAX = 32_768, 393_216
LOG_ENTRIES_MAX = 2**20
_REFS_MAX, _EARLIER_MAX, _WRITERS_MAX = 256, 256, 64
CHANGE, CONCURRENCE, OBJECTION, RULING, CO_AUTHORSHIP = 1, 4, 5, 7, 8

# (scope, epoch, seq, entry id)
Earlier = tuple[bytes, bytes, int, bytes]


def log_id(key: bytes, scope: bytes, epoch: bytes) -> bytes:
    """The id of the log of one key, scope and epoch."""
    return sha256(b"merestone/log/v1", key, scope, epoch)


@dataclass(frozen=True)
class Header:
    """An authentic header: steps 1 to 8 of the order of the checks hold."""

    data: bytes
    id: bytes
    key: bytes
    mission: bytes
    scope: bytes
    epoch: bytes
    seq: int
    prev: bytes | None
    certificate: bytes | None
    earlier: tuple[Earlier, ...]
    kind: int
    names_record: bytes | None
    refs: tuple[bytes, ...]
    body_hash: bytes
    claims: bytes | None
    form: bytes | None
    seen: bytes | None
    writers: tuple[int, ...] | None

    @property
    def log(self) -> bytes:
        return log_id(self.key, self.scope, self.epoch)

    @property
    def record(self) -> bytes:
        """The record it creates or names."""
        return self.names_record or self.id

    @property
    def creates(self) -> bool:
        return self.names_record is None

    @property
    def actor(self) -> bytes:
        return sha256_16(b"merestone/actor/v1", self.mission, self.key, self.scope, self.epoch)

    @property
    def is_signature_role(self) -> bool:
        return 2 <= self.kind <= CO_AUTHORSHIP


@dataclass(frozen=True)
class Body:
    """A body that is what its entry's kind says."""

    context: dict[int, Any]
    change: bytes | None
    reason: int | None
    text: str | None


def open_header(data: bytes, mission: bytes) -> Header:
    """Steps 1 to 8: everything that the header shows by itself."""
    need(len(data) <= HEADER_MAX, "size-limit")
    envelope = open_envelope(data, "entry")
    found = _payload(cbor.decode(envelope.payload))
    start = found.get(6, (None, []))
    header = Header(
        data=data,
        id=envelope.id,
        key=envelope.key,
        mission=found[1],
        scope=found[2],
        epoch=found[3],
        seq=found[4],
        prev=found.get(5),
        certificate=start[0],
        earlier=tuple(start[1]),
        kind=found[7],
        names_record=found.get(8),
        refs=tuple(found.get(9, ())),
        body_hash=found[10],
        claims=found.get(11),
        form=found.get(12),
        seen=found.get(13),
        writers=tuple(found[14]) if 14 in found else None,
    )
    _check(header, mission, has_start=6 in found)
    return header


def _payload(payload: Any) -> dict[int, Any]:
    start = row(hash32, items(row(octets(8), octets(8), uint, hash32), 0, _EARLIER_MAX))
    known = {
        1: hash32,
        2: octets(8),
        3: octets(8),
        4: uint,
        5: hash32,
        6: start,
        7: lambda kind: uint(kind, 1, 255),
        8: hash32,
        9: items(hash32, 1, _REFS_MAX),
        10: hash32,
        11: hash32,
        12: hash32,
        13: hash32,
        14: items(uint, 1, _WRITERS_MAX),
    }
    found = fields(payload, known, (1, 2, 3, 4, 7, 10))
    is_change = found[7] == CHANGE
    need((11 in found) == is_change and (12 in found) == is_change)
    need(not (14 in found and 8 in found))
    return found


def _check(header: Header, mission: bytes, has_start: bool) -> None:
    need(header.mission == mission, "mission-mismatch")
    need(header.creates == (not header.refs), "header-create")
    need(not header.creates or header.kind == CHANGE, "header-create")
    need(ascends(header.refs), "refs-order")
    need(ascends(header.writers or ()), "writers-order")
    need(ascends(head[:2] for head in header.earlier), "earlier-order")
    is_first = header.seq == 0
    need(has_start == is_first and (header.prev is None) == is_first, "log-start")
    need(header.seq < LOG_ENTRIES_MAX, "log-full")


def check_body_bytes(header: Header, data: bytes) -> None:
    """The first half of step 9, without which the entry is not authentic."""
    need(len(data) <= BODY_MAX, "size-limit")
    need(sha256(data) == header.body_hash, "body-hash")


def open_body(header: Header, data: bytes) -> Body:
    """The rest of step 9; a refusal here leaves the entry authentic."""
    item = cbor.decode(data)
    need(type(item) is dict)
    if header.kind > CO_AUTHORSHIP:
        return Body({}, None, None, None)
    known: dict[int, Check] = {1: any_octets, 2: context, 3: uint, 4: text(65_536, multiline=True), 5: octets(16)}
    if header.kind == CHANGE:
        found = fields(item, {1: known[1], 2: known[2]}, (1, 2))
    else:
        allowed = (2, 3, 4, 5) if OBJECTION <= header.kind <= RULING else (2, 4, 5)
        required = (2, 4, 5) if header.kind == OBJECTION else (2, 5)
        found = fields(item, {key: known[key] for key in allowed}, required)
        need(5 not in found[2])
    return Body(found[2], found.get(1), found.get(3), found.get(4))


@dataclass(frozen=True)
class Entry:
    """An authentic header and what is known of its body.

    `fault` is why a body that is held cannot be read, or its change not be applied.
    """

    header: Header
    body: Body | None
    change: Change | None
    fault: str | None
    body_held: bool


def open_entry(header: Header, data: bytes | None) -> Entry:
    """Steps 9 and 10 for an authentic header; refuses only bytes that are not the body that was signed."""
    if data is None:
        return Entry(header, None, None, None, body_held=False)
    check_body_bytes(header, data)
    body = None
    try:
        body = open_body(header, data)
        change = decode_change(body.change, header.actor) if body.change is not None else None
    except Refused as refusal:
        return Entry(header, body, None, refusal.code, body_held=True)
    return Entry(header, body, change, None, body_held=True)
