"""A quorum's word that a history or a photo is gone (record.md, Erasure)."""

from dataclasses import dataclass

from . import cbor
from .fields import any_octets, ascends, fields, hash32, items, row, text, uint
from .hashing import sha256
from .refusal import need
from .roster import Charter, check_party_signatures

_ERASURE_MAX, _HEADS_MAX = 16_384, 256


@dataclass(frozen=True)
class Erasure:
    """Heads of a record, or a photo."""

    id: bytes
    record: bytes
    heads: tuple[bytes, ...]
    photo: bytes | None
    parties: tuple[int, ...]


def open_erasure(data: bytes, charter: Charter) -> Erasure:
    """The erasure, signed by as many parties as decide."""
    need(len(data) <= _ERASURE_MAX, "size-limit")
    payload, signatures = row(any_octets, items(any_octets, 0, 64))(cbor.decode(data))
    known = {
        1: hash32,
        2: hash32,
        3: items(hash32, 1, _HEADS_MAX),
        4: hash32,
        5: lambda reason: uint(reason, 1, 4),
        6: text(1_024, multiline=True),
    }
    found = fields(cbor.decode(payload), known, (1, 2, 5))
    need((3 in found) != (4 in found))
    need(ascends(found.get(3, ())))
    need(found[1] == charter.mission, "mission-mismatch")
    parties = check_party_signatures(charter, signatures, "erasure", sha256(payload), "erasure-quorum")
    need(charter.is_decided(parties), "erasure-quorum")
    return Erasure(sha256(data), found[2], tuple(found.get(3, ())), found.get(4), tuple(parties))
