"""Frames of entries: full form and columns (sync.md, Entries, Columns), and the rows of version 1 (sync-1.md)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import cbor
from .change import KEY, OPS_MAX, write_change
from .columns import sleb
from .entry import BODY_MAX, HEADER_MAX, LOG_ENTRIES_MAX
from .fields import any_octets, ascends, hash32, items, octets, row, uint
from .frames import FRAME_MAX, or_null, split
from .hashing import sha256, sha256_16
from .refusal import Refused, need
from .zstd import decompress

BATCH_MAX, ENTRIES_MAX, LOGS_MAX, TEMPLATES_MAX, ANSWERS_MAX = 4_194_304, 512, 512, 512, 65_536
_CHANGE_TEXT_MAX = 262_144
_FULL, _COLUMNS, _ROWS = 1, 2, 0
_LABEL = "application/vnd.merestone.entry.v1"
_HELD, _SAID, _PLACE, _POST, _PHOTOS = 1, 2, 4, 8, 16
_COLUMN_NAMES = (
    "runs", "shapes", "kinds", "back", "ids", "absent", "forms", "seen", "items", "bodies", "changes", "actors",
    "clocks", "places", "context",
)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """An entry as it arrived; `check` is how its id must begin, which another one says `again` to."""

    header: bytes
    body: bytes | None
    check: bytes = b""

    @property
    def id(self) -> bytes:
        return sha256(self.header)

    @property
    def is_rebuilt(self) -> bool:
        return self.id.startswith(self.check)


@dataclass
class _Log:
    """Where the next entry of a log stands."""

    key: bytes
    scope: bytes
    epoch: bytes
    seq: int
    prev: bytes | None

    def header(self, mission: bytes, rest: dict[int, Any], signature: bytes) -> bytes:
        protected = cbor.encode({1: -19, 4: self.key, 16: _LABEL})
        place: dict[int, Any] = {1: mission, 2: self.scope, 3: self.epoch, 4: self.seq}
        place |= {} if self.prev is None else {5: self.prev}
        data = cbor.encode([protected, {}, cbor.encode(place | rest), signature])
        self.seq, self.prev = self.seq + 1, sha256(data)
        return data


_log = row(hash32, octets(8), octets(8), lambda seq: uint(seq, 0, LOG_ENTRIES_MAX - 1), or_null(hash32))


def entries_frame(data: bytes, mission: bytes, version: int = 3) -> list[Sent]:
    """The entries of a frame of class 1; which forms there are follows from the version."""
    need(len(data) <= FRAME_MAX, "size-limit")
    kind, parts = split(data)
    if kind == _FULL:
        listed = items(row(any_octets, or_null(any_octets)), 1, ENTRIES_MAX)(*row(lambda value: value)(parts))
        sent = [Sent(header, body) for header, body in listed]
    elif kind == _COLUMNS and version > 1:
        sent = _Columns(parts, mission).entries()
    elif kind == _ROWS and version == 1:
        sent = _rows(parts, mission)
    else:
        raise Refused("shape")
    need(sum(len(one.header) + len(one.body or b"") for one in sent) <= BATCH_MAX, "size-limit")
    need(all(len(one.header) <= HEADER_MAX and len(one.body or b"") <= BODY_MAX for one in sent), "size-limit")
    return sent


def _batch(size: int, packed: bytes) -> list[Any]:
    need(size <= BATCH_MAX, "size-limit")
    item = cbor.decode(decompress(packed, size))
    need(type(item) is list)
    return list(item)


def _rows(parts: list[Any], mission: bytes) -> list[Sent]:
    listed, rows = _batch(*row(uint, any_octets)(parts))
    logs = [_Log(*one) for one in items(_log, 1, LOGS_MAX)(listed)]
    layout = row(lambda at: uint(at, 0, len(logs) - 1), lambda rest: rest, octets(64), or_null(any_octets), octets(4))
    sent = []
    for at, rest, signature, body, check in items(layout, 1, ENTRIES_MAX)(rows):
        need(type(rest) is dict and not {1, 2, 3, 4, 5} & set(rest) and (10 in rest) == (body is None))
        named = rest if body is None else rest | {10: sha256(body)}
        sent.append(Sent(logs[at].header(mission, named, signature), body, check))
    return sent


class _Column:
    """A column, read from its front; what is not there is `shape`."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    @property
    def is_done(self) -> bool:
        return self.at == len(self.data)

    def take(self, count: int) -> bytes:
        need(count <= len(self.data) - self.at)
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        """LEB128 of at most 64 bits, in however many bytes."""
        number, shift, byte = 0, 0, 0x80
        while byte & 0x80:
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            shift += 7
        need(number < 1 << 64)
        return number

    def signed(self) -> int:
        number = self.number()
        return -(number >> 1) - 1 if number & 1 else number >> 1

    def item(self) -> Any:
        item, self.at = cbor.decode_first(self.data, self.at)
        return item


