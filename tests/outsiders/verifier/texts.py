"""Charters as texts (roster.md, Charter as text)."""

import base64
import binascii
import re

from .hashing import sha256
from .refusal import Refused, need

_PREFIX, _CHARS_MAX, _PART = "MERESTONE-CHARTER:", 950_000, 266
_HEAD = re.compile(r"([1-9][0-9]{0,2})/([1-9][0-9]{0,2})/([A-Z2-7]{16})/")


def join_texts(typed: str) -> tuple[str, bytes, int]:
    """Short id, whole and number of parts; else `too-long`, `mistyped`, `part`, `mixed`, `differs`, `missing` or `id`."""
    joined = "".join(typed.split())
    need(len(joined) <= _CHARS_MAX, "too-long")
    joined = joined.upper()
    need(joined.startswith(_PREFIX), "mistyped")
    held: dict[int, bytes] = {}
    first: tuple[int, str] | None = None
    for text in joined[len(_PREFIX) :].split(_PREFIX):
        number, count, short_id, data = _part(text)
        first = first or (count, short_id)
        need(first == (count, short_id), "mixed")
        need(held.setdefault(number, data) == data, "differs")
    assert first is not None
    count, short_id = first
    need(set(held) == set(range(1, count + 1)), "missing")
    whole = b"".join(held[number] for number in range(1, count + 1))
    need(base64.b32encode(sha256(whole)[:10]).decode() == short_id, "id")
    return short_id, whole, count


def _part(text: str) -> tuple[int, int, str, bytes]:
    head = _HEAD.match(text)
    if head is None:
        raise Refused("part")
    number, count, short_id = int(head[1]), int(head[2]), head[3]
    need(number <= count, "part")
    coded = text[head.end() :]
    try:
        raw = base64.b32decode(coded + "=" * (-len(coded) % 8))
    except (binascii.Error, ValueError):
        raise Refused("mistyped") from None
    data = raw[:-4]
    need(len(raw) >= 4 and sha256(head[0].encode(), data)[:4] == raw[-4:], "mistyped")
    need(len(data) == _PART if number < count else 1 <= len(data) <= _PART, "part")
    return number, count, short_id, data
