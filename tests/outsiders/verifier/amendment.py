"""What changes a charter, and which charter is in force (roster.md, Amendment)."""

from dataclasses import dataclass, field, replace
from typing import Any

from . import cbor, ed25519
from .bounds import liars_max
from .cose import open_envelope
from .fields import any_octets, ascends, fields, hash32, items, octets, row, text, uint
from .hashing import sha256
from .refusal import Refused, need
from .roster import CHARTER_MAX, Charter, charter_of, open_charter, origin
from .witness import open_cosigned, tally, witnesses

_NOTE_MAX, _INSTEAD_MAX, _AMENDMENT_MAX, _FILE_MAX = 32_768, 64, 65_536, 1_048_576


@dataclass(frozen=True)
class Amendment:
    """One statement of an amendment, and the parties of the predecessor that signed it."""

    id: bytes
    charter_id: bytes
    predecessor: bytes
    signers: tuple[int, ...]
    instead: tuple[bytes, ...]


@dataclass
class Chain:
    """The charters that the amendments held lead to, by charter id."""

    first: Charter
    charters: dict[bytes, Charter] = field(init=False)
    held: dict[bytes, Amendment] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.charters = {self.first.mission: self.first}

    def add(self, data: bytes) -> Amendment:
        """Holds the amendment, whether it acts or not."""
        amendment, charter = _open(data, self)
        self.held[amendment.id] = amendment
        self.charters[amendment.charter_id] = charter
        return amendment

    def after(self, charter_id: bytes) -> dict[bytes, set[int]]:
        """The members of after(c), each with the parties whose signature it has."""
        signed: dict[bytes, set[int]] = {}
        for one in self.held.values():
            if one.predecessor == charter_id:
                signed.setdefault(one.charter_id, set()).update(one.signers)
        kept = {id_: parties - self._withdrawn(charter_id, id_) for id_, parties in signed.items()}
        least = needed(self.charters[charter_id])
        return {id_: parties for id_, parties in kept.items() if len(parties) >= least}

    def _withdrawn(self, charter_id: bytes, id_: bytes) -> set[int]:
        of = [one for one in self.held.values() if one.predecessor == charter_id and id_ in one.instead]
        return {party for one in of for party in one.signers}

    def force(self) -> tuple[bytes, dict[bytes, set[int]]]:
        """The charter in force, and the rivals that keep others from it."""
        at = self.first.mission
        while True:
            after = self.after(at)
            if len(after) != 1:
                return at, after
            at = next(iter(after))

    @property
    def in_force(self) -> Charter:
        return self.charters[self.force()[0]]


def open_charter_file(data: bytes, mission: bytes) -> tuple[Charter, bytes]:
    """The charter in force and its id: a charter, and behind it amendments, each valid with those before it."""
    need(len(data) <= _FILE_MAX, "size-limit")
    _, at = cbor.decode_first(data, 0)
    chain = Chain(open_charter(data[:at], mission))
    while at < len(data):
        _, end = cbor.decode_first(data, at)
        chain.add(data[at:end])
        at = end
    charter_id, _ = chain.force()
    return chain.charters[charter_id], charter_id


