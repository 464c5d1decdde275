"""The RFC 6962 tree with SHA-256: roots, and the proofs of RFC 9162 §2.1.3.2 and §2.1.4.2."""

from collections.abc import Sequence

from .hashing import sha256


def leaf_hash(data: bytes) -> bytes:
    """H(0x00 || data)."""
    return sha256(b"\x00", data)


def node_hash(left: bytes, right: bytes) -> bytes:
    """H(0x01 || left || right)."""
    return sha256(b"\x01", left, right)


def split(width: int) -> int:
    """The greatest power of two below `width`."""
    return 1 << (width - 1).bit_length() - 1


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes; of none, the hash of nothing."""
    if not hashes:
        return sha256()
    level = list(hashes)
    # A node without a neighbour rises as it is: the same tree as RFC 6962 splits it.
    while len(level) > 1:
        pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root to which a path of exactly the right length leads."""
    if index >= size:
        return None
    at, last, found = index, size - 1, leaf
    for hash_ in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            found = node_hash(hash_, found)
            while at & 1 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, hash_)
        at, last = at >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(earlier: int, size: int, earlier_root: bytes, size_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the tree of `earlier` leaves is the beginning of that of `size`."""
    if earlier > size:
        return False
    if earlier == 0 or earlier == size:
        return not path and (earlier == 0 or earlier_root == size_root)
    hashes = list(path)
    if earlier & (earlier - 1) == 0:
        hashes.insert(0, earlier_root)
    if not hashes:
        return False
    at, last = earlier - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = hashes[0]
    for hash_ in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(hash_, old), node_hash(hash_, new)
            while at & 1 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, hash_)
        at, last = at >> 1, last >> 1
    return last == 0 and old == earlier_root and new == size_root
