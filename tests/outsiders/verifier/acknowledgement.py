"""That another party holds a cut (roster.md, Acknowledgement)."""

from . import cbor
from .cose import open_envelope
from .fields import fields, hash32
from .hashing import sha256
from .refusal import Refused, need
from .roster import ARBITER, CAMP, REVIEWER, Acknowledgement, Roster

_ACKNOWLEDGEMENT_MAX = 512
_ROLES = (REVIEWER, ARBITER, CAMP)


def acknowledgement_id(payload: bytes) -> bytes:
    """The statement id: of what is signed, so that signing again makes nothing new."""
    return sha256(b"merestone/acknowledgement/v1", payload)


def statement_id(kind: str, data: bytes) -> bytes:
    """The id of a statement of the class `kind`; of bytes that are none, their hash."""
    if kind == "acknowledgement":
        try:
            payload = cbor.decode(data)[2]
        except (Refused, TypeError, LookupError):
            return sha256(data)
        return acknowledgement_id(payload) if type(payload) is bytes else sha256(data)
    return sha256(data)


def open_acknowledgement(data: bytes, roster: Roster) -> Acknowledgement:
    """The acknowledgement, by a party that did not sign the cut."""
    need(len(data) <= _ACKNOWLEDGEMENT_MAX, "size-limit")

    def check_key(key: bytes) -> None:
        need(roster.knows(key), "acknowledgement-signer")

    envelope = open_envelope(data, "acknowledgement", check_key=check_key)
    known = {1: hash32, 2: hash32, 3: hash32}
    found = fields(cbor.decode(envelope.payload), known, known)
    need(found[1] == roster.charter.mission, "mission-mismatch")
    certificate = roster.certificates.get(found[3])
    if certificate is None or certificate.key != envelope.key or certificate.role not in _ROLES:
        raise Refused("acknowledgement-signer")
    cut = roster.cuts.get(found[2])
    if cut is None or cut.is_agreed or certificate.party in cut.parties:
        raise Refused("acknowledgement-cut")
    return Acknowledgement(acknowledgement_id(envelope.payload), certificate.party, cut.id, cut.parties[0])
