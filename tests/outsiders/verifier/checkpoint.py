"""What the mission's ledger signed: leaves, and notes of version 1 (checkpoint.md)."""

from dataclasses import dataclass
from typing import Any

from . import cbor, ed25519
from .entry import log_id
from .fields import hash32, octets, row, uint
from .hashing import sha256
from .refusal import Refused, need
from .signed_note import Line, Note, decode_base64, decode_decimal, key_hash, read_line, split_note

NOTE_MAX = 16_384
SIZE_MAX = 2**64 - 1
INVALID = "checkpoint-invalid"


@dataclass(frozen=True)
class EntryLeaf:
    """An entry, in its log's order."""

    log: bytes
    seq: int
    entry: bytes


@dataclass(frozen=True)
class StatementLeaf:
    """A statement."""

    statement: bytes


@dataclass(frozen=True)
class LogLeaf:
    """A log's scope, before the log's first entry."""

    log: bytes
    scope: bytes


@dataclass(frozen=True)
class CosignatureLeaf:
    """A cosignature of an earlier checkpoint, by the id of its statement."""

    statement: bytes


@dataclass(frozen=True)
class BegunLeaf:
    """A log by what its id is the hash of, before the log's first entry."""

    key: bytes
    scope: bytes
    epoch: bytes

    @property
    def log(self) -> bytes:
        return log_id(self.key, self.scope, self.epoch)


Leaf = EntryLeaf | StatementLeaf | LogLeaf | CosignatureLeaf | BegunLeaf


def open_leaf(data: bytes) -> Leaf:
    """The leaf whose one encoding this is."""
    item = cbor.decode(data)
    need(type(item) is list and len(item) > 0 and type(item[0]) is int)
    shapes: dict[int, tuple[Any, Any]] = {
        0: (EntryLeaf, row(uint, hash32, uint, hash32)),
        1: (StatementLeaf, row(uint, hash32)),
        2: (LogLeaf, row(uint, hash32, octets(8))),
        3: (CosignatureLeaf, row(uint, hash32)),
        4: (BegunLeaf, row(uint, hash32, octets(8), octets(8))),
    }
    if item[0] not in shapes:
        raise Refused("shape")
    make, shape = shapes[item[0]]
    return make(*shape(item)[1:])


@dataclass(frozen=True)
class Text:
    """What a checkpoint says, whoever signed it."""

    origin: str
    size: int
    root: bytes


def read_text(text: bytes) -> Text | None:
    """Origin, size and root, each on a line, and nothing else."""
    lines = text.decode().split("\n")
    if len(lines) != 4 or lines[3] != "" or lines[0] == "":
        return None
    size, root = decode_decimal(lines[1], SIZE_MAX), decode_base64(lines[2])
    if size is None or root is None or len(root) != 32:
        return None
    return Text(lines[0], size, root)


@dataclass(frozen=True)
class Checkpoint:
    """A note of version 1 that the ledger signed; `data` are its bytes, `text` what is signed."""

    data: bytes
    text: bytes
    origin: str
    size: int
    root: bytes

    @property
    def id(self) -> bytes:
        """The note hash, which `seen` holds."""
        return sha256(self.data)


def is_ledger_line(line: Line, text: bytes, origin: str, key: bytes) -> bool:
    """Whether this line is the ledger's and verifies."""
    if line.name != origin or line.key_hash != key_hash(origin, 1, key):
        return False
    return ed25519.verify(key, text, line.signature)


def open_parts(note: Note, line: Line | None, ledger: tuple[str, bytes] | None) -> Checkpoint:
    """Text and the ledger's line as a checkpoint of `ledger`."""
    said = read_text(note.text)
    if ledger is None or line is None or said is None or said.origin != ledger[0]:
        raise Refused(INVALID)
    need(is_ledger_line(line, note.text, *ledger), INVALID)
    data = note.text + b"\n" + line.data
    need(len(data) <= NOTE_MAX, INVALID)
    return Checkpoint(data, note.text, said.origin, said.size, said.root)


def open_checkpoint(data: bytes, ledger: tuple[str, bytes] | None) -> Checkpoint:
    """A note of version 1: one line, the ledger's."""
    need(len(data) <= NOTE_MAX, INVALID)
    note = split_note(data)
    if note is None or len(note.lines) != 1:
        raise Refused(INVALID)
    return open_parts(note, read_line(note.lines[0]), ledger)
