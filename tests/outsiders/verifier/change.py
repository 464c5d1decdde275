"""One Automerge change chunk under the rules of entry.md, Change, up to `change-not-canonical`.

The rules after that need the entries that are named; they are in `history.py`.
"""

import re
from dataclasses import dataclass
from typing import Any

from . import cbor
from .columns import (
    MALFORMED,
    Bytes,
    decode_booleans,
    decode_deltas,
    decode_runs,
    encode_booleans,
    encode_deltas,
    encode_runs,
    sleb,
    uleb,
)
from .fields import ascends
from .hashing import sha256
from .refusal import Refused, need

MAGIC = bytes.fromhex("856f4a83")
CHUNK_MAX, OPS_MAX, DEPS_MAX, ACTORS_MAX, PREDS_MAX = 262_144, 4_096, 256, 256, 4_096
_TEXT_MAX = 65_536
_COUNTER_MAX = 2**32 - 1

# Column numbers: id << 4 | type.
OBJECT_ACTOR, OBJECT_COUNTER = 0x01, 0x02
KEY_ACTOR, KEY_COUNTER, KEY_NAME = 0x11, 0x13, 0x15
INSERT, ACTION, VALUE_META, VALUE = 0x34, 0x42, 0x56, 0x57
PRED_COUNT, PRED_ACTOR, PRED_COUNTER = 0x70, 0x71, 0x73
EXPAND, MARK_NAME = 0x94, 0xA5
_KNOWN = {
    OBJECT_ACTOR, OBJECT_COUNTER, KEY_ACTOR, KEY_COUNTER, KEY_NAME, INSERT, ACTION,
    VALUE_META, VALUE, PRED_COUNT, PRED_ACTOR, PRED_COUNTER, EXPAND, MARK_NAME,
}  # fmt: skip

_QUESTION = r"[A-Za-z_][A-Za-z0-9_.-]{0,63}"
QUESTION = re.compile(_QUESTION)
ROW = re.compile(r"[0-9a-f]{16}")
KEY = re.compile(rf"{_QUESTION}(?:/[0-9a-f]{{16}}/{_QUESTION})?")
_SEED = re.compile(r"[0-9a-f]{32}")

# (counter, actor), the order in which predecessors stand.
Pred = tuple[int, bytes]


@dataclass(frozen=True)
class Put:
    """One operation: `key` = `value`, in the place of the operations named."""

    key: str
    value: Any
    preds: tuple[Pred, ...]


@dataclass(frozen=True)
class Change:
    """A change that is well formed for its log's actor."""

    hash: bytes
    actor: bytes
    seq: int
    start_op: int
    deps: tuple[bytes, ...]
    seed: bytes
    puts: tuple[Put, ...]

    @property
    def max_op(self) -> int:
        """The counter of its last operation."""
        return self.start_op + len(self.puts) - 1


@dataclass
class _Operation:
    key: str | None
    on_root: bool
    is_put: bool
    type: int
    raw: bytes
    preds: list[tuple[int, int]]


def decode_change(chunk: bytes, actor: bytes) -> Change:
    """The change, refused with the first code of the table that it breaks."""
    contents = _unwrap(chunk)
    data = Bytes(contents)
    deps = _many(data, DEPS_MAX, lambda: data.take(32))
    author = data.take(data.uleb())
    seq, start_op, time = data.uleb(), data.uleb(), data.sleb()
    message = _utf8(data.take(data.uleb()))
    others = _many(data, ACTORS_MAX, lambda: data.take(data.uleb()))
    need(all(len(other) == 16 for other in others), MALFORMED)
    operations = _operations(_columns(data), len(others))
    need(data.is_done, "change-extra-bytes")
    need(author == actor, "change-actor")
    need(time == 0, "change-time")
    need(_SEED.fullmatch(message) is not None, "change-seed")
    _check_operations(operations)
    need(ascends(deps), "change-deps-order")
    actors = [author, *others]
    puts = tuple(_put(operation, actors) for operation in operations)
    need(all(ascends(put.preds) for put in puts), "change-pred")
    need(start_op >= 1 and start_op + len(puts) <= _COUNTER_MAX, "change-start-op")
    need(_encode(deps, author, seq, start_op, message, operations, puts) == chunk, "change-not-canonical")
    return Change(_hash(contents), actor, seq, start_op, tuple(deps), bytes.fromhex(message), puts)


