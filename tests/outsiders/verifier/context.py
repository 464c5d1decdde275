"""What a body says about the device that wrote it: clock, place, post, observer, photos (entry.md, Body)."""

from typing import Any

from .fields import ascends, fields, hash32, integer, items, octets, row, text, uint
from .refusal import need

_FILE_MAX = 67_108_864
_PHOTOS_MAX = 32


def _between(low: int, high: int) -> Any:
    return lambda value: integer(value, low, high)


clock = row(integer, uint, octets(8), _between(-1_440, 1_440), _between(0, 2))
place = row(_between(-900_000_000, 900_000_000), _between(-1_800_000_000, 1_800_000_000), uint, _between(1, 4))
post = text(128)
observer = text(64)
_size = _between(1, _FILE_MAX)


def _rendition(value: Any) -> Any:
    if type(value) is int:
        return integer(value, 1, 4)
    return row(hash32, _size, hash32, uint, uint)(value)


def _photo(value: Any) -> dict[int, Any]:
    known = {1: hash32, 2: _size, 3: hash32, 4: _between(1, 5), 5: uint, 6: uint, 7: _rendition, 8: _rendition}
    return fields(value, known, (1, 2, 3, 4, 7, 8))


def photos(value: Any) -> list[dict[int, Any]]:
    """Photos, strictly ascending by the original's hash."""
    listed = items(_photo, 1, _PHOTOS_MAX)(value)
    need(ascends(photo[1] for photo in listed))
    return listed


def context(value: Any) -> dict[int, Any]:
    """The context's map; whether photos may stand in it follows from the entry's kind."""
    known = {1: clock, 2: place, 3: post, 4: observer, 5: photos}
    return fields(value, known, (1, 4))


def photo_files(context_: dict[int, Any]) -> list[tuple[bytes, int, bytes]]:
    """Hash, size and chunk root of every original and rendition that a context names."""
    files = []
    for photo in context_.get(5, []):
        files.append((photo[1], photo[2], photo[3]))
        files += [photo[number][:3] for number in (7, 8) if isinstance(photo[number], tuple)]
    return files
