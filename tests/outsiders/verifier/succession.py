"""Two keys of one observer, one after the other (roster.md, Succession)."""

from dataclasses import dataclass

from . import cbor
from .cose import open_envelope
from .fields import any_octets, ascends, fields, hash32, items, octets, row, uint
from .hashing import sha256
from .refusal import need
from .roster import Roster

_SUCCESSION_MAX, _HEADS_MAX = 65_536, 1_024


@dataclass(frozen=True)
class Succession:
    """The keys, the last entries of the old one's logs that were known, and who signed beside the new key."""

    id: bytes
    old: bytes
    new: bytes
    heads: tuple[tuple[bytes, bytes, int, bytes], ...]
    signer: bytes
    # The party for which it counts: the one that signed it, or the lowest that certified both keys.
    party: int


def open_succession(data: bytes, roster: Roster) -> Succession:
    """The succession, signed by the new key and by the old one or a party that certified both."""
    need(len(data) <= _SUCCESSION_MAX, "size-limit")
    payload, signatures = row(any_octets, items(any_octets, 2, 2))(cbor.decode(data))
    known = {1: hash32, 2: hash32, 3: hash32, 4: items(row(octets(8), octets(8), uint, hash32), 0, _HEADS_MAX)}
    found = fields(cbor.decode(payload), known, known)
    need(found[1] == roster.charter.mission, "mission-mismatch")
    old, new = found[2], found[3]
    need(old != new and ascends(head[:2] for head in found[4]), "succession-order")
    certified = [{one.party for one in roster.certificates.values() if one.key == key} for key in (old, new)]
    both = certified[0] & certified[1]
    need(len(both) > 0, "succession-keys")
    first = open_envelope(signatures[0], "succession", payload_is_cbor=False)
    need(first.key == new and first.payload == sha256(payload), "succession-signatures")
    second = open_envelope(signatures[1], "succession", payload_is_cbor=False)
    party = roster.charter.party_of_root(second.key)
    may_sign = second.key == old or (party is not None and party.number in both)
    need(may_sign and second.payload == sha256(payload), "succession-signatures")
    counts_for = party.number if party is not None else min(both)
    return Succession(sha256(data), old, new, tuple(found[4]), second.key, counts_for)
