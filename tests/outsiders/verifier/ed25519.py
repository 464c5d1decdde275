"""Keys and the signature predicate of entry.md, in plain integers.

A key is admitted, and a signature is valid, by rules that are stricter than RFC 8032 allows a library to be;
none of them is left to a library here.
"""

from functools import lru_cache
from hashlib import sha512

from .refusal import need

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
_ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

# (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
Point = tuple[int, int, int, int]
IDENTITY: Point = (0, 1, 1, 0)


def add(a: Point, b: Point) -> Point:
    """The sum; complete, so it serves doubling too."""
    lower, upper = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = upper - lower, d - c, d + c, upper + lower
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(number: int, point: Point) -> Point:
    """`number` times `point`."""
    total = IDENTITY
    while number:
        if number & 1:
            total = add(total, point)
        point = add(point, point)
        number >>= 1
    return total


def equal(a: Point, b: Point) -> bool:
    """Whether both are one point."""
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def decompress(data: bytes) -> Point | None:
    """The point whose one canonical encoding `data` is, or nothing."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * _ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


_BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or IDENTITY
_POWERS: list[Point] = []


def _multiply_base(number: int) -> Point:
    if not _POWERS:
        power = _BASE
        for _ in range(256):
            _POWERS.append(power)
            power = add(power, power)
    total = IDENTITY
    for index in range(number.bit_length()):
        if number >> index & 1:
            total = add(total, _POWERS[index])
    return total


def is_small(point: Point) -> bool:
    """Whether its order divides 8."""
    return equal(multiply(8, point), IDENTITY)


@lru_cache(maxsize=4096)
def _key_fault(key: bytes) -> str | None:
    point = decompress(key)
    if point is None:
        return "key-not-canonical"
    if is_small(point):
        return "key-weak"
    return None if equal(multiply(L, point), IDENTITY) else "key-mixed-order"


def admit(key: bytes) -> None:
    """Refuses a key that is not canonical, of small order, or not in the prime-order subgroup."""
    fault = _key_fault(key)
    need(fault is None, fault or "")


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """The predicate, for an admitted key: S below L, R canonical and not of small order, [S]B = R + [k]A."""
    if len(signature) != 64:
        return False
    scalar, commitment = int.from_bytes(signature[32:], "little"), decompress(signature[:32])
    public = decompress(key)
    if scalar >= L or commitment is None or public is None or is_small(commitment):
        return False
    k = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % L
    return equal(_multiply_base(scalar), add(commitment, multiply(k, public)))
