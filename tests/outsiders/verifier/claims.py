"""The leaves and the root to which a change entry commits, from definition, change and context (claims.md)."""

from dataclasses import dataclass
from typing import Any

from . import cbor, merkle
from .change import Change, Put
from .forms import Form
from .hashing import sha256_16, u32

_CELL_E7, _DAY_MS, _MINUTE_MS = 1_000_000, 86_400_000, 60_000


def coarse_place(place: Any) -> list[int]:
    """Cells of a tenth of a degree, rounded towards minus infinity."""
    return [place[0] // _CELL_E7, place[1] // _CELL_E7]


def day(clock: Any) -> int:
    """Local days since 1970-01-01, rounded towards minus infinity."""
    return (clock[0] + _MINUTE_MS * clock[3]) // _DAY_MS


def salt(seed: bytes, position: int) -> bytes:
    """The salt of a leaf."""
    return sha256_16(b"merestone/salt/v1", seed, u32(position))


def cell_salt(seed: bytes, position: int, row: str, question: str) -> bytes:
    """The salt of a cell of a repeat."""
    return sha256_16(b"merestone/salt/v1", seed, u32(position), row.encode(), b"/", question.encode())


@dataclass(frozen=True)
class Claims:
    """What an entry commits to; `unknown` are the keys without a leaf."""

    salts: list[bytes]
    leaves: list[bytes]
    root: bytes
    unknown: list[str]


def compute(form: Form, change: Change, context: dict[int, Any]) -> Claims:
    """The claims, a pure function of the three."""
    values: dict[int, Any] = {2: day(context[1]), 3: context[1], 5: context[4]}
    if 2 in context:
        values |= {0: coarse_place(context[2]), 1: context[2]}
    values |= {4: context[3]} if 3 in context else {}
    values |= {6: context[5]} if 5 in context else {}
    unknown: list[str] = []
    groups: dict[int, list[Put]] = {}
    for put in change.puts:
        name, _, cell = put.key.partition("/")
        position = form.position(name, is_repeat=bool(cell))
        if position is None:
            unknown.append(put.key)
        elif cell:
            groups.setdefault(position, []).append(put)
        else:
            values[position] = put.value
    for position, puts in groups.items():
        values[position] = merkle.root([_cell(change.seed, position, put) for put in puts])
    salts = [salt(change.seed, position) for position in range(form.positions)]
    leaves = [
        merkle.leaf_hash(cbor.encode([position, salts[position], *([values[position]] if position in values else [])]))
        for position in range(form.positions)
    ]
    return Claims(salts, leaves, merkle.root(leaves), unknown)


def _cell(seed: bytes, position: int, put: Put) -> bytes:
    _, row, question = put.key.split("/")
    return merkle.leaf_hash(cbor.encode([row, question, cell_salt(seed, position, row, question), put.value]))


def fault(form: Form, change: Change, context: dict[int, Any], root: bytes | None) -> str | None:
    """Why nothing of the entry can be disclosed; it is applied like any other."""
    claims = compute(form, change, context)
    if claims.unknown:
        return "claims-unknown-question"
    return None if claims.root == root else "claims-mismatch"
