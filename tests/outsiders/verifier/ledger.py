"""A ledger as tiles, bundles and proof files (ledger.md)."""

import base64
import re
from dataclasses import dataclass

from . import merkle
from .checkpoint import Leaf, open_leaf
from .refusal import Refused, need
from .roster import Charter
from .signed_note import decode_base64, decode_decimal
from .witness import CosignedNote, Tally, open_foreign, tally

WIDTH, HASH = 256, 32
_LEVEL_MAX, _LEAF_MIN, _LEAF_MAX = 7, 36, 79
_PROOF_MAX, _PROOF_HASHES_MAX = 36_864, 64
_PATH = re.compile(r"tile/(entries|[0-7])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?")


@dataclass(frozen=True)
class Address:
    """What a path names; `level` is nothing for a bundle of leaves."""

    level: int | None
    index: int
    width: int

    @property
    def path(self) -> str:
        elements, rest = [f"{self.index % 1000:03}"], self.index // 1000
        while rest:
            elements.insert(0, f"x{rest % 1000:03}")
            rest //= 1000
        row = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{row}/{'/'.join(elements)}{partial}"


def open_path(path: str) -> Address:
    """What the path names, if it is the only one of its tile."""
    found = _PATH.fullmatch(path)
    if found is None or len(path) > 64:
        raise Refused("tile-address")
    level = None if found[1] == "entries" else int(found[1])
    index = int(re.sub(r"[x/]", "", found[2]))
    address = Address(level, index, int(found[3] or WIDTH))
    need(1 <= address.width <= WIDTH and address.path == path, "tile-address")
    need((index * WIDTH + address.width) << 8 * (level or 0) <= 1 << 64, "tile-address")
    return address


def open_tile(address: Address, data: bytes) -> list[bytes]:
    """The hashes of a tile."""
    need(len(data) == address.width * HASH, "tile-length")
    return [data[at : at + HASH] for at in range(0, len(data), HASH)]


def open_bundle(address: Address, data: bytes) -> list[tuple[bytes, Leaf]]:
    """The leaves of a bundle, as bytes and as what they say."""
    need(address.level is None, "bundle-malformed")
    leaves, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        raw = data[at + 2 : at + 2 + length]
        need(len(data) - at >= 2 and len(raw) == length, "bundle-malformed")
        need(_LEAF_MIN <= length <= _LEAF_MAX, "bundle-malformed")
        try:
            leaves.append((raw, open_leaf(raw)))
        except Refused:
            raise Refused("bundle-malformed") from None
        at += 2 + length
    need(len(leaves) == address.width, "bundle-malformed")
    return leaves


def make_tiles(hashes: list[bytes]) -> dict[str, bytes]:
    """All tiles over these leaf hashes, by path."""
    tiles: dict[str, bytes] = {}
    row, level = list(hashes), 0
    while row:
        for at in range(0, len(row), WIDTH):
            part = row[at : at + WIDTH]
            tiles[Address(level, at // WIDTH, len(part)).path] = b"".join(part)
        full = len(row) // WIDTH
        row = [merkle.root(row[index * WIDTH : (index + 1) * WIDTH]) for index in range(full)]
        level += 1
    return tiles


@dataclass(frozen=True)
class Proof:
    """A leaf that was shown to be in the ledger under a note."""

    index: int
    note: CosignedNote
    tally: Tally


def open_proof(data: bytes, leaf: bytes, charter: Charter) -> Proof:
    """A proof file for the leaf that is expected."""
    index, path, note_data = _read_proof(data)
    note = open_foreign(note_data, charter)
    root = merkle.root_from_inclusion(merkle.leaf_hash(leaf), index, note.checkpoint.size, path)
    need(root == note.checkpoint.root, "not-included")
    return Proof(index, note, tally(note, charter))


def is_own_form(data: bytes, proof: Proof) -> bool:
    """Whether a proof file is in the bytes that its writer makes: nothing extra, and the note of version 2."""
    index, path, _ = _read_proof(data)
    lines = [f"index {index}", *(base64.b64encode(hash_).decode() for hash_ in path), "", ""]
    return data == b"c2sp.org/tlog-proof@v1\n" + "\n".join(lines).encode() + proof.note.data


def _read_proof(data: bytes) -> tuple[int, list[bytes], bytes]:
    code = "proof-malformed"
    need(len(data) <= _PROOF_MAX, code)
    try:
        head, blank, note = data.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise Refused(code) from None
    need(blank != "", code)
    lines = head.split("\n")
    need(lines[0] == "c2sp.org/tlog-proof@v1", code)
    if len(lines) > 1 and lines[1].startswith("extra "):
        need(decode_base64(lines[1][6:]) is not None, code)
        del lines[1]
    need(len(lines) >= 2 and lines[1].startswith("index "), code)
    index = decode_decimal(lines[1][6:], 2**64 - 1)
    path = [decode_base64(line) for line in lines[2:]]
    if index is None or len(path) > _PROOF_HASHES_MAX:
        raise Refused(code)
    need(all(hash_ is not None and len(hash_) == HASH for hash_ in path), code)
    return index, [hash_ for hash_ in path if hash_ is not None], note.encode()
