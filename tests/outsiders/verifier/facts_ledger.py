"""What is found in a vector of the ledger, its witnesses and their times, as its `.expected` says it."""

from . import bounds
from .checkpoint import open_checkpoint
from .facts import Facts, Vector, octets, roster_of
from .hashing import sha256
from .ledger import make_tiles, open_bundle, open_path, open_proof, open_tile
from .merkle import leaf_hash, root
from .witness import Latest, add_checkpoint, open_cosigned, open_foreign, tally


def note(vector: Vector) -> Facts:
    found = open_checkpoint(octets(vector["note"]), roster_of(vector).charter.ledger)
    if "leaves" in vector:
        leaves = [octets(leaf) for leaf in vector["leaves"]]
        assert root([leaf_hash(leaf) for leaf in leaves]) == found.root and len(leaves) == found.size
    return {"id": found.id.hex(), "origin": found.origin, "size": found.size, "root": found.root.hex()}


def path(vector: Vector) -> Facts:
    found = open_path(vector["path"])
    return {"row": "entries" if found.level is None else found.level, "index": found.index, "width": found.width}


def tile(vector: Vector) -> Facts:
    return {"hashes": [hash_.hex() for hash_ in open_tile(open_path(vector["path"]), octets(vector["tile"]))]}


def bundle(vector: Vector) -> Facts:
    leaves = [raw for raw, _ in open_bundle(open_path(vector["path"]), octets(vector["bundle"]))]
    return {"leaves": [leaf.hex() for leaf in leaves], "hashes": [leaf_hash(leaf).hex() for leaf in leaves]}


def leaves(vector: Vector) -> Facts:
    name, count = vector["leaves"]["name"], vector["leaves"]["count"]
    ids = [sha256(f"merestone vectors bytes {name}/{number}".encode()) for number in range(count)]
    hashes = [leaf_hash(b"\x82\x01\x58\x20" + id_) for id_ in ids]
    tiles = make_tiles(hashes)
    assert all(tiles[path] == octets(tile) for path, tile in vector["shown"].items())
    return {
        "size": count,
        "root": root(hashes).hex(),
        "tiles": {path: sha256(tile).hex() for path, tile in tiles.items()},
    }


def proof(vector: Vector) -> Facts:
    found = open_proof(octets(vector["proof"]), octets(vector["leaf"]), roster_of(vector).charter)
    checkpoint = found.note.checkpoint
    return {
        "index": found.index,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "note": checkpoint.id.hex(),
        "confirmation": found.tally.confirmation,
    }


def cosigned(vector: Vector) -> Facts:
    charter = roster_of(vector).charter
    found = open_cosigned(octets(vector["cosigned"]), charter)
    tallied = tally(found, charter)
    return {
        "id": found.checkpoint.id.hex(),
        "size": found.checkpoint.size,
        "root": found.checkpoint.root.hex(),
        "confirmation": tallied.confirmation,
        "cosignatures": [[one.witness.key.hex(), one.time] for one in found.cosignatures],
        "signed": tallied.signed,
        "silent": tallied.silent,
    }


def foreign(vector: Vector) -> Facts:
    return {"note": open_foreign(octets(vector["foreign"]), roster_of(vector).charter).data.hex()}


def witness_answer(vector: Vector) -> Facts:
    latest = vector["latest"]
    held = Latest(latest["size"], bytes.fromhex(latest["root"])) if latest else None
    answer = add_checkpoint(octets(vector["request"]), held, roster_of(vector).charter)
    if answer.status == 200:
        return {"status": 200, "size": answer.latest.size, "root": answer.latest.root.hex()}
    body = {"body": f"{answer.latest.size}\n"} if answer.status == 409 else {}
    return {"status": answer.status} | body


def times(vector: Vector) -> Facts:
    liars = bounds.liars_max(vector["parties"])
    cosigned, logged = ([bounds.Said(*said) for said in vector[key]] for key in ("cosigned", "logged"))
    if "leaf" in vector:
        before, after = (
            bounds.not_before(vector["seen"], logged, liars),
            bounds.not_after(vector["leaf"], cosigned, liars),
        )
        bounds.check(before, after)
        return {"not_after": [_bound(after)], "not_before": [_bound(before)]}
    afters = [bounds.not_after(leaf, cosigned, liars) for leaf in vector["leaves"]]
    befores = [bounds.not_before(size, logged, liars) for size in vector["sizes"]]
    return {
        "liars": liars,
        "not_after": [_bound(one) for one in afters],
        "not_before": [_bound(one) for one in befores],
    }


def _bound(bound: bounds.Bound | None) -> Facts | None:
    return None if bound is None else {"time": bound.time, "by": list(bound.by), "holds": bound.holds}
