"""A file that carries what a live peer would have been sent (courier.md)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import cbor
from .batch import Sent, entries_frame
from .fields import any_octets, ascends, hash32, items, octets, row, uint
from .frames import BLOB_FRAME_MAX, FRAME_MAX, Frame, blob_frame, or_null, statements_frame
from .hashing import sha256
from .merkle import leaf_hash
from .refusal import Refused, need

_MAGIC, _END, _TRAILER = b"merestone/courier/1\n", b"merebndl", 48
_CONTENTS_MAX, _SECTIONS_MAX, _SECTION_MAX, _SCOPES_MAX, _MAKER_MAX = 33_554_432, 262_144, 71_303_168, 16, 720
_OLD_CLASS_MAX, _BLOB_SIZE_MAX = 6, 67_108_864
STATEMENTS, ENTRIES, BLOB = 0, 1, 2


@dataclass(frozen=True)
class Section:
    """A row of the contents with the bytes that it is about."""

    kind: int
    # Class of statements, scope of entries, hash of a blob.
    what: Any
    class_: int
    count: int
    data: bytes
    digest: bytes

    @property
    def is_damaged(self) -> bool:
        return sha256(self.data) != self.digest


@dataclass
class Bundle:
    """What the contents say; damaged sections are left out of what is read."""

    version: int
    mission: bytes
    maker: bytes
    store: bytes
    scopes: list[bytes]
    made_for: tuple[bytes, bytes] | None
    sections: list[Section]
    left: tuple[int, int]
    damaged: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.damaged = [index for index, section in enumerate(self.sections) if section.is_damaged]

    def statements(self) -> int:
        """How many statements its sections say they hold, of classes that came later too."""
        return sum(section.count for section in self.sections if section.kind == STATEMENTS)

    def sound(self, kind: int) -> Iterator[Section]:
        """The sections of a kind whose bytes are as they were written."""
        yield from (one for one in self.sections if one.kind == kind and not one.is_damaged)

    def entries(self) -> list[Sent]:
        """All entries, as they arrive."""
        sent = []
        for section in self.sound(ENTRIES):
            for class_, data in _frames(section.data):
                need(class_ == section.class_)
                sent += entries_frame(data, self.mission, version=1)
        return sent

    def blobs(self) -> list[bytes]:
        """The names of the blobs, whose bytes are judged by the entry that names them."""
        return [section.what for section in self.sections if section.kind == BLOB]


def open_bundle(data: bytes, mission: bytes) -> Bundle:
    """Steps 1 to 3 of courier.md, Reading: `foreign`, `cut`, `damaged`, `refused`, `mission-mismatch`."""
    need(data.startswith(_MAGIC), "foreign")
    need(len(data) >= len(_MAGIC) + _TRAILER and data.endswith(_END), "cut")
    end = len(data) - _TRAILER
    offset, digest = int.from_bytes(data[end : end + 8], "big"), data[end + 8 : end + 40]
    need(len(_MAGIC) <= offset <= end, "cut")
    need(sha256(data[offset:end]) == digest, "damaged")
    try:
        bundle = _contents(data, offset, end)
        _check_sections(bundle)
    except Refused:
        raise Refused("refused") from None
    need(bundle.mission == mission, "mission-mismatch")
    return bundle


def _contents(data: bytes, offset: int, end: int) -> Bundle:
    need(end - offset <= _CONTENTS_MAX, "size-limit")
    version, mission, maker, store, scopes, made_for, rows, left = row(
        lambda version: uint(version, 1, 2),
        hash32,
        any_octets,
        octets(16),
        items(octets(8), 0, _SCOPES_MAX),
        or_null(row(octets(16), hash32)),
        items(_row, 0, _SECTIONS_MAX),
        row(uint, uint),
    )(cbor.decode(data[offset:end]))
    need(len(maker) <= _MAKER_MAX, "size-limit")
    need(ascends(scopes))
    at, sections = len(_MAGIC), []
    for kind, what, class_, count, size, digest in rows:
        need(kind != ENTRIES or what in scopes)
        need(size <= offset - at)
        sections.append(Section(kind, what, class_, count, data[at : at + size], digest))
        at += size
    need(at == offset)
    return Bundle(version, mission, maker, store, scopes, made_for, sections, left)


def _row(value: Any) -> tuple[int, Any, int, int, int, bytes]:
    """Kind, what, class, count, bytes and digest of a section."""
    need(type(value) is list and len(value) > 0)

    def size(number: Any) -> int:
        return uint(number, 1, _SECTION_MAX)

    match uint(value[0], 0, 2):
        case 0:
            _, class_, count, length, digest = row(uint, uint, lambda one: uint(one, 1), size, hash32)(value)
            return STATEMENTS, class_, 0, count, length, digest
        case 1:
            _, scope, count, length, digest = row(uint, octets(8), lambda one: uint(one, 1), size, hash32)(value)
            return ENTRIES, scope, 1, count, length, digest
        case _:
            layout = row(
                uint, hash32, lambda one: uint(one, 2, 4), lambda one: uint(one, 1, _BLOB_SIZE_MAX), size, hash32
            )
            _, hash_, class_, _, length, digest = layout(value)
            return BLOB, hash_, class_, 1, length, digest


def _check_sections(bundle: Bundle) -> None:
    classes = [section.what for section in bundle.sections if section.kind == STATEMENTS]
    needs_two = any(class_ > _OLD_CLASS_MAX for class_ in classes)
    need(bundle.version == (2 if needs_two else 1))


def _frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The frames of a section; `class` is written with 1 added, as on a stream."""
    at = 0
    while at < len(data):
        need(len(data) - at >= 5)
        class_, length = data[at] - 1, int.from_bytes(data[at + 1 : at + 5], "big")
        need(0 <= class_ <= 4 and length <= len(data) - at - 5)
        need(length <= (FRAME_MAX if class_ < 2 else BLOB_FRAME_MAX), "size-limit")
        yield class_, data[at + 5 : at + 5 + length]
        at += 5 + length


def check_frames(section: Section) -> list[Frame]:
    """The frames of a section that is sound, held to their shape."""
    frames = []
    for class_, data in _frames(section.data):
        need(class_ == section.class_)
        frame = statements_frame(data) if section.kind == STATEMENTS else blob_frame(data)
        need(frame.parts[0] == section.what)
        frames.append(frame)
    return frames


def assemble(section: Section) -> bytes:
    """The bytes of a blob: every chunk in ascending order, each with its leaf hash, and its SHA-256 its name."""
    first, *rest = check_frames(section)
    need(first.type == 0 and all(frame.type == 1 for frame in rest))
    hashes, chunks = first.parts[1], [frame.parts[2] for frame in rest]
    need([frame.parts[1] for frame in rest] == list(range(len(hashes) // 32)))
    need(b"".join(map(leaf_hash, chunks)) == hashes)
    need(sha256(*chunks) == section.what)
    return b"".join(chunks)
