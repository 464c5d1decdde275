"""What a final checkpoint held, shown to those who hold no leaves (roster.md, Inclusion)."""

from dataclasses import dataclass

from . import cbor
from .checkpoint import EntryLeaf, Leaf, StatementLeaf, open_leaf
from .cose import open_envelope
from .entry import log_id
from .fields import any_octets, fields, hash32, octets, row
from .hashing import sha256
from .ledger import is_own_form, open_proof
from .refusal import Refused, need
from .roster import RECEIPT_ROLES, Roster

_INCLUSION_MAX, _LEAF_MAX = 37_376, 79


@dataclass(frozen=True)
class Inclusion:
    """A leaf that stood at an index under a final note of a size."""

    id: bytes
    data: bytes
    leaf: Leaf
    index: int
    size: int


def open_inclusion(data: bytes, roster: Roster) -> Inclusion:
    """The inclusion, of a leaf that somebody needs to know about."""
    need(len(data) <= _INCLUSION_MAX, "size-limit")
    envelope = open_envelope(data, "inclusion")
    known = {1: hash32, 2: any_octets, 3: any_octets, 4: row(hash32, octets(8), octets(8))}
    found = fields(cbor.decode(envelope.payload), known, (1, 2, 3))
    need(len(found[2]) <= _LEAF_MAX, "size-limit")
    need(found[1] == roster.charter.mission, "mission-mismatch")
    signers = {one.key for one in roster.certificates.values() if one.role in RECEIPT_ROLES}
    need(envelope.key in signers, "inclusion-signer")
    try:
        leaf = open_leaf(found[2])
    except Refused:
        raise Refused("inclusion-leaf") from None
    need(_is_wanted(leaf, found.get(4), roster), "inclusion-leaf")
    try:
        proof = open_proof(found[3], found[2], roster.charter)
        need(is_own_form(found[3], proof))
    except Refused:
        raise Refused("inclusion-proof") from None
    need(proof.tally.confirmation == "final", "inclusion-final")
    return Inclusion(sha256(data), found[2], leaf, proof.index, proof.note.checkpoint.size)


def _is_wanted(leaf: Leaf, log: tuple[bytes, bytes, bytes] | None, roster: Roster) -> bool:
    if isinstance(leaf, EntryLeaf):
        is_cut = log is not None and any(cut.key == log[0] for cut in roster.cuts.values())
        return log is not None and is_cut and log_id(*log) == leaf.log
    return isinstance(leaf, StatementLeaf) and log is None
