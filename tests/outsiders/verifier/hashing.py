"""SHA-256 as core/spec writes it: `H`, `H16` and `u32` of entry.md, Conventions."""

import hashlib


def sha256(*parts: bytes) -> bytes:
    """H over the joined parts."""
    return hashlib.sha256(b"".join(parts)).digest()


def sha256_16(*parts: bytes) -> bytes:
    """H16: the first 16 bytes of H."""
    return sha256(*parts)[:16]


def u32(number: int) -> bytes:
    """Four bytes, big-endian."""
    return number.to_bytes(4, "big")
