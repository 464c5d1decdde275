"""The numbers and columns of Automerge's binary format, as far as a change of entry.md may use them."""

from collections.abc import Iterable
from typing import Any

from .refusal import need

MALFORMED = "change-malformed"


class Bytes:
    """Bytes that are read from the front; what is not there is `change-malformed`."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def is_done(self) -> bool:
        return self.at == len(self.data)

    def take(self, count: int) -> bytes:
        need(count <= len(self.data) - self.at, MALFORMED)
        self.at += count
        return self.data[self.at - count : self.at]

    def uleb(self) -> int:
        """An unsigned LEB128 number of 64 bits, in its shortest form."""
        number, byte, shift = 0, 0x80, 0
        while byte & 0x80:
            need(shift < 70, MALFORMED)
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            shift += 7
        need(shift == 7 or byte != 0, MALFORMED)
        need(number < 2**64, MALFORMED)
        return number

    def sleb(self) -> int:
        """A signed LEB128 number of 64 bits, in its shortest form."""
        start, number, byte, shift = self.at, 0, 0x80, 0
        while byte & 0x80:
            need(shift < 70, MALFORMED)
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            shift += 7
        if byte & 0x40:
            number -= 1 << shift
        need(-(2**63) <= number < 2**63, MALFORMED)
        need(sleb(number) == self.data[start : self.at], MALFORMED)
        return number


def uleb(number: int) -> bytes:
    """The shortest unsigned LEB128."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def sleb(number: int) -> bytes:
    """The shortest signed LEB128."""
    out = bytearray()
    while not -64 <= number < 64:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number & 0x7F])


def _value(data: Bytes, kind: str) -> Any:
    if kind == "uint":
        return data.uleb()
    if kind == "int":
        return data.sleb()
    raw = data.take(data.uleb())
    try:
        return raw.decode()
    except UnicodeDecodeError:
        need(False, MALFORMED)


def _encode_value(value: Any, kind: str) -> bytes:
    if kind == "uint":
        return uleb(value)
    if kind == "int":
        return sleb(value)
    return uleb(len(value.encode())) + value.encode()


def decode_runs(column: bytes, kind: str, count_max: int, too_many: str = MALFORMED) -> list[Any]:
    """A run-length column: `n > 0` times one value, `-n` values, or 0 and a number of nulls."""
    data = Bytes(column)
    values: list[Any] = []
    while not data.is_done:
        length = data.sleb()
        if length == 0:
            nulls = data.uleb()
            need(nulls > 0, MALFORMED)
            need(nulls <= count_max - len(values), too_many)
            values += [None] * nulls
        elif length > 0:
            need(length <= count_max - len(values), too_many)
            values += [_value(data, kind)] * length
        else:
            need(-length <= count_max - len(values), too_many)
            values += [_value(data, kind) for _ in range(-length)]
    return values


def encode_runs(values: Iterable[Any], kind: str) -> bytes:
    """Runs as long as possible, literal runs otherwise; a column of nulls has no bytes."""
    out, listed, at = bytearray(), list(values), 0
    literal: list[Any] = []

    def flush() -> None:
        if literal:
            out.extend(sleb(-len(literal)) + b"".join(_encode_value(value, kind) for value in literal))
            literal.clear()

    if all(value is None for value in listed):
        return b""
    while at < len(listed):
        end = at
        while end < len(listed) and listed[end] == listed[at]:
            end += 1
        if listed[at] is None:
            flush()
            out.extend(b"\x00" + uleb(end - at))
        elif end - at > 1:
            flush()
            out.extend(sleb(end - at) + _encode_value(listed[at], kind))
        else:
            literal.append(listed[at])
        at = end
    flush()
    return bytes(out)


def decode_deltas(column: bytes, count_max: int) -> list[int | None]:
    """A run-length column of differences, the first from 0."""
    total = 0
    values: list[int | None] = []
    for difference in decode_runs(column, "int", count_max):
        if difference is None:
            values.append(None)
            continue
        total += difference
        need(-(2**63) <= total < 2**63, MALFORMED)
        values.append(total)
    return values


def encode_deltas(values: list[int]) -> bytes:
    """Differences, the first from 0, in runs."""
    return encode_runs([after - before for before, after in zip([0, *values], values)], "int")


def decode_booleans(column: bytes, count_max: int) -> list[bool]:
    """Lengths of runs, the first of false."""
    data, value = Bytes(column), False
    values: list[bool] = []
    while not data.is_done:
        length = data.uleb()
        need(length <= count_max - len(values), MALFORMED)
        values += [value] * length
        value = not value
    return values


def encode_booleans(values: list[bool]) -> bytes:
    """Lengths of runs, the first of false."""
    out, value, length = bytearray(), False, 0
    for found in values:
        if found != value:
            out.extend(uleb(length))
            value, length = found, 0
        length += 1
    return bytes(out + uleb(length)) if length else bytes(out)
