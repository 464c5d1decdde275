"""What is found in a vector of a statement, as its `.expected` says it."""

from .acknowledgement import open_acknowledgement
from .facts import Facts, Vector, chain_of, mission_of, octets, plain, roster_of
from .hashing import sha256
from .inclusion import open_inclusion
from .receipt import open_receipt
from .roster import carried_text, open_certificate, open_charter, open_cut, open_request
from .succession import open_succession
from .witness import open_cosignature


def charter(vector: Vector) -> Facts:
    found = open_charter(octets(vector["charter"]), mission_of(vector))
    return {
        "id": found.mission.hex(),
        "parties": [party.number for party in found.parties],
        "scopes": [scope.hex() for scope in found.scopes],
        "forms": [form.hex() for form in found.forms],
        "quorum": found.quorum,
    }


def request(vector: Vector) -> Facts:
    data = octets(vector["request"])
    found = open_request(data, mission_of(vector))
    more: Facts = {}
    if found.attestation is not None:
        more["attestation"] = {"bytes": found.attestation[0], "hash": found.attestation[1].hex()}
    if found.replaces is not None:
        more["replaces"] = found.replaces.hex()
    return more | {
        "id": found.id.hex(),
        "key": found.key.hex(),
        "transport": found.transport.hex(),
        "observer": found.observer,
        "device": found.device,
        "words": found.words,
        "text": carried_text("MERESTONE-REQUEST:", data),
    }


def certificate(vector: Vector) -> Facts:
    data = octets(vector["certificate"])
    found = open_certificate(data, roster_of(vector).charter)
    return {
        "id": found.id.hex(),
        "party": found.party,
        "key": found.key.hex(),
        "observer": found.request.observer,
        "role": found.role,
        "scopes": [scope.hex() for scope in found.scopes],
        "text": carried_text("MERESTONE-CERTIFICATE:", data),
    }


def cut(vector: Vector) -> Facts:
    found = open_cut(octets(vector["cut"]), roster_of(vector))
    return {
        "id": found.id.hex(),
        **({"parties": list(found.parties)} if found.is_agreed else {"party": found.parties[0]}),
        "key": found.key.hex(),
        "kept": [plain(kept) for kept in found.kept],
        "reason": found.reason,
    }


def succession(vector: Vector) -> Facts:
    found = open_succession(octets(vector["succession"]), roster_of(vector))
    return {
        "id": found.id.hex(),
        "old": found.old.hex(),
        "new": found.new.hex(),
        "heads": [plain(head) for head in found.heads],
        "party": found.party,
        "by_party": found.signer != found.old,
    }


def inclusion(vector: Vector) -> Facts:
    found = open_inclusion(octets(vector["inclusion"]), roster_of(vector))
    return {"id": found.id.hex(), "leaf": found.data.hex(), "index": found.index, "size": found.size}


def receipt(vector: Vector) -> Facts:
    found = open_receipt(octets(vector["receipt"]), roster_of(vector))
    return {
        "id": found.id.hex(),
        "store": found.store.hex(),
        "counter": found.counter,
        "logs": [[log.log.hex(), log.height, log.head.hex(), log.missing] for log in found.logs],
        "certificate": found.certificate.hex(),
    }


def cosignature(vector: Vector) -> Facts:
    data = octets(vector["cosignature"])
    note = open_cosignature(data, roster_of(vector).charter)
    one = note.cosignatures[0]
    return {
        "id": sha256(data).hex(),
        "note": note.checkpoint.id.hex(),
        "size": note.checkpoint.size,
        "key": one.witness.key.hex(),
        "time": one.time,
    }


def acknowledgement(vector: Vector) -> Facts:
    found = open_acknowledgement(octets(vector["acknowledgement"]), roster_of(vector))
    return {"id": found.id.hex(), "party": found.party, "cut": found.cut.hex(), "of": found.of}


def amendment(vector: Vector) -> Facts:
    chain = chain_of(vector)
    found = chain.add(octets(vector["amendment"]))
    stands, after = chain.force()
    charter, rivals = chain.charters[stands], after if len(after) > 1 else {}
    parties = {party for signers in rivals.values() for party in signers}
    return {
        "id": found.id.hex(),
        "charter": found.charter_id.hex(),
        "predecessor": found.predecessor.hex(),
        "signers": list(found.signers),
        "in_force": stands.hex(),
        "parties": [party.number for party in charter.parties],
        "scopes": [scope.hex() for scope in charter.scopes],
        "forms": [form.hex() for form in charter.forms],
        "quorum": charter.quorum,
        "rivals": sorted(id_.hex() for id_ in rivals),
        "both": sorted(party for party in parties if sum(party in signers for signers in rivals.values()) > 1),
    }
