"""Who may sign: charter, enrolment request, certificate and cut (roster.md)."""

import base64
from dataclasses import dataclass, field
from typing import Any

from . import cbor, ed25519
from .cose import open_envelope
from .entry import Header
from .fields import any_octets, ascends, fields, hash32, items, octets, row, text, uint
from .hashing import sha256
from .refusal import Refused, need

CHARTER_MAX, REQUEST_MAX, CERTIFICATE_MAX, CUT_MAX = 65_536, 512, 720, 80_384
ATTESTATION_MAX = 8_192
_CERTIFICATE_SCOPES_MAX, _KEPT_MAX = 16, 1_024
OBSERVER, REVIEWER, ARBITER, CAMP, AUDITOR = 1, 2, 3, 4, 5
_ROLE_KINDS = {OBSERVER: (*range(1, 7), 8), REVIEWER: range(2, 7), ARBITER: range(2, 8)}
RECEIPT_ROLES = (OBSERVER, REVIEWER, ARBITER, CAMP)


@dataclass(frozen=True)
class Party:
    """A party, its root key and its witnesses' keys."""

    number: int
    name: str
    root: bytes
    witnesses: tuple[bytes, ...]


@dataclass(frozen=True)
class Charter:
    """A complete charter; `mission` is the hash of its payload."""

    mission: bytes
    payload: bytes
    name: str
    parties: tuple[Party, ...]
    scopes: tuple[bytes, ...]
    forms: tuple[bytes, ...]
    ledger: tuple[str, bytes] | None
    quorum: int
    # Of a charter that was amended: keys that were replaced, root keys among them with their party's number, and the
    # charters that judge notes up to a size (None: no note could be final), in the order of the amendments.
    former_keys: frozenset[bytes] = frozenset()
    former_roots: dict[bytes, int] = field(default_factory=dict)
    judges: "tuple[tuple[int | None, Charter], ...]" = ()
    # Of each charter before it: its quorum, and the numbers of its parties.
    former_quorums: tuple[tuple[int, frozenset[int]], ...] = ()

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of its parties."""
        return frozenset(party.number for party in self.parties)

    def is_decided(self, signers: list[int], least: int = 1) -> bool:
        """Whether so many parties of some charter of the chain signed as that charter asks for (roster.md, Quorum)."""
        chain = (*self.former_quorums, (self.quorum, self.numbers))
        return any(len(numbers & set(signers)) >= max(quorum, least) for quorum, numbers in chain)

    def party_of_root(self, key: bytes) -> Party | None:
        """The party whose root key this is, or was."""
        number = self.former_roots.get(key)
        return next((party for party in self.parties if party.root == key or party.number == number), None)

    def judging(self, size: int) -> "Charter":
        """The charter whose ledger key and witnesses are those of notes of so many leaves."""
        return next((before for to, before in self.judges if to is not None and size <= to), self)


def origin(value: Any) -> str:
    """The name of a ledger, which is a key name in signed notes."""
    name = text(128)(value)
    need("+" not in name and not any(character.isspace() for character in name))
    return str(name)


def open_charter(data: bytes, mission: bytes | None = None) -> Charter:
    """The charter, complete and, where `mission` is given, of that mission."""
    need(len(data) <= CHARTER_MAX, "size-limit")
    outer = cbor.decode(data)
    payload, signatures = row(any_octets, items(any_octets, 1, 64))(outer)
    found = _charter_payload(payload)
    need(mission is None or sha256(payload) == mission, "mission-mismatch")
    charter = charter_of(payload, sha256(payload))
    parties, scopes = charter.parties, charter.scopes
    need(ascends(party.number for party in parties), "charter-order")
    need(ascends(scopes) and ascends(found[5]), "charter-order")
    need(1 <= found[7] <= len(parties), "charter-order")
    keys = [key for party in parties for key in (party.root, *party.witnesses)]
    keys += [found[6][1]] if 6 in found else []
    for key in keys:
        ed25519.admit(key)
    need(len(set(keys)) == len(keys), "charter-keys")
    signers = check_party_signatures(charter, signatures, "charter", charter.mission, "mission-mismatch")
    need(len(signers) == len(parties), "charter-signatures")
    return charter


def charter_of(payload: bytes, mission: bytes) -> Charter:
    """The charter that a payload is, whose rules and signatures were judged."""
    found = _charter_payload(payload)
    parties = tuple(Party(number, name, root, tuple(keys)) for number, name, root, keys in found[3])
    scopes = tuple(scope for scope, _ in found[4])
    return Charter(mission, payload, found[1], parties, scopes, tuple(found[5]), found.get(6), found[7])


def _charter_payload(payload: bytes) -> dict[int, Any]:
    party = row(uint, text(128), hash32, items(hash32, 0, 16))
    known = {
        1: text(128),
        2: octets(16),
        3: items(party, 1, 64),
        4: items(row(octets(8), text(128)), 1, 256),
        5: items(hash32, 0, 1_024),
        6: row(origin, hash32),
        7: uint,
    }
    return fields(cbor.decode(payload), known, (1, 2, 3, 4, 5, 7))


def check_party_signatures(
    charter: Charter, signatures: list[bytes], kind: str, payload: bytes, other_payload: str
) -> list[int]:
    """The numbers of the parties that signed `payload`, strictly ascending."""
    code, version = {"charter": ("charter-signatures", 1), "erasure": ("erasure-quorum", 1), "cut": ("cut-quorum", 2)}[
        kind
    ]
    numbers: list[int] = []
    for signature in signatures:
        envelope = open_envelope(signature, kind, payload_is_cbor=False, version=version)
        need(envelope.payload == payload, other_payload)
        party = charter.party_of_root(envelope.key)
        if party is None:
            raise Refused(code)
        numbers.append(party.number)
        need(ascends(numbers), code)
    return numbers


@dataclass(frozen=True)
class Request:
    """An enrolment request, signed by the key that it asks a certificate for."""

    data: bytes
    id: bytes
    key: bytes
    transport: bytes
    observer: str
    device: str
    # Length and hash of what the maker of the device says about the key, and the key that this one is to follow.
    attestation: tuple[int, bytes] | None
    replaces: bytes | None

    @property
    def words(self) -> list[int]:
        """The numbers of the six words, counted from 0."""
        bits = int.from_bytes(sha256(b"merestone/words/v1", self.data), "big") >> (256 - 66)
        return [bits >> shift & 2047 for shift in range(55, -1, -11)]


def open_request(data: bytes, mission: bytes) -> Request:
    """The request, of this mission."""
    need(len(data) <= REQUEST_MAX, "size-limit")
    envelope = open_envelope(data, "request", or_version=2)
    known = {1: hash32, 2: hash32, 3: text(64), 4: text(64), 5: octets(8)}
    more = {6: row(_attestation_bytes, hash32), 7: hash32} if envelope.version == 2 else {}
    found = fields(cbor.decode(envelope.payload), known | more, known)
    need(envelope.version == 1 or 6 in found or 7 in found)
    need(found.get(7) != envelope.key)
    need(found[1] == mission, "mission-mismatch")
    return Request(data, envelope.id, envelope.key, found[2], found[3], found[4], found.get(6), found.get(7))


def _attestation_bytes(value: Any) -> int:
    length = uint(value, 1)
    need(length <= ATTESTATION_MAX, "size-limit")
    return length


def carried_text(prefix: str, data: bytes) -> str:
    """A request or certificate as people carry it."""
    return prefix + base64.b32encode(data + sha256(data)[:4]).decode().rstrip("=")


@dataclass(frozen=True)
class Certificate:
    """A valid certificate: which key signs for which party, in which role and scopes."""

    id: bytes
    party: int
    request: Request
    role: int
    scopes: tuple[bytes, ...]

    @property
    def key(self) -> bytes:
        return self.request.key

    def grants(self, header: Header) -> bool:
        """Whether role and scopes allow the entry; of a kind that is not defined, only the scopes say something."""
        return header.scope in self.scopes and (header.kind > 8 or header.kind in _ROLE_KINDS.get(self.role, ()))


def open_certificate(data: bytes, charter: Charter) -> Certificate:
    """The certificate, valid under the charter."""
    need(len(data) <= CERTIFICATE_MAX, "size-limit")
    envelope = open_envelope(data, "certificate")
    known = {1: hash32, 2: uint, 3: any_octets, 4: uint, 5: items(octets(8), 1, _CERTIFICATE_SCOPES_MAX)}
    found = fields(cbor.decode(envelope.payload), known, known)
    need(found[1] == charter.mission, "mission-mismatch")
    party = charter.party_of_root(envelope.key)
    need(party is not None and party.number == found[2], "certificate-signer")
    try:
        request = open_request(found[3], charter.mission)
    except Refused:
        raise Refused("certificate-possession") from None
    need(OBSERVER <= found[4] <= AUDITOR, "certificate-role")
    need(ascends(found[5]) and set(found[5]) <= set(charter.scopes), "certificate-scope")
    return Certificate(envelope.id, found[2], request, found[4], tuple(found[5]))


def certified_key(data: bytes, charter: Charter) -> bytes | None:
    """The key of the request in a certificate whose shape was judged, where the request is one."""
    try:
        return open_request(cbor.decode(cbor.decode(data)[2])[3], charter.mission).key
    except Refused:
        return None


@dataclass(frozen=True)
class Cut:
    """The end of a key: of each log, the last entry that is kept."""

    id: bytes
    parties: tuple[int, ...]
    # Whether the charter's quorum signed it together, so that it acts at any height.
    is_agreed: bool
    key: bytes
    kept: tuple[tuple[bytes, bytes, int, bytes], ...]
    reason: int


@dataclass(frozen=True)
class Acknowledgement:
    """That another party held a cut of one party, `of`."""

    id: bytes
    party: int
    cut: bytes
    of: int


@dataclass
class Roster:
    """A charter and the certificates, cuts and acknowledgements that are held."""

    charter: Charter
    certificates: dict[bytes, Certificate] = field(default_factory=dict)
    cuts: dict[bytes, Cut] = field(default_factory=dict)
    acknowledgements: dict[bytes, Acknowledgement] = field(default_factory=dict)
    # Keys of certificates that wait for an amendment.
    waiting_keys: set[bytes | None] = field(default_factory=set)

    def add_certificate(self, data: bytes) -> Certificate:
        certificate = open_certificate(data, self.charter)
        self.certificates[certificate.id] = certificate
        return certificate

    def add_cut(self, data: bytes) -> Cut:
        cut = open_cut(data, self)
        self.cuts[cut.id] = cut
        return cut

    def knows(self, key: bytes) -> bool:
        """Whether any certificate is for this key, also one that waits."""
        return key in self.waiting_keys or any(certificate.key == key for certificate in self.certificates.values())


def open_cut(data: bytes, roster: Roster) -> Cut:
    """The cut of one party, or of several, of which one certified the key."""
    need(len(data) <= CUT_MAX, "size-limit")
    outer = cbor.decode(data)
    if type(outer) is list and len(outer) == 2:
        payload, signatures = row(any_octets, items(any_octets, 1, 64))(outer)
        found = _cut_payload(payload, roster.charter)
        parties = check_party_signatures(roster.charter, signatures, "cut", sha256(payload), "cut-quorum")
        need(roster.charter.is_decided(parties, 2), "cut-quorum")
    else:
        envelope = open_envelope(data, "cut")
        found = _cut_payload(envelope.payload, roster.charter)
        signer = roster.charter.party_of_root(envelope.key)
        if signer is None:
            raise Refused("cut-signer")
        parties = [signer.number]
    certified = {one.party for one in roster.certificates.values() if one.key == found[2]}
    need(not certified.isdisjoint(parties), "cut-signer")
    return Cut(sha256(data), tuple(parties), len(outer) == 2, found[2], tuple(found[3]), found[4])


def _cut_payload(payload: bytes, charter: Charter) -> dict[int, Any]:
    known = {
        1: hash32,
        2: hash32,
        3: items(row(octets(8), octets(8), uint, hash32), 0, _KEPT_MAX),
        4: lambda reason: uint(reason, 1, 5),
        5: text(1_024, multiline=True),
    }
    found = fields(cbor.decode(payload), known, (1, 2, 3, 4))
    need(found[1] == charter.mission, "mission-mismatch")
    need(ascends(kept[:2] for kept in found[3]), "cut-order")
    return found
