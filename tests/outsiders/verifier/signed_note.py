"""C2SP signed notes, before anybody's key is asked: a text and lines of signatures."""

import base64
import binascii
import re
from dataclasses import dataclass

from .hashing import sha256
from .refusal import Refused, need

_DECIMAL = re.compile(r"0|[1-9][0-9]*")
_DASH = "\u2014 "


@dataclass(frozen=True)
class Line:
    """A signature line as it stands, without its line feed."""

    text: str
    name: str
    key_hash: bytes
    signature: bytes

    @property
    def data(self) -> bytes:
        return self.text.encode() + b"\n"


@dataclass(frozen=True)
class Note:
    """`text` includes its last line feed; `lines` are not read yet."""

    text: bytes
    lines: list[str]


def split_note(data: bytes) -> Note | None:
    """The text and its lines: the text ends at the last empty line; nothing where there is none."""
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        return None
    at = whole.rfind("\n\n")
    if at < 0 or not whole.endswith("\n") or at + 2 >= len(whole):
        return None
    if any(ord(character) < 0x20 and character != "\n" for character in whole):
        return None
    return Note(whole[: at + 1].encode(), whole[at + 2 : -1].split("\n"))


def read_line(text: str) -> Line | None:
    """A signature line: a dash, a name without blanks and plus, and at least five bytes of base64."""
    if not text.startswith(_DASH):
        return None
    name, blank, rest = text[len(_DASH) :].partition(" ")
    raw = decode_base64(rest)
    if not blank or not is_name(name) or raw is None or len(raw) < 5:
        return None
    return Line(text, name, raw[:4], raw[4:])


def is_name(name: str) -> bool:
    """Whether a key may have this name."""
    return name != "" and "+" not in name and not any(character.isspace() for character in name)


def decode_base64(text: str) -> bytes | None:
    """Padded base64 without loose bits, or nothing."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None


def decode_decimal(text: str, most: int) -> int | None:
    """A number without sign and leading zeros, or nothing."""
    number = int(text) if len(text) <= 20 and _DECIMAL.fullmatch(text) else None
    return number if number is not None and number <= most else None


def key_hash(name: str, kind: int, key: bytes) -> bytes:
    """What a line has in front of its signature: kind 1 is a plain Ed25519 key, 4 a witness's."""
    return sha256(name.encode(), b"\n", bytes([kind]), key)[:4]


def need_lines(note: Note | None, code: str) -> tuple[Note, list[Line]]:
    """The note with every line read; a line that is no signature line refuses it."""
    if note is None:
        raise Refused(code)
    lines = [read_line(line) for line in note.lines]
    need(None not in lines, code)
    return note, [line for line in lines if line is not None]
