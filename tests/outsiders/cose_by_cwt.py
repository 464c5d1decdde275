"""PyPI `cwt` reads our signed items as COSE_Sign1 (RFC 9052) with algorithm -19 (RFC 9864).

Usage: python cose_by_cwt.py fixtures/vectors
It accepts every entry, certificate and charter signature of valid vectors, and refuses the forgeries of that layer.
"""

import json
import sys
from pathlib import Path
from typing import Any

import cbor2
from cwt import COSE, COSEKey
from cwt.exceptions import CWTError

# What cwt need not know: our rules about headers, and that `alg` in the header is the key's (cwt takes the key's).
HEADERS = {
    "envelope-algorithm-eddsa", "envelope-algorithm-es256", "envelope-without-algorithm",
    "envelope-type-certificate", "envelope-type-charter", "envelope-type-cut", "envelope-type-erasure",
    "envelope-type-receipt", "envelope-type-request", "envelope-type-v2", "envelope-unknown-protected",
    "envelope-unprotected-content", "envelope-unprotected-kid", "envelope-without-type",
}  # fmt: skip
# The equation holds, and OpenSSL asks no more: why our predicate is stricter than a library's.
EQUATION = {"signature-r-identity"}
FORGERIES = ("envelope-", "signature-")


def octets(value: Any) -> bytes:
    """Bytes of a vector (fixtures/vectors/README.md)."""
    pieces = [value] if isinstance(value, str) else value
    whole = (piece if isinstance(piece, str) else piece["repeat"] * piece["times"] for piece in pieces)
    return b"".join(map(bytes.fromhex, whole))


def accepts(data: bytes) -> bool:
    """Whether cwt verifies the item under the key that it names."""
    try:
        protected, unprotected, payload, signature = cbor2.loads(data)
        kid = cbor2.loads(protected)[4]
        # 1: key type OKP, 2: kid, 3: algorithm Ed25519, -1: curve Ed25519, -2: the public key.
        key = COSEKey.new({1: 1, 2: kid, 3: -19, -1: 6, -2: kid})
        tagged = cbor2.CBORTag(18, [protected, unprotected, payload, signature])
        return COSE.new(verify_kid=True).decode(tagged, key) == payload
    except (CWTError, ValueError, KeyError, TypeError):
        return False


def items(vector: dict[str, Any]) -> list[bytes]:
    """The signed items of a valid vector."""
    listed = [octets(entry["header"]) for entry in vector.get("entries", [])]
    listed += [octets(certificate) for certificate in vector.get("statements", {}).get("certificates", [])]
    if "charter" in vector:
        listed += cbor2.loads(octets(vector["charter"]))[1]
    return listed


def main(folder: Path) -> int:
    """0: cwt agrees."""
    faults, seen = [], set()
    for path in sorted(folder.glob("*/valid/*.json")):
        for data in items(json.loads(path.read_text())):
            if data not in seen and not accepts(data):
                faults.append(f"{path.parent.parent.name}/valid/{path.stem}: refused")
            seen.add(data)
    refused = 0
    for path in sorted(folder.glob("entry/invalid/*.json")):
        if path.stem.startswith(FORGERIES) and path.stem not in HEADERS | EQUATION:
            vector, expected = (json.loads(path.with_suffix(end).read_text()) for end in (".json", ".expected"))
            refused += 1
            if accepts(octets(vector["entries"][expected["entry"]]["header"])):
                faults.append(f"entry/invalid/{path.stem}: accepted")
    print(f"cwt accepts {len(seen)} signed items and refuses {refused} forgeries")
    print(*faults, sep="\n")
    return 1 if faults or not seen or not refused else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