def _unwrap(chunk: bytes) -> bytes:
    need(len(chunk) <= CHUNK_MAX, "change-size")
    need(len(chunk) < 9 or chunk[8] != 2, "change-compressed")
    data = Bytes(chunk)
    need(data.take(4) == MAGIC, MALFORMED)
    checksum = data.take(4)
    need(data.take(1) == b"\x01", MALFORMED)
    contents = data.take(data.uleb())
    need(data.is_done, MALFORMED)
    need(_hash(contents)[:4] == checksum, MALFORMED)
    return contents


def _hash(contents: bytes) -> bytes:
    return sha256(b"\x01", uleb(len(contents)), contents)


def _many(data: Bytes, most: int, read: Any) -> list[bytes]:
    count = data.uleb()
    need(count <= most, "change-size")
    return [read() for _ in range(count)]


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Refused(MALFORMED) from None


def _columns(data: Bytes) -> dict[int, bytes]:
    heads = [(data.uleb(), data.uleb()) for _ in range(_column_count(data))]
    need(all(number in _KNOWN for number, _ in heads), MALFORMED)
    need(ascends(number for number, _ in heads), MALFORMED)
    return {number: data.take(length) for number, length in heads}


def _column_count(data: Bytes) -> int:
    count = data.uleb()
    need(count <= len(data.data), MALFORMED)
    return count


def _operations(columns: dict[int, bytes], others: int) -> list[_Operation]:
    actions = decode_runs(columns.get(ACTION, b""), "uint", OPS_MAX, "change-size")
    count = len(actions)

    def whole(values: list[Any], absent: Any, number: int) -> list[Any]:
        if number not in columns:
            return [absent] * count
        # A column of no bytes says what a missing one says; only its place in the list is not canonical.
        need(len(values) == count or not columns[number], MALFORMED)
        return values or [absent] * count

    def runs(number: int, kind: str, absent: Any = None) -> list[Any]:
        return whole(decode_runs(columns.get(number, b""), kind, count), absent, number)

    def flags(number: int) -> list[bool]:
        return whole(decode_booleans(columns.get(number, b""), count), False, number)

    objects = list(zip(runs(OBJECT_ACTOR, "uint"), runs(OBJECT_COUNTER, "uint")))
    key_actors = runs(KEY_ACTOR, "uint")
    key_counters = whole(decode_deltas(columns.get(KEY_COUNTER, b""), count), None, KEY_COUNTER)
    names, inserts = runs(KEY_NAME, "text"), flags(INSERT)
    metas, preds = runs(VALUE_META, "uint", 0), _preds(columns, count, others)
    expands, marks = flags(EXPAND), runs(MARK_NAME, "text")
    values = _values(columns.get(VALUE, b""), [meta or 0 for meta in metas])
    for actor, counter in objects + list(zip(key_actors, key_counters)):
        need(actor is None or actor <= others, MALFORMED)
    need(None not in actions, MALFORMED)
    operations = []
    for index in range(count):
        is_element = key_actors[index] is not None or key_counters[index] is not None
        plain = actions[index] == 1 and not (inserts[index] or expands[index] or marks[index] is not None)
        operations.append(
            _Operation(
                key=None if is_element else names[index],
                on_root=objects[index] == (None, None),
                is_put=plain,
                type=values[index][0],
                raw=values[index][1],
                preds=preds[index],
            )
        )
    return operations


def _values(column: bytes, metas: list[int]) -> list[tuple[int, bytes]]:
    data, values = Bytes(column), []
    for meta in metas:
        kind, raw = meta & 15, data.take(meta >> 4)
        inner = Bytes(raw)
        match kind:
            case 0 | 1 | 2:
                pass
            case 3:
                inner.uleb()
            case 4 | 8 | 9:
                inner.sleb()
            case 5:
                inner.take(8)
            case _:
                inner.take(len(raw))
        need(inner.is_done, MALFORMED)
        values.append((kind, raw))
    need(data.is_done, MALFORMED)
    return values


