"""What is found in a vector of what is carried: bags, courier bundles, frames, tickets and adverts."""

from . import cbor, courier
from .bag import audit
from .bag_files import MemoryFiles
from .batch import entries_frame
from .facts import Facts, Vector, mission_of, octets, roster_of
from .frames import HELLO, HELLO_1, Frame, control_frame
from .hashing import sha256
from .refusal import need
from .ticket import open_advert, open_ticket
from .texts import join_texts
from .tips import Tip, digest, flat_digest, tip


def ticket(vector: Vector) -> Facts:
    found = open_ticket(vector["ticket"])
    return {
        "mission": found.mission.hex(),
        "transport": found.transport.hex(),
        "addresses": found.addresses,
        "name": found.name,
    }


def texts(vector: Vector) -> Facts:
    short_id, whole, count = join_texts(vector["texts"])
    return {"id": short_id, "whole": whole.hex(), "count": count}


def advert(vector: Vector) -> Facts:
    salt, transport = open_advert(octets(vector["advert"]), roster_of(vector).charter)
    return {"salt": salt.hex(), "transport": transport.hex()}


def bag(vector: Vector) -> Facts:
    files = {path: octets(data) for path, data in vector["files"].items()}
    report = audit(MemoryFiles(files), mission_of(vector))
    return {"verdict": report.verdict, "findings": sorted({finding.code for finding in report.findings})}


def courier_bundle(vector: Vector) -> Facts:
    found = courier.open_bundle(octets(vector["bundle"]), mission_of(vector))
    for section in found.sound(courier.STATEMENTS):
        courier.check_frames(section)
    for section in found.sound(courier.BLOB):
        courier.assemble(section)
    return {
        "maker": found.maker.hex(),
        "store": found.store.hex(),
        "for": [part.hex() for part in found.made_for] if found.made_for else None,
        "sections": [len(section.data) for section in found.sections],
        "statements": found.statements(),
        "entries": [entry.id.hex() for entry in found.entries()],
        "blobs": [name.hex() for name in found.blobs()],
        "damaged": found.damaged,
    }


def frame(vector: Vector, expected: Facts) -> Facts:
    """What digests are computed from stands in `expected` only: it is answered where the frame has its digest."""
    data = octets(vector["frame"])
    if vector.get("class") == "entries" or "ids" in expected:
        sent = entries_frame(data, mission_of(vector))
        need(all(one.is_rebuilt for one in sent), "again")
        return {"type": cbor.decode(data)[0], "ids": [one.id.hex() for one in sent]}
    found = control_frame(data)
    named = [tip(cbor.decode(bytes.fromhex(one))) for one in expected.get("tips", [])]
    return {"type": found.type} | _computed(found, named, expected)


def _computed(frame: Frame, named: list[Tip], expected: Facts) -> Facts:
    match frame.type:
        case _ if frame.type == HELLO_1 and "tips" in expected:
            certificates = sha256(*map(bytes.fromhex, expected["certificates"]))
            fits = dict(frame.parts[4])[1] == certificates and frame.parts[5][0][1] == flat_digest(named)
            said = {"certificates": expected["certificates"], "tips": expected["tips"]} if fits else {}
            return said | {"digest": frame.parts[5][0][1].hex()}
        case _ if frame.type == HELLO and "tips" in expected:
            scope, root = frame.parts[4][0]
            fits = frame.parts[3] == sha256(*map(bytes.fromhex, expected["classes"])) and root == digest(named)
            said = {"classes": expected["classes"], "tips": expected["tips"]} if fits else {}
            agreed = frame.parts[7] == sha256(scope, root)
            return said | {"root": root.hex()} | ({"agreed": frame.parts[7].hex()} if agreed else {})
        case 4:
            return {"digest": flat_digest(frame.parts[2]).hex()}
        case 17:
            fits = all(node.is_of(named) for node in frame.parts[1])
            return {"tips": expected["tips"], "root": digest(named).hex()} if fits else {}
        case _:
            return {}
