"""Photos as files, records on a stick, and bags for auditors."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath

from . import _crossing as crossing
from ._crossing import BagLine, CourierLine, CourierOrderLine, CourierReadLine, CourierWrittenLine, asked


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


class Courier:
    """Records on a stick, where no network reaches. The file is not encrypted: whoever finds it reads it."""

    def __init__(self, phone: crossing.Phone) -> None:
        self._phone = phone

    async def write(
        self,
        observer: str,
        path: str | PathLike[str],
        *,
        made_for: str | None = None,
        without_originals: bool = False,
        bytes_max: int | None = None,
    ) -> CourierWrittenLine:
        """Writes a file with everything, or with what the key ``made_for`` lacked by its last receipt."""
        order = CourierOrderLine(
            path=fspath(path), made_for=made_for, without_originals=without_originals, bytes_max=bytes_max
        )
        return await asked(self._phone.write_courier(observer, order))

    async def inspect(self, path: str | PathLike[str]) -> CourierLine:
        """What a file holds, and who made it, as it says: nobody signed that. Nothing is taken from it."""
        return await asked(self._phone.inspect_courier(fspath(path)))

    async def read(self, observer: str, path: str | PathLike[str]) -> CourierReadLine:
        """Takes what a file holds, each thing judged by its own signatures."""
        return await asked(self._phone.read_courier(observer, fspath(path)))


class Bags:
    """Evidence for auditors."""

    def __init__(self, phone: crossing.Phone) -> None:
        self._phone = phone

    async def write(self, folder: str | PathLike[str], scopes: Sequence[str] | None = None) -> BagLine:
        """Writes everything that is held, or some scopes, into a new folder that `merestone.audit` judges."""
        return await asked(self._phone.write_bag(fspath(folder), None if scopes is None else list(scopes)))
