"""The envelope of entry.md: an untagged COSE_Sign1 with one label for each type of statement."""

from collections.abc import Callable
from dataclasses import dataclass

from . import cbor, ed25519
from .hashing import sha256
from .refusal import need

_LABEL = "application/vnd.merestone.{}.v{}"
_ALGORITHM = -19


@dataclass(frozen=True)
class Envelope:
    """A signed item whose signature holds."""

    data: bytes
    key: bytes
    payload: bytes
    version: int

    @property
    def id(self) -> bytes:
        """The entry id or statement id."""
        return sha256(self.data)


def open_envelope(
    data: bytes,
    kind: str,
    payload_is_cbor: bool = True,
    version: int = 1,
    or_version: int | None = None,
    check_key: Callable[[bytes], None] = lambda key: None,
) -> Envelope:
    """Steps 2 to 5 of entry.md, Order of the checks; `kind` is the type's word in the label.

    Where `or_version` is given, the label may be of either version.

    `check_key` is what a page asks of the signer's key before the signature.
    """
    outer = cbor.decode(data)
    need(type(outer) is list and len(outer) == 4)
    protected, unprotected, payload, signature = outer
    need(type(protected) is bytes and type(unprotected) is dict)
    need(type(payload) is bytes)
    need(type(signature) is bytes and len(signature) == 64)
    fields = cbor.decode(protected)
    need(type(fields) is dict and set(fields) == {1, 4, 16})
    algorithm, key, label = fields[1], fields[4], fields[16]
    need(type(algorithm) is int and type(key) is bytes and len(key) == 32 and type(label) is str)
    need(algorithm == _ALGORITHM, "cose-algorithm")
    need(not unprotected, "cose-unprotected")
    found = next((one for one in (version, or_version) if label == _LABEL.format(kind, one)), None)
    need(found is not None, "cose-type")
    if payload_is_cbor:
        cbor.decode(payload)
    check_key(key)
    ed25519.admit(key)
    signed = cbor.encode(["Signature1", protected, b"", payload])
    need(ed25519.verify(key, signed, signature), "signature-invalid")
    return Envelope(data, key, payload, found or version)
