"""A form definition: the leaf table that claims are made under (claims.md, Leaf table)."""

from dataclasses import dataclass
from typing import Any

from . import cbor
from .change import QUESTION
from .fields import ascends, fields, hash32, items, row, text, uint
from .hashing import sha256
from .refusal import need

_DEFINITION_MAX, _LEAVES_MAX = 294_912, 4_096
# Positions of the standard block, below those of the form's leaves.
STANDARD = 8


@dataclass(frozen=True)
class Form:
    """Leaf `i` has position 8 + i; shape 1 is a repeat."""

    id: bytes
    kind: str
    leaves: tuple[tuple[str, int], ...]
    # Positions that a publication must disclose.
    must: tuple[int, ...] = ()

    @property
    def positions(self) -> int:
        return STANDARD + len(self.leaves)

    def position(self, name: str, is_repeat: bool) -> int | None:
        """Where the leaf of an answer or a repeat stands."""
        leaf = (name, int(is_repeat))
        return STANDARD + self.leaves.index(leaf) if leaf in self.leaves else None


def _name(value: Any) -> str:
    need(type(value) is str and QUESTION.fullmatch(value) is not None)
    return value


def open_form(data: bytes) -> Form:
    """The definition, refused if it is none."""
    need(len(data) <= _DEFINITION_MAX, "size-limit")
    leaf = row(_name, lambda shape: uint(shape, 0, 1))
    known = {
        1: _name,
        2: text(256),
        3: text(64),
        4: items(leaf, 1, _LEAVES_MAX),
        5: hash32,
        6: items(uint, 1, STANDARD + _LEAVES_MAX),
    }
    found = fields(cbor.decode(data), known, (1, 2, 3, 4))
    names = [name for name, _ in found[4]]
    need(len(set(names)) == len(names))
    must = tuple(found.get(6, ()))
    need(ascends(must) and STANDARD - 1 not in must)
    need(all(position < STANDARD + len(names) for position in must))
    return Form(sha256(data), found[1], tuple(found[4]), must)
