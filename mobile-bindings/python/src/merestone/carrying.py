"""Photos as files."""

from __future__ import annotations

from os import PathLike, fspath

from . import _crossing as crossing
from ._crossing import asked


class Photos:
    """Photos by their SHA-256."""

    def __init__(self, phone: crossing.Phone) -> None:
        self._phone = phone

    async def picture(self, photo: str) -> bytes | None:
        """A thumbnail or preview; ``None`` when it is not held. Originals go by path: `save`."""
        return await asked(self._phone.picture(photo))

    async def save(self, photo: str, path: str | PathLike[str]) -> None:
        """Writes any photo to a new file.

        Raises:
            NotThere: the photo is not held.
            Refused: the file exists.
        """
        await asked(self._phone.save_photo(photo, fspath(path)))
