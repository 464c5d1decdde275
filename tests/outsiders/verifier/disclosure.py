"""Chosen answers of one entry, under the observer's signature (disclosure.md)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import cbor, claims, merkle
from .change import QUESTION, ROW
from .context import clock, observer, photos, place, post
from .entry import CHANGE, Header, open_header
from .fields import any_octets, ascends, fields, hash32, integer, items, octets, row, uint
from .forms import STANDARD, Form
from .refusal import Refused, need

_DISCLOSURE_MAX, _LEAVES_MAX, _PATH_MAX, _TEXT_MAX = 1_048_576, 4_104, 4_104, 65_536
_NEVER_ABSENT = (2, 3, 5)

# (row, question, value)
Cell = tuple[str, str, Any]


@dataclass(frozen=True)
class Opened:
    """One leaf: absent, a value, or cells of a repeat."""

    position: int
    hash: bytes
    is_absent: bool
    value: Any = None
    cells: list[Cell] | None = None


@dataclass(frozen=True)
class Disclosure:
    """What a verifier may say: the header's key signed that these leaves are so."""

    header: Header
    form: Form
    opened: list[Opened]


def open_disclosure(data: bytes, mission: bytes, form: Form) -> Disclosure:
    """The seven steps of disclosure.md, Order of the checks, after the size."""
    need(len(data) <= _DISCLOSURE_MAX, "size-limit")
    known = {
        1: lambda version: uint(version, 1, 1),
        2: any_octets,
        3: items(lambda leaf: leaf, 1, _LEAVES_MAX),
        4: items(hash32, 1, _PATH_MAX),
    }
    found = fields(cbor.decode(data), known, (1, 2, 3))
    header = open_header(found[2], mission)
    need(header.kind == CHANGE, "disclosure-entry")
    need(form.id == header.form, "disclosure-form")
    opened: list[Opened] = []
    for leaf in found[3]:
        opened.append(_leaf(leaf, form, opened[-1].position if opened else -1))
    need(_root(opened, form.positions, found.get(4, [])) == header.claims, "disclosure-root")
    _check_coarse({one.position: one for one in opened})
    return Disclosure(header, form, opened)


def _leaf(leaf: Any, form: Form, before: int) -> Opened:
    need(type(leaf) is list and len(leaf) in (2, 3))
    position, _ = uint(leaf[0]), octets(16)(leaf[1])
    need(position < form.positions, "disclosure-position")
    need(position > before, "disclosure-order")
    if len(leaf) == 2:
        need(position not in _NEVER_ABSENT)
        return Opened(position, merkle.leaf_hash(cbor.encode(leaf)), is_absent=True)
    value = leaf[2]
    if position >= STANDARD and form.leaves[position - STANDARD][1] == 1:
        cells: list[Cell] = []
        hash_ = merkle.leaf_hash(cbor.encode([position, leaf[1], _tree(value, cells)]))
        return Opened(position, hash_, is_absent=False, cells=cells)
    value = _answer(value) if position >= STANDARD else _standard(position)(value)
    return Opened(position, merkle.leaf_hash(cbor.encode(leaf)), is_absent=False, value=value)


def _standard(position: int) -> Callable[[Any], Any]:
    cell = row(lambda lat: integer(lat, -900, 900), lambda lon: integer(lon, -1_800, 1_800))
    checks = {0: cell, 1: place, 2: integer, 3: clock, 4: post, 5: observer, 6: photos}
    if position not in checks:
        raise Refused("shape")
    return checks[position]


def _answer(value: Any) -> Any:
    need(value is None or type(value) in (bool, int, str))
    if type(value) is int:
        integer(value)
    if type(value) is str:
        need(len(value.encode()) <= _TEXT_MAX, "size-limit")
    return value


def _tree(tree: Any, cells: list[Cell]) -> bytes:
    """The tree's hash; its opened cells are added to `cells`, left to right."""
    if type(tree) is bytes:
        return hash32(tree)
    need(type(tree) is list and len(tree) in (2, 4))
    if len(tree) == 4:
        need(type(tree[0]) is str and ROW.fullmatch(tree[0]) is not None)
        need(type(tree[1]) is str and QUESTION.fullmatch(tree[1]) is not None)
        octets(16)(tree[2])
        cell = (tree[0], tree[1], _answer(tree[3]))
        order = [f"{one[0]}/{one[1]}".encode() for one in [*cells[-1:], cell]]
        need(ascends(order), "disclosure-order")
        cells.append(cell)
        return merkle.leaf_hash(cbor.encode(tree))
    count = len(cells)
    hash_ = merkle.node_hash(_tree(tree[0], cells), _tree(tree[1], cells))
    need(len(cells) > count, "disclosure-path")
    return hash_


def _root(opened: list[Opened], size: int, path: list[bytes]) -> bytes:
    leaves, rest = {one.position: one.hash for one in opened}, list(path)

    def at(first: int, end: int) -> bytes:
        if not any(first <= position < end for position in leaves):
            need(len(rest) > 0, "disclosure-path")
            return rest.pop(0)
        if end - first == 1:
            return leaves[first]
        middle = first + merkle.split(end - first)
        return merkle.node_hash(at(first, middle), at(middle, end))

    root = at(0, size)
    need(not rest, "disclosure-path")
    return root


def _check_coarse(opened: dict[int, Opened]) -> None:
    if 0 in opened and 1 in opened:
        coarse, exact = opened[0], opened[1]
        need(coarse.is_absent == exact.is_absent, "disclosure-coarse")
        need(coarse.is_absent or list(coarse.value) == claims.coarse_place(exact.value), "disclosure-coarse")
    if 2 in opened and 3 in opened:
        need(opened[2].value == claims.day(opened[3].value), "disclosure-coarse")
