"""Deterministic CBOR of entry.md, Conventions: reads one item and refuses all but its one encoding.

What is read: `int`, `bytes`, `str`, `list`, `dict`, `bool` and `None`.
"""

import unicodedata
from typing import Any

from .refusal import Refused, need

NESTING_MAX = 16
_BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def decode(data: bytes) -> Any:
    """The one item that `data` is."""
    item, end = decode_first(data)
    need(end == len(data), "cbor-trailing")
    return item


def decode_first(data: bytes, start: int = 0) -> tuple[Any, int]:
    """The item at `start`, and where it ends."""
    reader = _Reader(data, start)
    return reader.item(0), reader.at


def check_text(text: str, multiline: bool) -> None:
    """Normalization Form C; no control and no bidirectional format characters; a line feed in notes only."""
    need(unicodedata.normalize("NFC", text) == text, "text-not-nfc")
    for character in text:
        if character == "\n" and multiline:
            continue
        need(not is_forbidden(character), "text-forbidden")


def is_forbidden(character: str) -> bool:
    """A control character, or one that changes the direction of others."""
    return unicodedata.category(character) == "Cc" or ord(character) in _BIDI


class _Reader:
    def __init__(self, data: bytes, start: int) -> None:
        self.data = data
        self.at = start

    def take(self, count: int) -> bytes:
        need(count <= len(self.data) - self.at, "cbor-malformed")
        self.at += count
        return self.data[self.at - count : self.at]

    def item(self, depth: int) -> Any:
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        if major == 6:
            raise Refused("cbor-tag")
        if info == 31:
            raise Refused("cbor-indefinite")
        if major == 7:
            return self.simple(info)
        number = self.argument(major, info)
        match major:
            case 0:
                return number
            case 1:
                return -1 - number
            case 2:
                return self.take(number)
            case 3:
                return self.text(number)
            case 4:
                need(depth < NESTING_MAX, "cbor-depth")
                return self.array(number, depth + 1)
            case _:
                need(depth < NESTING_MAX, "cbor-depth")
                return self.map(number, depth + 1)

    def argument(self, major: int, info: int) -> int:
        if info < 24:
            return info
        need(info < 28, "cbor-malformed")
        width = 1 << (info - 24)
        number = int.from_bytes(self.take(width), "big")
        shortest = number >= 24 if width == 1 else number >> (4 * width) > 0
        need(shortest, "cbor-non-minimal")
        return number

    def simple(self, info: int) -> bool | None:
        known = {20: False, 21: True, 22: None}
        if info in known:
            return known[info]
        if info in (25, 26, 27):
            raise Refused("cbor-float")
        raise Refused("cbor-malformed" if info >= 28 else "cbor-simple")

    def text(self, length: int) -> str:
        try:
            text = self.take(length).decode()
        except UnicodeDecodeError:
            raise Refused("text-utf8") from None
        check_text(text, multiline=True)
        return text

    def array(self, count: int, depth: int) -> list[Any]:
        need(count <= len(self.data) - self.at, "cbor-malformed")
        return [self.item(depth) for _ in range(count)]

    def map(self, count: int, depth: int) -> dict[int, Any]:
        need(count <= len(self.data) - self.at, "cbor-malformed")
        pairs: dict[int, Any] = {}
        before = b""
        for _ in range(count):
            start = self.at
            key = self.item(depth)
            need(type(key) is int, "shape")
            encoded = self.data[start : self.at]
            need(encoded != before, "cbor-duplicate-key")
            need(encoded > before, "cbor-key-order")
            pairs[key] = self.item(depth)
            before = encoded
        return pairs


def encode(item: Any) -> bytes:
    """The one encoding of an item."""
    if item is None:
        return b"\xf6"
    if isinstance(item, bool):
        return b"\xf5" if item else b"\xf4"
    if isinstance(item, int):
        return _head(0, item) if item >= 0 else _head(1, -1 - item)
    if isinstance(item, bytes):
        return _head(2, len(item)) + item
    if isinstance(item, str):
        return _head(3, len(item.encode())) + item.encode()
    if isinstance(item, (list, tuple)):
        return _head(4, len(item)) + b"".join(map(encode, item))
    pairs = sorted((encode(key), encode(value)) for key, value in item.items())
    return _head(5, len(pairs)) + b"".join(key + value for key, value in pairs)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    info, width = next((24 + i, 1 << i) for i in range(4) if number >> (8 << i) == 0)
    return bytes([major << 5 | info]) + number.to_bytes(width, "big")
