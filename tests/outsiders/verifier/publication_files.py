"""The files of a publication as files: the layout and the manifests (publication.md, Layout and Checks)."""

import re

from .bag_files import DECLARATION, Files, check_manifests, is_oxum, read_info
from .findings import Finding, failure

_HASH = "[0-9a-f]{64}"
_TAG_FILES = ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "index.html", "table.csv")
_KNOWN = re.compile(
    rf"data/charter\.cbor|data/account\.cbor|data/forms/{_HASH}\.cbor|data/disclosures/{_HASH}\.cborseq"
    rf"|data/photos/{_HASH}|data/ledger/checkpoint\.note"
)


def check_files(files: Files, mission: bytes) -> list[Finding]:
    """What is missing, strange, or not what the manifests say, as of a bag."""
    findings = check_manifests(files, _TAG_FILES, _KNOWN)
    if files.read("bagit.txt") != DECLARATION:
        findings.append(failure("publication-unreadable", file="bagit.txt"))
    info = read_info(files.read("bag-info.txt"))
    if info.get("Merestone-Publication-Version") != "1":
        findings.append(failure("publication-unreadable", file="bag-info.txt"))
    if info.get("External-Identifier", mission.hex()) != mission.hex():
        findings.append(failure("mission-mismatch", file="bag-info.txt"))
    if info and not is_oxum(files, info.get("Payload-Oxum")):
        findings.append(failure("bag-manifest", file="bag-info.txt"))
    if files.read("index.html") is None:
        findings.append(failure("publication-page", file="index.html"))
    missing = [path for path in ("data/charter.cbor", "data/account.cbor") if files.read(path) is None]
    return findings + [failure("publication-unreadable", file=path) for path in missing]
