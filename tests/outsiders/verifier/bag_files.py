"""A bag's files: the layout, the two manifests, and which bytes may be read as what (bundle.md, Layout)."""

import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .findings import Finding, doubt, failure, note
from .hashing import sha256
from .refusal import Refused

VERSIONS = (1, 2)
_PHOTO_MAX = 67_108_864
_MANIFEST, _TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
_TAG_FILES = ("bagit.txt", "bag-info.txt", _MANIFEST, _TAG_MANIFEST)
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_HASH = "[0-9a-f]{64}"
_ROW = re.compile(rf"({_HASH})  (\S.*)")
_KNOWN = re.compile(
    rf"data/charter\.cbor|data/statements/(?:acknowledgement|amendment|certificate|cut|erasure|receipt|inclusion|succession)/{_HASH}\.cbor|data/forms/{_HASH}\.cbor"
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
            facts = place.lstat()
            is_over = path.startswith("data/photos/") and facts.st_size > _PHOTO_MAX
            return place.read_bytes() if stat.S_ISREG(facts.st_mode) and not is_over else None
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

    def named_by_hash(self, folder: str, id_of: Callable[[bytes], bytes] = sha256) -> Iterator[bytes]:
        """The files of a folder; one that is not named by the hash of its content is a finding, and is read."""
        for path, name in self.below(folder):
            data = self.files.read(path)
            if data is None:
                self.findings.append(failure("bag-unreadable", file=path))
                continue
            if id_of(data).hex() != name:
                self.findings.append(failure("bag-misnamed", statement=id_of(data), file=path))
            yield data


def open_bag(files: Files) -> Bag:
    """The bag's tag files; `bag-version` is the only refusal, since nothing else in such a bag is judged."""
    bag = Bag(files, 1, None)
    if files.read("bagit.txt") != DECLARATION:
        bag.findings.append(failure("bag-unreadable", file="bagit.txt"))
    info = read_info(files.read("bag-info.txt"))
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
    if info.get("Merestone-Leaves-Left-Out", "0") != "0":
        bag.findings.append(doubt("ledger-left-out"))
    bag.mission = info.get("External-Identifier")
    bag.findings += check_manifests(files, _TAG_FILES, _KNOWN)
    if "bag-info.txt" in files.paths() and not is_oxum(files, info.get("Payload-Oxum")):
        bag.findings.append(failure("bag-manifest", file="bag-info.txt"))
    return bag


def read_info(data: bytes | None) -> dict[str, str]:
    """The lines of `bag-info.txt`."""
    lines = (data or b"").decode(errors="replace").split("\n")
    return {key: value.strip() for key, colon, value in (line.partition(":") for line in lines) if colon}


def _scopes(data: bytes, value: str) -> list[bytes] | None:
    """The scopes of a bag of some; None where the line is there twice or is no list of ids."""
    words = value.split()
    is_id = all(len(word) == 16 and set(word) <= set("0123456789abcdef") for word in words)
    is_once = sum(line.startswith(b"Merestone-Scopes:") for line in data.split(b"\n")) == 1
    return [bytes.fromhex(word) for word in words] if words and is_id and is_once else None


def check_manifests(files: Files, tag_files: tuple[str, ...], known: re.Pattern[str]) -> list[Finding]:
    """What the two manifests and the files do not agree on, and files that the layout does not know."""
    paths, findings = files.paths(), []
    for manifest, covered in (
        (_MANIFEST, [path for path in paths if path.startswith("data/")]),
        (_TAG_MANIFEST, [path for path in paths if path in tag_files and path != _TAG_MANIFEST]),
    ):
        rows, wrong = _rows(files, manifest)
        findings += wrong
        if rows is None:
            continue
        for path in sorted({*covered, *rows}):
            data = files.read(path)
            if data is None and path in paths:
                findings.append(failure("bag-unreadable", file=path))
            elif data is None or path not in rows or sha256(data).hex() != rows[path]:
                findings.append(failure("bag-manifest", file=path))
    strange = [path for path in paths if path not in tag_files and not known.fullmatch(path)]
    return findings + [note("bag-foreign-file", file=path) for path in strange]


def _rows(files: Files, manifest: str) -> tuple[dict[str, str] | None, list[Finding]]:
    """The rows; nothing where the manifest is not there or no text. A line that is no row counts for nothing."""
    data = files.read(manifest)
    try:
        lines = None if data is None else data.decode().splitlines()
    except UnicodeDecodeError:
        lines = None
    if lines is None:
        return None, [failure("bag-unreadable", file=manifest)]
    rows = [_ROW.fullmatch(line) for line in lines]
    wrong = [failure("bag-manifest", file=manifest)] if None in rows else []
    return {row[2]: row[1] for row in rows if row is not None}, wrong


def is_oxum(files: Files, said: str | None) -> bool:
    """Whether `Payload-Oxum` is that of the payload."""
    payload = [files.read(path) for path in files.paths() if path.startswith("data/")]
    held = [data for data in payload if data is not None]
    return said == f"{sum(map(len, held))}.{len(held)}"
