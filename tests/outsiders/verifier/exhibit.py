"""One entry, shown to somebody who holds nothing but the mission's id (exhibit.md)."""

from dataclasses import dataclass
from typing import Any

from . import bounds, cbor
from .amendment import open_charter_file
from .disclosure import Disclosure, open_disclosure
from .entry import Header, open_header
from .fields import any_octets, ascends, fields, items, uint
from .forms import open_form
from .ledger import Proof, open_proof
from .refusal import Refused, need
from .roster import Certificate, Charter, open_certificate
from .witness import witnesses

_EXHIBIT_MAX, _CERTIFICATES_MAX = 2_555_904, 16


@dataclass(frozen=True)
class Exhibit:
    """What the parts say together."""

    # The one in force, and its id.
    charter: Charter
    charter_id: bytes
    header: Header
    certificates: list[Certificate]
    disclosure: Disclosure | None
    proof: Proof | None

    @property
    def not_after(self) -> bounds.Bound | None:
        """Until when the entry was there, from the cosignatures of this note alone."""
        if self.proof is None:
            return None
        size = self.proof.note.checkpoint.size
        said = [bounds.Said(size, one.witness.party, one.time) for one in self.proof.note.cosignatures]
        liars = bounds.liars_max(len({one.party for one in witnesses(self.charter.judging(size))}))
        return bounds.not_after(self.proof.index, said, liars)


def open_exhibit(data: bytes, mission: bytes) -> Exhibit:
    """The eight steps of exhibit.md, Order of the checks."""
    need(len(data) <= _EXHIBIT_MAX, "size-limit")
    found = _parts(cbor.decode(data))
    charter, charter_id = open_charter_file(found[2], mission)
    header = open_header(found[4] if 4 in found else _header_of(found[5]), mission)
    certificates = _certificates(found[3], charter, header)
    disclosure = None
    if 5 in found:
        form = open_form(found[6])
        need(form.id in charter.forms, "exhibit-form")
        disclosure = open_disclosure(found[5], mission, form)
    proof = None
    if 7 in found:
        need(charter.ledger is not None, "not-included")
        leaf = cbor.encode([0, header.log, header.seq, header.id])
        proof = open_proof(found[7], leaf, charter)
    return Exhibit(charter, charter_id, header, certificates, disclosure, proof)


def _parts(item: Any) -> dict[int, Any]:
    known = {
        1: lambda version: uint(version, 1, 1),
        2: any_octets,
        3: items(any_octets, 1, _CERTIFICATES_MAX),
        4: any_octets,
        5: any_octets,
        6: any_octets,
        7: any_octets,
    }
    found = fields(item, known, (1, 2, 3))
    need((4 in found) != (5 in found) and (5 in found) == (6 in found))
    return found


def _header_of(disclosure: bytes) -> bytes:
    item = cbor.decode(disclosure)
    if type(item) is not dict or type(item.get(2)) is not bytes:
        raise Refused("shape")
    return bytes(item[2])


def _certificates(listed: list[bytes], charter: Charter, header: Header) -> list[Certificate]:
    certificates: list[Certificate] = []
    for data in listed:
        certificates.append(open_certificate(data, charter))
        need(ascends(one.id for one in certificates), "exhibit-order")
        need(certificates[-1].key == header.key, "certificate-key")
    need(any(one.grants(header) for one in certificates), "out-of-role")
    return certificates