def needed(charter: Charter) -> int:
    """m: how many parties of a charter amend it."""
    parties = len(charter.parties)
    return min(parties, max(charter.quorum, (parties + liars_max(parties)) // 2 + 1))


def _open(data: bytes, chain: Chain) -> tuple[Amendment, Charter]:
    need(len(data) <= _AMENDMENT_MAX, "size-limit")
    payload, signatures = row(any_octets, items(any_octets, 1, 128))(cbor.decode(data))
    found = _payload(payload)
    need(found[1] == chain.first.mission, "mission-mismatch")
    before = chain.charters.get(found[2])
    if before is None:
        raise Refused("amendment-predecessor")
    for key in _keys(found.get(3, []), found.get(6)):
        ed25519.admit(key)
    _check_change(found, before)
    after = _after(found, before)
    id_ = sha256(payload)
    signers = _check_signatures(signatures, id_, found, before)
    _check_quorum(signers, found, before)
    parties = tuple(number for is_new, number in signers if not is_new)
    return Amendment(sha256(data), id_, found[2], parties, tuple(found.get(9, ()))), after


def _payload(payload: bytes) -> dict[int, Any]:
    def note(value: Any) -> bytes:
        need(len(any_octets(value)) <= _NOTE_MAX, "size-limit")
        return bytes(value)

    known = {
        1: hash32,
        2: hash32,
        3: items(row(uint, text(128), hash32, items(hash32, 0, 16)), 1, 64),
        4: items(row(octets(8), text(128)), 1, 256),
        5: items(hash32, 1, 1_024),
        6: row(origin, hash32),
        7: uint,
        8: note,
        9: items(hash32, 1, _INSTEAD_MAX),
    }
    return fields(cbor.decode(payload), known, (1, 2))


def _keys(parties: list[Any], ledger: Any) -> list[bytes]:
    keys = [key for _, _, root, of in parties for key in (root, *of)]
    return keys + ([ledger[1]] if ledger is not None else [])


def _check_change(found: dict[int, Any], before: Charter) -> None:
    parties = {party.number: party for party in before.parties}
    holds = bool({3, 4, 5, 6, 7} & set(found)) and ascends(found.get(9, ()))
    for number, name, root, of in found.get(3, []):
        there = parties.get(number)
        if there is not None:
            is_other = (root, tuple(of)) != (there.root, there.witnesses)
            holds &= name == there.name and is_other and len(of) >= len(there.witnesses)
    holds &= not {scope for scope, _ in found.get(4, [])} & set(before.scopes)
    holds &= not set(found.get(5, [])) & set(before.forms)
    if 6 in found and before.ledger is not None:
        holds &= found[6][0] == before.ledger[0] and found[6][1] != before.ledger[1]
    need(holds and found.get(7) != before.quorum, "amendment-change")


def _after(found: dict[int, Any], before: Charter) -> Charter:
    """The charter as it stands after the amendment."""
    said = found.get(3, [])
    need(ascends(one[0] for one in said), "charter-order")
    need(ascends(one[0] for one in found.get(4, [])) and ascends(found.get(5, [])), "charter-order")
    old = cbor.decode(before.payload)
    parties = {party[0]: party for party in old[3]} | {one[0]: [*one[:3], one[3]] for one in said}
    payload: dict[int, Any] = {
        **old,
        3: [parties[number] for number in sorted(parties)],
        4: sorted([*old[4], *map(list, found.get(4, []))]),
        5: sorted([*old[5], *found.get(5, [])]),
        7: found.get(7, old[7]),
    }
    payload |= {6: list(found[6])} if 6 in found else {}
    need(1 <= payload[7] <= len(parties), "charter-order")
    need(len(payload[3]) <= 64 and len(payload[4]) <= 256 and len(payload[5]) <= 1_024, "size-limit")
    keys = _keys(payload[3], payload.get(6))
    was = set(_keys(old[3], old.get(6)))
    former = before.former_keys | was - set(keys)
    need(len(set(keys)) == len(keys) and not former & set(keys), "charter-keys")
    need(len(cbor.encode(payload)) <= CHARTER_MAX, "size-limit")
    size = _note_size(found, before)
    replaced = {party.root: party.number for party in before.parties if party.root in former}
    return replace(
        charter_of(cbor.encode(payload), before.mission),
        former_keys=frozenset(former),
        former_roots=before.former_roots | replaced,
        former_quorums=(*before.former_quorums, (before.quorum, before.numbers)),
        judges=before.judges + (((size, before),) if size is not None or _moves(found, before) else ()),
    )


def _moves(found: dict[int, Any], before: Charter) -> bool:
    """Whether other keys judge notes from then on."""
    of = {party.number: party.witnesses for party in before.parties}
    return 6 in found or any(tuple(keys) != of.get(number, ()) for number, _, _, keys in found.get(3, []))


def _note_size(found: dict[int, Any], before: Charter) -> int | None:
    """The size of the note on which the witnesses after it build."""
    count = len({one.party for one in witnesses(before)})
    sizes = [size for size, _ in before.judges if size is not None]
    can_be_final = before.ledger is not None and (count + liars_max(count)) // 2 + 1 <= count
    is_wanted = _moves(found, before) and (can_be_final or bool(sizes))
    need((8 in found) == is_wanted, "amendment-note")
    if 8 not in found:
        return None
    try:
        note = open_cosigned(found[8], before)
    except Refused:
        raise Refused("amendment-note") from None
    size = note.checkpoint.size
    need(tally(note, before).confirmation == "final" and size > 0, "amendment-note")
    need(all(size >= other for other in sizes), "amendment-note")
    return size


def _incoming(found: dict[int, Any], before: Charter) -> dict[bytes, int]:
    roots = {party.root for party in before.parties}
    return {root: number for number, _, root, _ in found.get(3, []) if root not in roots}


def _check_signatures(
    signatures: list[bytes], id_: bytes, found: dict[int, Any], before: Charter
) -> list[tuple[bool, int]]:
    """Who signed: parties of the predecessor, then roots that come in."""
    there = {party.root: party.number for party in before.parties}
    incoming = _incoming(found, before)
    seats: list[tuple[bool, int]] = []
    for signature in signatures:
        envelope = open_envelope(signature, "amendment", payload_is_cbor=False)
        need(envelope.payload == id_, "amendment-signatures")
        number = there.get(envelope.key, incoming.get(envelope.key))
        if number is None:
            raise Refused("amendment-signatures")
        seats.append((envelope.key not in there, number))
        need(ascends(seats), "amendment-signatures")
    return seats


def _check_quorum(seats: list[tuple[bool, int]], found: dict[int, Any], before: Charter) -> None:
    there = {party.number for party in before.parties}
    signed = {number for is_new, number in seats if not is_new}
    came = {number for is_new, number in seats if is_new}
    incoming = set(_incoming(found, before).values())
    need(len(signed) >= needed(before) and incoming <= came and incoming & there <= signed, "amendment-quorum")
