"""Two entries of one key at one position, for somebody who holds nothing but the mission's id (fork.md)."""

from dataclasses import dataclass

from . import cbor
from .amendment import open_charter_file
from .entry import Header, open_header
from .fields import any_octets, ascends, fields, items, row, uint
from .refusal import need
from .roster import Certificate, open_certificate

_FORK_MAX, _CERTIFICATES_MAX = 1_126_656, 16


@dataclass(frozen=True)
class Fork:
    """The two headers, and the certificates of their key if any were shown, with the id of the charter in force."""

    entries: tuple[Header, Header]
    certificates: list[Certificate] | None
    charter_id: bytes | None


def open_fork(data: bytes, mission: bytes) -> Fork:
    """The seven steps of fork.md, Order of the checks."""
    need(len(data) <= _FORK_MAX, "size-limit")
    known = {
        1: lambda version: uint(version, 1, 1),
        2: row(any_octets, any_octets),
        3: any_octets,
        4: items(any_octets, 1, _CERTIFICATES_MAX),
    }
    found = fields(cbor.decode(data), known, (1, 2))
    need((3 in found) == (4 in found))
    shown = open_charter_file(found[3], mission) if 3 in found else None
    first, second = (open_header(header, mission) for header in found[2])
    need(first.id < second.id, "fork-order")
    need((first.log, first.seq) == (second.log, second.seq), "fork-place")
    if shown is None:
        return Fork((first, second), None, None)
    charter, charter_id = shown
    certificates: list[Certificate] = []
    for one in found[4]:
        certificates.append(open_certificate(one, charter))
        need(ascends(one.id for one in certificates), "fork-order")
        need(certificates[-1].key == first.key, "certificate-key")
    return Fork((first, second), certificates, charter_id)
