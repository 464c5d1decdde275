"""Runs fixtures/vectors: each vector's verdict must be the expected one, facts and code alike."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import bounds, claims
from .account import open_account
from .bag import audit
from .bag_files import MemoryFiles
from .checkpoint import open_checkpoint
from .disclosure import Disclosure, open_disclosure
from .entry import open_entry, open_header
from .erasure import open_erasure
from .evidence import Evidence
from .exhibit import open_exhibit
from .forms import STANDARD, open_form
from .hashing import sha256
from .history import History, check_history
from .inclusion import open_inclusion
from .ledger import make_tiles, open_bundle, open_path, open_proof, open_tile
from .merkle import leaf_hash, root
from .receipt import open_receipt
from .record import judge
from .refusal import Refused, need
from .roster import Roster, carried_text, open_certificate, open_charter, open_cut, open_request
from .succession import open_succession
from .ticket import open_advert, open_ticket
from .witness import Latest, add_checkpoint, open_cosignature, open_cosigned, open_foreign, tally

Vector = dict[str, Any]
Facts = dict[str, Any]

_STANDARD_NAMES = ("coarse place", "exact place", "day", "exact time", "post", "observer", "photos", "reserved")


@dataclass(frozen=True)
class Outcome:
    """One vector; `fault` says how the verdict differs, `not_judged` that this verifier has none."""

    layer: str
    name: str
    fault: str | None
    not_judged: bool = False


class _At(Refused):
    """A refusal of the entry with this index."""

    def __init__(self, code: str, index: int) -> None:
        super().__init__(code)
        self.index = index


def octets(value: Any) -> bytes:
    """Bytes of a vector: hex, or pieces of it."""
    if isinstance(value, str):
        return bytes.fromhex(value)
    return b"".join(
        bytes.fromhex(piece) if isinstance(piece, str) else bytes.fromhex(piece["repeat"]) * piece["times"]
        for piece in value
    )


def run(folder: Path) -> Iterator[Outcome]:
    """All vectors, in the order of their names."""
    for path in sorted(folder.glob("*/*/*.json")):
        vector = json.loads(path.read_text())
        expected = json.loads(path.with_suffix(".expected").read_text())
        yield _outcome(path, vector, expected)


def report(folder: Path) -> int:
    """Prints a table, then each difference; the exit code."""
    outcomes = list(run(folder))
    agreed: Counter[str] = Counter()
    differ: Counter[str] = Counter()
    passed_over: Counter[str] = Counter()
    for one in outcomes:
        (passed_over if one.not_judged else differ if one.fault else agreed)[one.layer] += 1
    print(f"{'layer':<28}{'agree':>7}{'differ':>8}{'not judged':>12}")
    for layer in sorted({one.layer for one in outcomes}):
        print(f"{layer:<28}{agreed[layer]:>7}{differ[layer]:>8}{passed_over[layer]:>12}")
    print(f"{'all':<28}{agreed.total():>7}{differ.total():>8}{passed_over.total():>12}")
    for one in outcomes:
        if one.fault:
            print(f"{one.name}: {one.fault}")
    return 1 if differ or not outcomes else 0


def _outcome(path: Path, vector: Vector, expected: Facts) -> Outcome:
    group, subject = path.parts[-3], str(vector.get("subject", "entries"))
    subject = {"bundle": "files", "bounds": "times"}.get(group) or subject
    layer = f"{group} {subject}"
    name = f"{group}/{path.parts[-2]}/{path.stem}"
    judged = _JUDGES.get((group, subject)) or _JUDGES.get(("*", subject))
    if judged is None:
        return Outcome(layer, name, None, not_judged=True)
    try:
        found = judged(vector)
    except _At as refusal:
        found = {"code": refusal.code, "entry": refusal.index}
    except Refused as refusal:
        found = {"code": refusal.code}
    if group == "bundle" and "code" in expected:
        # Of a bag that fails, the vector tells the verdict and one finding that must be there.
        same = found["verdict"] == expected["verdict"] and expected["code"] in found["findings"]
    else:
        same = found == _knowable(expected, vector)
    return Outcome(layer, name, None if same else f"found {_short(found)}, expected {_short(expected)}")


def _knowable(expected: Facts, vector: Vector) -> Facts:
    """Without the facts of bodies that the vector withholds: nobody who lacks the body can compute them."""
    if "entries" not in expected:
        return expected
    withheld = [item["body"] is None for item in vector["entries"]]
    hidden = {"change": None, "max_op": None}
    entries = [facts | hidden if lacks else facts for facts, lacks in zip(expected["entries"], withheld)]
    return expected | {"entries": entries}


def _short(facts: Facts) -> str:
    text = json.dumps(facts)
    return text if len(text) < 600 else text[:600] + "…"


def _roster(vector: Vector) -> Roster:
    roster = Roster(open_charter(octets(vector["charter"]), bytes.fromhex(vector["mission"])))
    statements = vector.get("statements", {})
    for certificate in statements.get("certificates", []):
        # A certificate that is refused is not held; the vectors of weak keys have such ones.
        with suppress(Refused):
            roster.add_certificate(octets(certificate))
    for cut in statements.get("cuts", []):
        roster.add_cut(octets(cut))
    return roster


def _evidence(vector: Vector) -> Evidence:
    roster = _roster(vector)
    erasures = [open_erasure(octets(one), roster.charter) for one in vector["statements"].get("erasures", [])]
    inclusions = [open_inclusion(octets(one), roster) for one in vector["statements"].get("inclusions", [])]
    return Evidence(roster, erasures, inclusions)


def _mission(vector: Vector) -> bytes:
    return bytes.fromhex(vector["mission"])


def _entries(vector: Vector) -> Facts:
    """Every entry in order of delivery, each held to all rules."""
    evidence, facts = _evidence(vector), []
    histories: dict[bytes, History] = {}
    for index, item in enumerate(vector["entries"]):
        try:
            header = open_header(octets(item["header"]), _mission(vector))
            evidence.check_place(header)
            entry = open_entry(header, None if item["body"] is None else octets(item["body"]))
            need(entry.fault is None, entry.fault or "")
            evidence.add(entry)
            evidence.check_authority(header)
            if entry.change is not None and all(ref in histories for ref in header.refs):
                histories[header.id] = check_history(entry.change, [histories[ref] for ref in header.refs])
            if entry.change is not None and entry.body is not None:
                forms = {form.id: form for form in map(open_form, map(octets, vector["forms"]))}
                fault = claims.fault(forms[header.form or b""], entry.change, entry.body.context, header.claims)
                need(fault is None, fault or "")
        except Refused as refusal:
            raise _At(refusal.code, index) from None
        facts.append(
            {
                "id": header.id.hex(),
                "log": header.log.hex(),
                "seq": header.seq,
                "kind": header.kind,
                "record": header.record.hex(),
                "actor": header.actor.hex(),
                "change": entry.change.hash.hex() if entry.change else None,
                "max_op": entry.change.max_op if entry.change else None,
                "claims": header.claims.hex() if header.claims else None,
            }
        )
    return {"entries": facts}


def _claims(vector: Vector) -> Facts:
    facts = _entries(vector)
    header = open_header(octets(vector["entries"][-1]["header"]), _mission(vector))
    entry = open_entry(header, octets(vector["entries"][-1]["body"]))
    forms = {form.id: form for form in map(open_form, map(octets, vector["forms"]))}
    assert entry.change is not None and entry.body is not None
    found = claims.compute(forms[header.form or b""], entry.change, entry.body.context)
    return facts | {
        "entry": len(vector["entries"]) - 1,
        "seed": entry.change.seed.hex(),
        "salts": [salt.hex() for salt in found.salts],
        "leaves": [leaf.hex() for leaf in found.leaves],
        "root": found.root.hex(),
    }


def _form(vector: Vector) -> Facts:
    form = open_form(octets(vector["form"]))
    facts: Facts = {"id": form.id.hex(), "kind": form.kind, "leaves": [name for name, _ in form.leaves]}
    return facts | ({"must": list(form.must)} if form.must else {})


def _disclosure(vector: Vector) -> Facts:
    form = open_form(octets(vector["forms"][0]))
    found = open_disclosure(octets(vector["disclosure"]), _mission(vector), form)
    header = found.header
    return {
        "id": header.id.hex(),
        "key": header.key.hex(),
        "form": form.id.hex(),
        "opened": list(_opened(found)),
    }


def _opened(found: Disclosure) -> Iterator[Facts]:
    for one in found.opened:
        place = one.position
        name = _STANDARD_NAMES[place] if place < STANDARD else found.form.leaves[place - STANDARD][0]
        facts: Facts = {"position": place, "name": name}
        if one.is_absent:
            yield facts | {"absent": True}
        elif one.cells is not None:
            yield facts | {"cells": [list(cell) for cell in one.cells]}
        elif place == 6:
            yield facts | {"value": [photo[1].hex() for photo in one.value]}
        else:
            yield facts | {"value": _plain(one.value)}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [_plain(inner) for inner in value] if isinstance(value, tuple) else value


def _record(vector: Vector) -> Facts:
    evidence = _evidence(vector)
    for item in vector["entries"]:
        header = open_header(octets(item["header"]), _mission(vector))
        evidence.add(open_entry(header, None if item["body"] is None else octets(item["body"])))
    verdict = judge(bytes.fromhex(vector["record"]), evidence, evidence.ledgered())
    return {
        "record": vector["record"],
        "applied": [id_.hex() for id_ in verdict.applied],
        "standings": {id_.hex(): standing for id_, standing in verdict.standings.items()},
        "view": {
            key: [{"value": value, "entry": id_.hex()} for value, id_ in values] for key, values in verdict.view.items()
        },
    }


def _erasure(vector: Vector) -> Facts:
    found = open_erasure(octets(vector["erasure"]), _roster(vector).charter)
    return {"id": found.id.hex(), "record": found.record.hex(), "heads": [head.hex() for head in found.heads]}


def _charter(vector: Vector) -> Facts:
    found = open_charter(octets(vector["charter"]), _mission(vector))
    return {
        "id": found.mission.hex(),
        "parties": [party.number for party in found.parties],
        "scopes": [scope.hex() for scope in found.scopes],
        "forms": [form.hex() for form in found.forms],
        "quorum": found.quorum,
    }


def _request(vector: Vector) -> Facts:
    data = octets(vector["request"])
    found = open_request(data, _mission(vector))
    return {
        "id": found.id.hex(),
        "key": found.key.hex(),
        "transport": found.transport.hex(),
        "observer": found.observer,
        "device": found.device,
        "words": found.words,
        "text": carried_text("MERESTONE-REQUEST:", data),
    }


def _certificate(vector: Vector) -> Facts:
    data = octets(vector["certificate"])
    found = open_certificate(data, _roster(vector).charter)
    return {
        "id": found.id.hex(),
        "party": found.party,
        "key": found.key.hex(),
        "observer": found.request.observer,
        "role": found.role,
        "scopes": [scope.hex() for scope in found.scopes],
        "text": carried_text("MERESTONE-CERTIFICATE:", data),
    }


def _cut(vector: Vector) -> Facts:
    found = open_cut(octets(vector["cut"]), _roster(vector))
    return {
        "id": found.id.hex(),
        **({"parties": list(found.parties)} if found.is_agreed else {"party": found.parties[0]}),
        "key": found.key.hex(),
        "kept": [_plain(kept) for kept in found.kept],
        "reason": found.reason,
    }


def _receipt(vector: Vector) -> Facts:
    found = open_receipt(octets(vector["receipt"]), _roster(vector))
    return {
        "id": found.id.hex(),
        "store": found.store.hex(),
        "counter": found.counter,
        "logs": [[log.log.hex(), log.height, log.head.hex(), log.missing] for log in found.logs],
        "certificate": found.certificate.hex(),
    }


def _note(vector: Vector) -> Facts:
    found = open_checkpoint(octets(vector["note"]), _roster(vector).charter.ledger)
    if "leaves" in vector:
        leaves = [octets(leaf) for leaf in vector["leaves"]]
        assert root([leaf_hash(leaf) for leaf in leaves]) == found.root and len(leaves) == found.size
    return {"id": found.id.hex(), "origin": found.origin, "size": found.size, "root": found.root.hex()}


def _path(vector: Vector) -> Facts:
    found = open_path(vector["path"])
    return {"row": "entries" if found.level is None else found.level, "index": found.index, "width": found.width}


def _tile(vector: Vector) -> Facts:
    return {"hashes": [hash_.hex() for hash_ in open_tile(open_path(vector["path"]), octets(vector["tile"]))]}


def _bundle(vector: Vector) -> Facts:
    leaves = [raw for raw, _ in open_bundle(open_path(vector["path"]), octets(vector["bundle"]))]
    return {"leaves": [leaf.hex() for leaf in leaves], "hashes": [leaf_hash(leaf).hex() for leaf in leaves]}


def _leaves(vector: Vector) -> Facts:
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


def _proof(vector: Vector) -> Facts:
    found = open_proof(octets(vector["proof"]), octets(vector["leaf"]), _roster(vector).charter)
    checkpoint = found.note.checkpoint
    return {
        "index": found.index,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "note": checkpoint.id.hex(),
        "confirmation": found.tally.confirmation,
    }


def _cosigned(vector: Vector) -> Facts:
    charter = _roster(vector).charter
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


def _foreign(vector: Vector) -> Facts:
    return {"note": open_foreign(octets(vector["foreign"]), _roster(vector).charter).data.hex()}


def _add_checkpoint(vector: Vector) -> Facts:
    latest = vector["latest"]
    held = Latest(latest["size"], bytes.fromhex(latest["root"])) if latest else None
    answer = add_checkpoint(octets(vector["request"]), held, _roster(vector).charter)
    if answer.status == 200:
        return {"status": 200, "size": answer.latest.size, "root": answer.latest.root.hex()}
    body = {"body": f"{answer.latest.size}\n"} if answer.status == 409 else {}
    return {"status": answer.status} | body


def _ticket(vector: Vector) -> Facts:
    found = open_ticket(vector["ticket"])
    return {
        "mission": found.mission.hex(),
        "transport": found.transport.hex(),
        "addresses": found.addresses,
        "name": found.name,
    }


def _advert(vector: Vector) -> Facts:
    salt, transport = open_advert(octets(vector["advert"]), _roster(vector).charter)
    return {"salt": salt.hex(), "transport": transport.hex()}


def _files(vector: Vector) -> Facts:
    files = {path: octets(data) for path, data in vector["files"].items()}
    report = audit(MemoryFiles(files), _mission(vector))
    return {"verdict": report.verdict, "findings": sorted({finding.code for finding in report.findings})}


def _cosignature(vector: Vector) -> Facts:
    data = octets(vector["cosignature"])
    note = open_cosignature(data, _roster(vector).charter)
    one = note.cosignatures[0]
    return {
        "id": sha256(data).hex(),
        "note": note.checkpoint.id.hex(),
        "size": note.checkpoint.size,
        "key": one.witness.key.hex(),
        "time": one.time,
    }


def _inclusion(vector: Vector) -> Facts:
    found = open_inclusion(octets(vector["inclusion"]), _roster(vector))
    return {"id": found.id.hex(), "leaf": found.data.hex(), "index": found.index, "size": found.size}


def _exhibit(vector: Vector) -> Facts:
    found = open_exhibit(octets(vector["exhibit"]), _mission(vector))
    opened = list(_opened(found.disclosure)) if found.disclosure is not None else []
    after = found.not_after
    return {
        "id": found.header.id.hex(),
        "key": found.header.key.hex(),
        "certificates": [one.id.hex() for one in found.certificates],
        "index": found.proof.index if found.proof is not None else None,
        "confirmation": found.proof.tally.confirmation if found.proof is not None else None,
        "not_after": after.time if after is not None and after.holds else None,
        "opened": [[one["name"], one["value"]] for one in opened] if found.disclosure is not None else None,
    }


def _succession(vector: Vector) -> Facts:
    found = open_succession(octets(vector["succession"]), _roster(vector))
    return {
        "id": found.id.hex(),
        "old": found.old.hex(),
        "new": found.new.hex(),
        "heads": [_plain(head) for head in found.heads],
        "party": found.party,
        "by_party": found.signer != found.old,
    }


def _account(vector: Vector) -> Facts:
    found = open_account(octets(vector["account"]), _roster(vector).charter)
    return {
        "id": found.id.hex(),
        "party": found.party,
        "scopes": [scope.hex() for scope in found.scopes],
        "forms": [form.hex() for form in found.rules],
        "states": sorted(entry[2] for log in found.logs for entry in log.entries),
        "exceptions": len(found.exceptions),
    }


def _bounds(vector: Vector) -> Facts:
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


_JUDGES: dict[tuple[str, str], Callable[[Vector], Facts]] = {
    ("entry", "entries"): _entries,
    ("change", "entries"): _entries,
    ("roster", "entries"): _entries,
    ("claims", "entries"): _claims,
    ("claims", "form"): _form,
    ("bounds", "times"): _bounds,
    ("exhibit", "exhibit"): _exhibit,
    ("roster", "inclusion"): _inclusion,
    ("roster", "succession"): _succession,
    ("sync", "cosignature"): _cosignature,
    ("publication", "account"): _account,
    ("bundle", "files"): _files,
    ("record", "entries"): _record,
    ("record", "erasure"): _erasure,
    ("roster", "charter"): _charter,
    ("roster", "request"): _request,
    ("roster", "certificate"): _certificate,
    ("roster", "cut"): _cut,
    ("disclosure", "disclosure"): _disclosure,
    ("checkpoint", "note"): _note,
    ("ledger", "path"): _path,
    ("ledger", "tile"): _tile,
    ("ledger", "bundle"): _bundle,
    ("ledger", "leaves"): _leaves,
    ("ledger", "proof"): _proof,
    ("witness", "cosigned"): _cosigned,
    ("witness", "foreign"): _foreign,
    ("witness", "request"): _add_checkpoint,
    ("sync", "receipt"): _receipt,
    ("ticket", "ticket"): _ticket,
    ("nearby", "advert"): _advert,
}
