"""SHA-256 as core/spec writes it (`H`, `H16`, `u32` of entry.md), and the checksum of Zstandard frames."""

import hashlib

_PRIMES = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
_MASK = (1 << 64) - 1


def sha256(*parts: bytes) -> bytes:
    """H over the joined parts."""
    return hashlib.sha256(b"".join(parts)).digest()


def sha256_16(*parts: bytes) -> bytes:
    """H16: the first 16 bytes of H."""
    return sha256(*parts)[:16]


def u32(number: int) -> bytes:
    """Four bytes, big-endian."""
    return number.to_bytes(4, "big")


def _turn(number: int, count: int) -> int:
    number &= _MASK
    return (number << count | number >> 64 - count) & _MASK


def _round(sum_: int, word: int) -> int:
    return _turn(sum_ + word * _PRIMES[1], 31) * _PRIMES[0] & _MASK


def xxh64(data: bytes) -> int:
    """XXH64 with seed 0: against accidents only."""
    one, two, three, four, five = _PRIMES
    at, number = 0, five
    if len(data) >= 32:
        sums = [one + two & _MASK, two, 0, -one & _MASK]
        while at + 32 <= len(data):
            words = [int.from_bytes(data[at + 8 * lane : at + 8 * lane + 8], "little") for lane in range(4)]
            sums = [_round(sum_, word) for sum_, word in zip(sums, words)]
            at += 32
        number = sum(_turn(sum_, count) for sum_, count in zip(sums, (1, 7, 12, 18)))
        for sum_ in sums:
            number = ((number ^ _round(0, sum_)) * one + four) & _MASK
    number = number + len(data) & _MASK
    while at + 8 <= len(data):
        number = _turn(number ^ _round(0, int.from_bytes(data[at : at + 8], "little")), 27) * one + four
        at += 8
    if at + 4 <= len(data):
        number = _turn(number ^ int.from_bytes(data[at : at + 4], "little") * one, 23) * two + three
        at += 4
    for byte in data[at:]:
        number = _turn(number ^ byte * five, 11) * one
    number &= _MASK
    number = (number ^ number >> 33) * two & _MASK
    number = (number ^ number >> 29) * three & _MASK
    return number ^ number >> 32