@dataclass
class _Said:
    """A body that is sent as what it says, before its answers are read."""

    template: int
    seq: int
    start_op: int
    deps: list[bytes]
    others: list[bytes]
    preds: list[list[tuple[int, int]]]
    seed: bytes
    context: dict[int, Any]


@dataclass
class _Waiting:
    """An entry whose ids may be of entries before it."""

    log: int
    shape: int
    rest: dict[int, Any]
    ids: dict[int, list[bytes | int]]
    signature: bytes
    check: bytes
    body: bytes | None = None
    said: _Said | None = None


class _Columns:
    def __init__(self, parts: list[Any], mission: bytes) -> None:
        layout = row(*[any_octets] * 4, uint, any_octets)
        self.signatures, checks, claims, seeds, size, packed = layout(parts)
        logs, templates, columns, values = row(*[lambda value: value] * 4)(_batch(size, packed))
        self.mission = mission
        self.logs = [_Log(*one) for one in items(_log, 0, LOGS_MAX)(logs)]
        self.templates = items(items(any_octets, 0, OPS_MAX), 0, TEMPLATES_MAX)(templates)
        self.of = {
            name: _Column(data) for name, data in zip(_COLUMN_NAMES, row(*[any_octets] * len(_COLUMN_NAMES))(columns))
        }
        numbers, answers = row(any_octets, any_octets)(values)
        self.of |= {"signatures": _Column(self.signatures), "checks": _Column(checks), "claims": _Column(claims)}
        self.of |= {"seeds": _Column(seeds), "numbers": _Column(numbers), "answers": _Column(answers)}
        self.clock, self.place = (0, 0), (0, 0)

    def entries(self) -> list[Sent]:
        """All columns to their ends."""
        waiting = [self._entry(log) for log in self._runs()]
        answers = self._answers(waiting)
        need(all(column.is_done for column in self.of.values()))
        sent: list[Sent] = []
        hashes: list[bytes | None] = []
        for at, one in enumerate(waiting):
            body, hash_ = one.body, None
            if one.said is not None:
                body, hash_ = self._write(one, one.said, answers[at], hashes)
            sent.append(self._rebuild(one, body, sent))
            hashes.append(hash_)
        return sent

    def _runs(self) -> Iterator[int]:
        column, total = self.of["runs"], 0
        while not column.is_done:
            log, count = column.number(), column.number()
            need(log < len(self.logs))
            total += count
            need(total <= ENTRIES_MAX, "size-limit")
            for _ in range(count):
                yield log

    def _entry(self, log: int) -> _Waiting:
        of = self.of
        shape = of["shapes"].number()
        has = {key: bool(shape >> key - 1 & 1) for key in range(6, 15)}
        need(shape < 1 << 14 and not (shape & _HELD and shape & _SAID))
        need(bool(shape & _SAID) or not shape & (_PLACE | _POST | _PHOTOS))
        need(not (has[10] and shape & (_HELD | _SAID)))
        one = _Waiting(log, shape, {}, {}, of["signatures"].take(64), of["checks"].take(4))
        one.rest |= {6: of["items"].item()} if has[6] else {}
        one.rest |= {7: of["kinds"].number()} if has[7] else {}
        one.ids |= {8: [self._id()]} if has[8] else {}
        one.ids |= {9: [self._id() for _ in range(self._count(self.of["back"]))]} if has[9] else {}
        for key, name in ((10, "absent"), (11, "claims"), (12, "forms"), (13, "seen")):
            one.rest |= {key: of[name].take(32)} if has[key] else {}
        one.rest |= {14: of["items"].item()} if has[14] else {}
        if shape & _HELD:
            one.body = of["bodies"].take(of["bodies"].number())
        if shape & _SAID:
            one.said = self._said(one)
        return one

    def _count(self, column: _Column) -> int:
        """How many of something follow; more than may be is seen before they are read."""
        count = column.number()
        need(count <= BATCH_MAX)
        return count

    def _id(self) -> bytes | int:
        back = self.of["back"].number()
        return self.of["ids"].take(32) if back == 0 else back

    def _said(self, one: _Waiting) -> _Said:
        column = self.of["changes"]
        template, seq, start_op = column.number(), column.number(), column.number()
        deps, others = self._count(column), self._count(column)
        need(template < len(self.templates))
        preds = []
        for _ in self.templates[template]:
            count = self._count(column)
            preds.append([(column.number(), column.number()) for _ in range(count)])
        one.ids[0] = [self._id() for _ in range(deps)]
        actors = [self.of["actors"].take(16) for _ in range(others)]
        need(ascends(actors))
        return _Said(template, seq, start_op, [], actors, preds, self.of["seeds"].take(16), self._context(one.shape))

    def _context(self, shape: int) -> dict[int, Any]:
        of, clocks = self.of, self.of["clocks"]
        wall = _int64(self.clock[0] + clocks.signed())
        booted = _int64(self.clock[1] + clocks.signed())
        self.clock = (wall, booted)
        boot = of["context"].take(8)
        clock = [wall, wall - booted & (1 << 64) - 1, boot, of["context"].item(), of["context"].item()]
        context: dict[int, Any] = {1: clock}
        if shape & _PLACE:
            lat, lon = self.place
            self.place = (_int64(lat + of["places"].signed()), _int64(lon + of["places"].signed()))
            context[2] = [*self.place, of["context"].item(), of["context"].item()]
        context |= {3: of["context"].item()} if shape & _POST else {}
        context |= {4: of["context"].item()}
        context |= {5: of["context"].item()} if shape & _PHOTOS else {}
        return context

    def _answers(self, waiting: list[_Waiting]) -> dict[int, list[tuple[int, bytes]]]:
        """Template by template, key by key, entry by entry: of each entry its answers, as type and bytes."""
        found: dict[int, list[tuple[int, bytes]]] = {}
        count = 0
        for template, keys in enumerate(self.templates):
            of = [at for at, one in enumerate(waiting) if one.said is not None and one.said.template == template]
            found |= {at: [] for at in of}
            count += len(of) * len(keys)
            need(count <= ANSWERS_MAX)
            for _ in keys:
                texts: list[bytes] = []
                for at in of:
                    found[at].append(self._answer(texts))
        return found

    def _answer(self, texts: list[bytes]) -> tuple[int, bytes]:
        answers = self.of["answers"]
        number = self.of["numbers"].number()
        count, kind = number >> 4, number & 15
        if kind == 6:
            texts.append(answers.take(count))
            return 6, texts[-1]
        if kind == 7:
            need(count < len(texts))
            return 6, texts[count]
        need(kind in (0, 1, 2, 4) and count == 0)
        return kind, sleb(answers.signed()) if kind == 4 else b""

    def _write(
        self, one: _Waiting, said: _Said, answers: list[tuple[int, bytes]], hashes: list[bytes | None]
    ) -> tuple[bytes, bytes]:
        """The body's bytes, and the hash of its change."""
        for ref in one.ids.pop(0):
            if isinstance(ref, int):
                need(ref <= len(hashes))
                hash_ = hashes[-ref]
                if hash_ is None:
                    raise Refused("shape")
                ref = hash_
            said.deps.append(ref)
        keys = self.templates[said.template]
        need(sum(map(len, keys)) + sum(len(raw) for _, raw in answers) <= _CHANGE_TEXT_MAX)
        log = self.logs[one.log]
        actor = sha256_16(b"merestone/actor/v1", self.mission, log.key, log.scope, log.epoch)
        need(all(KEY.fullmatch(_utf8(key)) for key in keys))
        need(all(who <= len(said.others) for preds in said.preds for who, _ in preds))
        puts = [(_utf8(key), kind, raw, preds) for key, (kind, raw), preds in zip(keys, answers, said.preds)]
        chunk, hash_ = write_change(said.deps, actor, said.seq, said.start_op, said.seed, said.others, puts)
        return cbor.encode({1: chunk, 2: said.context}), hash_

    def _rebuild(self, one: _Waiting, body: bytes | None, sent: list[Sent]) -> Sent:
        rest = dict(one.rest)
        for key, refs in one.ids.items():
            need(all(isinstance(ref, bytes) or ref <= len(sent) for ref in refs))
            ids = [ref if isinstance(ref, bytes) else sent[-ref].id for ref in refs]
            rest[key] = ids[0] if key == 8 else ids
        rest |= {} if body is None else {10: sha256(body)}
        return Sent(self.logs[one.log].header(self.mission, rest, one.signature), body, one.check)


def _int64(number: int) -> int:
    """Modulo 2^64, between -2^63 and 2^63 - 1."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Refused("shape") from None
