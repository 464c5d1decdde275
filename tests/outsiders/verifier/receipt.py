"""What a store held, for sure, when its device or camp signed (sync.md, Receipt)."""

from dataclasses import dataclass

from . import cbor
from .cose import open_envelope
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


def open_receipt(data: bytes, roster: Roster) -> Receipt:
    """The receipt, by a key and in a role that may sign it."""
    need(len(data) <= _RECEIPT_MAX, "size-limit")
    envelope = open_envelope(data, "receipt")
    many = len(envelope.payload)
    known = {
        1: hash32,
        2: octets(16),
        3: uint,
        4: items(row(hash32, uint, hash32, uint), 0, many),
        5: items(hash32, 0, many),
        6: hash32,
        7: row(uint, uint),
    }
    found = fields(cbor.decode(envelope.payload), known, (1, 2, 3, 4, 5, 6))
    need(7 not in found or found[7] != (0, 0))
    need(ascends(log[0] for log in found[4]) and ascends(found[5]))
    need(found[1] == roster.charter.mission, "mission-mismatch")
    certificate = roster.certificates.get(found[6])
    if certificate is None or certificate.key != envelope.key or certificate.role not in RECEIPT_ROLES:
        raise Refused("receipt-signer")
    logs = tuple(AttestedLog(*log) for log in found[4])
    return Receipt(envelope.id, envelope.key, found[2], found[3], logs, tuple(found[5]), found[6])
