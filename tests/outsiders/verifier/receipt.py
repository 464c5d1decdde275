"""What a store held, for sure, when its device or camp signed (sync.md, Receipt)."""

from dataclasses import dataclass
from typing import Any

from . import cbor
from .cose import open_envelope
from .entry import LOG_ENTRIES_MAX
from .fields import ascends, fields, hash32, items, octets, row, uint
from .refusal import Refused, need
from .roster import RECEIPT_ROLES, Roster

_RECEIPT_MAX = 1_048_000


@dataclass(frozen=True)
class AttestedLog:
    """A log up to a height, its head there, and how many bodies of it are missing."""

    log: bytes
    height: int
    head: bytes
    missing: int


@dataclass(frozen=True)
class Receipt:
    """A receipt by a certified key."""

    id: bytes
    key: bytes
    store: bytes
    counter: int
    logs: tuple[AttestedLog, ...]
    blobs: tuple[bytes, ...]
    certificate: bytes


def _log(value: Any) -> AttestedLog:
    log, height, head, missing = row(hash32, lambda height: uint(height, 1, LOG_ENTRIES_MAX), hash32, uint)(value)
    need(missing <= height)
    return AttestedLog(log, height, head, missing)


def open_receipt(data: bytes, roster: Roster) -> Receipt:
    """The receipt, by a key and in a role that may sign it."""
    need(len(data) <= _RECEIPT_MAX, "size-limit")
    envelope = open_envelope(data, "receipt")
    many = len(envelope.payload)
    known = {
        1: hash32,
        2: octets(16),
        3: uint,
        4: items(_log, 0, many),
        5: items(hash32, 0, many),
        6: hash32,
        7: row(uint, uint),
    }
    found = fields(cbor.decode(envelope.payload), known, (1, 2, 3, 4, 5, 6))
    need(7 not in found or found[7] != (0, 0))
    need(ascends(one.log for one in found[4]) and ascends(found[5]))
    certificate = roster.certificates.get(found[6])
    if certificate is None or certificate.key != envelope.key or certificate.role not in RECEIPT_ROLES:
        raise Refused("receipt-signer")
    need(found[1] == roster.charter.mission, "mission-mismatch")
    return Receipt(envelope.id, envelope.key, found[2], found[3], tuple(found[4]), tuple(found[5]), found[6])
