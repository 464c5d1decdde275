"""A bag's files: the layout, the two manifests, and which bytes may be read as what (bundle.md, Layout)."""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .findings import Finding, failure, note
from .hashing import sha256
from .refusal import Refused

VERSIONS = (1, 2)
_MANIFEST, _TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
_TAG_FILES = ("bagit.txt", "bag-info.txt", _MANIFEST, _TAG_MANIFEST)
_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_HASH = "[0-9a-f]{64}"
_ROW = re.compile(rf"({_HASH})  (\S.*)")
_KNOWN = re.compile(
    rf"data/charter\.cbor|data/statements/(?:certificate|cut|erasure|receipt|inclusion|succession)/{_HASH}\.cbor|data/forms/{_HASH}\.cbor"
    rf"|data/logs/{_HASH}\.cborseq|data/photos/{_HASH}|data/ledger/(?:checkpoint\.note|notes/[0-9]+-{_HASH}\.note|tile/entries/.+)"
)


class Files:
    """The files of a bag, by path with `/` between names."""

    def paths(self) -> list[str]:
        """All paths, ascending."""
        raise NotImplementedError

    def read(self, path: str) -> bytes | None:
        """The bytes; nothing where no regular file is there."""
        raise NotImplementedError


@dataclass
class MemoryFiles(Files):
    """A bag in memory."""

    held: dict[str, bytes]

    def paths(self) -> list[str]:
        return sorted(self.held)

    def read(self, path: str) -> bytes | None:
        return self.held.get(path)


@dataclass
class FolderFiles(Files):
    """A bag in a folder; symbolic links and devices are seen and never opened."""

    folder: Path

    def paths(self) -> list[str]:
        return sorted(self._walk(self.folder))

    def _walk(self, folder: Path) -> Iterator[str]:
        for place in folder.iterdir():
            if stat.S_ISDIR(place.lstat().st_mode):
                yield from self._walk(place)
            else:
                yield place.relative_to(self.folder).as_posix()

    def read(self, path: str) -> bytes | None:
        place = self.folder / path
        try:
            return place.read_bytes() if stat.S_ISREG(place.lstat().st_mode) else None
        except OSError:
            return None


@dataclass
class Bag:
    """What the tag files say, and what is wrong with files as files."""

    files: Files
    version: int
    scopes: list[bytes] | None
    # What `bag-info.txt` says, which no verdict rests on.
    mission: str | None = None
    findings: list[Finding] = field(default_factory=list)

    def below(self, folder: str) -> Iterator[tuple[str, str]]:
        """Path and name without ending of the files of the layout below a folder."""
        for path in self.files.paths():
            if path.startswith(folder) and _KNOWN.fullmatch(path):
                yield path, path[len(folder) :].partition(".")[0]

    def named_by_hash(self, folder: str) -> Iterator[bytes]:
        """The files of a folder; one that is not named by the hash of its content is a finding, and is read."""
        for path, name in self.below(folder):
            data = self.files.read(path)
            if data is None:
                self.findings.append(failure("bag-unreadable", file=path))
                continue
            if sha256(data).hex() != name:
                self.findings.append(failure("bag-misnamed", statement=sha256(data), file=path))
            yield data


def open_bag(files: Files) -> Bag:
    """The bag's tag files; `bag-version` is the only refusal, since nothing else in such a bag is judged."""
    bag = Bag(files, 1, None)
    if files.read("bagit.txt") != _DECLARATION:
        bag.findings.append(failure("bag-unreadable", file="bagit.txt"))
    info = _info(files.read("bag-info.txt"))
    version = info.get("Merestone-Bag-Version", "")
    if not version.isdecimal():
        bag.findings.append(failure("bag-unreadable", file="bag-info.txt"))
    elif int(version) not in VERSIONS:
        raise Refused("bag-version")
    else:
        bag.version = int(version)
    if "Merestone-Scopes" in info:
        bag.scopes = _scopes(files.read("bag-info.txt") or b"", info["Merestone-Scopes"])
        if bag.scopes is None:
            bag.findings.append(failure("bag-unreadable", file="bag-info.txt"))
    bag.mission = info.get("External-Identifier")
    _check_manifests(bag)
    payload = [bag.files.read(path) for path in files.paths() if path.startswith("data/")]
    held = [data for data in payload if data is not None]
    if "bag-info.txt" in files.paths() and info.get("Payload-Oxum") != f"{sum(map(len, held))}.{len(held)}":
        bag.findings.append(failure("bag-manifest", file="bag-info.txt"))
    return bag


def _info(data: bytes | None) -> dict[str, str]:
    lines = (data or b"").decode(errors="replace").split("\n")
    return {key: value.strip() for key, colon, value in (line.partition(":") for line in lines) if colon}


def _scopes(data: bytes, value: str) -> list[bytes] | None:
    """The scopes of a bag of some; None where the line is there twice or is no list of ids."""
    words = value.split()
    is_id = all(len(word) == 16 and set(word) <= set("0123456789abcdef") for word in words)
    is_once = sum(line.startswith(b"Merestone-Scopes:") for line in data.split(b"\n")) == 1
    return [bytes.fromhex(word) for word in words] if words and is_id and is_once else None


def _check_manifests(bag: Bag) -> None:
    paths = bag.files.paths()
    for manifest, covered in (
        (_MANIFEST, [path for path in paths if path.startswith("data/")]),
        (_TAG_MANIFEST, [path for path in paths if path in _TAG_FILES and path != _TAG_MANIFEST]),
    ):
        said = _rows(bag, manifest)
        if said is None:
            continue
        for path in sorted({*covered, *said}):
            data = bag.files.read(path)
            if data is None and path not in said:
                bag.findings.append(failure("bag-unreadable", file=path))
            elif data is None or path not in said or sha256(data).hex() != said[path]:
                bag.findings.append(failure("bag-manifest", file=path))
    for path in paths:
        if path not in _TAG_FILES and not _KNOWN.fullmatch(path):
            bag.findings.append(note("bag-foreign-file", file=path))


def _rows(bag: Bag, manifest: str) -> dict[str, str] | None:
    data = bag.files.read(manifest)
    rows = [_ROW.fullmatch(line) for line in (data or b"").decode(errors="replace").splitlines()]
    if data is None or None in rows:
        bag.findings.append(failure("bag-unreadable", file=manifest))
        return None
    return {row[2]: row[1] for row in rows if row is not None}
