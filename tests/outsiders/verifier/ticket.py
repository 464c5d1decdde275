"""Texts that people carry: tickets (ticket.md), and the adverts of a local network (nearby.md)."""

import base64
import binascii
import ipaddress
from dataclasses import dataclass

from . import cbor
from .fields import octets, text
from .hashing import sha256
from .refusal import Refused, need
from .roster import Charter

_PREFIX, _TEXT_MAX, _ADDRESSES_MAX = "MERESTONE-TICKET:", 446, 8


@dataclass(frozen=True)
class Ticket:
    """Where a device answers, and the key that it proves there."""

    mission: bytes
    transport: bytes
    addresses: list[str]
    name: str | None


def open_ticket(typed: str) -> Ticket:
    """The ticket; `mistyped`, `newer` or `refused`."""
    joined = "".join(typed.split()).upper()
    need(len(joined) <= _TEXT_MAX and joined.startswith(_PREFIX), "mistyped")
    encoded = joined[len(_PREFIX) :]
    try:
        raw = base64.b32decode(encoded + "=" * (-len(encoded) % 8))
    except (binascii.Error, ValueError):
        raise Refused("mistyped") from None
    data = raw[:-4]
    need(len(raw) > 4 and sha256(data)[:4] == raw[-4:], "mistyped")
    try:
        return _ticket(data)
    except Refused as refusal:
        raise Refused("newer" if refusal.code == "newer" else "refused") from None


def _ticket(data: bytes) -> Ticket:
    item = cbor.decode(data)
    need(type(item) is list and len(item) > 0 and type(item[0]) is int and item[0] > 0)
    need(item[0] == 1, "newer")
    need(len(item) == 5)
    _, mission, transport, addresses, name = item
    octets(8)(mission), octets(32)(transport)
    need(type(addresses) is list and 1 <= len(addresses) <= _ADDRESSES_MAX)
    told = [_address(address) for address in addresses]
    need(len(set(told)) == len(told))
    return Ticket(mission, transport, told, None if name is None else text(64)(name))


def _address(raw: bytes) -> str:
    need(type(raw) is bytes and len(raw) in (6, 18))
    address, port = ipaddress.ip_address(raw[:-2]), int.from_bytes(raw[-2:], "big")
    need(port != 0 and not address.is_unspecified and not address.is_multicast)
    if isinstance(address, ipaddress.IPv6Address):
        need(not address.is_link_local and address.ipv4_mapped is None)
        return f"[{address}]:{port}"
    return f"{address}:{port}"


def open_advert(data: bytes, charter: Charter) -> tuple[bytes, bytes]:
    """Salt and transport key of an advert of this mission; `no-advert` or `nobody`."""
    need(len(data) == 56, "no-advert")
    salt, hidden, check = data[:16], data[16:48], data[48:]
    secret = sha256(b"merestone/nearby/v1", charter.payload)
    pad = sha256(b"merestone/nearby/pad/v1", secret, salt)
    transport = bytes(a ^ b for a, b in zip(hidden, pad))
    found = sha256(b"merestone/nearby/check/v1", secret, salt, transport)[:8]
    need(found == check, "nobody")
    return salt, transport