def _preds(columns: dict[int, bytes], count: int, others: int) -> list[list[tuple[int, int]]]:
    column = columns.get(PRED_COUNT, b"")
    groups = [group or 0 for group in decode_runs(column, "uint", count)]
    need(len(groups) == count or not column, MALFORMED)
    groups = groups or [0] * count
    total = sum(groups)
    need(total <= PREDS_MAX, "change-size")
    actors = decode_runs(columns.get(PRED_ACTOR, b""), "uint", total)
    counters = decode_deltas(columns.get(PRED_COUNTER, b""), total)
    need(len(actors) == total and len(counters) == total, MALFORMED)
    pairs: list[tuple[int, int]] = []
    for actor, counter in zip(actors, counters):
        if actor is None or counter is None or actor > others:
            raise Refused(MALFORMED)
        need(1 <= counter <= _COUNTER_MAX, MALFORMED)
        pairs.append((counter, actor))
    flat = iter(pairs)
    return [[next(flat) for _ in range(group)] for group in groups]


def _check_operations(operations: list[_Operation]) -> None:
    need(len(operations) > 0, "change-empty")
    need(all(operation.on_root for operation in operations), "change-object")
    need(all(operation.is_put for operation in operations), "change-action")
    keys = [operation.key for operation in operations]
    need(all(key is not None and KEY.fullmatch(key) for key in keys), "change-key")
    encoded = [key.encode() for key in keys if key is not None]
    need(encoded == sorted(encoded), "change-key")
    need(ascends(encoded), "change-duplicate-key")
    for operation in operations:
        _read_value(operation)


def _read_value(operation: _Operation) -> Any:
    match operation.type:
        case 0:
            return None
        case 1 | 2:
            return operation.type == 2
        case 4:
            return Bytes(operation.raw).sleb()
        case 6:
            need(len(operation.raw) <= _TEXT_MAX, "change-value")
            try:
                text = operation.raw.decode()
                cbor.check_text(text, multiline=True)
            except (UnicodeDecodeError, Refused):
                raise Refused("change-value") from None
            return text
        case _:
            raise Refused("change-value")


def _put(operation: _Operation, actors: list[bytes]) -> Put:
    preds = tuple((counter, actors[actor]) for counter, actor in operation.preds)
    return Put(operation.key or "", _read_value(operation), preds)


def _encode(
    deps: list[bytes],
    author: bytes,
    seq: int,
    start_op: int,
    message: str,
    operations: list[_Operation],
    puts: tuple[Put, ...],
) -> bytes:
    """What Automerge writes for these puts."""
    others = sorted({actor for put in puts for _, actor in put.preds} - {author})
    actors = [author, *others]
    written = [
        (put.key, one.type, one.raw, [(actors.index(actor), counter) for counter, actor in put.preds])
        for put, one in zip(puts, operations)
    ]
    return write_change(deps, author, seq, start_op, bytes.fromhex(message), others, written)[0]


# Key, type and bytes of the value, and of each predecessor the actor (0 the author) and the counter.
Written = tuple[str, int, bytes, list[tuple[int, int]]]


def write_change(
    deps: list[bytes], author: bytes, seq: int, start_op: int, seed: bytes, others: list[bytes], puts: list[Written]
) -> tuple[bytes, bytes]:
    """The canonical chunk and its hash."""
    flat = [pred for _, _, _, preds in puts for pred in preds]
    columns = {
        KEY_NAME: encode_runs((key for key, _, _, _ in puts), "text"),
        INSERT: encode_booleans([False] * len(puts)),
        ACTION: encode_runs([1] * len(puts), "uint"),
        VALUE_META: encode_runs((len(raw) << 4 | kind for _, kind, raw, _ in puts), "uint"),
        VALUE: b"".join(raw for _, _, raw, _ in puts),
        PRED_COUNT: encode_runs((len(preds) for _, _, _, preds in puts), "uint"),
        PRED_ACTOR: encode_runs((actor for actor, _ in flat), "uint"),
        PRED_COUNTER: encode_deltas([counter for _, counter in flat]),
    }
    written = {number: column for number, column in columns.items() if column}
    message = seed.hex().encode()
    parts = [uleb(len(deps)), *deps, uleb(len(author)), author, uleb(seq), uleb(start_op), sleb(0)]
    parts += [uleb(len(message)), message, uleb(len(others))]
    parts += [uleb(16) + actor for actor in others]
    parts.append(uleb(len(written)))
    parts += [uleb(number) + uleb(len(column)) for number, column in written.items()]
    contents = b"".join([*parts, *written.values()])
    hash_ = _hash(contents)
    return MAGIC + hash_[:4] + b"\x01" + uleb(len(contents)) + contents, hash_
